"""What the questions of one run share: the effort, a server, and the peers that this machine has."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import cached_property

from . import peers
from .figure import Effort
from .server import Server
from .web import Web


class Lab:
    """Things are made when first asked for, and end with the lab."""

    def __init__(self, effort: Effort) -> None:
        self.effort = effort
        self._stack = ExitStack()

    @cached_property
    def web(self) -> Web:
        """A web server on the host."""
        return self._stack.enter_context(Web())

    @cached_property
    def server(self) -> Server:
        """The server for all questions that need none of their own, with a sandbox of each image ready and no more.

        Sandboxes reach the web server as `web.test`.

        The clients of this process use it too, by the environment.
        """
        server = self._stack.enter_context(
            closing(Server("pool-max=1", f"name-map=web.test=127.0.0.1:{self.web.port}"))
        )
        os.environ["MSB_SERVER_URL"] = server.url
        return server

    @cached_property
    def containers(self) -> dict[str, Callable[[], None]]:
        """The container runtimes, each running one Python program from our image."""
        return peers.containers(self._stack)

    @cached_property
    def kernel(self) -> Callable[[], object]:
        """ipykernel, running one cell."""
        return peers.kernel(self._stack)

    def close(self) -> None:
        """Ends everything."""
        self._stack.close()
