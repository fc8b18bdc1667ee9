"""Server-sent events, and what a run's events mean."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ._errors import InternalError, SandboxError, ServerUnreachableError, error_from

MAXIMUM_EVENT = 64 * 1024 * 1024


@dataclass(frozen=True)
class Event:
    """One thing that happened in a run or a command, in order.

    `type` is `started`, `stdout`, `stderr`, `result`, `error` or `finished`; `text` is what was written, for the two
    outputs; `data` is the rest, as the server's API has it.
    """

    type: str
    data: Mapping[str, Any]

    @property
    def text(self) -> str:
        """What was written, for `stdout` and `stderr`; empty for the others."""
        return str(self.data.get("text", ""))

    @property
    def is_last(self) -> bool:
        """Whether nothing follows."""
        return self.type == "finished"


def checked(event: Event) -> Event:
    """The event, unless it says that the run could not be started or followed: that is an error."""
    if event.type == "failed":
        raise error_from(event.data, 200)
    return event


def cut_short() -> SandboxError:
    """The error for a stream whose end is not the run's."""
    return ServerUnreachableError("the server closed the stream before the run's end")


class EventParser:
    """Turns bytes of an event stream into events, whatever the borders of the blocks."""

    def __init__(self) -> None:
        self._rest = b""
        self._type = ""
        self._data: list[bytes] = []

    def feed(self, block: bytes) -> Iterator[Event]:
        """Give the events that this block completes."""
        lines = (self._rest + block).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > MAXIMUM_EVENT:
            raise InternalError("the server sent an endless event")
        for line in lines:
            event = self._line(line.rstrip(b"\r"))
            if event is not None:
                yield event

    def _line(self, line: bytes) -> Event | None:
        if line.startswith(b"data:"):
            self._data.append(line[5:].lstrip(b" "))
        elif line.startswith(b"event:"):
            self._type = line[6:].strip().decode()
        elif not line and self._data:
            event = Event(self._type or "message", json.loads(b"\n".join(self._data)))
            self._type, self._data = "", []
            return event
        return None
