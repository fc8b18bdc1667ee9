"""Every verb of the client on a real server: found sandboxes, contexts, runs followed and stopped by others, logs, lists."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import pytest

from microsandbox import Event, LogEntry, NodeSandbox, PythonSandbox, Server, sync
from microsandbox.errors import (
    ContextNotFoundError,
    InvalidRequestError,
    NoSuchFileError,
    PermissionDeniedError,
    RunNotFoundError,
    SandboxNotFoundError,
    SandboxNotRunningError,
)

from .conftest import wait_until

pytestmark = pytest.mark.usefixtures("here")

# It prints, waits for a file that the test writes, and prints again.
IN_TWO_PARTS = (
    "import os, time\nprint('first', flush=True)\n"
    "while not os.path.exists('go'): time.sleep(0.01)\nprint('second', flush=True)"
)


def written(events: list[Event], kind: str = "stdout") -> str:
    return "".join(event.text for event in events if event.type == kind)


async def begin(sandbox: PythonSandbox, code: str, expected: str) -> tuple[str, int]:
    """Runs a cell that outlives its client, reads until it has printed something, and gives its id and the offset."""
    run_id, offset, text = "", 0, ""
    stream = sandbox.stream(code, keep_running=True, timeout=120)
    async for event in stream:
        run_id = event.run_id or run_id
        offset = event.offset if event.offset is not None else offset
        text += event.text
        if text == expected:
            break
    await stream.aclose()
    return run_id, offset


def test_sandbox_is_found_by_name_and_by_id_and_lives_on() -> None:
    async def main() -> None:
        async with PythonSandbox.create(name="findable", namespace="team", labels={"a": "b"}) as mine:
            await mine.run("x = 42")
            async with PythonSandbox.connect("findable", namespace="team") as found:
                assert await (await found.run("x")).output() == "42"
                number = (await found.info())["id"]
            by_id = await PythonSandbox.connect(number)
            try:
                assert (by_id.name, by_id.namespace, by_id.is_started) == ("findable", "team", True)
                assert await (await by_id.run("x + 1")).output() == "43"
            finally:
                await by_id.close()
            assert (await mine.info())["state"] == "running"
        with pytest.raises(SandboxNotFoundError):
            await PythonSandbox.connect("findable", namespace="team")

    asyncio.run(main())


def test_stopped_sandbox_is_found_started_and_removed() -> None:
    sandbox = sync.PythonSandbox.create(name="rests", ephemeral=False)
    sandbox.files.write("kept.txt", "still here")
    sandbox.stop()
    assert sandbox.info()["state"] == "stopped"
    assert sandbox.metrics.is_running() is False
    with sync.PythonSandbox.connect("rests") as found:
        assert not found.is_started
        with pytest.raises(SandboxNotRunningError):
            found.run("1")
        found.start()
        assert found.files.read_text("kept.txt") == "still here"
        found.delete()
    with pytest.raises(SandboxNotFoundError):
        sync.PythonSandbox.connect("rests")


def test_life_is_extended_and_its_limits_taken_away() -> None:
    with sync.PythonSandbox.create() as sandbox:
        assert sandbox.info()["expires_at"] is None
        longer = sandbox.extend(time_to_live=600, idle_timeout=900)
        assert longer["expires_at"] is not None
        assert longer["idle_timeout"] == 900
        assert sandbox.extend()["expires_at"] == longer["expires_at"]
        assert sandbox.extend(time_to_live=0, idle_timeout=0)["expires_at"] is None
        assert sandbox.info()["idle_timeout"] == 0


def test_contexts_have_a_state_of_their_own() -> None:
    async def main() -> None:
        async with PythonSandbox.create() as sandbox:
            await sandbox.run("x = 1")
            async with await sandbox.contexts.open(
                id="second", env={"GREETING": "hello"}, working_directory="/tmp", user="root"
            ) as second:
                assert (second.id, second.language) == ("second", "python")
                assert (await second.run("x")).has_error()
                await second.run("x = 2")
                assert await (await sandbox.run("x")).output() == "1"
                assert await (await sandbox.run("x", context="second")).output() == "2"
                told = await second.run("import os; os.environ['GREETING'], os.getcwd(), os.getuid()")
                assert await told.output() == "('hello', '/tmp', 0)"
                assert written([event async for event in second.stream("print(x)")]) == "2\n"
                opened = {context.id: context for context in await sandbox.contexts.list()}
                assert set(opened) == {"python", "second"}
                assert (opened["python"].interpreter_version or "").startswith("3.")
            with pytest.raises(ContextNotFoundError):
                await second.run("x")
            await second.close()
            unnamed = await sandbox.contexts.open()
            await sandbox.contexts.close(unnamed.id)
            assert [context.id for context in await sandbox.contexts.list()] == ["python"]
            with pytest.raises(InvalidRequestError):
                await sandbox.contexts.close("python")

    asyncio.run(main())


def test_run_goes_on_without_its_client_and_is_followed_from_an_offset() -> None:
    async def main() -> None:
        async with PythonSandbox.create(name="goes-on") as sandbox:
            run_id, offset = await begin(sandbox, IN_TWO_PARTS, "first\n")
            assert offset == len("first\n")
            async with PythonSandbox.connect("goes-on") as other:
                rest: list[Event] = []
                await other.files.write("go", "")
                async for event in other.attach(run_id, offset):
                    rest.append(event)
                assert written(rest) == "second\n"
                assert (rest[-1].type, rest[-1].data["outcome"]) == ("finished", "ok")
                whole = [event async for event in other.attach(run_id)]
                assert written(whole) == "first\nsecond\n"
                with pytest.raises(RunNotFoundError):
                    _ = [event async for event in other.attach("0" * 32)]

    asyncio.run(main())


def test_other_client_interrupts_a_run_and_its_state_is_kept() -> None:
    async def main() -> None:
        async with PythonSandbox.create(name="stopped-by-others") as sandbox:
            seen: list[Event] = []
            async for event in sandbox.stream("kept = 1\nprint('go', flush=True)\nwhile True: pass"):
                seen.append(event)
                if event.type == "stdout" and len(written(seen)) == len("go\n"):
                    async with PythonSandbox.connect("stopped-by-others") as other:
                        await other.interrupt(seen[0].run_id or "")
            assert seen[-1].data["outcome"] == "interrupted"
            await sandbox.interrupt(seen[0].run_id or "")
            assert await (await sandbox.run("kept")).output() == "1"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("script", "number", "group", "outcome", "code"),
    [
        ("trap 'exit 5' USR1; echo ready; while :; do sleep 0.1; done", signal.SIGUSR1, False, "exited", 5),
        ("echo ready; sleep 1000; exit 5", signal.SIGTERM, True, "signaled", None),
    ],
    ids=["alone", "group"],
)
def test_command_takes_signals_and_is_followed(
    script: str, number: int, group: bool, outcome: str, code: int | None
) -> None:
    with sync.PythonSandbox.create() as sandbox:
        seen: list[Event] = []
        is_told = False
        for event in sandbox.command.stream("sh", ["-c", script], 120):
            seen.append(event)
            if not is_told and written(seen) == "ready\n":
                is_told = True
                sandbox.command.signal(seen[0].run_id or "", number, group=group)
        assert (seen[-1].data["outcome"], seen[-1].data["exit_code"]) == (outcome, code)
        run_id = seen[0].run_id or ""
        assert written(list(sandbox.attach(run_id))) == "ready\n"
        sandbox.command.signal(run_id, number)
        with pytest.raises(InvalidRequestError):
            sandbox.command.signal(run_id, 99)


def test_commands_outlive_their_client_where_that_is_wished() -> None:
    with sync.PythonSandbox.create() as sandbox:
        code = "echo first; while [ ! -e go ]; do sleep 0.05; done; echo second; exit 3"
        stream, run_id, text = sandbox.command.stream("sh", ["-c", code], 120, keep_running=True), "", ""
        for event in stream:
            run_id = event.run_id or run_id
            text += event.text
            if text == "first\n":
                break
        stream.close()
        sandbox.files.write("go", "")
        rest = list(sandbox.attach(run_id, len("first\n")))
        assert written(rest) == "second\n"
        assert rest[-1].data["exit_code"] == 3


def test_bytes_go_in_and_come_out_as_they_are() -> None:
    content = bytes(range(256))
    with sync.PythonSandbox.create() as sandbox:
        events = list(sandbox.command.stream("cat", stdin=content, encoding="base64"))
        assert b"".join(event.content for event in events if event.type == "stdout") == content
        done = sandbox.command.run("sh", ["-c", "wc -c"], stdin=content)
        assert done.output() == "256"
        cut = sandbox.command.run("python3", ["-c", "print('x' * 100_000)"], output_limit=1000)
        assert cut.left_out > 90_000
        assert cut.run_id
        cell = sandbox.run("print('x' * 100_000)", output_limit=1000)
        assert cell.left_out > 90_000


def test_files_have_owners_modes_and_folders() -> None:
    with sync.PythonSandbox.create() as sandbox:
        sandbox.files.write("/root/secret.txt", "of root", user="root", mode=0o600)
        assert sandbox.files.read_text("/root/secret.txt", user="root") == "of root"
        assert sandbox.command.run("stat", ["-c", "%U %a", "/root/secret.txt"], user="root").output() == "root 600"
        with pytest.raises(PermissionDeniedError):
            sandbox.files.read("/root/secret.txt")
        with pytest.raises(NoSuchFileError):
            sandbox.files.write("not/there/file", "", make_directories=False)
        sandbox.files.write("there/file", "", mode=0o755)
        assert sandbox.command.run("stat", ["-c", "%U %a", "there/file"]).output() == "sandbox 755"


def test_log_has_what_was_written_outside_of_cells() -> None:
    with sync.PythonSandbox.create() as sandbox:
        sandbox.run(
            "import os, threading, time\n"
            "def later():\n"
            "    while not os.path.exists('ended'): time.sleep(0.01)\n"
            "    print('said late', flush=True)\n"
            "threading.Thread(target=later).start()"
        )
        sandbox.files.write("ended", "")
        entry = awaited_line(sandbox, "said late")
        assert (entry["source"], entry["level"]) == ("stdout", "info")
        assert all(line["sequence"] > entry["sequence"] for line in sandbox.logs(after=entry["sequence"]))
        assert [line["sequence"] for line in sandbox.logs(limit=1)] == [sandbox.logs()[0]["sequence"]]


def awaited_line(sandbox: sync.PythonSandbox, text: str) -> LogEntry:
    """The line of the log that has a text, once it is there."""

    def found() -> list[LogEntry]:
        return [entry for entry in sandbox.logs() if text in entry["text"]]

    wait_until(lambda: bool(found()), f"a line of the log with {text!r}")
    return found()[0]


def test_server_lists_sandboxes_by_label_images_and_itself() -> None:
    async def main() -> None:
        async with (
            PythonSandbox.create(name="list-a", namespace="lists", labels={"team": "a", "kind": "x"}),
            NodeSandbox.create(name="list-b", namespace="lists", labels={"team": "b", "kind": "x"}),
            Server() as server,
        ):

            async def names(**filters: Any) -> list[str]:
                return [found["name"] for found in await server.sandboxes(**filters)]

            assert await names(namespace="lists") == ["list-a", "list-b"]
            assert await names(labels={"kind": "x", "team": "b"}) == ["list-b"]
            assert await names(namespace="elsewhere", labels={"kind": "x"}) == []
            assert {"microsandbox/python", "microsandbox/node"} <= {image["name"] for image in await server.images()}
            info = await server.info()
            assert info["accepting"]
            assert info["running"] >= 2

    asyncio.run(main())
    with sync.Server() as server:
        assert server.sandboxes(namespace="lists") == []


def test_isolation_is_a_wish() -> None:
    with sync.PythonSandbox.create(isolation="container") as sandbox:
        assert sandbox.info()["isolation"] == "container"


def test_session_that_original_programs_set_is_harmless() -> None:
    async def main() -> None:
        sandbox = PythonSandbox(name="original")
        sandbox._session = object()  # type: ignore[attr-defined]
        await sandbox.start()
        assert await (await sandbox.run("6 * 7")).output() == "42"
        await sandbox.stop()

    asyncio.run(main())
