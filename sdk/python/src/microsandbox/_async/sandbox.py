"""The asynchronous sandboxes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping
from types import TracebackType
from typing import Any, ClassVar, Generic, TypeVar

from .. import _wire
from .._events import Event
from .._results import Execution
from .._settings import START_SECONDS, Settings
from .._types import LogEntry, SandboxInfo
from .command import Command
from .contexts import Contexts
from .files import Files
from .metrics import Metrics
from .session import Session

SandboxT = TypeVar("SandboxT", bound="BaseSandbox")


class BaseSandbox:
    """A sandbox with interpreters that keep their state between runs.

    Used as `async with PythonSandbox.create(name="demo") as sb:`, which starts it and stops it at the end,
    or by hand with `start` and `stop`. One object belongs to one event loop.

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
        isolation: str | None = None,
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
        settings = Settings.of(
            self.default_image, server_url, namespace, name, api_key, image, isolation, memory, cpus, processes, disk,
            env, labels, network, time_to_live, idle_timeout, ephemeral, start_timeout,
        )  # fmt: skip
        self._link = Session(settings)
        self._is_adopted = False

    @classmethod
    def create(
        cls: type[SandboxT],
        server_url: str | None = None,
        namespace: str = "default",
        name: str | None = None,
        api_key: str | None = None,
        *,
        image: str | None = None,
        isolation: str | None = None,
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
    ) -> Creation[SandboxT]:
        """Create and start a sandbox: `async with cls.create(…) as sb`, or `await` it and `stop` it later."""
        sandbox = cls(
            server_url, namespace, name, api_key,
            image=image, isolation=isolation, memory=memory, cpus=cpus, processes=processes, disk=disk, env=env,
            labels=labels, network=network, time_to_live=time_to_live, idle_timeout=idle_timeout, ephemeral=ephemeral,
            start_timeout=start_timeout,
        )  # fmt: skip
        return Creation(sandbox)

    @classmethod
    def connect(
        cls: type[SandboxT],
        name: str,
        *,
        server_url: str | None = None,
        namespace: str = "default",
        api_key: str | None = None,
        start_timeout: float = START_SECONDS,
    ) -> Creation[SandboxT]:
        """Find one that exists by its name or id: `async with cls.connect(…) as sb`, or `await` it.

        The end of the block closes the connections and leaves the sandbox as it is; so does `close`. One that is
        stopped may be started.
        """
        sandbox = cls(server_url, namespace, name, api_key, start_timeout=start_timeout)
        sandbox._is_adopted = True
        return Creation(sandbox)

    @property
    def name(self) -> str:
        """Its name, generated where none was given."""
        return self._link.target.name

    @property
    def namespace(self) -> str:
        """The namespace in which its name is unique."""
        return self._link.target.namespace

    @property
    def is_started(self) -> bool:
        """Whether this object has started it, or found it running, and not stopped it."""
        return self._link.is_started

    @property
    def command(self) -> Command:
        """Runs programs in it."""
        return Command(self._link)

    @property
    def contexts(self) -> Contexts:
        """Opens further interpreters in it."""
        return Contexts(self._link, self.language)

    @property
    def metrics(self) -> Metrics:
        """Tells what it uses."""
        return Metrics(self._link)

    @property
    def files(self) -> Files:
        """Reads and writes its files."""
        return Files(self._link)

    async def get_default_image(self) -> str:
        """Give the image that is used where none is named."""
        return self.default_image

    async def start(
        self,
        image: str | None = None,
        memory: int | None = None,
        cpus: float | None = None,
        timeout: float | None = None,
    ) -> None:
        """Create it and wait until it is usable; nothing happens where this object has started it already."""
        await self._link.start(image, memory, cpus, timeout)

    async def stop(self) -> None:
        """End its processes; an ephemeral one is removed. Nothing happens where it is stopped already."""
        await self._link.stop()

    async def delete(self) -> None:
        """End it and remove all that there is of it, its disk too. Nothing happens where it is gone already."""
        await self._link.delete()

    async def close(self) -> None:
        """Close this object's connections and leave the sandbox as it is."""
        await self._link.transport.close()

    async def info(self) -> SandboxInfo:
        """What the server knows of it: id, state, image, limits, times."""
        answer: SandboxInfo = await self._link.ask(_wire.info(self._link.target))
        return answer

    async def extend(self, time_to_live: float | None = None, idle_timeout: float | None = None) -> SandboxInfo:
        """Change how long it lives, in seconds from now (0: no limit; `None`: as it was). It counts as use."""
        call = _wire.extend(self._link.target, time_to_live, idle_timeout)
        answer: SandboxInfo = await self._link.ask(call)
        return answer

    async def logs(self, after: int = 0, limit: int | None = None) -> list[LogEntry]:
        """Its log past a sequence number, the oldest line first, at most `limit` lines (1000)."""
        call = _wire.logs(self._link.target, after, limit)
        entries: list[LogEntry] = (await self._link.ask(call))["entries"]
        return entries

    async def run(
        self,
        code: str,
        *,
        timeout: float | None = None,
        context: str | None = None,
        keep_running: bool | None = None,
        output_limit: int | None = None,
    ) -> Execution:
        """Run a cell and wait for its end.

        `timeout` is in seconds (the server's default is 300, 0 is none); when it is over the cell is interrupted,
        and its state kept if it yields. `context` is the id of an interpreter, the language's own where missing. With
        `keep_running` the cell goes on when this client goes away. `output_limit` is how many bytes are kept of each
        output, its first and last part (1 MiB).
        """
        call = _wire.run(
            self._link.target, code, timeout, keep_running, output_limit, language=self.language, context=context
        )
        return Execution(await self._link.call(call), self.language)

    def stream(
        self,
        code: str,
        *,
        timeout: float | None = None,
        context: str | None = None,
        keep_running: bool | None = None,
        encoding: str | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Run a cell and give its events as they happen. Leaving the iteration early interrupts the cell.

        With `encoding="base64"` the bytes of outputs come as they are, as `Event.content`; else as text.
        """
        call = _wire.run(
            self._link.target, code, timeout, keep_running, language=self.language, context=context, encoding=encoding
        )
        return self._link.events(call)

    def attach(self, run_id: str, offset: int = 0, *, encoding: str | None = None) -> AsyncGenerator[Event, None]:
        """Give the events of a cell or command that runs, or has ended lately, from an offset of its output.

        `offset` is the `Event.offset` of the last output that was seen; what is no longer kept is left out. Leaving
        the iteration early interrupts the run where nobody else follows it, unless it was begun with `keep_running`.
        """
        return self._link.events(_wire.attach(self._link.target, run_id, offset, encoding))

    async def interrupt(self, run_id: str) -> None:
        """Stop a cell or command, whoever began it; its outcome will be `interrupted`. Harmless after its end."""
        await self._link.call(_wire.interrupt(self._link.target, run_id))

    async def __aenter__(self: SandboxT) -> SandboxT:
        try:
            await (self._link.adopt() if self._is_adopted else self._link.start())
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await (self.close() if self._is_adopted else self.stop())

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, started={self.is_started})"


class PythonSandbox(BaseSandbox):
    """A sandbox whose cells are Python, with pip."""

    language: ClassVar[str] = "python"
    default_image: ClassVar[str] = "microsandbox/python"


class NodeSandbox(BaseSandbox):
    """A sandbox whose cells are JavaScript, with npm."""

    language: ClassVar[str] = "node"
    default_image: ClassVar[str] = "microsandbox/node"


class Creation(Generic[SandboxT]):
    """A sandbox about to be created or found: for `async with`, or for `await`."""

    def __init__(self, sandbox: SandboxT) -> None:
        self._sandbox = sandbox

    def __await__(self) -> Generator[Any, None, SandboxT]:
        return self._begin().__await__()

    async def __aenter__(self) -> SandboxT:
        return await self._begin()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._sandbox.__aexit__(kind, error, traceback)

    async def _begin(self) -> SandboxT:
        return await self._sandbox.__aenter__()
