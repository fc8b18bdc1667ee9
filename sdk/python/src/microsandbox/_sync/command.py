"""Programs in a sandbox. Generated from `_async`."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence

from .. import _wire
from .._events import Event
from .._results import SyncCommandExecution as CommandExecution
from .session import Session


class Command:
    """Runs programs in a sandbox; no shell is involved."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def run(
        self,
        command: str,
        args: Sequence[str] | None = None,
        timeout: float | None = None,
        *,
        env: Mapping[str, str] | None = None,
        working_directory: str | None = None,
        user: str | None = None,
        stdin: str | bytes | None = None,
        keep_running: bool | None = None,
        output_limit: int | None = None,
    ) -> CommandExecution:
        """Run a program and wait for its end.

        `timeout` is in seconds (the server's default is 300, 0 is none), `user` is `sandbox` (the default) or `root`.
        `stdin` is what it reads, nothing where missing. With `keep_running` it goes on when this client goes away.
        `output_limit` is how many bytes are kept of each output, its first and last part (1 MiB).
        """
        given = list(args or ())
        call = _wire.command(
            self._session.target, [command, *given], timeout, env, working_directory, user, stdin, keep_running,
            output_limit,
        )  # fmt: skip
        return CommandExecution(self._session.call(call), command, given)

    def stream(
        self,
        command: str,
        args: Sequence[str] | None = None,
        timeout: float | None = None,
        *,
        env: Mapping[str, str] | None = None,
        working_directory: str | None = None,
        user: str | None = None,
        stdin: str | bytes | None = None,
        keep_running: bool | None = None,
        encoding: str | None = None,
    ) -> Generator[Event, None, None]:
        """Run a program and give its events as they happen. Leaving the iteration early ends it.

        With `encoding="base64"` the bytes come as they are, as `Event.content`; else as text.
        """
        call = _wire.command(
            self._session.target, [command, *(args or ())], timeout, env, working_directory, user, stdin, keep_running,
            encoding=encoding,
        )  # fmt: skip
        return self._session.events(call)

    def signal(self, run_id: str, signal: int, *, group: bool = True) -> None:
        """Send a signal, by its number, to a command and all of its process group. Harmless after its end."""
        self._session.call(_wire.signal(self._session.target, run_id, signal, group))
