"""How long until a started server answers?"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from harness.figure import OURS, Figure
from harness.lab import Lab
from harness.server import Server

JVM = "the JVM alone (`-version`)"
HEALTH = b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
LIMIT_SECONDS = 60


def measure(lab: Lab) -> Iterator[Figure]:
    """The command line is the one that `msb server start` has used, so no option is written down twice."""
    server = Server()
    command = server.command_line()
    server.stop()
    try:
        figure = Figure("server.ready", "a server's start, to its first answer", "ms")
        yield lab.effort.interleave(figure, 15, {OURS: lambda: started(server, command), JVM: lambda: jvm(command)})
    finally:
        server.remove()


def started(server: Server, command: Sequence[str]) -> float:
    """Milliseconds from the process's start to an answer."""
    begin = time.perf_counter()
    process = subprocess.Popen(
        command, env=server.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )
    try:
        while not answers(server.socket):
            if process.poll() is not None or time.perf_counter() - begin > LIMIT_SECONDS:
                raise RuntimeError(f"the server does not answer; it ended with {process.poll()}")
            time.sleep(0.001)
        return (time.perf_counter() - begin) * 1000
    finally:
        process.terminate()
        process.wait()


def answers(path: Path) -> bool:
    """Whether a server on the socket says that it is well."""
    with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        connection.sendall(HEALTH)
        return connection.recv(65536).startswith(b"HTTP/1.1 200")
    return False


def jvm(command: Sequence[str]) -> float:
    """Milliseconds of a JVM that starts with the same options and does nothing."""
    options = list(command[: command.index("-cp")])
    begin = time.perf_counter()
    subprocess.run([*options, "-version"], check=True, capture_output=True, env=os.environ)
    return (time.perf_counter() - begin) * 1000
