"""Server-sent events, and what a run's events mean."""

from __future__ import annotations

import base64
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
    outputs; `data` is the rest, as the server's API has it. `offset` is where `attach` goes on after this output.
    """

    type: str
    data: Mapping[str, Any]
    offset: int | None = None

    @property
    def text(self) -> str:
        """What was written, for `stdout` and `stderr`; empty for the others, and where bytes were asked for."""
        return str(self.data.get("text", ""))

    @property
    def content(self) -> bytes:
        """What was written as bytes: as they were with `encoding="base64"`, else those of `text`."""
        encoded = self.data.get("base64")
        return self.text.encode() if encoded is None else base64.b64decode(encoded)

    @property
    def run_id(self) -> str | None:
        """The run's id on the server, for `started`; `None` for the others."""
        return str(self.data["id"]) if self.type == "started" else None

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
        self._offset: int | None = None
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
        elif line.startswith(b"id:"):
            number = line[3:].strip()
            self._offset = int(number) if number.isdigit() else None
        elif not line and self._data:
            event = Event(self._type or "message", _parsed(b"\n".join(self._data)), self._offset)
            self._type, self._offset, self._data = "", None, []
            return event
        return None


def _parsed(data: bytes) -> Mapping[str, Any]:
    try:
        parsed = json.loads(data)
    except ValueError as error:
        raise InternalError(f"the server sent an event that is not JSON: {data[:60]!r}") from error
    if not isinstance(parsed, dict):
        raise InternalError(f"the server sent an event that is no object: {data[:60]!r}")
    return parsed
