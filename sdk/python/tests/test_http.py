"""Answers as servers send them: cut anywhere, and broken in every way; and what becomes of the connections."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

import pytest

from microsandbox import Server
from microsandbox import sync as synchronous
from microsandbox._address import Address
from microsandbox._http1 import MAXIMUM_HEAD, Answer, BadAnswer, request
from microsandbox._http_async import AsyncTransport
from microsandbox._http_sync import SyncTransport
from microsandbox._wire import Call
from microsandbox.errors import InvalidRequestError, NotFoundError, SandboxError, ServerUnreachableError

PLAIN = b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;extension=1\r\nhel\r\n00002\r\nlo\r\n0\r\nTrailer: x\r\nAnother: y\r\n\r\n"
)
CONTINUED = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + PLAIN
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\nhello"


def fed(parts: list[bytes]) -> tuple[Answer, bytes]:
    """An answer that came in these parts, and its body."""
    answer = Answer()
    return answer, b"".join(answer.feed(part) for part in parts)


@pytest.mark.parametrize("whole", [PLAIN, CHUNKED, CONTINUED], ids=["plain", "chunked", "continued"])
def test_answer_is_the_same_wherever_it_is_cut(whole: bytes) -> None:
    cuts = [[whole[:cut], whole[cut:]] for cut in range(1, len(whole))]
    for parts in [[whole], *cuts, [bytes([byte]) for byte in whole]]:
        answer, body = fed(parts)
        assert (answer.status, body, answer.is_complete, answer.keeps_connection) == (200, b"hello", True, True)


def test_answer_without_a_length_ends_with_its_connection() -> None:
    answer, body = fed([UNTIL_CLOSE])
    assert (body, answer.is_complete, answer.keeps_connection) == (b"hello", False, False)
    answer.end()
    assert answer.is_complete


@pytest.mark.parametrize(
    ("head", "keeps"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 204\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\ncontent-LENGTH:0\r\nCONNECTION: keep-alive, Close\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
    ],
)
def test_answer_says_whether_the_connection_goes_on(head: bytes, keeps: bool) -> None:
    answer = Answer()
    assert answer.feed(head) == b""
    if not answer.is_complete:
        answer.feed(b"")
    assert (answer.is_complete, answer.keeps_connection) == (True, keeps)


@pytest.mark.parametrize(
    "sent",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
        PLAIN + b"HTTP/1.1 200 OK\r\n",
        CHUNKED + b"x",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * 2000,
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * (MAXIMUM_HEAD + 10),
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * (MAXIMUM_HEAD + 10) + b"\r\n\r\n",
    ],
    ids=lambda sent: repr(sent[:60]),
)
def test_what_is_no_answer_is_refused(sent: bytes) -> None:
    with pytest.raises(BadAnswer):
        fed([sent])


@pytest.mark.parametrize("whole", [PLAIN, CHUNKED], ids=["plain", "chunked"])
def test_answer_that_is_cut_short_is_no_answer(whole: bytes) -> None:
    for cut in range(1, len(whole)):
        answer, _ = fed([whole[:cut]])
        with pytest.raises(BadAnswer, match="closed the connection"):
            answer.end()


def test_request_is_one_write_unless_it_is_large() -> None:
    address = Address("http://h:1/prefix", api_key="msb_k")
    (small,) = request(Call("POST", "/v1/x?y=1", b"{}"), address, "application/json")
    assert small.startswith(b"POST /prefix/v1/x?y=1 HTTP/1.1\r\nHost: h:1\r\nAccept: application/json\r\n")
    assert b"\r\nAuthorization: Bearer msb_k\r\n" in small
    assert small.endswith(b"\r\nContent-Length: 2\r\n\r\n{}")
    assert [len(part) > 100_000 for part in request(Call("PUT", "/f", bytes(200_000)), address, "*/*")] == [False, True]


@pytest.mark.parametrize("key", ["a\r\nX-Evil: 1", "a\nb", "a\0", "ключ"])
def test_key_that_would_be_a_further_header_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        request(Call("GET", "/"), Address("http://h", api_key=key), "*/*")
    assert key not in str(refused.value)


Script = Callable[[socket.socket, int], None]


class Peer:
    """A server of the test's own; the script is given each connection with its number."""

    def __init__(self, script: Script) -> None:
        self.connections = 0
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        accepting = threading.Thread(target=self._accept, daemon=True)
        accepting.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection = self._listener.accept()[0]
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with closing(connection), suppress(OSError):
            self._script(connection, number)

    def close(self) -> None:
        """Ends it."""
        self._listener.close()


def hear(connection: socket.socket) -> bytes:
    """One request without a body; nothing where the client has gone."""
    heard = b""
    while not heard.endswith(b"\r\n\r\n"):
        part = connection.recv(4096)
        if not part:
            return b""
        heard += part
    return heard


ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
GET = Call("GET", "/v1/info", timeout=60)


@pytest.fixture
def peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    made = Peer(request.param)
    yield made
    made.close()


class Both:
    """Both transports, in the same words."""

    def __init__(self, is_async: bool, url: str) -> None:
        self._transport: Any = (AsyncTransport if is_async else SyncTransport)(Address(url))
        self._loop = asyncio.new_event_loop() if is_async else None

    def call(self, call: Call = GET) -> Any:
        """Makes a call."""
        made = self._transport.call(call)
        return made if self._loop is None else self._loop.run_until_complete(made)

    def close(self) -> None:
        """Ends it."""
        if self._loop is None:
            self._transport.close()
        else:
            self._loop.run_until_complete(self._transport.close())
            self._loop.close()


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def client(request: pytest.FixtureRequest, peer: Peer) -> Iterator[Both]:
    made = Both(request.param, peer.url)
    yield made
    made.close()


def always(connection: socket.socket, number: int) -> None:
    while hear(connection):
        connection.sendall(ANSWER)


def once(connection: socket.socket, number: int) -> None:
    hear(connection)
    connection.sendall(ANSWER)


def once_and_says_so(connection: socket.socket, number: int) -> None:
    hear(connection)
    connection.sendall(ANSWER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))


def half(connection: socket.socket, number: int) -> None:
    hear(connection)
    connection.sendall(ANSWER[:-1])


def never(connection: socket.socket, number: int) -> None:
    while hear(connection):
        pass


def refuses(connection: socket.socket, number: int) -> None:
    body = b'{"error": {"code": "not_found", "message": "no such path", "details": {}}}'
    while hear(connection):
        connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


@pytest.mark.parametrize("peer", [always], indirect=True)
def test_connection_is_kept_for_the_next_call(client: Both, peer: Peer) -> None:
    assert [client.call() for _ in range(5)] == [{}] * 5
    assert peer.connections == 1


@pytest.mark.parametrize("peer", [refuses], indirect=True)
def test_connection_is_kept_after_an_error_of_the_server(client: Both, peer: Peer) -> None:
    for _ in range(3):
        with pytest.raises(NotFoundError, match="no such path"):
            client.call()
    assert peer.connections == 1


@pytest.mark.parametrize("peer", [once_and_says_so], indirect=True)
def test_connection_that_ends_is_not_used_again(client: Both, peer: Peer) -> None:
    assert [client.call() for _ in range(3)] == [{}] * 3
    assert peer.connections == 3


@pytest.mark.parametrize("peer", [half], indirect=True)
def test_answer_that_is_cut_short_is_an_error(client: Both, peer: Peer) -> None:
    with pytest.raises(ServerUnreachableError, match="closed the connection"):
        client.call()


@pytest.mark.parametrize("peer", [never], indirect=True)
def test_answer_that_never_comes_is_an_error_when_its_time_is_over(client: Both, peer: Peer) -> None:
    with pytest.raises(ServerUnreachableError, match="no answer from the server"):
        client.call(Call("GET", "/", timeout=0.2))


@pytest.mark.parametrize("peer", [never], indirect=True)
def test_cancelled_call_closes_its_connection(peer: Peer) -> None:
    async def main() -> None:
        transport = AsyncTransport(Address(peer.url))
        task = asyncio.ensure_future(transport.call(GET))
        while not transport._busy:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not transport._busy
        assert not transport._idle
        await transport.close()

    asyncio.run(main())


@pytest.mark.parametrize("peer", [never], indirect=True)
def test_closing_ends_calls_that_wait(peer: Peer) -> None:
    async def main() -> None:
        transport = AsyncTransport(Address(peer.url))
        task = asyncio.ensure_future(transport.call(GET))
        while not transport._busy:
            await asyncio.sleep(0.01)
        await transport.close()
        with pytest.raises(SandboxError):
            await task

    asyncio.run(main())


@pytest.mark.parametrize("peer", [always], indirect=True)
def test_many_calls_at_once_have_connections_of_their_own(peer: Peer) -> None:
    async def main() -> None:
        async with Server(peer.url) as server:
            assert len(await asyncio.gather(*(server.info() for _ in range(50)))) == 50
            assert 1 <= peer.connections <= 50

    asyncio.run(main())


@pytest.mark.parametrize("peer", [once], indirect=True)
def test_server_that_closed_an_idle_connection_is_asked_on_a_new_one(peer: Peer) -> None:
    transport = SyncTransport(Address(peer.url))
    try:
        for number in range(1, 4):
            assert transport.call(GET) == {}
            assert peer.connections == number
            if transport._idle:  # its end is on its way
                assert transport._idle[0].recv(1, socket.MSG_PEEK) == b""
    finally:
        transport.close()


def test_nobody_listens(tmp_path: Any) -> None:
    for url in ("http://127.0.0.1:1", f"unix:{tmp_path}/none"):
        with pytest.raises(ServerUnreachableError, match="start one with"):
            synchronous.Server(url).info()
        with pytest.raises(ServerUnreachableError, match="start one with"):
            asyncio.run(Server(url).info())
