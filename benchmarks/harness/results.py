"""A run's results: the figures, and what they were measured on."""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .figure import Figure
from .server import ROOT

LATEST = ROOT / "benchmarks/results/latest.json"


@dataclass
class Results:
    """Figures with the machine, the date and the load."""

    machine: dict[str, Any]
    figures: list[Figure] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    @classmethod
    def begun(cls) -> Results:
        """At the beginning of a run."""
        return cls(machine())

    def ended(self) -> Results:
        """At its end."""
        self.machine["load"].append(load())
        return self

    def replaced_by(self, newer: Results) -> Results:
        """These, with those of a newer run of some questions, whose machine and date count."""
        fresh = {figure.key: figure for figure in newer.figures}
        kept = [fresh.pop(figure.key, figure) for figure in self.figures]
        return Results(newer.machine, [*kept, *fresh.values()], newer.failed)

    def figure(self, key: str) -> Figure | None:
        """The figure of that name."""
        return next((figure for figure in self.figures if figure.key == key), None)

    def keep(self, file: Path) -> None:
        """Writes them, one line a figure."""
        lines = ",\n".join(json.dumps(figure.to_json(), ensure_ascii=False) for figure in self.figures)
        file.write_text(f'{{"machine": {json.dumps(self.machine)},\n"figures": [\n{lines}\n]}}\n', "utf-8")

    @classmethod
    def read(cls, file: Path) -> Results:
        """What `keep` has written."""
        body = json.loads(file.read_text("utf-8"))
        return cls(body["machine"], [Figure(**figure) for figure in body["figures"]])


def load() -> float:
    """How many processes wanted to run, mean of the last minute."""
    return round(os.getloadavg()[0], 1)


def machine() -> dict[str, Any]:
    """What tells one machine from another; nothing that names it."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+) kB", Path("/proc/meminfo").read_text())
    revision = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return {
        "date": str(datetime.date.today()),
        "revision": revision.stdout.strip(),
        "cpu": model[1] if model else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory": round(int(memory[1]) / 1048576) if memory else 0,
        "kernel": platform.release(),
        "load": [load()],
    }
