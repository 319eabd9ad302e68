"""HTTP/1.1 spoken on a connected socket (RFC 9112): one request, and its answer whole or piece by piece.

llhttp, by way of httptools, takes the answer apart in its strict mode. What its grammar leaves open is decided here:
how long an answer may be and may take, what may frame its body, and whether the connection is clean enough for another.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

RECEIVE = 65536  # bytes at once
MAX_HEAD = 65536  # bytes of an answer that are not its body: status lines, headers, trailers
MAX_FRAMING = 8  # so many more for each byte of a body: a chunk of a single byte takes five
MAX_LINES = 100  # headers and trailers together, as many as http.client takes
_WITH_BODY = ("POST", "PUT", "PATCH")
_FRAMING = ("host", "content-length", "transfer-encoding", "connection")  # of a request; written here alone
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 5.6.2
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")  # RFC 9110 5.5
_TARGET = re.compile(r"/[!-~]*")


class NoWholeAnswer(Exception):
    """Why there is none, in words. ``kind`` is a :class:`WireFailed`'s; ``unanswered``: the connection ended before a byte came."""

    def __init__(self, message: str, *, kind: str = "protocol", unanswered: bool = False) -> None:
        super().__init__(message)
        self.kind = kind
        self.unanswered = unanswered


@dataclass(frozen=True, slots=True)
class WireAnswer:
    """An answer as it came: names of headers in lower case, the values of a repeated one joined by commas, the body not unpacked."""

    status: int
    headers: dict[str, str]
    body: bytes
    may_go_on: bool
    """Whether the connection is good for another request."""


class Pieces(Protocol):
    """A request's body that is too large to be held: ``size`` bytes, the same ones each time that it is gone through."""

    @property
    def size(self) -> int: ...

    def __iter__(self) -> Iterator[bytes]: ...


def request_bytes(
    method: str, target: str, host: str, headers: Mapping[str, str | bytes], body: bytes | str | None, *, size: int | None = None
) -> bytes:
    """A request, whole; where its body follows in pieces, of ``size`` bytes together, all that stands before it.

    Raises :class:`NoWholeAnswer` for a text that could end a header and begin another, and for a body that is no bytes.
    """
    if isinstance(body, str):
        body = body.encode()
    if not isinstance(body, bytes | None):
        raise _unsendable("its body is not bytes")
    if not _TOKEN.fullmatch(method) or not _TARGET.fullmatch(target):
        raise _unsendable("its method or its address holds what may not be there")
    lines = [f"{method} {target} HTTP/1.1", f"host: {host}"]
    for name, value in headers.items():
        text = value if isinstance(value, str) else value.decode("latin-1")
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(text):
            raise _unsendable("a header holds what may not be there")  # which may be a secret
        if name.lower() not in _FRAMING:
            lines.append(f"{name}: {text}")
    if size is not None or body is not None or method in _WITH_BODY:
        lines.append(f"content-length: {size if size is not None else len(body or b'')}")
    return "\r\n".join((*lines, "\r\n")).encode("latin-1") + (body or b"")


def exchange(sock: socket.socket, request: bytes, ends: float, max_bytes: int, pieces: Iterable[bytes] = ()) -> WireAnswer:
    """Send ``request`` and read its answer until ``ends`` (on the monotonic clock), with a body of at most ``max_bytes``.

    Raises :class:`NoWholeAnswer`, TimeoutError and ssl.SSLError, after which the connection is good for nothing.
    """
    answer = Arriving(sock, request, ends, max_bytes, pieces)
    reader = answer.reader
    while not reader.is_over:
        answer.receive(ends)
    return WireAnswer(reader.status, reader.headers, b"".join(reader.body), reader.may_go_on and answer.was_sent)


class Arriving:
    """A request that was sent, and its answer as far as it has come. Raises as :func:`exchange` does.

    ``was_sent`` is False where the other side took only a part: its connection is good for nothing more.
    """

    __slots__ = ("_max_bytes", "_received", "_sock", "reader", "was_sent")

    def __init__(self, sock: socket.socket, request: bytes, ends: float, max_bytes: int, pieces: Iterable[bytes] = ()) -> None:
        self.was_sent = _sent(sock, request, pieces, ends)
        self.reader = Reader(is_head=request.startswith(b"HEAD "))  # whose answer has no body, whatever it says
        self._sock = sock
        self._max_bytes = max_bytes
        self._received = 0

    def receive(self, ends: float) -> None:
        """What comes next, until ``ends``."""
        reader = self.reader
        self._sock.settimeout(_left(ends))
        try:
            chunk = self._sock.recv(RECEIVE)
        except ConnectionError as error:
            raise _closed(self._received) from error
        if not chunk:
            _left(ends)  # a socket that is shut as its time is over ends in the same way
            if not reader.ends_with_connection:
                raise _closed(self._received)
            reader.is_over = True
            return
        if not self._received and not chunk.startswith(b"H"):
            raise _unreadable("no HTTP")  # llhttp takes RTSP and ICE too
        self._received += len(chunk)
        reader.read(chunk)
        if reader.size > self._max_bytes:
            raise NoWholeAnswer(f"the answer is larger than {self._max_bytes} bytes", kind="too_large")
        if self._received - reader.size > MAX_HEAD + MAX_FRAMING * reader.size:
            raise _unreadable("its headers are too large")


class Reader:
    """Keeps what llhttp finds in an answer. ``body`` are pieces, which who reads on may take out; ``size`` counts all of them."""

    __slots__ = (
        "_is_head",
        "_lines",
        "_parser",
        "body",
        "ends_with_connection",
        "has_head",
        "headers",
        "is_over",
        "is_whole",
        "may_go_on",
        "size",
        "status",
    )

    def __init__(self, is_head: bool) -> None:
        self._is_head = is_head
        self.has_head = False  # of the answer itself, not of a 1xx before it
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        self.status = self.size = self._lines = 0
        self.headers: dict[str, str] = {}
        self.body: list[bytes] = []
        self.is_whole = self.is_over = self.may_go_on = self.ends_with_connection = False

    def read(self, chunk: bytes) -> None:
        """Raises :class:`NoWholeAnswer`. Bytes behind a whole answer are nobody's: they are dropped, and the connection with them."""
        parser = self._parser
        assert parser is not None
        try:
            parser.feed_data(chunk)
        except HttpParserUpgrade:
            raise _unreadable("it goes on in another protocol") from None
        except HttpParserError as error:
            self.may_go_on = False
            if not self.is_whole:
                raise error.__context__ if isinstance(error.__context__, NoWholeAnswer) else _unreadable(str(error)) from error
        if self.is_whole:
            self.is_over = True
            self._parser = None  # it holds our methods: a circle that only the garbage collector would end

    # What llhttp calls.

    def on_message_begin(self) -> None:
        if self.is_whole:
            raise _unreadable("another answer behind the answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._lines += 1
        if self._lines > MAX_LINES:
            raise _unreadable("too many headers")
        if self.has_head:
            return  # a trailer
        key, text = name.lower().decode("latin-1"), value.rstrip(b" \t").decode("latin-1")
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        status, version = self._parser.get_status_code(), self._parser.get_http_version()
        if version not in ("1.1", "1.0") or status < 100:
            raise _unreadable("no HTTP/1.1")
        if status < 200:
            return
        self.status, self.has_head = status, True
        if self._is_head:
            self.is_whole = True
            return
        coding = self.headers.get("transfer-encoding")
        if coding is not None and (coding.lower() != "chunked" or version != "1.1"):
            raise _unreadable("a Transfer-Encoding that was not asked for")
        self.ends_with_connection = coding is None and "content-length" not in self.headers

    def on_body(self, part: bytes) -> None:
        if self.is_whole:
            raise _unreadable("a body behind the answer to a HEAD")
        self.size += len(part)
        self.body.append(part)

    def on_message_complete(self) -> None:
        assert self._parser is not None
        if self.has_head:
            self.is_whole, self.may_go_on = True, self._parser.should_keep_alive()
        else:
            self.headers = {}


def _sent(sock: socket.socket, request: bytes, pieces: Iterable[bytes], ends: float) -> bool:
    """Whether all of it was taken."""
    try:
        _send_all(sock, request, ends)
        for piece in pieces:
            _send_all(sock, piece, ends)
    except ConnectionError:
        return False  # a server may answer and close before it has read everything; that answer counts
    return True


def _send_all(sock: socket.socket, content: bytes, ends: float) -> None:
    rest = memoryview(content)
    while rest:
        sock.settimeout(_left(ends))
        rest = rest[sock.send(rest) :]


def _left(ends: float) -> float:
    """Seconds. Raises TimeoutError when there are none."""
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _closed(received: int) -> NoWholeAnswer:
    return NoWholeAnswer("the connection was closed before the answer was whole", unanswered=not received)


def _unreadable(why: str) -> NoWholeAnswer:
    return NoWholeAnswer(f"the answer cannot be read: {why}")


def _unsendable(why: str) -> NoWholeAnswer:
    return NoWholeAnswer(f"the request cannot be sent: {why}")
