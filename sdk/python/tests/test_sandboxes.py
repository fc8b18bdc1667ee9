"""The SDK against a real server, real isolation and real interpreters."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from microsandbox import NodeSandbox, PythonSandbox, SandboxError, sync
from microsandbox.errors import (
    CommandNotFoundError,
    ImageNotFoundError,
    InvalidLimitsError,
    InvalidNameError,
    NameTakenError,
    NoSuchFileError,
    SandboxNotFoundError,
    UnauthenticatedError,
)

from .conftest import start_server, stop_server

pytestmark = pytest.mark.usefixtures("here")


def test_state_is_kept_between_runs_and_gone_with_the_sandbox() -> None:
    async def main() -> None:
        async with PythonSandbox.create() as sandbox:
            await sandbox.run("x = 42")
            assert await (await sandbox.run("x * 2")).output() == "84"
        with pytest.raises(SandboxError):
            await sandbox.run("x")

    asyncio.run(main())


def test_create_may_be_awaited_and_stopped_by_hand() -> None:
    async def main() -> None:
        sandbox = await NodeSandbox.create(name="by-hand")
        try:
            assert await (await sandbox.run("const a = 20; a + 1")).output() == "21"
            assert (await sandbox.info())["state"] == "running"
        finally:
            await sandbox.stop()
            await sandbox.stop()

    asyncio.run(main())


def test_original_manual_lifecycle_works() -> None:
    async def main() -> None:
        sandbox = PythonSandbox(name="manual")
        await sandbox.start(image="microsandbox/python", memory=256, cpus=1.0)
        assert sandbox.is_started
        assert await sandbox.metrics.is_running()
        await sandbox.run("held = bytes(8 * 1024 * 1024)")  # the interpreter may not have begun to use any
        assert (await sandbox.metrics.memory() or 0) > 0
        await sandbox.stop()
        assert not sandbox.is_started

    asyncio.run(main())


def test_error_is_a_result_with_name_message_and_traceback() -> None:
    with sync.PythonSandbox.create() as sandbox:
        execution = sandbox.run("y = 1\ninvalid_code_here\ny = 2")
        assert execution.has_error()
        assert execution.status == "error"
        assert execution.raised is not None
        assert execution.raised.name == "NameError"
        assert "<cell" in execution.error()
        assert sandbox.run("y").output() == "1"


def test_events_stream_while_the_cell_runs() -> None:
    async def main() -> None:
        async with PythonSandbox.create() as sandbox:
            seen: list[tuple[str, str]] = []
            # It ends only once the test has seen what it printed before.
            code = (
                "import os, time\nprint('first', flush=True)\n"
                "while not os.path.exists('seen'): time.sleep(0.01)\nprint('second')\n7"
            )
            told = False
            async for event in sandbox.stream(code, timeout=60):
                seen.append((event.type, event.text))
                if event.type == "stdout" and not told:
                    told = True
                    await sandbox.files.write("seen", "")
            # Where a print is cut into events is the kernel's affair.
            assert "".join(text for kind, text in seen if kind == "stdout") == "first\nsecond\n"
            assert [seen[0][0], seen[-2][0], seen[-1][0]] == ["started", "result", "finished"]

    asyncio.run(main())


def test_leaving_a_stream_interrupts_its_cell_and_keeps_state() -> None:
    async def main() -> None:
        async with PythonSandbox.create() as sandbox:
            stream = sandbox.stream("marker = 1\nprint('go', flush=True)\nwhile True: pass")
            async for event in stream:
                if event.type == "stdout":
                    break
            await stream.aclose()
            execution = await sandbox.run("marker", timeout=20)
            assert await execution.output() == "1"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("make", "code"),
    [(sync.PythonSandbox, "while True: pass"), (sync.NodeSandbox, "while (true) {}")],
)
def test_timeout_interrupts_and_keeps_state(make: type[sync.BaseSandbox], code: str) -> None:
    with make.create() as sandbox:
        sandbox.run("kept = 5")
        execution = sandbox.run(code, timeout=0.5)
        assert execution.timed_out
        assert execution.has_error()
        assert not execution.state_lost
        assert sandbox.run("kept").output() == "5"


def test_memory_bomb_ends_the_interpreter_and_not_the_sandbox() -> None:
    with sync.PythonSandbox.create(memory=128) as sandbox:
        execution = sandbox.run("b = bytearray(10**9)\nfor i in range(0, len(b), 4096): b[i] = 1", timeout=60)
        assert execution.outcome == "out_of_memory"
        assert execution.state_lost
        assert sandbox.run("1 + 1").output() == "2"


def test_endless_output_is_cut_in_the_middle_and_counted() -> None:
    with sync.PythonSandbox.create() as sandbox:
        execution = sandbox.run("for i in range(900000): print('line', i)", timeout=120)
        assert execution.outcome == "ok"
        assert len(execution.stdout) < 1_200_000
        assert execution.left_out > 8_000_000
        assert execution.stdout.startswith("line 0\n")
        assert execution.stdout.endswith("line 899999\n")


def test_commands_have_streams_exit_codes_users_and_environment() -> None:
    with sync.PythonSandbox.create(env={"FROM_SANDBOX": "a"}) as sandbox:
        done = sandbox.command.run(
            "sh", ["-c", "echo $FROM_SANDBOX $OWN; id -un; pwd; cat; echo bad >&2; exit 3"],
            env={"OWN": "b"}, working_directory="/tmp", stdin="typed",
        )  # fmt: skip
        assert done.stdout == "a b\nsandbox\n/tmp\ntyped"
        assert (done.error(), done.exit_code, done.success) == ("bad", 3, False)
        assert sandbox.command.run("id", ["-u"], user="root").output() == "0"
        with pytest.raises(CommandNotFoundError):
            sandbox.command.run("no-such-program")


def test_files_are_written_and_read_as_they_are() -> None:
    content = bytes(range(256)) * 400
    with sync.PythonSandbox.create() as sandbox:
        sandbox.files.write("data/blob.bin", content)
        assert sandbox.files.read("data/blob.bin") == content
        assert sandbox.run("import os; os.path.getsize('data/blob.bin')").output() == str(len(content))
        with pytest.raises(NoSuchFileError):
            sandbox.files.read("nothing-here")


def test_stop_and_start_keep_the_disk_of_a_sandbox_that_is_not_ephemeral() -> None:
    sandbox = sync.PythonSandbox(name="keeps", ephemeral=False)
    sandbox.start()
    sandbox.run("open('kept.txt', 'w').write('still here')\nv = 1")
    sandbox.stop()
    sandbox.start()
    assert sandbox.files.read_text("kept.txt") == "still here"
    assert sandbox.run("v").has_error()
    sandbox.delete()
    sandbox.delete()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"name": "-bad"}, InvalidNameError),
        ({"name": "a" * 64}, InvalidNameError),
        ({"memory": 1}, InvalidLimitsError),
        ({"cpus": -1.0}, SandboxError),
        ({"image": "no-such-image"}, ImageNotFoundError),
    ],
    ids=str,
)
def test_impossible_wishes_get_a_clear_error(options: dict[str, Any], error: type[SandboxError]) -> None:
    with pytest.raises(error):
        sync.PythonSandbox.create(**options)


def test_live_name_is_taken() -> None:
    with sync.PythonSandbox.create(name="only-one"), pytest.raises(NameTakenError):
        sync.PythonSandbox.create(name="only-one")


def test_killed_agent_ends_the_sandbox_and_no_other() -> None:
    with sync.PythonSandbox.create() as other, sync.PythonSandbox.create() as victim:
        other.run("x = 1")
        victim.command.run("sh", ["-c", "kill -9 -1; kill -9 1"], user="root", timeout=20)
        assert other.run("x").output() == "1"


def test_threads_share_one_synchronous_sandbox() -> None:
    with sync.PythonSandbox.create() as sandbox:
        sandbox.run("total = 0")
        threads = [threading.Thread(target=sandbox.run, args=("total += 1",)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sandbox.run("total").output() == "8"


def test_many_sandboxes_at_once_are_apart() -> None:
    async def one(number: int) -> str:
        async with PythonSandbox.create() as sandbox:
            await sandbox.run(f"n = {number}")
            return await (await sandbox.run("n * n")).output()

    async def main() -> list[str]:
        return list(await asyncio.gather(*(one(number) for number in range(6))))

    assert asyncio.run(main()) == [str(number * number) for number in range(6)]


def test_stopped_sandbox_is_gone() -> None:
    sandbox = sync.PythonSandbox.create(name="gone")
    sandbox.stop()
    with pytest.raises(SandboxNotFoundError):
        sync.PythonSandbox.connect("gone")


def test_key_is_asked_for_without_development_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    server = start_server(dev=False)
    try:
        monkeypatch.setenv("MSB_SERVER_URL", server.url)
        with pytest.raises(UnauthenticatedError, match="msb key create"):
            sync.PythonSandbox.create()
        key = server.msb("key", "create", "--name", "test").stdout.strip()
        assert key.startswith("msb_")
        with sync.PythonSandbox.create(api_key=key) as sandbox:
            assert sandbox.run("1").output() == "1"
    finally:
        stop_server(server)


def test_interpreter_killed_from_inside_is_replaced() -> None:
    with sync.PythonSandbox.create() as sandbox:
        execution = sandbox.run("import os; os._exit(7)")
        assert (execution.outcome, execution.exit_code, execution.state_lost) == ("exited", 7, True)
        assert sandbox.run("1").output() == "1"
