"""How long do creations take that come all at once?"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from microsandbox import sync

from harness.server import Server
from load.counts import Watch
from load.soak import settled


@dataclass
class Burst:
    """What a run saw; times in seconds."""

    count: int
    wholes: list[float] = field(default_factory=list)
    slowest_first_cells: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For the results' file."""
        return vars(self)


def burst(count: int, rounds: int, settings: list[str]) -> Burst:
    """So many creations at the same moment, each by a client of its own; then a cell in each."""
    seen = Burst(count)
    with closing(Server(f"max-sandboxes={2 * count}", *settings)) as server, ThreadPoolExecutor(count) as pool:
        watch = Watch(server)
        for _ in range(rounds):
            settled(watch)
            sandboxes, whole = at_once(count, pool, lambda: sync.PythonSandbox.create(server_url=server.url), seen)
            seen.wholes.append(round(whole, 3))
            begin = time.perf_counter()
            list(pool.map(lambda sandbox: sandbox.run("1"), sandboxes))
            seen.slowest_first_cells.append(round(time.perf_counter() - begin, 3))
            list(pool.map(lambda sandbox: (sandbox.delete(), sandbox.close()), sandboxes))
    return seen


def at_once(
    count: int, pool: ThreadPoolExecutor, create: Callable[[], sync.PythonSandbox], seen: Burst
) -> tuple[list[sync.PythonSandbox], float]:
    """All that could be created, and how long it took until the last answer."""
    start = threading.Barrier(count + 1)

    def one() -> sync.PythonSandbox:
        start.wait()
        return create()

    waiting = [pool.submit(one) for _ in range(count)]
    start.wait()
    begin = time.perf_counter()
    sandboxes = []
    for each in waiting:
        try:
            sandboxes.append(each.result())
        except Exception as error:
            seen.failures.append(f"{type(error).__name__}: {error}")
    return sandboxes, time.perf_counter() - begin
