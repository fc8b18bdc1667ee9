"""What the two twins send and read, against a small server that remembers."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import microsandbox
from microsandbox import PythonSandbox, SandboxError, Server, _types, sync
from microsandbox.errors import (
    InternalError,
    InvalidRequestError,
    SandboxNotRunningError,
    ServerUnreachableError,
    TooManyCellsError,
)

from .recorder import Recorder, recorder

SCHEMAS = yaml.safe_load((Path(__file__).resolve().parents[3] / "spec/openapi.yaml").read_text("utf-8"))["components"][
    "schemas"
]
ID = "/v1/sandboxes/sb0123456789abcdef"


@pytest.fixture
def seen() -> Iterator[Recorder]:
    with recorder() as found:
        yield found


@pytest.fixture
def sandbox(seen: Recorder) -> Iterator[sync.PythonSandbox]:
    with sync.PythonSandbox.create(seen.url, name="x") as created:
        yield created


@pytest.fixture
def found(seen: Recorder) -> Iterator[sync.PythonSandbox]:
    with sync.PythonSandbox.connect("x", server_url=seen.url, namespace="team") as connected:
        yield connected


def test_creation_says_what_was_wished_and_nothing_else(seen: Recorder) -> None:
    with sync.PythonSandbox.create(
        seen.url, name="x", memory=128, time_to_live=60, isolation="gvisor", env={"aB": "c"}
    ):
        assert seen.last.json == {
            "name": "x", "namespace": "default", "image": "microsandbox/python", "isolation": "gvisor", "memory": 128,
            "env": {"aB": "c"}, "time_to_live": 60, "ephemeral": True,
        }  # fmt: skip


def test_a_cell_goes_to_its_language_or_to_a_context_and_never_to_both(seen: Recorder, sandbox: Any) -> None:
    sandbox.run("1")
    assert seen.last.json == {"language": "python", "code": "1"}
    sandbox.run("1", timeout=5, context="second", keep_running=True, output_limit=9)
    assert seen.last.json == {"context": "second", "code": "1", "timeout": 5, "keep_running": True, "output_limit": 9}


def test_events_have_text_bytes_offsets_and_the_runs_id(seen: Recorder, sandbox: Any) -> None:
    events = list(sandbox.stream("1", encoding="base64"))
    assert seen.last.line == "POST /v1/sandboxes/x/runs?encoding=base64"
    assert [event.type for event in events] == ["started", "stdout", "stderr", "finished"]
    assert [event.run_id for event in events] == ["r1", None, None, None]
    assert [event.offset for event in events] == [None, 2, 4, None]
    assert [event.text for event in events] == ["", "a\n", "", ""]
    assert [event.content for event in events] == [b"", b"a\n", b"\xff\n", b""]


def test_runs_are_followed_and_stopped_by_their_id(seen: Recorder, sandbox: Any) -> None:
    assert [event.type for event in sandbox.attach("r/1", 7)][-1] == "finished"
    assert seen.last.line == "GET /v1/sandboxes/x/runs/r%2F1?offset=7"
    assert seen.last.accept == "text/event-stream"
    sandbox.interrupt("r1")
    assert seen.last.line == "POST /v1/sandboxes/x/runs/r1/interrupt"
    sandbox.command.signal("r1", 15, group=False)
    assert (seen.last.line, seen.last.json) == (
        "POST /v1/sandboxes/x/commands/r1/signal",
        {"signal": 15, "group": False},
    )


def test_commands_have_their_options(seen: Recorder, sandbox: Any) -> None:
    done = sandbox.command.run(
        "cat", ["-"], 0, env={"A": "b"}, working_directory="/tmp", user="root", stdin=b"\xff", keep_running=True,
        output_limit=5,
    )  # fmt: skip
    assert seen.last.json == {
        "argv": ["cat", "-"], "timeout": 0, "env": {"A": "b"}, "working_directory": "/tmp", "user": "root",
        "stdin_base64": "/w==", "keep_running": True, "output_limit": 5,
    }  # fmt: skip
    assert (done.run_id, done.left_out, done.duration, done.timed_out, done.signal) == ("r1", 0, 0.0, False, None)
    list(sandbox.command.stream("cat", stdin="text", encoding="base64"))
    assert seen.last.line == "POST /v1/sandboxes/x/commands?encoding=base64"
    assert seen.last.json == {"argv": ["cat"], "stdin": "text"}


def test_files_have_their_options(seen: Recorder, sandbox: Any) -> None:
    sandbox.files.write("a b/ü", "é", user="root", mode=0o600, make_directories=False)
    assert seen.last.line == ("PUT /v1/sandboxes/x/files?path=a+b%2F%C3%BC&user=root&mode=0600&make_directories=false")
    assert seen.last.body == "é".encode()
    sandbox.files.read("a", user="root")
    assert seen.last.line == "GET /v1/sandboxes/x/files?path=a&user=root"


def test_contexts_are_opened_used_listed_and_closed(seen: Recorder, sandbox: Any) -> None:
    with sandbox.contexts.open(id="second", env={"A": "b"}, working_directory="/tmp", user="root") as context:
        assert seen.last.json == {
            "language": "python", "id": "second", "env": {"A": "b"}, "working_directory": "/tmp", "user": "root",
        }  # fmt: skip
        assert (context.id, context.language, context.ready) == ("second", "python", True)
        assert context.interpreter_version == "3.13"
        assert context.run("1").language == "python"
        assert seen.last.json == {"context": "second", "code": "1"}
        assert len(list(context.stream("1"))) == 4
        assert [each.id for each in sandbox.contexts.list()] == ["second"]
    assert seen.last.line == "DELETE /v1/sandboxes/x/contexts/second"
    sandbox.contexts.open("node")
    assert seen.last.json == {"language": "node"}
    sandbox.contexts.close("a/b")
    assert seen.last.line == "DELETE /v1/sandboxes/x/contexts/a%2Fb"


def test_what_was_found_is_named_by_its_id_from_then_on(seen: Recorder, found: Any) -> None:
    assert seen.last.line == "GET /v1/sandboxes/x?namespace=team"
    assert (found.name, found.namespace, found.is_started) == ("x", "team", True)
    found.extend(time_to_live=60, idle_timeout=0)
    assert (seen.last.line, seen.last.json) == (f"PATCH {ID}", {"time_to_live": 60, "idle_timeout": 0})
    assert found.logs(after=7, limit=1)[0]["sequence"] == 8
    assert seen.last.line == f"GET {ID}/logs?after=7&limit=1"
    found.close()
    found.run("1")
    assert seen.last.line == f"POST {ID}/runs"


def test_block_of_one_that_was_found_leaves_it_as_it_is(seen: Recorder) -> None:
    with sync.PythonSandbox.connect("x", server_url=seen.url) as found:
        found.info()
    assert {asked.method for asked in seen.asked} == {"GET"}


def test_stopped_one_that_was_found_is_known_and_can_be_started(seen: Recorder) -> None:
    seen.answers["/v1/sandboxes/x"] = (
        b'{"id": "sb1", "name": "x", "namespace": "n", "state": "stopped", "ephemeral": false}'
    )
    with sync.PythonSandbox.connect("x", server_url=seen.url) as found:
        found.info()
        found.metrics.all()
        with pytest.raises(SandboxNotRunningError):
            found.run("1")
        found.start()
        assert seen.last.line == "POST /v1/sandboxes/sb1/start"
        found.run("1")
        found.stop()
        assert seen.last.line == "POST /v1/sandboxes/sb1/stop"


def test_server_lists_what_it_has(seen: Recorder) -> None:
    with sync.Server(seen.url) as server:
        assert server.sandboxes()[0]["name"] == "x"
        assert seen.last.line == "GET /v1/sandboxes"
        server.sandboxes(namespace="team", labels={"a": "b=c", "d": "é"})
        assert seen.last.line == "GET /v1/sandboxes?namespace=team&label=a%3Db%3Dc&label=d%3D%C3%A9"
        assert server.images()[0]["name"] == "microsandbox/python"
        assert server.info()["version"] == "0.1.0"


def test_asynchronous_twin_sends_the_same(seen: Recorder) -> None:
    async def main() -> None:
        async with PythonSandbox.create(seen.url, name="x") as sandbox:
            async with await sandbox.contexts.open() as context:
                await context.run("1")
                assert [event.offset async for event in context.stream("1")] == [None, 2, 4, None]
            assert [each.id for each in await sandbox.contexts.list()] == ["second"]
            assert len([event async for event in sandbox.attach("r1")]) == 4
            assert len([event async for event in sandbox.stream("1")]) == 4
            assert len([event async for event in sandbox.command.stream("true")]) == 4
            await sandbox.interrupt("r1")
            await sandbox.command.signal("r1", 2)
            await sandbox.extend()
            await sandbox.files.write("a", b"b", mode=0o755)
            assert (await sandbox.logs())[0]["text"] == "m"
        async with PythonSandbox.connect("x", server_url=seen.url) as found:
            assert found.is_started
        alone = await PythonSandbox.connect("x", server_url=seen.url)
        await alone.close()
        async with Server(seen.url) as server:
            await server.sandboxes(labels={"a": "b"})
            await server.images()
            await server.info()

    asyncio.run(main())
    assert [asked.line for asked in seen.asked] == [
        "POST /v1/sandboxes",
        "POST /v1/sandboxes/x/contexts",
        "POST /v1/sandboxes/x/runs",
        "POST /v1/sandboxes/x/runs",
        "DELETE /v1/sandboxes/x/contexts/second",
        "GET /v1/sandboxes/x/contexts",
        "GET /v1/sandboxes/x/runs/r1?offset=0",
        "POST /v1/sandboxes/x/runs",
        "POST /v1/sandboxes/x/commands",
        "POST /v1/sandboxes/x/runs/r1/interrupt",
        "POST /v1/sandboxes/x/commands/r1/signal",
        "PATCH /v1/sandboxes/x",
        "PUT /v1/sandboxes/x/files?path=a&mode=0755",
        "GET /v1/sandboxes/x/logs?after=0",
        "POST /v1/sandboxes/x/stop",
        "GET /v1/sandboxes/x",
        "GET /v1/sandboxes/x",
        "GET /v1/sandboxes?label=a%3Db",
        "GET /v1/images",
        "GET /v1/info",
    ]


async def stream_asynchronously(sandbox: PythonSandbox) -> None:
    try:
        async for _ in sandbox.stream("1"):
            pass
    finally:
        await sandbox.close()


async def run_asynchronously(sandbox: PythonSandbox) -> None:
    try:
        await sandbox.run("1")
    finally:
        await sandbox.close()


def attempts(seen: Recorder) -> list[Callable[[], object]]:
    """A run and a stream in both twins, of sandboxes that are started."""
    ours = sync.PythonSandbox.create(seen.url, name="x")
    theirs = PythonSandbox(seen.url, name="x")
    asyncio.run(start_asynchronously(theirs))
    return [
        lambda: ours.run("1"),
        lambda: asyncio.run(run_asynchronously(theirs)),
        lambda: list(ours.stream("1")),
        lambda: asyncio.run(stream_asynchronously(theirs)),
    ]


async def start_asynchronously(sandbox: PythonSandbox) -> None:
    await sandbox.start()
    await sandbox.close()


@pytest.mark.parametrize("body", [b"<html>", b"data: <html>\n\n", b"data: 1\n\n"], ids=str)
def test_answer_that_is_no_json_is_an_error_of_ours(seen: Recorder, body: bytes) -> None:
    seen.answers["/v1/sandboxes/x/runs"] = body
    wrong = attempts(seen)
    for attempt in wrong[2:] if body.startswith(b"data") else wrong[:2]:
        with pytest.raises(InternalError, match=r"not JSON|no object"):
            attempt()


def test_answer_that_is_cut_off_is_an_error_of_ours(seen: Recorder) -> None:
    for attempt in attempts(seen):
        seen.cut, seen.answers["/v1/sandboxes/x/runs"] = True, b"{}"
        with pytest.raises(ServerUnreachableError):
            attempt()


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'event: failed\ndata: {"error":{"code":"too_many_cells","message":"m","details":{}}}\n\n', TooManyCellsError),
        (b'event: started\ndata: {"id":"x"}\n\n', ServerUnreachableError),
    ],
    ids=["failed", "cut short"],
)
def test_stream_that_does_not_end_with_its_run_is_an_error(
    seen: Recorder, sandbox: Any, body: bytes, error: type[SandboxError]
) -> None:
    seen.answers["/v1/sandboxes/x/runs"] = body
    with pytest.raises(error):
        list(sandbox.stream("1"))


def test_limits_that_are_no_numbers_are_refused_before_they_are_sent(seen: Recorder, sandbox: Any) -> None:
    before = len(seen.asked)
    for timeout in (float("nan"), float("inf")):
        with pytest.raises(InvalidRequestError):
            sandbox.run("1", timeout=timeout)
    assert len(seen.asked) == before


def test_stop_that_did_not_reach_the_server_may_be_tried_again(seen: Recorder) -> None:
    sandbox = sync.PythonSandbox.create(seen.url, name="x")
    seen.cut = True
    with pytest.raises(ServerUnreachableError):
        sandbox.stop()
    seen.cut = False
    assert sandbox.is_started
    sandbox.stop()
    sandbox.stop()
    assert [asked.line for asked in seen.asked][1:] == ["POST /v1/sandboxes/x/stop"] * 2


CLASSES = ["Command", "Context", "Contexts", "Files", "Metrics", "NodeSandbox", "PythonSandbox", "Server"]


@pytest.mark.parametrize("name", CLASSES)
def test_twins_have_the_same_names_and_parameters(name: str) -> None:
    def surface(kind: type) -> dict[str, Any]:
        members = inspect.getmembers(kind, lambda member: inspect.isfunction(member) or inspect.ismethod(member))
        return {
            key: [(each.name, each.default) for each in inspect.signature(member).parameters.values()]
            for key, member in members
            if not key.startswith("_")
        }

    assert surface(getattr(microsandbox, name)) == surface(getattr(sync, name))


@pytest.mark.parametrize(
    ("schema", "method", "elsewhere"),
    [
        ("CreateSandbox", PythonSandbox.create, set()),
        ("ExtendSandbox", PythonSandbox.extend, set()),
        ("RunCell", PythonSandbox.run, {"language"}),
        ("RunCommand", microsandbox.Command.run, {"argv", "stdin_base64"}),
        ("Signal", microsandbox.Command.signal, set()),
        ("OpenContext", microsandbox.Contexts.open, set()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_wish_that_the_server_knows_is_an_option(schema: str, method: Any, elsewhere: set[str]) -> None:
    assert set(SCHEMAS[schema]["properties"]) - elsewhere <= set(inspect.signature(method).parameters)


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ("Sandbox", _types.SandboxInfo),
        ("LogEntry", _types.LogEntry),
        ("Metrics", _types.MetricsData),
        ("Image", _types.ImageInfo),
        ("Info", _types.ServerInfo),
    ],
    ids=["Sandbox", "LogEntry", "Metrics", "Image", "Info"],
)
def test_types_have_the_fields_that_the_server_gives(schema: str, kind: type) -> None:
    assert list(kind.__annotations__) == list(SCHEMAS[schema]["properties"])
