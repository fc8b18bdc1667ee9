"""Further interpreters of a sandbox. Generated from `_async`."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any

from .. import _wire
from .._errors import ContextNotFoundError, SandboxNotFoundError, SandboxNotRunningError
from .._events import Event
from .._results import SyncExecution as Execution
from .session import Session


class Context:
    """An interpreter of a sandbox, with a state of its own. `with` closes it at the end of the block.

    `ready` and `interpreter_version` are as they were when it was opened or listed; the version is `None` until it is
    ready.
    """

    def __init__(self, session: Session, body: Mapping[str, Any]) -> None:
        self._session = session
        self.id = str(body["id"])
        self.language = str(body["language"])
        self.ready = bool(body.get("ready", False))
        version = body.get("interpreter_version")
        self.interpreter_version: str | None = None if version is None else str(version)

    def run(
        self,
        code: str,
        *,
        timeout: float | None = None,
        keep_running: bool | None = None,
        output_limit: int | None = None,
    ) -> Execution:
        """Run a cell in it and wait for its end; the options are those of the sandbox's `run`."""
        call = _wire.run(self._session.target, code, timeout, keep_running, output_limit, context=self.id)
        return Execution(self._session.call(call), self.language)

    def stream(
        self,
        code: str,
        *,
        timeout: float | None = None,
        keep_running: bool | None = None,
        encoding: str | None = None,
    ) -> Generator[Event, None, None]:
        """Run a cell in it and give its events as they happen. Leaving the iteration early interrupts the cell."""
        call = _wire.run(self._session.target, code, timeout, keep_running, context=self.id, encoding=encoding)
        return self._session.events(call)

    def close(self) -> None:
        """End it; its state is lost. Nothing happens where it is gone already. A default context stays open."""
        with suppress(ContextNotFoundError, SandboxNotFoundError, SandboxNotRunningError):
            self._session.call(_wire.close_context(self._session.target, self.id))

    def __enter__(self) -> Context:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(id={self.id!r}, language={self.language!r})"


class Contexts:
    """The interpreters of a sandbox: a default one for each language, named like it, and those that were opened."""

    def __init__(self, session: Session, language: str) -> None:
        self._session = session
        self._language = language

    def open(
        self,
        language: str | None = None,
        *,
        id: str | None = None,
        env: Mapping[str, str] | None = None,
        working_directory: str | None = None,
        user: str | None = None,
    ) -> Context:
        """Open a further one: of the sandbox's language and with a new id, unless these are given."""
        call = _wire.open_context(self._session.target, language or self._language, id, env, working_directory, user)
        return Context(self._session, self._session.call(call))

    def list(self) -> Sequence[Context]:
        """Give all that are open."""
        body = self._session.call(_wire.contexts(self._session.target))
        return [Context(self._session, entry) for entry in body["contexts"]]

    def close(self, id: str) -> None:
        """End one; its state is lost."""
        self._session.call(_wire.close_context(self._session.target, id))
