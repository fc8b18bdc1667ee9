"""How long is a cell's round trip through the SDK, and how much of that is its HTTP client?"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from microsandbox import sync

from harness import peers
from harness.figure import OURS, Figure, clock
from harness.lab import Lab
from harness.server import Server

BARE = "the same request on a bare socket"
KERNEL = "ipykernel, jupyter_client"
TURN = "a byte to another process and back"


def bare_request(stack: ExitStack, server: Server, sandbox: sync.BaseSandbox) -> Callable[[], None]:
    """The request that the SDK makes, as bytes on a kept connection; the answer is read and not looked at."""
    connection = stack.enter_context(socket.socket(socket.AF_UNIX))
    connection.settimeout(10)
    connection.connect(str(server.socket))
    body = json.dumps({"language": sandbox.language, "code": "1"}).encode()
    path = f"/v1/sandboxes/{sandbox.info()['id']}/runs"
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nContent-Type: application/json\r\n"
    request = head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body

    def ask() -> None:
        connection.sendall(request)
        answer = b""
        while not (end := answer.find(b"\r\n\r\n") + 4) > 3 or len(answer) < end + length(answer[:end]):
            block = connection.recv(65536)
            if not block:
                raise RuntimeError("the server closed the connection")
            answer += block
        assert answer.startswith(b"HTTP/1.1 200"), answer[:200]

    return ask


def length(head: bytes) -> int:
    """The length of a body that its head states."""
    found = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    assert found, head
    return int(found[1])


def measure(lab: Lab) -> Iterator[Figure]:
    """Python and Node, both beside ipykernel, for want of a Node kernel of that kind.

    What a byte takes to another process and back is a third of what a cell cannot do without on the machine: it goes
    through the server, the agent and the interpreter.
    """
    for language, kind in (("python", sync.PythonSandbox), ("node", sync.NodeSandbox)):
        with ExitStack() as stack:
            server = lab.server
            sandbox = stack.enter_context(kind.create())
            bare = bare_request(stack, server, sandbox)
            figure = Figure(f"cell.{language}", f"cell round trip, `{kind.__name__}`, synchronous SDK", "ms")
            probes = {
                OURS: clock(lambda box=sandbox: box.run("1")),
                BARE: clock(bare),
                KERNEL: clock(lab.kernel),
                TURN: clock(peers.echo(stack)),
            }
            yield lab.effort.interleave(figure, 50, probes, warm_up=300, turn=20)
