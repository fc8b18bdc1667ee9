"""What a sandbox uses. Generated from `_async`."""

from __future__ import annotations

from .. import _wire
from .._results import MetricsView
from .._types import MetricsData
from .session import Session


class Metrics:
    """Tells what a sandbox uses, by its host's count."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def all(self) -> MetricsData:
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
        return MetricsView(self._session.ask(_wire.metrics(self._session.target)))
