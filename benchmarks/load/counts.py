"""What a server and its sandboxes hold at a moment: memory, descriptors, threads, processes, mounts, files."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.server import ROOT, Server

sys.path.append(str(ROOT / "scripts"))
import leaks

KIB_PER_MB = 1000 / 1.024
# The server's name for its home in control groups and socket folders: ContainerSettings.shortName.
SHORT_NAME = 8


@dataclass(frozen=True)
class Sample:
    """One look. Memory and the store in MB; `rest` when no sandbox was there."""

    seconds: float
    sandboxes: int
    rest: bool
    resident: float
    proportional: float
    descriptors: int
    threads: int
    processes: int
    mounts: int
    loops: int
    cgroups: int
    store: float

    def as_json(self) -> dict[str, float]:
        """Its fields by name."""
        return asdict(self)


class Watch:
    """Looks at one server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.pid = server.pid
        self.begin = time.monotonic()
        self.group = hashlib.sha256(str(server.home).encode()).hexdigest()[:SHORT_NAME]

    def sample(self, sandboxes: int, rest: bool = False) -> Sample:
        """What there is now."""
        cgroups = self.cgroups()
        return Sample(
            seconds=round(time.monotonic() - self.begin, 2),
            sandboxes=sandboxes,
            rest=rest,
            resident=round(self._number("status", "VmRSS") / KIB_PER_MB, 1),
            proportional=round(self._number("smaps_rollup", "Pss") / KIB_PER_MB, 1),
            descriptors=len(os.listdir(f"/proc/{self.pid}/fd")),
            threads=self._number("status", "Threads"),
            processes=len(processes(cgroups)),
            mounts=len(self.mounts()),
            loops=sum(str(self.server.home) in device for device in leaks.loops()),
            cgroups=len(cgroups),
            store=round(self._store_bytes() / 1e6, 2),
        )

    def cgroups(self) -> list[str]:
        """The folders of its sandboxes' control groups."""
        return [folder for folder in leaks.cgroups() if f"/{self.group}/" in folder]

    def mounts(self) -> list[str]:
        """All mounts of its mount namespaces; one thread has its own."""
        found: dict[str, list[str]] = {}
        for thread in Path(f"/proc/{self.pid}/task").iterdir():
            try:
                namespace = os.readlink(thread / "ns/mnt")
                if namespace not in found:
                    found[namespace] = (thread / "mounts").read_text().splitlines()
            except OSError:  # the thread has ended meanwhile
                continue
        return [line for lines in found.values() for line in lines if self.group in line]

    def left_over(self) -> dict[str, list[str]]:
        """What is there of sandboxes although none is; empty when nothing is."""
        mounts = [line for line in self.mounts() if "/sb" in line]
        return self.left_on_the_host() | ({"mounts": mounts} if mounts else {})

    def left_on_the_host(self) -> dict[str, list[str]]:
        """The same, of what can be seen when the server has ended."""
        sockets = Path("/run/microsandbox", self.group)
        left = {
            "processes": [str(pid) for pid in processes(self.cgroups())],
            "control groups": self.cgroups(),
            "loop devices": [device for device in leaks.loops() if str(self.server.home) in device],
            "disks": os.listdir(self.server.home / "sandboxes"),
            "sockets": [str(entry) for entry in sockets.glob("sb*")],
        }
        return {kind: things for kind, things in left.items() if things}

    def live_heap(self) -> float:
        """MB that are still reachable on the JVM's heap: used after a full collection."""
        self._jcmd("GC.run")
        report = self._jcmd("GC.heap_info")
        used = re.findall(r"^\s*(?:DefNew|Tenured)\s+total \d+K, used (\d+)K", report, re.MULTILINE)
        if len(used) != 2:
            raise RuntimeError(f"not the report of a heap with two generations: {report}")
        return round(sum(map(int, used)) / KIB_PER_MB, 2)

    def _jcmd(self, command: str) -> str:
        java = Path(os.readlink(f"/proc/{self.pid}/exe"))
        return subprocess.check_output([str(java.parent / "jcmd"), str(self.pid), command], text=True)

    def _number(self, file: str, name: str) -> int:
        found = re.search(rf"^{name}:\s*(\d+)", Path(f"/proc/{self.pid}/{file}").read_text(), re.MULTILINE)
        if found is None:
            raise RuntimeError(f"no {name} in /proc/{self.pid}/{file}")
        return int(found[1])

    def _store_bytes(self) -> int:
        return sum(file.stat().st_size for file in self.server.home.glob("microsandbox.db*"))


def processes(cgroups: list[str]) -> set[int]:
    """The processes in control groups."""
    pids: set[int] = set()
    for folder in cgroups:
        try:
            pids.update(int(pid) for pid in Path(folder, "cgroup.procs").read_text().split())
        except OSError:  # it has just been removed
            continue
    return pids


def available() -> float:
    """MB of the machine's memory that programs can still have."""
    found = re.search(r"MemAvailable:\s*(\d+)", Path("/proc/meminfo").read_text())
    assert found
    return int(found[1]) / KIB_PER_MB
