"""How fast do files go into a sandbox and come out?"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from microsandbox import sync

from harness.figure import OURS, Figure
from harness.lab import Lab

SIZE = 64 << 20  # large enough that a file's opening and closing, some milliseconds, do not count


def speed(action: Callable[[], object]) -> Callable[[], float]:
    """Makes a probe of an action that moves the file: megabytes a second."""

    def probe() -> float:
        begin = time.perf_counter()
        action()
        return SIZE / (time.perf_counter() - begin) / 1e6

    return probe


def measure(lab: Lab) -> Iterator[Figure]:
    """Beside `cat` on the host, which takes the same bytes through one pipe."""
    content = bytes(SIZE)
    with ExitStack() as stack:
        assert lab.server
        sandbox = stack.enter_context(sync.PythonSandbox.create())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="msb-files-")))

        def cat_in() -> None:
            with (folder / "file").open("wb") as file:
                subprocess.run(["cat"], input=content, stdout=file, check=True)

        def cat_out() -> None:
            assert subprocess.check_output(["cat", str(folder / "file")]) == content

        def read() -> None:
            assert sandbox.files.read("file") == content

        into = Figure("files.in", f"a file of {SIZE >> 20} MiB into a sandbox, synchronous SDK", "MB/s")
        ours, peer = speed(lambda: sandbox.files.write("file", content)), speed(cat_in)
        yield lab.effort.interleave(into, 40, {OURS: ours, "cat on the host": peer}, warm_up=3)
        out = Figure("files.out", "the same file out of it", "MB/s")
        yield lab.effort.interleave(out, 40, {OURS: speed(read), "cat on the host": speed(cat_out)}, warm_up=3)
