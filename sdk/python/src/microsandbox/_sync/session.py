"""What a sandbox shares with its parts. Generated from `_async`."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from typing import Any

from .. import _wire
from .._errors import NameTakenError, SandboxNotFoundError, SandboxNotRunningError
from .._events import Event
from .._http_sync import SyncTransport
from .._settings import Settings
from .._types import SandboxInfo


class Session:
    """The server, the sandbox that is meant, and what this side knows of its life."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.transport = SyncTransport(settings.address)
        self.is_started = False
        self._exists = False

    @property
    def target(self) -> _wire.Target:
        """How its paths name it."""
        return self.settings.target

    def start(
        self,
        image: str | None = None,
        memory: int | None = None,
        cpus: float | None = None,
        timeout: float | None = None,
    ) -> None:
        """Create it, or start it where it exists and outlives a stop."""
        if self.is_started:
            return
        self.settings = self.settings.with_sizes(image, memory, cpus)
        limit = timeout if timeout is not None else self.settings.start_timeout
        if self.target.id is not None:
            self.transport.call(_wire.start(self.target, limit))
        else:
            try:
                self.transport.call(_wire.create(self.target, self.settings.options, limit))
            except NameTakenError:
                if self.settings.options.ephemeral:
                    raise
                self.transport.call(_wire.start(self.target, limit))
        self.is_started = self._exists = True

    def adopt(self) -> None:
        """Take over what the server knows of one that exists, and name it by its id from now on."""
        if self._exists:
            return
        info: SandboxInfo = self.transport.call(_wire.info(self.target))
        self.settings = self.settings.adopting(info)
        self.is_started = info["state"] == "running"
        self._exists = True

    def stop(self) -> None:
        """Stop it; nothing happens where it is stopped or gone."""
        try:
            if self.is_started:
                self._end(_wire.stop(self.target))
                self._exists = not self.settings.options.ephemeral
        finally:
            self.transport.close()

    def delete(self) -> None:
        """Remove it; nothing happens where it is gone."""
        try:
            self._end(_wire.delete(self.target))
            self._exists = False
        finally:
            self.transport.close()

    def call(self, call: _wire.Call) -> Any:
        """Make a call that a running sandbox answers."""
        self._require(self.is_started)
        return self.transport.call(call)

    def ask(self, call: _wire.Call) -> Any:
        """Make a call that a stopped sandbox answers too."""
        self._require(self._exists)
        return self.transport.call(call)

    def events(self, call: _wire.Call) -> Generator[Event, None, None]:
        """Make a call that a running sandbox answers with events."""
        self._require(self.is_started)
        return self.transport.events(call)

    def _end(self, call: _wire.Call) -> None:
        # It may have ended by itself.
        with suppress(SandboxNotFoundError, SandboxNotRunningError):
            self.transport.call(call)
        self.is_started = False

    def _require(self, condition: bool) -> None:
        if not condition:
            raise SandboxNotRunningError("Sandbox is not started. Call start() first.")
