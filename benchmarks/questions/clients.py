"""How far apart are the clients?"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

from harness.figure import OURS, Figure
from harness.lab import Lab
from harness.server import ROOT

HERE = ROOT / "benchmarks/clients"
# `msb` has written down which JDK is new enough.
JAVA = f"{(ROOT / '.cache/jdk').read_text().strip()}/bin/java" if (ROOT / ".cache/jdk").exists() else "java"
PROGRAMS = {
    OURS: [sys.executable, f"{HERE}/client.py"],
    "Python, asynchronous": [sys.executable, f"{HERE}/client.py", "async"],
    "JavaScript": ["node", f"{HERE}/client.mjs"],
    "Java": [JAVA, "-cp", f"{ROOT}/java/app/target/lib/*", f"{HERE}/Client.java"],
    "Rust": [f"{HERE}/rust/target/release/benchmark-client"],
}


class Client:
    """A program with one of the clients, which measures itself when it is asked; all keep still while another is."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, question: str, count: int) -> list[float]:
        """Milliseconds of each of so many."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{question} {count}\n")
        self._process.stdin.flush()
        taken = [float(text) for text in self._process.stdout.readline().split()]
        if len(taken) != count:
            raise RuntimeError(f"this client did not answer: {self._process.args}")
        return taken

    def close(self) -> None:
        """Ends it, and with it the sandbox that it kept."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            code = self._process.wait(60)
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
        if code != 0:
            raise RuntimeError(f"this client failed with {code}: {self._process.args}")


def measure(lab: Lab) -> Iterator[Figure]:
    """Beside one another, in turn; every client runs as a program of its own and measures itself."""
    assert lab.server.url == os.environ["MSB_SERVER_URL"]
    with ExitStack() as stack:
        clients = {}
        for side, command in PROGRAMS.items():
            clients[side] = Client(command)
            stack.callback(clients[side].close)

        def probes(question: str, count: int) -> dict[str, Callable[[], list[float]]]:
            return {side: lambda client=client: client.ask(question, count) for side, client in clients.items()}

        cell = Figure("clients.cell", "cell round trip, all clients beside the synchronous Python one", "ms")
        yield lab.effort.interleave(cell, 60, probes("cell", lab.effort.count(20)), warm_up=25)
        create = Figure("clients.create", "create to the first cell's result, the same", "ms")
        yield lab.effort.interleave(create, 40, probes("create", 1), warm_up=5)
