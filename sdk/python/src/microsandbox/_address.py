"""Where the server is, and with which key: what the caller says, then the environment, then the local defaults."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from ._errors import InvalidRequestError

DEFAULT_URL = "http://127.0.0.1:5555"
DEFAULT_SOCKET = Path("/run/microsandbox/msb.sock")


@dataclass(frozen=True)
class Address:
    """A server's address. With a socket path, HTTP is spoken over that unix socket and no key is needed."""

    url: str
    socket_path: str | None = None
    api_key: str | None = None
    configured: bool = True
    """Whether somebody named this address; only an unnamed one may be started by the client."""

    @property
    def host_and_port(self) -> tuple[str, int]:
        """For connecting by TCP."""
        parts = urlsplit(self.url)
        return parts.hostname or "127.0.0.1", parts.port or (443 if parts.scheme == "https" else 80)

    @cached_property
    def host(self) -> str:
        """For the header of that name."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    @cached_property
    def prefix(self) -> str:
        """What stands before all paths."""
        return urlsplit(self.url).path

    @property
    def is_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.url.startswith("https://")

    def __repr__(self) -> str:
        """Say everything but the key."""
        return f"Address({self.socket_path or self.url!r})"


def resolve(server_url: str | None = None, api_key: str | None = None) -> Address:
    """Find the server: the argument, `MSB_SERVER_URL`, the local unix socket, the default TCP address."""
    key = api_key or os.environ.get("MSB_API_KEY") or None
    url = server_url or os.environ.get("MSB_SERVER_URL") or None
    if url is None:
        if socket_answers(DEFAULT_SOCKET):
            return Address("http://localhost", str(DEFAULT_SOCKET), key, configured=False)
        return Address(DEFAULT_URL, None, key, configured=False)
    if url.startswith("unix:"):
        path = url[len("unix:") :]
        return Address("http://localhost", "/" + path.lstrip("/"), key)
    if urlsplit(url).scheme not in ("http", "https"):
        raise InvalidRequestError(f"not a server's address: {url!r}; write http://host:port or unix:/path")
    return Address(url.rstrip("/"), None, key)


def socket_answers(path: Path) -> bool:
    """Whether a server accepts connections on a unix socket, and this user may connect."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def tcp_answers(address: Address) -> bool:
    """Whether something listens at a TCP address."""
    try:
        with socket.create_connection(address.host_and_port, timeout=1):
            return True
    except OSError:
        return False
