"""How fast are a sandbox's outbound connections, and how long do they take to come about?"""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence

from microsandbox import sync

from harness.figure import OURS, Figure, Probe
from harness.lab import Lab

HOST = "the same on the host, loopback"
CONNECTS = 10
CURL = ["-s", "-S", "-o", "/dev/null"]
UPLOAD = ["-H", "Expect:", "-T"]
CONNECT = """
import json, socket, time
address = socket.getaddrinfo("web.test", 80, type=socket.SOCK_STREAM)[0][4]
taken = []
for _ in range({count}):
    begin = time.perf_counter()
    connection = socket.create_connection(address[:2], timeout=10)
    taken.append((time.perf_counter() - begin) * 1000)
    connection.close()
print(json.dumps(taken))
"""


def measure(lab: Lab) -> Iterator[Figure]:
    """To a web server on the host, by a name that the operator maps."""
    assert lab.server
    with sync.PythonSandbox.create() as sandbox, tempfile.NamedTemporaryFile() as zeros:

        def connects() -> list[float]:
            taken: list[float] = json.loads(sandbox.run(CONNECT.format(count=CONNECTS)).output())
            return taken

        figure = Figure("outbound.connect", "an outbound connection, to established", "ms")
        yield lab.effort.interleave(figure, 40, {OURS: connects, HOST: lambda: connects_outside(lab.web.port)})

        size = lab.effort.count(256) << 20
        inside, outside = f"http://web.test/{size}", f"http://127.0.0.1:{lab.web.port}/{size}"

        def curl_inside(*options: str) -> str:
            done = sandbox.command.run("curl", [*CURL, *options, inside])
            assert done.success, done.stderr
            return done.stdout

        def curl_outside(*options: str) -> str:
            return subprocess.check_output(["curl", *CURL, *options, outside], text=True)

        def both(way: str, ours: Sequence[str] = (), hosts: Sequence[str] = ()) -> dict[str, Probe]:
            report = ["-w", f"%{{speed_{way}}}"]
            return {
                OURS: lambda: float(curl_inside(*report, *ours)) / 1e6,
                HOST: lambda: float(curl_outside(*report, *hosts)) / 1e6,
            }

        figure = Figure("outbound.in", "download by curl, one stream of 256 MiB", "MB/s")
        yield lab.effort.interleave(figure, 8, both("download"))
        zeros.truncate(size)
        sandbox.command.run("truncate", ["-s", str(size), "zeros"])
        figure = Figure("outbound.out", "upload by curl, one stream of 256 MiB", "MB/s")
        yield lab.effort.interleave(figure, 8, both("upload", [*UPLOAD, "zeros"], [*UPLOAD, zeros.name]))


def connects_outside(port: int) -> list[float]:
    """Milliseconds of some connections on the host's own loopback."""
    taken = []
    for _ in range(CONNECTS):
        begin = time.perf_counter()
        connection = socket.create_connection(("127.0.0.1", port), timeout=10)
        taken.append((time.perf_counter() - begin) * 1000)
        connection.close()
    return taken
