"""What a run or a command came to. These are values: an exception in the sandbox is not one here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ._events import Event
from ._types import MetricsData


@dataclass(frozen=True)
class RunError:
    """What a cell raised, or why it ended otherwise."""

    name: str
    message: str
    traceback: str


class _Ended:
    """What the results of cells and of commands have in common."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._body = body

    @property
    def outcome(self) -> str:
        """How it ended.

        One of `ok`, `error`, `interrupted`, `timed_out`, `exited`, `signaled`, `out_of_memory`, `sandbox_ended`.
        """
        return str(self._body.get("outcome", "unknown"))

    @property
    def run_id(self) -> str:
        """The run's id on the server."""
        return str(self._body.get("id", ""))

    @property
    def stdout(self) -> str:
        """What was written to standard output, as it was written."""
        return str(self._body.get("stdout", ""))

    @property
    def stderr(self) -> str:
        """What was written to standard error, as it was written; without the traceback."""
        return str(self._body.get("stderr", ""))

    @property
    def left_out(self) -> int:
        """Bytes of output past the limit that are not in `stdout` and `stderr`, where a mark stands for them."""
        return int(self._body.get("stdout_left_out", 0)) + int(self._body.get("stderr_left_out", 0))

    @property
    def signal(self) -> int | None:
        """The number of the signal that ended it."""
        number = self._body.get("signal")
        return int(number) if number is not None else None

    @property
    def duration(self) -> float:
        """Seconds that it ran, by the server's clock."""
        return float(self._body.get("duration", 0.0))

    @property
    def timed_out(self) -> bool:
        """Whether the time limit ended it."""
        return self.outcome == "timed_out"


class RunResult(_Ended):
    """What both the asynchronous and the synchronous `Execution` know."""

    def __init__(self, body: Mapping[str, Any], language: str = "unknown") -> None:
        super().__init__(body)
        self._language = language

    @property
    def status(self) -> str:
        """`success` or `error`, in the words of the original clients."""
        return "error" if self.has_error() else "success"

    @property
    def language(self) -> str:
        """The language of the cell."""
        return self._language

    @property
    def result(self) -> Mapping[str, Any] | None:
        """The last expression's value by MIME type, `text/plain` among them; `None` where there is none."""
        result = self._body.get("result")
        return result if isinstance(result, dict) else None

    @property
    def omitted(self) -> Sequence[str]:
        """MIME types that were left out of `result` for their size."""
        return tuple(self._body.get("omitted") or ())

    @property
    def raised(self) -> RunError | None:
        """What the cell raised."""
        error = self._body.get("error")
        if not isinstance(error, dict):
            return None
        return RunError(str(error.get("name", "")), str(error.get("message", "")), str(error.get("traceback", "")))

    @property
    def exit_code(self) -> int | None:
        """The code with which the cell, or its interpreter, exited."""
        code = self._body.get("exit_code")
        return int(code) if code is not None else None

    @property
    def state_lost(self) -> bool:
        """Whether the interpreter died and a new one, without the variables, has taken its place."""
        return bool(self._body.get("state_lost", False))

    def has_error(self) -> bool:
        """Whether the cell raised, was interrupted, timed out, or its interpreter died. Warnings are no errors."""
        if self.outcome == "exited":
            return self.state_lost or self.exit_code != 0
        return self.outcome != "ok"

    def _output(self) -> str:
        text = self.stdout
        value = (self.result or {}).get("text/plain")
        if value is not None:
            text += ("\n" if text and not text.endswith("\n") else "") + str(value)
        return text.rstrip()

    def _error(self) -> str:
        text = self.stderr
        if self.raised is not None:
            text += ("\n" if text and not text.endswith("\n") else "") + self.raised.traceback
        return text.rstrip()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(outcome={self.outcome!r}, stdout={self.stdout[:60]!r})"


class Execution(RunResult):
    """What a cell came to."""

    async def output(self) -> str:
        """What it wrote to standard output, then its last expression's value; trailing white space is left out."""
        return self._output()

    async def error(self) -> str:
        """What it wrote to standard error, and the traceback of what it raised."""
        return self._error()


class SyncExecution(RunResult):
    """What a cell came to."""

    def output(self) -> str:
        """What it wrote to standard output, then its last expression's value; trailing white space is left out."""
        return self._output()

    def error(self) -> str:
        """What it wrote to standard error, and the traceback of what it raised."""
        return self._error()


class CommandResult(_Ended):
    """What both the asynchronous and the synchronous `CommandExecution` know."""

    def __init__(self, body: Mapping[str, Any], command: str, args: list[str]) -> None:
        super().__init__(body)
        self.command = command
        self.args = args

    @property
    def exit_code(self) -> int:
        """Its exit code; 128 and the signal's number where a signal ended it, -1 where there is none."""
        code = self._body.get("exit_code")
        if code is not None:
            return int(code)
        return 128 + self.signal if self.signal else -1

    @property
    def success(self) -> bool:
        """Whether it exited with 0."""
        return self.outcome == "exited" and self.exit_code == 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.command!r}, exit_code={self.exit_code})"


class CommandExecution(CommandResult):
    """What a command came to."""

    async def output(self) -> str:
        """Standard output without trailing white space."""
        return self.stdout.rstrip()

    async def error(self) -> str:
        """Standard error without trailing white space."""
        return self.stderr.rstrip()


class SyncCommandExecution(CommandResult):
    """What a command came to."""

    def output(self) -> str:
        """Standard output without trailing white space."""
        return self.stdout.rstrip()

    def error(self) -> str:
        """Standard error without trailing white space."""
        return self.stderr.rstrip()


class MetricsView:
    """Reads the server's numbers as the original clients named them."""

    def __init__(self, body: MetricsData) -> None:
        self._body = body

    def cpu(self) -> float | None:
        """Processing time in use, in per cent of one CPU."""
        value = self._body.get("cpu_percent")
        return float(value) if value is not None else None

    def memory(self) -> int | None:
        """Memory in use, in MiB."""
        value = self._body.get("memory_bytes")
        return int(value) // (1024 * 1024) if value is not None else None

    def disk(self) -> int | None:
        """Bytes that its writable layer takes."""
        value = self._body.get("disk_bytes")
        return int(value) if value is not None else None

    def is_running(self) -> bool:
        """Whether it runs."""
        return bool(self._body.get("running", False))

    def all(self) -> MetricsData:
        """Everything, as the server gives it."""
        return self._body


__all__ = [
    "CommandExecution",
    "CommandResult",
    "Event",
    "Execution",
    "MetricsView",
    "RunError",
    "RunResult",
    "SyncCommandExecution",
    "SyncExecution",
]
