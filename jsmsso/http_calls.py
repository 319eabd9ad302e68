"""One call on a connection that was kept, or on a new one: its answer whole, or read on by whoever asked for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BytesIO
from typing import IO, TypeVar, cast

import urllib3
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError

from jsmsso.errors import WireFailed
from jsmsso.http_connections import Connections
from jsmsso.http_deadlines import Call, watch
from jsmsso.http_exchange import Arriving, NoWholeAnswer, WireAnswer, exchange

STREAM_SECONDS = 15.0  # for a body that is read as it comes, and
SLOWEST = 32 * 1024  # bytes a second that it must keep up, so that a large one has longer
PIECE = 65536  # bytes
T = TypeVar("T")

WIRE_ERRORS = (NoWholeAnswer, HTTPError, OSError, ValueError, AttributeError)
"""What a call fails with. AttributeError is http.client's own, when the watch shuts a socket between two of its steps."""


def whole_answer(connections: Connections, call: Call, request: bytes, pieces: Iterable[bytes], max_bytes: int, replay: bool) -> WireAnswer:
    """The answer to ``request``, and to the ``pieces`` behind it. Where ``replay`` allows it, also on a second connection."""

    def speak(connection: HTTPConnection) -> WireAnswer:
        return exchange(connection.sock, request, call.ends, max_bytes, pieces)

    connection, answer = _spoken(connections, call, replay, speak)
    call.connection = None  # from here on it may be another call's
    if answer.may_go_on:
        connections.keep(connection)
    else:
        connection.close()
    return answer


def begun_answer(
    connections: Connections, call: Call, request: bytes, max_bytes: int, replay: bool, failure: Callable[[Exception], Exception]
) -> Incoming:
    """The same as soon as its headers are there. ``call`` goes on until the answer is read or closed; ``failure`` makes our error."""

    def speak(connection: HTTPConnection) -> Arriving:
        arriving = Arriving(connection.sock, request, call.ends, max_bytes)
        while not arriving.reader.has_head:
            arriving.receive(call.ends)
        return arriving

    connection, arriving = _spoken(connections, call, replay, speak)
    return Incoming(connections, connection, call, arriving, failure)


def _spoken(connections: Connections, call: Call, replay: bool, speak: Callable[[HTTPConnection], T]) -> tuple[HTTPConnection, T]:
    kept = connections.kept()
    while True:
        connection = call.connection = kept or connections.new()
        try:
            if kept is None:
                connections.open(connection, max(0.001, call.ends - time.monotonic()))
            return connection, speak(connection)
        except BaseException as error:
            connection.close()
            if kept is None or not replay or not isinstance(error, NoWholeAnswer) or not error.unanswered or call.expired:
                raise
            kept = None


class Incoming:
    """An answer whose body comes as it is read: at least 32 kB a second, reckoned with 15 seconds' grace.

    The connection is kept for the next call once the body was read to its end, and closed by :meth:`close` before that.
    ``headers`` by their names in lower case.
    """

    def __init__(
        self,
        connections: Connections,
        connection: HTTPConnection,
        call: Call,
        arriving: Arriving,
        failure: Callable[[Exception], Exception],
    ) -> None:
        self._connections = connections
        self._connection: HTTPConnection | None = connection
        self._call = call
        self._arriving = arriving
        self._failure = failure
        self._began = time.monotonic()
        self.status = arriving.reader.status
        self.headers = arriving.reader.headers
        self.reason = ""  # as requests wants one

    @property
    def closed(self) -> bool:
        """Whether nothing more comes."""
        return self._connection is None

    def read(self, size: int = PIECE) -> bytes:
        """Up to ``size`` bytes as they came; none at the end. Raises :class:`WireFailed`, after which it is closed."""
        reader = self._arriving.reader
        try:
            while not reader.body and not reader.is_over:
                call = self._call
                call.ends = self._began + STREAM_SECONDS + reader.size / SLOWEST
                self._arriving.receive(call.ends)
        except WIRE_ERRORS as error:
            self.close()
            raise self._failure(error) from error
        except BaseException:
            self.close()
            raise
        if not reader.body:
            self._end()
            return b""
        first = reader.body.pop(0)
        if len(first) > size:
            reader.body.insert(0, first[size:])
        return first[:size]

    read1 = read  # as urllib3 reads what it unpacks

    def close(self) -> None:
        """Nobody reads on."""
        connection, self._connection = self._connection, None
        if connection is not None:
            watch.remove(self._call)
            self._call.connection = None
            connection.close()

    def _end(self) -> None:
        connection = self._connection
        if connection is None or not (self._arriving.was_sent and self._arriving.reader.may_go_on):
            self.close()
            return
        self._connection = None
        watch.remove(self._call)
        self._call.connection = None
        self._connections.keep(connection)


def unpacked(source: IO[bytes] | Incoming, headers: Mapping[str, str], max_bytes: int, address: str) -> Iterator[bytes]:
    """A body, unpacked by urllib3 where it came packed. Raises :class:`WireFailed`; ``address`` is for its message."""
    if "content-encoding" not in headers:
        while part := source.read(PIECE):
            yield part
        return
    response = urllib3.HTTPResponse(cast("BytesIO", source), headers, preload_content=False)
    size = 0
    try:
        while part := response.read1(PIECE, decode_content=True):
            size += len(part)
            if size > max_bytes:
                raise WireFailed("too_large", address, f"the answer is larger than {max_bytes} bytes")
            yield part
    except HTTPError as error:
        raise WireFailed("protocol", address, f"the answer cannot be read: {type(error).__name__}") from error
