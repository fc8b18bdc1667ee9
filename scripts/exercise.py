#!/usr/bin/env python3
"""Has a server do what its clients will ask of it, for the training run of its AOT cache: `exercise.py SOCKET`.

What is done often here is compiled from the first second on by every server that uses the cache, so the parts stand in the
proportion of real use: many cells, some sandboxes, a bit of everything else. Nothing but Python's own library is needed.
"""

from __future__ import annotations

import http.client
import json
import socket
import sys
import time
from typing import Any

SECONDS = 20
CELLS = 400
SANDBOXES = 40


class Local(http.client.HTTPConnection):
    """HTTP over the server's unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self) -> None:
        """Instead of TCP."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)

    def ask(self, method: str, path: str, body: Any = None, accept: str = "application/json") -> bytes:
        """One request; an error ends the training."""
        headers = {"Accept": accept}
        data = None
        if isinstance(body, bytes):
            data, headers["Content-Type"] = body, "application/octet-stream"
        elif body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        self.request(method, path, data, headers)
        answer = self.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {content[:300]!r}")
        return content


def in_one(server: Local, image: str, cells: int) -> None:
    """A sandbox's whole life."""
    made = json.loads(server.ask("POST", "/v1/sandboxes", {"image": image, "ephemeral": True, "env": {"A": "b"}}))
    one = f"/v1/sandboxes/{made['id']}"
    code = "print(1)" if image == "python" else "console.log(1)"
    for _ in range(cells):
        server.ask("POST", f"{one}/runs", {"language": made["languages"][0], "code": code})
    server.ask("POST", f"{one}/runs", {"code": f"{code}\nundefined_name"})
    server.ask("POST", f"{one}/runs", {"code": code}, accept="text/event-stream")
    server.ask("POST", f"{one}/commands", {"argv": ["true"]})
    server.ask("PUT", f"{one}/files?path=file.txt", b"content")
    server.ask("GET", f"{one}/files?path=file.txt")
    server.ask("GET", one)
    server.ask("DELETE", one)


def main() -> None:
    """Ends by itself, whatever the machine does."""
    server = Local(sys.argv[1])
    end = time.monotonic() + SECONDS
    for image in ("python", "node"):
        in_one(server, image, CELLS)
    for _ in range(SANDBOXES):
        if time.monotonic() > end:
            break
        in_one(server, "python", 5)
    server.ask("GET", "/v1/sandboxes")


if __name__ == "__main__":
    main()
