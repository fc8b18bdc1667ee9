"""What sandboxes are compared with: each runs the same Python program from the same image, to the printed text."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from . import rootfs

PRINT = ["/usr/bin/python3", "-c", "print(1)"]
UNIFIED = Path("/sys/fs/cgroup/unified")
CLONE_NEWNS = 0x20000
IMAGE = "msb-benchmark-peer"


def expect_one(command: list[str], **options: object) -> None:
    """Runs a command that has to print 1."""
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=60, **options)  # type: ignore[call-overload]
    if done.stdout != b"1\n":
        raise RuntimeError(f"{command[0]} printed {done.stdout!r}: {done.stderr.decode(errors='replace').strip()}")


def runtimes(stack: ExitStack) -> Iterator[tuple[str, Callable[[], None]]]:
    """The OCI runtimes that are there and work, alone: namespaces of their own from `spec`, nothing else."""
    place = rootfs.mounted(stack, "python")
    for name in ("crun", "runc"):
        if shutil.which(name):
            runtime = Runtime(stack, name, place)
            if runtime.works():
                yield f"{name} run", runtime


class Runtime:
    """crun or runc."""

    def __init__(self, stack: ExitStack, name: str, place: Path) -> None:
        self.name = name
        self.folder = Path(tempfile.mkdtemp(prefix="msb-peer-", dir="/tmp"))
        stack.callback(shutil.rmtree, self.folder)
        subprocess.run([name, "spec"], cwd=self.folder, check=True, capture_output=True)
        spec = json.loads((self.folder / "config.json").read_text())
        spec["process"].update(terminal=False, args=PRINT)
        spec["root"] = {"path": str(place), "readonly": True}
        (self.folder / "config.json").write_text(json.dumps(spec))
        self.enter = plain_cgroups(stack) if name == "crun" and UNIFIED.exists() else None
        self.count = 0

    def works(self) -> bool:
        """Whether it runs on this machine."""
        try:
            self()
        except (RuntimeError, subprocess.SubprocessError):
            return False
        return True

    def __call__(self) -> None:
        """One run."""
        self.count += 1
        expect_one([self.name, "run", f"peer-{os.getpid()}-{self.count}"], cwd=self.folder, preexec_fn=self.enter)


def plain_cgroups(stack: ExitStack) -> Callable[[], None]:
    """For crun, which refuses mixed cgroup hierarchies: brings a child where the empty v2 tree is not mounted.

    The server does the same for the runtimes that it starts.
    """
    command = ["unshare", "--mount", "sh", "-c", f"umount -l {UNIFIED} && echo ready && exec cat"]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    stack.callback(holder.wait)
    stack.callback(holder.stdin.close)  # type: ignore[union-attr]
    if holder.stdout.readline() != b"ready\n":  # type: ignore[union-attr]
        raise RuntimeError(f"{UNIFIED} cannot be unmounted in a namespace of its own")
    namespace = os.open(f"/proc/{holder.pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    stack.callback(os.close, namespace)
    libc = ctypes.CDLL(None, use_errno=True)

    def enter() -> None:
        # Entering moves the working folder to the root.
        folder = os.getcwd()
        if libc.setns(namespace, CLONE_NEWNS) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        os.chdir(folder)

    return enter


def bubblewrap(stack: ExitStack) -> Iterator[tuple[str, Callable[[], None]]]:
    """Bubblewrap with all namespaces: no image layer, no limits, nothing that outlives it."""
    if shutil.which("bwrap"):
        place = rootfs.mounted(stack, "python")
        command = ["bwrap", "--unshare-all", "--ro-bind", str(place), "/", "--proc", "/proc", "--dev", "/dev", *PRINT]
        yield "bwrap", lambda: expect_one(command)


def docker(stack: ExitStack) -> Iterator[tuple[str, Callable[[], None]]]:
    """Docker Engine, where its daemon answers: `docker run --rm` of our image's root filesystem."""
    if shutil.which("docker") and answers(["docker", "info"]):
        place = rootfs.mounted(stack, "python")
        packed = subprocess.Popen(["tar", "-C", str(place), "-c", "."], stdout=subprocess.PIPE)
        subprocess.run(["docker", "import", "-", IMAGE], stdin=packed.stdout, check=True, capture_output=True)
        packed.wait()
        stack.callback(subprocess.run, ["docker", "rmi", "--force", IMAGE], check=True, capture_output=True)
        yield "docker run", lambda: expect_one(["docker", "run", "--rm", IMAGE, *PRINT])


def answers(command: list[str]) -> bool:
    """Whether a command succeeds within some seconds."""
    try:
        return subprocess.run(command, capture_output=True, timeout=10).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def containers(stack: ExitStack) -> dict[str, Callable[[], None]]:
    """All that this machine has, by name."""
    return {**dict(runtimes(stack)), **dict(bubblewrap(stack)), **dict(docker(stack))}


def kernel(stack: ExitStack) -> Callable[[], object]:
    """ipykernel, driven by its own blocking client: one cell, until its reply is here and the kernel is idle again."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3", extra_arguments=["--log-level=ERROR"])
    stack.callback(manager.shutdown_kernel, now=True)
    stack.callback(client.stop_channels)
    return lambda: client.execute_interactive("1", timeout=10, output_hook=lambda _: None)


ECHO = """
import socket
with socket.socket(fileno=0) as end:
    while block := end.recv(1):
        end.send(block)
"""


def echo(stack: ExitStack) -> Callable[[], None]:
    """A process that sends back every byte: one wake-up there, one back, and nothing else."""
    ours, theirs = socket.socketpair()
    with theirs:
        child = subprocess.Popen([sys.executable, "-c", ECHO], stdin=theirs)
    stack.callback(child.wait)
    stack.callback(ours.close)

    def once() -> None:
        ours.send(b"x")
        if ours.recv(1) != b"x":
            raise RuntimeError("the other process has ended")

    return once
