"""Many clients at the same moment, on a real server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from microsandbox import sync
from microsandbox.errors import TooManySandboxesError

from .conftest import Server, start_server, stop_server

LIMIT = 20
CREATIONS = 1000
AT_ONCE = 100

T = TypeVar("T")


@pytest.fixture(params=["tcp", "unix"])
def crowded(request: pytest.FixtureRequest) -> Iterator[tuple[Server, str]]:
    server = start_server(f"max-sandboxes={LIMIT}")
    yield server, server.url if request.param == "tcp" else f"unix:{server.socket}"
    stop_server(server)


@pytest.fixture
def roomy() -> Iterator[Server]:
    server = start_server(f"max-sandboxes={AT_ONCE}")
    yield server
    stop_server(server)


def all_at_once(count: int, action: Callable[[], T]) -> list[T | Exception]:
    """What each of so many threads came to that all began at the same moment."""
    begin = threading.Barrier(count)

    def one(_: int) -> T | Exception:
        begin.wait()
        try:
            return action()
        except Exception as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_a_limit_of_n_lets_exactly_n_of_a_thousand_creations_through(crowded: tuple[Server, str]) -> None:
    _, url = crowded
    ends = all_at_once(CREATIONS, lambda: sync.PythonSandbox.create(server_url=url))
    made = [end for end in ends if isinstance(end, sync.PythonSandbox)]
    others = [end for end in ends if not isinstance(end, (sync.PythonSandbox, TooManySandboxesError))]
    assert others == []
    assert len(made) == LIMIT
    assert len(ends) == CREATIONS

    with sync.Server(url) as server:
        assert len(server.sandboxes()) == LIMIT
    # A place that was refused was not taken, and one that is given back can be taken, once.
    made.pop().delete()
    again = all_at_once(10, lambda: sync.PythonSandbox.create(server_url=url))
    assert sum(isinstance(end, sync.PythonSandbox) for end in again) == 1
    assert sum(isinstance(end, TooManySandboxesError) for end in again) == 9
    for sandbox in made:
        assert sandbox.run("6 * 7").output() == "42"


def test_a_hundred_creations_at_once_all_succeed(roomy: Server) -> None:
    ends = all_at_once(AT_ONCE, lambda: sync.PythonSandbox.create(server_url=roomy.url))
    assert [end for end in ends if isinstance(end, Exception)] == []

    made = [end for end in ends if isinstance(end, sync.PythonSandbox)]
    assert len({sandbox.name for sandbox in made}) == AT_ONCE
    with ThreadPoolExecutor(8) as pool:
        outputs = list(pool.map(lambda sandbox: sandbox.run(f"print({sandbox.name!r})").output(), made))
        assert outputs == [sandbox.name for sandbox in made]
        list(pool.map(lambda sandbox: sandbox.delete(), made))
    with sync.Server(roomy.url) as server:
        assert server.sandboxes() == []
