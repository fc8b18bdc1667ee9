"""How long does a create take where a sandbox stands ready, and how long until its first cell's result?"""

from __future__ import annotations

import time
from collections.abc import Iterator

from microsandbox import sync

from harness.figure import OURS, Figure, clock
from harness.lab import Lab

CLAIMING = "microsandbox_pool_claims_seconds_sum"


def measure(lab: Lab) -> Iterator[Figure]:
    """Beside each runtime alone, which starts the same interpreter from the same image."""
    claim = Figure("claim.create", "create where a sandbox stands ready: the SDK's call alone", "ms")
    inside = Figure("claim.server", "the same: the engine's part, by the server's own clock", "ms")
    server = lab.server
    server.settle()

    def renewed() -> float:
        begin = time.perf_counter()
        with sync.PythonSandbox.create(env={"PYTHONHASHSEED": "1"}) as sandbox:
            assert sandbox.run("print(1)").output() == "1"
            finished = time.perf_counter()
        server.settle()
        return (finished - begin) * 1000

    def ours() -> float:
        before = server.metric(CLAIMING)
        begin = time.perf_counter()
        with sync.PythonSandbox.create() as sandbox:
            created = time.perf_counter()
            assert sandbox.run("print(1)").output() == "1"
            finished = time.perf_counter()
        server.settle()
        claim.add(OURS, (created - begin) * 1000)
        if claiming := server.metric(CLAIMING) - before:
            inside.add(OURS, claiming * 1000)
        return (finished - begin) * 1000

    figure = Figure("claim.python", "create where a sandbox stands ready, to the first cell's result", "ms")
    probes = {OURS: ours, **{name: clock(run) for name, run in lab.containers.items()}}
    yield lab.effort.interleave(figure, 60, probes)
    for side, samples in figure.peers.items():
        claim.add(side, samples)
        inside.add(side, samples)
    yield claim
    yield inside
    restart = Figure("claim.renewed", "the same with a variable that acts at the interpreter's start", "ms")
    yield lab.effort.interleave(
        restart, 60, {OURS: renewed, **{name: clock(run) for name, run in lab.containers.items()}}
    )
