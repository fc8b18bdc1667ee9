"""A systemd of its own with packaging/microsandbox.service in it, as on a machine where that is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[5]
IMAGES = Path(os.environ.get("MICROSANDBOX_HOME", "/var/lib/microsandbox")) / "images"
SYSTEMD = Path("/usr/lib/systemd/systemd")
AS_ROOT = [] if os.geteuid() == 0 else ["sudo", "-n"]
PATIENCE = 60.0
UNIT = "microsandbox.service"


def until(claim: Callable[[], bool], what: str) -> None:
    """Waits for something to come about."""
    end = time.monotonic() + PATIENCE
    while not claim():
        assert time.monotonic() < end, f"this has not come about: {what}"
        time.sleep(0.05)


def hierarchies() -> tuple[list[str], list[str]]:
    """What the host has mounted of control groups, and the controllers with a hierarchy of their own."""
    controllers = Path("/proc/cgroups").read_text().splitlines()[1:]
    return sorted(os.listdir("/sys/fs/cgroup")), [line.split()[0] for line in controllers if line.split()[1] != "0"]


class Systemd:
    """Booted when made; [end] ends it with all that it has started."""

    def __init__(self) -> None:
        self.work = Path(tempfile.mkdtemp(prefix="msb-", dir="/tmp"))
        self.work.chmod(0o711)  # a sandbox's mapped root walks through the home of its server
        self.home = self.work / "home"
        self.home.mkdir()
        (self.home / "images").symlink_to(IMAGES)
        self.group = f"{self.work.name}.systemd"
        self.before = hierarchies()
        self.log = self.work / "boot.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*AS_ROOT, str(ROOT / "packaging/try-systemd"), str(self.work), self.group],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def boots(self) -> bool:
        """Waits until it runs, or has given up."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < end:
            if self.first() is not None and self.inside("systemctl", "is-system-running").stdout.strip() in (b"running", b"degraded"):
                return True
            time.sleep(0.05)
        return False

    def first(self) -> int | None:
        """Its first process, as the host numbers it: below `unshare`, and `sudo` where that is needed."""
        pid = self.process.pid
        while True:
            try:
                if (Path("/proc") / str(pid) / "comm").read_text().strip() == "systemd":
                    return pid
                children = (Path("/proc") / str(pid) / "task" / str(pid) / "children").read_text().split()
            except OSError:
                return None
            if not children:
                return None
            pid = int(children[0])

    def inside(self, *command: str) -> subprocess.CompletedProcess[bytes]:
        """Runs a program where it sees what systemd sees."""
        enter = ["nsenter", "--target", str(self.first()), "--mount", "--pid", "--uts", "--ipc"]
        return subprocess.run([*AS_ROOT, *enter, *command], capture_output=True, timeout=180, check=False)

    def systemctl(self, *arguments: str) -> None:
        """Has to succeed."""
        done = self.inside("systemctl", *arguments)
        assert done.returncode == 0, done.stderr.decode() + self.logs()

    def shown(self, name: str) -> str:
        """One property of the unit."""
        return self.inside("systemctl", "show", "--value", f"--property={name}", UNIT).stdout.decode().strip()

    def msb(self, *arguments: str) -> str:
        """What the command says, on the socket of an installation."""
        environment = ["env", "MSB_SERVER_URL=unix:/run/microsandbox/msb.sock", "MSB_NO_BUILD=1"]
        done = self.inside(*environment, str(ROOT / "msb"), *arguments)
        assert done.returncode == 0, done.stderr.decode() + self.logs()
        return done.stdout.decode()

    def await_server(self) -> None:
        """The unit is active as soon as its process runs; the server answers a moment later."""
        status = ["env", "MSB_SERVER_URL=unix:/run/microsandbox/msb.sock", "MSB_NO_BUILD=1", str(ROOT / "msb"), "server", "status"]
        until(lambda: self.inside(*status).returncode == 0, "the server answers")

    def logs(self) -> str:
        """For failures."""
        server = self.work / "server.log"
        return "".join(file.read_text(errors="replace") for file in (self.log, server) if file.exists())

    def end(self) -> None:
        """By the end of its first process, which the kernel lets nothing in its namespace outlive."""
        first = self.first()
        if first is not None:
            subprocess.run([*AS_ROOT, "kill", "-KILL", str(first)], check=False)
        self.process.wait(PATIENCE)
        remove = ["find", "/sys/fs/cgroup", "-depth", "-type", "d", "-path", f"*/{self.group}*", "-exec", "rmdir", "{}", "+"]
        until(lambda: subprocess.run([*AS_ROOT, *remove], capture_output=True, check=False).returncode == 0, "its groups are empty")
        assert hierarchies() == self.before, "the host's control groups are what they were"
        if AS_ROOT:
            subprocess.run([*AS_ROOT, "rm", "-rf", str(self.work)], check=True)
        else:
            shutil.rmtree(self.work)
