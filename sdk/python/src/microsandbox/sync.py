"""The synchronous twin, with the same names. Generated from `_async.py`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, ClassVar, TypeVar

from . import _wire
from ._errors import NameTakenError, SandboxNotFoundError, SandboxNotRunningError
from ._events import Event
from ._http_sync import SyncTransport
from ._results import MetricsView
from ._results import SyncCommandExecution as CommandExecution
from ._results import SyncExecution as Execution
from ._settings import START_SECONDS, Settings

SandboxT = TypeVar("SandboxT", bound="BaseSandbox")


class BaseSandbox:
    """A sandbox with interpreters that keep their state between runs.

    Used as `with PythonSandbox.create(name="demo") as sb:`, which starts it and stops it at the end,
    or by hand with `start` and `stop`. One object may be used from several threads.

    Where no server is named (`server_url`, `MSB_SERVER_URL`) the local one is used, and started if need be.
    `api_key` or `MSB_API_KEY` is sent where there is one. `memory` and `disk` are in MiB, `time_to_live` and
    `idle_timeout` in seconds (0: never), `network` is `none` or `public`. An `ephemeral` sandbox is removed when it is
    stopped.

    All methods raise `SandboxError`, by the code of what went wrong; what the code inside does wrong is a result.
    """

    language: ClassVar[str] = "python"
    default_image: ClassVar[str] = "microsandbox/python"

    def __init__(
        self,
        server_url: str | None = None,
        namespace: str = "default",
        name: str | None = None,
        api_key: str | None = None,
        *,
        image: str | None = None,
        memory: int | None = None,
        cpus: float | None = None,
        processes: int | None = None,
        disk: int | None = None,
        env: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        network: str | None = None,
        time_to_live: float | None = None,
        idle_timeout: float | None = None,
        ephemeral: bool = True,
        start_timeout: float = START_SECONDS,
    ) -> None:
        self._settings = Settings.of(
            self.default_image, server_url, namespace, name, api_key, image, memory, cpus, processes, disk,
            env, labels, network, time_to_live, idle_timeout, ephemeral, start_timeout,
        )  # fmt: skip
        self._transport = SyncTransport(self._settings.address)
        self._started = False

    @classmethod
    def create(
        cls: type[SandboxT],
        server_url: str | None = None,
        namespace: str = "default",
        name: str | None = None,
        api_key: str | None = None,
        *,
        image: str | None = None,
        memory: int | None = None,
        cpus: float | None = None,
        processes: int | None = None,
        disk: int | None = None,
        env: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        network: str | None = None,
        time_to_live: float | None = None,
        idle_timeout: float | None = None,
        ephemeral: bool = True,
        start_timeout: float = START_SECONDS,
    ) -> SandboxT:
        """Create and start a sandbox: `with cls.create(…) as sb`, or keep it and `stop` it later."""
        sandbox = cls(
            server_url, namespace, name, api_key,
            image=image, memory=memory, cpus=cpus, processes=processes, disk=disk, env=env, labels=labels,
            network=network, time_to_live=time_to_live, idle_timeout=idle_timeout, ephemeral=ephemeral,
            start_timeout=start_timeout,
        )  # fmt: skip
        return sandbox.__enter__()

    @property
    def name(self) -> str:
        """Its name, generated where none was given."""
        return self._settings.target.name

    @property
    def namespace(self) -> str:
        """The namespace in which its name is unique."""
        return self._settings.target.namespace

    @property
    def is_started(self) -> bool:
        """Whether this object has started it and not stopped it."""
        return self._started

    @property
    def command(self) -> Command:
        """Runs programs in it."""
        return Command(self)

    @property
    def metrics(self) -> Metrics:
        """Tells what it uses."""
        return Metrics(self)

    @property
    def files(self) -> Files:
        """Reads and writes its files."""
        return Files(self)

    def get_default_image(self) -> str:
        """Give the image that is used where none is named."""
        return self.default_image

    def start(
        self,
        image: str | None = None,
        memory: int | None = None,
        cpus: float | None = None,
        timeout: float | None = None,
    ) -> None:
        """Create it and wait until it is usable; nothing happens where this object has started it already."""
        if self._started:
            return
        self._settings = self._settings.with_sizes(image, memory, cpus)
        limit = timeout if timeout is not None else self._settings.start_timeout
        try:
            self._transport.call(_wire.create(self._settings.target, self._settings.options, limit))
        except NameTakenError:
            if self._settings.options.ephemeral:
                raise
            self._transport.call(_wire.start(self._settings.target, limit))
        self._started = True

    def stop(self) -> None:
        """End its processes; an ephemeral one is removed. Nothing happens where it is stopped already."""
        try:
            if self._started:
                self._started = False
                self._transport.call(_wire.stop(self._settings.target))
        except (SandboxNotFoundError, SandboxNotRunningError):
            pass  # it has ended by itself
        finally:
            self._transport.close()

    def delete(self) -> None:
        """End it and remove all that there is of it, its disk too. Nothing happens where it is gone already."""
        self._started = False
        try:
            self._transport.call(_wire.delete(self._settings.target))
        except SandboxNotFoundError:
            pass  # an ephemeral one that was stopped
        finally:
            self._transport.close()

    def info(self) -> Mapping[str, Any]:
        """What the server knows of it: id, state, image, limits, times."""
        answer: Mapping[str, Any] = self._call(_wire.info(self._settings.target))
        return answer

    def run(
        self,
        code: str,
        *,
        timeout: float | None = None,
        context: str | None = None,
        keep_running: bool | None = None,
    ) -> Execution:
        """Run a cell and wait for its end.

        `timeout` is in seconds (the server's default is 300, 0 is none); when it is over the cell is interrupted,
        and its state kept if it yields. With `keep_running` the cell goes on when this client goes away.
        """
        call = _wire.run(self._settings.target, self.language, code, timeout, context, keep_running)
        return Execution(self._call(call), self.language)

    def stream(
        self,
        code: str,
        *,
        timeout: float | None = None,
        context: str | None = None,
        keep_running: bool | None = None,
    ) -> Iterator[Event]:
        """Run a cell and give its events as they happen. Leaving the iteration early interrupts the cell."""
        self._require_started()
        call = _wire.run(self._settings.target, self.language, code, timeout, context, keep_running)
        events = self._transport.events(call)
        try:
            for event in events:
                yield event
        finally:
            events.close()  # type: ignore[attr-defined]

    def __enter__(self: SandboxT) -> SandboxT:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _call(self, call: _wire.Call) -> Any:
        self._require_started()
        return self._transport.call(call)

    def _require_started(self) -> None:
        if not self._started:
            raise SandboxNotRunningError("Sandbox is not started. Call start() first.")

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, started={self._started})"


class PythonSandbox(BaseSandbox):
    """A sandbox whose cells are Python, with pip."""

    language: ClassVar[str] = "python"
    default_image: ClassVar[str] = "microsandbox/python"


class NodeSandbox(BaseSandbox):
    """A sandbox whose cells are JavaScript, with npm."""

    language: ClassVar[str] = "node"
    default_image: ClassVar[str] = "microsandbox/node"


class Command:
    """Programs in a sandbox."""

    def __init__(self, sandbox: BaseSandbox) -> None:
        self._sandbox = sandbox

    def run(
        self,
        command: str,
        args: Sequence[str] | None = None,
        timeout: float | None = None,
        *,
        env: Mapping[str, str] | None = None,
        working_directory: str | None = None,
        user: str | None = None,
        stdin: str | None = None,
    ) -> CommandExecution:
        """Run a program and wait for its end; no shell is involved. `user` is `sandbox` (the default) or `root`."""
        given = list(args or ())
        call = _wire.command(
            self._sandbox._settings.target, command, given, timeout, env, working_directory, user, stdin
        )
        return CommandExecution(self._sandbox._call(call), command, given)

    def stream(
        self,
        command: str,
        args: Sequence[str] | None = None,
        timeout: float | None = None,
        *,
        env: Mapping[str, str] | None = None,
        working_directory: str | None = None,
        user: str | None = None,
        stdin: str | None = None,
    ) -> Iterator[Event]:
        """Run a program and give its events as they happen. Leaving the iteration early ends it."""
        self._sandbox._require_started()
        call = _wire.command(
            self._sandbox._settings.target,
            command,
            list(args or ()),
            timeout,
            env,
            working_directory,
            user,
            stdin,
        )
        events = self._sandbox._transport.events(call)
        try:
            for event in events:
                yield event
        finally:
            events.close()  # type: ignore[attr-defined]


class Metrics:
    """What a sandbox uses."""

    def __init__(self, sandbox: BaseSandbox) -> None:
        self._sandbox = sandbox

    def all(self) -> dict[str, Any]:
        """Everything, as the server gives it."""
        return self._view().all()

    def cpu(self) -> float | None:
        """Processing time in use, in per cent of one CPU."""
        return self._view().cpu()

    def memory(self) -> int | None:
        """Memory in use, in MiB."""
        return self._view().memory()

    def disk(self) -> int | None:
        """Bytes that its writable layer takes."""
        return self._view().disk()

    def is_running(self) -> bool:
        """Whether it runs."""
        return self._view().is_running()

    def _view(self) -> MetricsView:
        return MetricsView(self._sandbox._call(_wire.metrics(self._sandbox._settings.target)))


class Files:
    """Small files of a sandbox, with the rights of its user. Relative paths begin at the user's home."""

    def __init__(self, sandbox: BaseSandbox) -> None:
        self._sandbox = sandbox

    def read(self, path: str) -> bytes:
        """Read a whole file."""
        content: bytes = self._sandbox._call(_wire.read_file(self._sandbox._settings.target, path))
        return content

    def read_text(self, path: str) -> str:
        """Read a whole file as UTF-8."""
        return self.read(path).decode()

    def write(self, path: str, content: bytes | str) -> None:
        """Write a whole file, in one step as far as others can see; missing folders are made."""
        data = content.encode() if isinstance(content, str) else content
        self._sandbox._call(_wire.write_file(self._sandbox._settings.target, path, data))
