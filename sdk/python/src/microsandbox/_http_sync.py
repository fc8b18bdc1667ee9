"""The synchronous transport: the standard library's client, with kept connections, over TCP or the unix socket.

Chosen by measuring a round trip over a unix socket: http.client 127 µs, httpx 280 µs.
"""

from __future__ import annotations

import contextlib
import http.client
import select
import socket
import ssl
import threading
from collections.abc import Generator, Iterator
from typing import Any

from ._address import Address
from ._errors import error_from
from ._events import Event, EventParser, checked, cut_short
from ._local import ensure_server
from ._wire import SILENCE_SECONDS, Call, decode, headers_for, parsed, unreachable

BLOCK = 64 * 1024


class _OneWrite(http.client.HTTPConnection):
    """Sends a request's head and body together: in two writes the server would wake twice."""

    _held: list[bytes] | None = None

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request."""
        self._held = []
        try:
            super().request(*args, **kwargs)
        finally:
            held, self._held = self._held, None
        for block in [b"".join(held)] if sum(map(len, held)) <= BLOCK else held:
            self.send(block)

    def send(self, data: Any) -> None:
        """Send bytes, or hold them until the request is whole."""
        if self._held is None:
            super().send(data)
        else:
            self._held.append(data)


class _TlsConnection(_OneWrite, http.client.HTTPSConnection):
    pass


class _UnixConnection(_OneWrite):
    def __init__(self, path: str, timeout: float | None) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class SyncTransport:
    """Connections to one server, a free one for each call. May be used from several threads."""

    def __init__(self, address: Address) -> None:
        self._wanted = address
        self._address: Address | None = None
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()

    def call(self, call: Call) -> Any:
        """Make a call and give its parsed answer."""
        with self._answered(call, "application/json", call.timeout) as response:
            body = response.read()
        return decode(call, body)

    def events(self, call: Call) -> Generator[Event, None, None]:
        """Make a call that is answered by events. Closing the iterator early closes the connection."""
        with self._answered(call, "text/event-stream", SILENCE_SECONDS, keep=False) as response:
            parser = EventParser()
            while block := response.read1(BLOCK):
                for event in parser.feed(block):
                    yield checked(event)
                    if event.is_last:
                        return
        raise cut_short()

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextlib.contextmanager
    def _answered(
        self, call: Call, accept: str, timeout: float | None, keep: bool = True
    ) -> Iterator[http.client.HTTPResponse]:
        address = self._address_now()
        connection = self._take(address)
        clean = False
        try:
            response = _send(connection, call, headers_for(address, accept, call), timeout)
            if response.status >= 400:
                body = response.read()
                clean = True
                raise error_from(parsed(body), response.status)
            yield response
            clean = keep
        except (OSError, http.client.HTTPException) as error:
            raise unreachable(address, error) from error
        finally:
            if clean and response.isclosed() and not response.will_close:
                with self._lock:
                    self._idle.append(connection)
            else:
                connection.close()

    def _take(self, address: Address) -> http.client.HTTPConnection:
        while True:
            with self._lock:
                if not self._idle:
                    break
                connection = self._idle.pop()
            if not _closed_by_server(connection):
                return connection
            connection.close()
        if address.socket_path:
            return _UnixConnection(address.socket_path, None)
        host, port = address.host_and_port
        if address.is_tls:
            return _TlsConnection(host, port, context=ssl.create_default_context())
        return _OneWrite(host, port)

    def _address_now(self) -> Address:
        if self._address is None:
            self._address = ensure_server(self._wanted)
        return self._address


def _closed_by_server(connection: http.client.HTTPConnection) -> bool:
    # An idle connection has nothing to read but its end. A request is never sent twice: it may have had its effect.
    return connection.sock is None or bool(select.select([connection.sock], [], [], 0)[0])


def _send(
    connection: http.client.HTTPConnection, call: Call, headers: dict[str, str], timeout: float | None
) -> http.client.HTTPResponse:
    connection.timeout = timeout
    if connection.sock is not None:
        connection.sock.settimeout(timeout)
    connection.request(call.method, call.target, call.body, headers)
    return connection.getresponse()
