"""How long from nothing to the first cell's result, without a pool?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

from microsandbox import sync

from harness.figure import OURS, Figure, clock
from harness.lab import Lab
from harness.server import Server


def measure(lab: Lab) -> Iterator[Figure]:
    """Beside each runtime alone, which starts the same interpreter from the same image."""
    with closing(Server("pool=off")) as server:

        def ours() -> float:
            begin = time.perf_counter()
            with sync.PythonSandbox.create(server.url) as sandbox:
                assert sandbox.run("print(1)").output() == "1"
                return (time.perf_counter() - begin) * 1000

        figure = Figure("create.python", "create without a pool, to the first cell's result", "ms")
        probes = {OURS: ours, **{name: clock(run) for name, run in lab.containers.items()}}
        yield lab.effort.interleave(figure, 60, probes)
