"""A server of the benchmarks' own, with a home of its own and the machine's images."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HOME = Path(os.environ.get("MICROSANDBOX_HOME", "/var/lib/microsandbox"))

SETTLE_SECONDS = 60
DEFAULT_IMAGES = 2


def free_port() -> int:
    """A TCP port that nothing listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Server:
    """Started by `msb`, reached by its unix socket; `close` ends it with all its sandboxes."""

    def __init__(self, *settings: str) -> None:
        # Short, because a socket's path holds 107 bytes, and passable, because a sandbox's root walks through it.
        self.home = Path(tempfile.mkdtemp(prefix="msb-bench-", dir="/tmp"))
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

    def settle(self) -> None:
        """Waits until the pools have what demand asks for and none is being made, which would disturb."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while not self._is_settled():
            if time.monotonic() > deadline:
                raise RuntimeError(f"the pools are not ready: {self._pools()}")
            time.sleep(0.01)

    def _is_settled(self) -> bool:
        pools = self._pools()
        return len(pools) >= DEFAULT_IMAGES and all(
            pool["ready"] >= pool["target"] > 0 and not pool["starting"] for pool in pools
        )

    def metric(self, name: str) -> float:
        """The value of a metric without tags, by its name in the Prometheus text."""
        for line in self._get("/metrics").decode().splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[1])
        raise RuntimeError(f"the server has no metric {name}")

    def _pools(self) -> list[dict[str, Any]]:
        pools: list[dict[str, Any]] = json.loads(self._get("/v1/pools"))["pools"]
        return pools

    def _get(self, path: str) -> bytes:
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(SETTLE_SECONDS)
            connection.connect(str(self.socket))
            connection.sendall(request)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        return answer.partition(b"\r\n\r\n")[2]

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
