"""Parts that need no server."""

from __future__ import annotations

import random
import socket
from pathlib import Path

import pytest

from microsandbox import PythonSandbox, _address, sync
from microsandbox._address import Address, resolve
from microsandbox._events import EventParser
from microsandbox._local import ensure_server
from microsandbox.errors import (
    InvalidRequestError,
    SandboxNotRunningError,
    ServerUnreachableError,
)

STREAM = (
    b': hello\n\nid: 0\nevent: stdout\ndata: {"text": "a\\n"}\n\n'
    b'event: finished\r\ndata: {"outcome":\r\ndata:  "ok"}\r\n\r\n'
)


@pytest.mark.parametrize("seed", range(20))
def test_events_are_the_same_however_the_bytes_are_cut(seed: int) -> None:
    generator, parser, position, found = random.Random(seed), EventParser(), 0, []
    while position < len(STREAM):
        step = generator.randint(1, 9)
        found += list(parser.feed(STREAM[position : position + step]))
        position += step
    assert [(event.type, dict(event.data)) for event in found] == [
        ("stdout", {"text": "a\n"}),
        ("finished", {"outcome": "ok"}),
    ]
    assert found[0].text == "a\n"


def test_argument_goes_before_environment_and_environment_before_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_address, "DEFAULT_SOCKET", Path("/nonexistent/socket"))
    monkeypatch.delenv("MSB_SERVER_URL", raising=False)
    monkeypatch.delenv("MSB_API_KEY", raising=False)
    assert resolve() == Address("http://127.0.0.1:5555", configured=False)
    monkeypatch.setenv("MSB_SERVER_URL", "http://there:1/")
    monkeypatch.setenv("MSB_API_KEY", "msb_x")
    assert resolve() == Address("http://there:1", None, "msb_x")
    assert resolve("unix:/run/x.sock", "k") == Address("http://localhost", "/run/x.sock", "k")


def test_key_is_not_shown() -> None:
    assert "secret" not in repr(Address("http://a", None, "msb_secret"))


def test_address_without_scheme_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="http://host:port"):
        resolve("localhost:5555")


def test_named_server_that_does_not_answer_is_an_error_and_not_started() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    address = Address(f"http://127.0.0.1:{port}")
    assert ensure_server(address) is address
    with pytest.raises(ServerUnreachableError, match="msb server start"):
        sync.PythonSandbox.create(f"http://127.0.0.1:{port}", name="x")


@pytest.mark.parametrize("method", ["run", "info"])
def test_a_sandbox_not_started_says_so_in_the_original_words(method: str) -> None:
    sandbox = sync.PythonSandbox("http://127.0.0.1:1", name="x")
    with pytest.raises(SandboxNotRunningError, match=r"Sandbox is not started\. Call start\(\) first\."):
        getattr(sandbox, method)(*(["1"] if method == "run" else []))


def test_name_is_made_where_none_is_given() -> None:
    assert PythonSandbox("http://127.0.0.1:1").name.startswith("sandbox-")
