"""A small server that remembers what it was asked, and answers by path."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

INFO = {"id": "sb0123456789abcdef", "name": "x", "namespace": "team", "state": "running", "ephemeral": False}
RUN = {"id": "r1", "outcome": "ok", "stdout": "1\n", "stderr": ""}
EVENTS = (
    b'event: started\ndata: {"id": "r1"}\n\n'
    b'event: stdout\nid: 2\ndata: {"text": "a\\n"}\n\n'
    b'event: stderr\nid: 4\ndata: {"base64": "/wo="}\n\n'
    b'event: finished\ndata: {"outcome": "ok"}\n\n'
)


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    accept: str
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class Recorder:
    """What was asked, in order, and answers that differ from the usual ones."""

    url: str
    asked: list[Asked] = field(default_factory=list)
    answers: dict[str, bytes] = field(default_factory=dict)
    cut: bool = False

    @property
    def last(self) -> Asked:
        return self.asked[-1]


def usual(path: str, events: bool) -> bytes:
    bare = path.split("?")[0]
    if events:
        return EVENTS
    if bare.endswith("/contexts"):
        entry = {"id": "second", "language": "python", "interpreter_version": "3.13", "ready": True}
        return json.dumps({**entry, "contexts": [entry]}).encode()
    if bare.endswith(("/runs", "/commands")):
        return json.dumps(RUN).encode()
    if bare.endswith("/logs"):
        return b'{"entries": [{"sequence": 8, "time": "t", "source": "server", "level": "info", "text": "m"}]}'
    if bare == "/v1/images":
        return b'{"images": [{"name": "microsandbox/python"}]}'
    if bare == "/v1/info":
        return b'{"version": "0.1.0"}'
    return json.dumps({**INFO, "sandboxes": [INFO]}).encode()


@contextmanager
def recorder() -> Iterator[Recorder]:
    """Serves until the end of the block."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            cut = found.cut
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(self.command, self.path, self.headers["Accept"], body)
            found.asked.append(asked)
            events = asked.accept == "text/event-stream"
            content = found.answers.get(self.path, usual(self.path, events))
            self.send_response(200)
            self.send_header("Content-Type", asked.accept)
            self.send_header("Content-Length", str(len(content) + (1000 if cut else 0)))
            self.end_headers()
            self.wfile.write(content)
            self.close_connection = cut

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

        def log_message(self, format: str, *args: object) -> None:
            """Stays silent."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found = Recorder(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
