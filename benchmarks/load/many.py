"""What does a server need that has many sandboxes at once?"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from microsandbox import sync

from harness.memory import own, processes_of
from harness.server import Server
from load.counts import Sample, Watch, available
from load.soak import settled

CLIENTS = 8
LOOKED_AT = 20
KEPT_FREE_MB = 3000
MARKS = (1, 100, 250, 500, 750, 1000)


@dataclass
class Many:
    """What a run saw; times in seconds, memory in MB."""

    samples: list[Sample] = field(default_factory=list)
    creating: float = 0
    creations: list[float] = field(default_factory=list)
    cells: list[float] = field(default_factory=list)
    deleting: float = 0
    agent: float = 0
    interpreter: float = 0
    available_before: float = 0
    available_at_most: float = 0
    live_heap: float = 0
    left: dict[str, list[str]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For the results' file."""
        return {
            **{key: value for key, value in vars(self).items() if key not in ("samples", "creations", "cells")},
            "samples": [sample.as_json() for sample in self.samples],
            "creations": spread(self.creations),
            "cells": spread(self.cells),
        }


def spread(seconds: list[float]) -> dict[str, float]:
    """Median, worst of a hundred, and worst."""
    ordered = sorted(seconds)
    at = {"median": 0.5, "p99": 0.99, "worst": 1.0}
    return {name: round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 4) for name, share in at.items()}


def many(count: int, settings: list[str], say: Callable[[str], None] = lambda _: None) -> Many:
    """Makes so many Python sandboxes, runs a cell in each, and removes them."""
    seen = Many(available_before=available())
    with (
        closing(Server(f"max-sandboxes={count}", "pool=off", *settings)) as server,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        watch = Watch(server)

        def create(_: int) -> sync.PythonSandbox:
            if available() < KEPT_FREE_MB:
                raise RuntimeError(f"less than {KEPT_FREE_MB} MB of the machine's memory are left")
            begin = time.perf_counter()
            made = sync.PythonSandbox.create(server_url=server.url, idle_timeout=0)
            seen.creations.append(time.perf_counter() - begin)
            return made

        def cell(sandbox: sync.PythonSandbox) -> None:
            begin = time.perf_counter()
            if sandbox.run("print(6 * 7)").output() != "42":
                raise RuntimeError("a sandbox cannot multiply")
            seen.cells.append(time.perf_counter() - begin)

        def delete(sandbox: sync.PythonSandbox) -> None:
            sandbox.delete()
            sandbox.close()

        sandboxes: list[sync.PythonSandbox] = []
        for mark in [*(mark for mark in MARKS if mark < count), count]:
            begin = time.perf_counter()
            sandboxes += pool.map(create, range(mark - len(sandboxes)))
            seen.creating += time.perf_counter() - begin
            seen.samples.append(watch.sample(len(sandboxes)))
            say(f"{len(sandboxes)} sandboxes: {seen.samples[-1]}")
        list(pool.map(cell, sandboxes))
        seen.available_at_most = available()
        seen.samples.append(watch.sample(len(sandboxes)))
        say(f"after a cell in each: {seen.samples[-1]}")
        memory_of_each(seen, sandboxes[:LOOKED_AT])
        seen.live_heap = watch.live_heap()
        begin = time.perf_counter()
        list(pool.map(delete, sandboxes))
        seen.deleting = time.perf_counter() - begin
        settled(watch)
        seen.samples.append(watch.sample(0, rest=True))
        seen.left = watch.left_over()
    return seen


def memory_of_each(seen: Many, sandboxes: list[sync.PythonSandbox]) -> None:
    """What a sandbox's processes have for themselves."""
    agents, interpreters = [], []
    for sandbox in sandboxes:
        programs = processes_of(sandbox.info()["id"])
        agents.append(sum(own(pid) for pid, name in programs.items() if not name.startswith("python")))
        interpreters.append(sum(own(pid) for pid, name in programs.items() if name.startswith("python")))
    seen.agent = round(statistics.median(agents), 2)
    seen.interpreter = round(statistics.median(interpreters), 2)
