"""A server, whatever its sandboxes."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType

from .. import _wire
from .._address import resolve
from .._http_async import AsyncTransport
from .._types import ImageInfo, SandboxInfo, ServerInfo


class Server:
    """What a server has: `async with Server() as server:`, or `close` it in the end.

    Where no server is named (`server_url`, `MSB_SERVER_URL`) the local one is used, and started if need be.
    """

    def __init__(self, server_url: str | None = None, api_key: str | None = None) -> None:
        self._transport = AsyncTransport(resolve(server_url, api_key))

    async def sandboxes(
        self, *, namespace: str | None = None, labels: Mapping[str, str] | None = None
    ) -> list[SandboxInfo]:
        """List the caller's sandboxes, the oldest first: of one namespace or of all, with all of the `labels`."""
        found: list[SandboxInfo] = (await self._transport.call(_wire.sandboxes(namespace, labels)))["sandboxes"]
        return found

    async def images(self) -> list[ImageInfo]:
        """List the images that sandboxes can be made of."""
        found: list[ImageInfo] = (await self._transport.call(_wire.images()))["images"]
        return found

    async def info(self) -> ServerInfo:
        """What the server says of itself."""
        answer: ServerInfo = await self._transport.call(_wire.server_info())
        return answer

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def __aenter__(self) -> Server:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
