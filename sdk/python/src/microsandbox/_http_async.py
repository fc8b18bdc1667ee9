"""The asynchronous transport: HTTP/1.1 on kept connections, over TCP or the unix socket."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator, Generator
from typing import Any

from ._address import Address
from ._errors import error_from
from ._events import Event, EventParser, checked, cut_short
from ._http1 import Answer, BadAnswer, is_readable, request
from ._local import ensure_server
from ._wire import SILENCE_SECONDS, Call, decode, parsed, unreachable

# Bytes that wait to be taken before no more are read.
MAXIMUM_WAITING = 256 * 1024


class AsyncTransport:
    """Connections to one server, a free one for each call, from one event loop."""

    def __init__(self, address: Address) -> None:
        self._wanted = address
        self._address: Address | None = None
        self._idle: list[_Connection] = []
        self._busy: set[_Connection] = set()

    async def call(self, call: Call) -> Any:
        """Make a call and give its parsed answer."""
        exchange = await self._open(call.timeout)
        try:
            with exchange.limited(call.timeout):
                await exchange.send(request(call, exchange.address, "application/json"))
            body = await exchange.rest(call.timeout)
        finally:
            self._release(exchange)
        if exchange.answer.status >= 400:
            raise error_from(parsed(body), exchange.answer.status)
        return decode(call, body)

    async def events(self, call: Call) -> AsyncGenerator[Event, None]:
        """Make a call that is answered by events. Closing the iterator early closes the connection."""
        exchange = await self._open(SILENCE_SECONDS)
        try:
            with exchange.limited(SILENCE_SECONDS):
                await exchange.send(request(call, exchange.address, "text/event-stream"))
                if exchange.answer.status >= 400:
                    raise error_from(parsed(await exchange.rest(SILENCE_SECONDS)), exchange.answer.status)
            parser = EventParser()
            while True:
                with exchange.limited(SILENCE_SECONDS):
                    block = await exchange.read()
                if block is None:
                    raise cut_short()
                for event in parser.feed(block):
                    yield checked(event)
                    if event.is_last:
                        return
        finally:
            self._release(exchange)

    async def close(self) -> None:
        """Close all connections."""
        for connection in [*self._idle, *self._busy]:
            connection.close()
        self._idle = []
        # The loop closes them in its next turn.
        await asyncio.sleep(0)

    async def _open(self, timeout: float | None) -> _Exchange:
        if self._address is None:
            self._address = await asyncio.get_running_loop().run_in_executor(None, ensure_server, self._wanted)
        connection = self._take()
        if connection is None:
            try:
                connection = await asyncio.wait_for(_connect(self._address), timeout)
            except (OSError, asyncio.TimeoutError) as error:
                raise unreachable(self._address, error) from error
        self._busy.add(connection)
        return _Exchange(connection, self._address)

    def _take(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            # An idle connection has nothing to read but its end.
            # A request is never sent twice: it may have had its effect.
            if connection.is_usable:
                return connection
            connection.close()
        return None

    def _release(self, exchange: _Exchange) -> None:
        self._busy.discard(exchange.connection)
        if exchange.is_reusable:
            self._idle.append(exchange.connection)
        else:
            exchange.connection.close()


class _Connection(asyncio.Protocol):
    """A connection, and what it has brought that nobody has taken yet."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._waiter: asyncio.Future[None] | None = None
        self._is_paused = False
        self._end: Exception | None = None

    @property
    def is_usable(self) -> bool:
        """Whether a request can be sent on it."""
        return (
            self._end is None and not self._buffer and self._transport is not None and not _has_ended(self._transport)
        )

    def write(self, data: bytes) -> None:
        """Send bytes, in their turn."""
        assert self._transport is not None
        self._transport.write(data)

    async def receive(self) -> bytes:
        """What has come, at least one byte; empty where the other end has said all."""
        if not self._buffer and self._end is None:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if self._buffer:
            data = bytes(self._buffer)
            self._buffer.clear()
            if self._is_paused and self._transport is not None:
                self._is_paused = False
                self._transport.resume_reading()
            return data
        if isinstance(self._end, EOFError):
            return b""
        raise self._end or OSError("the connection is closed")

    def fail(self, error: Exception) -> None:
        """End it, with the reason that who reads it is told."""
        self._over(error)
        self.close()

    def close(self) -> None:
        """End it at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be told by the loop that it is open."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Be given bytes by the loop; ask for no more while they are not taken."""
        self._buffer += data
        if len(self._buffer) > MAXIMUM_WAITING and not self._is_paused and self._transport is not None:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Be told by the loop that the other end has said all."""
        self._over(EOFError())

    def connection_lost(self, error: Exception | None) -> None:
        """Be told by the loop that it is closed."""
        self._over(error or OSError("the connection is closed"))

    def _over(self, error: Exception) -> None:
        self._end = self._end or error
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class _Exchange:
    """One request on a connection, and its answer."""

    def __init__(self, connection: _Connection, address: Address) -> None:
        self.connection = connection
        self.address = address
        self.answer = Answer()
        self._first = b""

    @property
    def is_reusable(self) -> bool:
        """Whether all of the answer was read and the connection carries another request."""
        return self.answer.is_complete and self.answer.keeps_connection and self.connection.is_usable

    async def send(self, parts: list[bytes]) -> None:
        """Send the request and wait for the answer's head."""
        for part in parts:
            self.connection.write(part)
        while self.answer.status == 0:
            self._first = await self._receive()

    async def read(self) -> bytes | None:
        """What comes next of the body; `None` at its end."""
        block, self._first = self._first, b""
        while not block and not self.answer.is_complete:
            block = await self._receive()
        return block or None

    async def rest(self, timeout: float | None) -> bytes:
        """All of the body that is still to come, each part of it within the time limit."""
        blocks: list[bytes] = []
        while True:
            with self.limited(timeout):
                block = await self.read()
            if block is None:
                return b"".join(blocks)
            blocks.append(block)

    @contextlib.contextmanager
    def limited(self, seconds: float | None) -> Generator[None, None, None]:
        """End the connection where this takes longer, and make what breaks it the client's error."""
        limit = None
        if seconds is not None:
            late = OSError(f"nothing within {seconds:g} s")
            limit = asyncio.get_running_loop().call_later(seconds, self.connection.fail, late)
        try:
            yield
        except (OSError, BadAnswer) as error:
            raise unreachable(self.address, error) from error
        finally:
            if limit is not None:
                limit.cancel()

    async def _receive(self) -> bytes:
        data = await self.connection.receive()
        if not data:
            self.answer.end()
        return self.answer.feed(data) if data else b""


async def _connect(address: Address) -> _Connection:
    loop = asyncio.get_running_loop()
    if address.socket_path:
        return (await loop.create_unix_connection(_Connection, address.socket_path))[1]
    host, port = address.host_and_port
    encryption = ssl.create_default_context() if address.is_tls else None
    return (await loop.create_connection(_Connection, host, port, ssl=encryption))[1]


def _has_ended(transport: asyncio.Transport) -> bool:
    """Whether the other end has closed it; the loop may not have seen that yet."""
    return transport.is_closing() or is_readable(transport.get_extra_info("socket").fileno())
