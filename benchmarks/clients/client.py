"""Answers the benchmark's questions with the Python client: `python client.py`, or `python client.py async`.

All clients here talk alike, by lines. `cell N` runs a cell N times in a sandbox that is kept, `create N` makes a
sandbox N times and runs its first cell; each answers with the milliseconds that every one took, measured in the
client's own process. The end of the input is the end.
"""

from __future__ import annotations

import asyncio
import sys
import time

import microsandbox
from microsandbox import sync

CELL, RESULT = "6 * 7", "42"


def synchronous() -> None:
    """By `microsandbox.sync`."""
    with sync.PythonSandbox.create() as kept:
        for line in sys.stdin:
            question, count = line.split()
            taken = []
            for _ in range(int(count)):
                begin = time.perf_counter()
                sandbox = kept if question == "cell" else sync.PythonSandbox.create()
                execution = sandbox.run(CELL)
                taken.append((time.perf_counter() - begin) * 1000)
                assert execution.output() == RESULT
                if sandbox is not kept:
                    sandbox.stop()
            print(*taken, flush=True)


async def asynchronous() -> None:
    """By `microsandbox`."""
    async with microsandbox.PythonSandbox.create() as kept:
        while line := sys.stdin.readline():
            question, count = line.split()
            taken = []
            for _ in range(int(count)):
                begin = time.perf_counter()
                sandbox = kept if question == "cell" else await microsandbox.PythonSandbox.create()
                execution = await sandbox.run(CELL)
                taken.append((time.perf_counter() - begin) * 1000)
                assert await execution.output() == RESULT
                if sandbox is not kept:
                    await sandbox.stop()
            print(*taken, flush=True)


if sys.argv[1:] == ["async"]:
    asyncio.run(asynchronous())
else:
    synchronous()
