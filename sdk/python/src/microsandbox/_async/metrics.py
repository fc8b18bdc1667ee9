"""What a sandbox uses."""

from __future__ import annotations

from .. import _wire
from .._results import MetricsView
from .._types import MetricsData
from .session import Session


class Metrics:
    """Tells what a sandbox uses, by its host's count."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def all(self) -> MetricsData:
        """Everything, as the server gives it."""
        return (await self._view()).all()

    async def cpu(self) -> float | None:
        """Processing time in use, in per cent of one CPU."""
        return (await self._view()).cpu()

    async def memory(self) -> int | None:
        """Memory in use, in MiB."""
        return (await self._view()).memory()

    async def disk(self) -> int | None:
        """Bytes that its writable layer takes."""
        return (await self._view()).disk()

    async def is_running(self) -> bool:
        """Whether it runs."""
        return (await self._view()).is_running()

    async def _view(self) -> MetricsView:
        return MetricsView(await self._session.ask(_wire.metrics(self._session.target)))
