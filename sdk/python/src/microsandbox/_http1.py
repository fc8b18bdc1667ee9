"""HTTP/1.1 as far as this client speaks it, without connections: requests as bytes, and answers from bytes.

Written out because libraries took more of a cell's round trip than the server; docs/decisions/0005 has figures.
"""

from __future__ import annotations

import re
import select
from collections.abc import Mapping
from functools import lru_cache

from ._address import Address
from ._errors import InvalidRequestError
from ._wire import Call, headers_for

MAXIMUM_HEAD = 64 * 1024
# Of the server's chunks only the size's line is looked for; extensions may follow the size.
MAXIMUM_LINE = 1024
# A body up to this size goes out in one write with its head: in two the server would wake twice.
ONE_WRITE = 64 * 1024
# Of a line of a request: nothing that could begin another line.
_LINE = re.compile(r"[\x20-\x7e]*")


class BadAnswer(Exception):
    """What came is no answer of a server that speaks HTTP/1.1, or ended too early."""


def request(call: Call, address: Address, accept: str) -> list[bytes]:
    """A request, in the parts that are written one after another."""
    body = call.body or b""
    content_type = None if call.body is None else call.content_type
    lines = [f"{call.method} {address.prefix}{call.target} HTTP/1.1", _headers_of(address, accept, content_type)]
    if call.body is not None:
        lines.append(f"Content-Length: {len(body)}")
    if not _LINE.fullmatch(lines[0]):
        raise InvalidRequestError("the server's address has characters that cannot be sent")
    head = "\r\n".join([*lines, "", ""]).encode("ascii")
    return [head + body] if len(body) <= ONE_WRITE else [head, body]


@lru_cache(maxsize=64)
def _headers_of(address: Address, accept: str, content_type: str | None) -> str:
    """The headers that all requests of a kind have in common."""
    lines = [f"Host: {address.host}"]
    lines += [f"{name}: {value}" for name, value in headers_for(address, accept, content_type).items()]
    if not all(_LINE.fullmatch(line) for line in lines):
        raise InvalidRequestError("the server's address or the key has characters that cannot be sent")
    return "\r\n".join(lines)


class Answer:
    """One answer, fed with what a connection brings."""

    def __init__(self) -> None:
        self.status = 0
        self.is_complete = False
        self.keeps_connection = False
        """Whether the connection can carry a further request, once this is complete."""
        self._buffer = b""
        self._length: int | None = None
        self._is_chunked = False
        self._in_trailers = False

    def feed(self, data: bytes) -> bytes:
        """Take bytes of the connection, and give those of the body in them."""
        if self.is_complete:
            raise BadAnswer("the server sent more than an answer")
        self._buffer += data
        if self.status == 0 and not self._head():
            return b""
        return self._chunks() if self._is_chunked else self._plain()

    @property
    def left(self) -> int | None:
        """How many bytes of the body are still to come, where nothing but these comes on the connection."""
        return None if self.status == 0 or self._is_chunked else self._length

    def took(self, count: int) -> None:
        """Take note of bytes of the body that were read past this, at most as many as are left."""
        assert self._length is not None
        self._length -= count
        self.is_complete = self._length == 0

    def end(self) -> None:
        """Take note of the connection's end, which is that of a body without a length."""
        if self.status == 0 or self._is_chunked or self._length is not None:
            raise BadAnswer("the server closed the connection")
        self.is_complete = True

    def _head(self) -> bool:
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            if end > MAXIMUM_HEAD:
                break
            lines = self._buffer[:end].split(b"\r\n")
            self._buffer = self._buffer[end + 4 :]
            status = _status(lines[0])
            if status >= 200:
                self._begin(status, lines)
                return True
            # 1xx: the answer itself is still to come.
        if len(self._buffer) > MAXIMUM_HEAD:
            raise BadAnswer("the answer's head is too large")
        return False

    def _begin(self, status: int, lines: list[bytes]) -> None:
        headers = _headers(lines)
        self.status = status
        connection = headers.get(b"connection", b"").lower()
        self.keeps_connection = lines[0].startswith(b"HTTP/1.1 ") and b"close" not in connection
        if b"transfer-encoding" in headers:
            if headers[b"transfer-encoding"].strip().lower() != b"chunked":
                raise BadAnswer("the answer has a transfer encoding that was not asked for")
            self._is_chunked = True
        elif status in (204, 304):
            self._length = 0
        elif b"content-length" in headers:
            self._length = _number(headers[b"content-length"].strip(), 10)
        else:
            self.keeps_connection = False

    def _plain(self) -> bytes:
        data, self._buffer = self._buffer, b""
        if self._length is None:
            return data
        if len(data) > self._length:
            raise BadAnswer("the server sent more than an answer")
        self._length -= len(data)
        self.is_complete = self._length == 0
        return data

    def _chunks(self) -> bytes:
        """The bodies of the chunks that are here, whole or in part; `_length` is what the current one still lacks."""
        found: list[bytes] = []
        while not self.is_complete:
            if self._length:
                part = self._buffer[: self._length]
                if not part:
                    break
                found.append(part)
                self._buffer = self._buffer[len(part) :]
                self._length -= len(part)
                if self._length > 0:
                    break
            elif (line := self._line()) is None:
                break
            elif self._in_trailers:
                self.is_complete = line == b""
            elif self._length == 0:
                if line:
                    raise BadAnswer("a chunk of the answer is longer than its size")
                self._length = None
            else:
                size = _number(line.split(b";", 1)[0].strip(), 16)
                self._in_trailers = size == 0
                self._length = size or None
        if self.is_complete and self._buffer:
            raise BadAnswer("the server sent more than an answer")
        return b"".join(found)

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\r\n")
        if end > MAXIMUM_LINE or (end < 0 and len(self._buffer) > MAXIMUM_LINE):
            raise BadAnswer("a line of the answer is too long")
        if end < 0:
            return None
        line, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
        return line


def is_readable(descriptor: int) -> bool:
    """Whether a connection has something to read, be it its end."""
    if not hasattr(select, "poll"):
        return bool(select.select([descriptor], [], [], 0)[0])
    poll = select.poll()  # knows descriptors past 1023 too
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def _status(line: bytes) -> int:
    found = re.match(rb"HTTP/1\.[01] (\d{3})(?: |$)", line)
    if not found:
        raise BadAnswer(f"not an answer in HTTP: {line[:40]!r}")
    return int(found[1])


def _headers(lines: list[bytes]) -> Mapping[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        name = name.lower()
        if not colon or (name == b"content-length" and headers.get(name, value) != value):
            raise BadAnswer(f"not a header: {line[:40]!r}")
        headers[name] = value
    return headers


def _number(text: bytes, base: int) -> int:
    # int() takes signs and underscores too.
    if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", text):
        raise BadAnswer(f"not a length: {text[:20]!r}")
    try:
        return int(text, base)
    except ValueError as error:
        raise BadAnswer(f"not a length: {text[:20]!r}") from error
