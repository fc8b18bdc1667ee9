"""A page on the host, for sandboxes to fetch."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answers anything with one word."""
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"here\n")

    def log_message(self, format: str, *args: object) -> None:
        """Stays silent."""


@contextmanager
def served_page() -> Iterator[tuple[str, int]]:
    """Its address within sandboxes, by a name that the server is to map to the port on the host's loopback."""
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    thread = threading.Thread(target=web.serve_forever, daemon=True)
    thread.start()
    try:
        yield "http://soak.test/", web.server_port
    finally:
        web.shutdown()
        web.server_close()
        thread.join()
