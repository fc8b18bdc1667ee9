"""What does an idle sandbox hold in memory, over what all of them share, and what does the server?"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing

from microsandbox import sync

from harness import rootfs
from harness.figure import OURS, Figure
from harness.lab import Lab
from harness.memory import own, processes_of, resident
from harness.server import Server

ALIKE = 10  # at once: only from the second on is what all share no one's own
WAITING = {
    "python": ["python3", "-c", "print(1, flush=True); input()"],
    "node": ["node", "-e", "console.log(1); process.stdin.resume()"],
}


def measure(lab: Lab) -> Iterator[Figure]:
    """Beside the same interpreter from the same image, as a process that waits for its standard input."""
    with closing(Server("pool=off")) as server:
        empty = resident(server.pid)
        beside = Figure("memory.agent", "idle sandbox beside its interpreter, own memory", "MB")
        for language, kind in (("python", sync.PythonSandbox), ("node", sync.NodeSandbox)):
            figure = Figure(f"memory.{language}", f"idle `{kind.__name__}`, own memory", "MB")
            with ExitStack() as stack:
                sandboxes = [
                    stack.enter_context(kind.create(server.url)) for _ in range(max(2, lab.effort.count(ALIKE)))
                ]
                for sandbox in sandboxes:
                    sandbox.run("1")
                for sandbox in sandboxes:
                    programs = processes_of(sandbox.info()["id"])
                    figure.add(OURS, sum(own(pid) for pid in programs))
                    beside.add(OURS, sum(own(pid) for pid, name in programs.items() if not name.startswith(language)))
                full = resident(server.pid)
            yield alone(figure, language, len(sandboxes))
        yield beside
        yield server_memory(server, len(sandboxes), empty, full)


def alone(figure: Figure, language: str, count: int) -> Figure:
    """Adds what as many interpreters hold that run without a sandbox."""
    with ExitStack() as stack:
        place = rootfs.mounted(stack, language)
        processes = []
        for _ in range(count):
            process = stack.enter_context(
                subprocess.Popen(
                    ["chroot", str(place), *WAITING[language]], stdin=subprocess.PIPE, stdout=subprocess.PIPE
                )
            )
            stack.callback(process.kill)
            processes.append(process)
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == b"1\n"
        for process in processes:
            figure.add(f"{language} alone", own(process.pid))
    return figure


def server_memory(server: Server, count: int, empty: float, full: float) -> Figure:
    """The server's own memory, with the sandboxes of this question and before them."""
    figure = Figure("server.resident", f"server, resident, with {count} sandboxes", "MB")
    figure.add(OURS, full)
    command = list(server.command_line())
    process = subprocess.Popen([*command[: command.index("-cp")], "-version"], stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    figure.add("the JVM alone (`-version`)", usage.ru_maxrss * 1024 / 1e6)
    figure.add("the server before its first sandbox", empty)
    return figure
