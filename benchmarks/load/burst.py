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
from load.counts import Watch, processes

READY_SECONDS = 300
# For interpreters that have just begun.
SETTLE_SECONDS = 3
# Pools are kept of the Python and of the Node image.
DEFAULT_IMAGES = 2


@dataclass
class Burst:
    """What a run saw; times in seconds."""

    count: int
    pooled: int
    wholes: list[float] = field(default_factory=list)
    slowest_first_cells: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For the results' file."""
        return vars(self)


def burst(count: int, rounds: int, pooled: int) -> Burst:
    """So many creations at the same moment, each by a client of its own; then a cell in each.

    With `pooled` above zero each round begins when so many sandboxes are ready.
    """
    seen = Burst(count, pooled)
    with closing(Server(*settings(count, pooled))) as server, ThreadPoolExecutor(count) as pool:
        watch = Watch(server)
        for _ in range(rounds):
            ready(watch, pooled)
            sandboxes, whole = at_once(count, pool, lambda: sync.PythonSandbox.create(server_url=server.url), seen)
            seen.wholes.append(round(whole, 3))
            begin = time.perf_counter()
            list(pool.map(lambda sandbox: sandbox.run("1"), sandboxes))
            seen.slowest_first_cells.append(round(time.perf_counter() - begin, 3))
            list(pool.map(lambda sandbox: (sandbox.delete(), sandbox.close()), sandboxes))
    return seen


def settings(count: int, pooled: int) -> list[str]:
    """Of the server."""
    room = f"max-sandboxes={2 * (count + pooled)}"
    if pooled == 0:
        return [room, "pool=off"]
    return [room, f"pool-min={pooled}", f"pool-max={pooled}", f"pool-total={4 * pooled}", "pool-rate=1000"]


def ready(watch: Watch, pooled: int) -> None:
    """Waits until nothing of the last round is left, or so many sandboxes are ready of each default image.

    Each has two processes: the agent, and the interpreter, which begins as soon as the agent does.
    """
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        there = len(processes(watch.cgroups()))
        if (pooled == 0 and not watch.left_over()) or (pooled > 0 and there == 2 * DEFAULT_IMAGES * pooled):
            time.sleep(SETTLE_SECONDS)
            return
        time.sleep(0.2)
    raise RuntimeError(f"{pooled} sandboxes were not ready within {READY_SECONDS} seconds")


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
