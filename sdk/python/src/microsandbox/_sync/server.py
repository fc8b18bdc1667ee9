"""A server, whatever its sandboxes. Generated from `_async`."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType

from .. import _wire
from .._address import resolve
from .._http_sync import SyncTransport
from .._types import ImageInfo, SandboxInfo, ServerInfo


class Server:
    """What a server has: `with Server() as server:`, or `close` it in the end.

    Where no server is named (`server_url`, `MSB_SERVER_URL`) the local one is used, and started if need be.
    """

    def __init__(self, server_url: str | None = None, api_key: str | None = None) -> None:
        self._transport = SyncTransport(resolve(server_url, api_key))

    def sandboxes(
        self, *, namespace: str | None = None, labels: Mapping[str, str] | None = None
    ) -> list[SandboxInfo]:
        """List the caller's sandboxes, the oldest first: of one namespace or of all, with all of the `labels`."""
        found: list[SandboxInfo] = self._transport.call(_wire.sandboxes(namespace, labels))["sandboxes"]
        return found

    def images(self) -> list[ImageInfo]:
        """List the images that sandboxes can be made of."""
        found: list[ImageInfo] = self._transport.call(_wire.images())["images"]
        return found

    def info(self) -> ServerInfo:
        """What the server says of itself."""
        answer: ServerInfo = self._transport.call(_wire.server_info())
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
