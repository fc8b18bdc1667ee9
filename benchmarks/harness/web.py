"""A web server on the host that sends zeros and takes whatever it is sent."""

from __future__ import annotations

import http.server
import threading
from types import TracebackType

BLOCK = 1 << 20


class Handler(http.server.BaseHTTPRequestHandler):
    """`GET /N` gives N bytes, `PUT` swallows its body."""

    zeros = memoryview(bytes(BLOCK))

    def do_GET(self) -> None:
        """Sends from memory."""
        left = int(self.path.strip("/"))
        self.send_response(200)
        self.send_header("Content-Length", str(left))
        self.end_headers()
        while left > 0:
            left -= self.connection.send(self.zeros[: min(left, BLOCK)])

    def do_PUT(self) -> None:
        """Reads into memory."""
        left = int(self.headers["Content-Length"])
        buffer = bytearray(BLOCK)
        while left > 0:
            got = self.rfile.readinto1(memoryview(buffer)[: min(left, BLOCK)])
            if got == 0:
                return
            left -= got
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Stays silent."""


class Listener(http.server.ThreadingHTTPServer):
    """Takes many connections at once."""

    request_queue_size = 128
    daemon_threads = True


class Web:
    """Runs while its context is open."""

    def __enter__(self) -> Web:
        self._server = Listener(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        return int(self._server.server_port)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
