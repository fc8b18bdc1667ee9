"""The client that the original system published on PyPI, unchanged, against our server.

Each test is a small program of its own, run by an interpreter that has that package and not ours.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import Server, start_server, stop_server

CLIENT = "microsandbox==0.1.8"
FRAME = """\
import asyncio
from microsandbox import NodeSandbox, PythonSandbox

async def main():
{body}

asyncio.run(main())
"""
Run = Callable[..., list[str]]


def stop_with_all(server: Server) -> None:
    """Ends a server whose sandboxes stay when they are stopped, as those do that an old client gave a name."""
    for sandbox in json.loads(server.msb("ps", "--json").stdout):
        server.msb("rm", sandbox["id"])
    stop_server(server)


@pytest.fixture(scope="module")
def open_server() -> Iterator[Server]:
    """A server in development mode."""
    running = start_server()
    yield running
    stop_with_all(running)


@pytest.fixture(scope="module")
def keyed_server() -> Iterator[Server]:
    """A server that wants a key."""
    running = start_server(dev=False)
    yield running
    stop_with_all(running)


@pytest.fixture(scope="module")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has the old client alone."""
    folder = tmp_path_factory.mktemp("old")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=180)
    python = folder / "bin/python"
    install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", CLIENT]
    done = subprocess.run(install, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        pytest.skip(f"PyPI cannot be reached from this machine: {done.stderr[-300:]}")
    return python


@pytest.fixture
def run(interpreter: Path, open_server: Server, tmp_path: Path) -> Run:
    """Runs the body of a program, where sandboxes are at hand, and gives the lines that it prints."""

    def program(body: str, url: str = open_server.url, key: str | None = None) -> list[str]:
        done = subprocess.run(
            [interpreter, "-c", FRAME.format(body=textwrap.indent(textwrap.dedent(body), "    "))],
            env={"MSB_SERVER_URL": url, "PATH": os.environ["PATH"], **({"MSB_API_KEY": key} if key else {})},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return program


def test_old_client_is_the_published_one(interpreter: Path) -> None:
    ask = "import importlib.metadata as m, microsandbox; print(m.version('microsandbox'), microsandbox.__file__)"
    said = subprocess.run([interpreter, "-c", ask], capture_output=True, text=True, check=True).stdout.split()
    assert said[0] == "0.1.8"
    assert said[1].startswith(str(interpreter.parents[1]))


def test_old_client_starts(run: Run) -> None:
    body = """
        import aiohttp
        sandbox = PythonSandbox(name="old-start")
        sandbox._session = aiohttp.ClientSession()
        await sandbox.start(memory=256, cpus=1.0)
        await sandbox.start()
        print(await sandbox.metrics.is_running(), (await sandbox.metrics.all())["name"])
        await sandbox.stop()
        await sandbox._session.close()
    """
    assert run(body) == ["True old-start"]


def test_old_client_runs_cells_that_keep_their_state(run: Run) -> None:
    body = """
        async with PythonSandbox.create(name="old-state") as sandbox:
            await sandbox.run("name = 'Python'")
            execution = await sandbox.run("print(f'Hello from {name}!')")
            print(await execution.output(), execution.has_error(), execution.status, execution.language)
    """
    assert run(body) == ["Hello from Python! False success python"]


def test_old_client_gives_output_without_errors_and_errors_apart(run: Run) -> None:
    body = """
        async with PythonSandbox.create() as sandbox:
            execution = await sandbox.run("import sys\\nprint('one\\\\n\\\\ntwo')\\nprint('aside', file=sys.stderr)\\n3 * 4")
            print(repr(await execution.output()), repr(await execution.error()), execution.has_error())
    """
    assert run(body) == [r"'one\n\ntwo\n12' 'aside' True"]


def test_old_client_learns_of_exceptions(run: Run) -> None:
    body = """
        async with PythonSandbox.create() as sandbox:
            failed = await sandbox.run("undefined_name")
            print(failed.has_error(), failed.status, (await failed.error()).splitlines()[-1])
            print(await (await sandbox.run("print('goes on')")).output())
    """
    assert run(body) == ["True error NameError: name 'undefined_name' is not defined", "goes on"]


def test_old_client_runs_commands(run: Run) -> None:
    body = """
        async with PythonSandbox.create() as sandbox:
            command = await sandbox.command.run("sh", ["-c", "echo out; echo err >&2; exit 3"], timeout=60)
            print(await command.output(), await command.error(), command.exit_code, command.success, command.command, command.args[0])
            print((await sandbox.command.run("true")).success)
            try:
                await sandbox.command.run("no-such-program")
            except RuntimeError as error:
                print(str(error).startswith("Failed to execute command: "), "no-such-program" in str(error))
    """
    assert run(body) == ["out err 3 False sh -c", "True", "True True"]


def test_old_client_reads_metrics(run: Run) -> None:
    body = """
        async with PythonSandbox.create(name="old-metrics") as sandbox:
            metrics = sandbox.metrics
            everything = await metrics.all()
            print(everything["name"], everything["namespace"], everything["running"], await metrics.is_running())
            print(type(await metrics.cpu()).__name__, await metrics.memory() > 0, await metrics.disk() > 0)
    """
    assert run(body) == ["old-metrics default True True", "float True True"]


def test_old_client_stops(run: Run) -> None:
    body = """
        import aiohttp
        async with PythonSandbox.create(name="old-stop") as sandbox:
            await sandbox.stop()
            await sandbox.stop()
            try:
                await sandbox.run("1")
            except RuntimeError as error:
                print(error)
        async with PythonSandbox.create(name="old-stop") as again:
            print(await (await again.run("'name' in globals()")).output())
    """
    assert run(body) == ["Sandbox is not started. Call start() first.", "False"]


def test_old_client_runs_node(run: Run) -> None:
    body = """
        async with NodeSandbox.create(name="old-node") as sandbox:
            await sandbox.run("const name = 'Node.js'")
            execution = await sandbox.run("console.log(`Hello from ${name}!`)")
            print(await execution.output(), execution.has_error(), execution.language)
            failed = await sandbox.run("undefinedName")
            print(failed.has_error(), "undefinedName is not defined" in await failed.error())
    """
    assert run(body) == ["Hello from Node.js! False nodejs", "True True"]


def test_old_client_keeps_namespaces_apart(run: Run) -> None:
    body = """
        async with PythonSandbox.create(name="same", namespace="one") as one:
            async with PythonSandbox.create(name="same", namespace="two") as two:
                await one.run("where = 'one'")
                await two.run("where = 'two'")
                print(await (await one.run("where")).output(), await (await two.run("where")).output())
                print((await one.metrics.all())["namespace"], (await two.metrics.all())["namespace"])
    """
    assert run(body) == ["'one' 'two'", "one two"]


def test_old_client_needs_no_key_in_development_mode(run: Run) -> None:
    body = """
        async with PythonSandbox.create(api_key="msb_anything") as sandbox:
            print(await (await sandbox.run("print('no key asked for')")).output())
    """
    assert run(body) == ["no key asked for"]


def test_old_client_brings_its_key(run: Run, keyed_server: Server) -> None:
    body = """
        async with PythonSandbox.create() as sandbox:
            print(await (await sandbox.run("print('let in')")).output(), (await sandbox.command.run("true")).success)
            print(await sandbox.metrics.is_running())
    """
    key = keyed_server.msb("key", "create", "--name", "old").stdout.strip()
    assert run(body, keyed_server.url, key) == ["let in True", "True"]


@pytest.mark.parametrize("key", [None, "msb_wrong"])
def test_old_client_is_refused_without_a_good_key(run: Run, keyed_server: Server, key: str | None) -> None:
    body = """
        try:
            async with PythonSandbox.create() as sandbox:
                print("let in")
        except RuntimeError as error:
            print(str(error).startswith("Failed to start sandbox: "), '"code":10' in str(error))
    """
    assert run(body, keyed_server.url, key) == ["True True"]


@pytest.mark.parametrize("language", ["python", "Python"])
def test_aliases_where_other_old_clients_look(open_server: Server, language: str) -> None:
    """Paths that later clients used instead of `/api/v1/rpc`, with no id and no namespace, as they sent it."""

    def call(path: str, method: str, **params: Any) -> Any:
        body = {"jsonrpc": "2.0", "method": method, "params": {"sandbox": "old-alias", **params}}
        request = urllib.request.Request(f"{open_server.url}/api/v1/{path}", json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=180) as response:
            return json.load(response)["result"]

    started = call("sandbox/start", "sandbox.start", config={"image": "microsandbox/python", "memory": 256})
    assert started == "Sandbox old-alias started successfully"
    ran = call("rpc", "sandbox.repl.run", language=language, code="print('by the alias')")
    assert ran["output"] == [{"stream": "stdout", "text": "by the alias"}]
    done = call("sandbox/command/run", "sandbox.command.run", command="sh", args=["-c", "echo done"])
    assert (done["exit_code"], done["output"]) == (0, [{"stream": "stdout", "text": "done"}])
    assert call("sandbox/stop", "sandbox.stop") == "Sandbox old-alias stopped successfully"


@pytest.mark.parametrize("language", ["node", "nodejs", "javascript"])
def test_names_that_old_clients_have_for_javascript(run: Run, language: str) -> None:
    body = f"""
        async with NodeSandbox.create() as sandbox:
            async with sandbox._session.post(sandbox._server_url + "/api/v1/rpc", json={{
                "jsonrpc": "2.0", "id": 1, "method": "sandbox.repl.run",
                "params": {{"sandbox": sandbox._name, "namespace": "default", "language": "{language}", "code": "6 * 7"}},
            }}) as response:
                answer = (await response.json())["result"]
                print(answer["status"], answer["language"], answer["output"][0]["text"])
    """
    assert run(body) == [f"success {language} 42"]
