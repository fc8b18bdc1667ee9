"""What the server tells, as it stands on the wire (`spec/openapi.yaml`). A newer server may tell more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict


class SandboxInfo(TypedDict):
    """A sandbox. Times are RFC 3339 in UTC, durations seconds, `memory` and `disk` MiB."""

    id: str
    name: str
    namespace: str
    state: str
    image: str
    isolation: str
    languages: list[str]
    memory: int
    cpus: float
    processes: int
    disk: int
    labels: Mapping[str, str]
    network: str
    time_to_live: float | None
    idle_timeout: float
    ephemeral: bool
    created_at: str
    started_at: str | None
    stopped_at: str | None
    expires_at: str | None
    end_reason: str | None


class MetricsData(TypedDict):
    """What a sandbox uses. `cpu_percent` is of one CPU, since the last question; `disk_bytes` of its writable layer."""

    id: str
    namespace: str
    name: str
    running: bool
    cpu_percent: float
    memory_bytes: int
    processes: int
    disk_bytes: int


class LogEntry(TypedDict):
    """A line of a sandbox's log. Gaps in `sequence` are lines that the bounded log has dropped."""

    sequence: int
    time: str
    source: str
    level: str
    text: str


class ImageInfo(TypedDict):
    """An image that sandboxes can be made of."""

    name: str
    digest: str
    size_bytes: int
    languages: list[str]
    created_at: str


class ServerInfo(TypedDict):
    """What a server says of itself. `runtimes` has program and version by kind of isolation."""

    version: str
    pid: int
    accepting: bool
    started_at: str
    keys_required: bool
    isolation: list[str]
    runtimes: Mapping[str, str]
    running: int
    stored: int
    maximum_sandboxes: int
