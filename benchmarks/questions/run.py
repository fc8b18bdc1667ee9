"""How long does `msb run` take, as a whole process?"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

from harness.figure import OURS, Figure, clock
from harness.lab import Lab
from harness.server import ROOT


def measure(lab: Lab) -> Iterator[Figure]:
    """Beside the runtimes' `run` of the same program."""
    command = [str(ROOT / "msb"), "run", "python", "-c", "print(1)"]

    def ours() -> None:
        done = subprocess.run(command, env=lab.server.environment, check=True, capture_output=True)
        assert done.stdout == b"1\n"

    def settled() -> float:
        taken = clock(ours)()
        lab.server.settle()
        return taken

    # A runtime made by scripts/link-runtime is used where there is one.
    linked = (ROOT / ".cache/runtime").exists()
    key, how = ("run.linked", ", linked runtime") if linked else ("run", "")
    figure = Figure(key, f"`msb run python -c 'print(1)'` against a running server{how}", "ms")
    probes = {OURS: settled, **{name: clock(run) for name, run in lab.containers.items()}}
    yield lab.effort.interleave(figure, 50, probes)
