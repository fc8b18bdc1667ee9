"""Requests and answers as they stand on the wire (`spec/openapi.yaml`), for both transports."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from ._address import Address

VERSION = "0.1.0"
DEFAULT_NAMESPACE = "default"
# A call without a time limit of its own waits this much longer than the server's own limit for it.
MARGIN_SECONDS = 30.0
CONTROL_SECONDS = 120.0


def _same(body: Any) -> Any:
    return body


def _nothing(_: Any) -> None:
    return None


@dataclass(frozen=True)
class Call:
    """One request, and how its answer is read."""

    method: str
    target: str
    body: bytes | None = None
    content_type: str = "application/json"
    timeout: float | None = CONTROL_SECONDS
    raw: bool = False
    parse: Callable[[Any], Any] = field(default=_same)


def headers_for(address: Address, accept: str, call: Call) -> dict[str, str]:
    """Headers of a call."""
    headers = {"Accept": accept, "User-Agent": f"microsandbox-python/{VERSION}"}
    if call.body is not None:
        headers["Content-Type"] = call.content_type
    if address.api_key:
        headers["Authorization"] = f"Bearer {address.api_key}"
    return headers


@dataclass(frozen=True)
class SandboxOptions:
    """What a new sandbox may be given; `None` leaves it to the server.

    `memory` and `disk` are in MiB, `time_to_live` and `idle_timeout` in seconds, `network` is `none` or `public`.
    """

    image: str | None = None
    memory: int | None = None
    cpus: float | None = None
    processes: int | None = None
    disk: int | None = None
    env: Mapping[str, str] | None = None
    labels: Mapping[str, str] | None = None
    network: str | None = None
    time_to_live: float | None = None
    idle_timeout: float | None = None
    ephemeral: bool = True


@dataclass(frozen=True)
class Target:
    """A sandbox as a path names it."""

    name: str
    namespace: str

    def path(self, rest: str = "", **query: Any) -> str:
        """Path and query of something of this sandbox's."""
        pairs = {key: str(value) for key, value in query.items() if value is not None}
        if self.namespace != DEFAULT_NAMESPACE:
            pairs["namespace"] = self.namespace
        return f"/v1/sandboxes/{quote(self.name, safe='')}{rest}" + (f"?{urlencode(pairs)}" if pairs else "")


def _json(**fields: Any) -> bytes:
    return json.dumps({key: value for key, value in fields.items() if value is not None}).encode()


def create(target: Target, options: SandboxOptions, timeout: float | None) -> Call:
    """Create a sandbox and wait until it is usable."""
    body = _json(
        name=target.name,
        namespace=target.namespace,
        image=options.image,
        memory=options.memory,
        cpus=options.cpus,
        processes=options.processes,
        disk=options.disk,
        env=dict(options.env) if options.env is not None else None,
        labels=dict(options.labels) if options.labels is not None else None,
        network=options.network,
        time_to_live=options.time_to_live,
        idle_timeout=options.idle_timeout,
        ephemeral=options.ephemeral,
    )
    return Call("POST", "/v1/sandboxes", body, timeout=timeout)


def stop(target: Target) -> Call:
    """Stop a sandbox; an ephemeral one is removed."""
    return Call("POST", target.path("/stop"), b"{}", parse=_nothing)


def delete(target: Target) -> Call:
    """Remove a sandbox with all that is in it."""
    return Call("DELETE", target.path(), parse=_nothing)


def start(target: Target, timeout: float | None) -> Call:
    """Start a stopped sandbox."""
    return Call("POST", target.path("/start"), b"{}", timeout=timeout)


def info(target: Target) -> Call:
    """What the server knows of a sandbox."""
    return Call("GET", target.path())


def run(
    target: Target,
    language: str,
    code: str,
    timeout: float | None,
    context: str | None = None,
    keep_running: bool | None = None,
) -> Call:
    """Run a cell."""
    body = _json(language=language, code=code, timeout=timeout, context=context, keep_running=keep_running)
    return Call("POST", target.path("/runs"), body, timeout=_client_limit(timeout, 300.0))


def command(
    target: Target,
    command: str,
    args: Sequence[str],
    timeout: float | None,
    env: Mapping[str, str] | None,
    working_directory: str | None,
    user: str | None,
    stdin: str | None,
) -> Call:
    """Run a program, without a shell."""
    body = _json(
        argv=[command, *args],
        timeout=timeout,
        env=dict(env) if env is not None else None,
        working_directory=working_directory,
        user=user,
        stdin=stdin,
    )
    return Call("POST", target.path("/commands"), body, timeout=_client_limit(timeout, 300.0))


def metrics(target: Target) -> Call:
    """What a sandbox uses."""
    return Call("GET", target.path("/metrics"))


def read_file(target: Target, path: str) -> Call:
    """Read a small file."""
    return Call("GET", target.path("/files", path=path), raw=True)


def write_file(target: Target, path: str, content: bytes) -> Call:
    """Write a small file."""
    return Call("PUT", target.path("/files", path=path), content, "application/octet-stream", parse=_nothing)


def _client_limit(timeout: float | None, default: float) -> float | None:
    limit = default if timeout is None else timeout
    return None if limit == 0 else limit + MARGIN_SECONDS
