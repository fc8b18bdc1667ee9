"""How long do cells take in a sandbox whose neighbour is hostile?"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import Any

from microsandbox import SandboxError, sync

from harness.server import Server
from load.counts import Watch
from load.many import spread
from load.page import served_page

# Each goes on until its sandbox is deleted. Those of the list of attacks that would want a neighbour's time.
ATTACKS = {
    "fork bomb": """
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
""",
    "memory": """
kept = []
while True:
    kept.append(bytearray(1 << 20))
""",
    "disk": """
import os
while True:
    try:
        with open("/tmp/full", "wb") as file:
            while True:
                file.write(bytes(1 << 20))
    except OSError:
        os.unlink("/tmp/full")
""",
    "small files": """
import os, shutil
os.mkdir("/tmp/many")
while True:
    try:
        for n in range(20_000):
            os.mkdir(f"/tmp/many/{n}")
    except OSError:
        pass
    shutil.rmtree("/tmp/many", True)
    os.makedirs("/tmp/many", exist_ok=True)
""",
    "output": """
import sys
while True:
    sys.stdout.write("y" * 65536)
""",
    "spin": """
import os
for _ in range(8):
    if os.fork() == 0:
        break
while True:
    pass
""",
    "system calls": """
import os
for _ in range(8):
    if os.fork() == 0:
        break
while True:
    os.stat("/")
""",
    "connections": """
import socket
while True:
    try:
        socket.create_connection(("soak.test", 80), 1).close()
    except OSError:
        pass
""",
}


def neighbours(seconds: float, attacks: list[str], say: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """The neighbour's cells alone, and beside each attack; alone again before each, for the machine changes too."""
    table: dict[str, Any] = {}
    with ExitStack() as stack:
        _, port = stack.enter_context(served_page())
        server = stack.enter_context(closing(Server(f"name-map=soak.test=127.0.0.1:{port}")))
        watch = Watch(server)
        neighbour = stack.enter_context(sync.PythonSandbox.create(server_url=server.url))
        cells(neighbour, seconds / 4)
        for name in attacks or ATTACKS:
            alone = cells(neighbour, seconds)
            before = watch.sample(1)
            with sync.PythonSandbox.create(server_url=server.url, memory=256) as hostile:
                attack = threading.Thread(target=go_on, args=(hostile, ATTACKS[name]), daemon=True)
                attack.start()
                beside = cells(neighbour, seconds)
                during = watch.sample(2)
                begin = time.perf_counter()
                hostile.delete()
                removal = round(time.perf_counter() - begin, 3)
                attack.join(30)
            table[name] = {
                "alone": spread(alone),
                "beside": spread(beside),
                "removal": removal,
                "server": {"before": before.resident, "during": during.resident},
            }
            say(f"{name}: {table[name]}")
    return table


def cells(sandbox: sync.PythonSandbox, seconds: float) -> list[float]:
    """How long each cell took."""
    times = []
    end = time.perf_counter() + seconds
    while (begin := time.perf_counter()) < end:
        sandbox.run("1")
        times.append(time.perf_counter() - begin)
    return times


def go_on(sandbox: sync.PythonSandbox, code: str) -> None:
    """Attacks again where an attack has ended in the death of its own interpreter, until the sandbox is gone."""
    while sandbox.is_started:
        try:
            for _ in sandbox.stream(code, timeout=600):
                pass
        except SandboxError:
            time.sleep(0.05)
