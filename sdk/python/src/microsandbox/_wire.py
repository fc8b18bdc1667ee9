"""Requests and answers as they stand on the wire (`spec/openapi.yaml`), for both transports."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from ._address import Address
from ._errors import InternalError, InvalidRequestError, ServerUnreachableError

VERSION = "0.1.0"
DEFAULT_NAMESPACE = "default"
# A call without a time limit of its own waits this much longer than the server's own limit for it.
MARGIN_SECONDS = 30.0
CONTROL_SECONDS = 120.0
# Bytes a second at which a large body is still waited for.
SLOWEST = 64 * 1024
# Time limit of a run for which none is given; the server's default.
RUN_SECONDS = 300.0
# A server sends something on a stream at least every 15 seconds.
SILENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Call:
    """One request, and how its answer is read."""

    method: str
    target: str
    body: bytes | None = None
    content_type: str = "application/json"
    timeout: float | None = CONTROL_SECONDS
    """Seconds until the answer is there; of one whose body is large, until each further part of it."""
    raw: bool = False
    is_silent: bool = False


def headers_for(address: Address, accept: str, content_type: str | None) -> dict[str, str]:
    """Headers of a call; without a body it has no content type."""
    headers = {"Accept": accept, "User-Agent": f"microsandbox-python/{VERSION}"}
    if content_type is not None:
        headers["Content-Type"] = content_type
    if address.api_key:
        headers["Authorization"] = f"Bearer {address.api_key}"
    return headers


def parsed(body: bytes) -> Mapping[str, Any] | None:
    """What an answer that is an error says; `None` where it is no JSON object."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def unreachable(address: Address, error: Exception) -> ServerUnreachableError:
    """The error for a connection that is of no more use."""
    where = address.socket_path or address.url
    why = str(error) or type(error).__name__
    return ServerUnreachableError(f"no answer from the server at {where}: {why}; start one with: msb server start")


@dataclass(frozen=True)
class SandboxOptions:
    """What a new sandbox may be given; `None` leaves it to the server.

    `memory` and `disk` are in MiB, `time_to_live` and `idle_timeout` in seconds, `network` is `none` or `public`.
    """

    image: str | None = None
    isolation: str | None = None
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
    """A sandbox as a path names it: by its id where that is known, else by its name in its namespace."""

    name: str
    namespace: str
    id: str | None = None

    def path(self, rest: str = "", **query: Any) -> str:
        """Path and query of something of this sandbox's."""
        if self.id is None and self.namespace != DEFAULT_NAMESPACE:
            query["namespace"] = self.namespace
        return _with_query(f"/v1/sandboxes/{quote(self.id or self.name, safe='')}{rest}", query)


def _with_query(path: str, query: Mapping[str, Any]) -> str:
    given = {key: value for key, value in query.items() if value is not None}
    return f"{path}?{urlencode(given, doseq=True)}" if given else path


_ENCODER = json.JSONEncoder(allow_nan=False)


def _json(**fields: Any) -> bytes:
    try:
        return _ENCODER.encode({key: value for key, value in fields.items() if value is not None}).encode()
    except ValueError as error:
        # JSON has no NaN and no infinity; as null they would be missing limits.
        raise InvalidRequestError(f"not a number that can be sent: {error}") from error


def decode(call: Call, body: bytes) -> Any:
    """The answer of a call, from its body."""
    if call.raw:
        return body
    if call.is_silent or not body:
        return None
    try:
        return json.loads(body)
    except ValueError as error:
        raise InternalError(f"the server sent what is not JSON: {body[:60]!r}; is it a microsandbox server?") from error


def create(target: Target, options: SandboxOptions, timeout: float | None) -> Call:
    """Create a sandbox and wait until it is usable."""
    body = _json(
        name=target.name,
        namespace=target.namespace,
        image=options.image,
        isolation=options.isolation,
        memory=options.memory,
        cpus=options.cpus,
        processes=options.processes,
        disk=options.disk,
        env=_copy(options.env),
        labels=_copy(options.labels),
        network=options.network,
        time_to_live=options.time_to_live,
        idle_timeout=options.idle_timeout,
        ephemeral=options.ephemeral,
    )
    return Call("POST", "/v1/sandboxes", body, timeout=timeout)


def stop(target: Target) -> Call:
    """Stop a sandbox; an ephemeral one is removed."""
    return Call("POST", target.path("/stop"), b"{}", is_silent=True)


def delete(target: Target) -> Call:
    """Remove a sandbox with all that is in it."""
    return Call("DELETE", target.path(), is_silent=True)


def start(target: Target, timeout: float | None) -> Call:
    """Start a stopped sandbox."""
    return Call("POST", target.path("/start"), b"{}", timeout=timeout)


def info(target: Target) -> Call:
    """What the server knows of a sandbox."""
    return Call("GET", target.path())


def extend(target: Target, time_to_live: float | None, idle_timeout: float | None) -> Call:
    """Change how long a sandbox lives."""
    return Call("PATCH", target.path(), _json(time_to_live=time_to_live, idle_timeout=idle_timeout))


def logs(target: Target, after: int, limit: int | None) -> Call:
    """A sandbox's log."""
    return Call("GET", target.path("/logs", after=after, limit=limit))


def run(
    target: Target,
    code: str,
    timeout: float | None,
    keep_running: bool | None,
    output_limit: int | None = None,
    *,
    language: str | None = None,
    context: str | None = None,
    encoding: str | None = None,
) -> Call:
    """Run a cell, in a context or in the default one of a language."""
    body = _json(
        language=language if context is None else None,
        context=context,
        code=code,
        timeout=timeout,
        keep_running=keep_running,
        output_limit=output_limit,
    )
    return Call("POST", target.path("/runs", encoding=encoding), body, timeout=_client_limit(timeout))


def attach(target: Target, run_id: str, offset: int, encoding: str | None) -> Call:
    """Follow a cell or command from an offset of its output."""
    return Call("GET", target.path(f"/runs/{quote(run_id, safe='')}", offset=offset, encoding=encoding))


def interrupt(target: Target, run_id: str) -> Call:
    """Stop a cell or command."""
    return Call("POST", target.path(f"/runs/{quote(run_id, safe='')}/interrupt"), b"{}", is_silent=True)


def command(
    target: Target,
    argv: Sequence[str],
    timeout: float | None,
    env: Mapping[str, str] | None,
    working_directory: str | None,
    user: str | None,
    stdin: str | bytes | None,
    keep_running: bool | None,
    output_limit: int | None = None,
    *,
    encoding: str | None = None,
) -> Call:
    """Run a program, without a shell."""
    body = _json(
        argv=argv,
        timeout=timeout,
        env=_copy(env),
        working_directory=working_directory,
        user=user,
        stdin=stdin if isinstance(stdin, str) else None,
        stdin_base64=base64.b64encode(stdin).decode() if isinstance(stdin, (bytes, bytearray)) else None,
        keep_running=keep_running,
        output_limit=output_limit,
    )
    return Call("POST", target.path("/commands", encoding=encoding), body, timeout=_client_limit(timeout))


def signal(target: Target, run_id: str, number: int, group: bool) -> Call:
    """Send a signal to a command."""
    body = _json(signal=int(number), group=group)
    return Call("POST", target.path(f"/commands/{quote(run_id, safe='')}/signal"), body, is_silent=True)


def open_context(
    target: Target,
    language: str,
    id: str | None,
    env: Mapping[str, str] | None,
    working_directory: str | None,
    user: str | None,
) -> Call:
    """Open a further context."""
    body = _json(language=language, id=id, env=_copy(env), working_directory=working_directory, user=user)
    return Call("POST", target.path("/contexts"), body)


def contexts(target: Target) -> Call:
    """List a sandbox's contexts."""
    return Call("GET", target.path("/contexts"))


def close_context(target: Target, id: str) -> Call:
    """Close a context."""
    return Call("DELETE", target.path(f"/contexts/{quote(id, safe='')}"), is_silent=True)


def metrics(target: Target) -> Call:
    """What a sandbox uses."""
    return Call("GET", target.path("/metrics"))


def read_file(target: Target, path: str, user: str | None) -> Call:
    """Read a file."""
    return Call("GET", target.path("/files", path=path, user=user), raw=True)


def write_file(
    target: Target,
    path: str,
    content: bytes,
    user: str | None,
    mode: int | None,
    make_directories: bool | None,
) -> Call:
    """Write a file."""
    octal = None if mode is None else f"{mode:04o}"
    directories = None if make_directories is None else str(make_directories).lower()
    where = target.path("/files", path=path, user=user, mode=octal, make_directories=directories)
    limit = CONTROL_SECONDS + len(content) / SLOWEST
    return Call("PUT", where, content, "application/octet-stream", limit, is_silent=True)


def sandboxes(namespace: str | None, labels: Mapping[str, str] | None) -> Call:
    """List sandboxes."""
    pairs = [f"{name}={value}" for name, value in (labels or {}).items()]
    return Call("GET", _with_query("/v1/sandboxes", {"namespace": namespace, "label": pairs or None}))


def images() -> Call:
    """List images."""
    return Call("GET", "/v1/images")


def server_info() -> Call:
    """What a server says of itself."""
    return Call("GET", "/v1/info")


def _copy(pairs: Mapping[str, str] | None) -> dict[str, str] | None:
    return None if pairs is None else dict(pairs)


def _client_limit(timeout: float | None) -> float | None:
    limit = RUN_SECONDS if timeout is None else timeout
    return None if limit == 0 else limit + MARGIN_SECONDS
