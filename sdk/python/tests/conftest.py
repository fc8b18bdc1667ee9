"""A real server for the tests that need one: a home of its own, a free port, development mode.

It is started by the `msb` of this checkout, and must leave nothing behind.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
IMAGES = Path(os.environ.get("MICROSANDBOX_HOME", "/var/lib/microsandbox")) / "images"


@dataclass(frozen=True)
class Server:
    """A running server of the tests'."""

    url: str
    socket: Path
    home: Path

    def msb(self, *arguments: str, check: bool = True, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Runs `msb` against it."""
        environment = {**os.environ, "MSB_SERVER_URL": f"unix:{self.socket}", "MICROSANDBOX_HOME": str(self.home)}
        return subprocess.run(
            [str(ROOT / "msb"), *arguments],
            env=environment,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            check=check,
            timeout=180,
        )


def free_port() -> int:
    """A TCP port that nothing listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def start_server(*settings: str, dev: bool = True) -> Server:
    """Starts a server in a home of its own that shares the machine's images."""
    home = Path(tempfile.mkdtemp(prefix="msb-", dir="/tmp"))
    (home / "images").symlink_to(IMAGES)
    options = [f"--set={setting}" for setting in (f"socket={home}/msb.sock", *settings)] + (["--dev"] if dev else [])
    for _ in range(5):
        port = free_port()
        server = Server(f"http://127.0.0.1:{port}", home / "msb.sock", home)
        started = server.msb("server", "start", "--port", str(port), *options, check=False)
        # Another program may have taken the port since it was found free.
        if "another program listens" not in started.stderr:
            break
    assert started.returncode == 0, started.stderr
    return server


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Waits for something that comes about by itself."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, f"never came about: {what}"
        time.sleep(0.05)


def stop_server(server: Server) -> None:
    """Ends it with all its sandboxes and removes its home."""
    server.msb("server", "stop")
    left = list((server.home / "sandboxes").glob("*"))
    shutil.rmtree(server.home)
    assert left == [], "a stopped server left sandboxes of the ephemeral kind"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server for all tests that only need one."""
    running = start_server()
    yield running
    stop_server(running)


@pytest.fixture
def here(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The same, named by the environment as users name theirs."""
    monkeypatch.setenv("MSB_SERVER_URL", server.url)
    monkeypatch.delenv("MSB_API_KEY", raising=False)
    return server
