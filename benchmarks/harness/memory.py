"""What processes hold of the machine's memory, as the kernel counts it."""

from __future__ import annotations

import os
import re
from pathlib import Path

KIB = 1024 / 1e6


def own(pid: int) -> float:
    """What would be free again without the process: its pages that no other process has (USS), in MB."""
    file = Path(f"/proc/{pid}/smaps_rollup")
    return (_number(file, "Private_Clean") + _number(file, "Private_Dirty")) * KIB


def resident(pid: int) -> float:
    """All that a process has in memory (RSS), in MB."""
    return _number(Path(f"/proc/{pid}/status"), "VmRSS") * KIB


def _number(file: Path, name: str) -> int:
    found = re.search(rf"^{name}:\s*(\d+) kB", file.read_text(), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"no {name} in {file}")
    return int(found[1])


def processes_of(sandbox: str) -> dict[int, str]:
    """A sandbox's processes, by their control group: pid and name of the program's file."""
    found: dict[int, str] = {}
    for folder, _, files in os.walk("/sys/fs/cgroup"):
        if sandbox in folder and "cgroup.procs" in files:
            for pid in Path(folder, "cgroup.procs").read_text().split():
                found[int(pid)] = Path(os.readlink(f"/proc/{pid}/exe")).name
    if not found:
        raise RuntimeError(f"sandbox {sandbox} has no control group with processes")
    return found
