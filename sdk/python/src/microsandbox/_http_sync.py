"""The synchronous transport: HTTP/1.1 on kept connections, over TCP or the unix socket."""

from __future__ import annotations

import contextlib
import io
import socket
import ssl
import threading
from collections.abc import Generator
from typing import Any

from ._address import Address
from ._errors import error_from
from ._events import Event, EventParser, checked, cut_short
from ._http1 import Answer, BadAnswer, is_readable, request
from ._local import ensure_server
from ._wire import SILENCE_SECONDS, Call, decode, parsed, unreachable

BLOCK = 64 * 1024
# Of a body that is read to one place, which is made before it comes.
MAXIMUM_PLACE = 1 << 30
# What the system holds for a server on the same machine, so that the two need not take turns for every few bytes.
SOCKET_BUFFER = 256 * 1024


class SyncTransport:
    """Connections to one server, a free one for each call. May be used from several threads."""

    def __init__(self, address: Address) -> None:
        self._wanted = address
        self._address: Address | None = None
        self._idle: list[socket.socket] = []
        self._lock = threading.Lock()

    def call(self, call: Call) -> Any:
        """Make a call and give its parsed answer."""
        exchange = self._begin(call, "application/json", call.timeout)
        try:
            body = exchange.rest()
            self._keep(exchange)
        finally:
            exchange.close()
        if exchange.answer.status >= 400:
            raise error_from(parsed(body), exchange.answer.status)
        return decode(call, body)

    def events(self, call: Call) -> Generator[Event, None, None]:
        """Make a call that is answered by events. Closing the iterator early closes the connection."""
        exchange = self._begin(call, "text/event-stream", SILENCE_SECONDS)
        try:
            if exchange.answer.status >= 400:
                raise error_from(parsed(exchange.rest()), exchange.answer.status)
            parser = EventParser()
            while (block := exchange.read()) is not None:
                for event in parser.feed(block):
                    yield checked(event)
                    if event.is_last:
                        return
            raise cut_short()
        finally:
            exchange.close()

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _begin(self, call: Call, accept: str, timeout: float | None) -> _Exchange:
        if self._address is None:
            self._address = ensure_server(self._wanted)
        address = self._address
        parts = request(call, address, accept)
        try:
            connection = self._take() or _connect(address, timeout)
        except OSError as error:
            raise unreachable(address, error) from error
        exchange = _Exchange(connection, address)
        try:
            exchange.send(parts, timeout)
        except BaseException:
            exchange.close()
            raise
        return exchange

    def _take(self) -> socket.socket | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            # An idle connection has nothing to read but its end.
            # A request is never sent twice: it may have had its effect.
            if not is_readable(connection.fileno()):
                return connection
            connection.close()

    def _keep(self, exchange: _Exchange) -> None:
        if exchange.answer.keeps_connection:
            connection = exchange.release()
            with self._lock:
                self._idle.append(connection)


class _Exchange:
    """One request on a connection, and its answer."""

    def __init__(self, connection: socket.socket, address: Address) -> None:
        self.answer = Answer()
        self._connection: socket.socket | None = connection
        self._address = address
        self._first = b""

    def send(self, parts: list[bytes], timeout: float | None) -> None:
        """Send the request and wait for the answer's head."""
        assert self._connection is not None
        with self._broken():
            self._connection.settimeout(timeout)
            # A server that takes no more of a body may have said why.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                for part in parts:
                    self._connection.sendall(part)
            while self.answer.status == 0:
                self._first = self._receive()

    def read(self) -> bytes | None:
        """What comes next of the body; `None` at its end."""
        block, self._first = self._first, b""
        with self._broken():
            while not block and not self.answer.is_complete:
                block = self._receive()
        return block or None

    def rest(self) -> bytes:
        """All of the body that is still to come."""
        if self.answer.left and len(self._first) + self.answer.left <= MAXIMUM_PLACE:
            return self._rest_in_place()
        blocks = []
        while (block := self.read()) is not None:
            blocks.append(block)
        return b"".join(blocks)

    def _rest_in_place(self) -> bytes:
        """The rest of a body of known length, read to where it stays: with large files each copy counts."""
        assert self._connection is not None
        assert self.answer.left is not None
        at = len(self._first)
        # What getvalue() gives in the end is this very object, as long as nobody else holds it.
        place = io.BytesIO(bytes(at + self.answer.left))
        with self._broken(), place.getbuffer() as view:
            view[:at] = self._first
            while not self.answer.is_complete:
                count = self._connection.recv_into(view[at:])
                if count == 0:
                    self.answer.end()
                self.answer.took(count)
                at += count
        self._first = b""
        return place.getvalue()

    def release(self) -> socket.socket:
        """Give the connection away, for the next request."""
        assert self._connection is not None
        connection, self._connection = self._connection, None
        return connection

    def close(self) -> None:
        """Close the connection, unless it was given away."""
        if self._connection is not None:
            self._connection.close()

    def _receive(self) -> bytes:
        assert self._connection is not None
        data = self._connection.recv(BLOCK)
        if not data:
            self.answer.end()
        return self.answer.feed(data) if data else b""

    @contextlib.contextmanager
    def _broken(self) -> Generator[None, None, None]:
        try:
            yield
        except (OSError, BadAnswer) as error:
            raise unreachable(self._address, error) from error


def _connect(address: Address, timeout: float | None) -> socket.socket:
    if address.socket_path:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(timeout)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
            connection.connect(address.socket_path)
        except BaseException:
            connection.close()
            raise
        return connection
    host, port = address.host_and_port
    connection = socket.create_connection((host, port), timeout)
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if address.is_tls:
            return ssl.create_default_context().wrap_socket(connection, server_hostname=host)
    except BaseException:
        connection.close()
        raise
    return connection
