"""The asynchronous transport: aiohttp, with kept connections, over TCP or the unix socket.

Chosen by measuring a round trip over a unix socket: aiohttp 187 µs, httpx 494 µs, bare asyncio streams 99 µs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp

from ._address import Address
from ._errors import ServerUnreachableError, error_from
from ._events import Event, EventParser, checked, cut_short
from ._local import ensure_server
from ._wire import SILENCE_SECONDS, Call, decode, headers_for, parsed, unreachable

MAXIMUM_CONNECTIONS = 1_000
_BROKEN = (aiohttp.ClientError, asyncio.TimeoutError)
_STREAM_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_read=SILENCE_SECONDS)


class AsyncTransport:
    """Connections to one server, from one event loop."""

    def __init__(self, address: Address) -> None:
        self._wanted = address
        self._address: Address | None = None
        self._session: aiohttp.ClientSession | None = None

    async def call(self, call: Call) -> Any:
        """Make a call and give its parsed answer."""
        response = await self._send(call, "application/json", aiohttp.ClientTimeout(total=call.timeout))
        try:
            async with response:
                body = await response.read()
        except _BROKEN as error:
            raise self._unreachable(error) from error
        if response.status >= 400:
            raise error_from(parsed(body), response.status)
        return decode(call, body)

    async def events(self, call: Call) -> AsyncGenerator[Event, None]:
        """Make a call that is answered by events. Closing the iterator early closes the connection."""
        response = await self._send(call, "text/event-stream", _STREAM_TIMEOUT)
        try:
            if response.status >= 400:
                raise error_from(parsed(await response.read()), response.status)
            parser = EventParser()
            async for block in response.content.iter_any():
                for event in parser.feed(block):
                    yield checked(event)
                    if event.is_last:
                        return
            raise cut_short()
        except _BROKEN as error:
            raise self._unreachable(error) from error
        finally:
            response.close()

    async def close(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _send(self, call: Call, accept: str, timeout: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        address = await self._address_now()
        session = self._open(address)
        try:
            return await session.request(
                call.method,
                address.url + call.target,
                data=call.body,
                headers=headers_for(address, accept, call),
                timeout=timeout,
                allow_redirects=False,
            )
        except _BROKEN as error:
            raise self._unreachable(error) from error

    def _open(self, address: Address) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            connector: aiohttp.BaseConnector
            if address.socket_path:
                connector = aiohttp.UnixConnector(address.socket_path, limit=MAXIMUM_CONNECTIONS)
            else:
                connector = aiohttp.TCPConnector(limit=MAXIMUM_CONNECTIONS)
            self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False)
        return self._session

    async def _address_now(self) -> Address:
        if self._address is None:
            self._address = await asyncio.get_running_loop().run_in_executor(None, ensure_server, self._wanted)
        return self._address

    def _unreachable(self, error: Exception) -> ServerUnreachableError:
        address = self._address or self._wanted
        return unreachable(address, error)
