"""A server of the benchmarks' own, with a home of its own and the machine's images."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = Path(os.environ.get("MICROSANDBOX_HOME", "/var/lib/microsandbox"))


def free_port() -> int:
    """A TCP port that nothing listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Server:
    """Started by `msb`, reached by its unix socket; `close` ends it with all its sandboxes."""

    def __init__(self, *settings: str) -> None:
        # Short, because a socket's path holds 107 bytes, and passable, because a sandbox's root walks through it.
        self.home = Path(tempfile.mkdtemp(prefix="msb-", dir="/tmp"))
        self.home.chmod(0o711)
        (self.home / "images").symlink_to(HOME / "images")
        self.socket = self.home / "msb.sock"
        self.url = f"unix:{self.socket}"
        self.environment = {
            **os.environ,
            "MSB_SERVER_URL": self.url,
            "MICROSANDBOX_HOME": str(self.home),
            "MSB_NO_BUILD": "1",  # benchmarks/run has built it
        }
        options = [f"--set={setting}" for setting in (f"socket={self.socket}", *settings)]
        try:
            self.msb("server", "start", "--port", str(free_port()), *options)
        except BaseException:
            shutil.rmtree(self.home)
            raise

    def msb(self, *arguments: str) -> str:
        """Runs `msb` against it and gives what it prints."""
        command = [str(ROOT / "msb"), *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise RuntimeError(f"msb {' '.join(arguments[:2])} failed: {done.stderr.strip()}")
        return done.stdout

    @property
    def pid(self) -> int:
        """Its process."""
        return int((self.home / "server.pid").read_text())

    def command_line(self) -> Sequence[str]:
        """How `msb` has started it."""
        return Path(f"/proc/{self.pid}/cmdline").read_text().rstrip("\0").split("\0")

    def stop(self) -> None:
        """Ends it; its home stays."""
        self.msb("server", "stop")

    def remove(self) -> None:
        """Removes its home."""
        shutil.rmtree(self.home)

    def close(self) -> None:
        """Ends it and removes its home."""
        self.stop()
        self.remove()
