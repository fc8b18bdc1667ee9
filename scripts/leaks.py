"""Counts what sandboxes are made of on this machine, before a test run and after it.

leaks.py snapshot FILE      write down what there is
leaks.py compare FILE       say what there is more, and exit with 1 if anything
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

OUR_PROCESSES = ("agent", "crun", "runc", "java", "mkfs.erofs", "mmdebstrap")
# ./test gives all suites a temporary folder of their own.
OUR_FILES = tuple(
    place
    for place in ("/run/microsandbox", "/var/lib/microsandbox/sandboxes", "/var/lib/microsandbox/run", os.environ.get("TMPDIR"))
    if place
)
SETTLE_SECONDS = 10


def processes() -> Iterator[str]:
    """Programs of ours that run, by name and count."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            name = (entry / "comm").read_text().strip()
            arguments = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if name in OUR_PROCESSES and ("microsandbox" in arguments or ".msb" in arguments or name != "java"):
            yield f"{entry.name} {name} {arguments[:120]}"


def mounts() -> Iterator[str]:
    """Mounts that any process's namespace of the host holds."""
    seen: set[str] = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            namespace = os.readlink(entry / "ns/mnt")
            if namespace in seen:
                continue
            seen.add(namespace)
            for line in (entry / "mounts").read_text(errors="replace").splitlines():
                if "microsandbox" in line or "/dev/loop" in line:
                    yield line
        except OSError:
            continue


def loops() -> Iterator[str]:
    """Loop devices in use."""
    for entry in Path("/sys/block").glob("loop*/loop/backing_file"):
        yield f"{entry.parts[3]} {entry.read_text(errors='replace').strip()}"


def cgroups() -> Iterator[str]:
    """Cgroups of ours, in whatever hierarchy."""
    for folder, names, _ in os.walk("/sys/fs/cgroup"):
        for name in names:
            path = os.path.join(folder, name)
            if "microsandbox" in path and "/sb" in path:
                yield path


def files() -> Iterator[str]:
    """What lies in the places where sandboxes leave things."""
    for place in OUR_FILES:
        for entry in sorted(Path(place).glob("*")):
            if not entry.name.startswith(("hsperfdata_", "pytest-of-")):  # kept on purpose by the JVM and by pytest
                yield str(entry)


def snapshot() -> dict[str, list[str]]:
    """Everything, by kind."""
    kinds = {"processes": processes, "mounts": mounts, "loop devices": loops, "cgroups": cgroups, "files": files}
    return {kind: sorted(set(find())) for kind, find in kinds.items()}


def more(before: dict[str, list[str]]) -> dict[str, list[str]]:
    """What there is now and was not before."""
    now = snapshot()
    return {kind: gained for kind in now if (gained := sorted(set(now[kind]) - set(before.get(kind, []))))}


def compare(before: dict[str, list[str]]) -> int:
    """Waits a little for what is still going, then tells."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while (left := more(before)) and time.monotonic() < deadline:
        time.sleep(0.5)
    for kind, things in left.items():
        print(f"left over, {kind}: {len(things)}")
        for thing in things:
            print(f"  {thing}")
    if not left:
        print("nothing left over: processes, mounts, loop devices, cgroups and files are what they were")
    return 1 if left else 0


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("snapshot", "compare"):
        sys.exit(__doc__)
    path = Path(sys.argv[2])
    if sys.argv[1] == "snapshot":
        path.write_text(json.dumps(snapshot(), indent=1))
    else:
        sys.exit(compare(json.loads(path.read_text())))
