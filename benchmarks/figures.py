"""Measures microsandbox beside its peers, interleaved, and prints a table. Called by `benchmarks/run`."""

from __future__ import annotations

import argparse
import datetime
import http.server
import json
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from microsandbox import sync

ROOT = Path(__file__).resolve().parents[1]
HOME = Path(os.environ.get("MICROSANDBOX_HOME", "/var/lib/microsandbox"))
PAGE = ROOT / "docs/performance.md"
DOWNLOAD_BYTES = 256 * 1024 * 1024


@dataclass
class Row:
    """One question: our samples and the peer's, in seconds or in MB/s."""

    question: str
    peer: str
    unit: str = "ms"
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)

    def cells(self) -> list[str]:
        """The row of the table."""
        scale = 1000 if self.unit == "ms" else 1
        digits = 2 if self.unit == "ms" else 0

        def show(samples: list[float], share: float) -> str:
            return f"{quantile(samples, share) * scale:.{digits}f}"

        ratio = statistics.median(self.ours) / statistics.median(self.theirs)
        return [
            self.question,
            f"{show(self.ours, 0.5)} {self.unit}",
            f"{show(self.ours, 0.99)}",
            self.peer,
            f"{show(self.theirs, 0.5)} {self.unit}",
            f"{show(self.theirs, 0.99)}",
            f"{ratio:.2f}",
            str(len(self.ours)),
        ]


def quantile(samples: list[float], share: float) -> float:
    """The sample at a share of the sorted ones."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def timed(action: Callable[[], object]) -> float:
    """Seconds that an action takes."""
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def interleave(row: Row, rounds: int, ours: Callable[[], object], theirs: Callable[[], object]) -> Row:
    """Measures the two in turn, after one unmeasured round."""
    ours()
    theirs()
    for _ in range(rounds):
        row.ours.append(timed(ours))
        row.theirs.append(timed(theirs))
    return row


# ---------------------------------------------------------------- our side


def free_port() -> int:
    """A TCP port that nothing listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def server(*settings: str) -> Iterator[dict[str, str]]:
    """A server of the benchmark's own; gives the environment that leads to it."""
    home = Path(tempfile.mkdtemp(prefix="msb-", dir="/tmp"))
    (home / "images").symlink_to(HOME / "images")
    address = f"unix:{home}/msb.sock"
    environment = {**os.environ, "MSB_SERVER_URL": address, "MICROSANDBOX_HOME": str(home), "MSB_NO_BUILD": "1"}
    options = [f"--set={setting}" for setting in (f"socket={home}/msb.sock", *settings)]
    start = [str(ROOT / "msb"), "server", "start", "--port", str(free_port()), *options]
    subprocess.run(start, env=environment, check=True, stdout=subprocess.DEVNULL)
    os.environ["MSB_SERVER_URL"] = address
    try:
        yield environment
    finally:
        subprocess.run([str(ROOT / "msb"), "server", "stop"], env=environment, check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(home)


# ---------------------------------------------------------------- peers


class RuntimePeer:
    """The container runtime alone: `run` of the interpreter on the same image, with namespaces of its own and nothing else."""

    def __init__(self, stack: ExitStack) -> None:
        self.runtime = self._working_runtime()
        self.folder = Path(tempfile.mkdtemp(prefix="msb-peer-", dir="/tmp"))
        stack.callback(shutil.rmtree, self.folder)
        rootfs = self.folder / "rootfs"
        rootfs.mkdir()
        image = (HOME / "images/python/current").resolve()
        file = next(iter(image.glob("**/rootfs.erofs")), image / "rootfs.erofs")
        subprocess.run(["mount", "-t", "erofs", "-o", "ro", str(file), str(rootfs)], check=True)
        stack.callback(subprocess.run, ["umount", str(rootfs)], check=True)
        subprocess.run([self.runtime, "spec"], cwd=self.folder, check=True)
        spec = json.loads((self.folder / "config.json").read_text())
        spec["process"]["terminal"] = False
        spec["process"]["args"] = ["/usr/bin/python3", "-c", "print(1)"]
        spec["root"]["readonly"] = True
        (self.folder / "config.json").write_text(json.dumps(spec))
        self.count = 0

    def _working_runtime(self) -> str:
        hybrid = Path("/sys/fs/cgroup/unified").exists()
        for name in ("crun", "runc"):
            if shutil.which(name) and not (name == "crun" and hybrid):
                return name
        raise SystemExit("benchmarks: no container runtime to compare with; install runc or crun")

    def __call__(self) -> None:
        """One run, from nothing to the printed text."""
        self.count += 1
        done = subprocess.run(
            [self.runtime, "run", f"peer-{os.getpid()}-{self.count}"],
            cwd=self.folder,
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )
        assert done.stdout == b"1\n"


class KernelPeer:
    """ipykernel, driven by its own blocking client."""

    def __init__(self, stack: ExitStack) -> None:
        from jupyter_client.manager import start_new_kernel

        manager, self.client = start_new_kernel(kernel_name="python3")
        stack.callback(manager.shutdown_kernel, now=True)
        stack.callback(self.client.stop_channels)

    def __call__(self) -> None:
        """One cell, until its reply is here and the kernel is idle again."""
        self.client.execute_interactive("1", timeout=10, output_hook=lambda _: None)


# ---------------------------------------------------------------- questions


def create(rounds: int) -> Iterator[Row]:
    """From nothing to the first cell's result."""
    with ExitStack() as stack:
        stack.enter_context(server())
        peer = RuntimePeer(stack)

        def ours() -> None:
            sandbox = sync.PythonSandbox.create()
            begun.append(time.perf_counter())
            assert sandbox.run("print(1)").output() == "1"
            finished.append(time.perf_counter())
            sandbox.stop()

        begun: list[float] = []
        finished: list[float] = []
        row = Row("create without a pool, to the first cell's result", f"`{peer.runtime} run` of `python3 -c print(1)`")
        ours()
        peer()
        for _ in range(rounds):
            start = time.perf_counter()
            ours()
            row.ours.append(finished[-1] - start)
            row.theirs.append(timed(peer))
        yield row


def cell(rounds: int) -> Iterator[Row]:
    """A cell's round trip through the SDK."""
    with ExitStack() as stack:
        stack.enter_context(server())
        peer = KernelPeer(stack)
        for language, code in (("PythonSandbox", "1"), ("NodeSandbox", "1")):
            sandbox = getattr(sync, language).create()
            stack.callback(sandbox.stop)
            for _ in range(300):
                sandbox.run(code)
            row = Row(f"cell round trip, `{language}`, synchronous SDK", "ipykernel with jupyter_client")
            yield interleave(row, rounds * 20, lambda box=sandbox, text=code: box.run(text), peer)


def run(rounds: int) -> Iterator[Row]:
    """`msb run` as a whole process."""
    with ExitStack() as stack:
        environment = stack.enter_context(server())
        peer = RuntimePeer(stack)

        def ours() -> None:
            command = [str(ROOT / "msb"), "run", "python", "-c", "print(1)"]
            done = subprocess.run(command, env=environment, check=True, capture_output=True)
            assert done.stdout == b"1\n"

        row = Row("`msb run python -c 'print(1)'`, whole process", f"`{peer.runtime} run` of the same")
        yield interleave(row, rounds, ours, peer)


class Zeros(http.server.BaseHTTPRequestHandler):
    """Serves bytes from memory."""

    block = bytes(1 << 20)

    def do_GET(self) -> None:
        """Sends them all."""
        self.send_response(200)
        self.send_header("Content-Length", str(DOWNLOAD_BYTES))
        self.end_headers()
        for _ in range(DOWNLOAD_BYTES // len(self.block)):
            self.wfile.write(self.block)

    def log_message(self, format: str, *args: object) -> None:
        """Stays silent."""


def download(rounds: int) -> Iterator[Row]:
    """One outbound stream."""
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Zeros)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    with ExitStack() as stack:
        stack.callback(web.server_close)
        stack.callback(web.shutdown)
        stack.enter_context(server(f"name-map=files.test=127.0.0.1:{web.server_port}"))
        sandbox = sync.PythonSandbox.create()
        stack.callback(sandbox.stop)
        row = Row("outbound download, one stream of 256 MiB by curl", "curl on the host, loopback", unit="MB/s")
        for _ in range(max(3, rounds // 10)):
            report = ["-s", "-o", "/dev/null", "-w", "%{speed_download}"]
            inside = sandbox.command.run("curl", [*report, "http://files.test/"])
            assert inside.success, inside
            outside = subprocess.check_output(["curl", *report, f"http://127.0.0.1:{web.server_port}/"], text=True)
            row.ours.append(float(inside.stdout) / 1e6)
            row.theirs.append(float(outside) / 1e6)
        yield row


QUESTIONS: dict[str, Callable[[int], Iterator[Row]]] = {"create": create, "cell": cell, "run": run, "download": download}
TITLES = ["question", "ours, median", "p99", "beside", "median", "p99", "ratio", "samples"]


def table(rows: list[Row]) -> str:
    """Markdown."""
    lines = ["| " + " | ".join(TITLES) + " |", "|" + "---|" * len(TITLES)]
    return "\n".join(lines + ["| " + " | ".join(row.cells()) + " |" for row in rows]) + "\n"


def machine() -> str:
    """What it was measured on."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    name = model[1] if model else platform.machine()
    return f"{datetime.date.today()}, {os.cpu_count()} cores ({name}), Linux {platform.release()}"


def write(text: str) -> None:
    """Puts the table between its marks in the page."""
    page = PAGE.read_text("utf-8")
    marks = re.compile(r"(<!-- figures -->\n).*?(<!-- end of figures -->)", re.DOTALL)
    assert marks.search(page), f"{PAGE} has no marks for the figures"
    PAGE.write_text(marks.sub(lambda mark: mark[1] + text + mark[2], page), "utf-8")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("questions", nargs="*", choices=[*QUESTIONS, []])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    rows: list[Row] = []
    for name in arguments.questions or QUESTIONS:
        print(f"measuring: {name}", file=sys.stderr)
        rows += list(QUESTIONS[name](3 if arguments.quick else 50))
    text = f"{machine()}\n\n{table(rows)}"
    print(text)
    if arguments.write:
        write(text)


if __name__ == "__main__":
    main()
