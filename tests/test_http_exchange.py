"""HTTP/1.1 on a socket: which answers are whole, which could be read in two ways, and what may be sent."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from jsmsso.http_exchange import NoWholeAnswer, WireAnswer, exchange, request_bytes

GET, HEAD = b"GET / HTTP/1.1\r\nhost: op.example\r\n\r\n", b"HEAD / HTTP/1.1\r\nhost: op.example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Ours, and the server's."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def asked(
    ends: tuple[socket.socket, socket.socket], answer: bytes, *, request: bytes = GET, max_bytes: int = 1000, step: int = 0
) -> WireAnswer:
    """What becomes of ``answer``, after which the server closes; it comes ``step`` bytes at a time."""
    ours, theirs = ends

    def serve() -> None:
        with suppress(OSError):
            for start in range(0, len(answer), step or len(answer) or 1):
                theirs.sendall(answer[start : start + (step or len(answer))])
            theirs.shutdown(socket.SHUT_WR)

    server = threading.Thread(target=serve)
    server.start()
    try:
        return exchange(ours, request, time.monotonic() + 30, max_bytes)
    finally:
        ours.close()
        server.join()


IN_PIECES = pytest.mark.parametrize("step", [pytest.param(0, id="at once"), pytest.param(1, id="byte by byte")])

WHOLE = [
    pytest.param(OK, 200, b"ok", True, id="with a length"),
    pytest.param(b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", True, id="without a reason"),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", False, id="the last of its connection"
    ),
    pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", False, id="of HTTP/1.0"),
    pytest.param(
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", True, id="of HTTP/1.0 that goes on"
    ),
    pytest.param(b"HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, b"until the end", False, id="until the connection ends"),
    pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True, id="without a body"),
    pytest.param(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 20\r\n\r\n", 304, b"", True, id="of a body that did not change"),
    pytest.param(CHUNKED + b"2\r\nok\r\n0\r\n\r\n", 200, b"ok", True, id="in chunks"),
    pytest.param(CHUNKED + b'1;a=b\r\no\r\n1;c="d"\r\nk\r\n0;e\r\n\r\n', 200, b"ok", True, id="in chunks with extensions"),
    pytest.param(CHUNKED + b"1\r\nx\r\n" * 999 + b"0\r\n\r\n", 200, b"x" * 999, True, id="in chunks of a byte"),
    pytest.param(CHUNKED + b"2\r\nok\r\n0\r\nLocation: /later\r\n\r\n", 200, b"ok", True, id="in chunks with a trailer"),
    pytest.param(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLocation: /early\r\n\r\n" + OK, 200, b"ok", True, id="after two 1xx"
    ),
    pytest.param(b"HTTP/1.1 103 Early Hints\r\nContent-Length: 9\r\n\r\n" + OK, 200, b"ok", True, id="after a 1xx that names a length"),
]


@IN_PIECES
@pytest.mark.parametrize(("answer", "status", "body", "may_go_on"), WHOLE)
def test_a_whole_answer_is_read(
    ends: tuple[socket.socket, socket.socket], answer: bytes, status: int, body: bytes, may_go_on: bool, step: int
) -> None:
    found = asked(ends, answer, step=step)

    assert (found.status, found.body, found.may_go_on) == (status, body, may_go_on)
    assert "location" not in found.headers  # neither a 1xx's nor a trailer's


def test_headers_are_found_by_their_names_in_lower_case_and_joined_where_repeated(ends: tuple[socket.socket, socket.socket]) -> None:
    lines = (b"X-Empty:", b"Cache-Control: no-store \t", b"CACHE-CONTROL:\tmax-age=5", b"X-Name: J\xf6rg", b"Content-Length: 0")

    found = asked(ends, headed(*lines, body=b""))

    assert found.headers == {"x-empty": "", "cache-control": "no-store, max-age=5", "x-name": "Jörg", "content-length": "0"}


@pytest.mark.parametrize(
    ("answer", "may_go_on"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True, id="of nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n", False, id="with the length that a GET's would have"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", False, id="in chunks"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", False, id="with a body all the same"),
    ],
)
def test_an_answer_to_a_head_has_no_body(ends: tuple[socket.socket, socket.socket], answer: bytes, may_go_on: bool) -> None:
    found = asked(ends, answer, request=HEAD)

    assert (found.status, found.body, found.may_go_on) == (200, b"", may_go_on)


BEHIND = [
    pytest.param(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno", id="another answer"),
    pytest.param(OK + b"more", id="other bytes"),
    pytest.param(OK + b"HTTP/1.1 100 Continue\r\n\r\n", id="a 1xx"),
    pytest.param(CHUNKED + b"2\r\nok\r\n0\r\n\r\n0\r\n\r\n", id="another end"),
    pytest.param(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nokmore", id="bytes behind the last answer"),
]


@pytest.mark.parametrize("answer", BEHIND)
def test_what_lies_behind_an_answer_is_nobodys_and_ends_the_connection(ends: tuple[socket.socket, socket.socket], answer: bytes) -> None:
    found = asked(ends, answer)

    assert (found.body, found.may_go_on) == (b"ok", False)


def headed(*lines: bytes, body: bytes = b"ok") -> bytes:
    return b"\r\n".join((b"HTTP/1.1 200 OK", *lines, b"", b"")) + body


IN_CHUNKS = b"2\r\nok\r\n0\r\n\r\n"
TWO_WAYS = [
    pytest.param(headed(b"Content-Length: 2", b"Content-Length: 2"), id="a length twice"),
    pytest.param(headed(b"Content-Length: 2", b"Content-Length: 1"), id="two lengths"),
    pytest.param(headed(b"Content-Length: 2, 2"), id="a list of lengths"),
    pytest.param(headed(b"Content-Length: +2"), id="a length with a sign"),
    pytest.param(headed(b"Content-Length: -2"), id="a negative length"),
    pytest.param(headed(b"Content-Length: 0x2"), id="a length in hexadecimal"),
    pytest.param(headed(b"Content-Length: 2 2"), id="a length with a gap"),
    pytest.param(headed(b"Content-Length:"), id="an empty length"),
    pytest.param(headed(b"Content-Length: 18446744073709551618"), id="a length beyond 64 bits"),
    pytest.param(headed(b"Content-Length : 2"), id="a space before the colon"),
    pytest.param(headed(b"Content-Length:", b" 2"), id="a folded length"),
    pytest.param(headed(b"X: a", b" b", b"Content-Length: 2"), id="a folded header"),
    pytest.param(headed(b" X: a", b"Content-Length: 2"), id="a space before the first header"),
    pytest.param(headed(b"Content-Length: 2", b"Transfer-Encoding: chunked", body=IN_CHUNKS), id="a length and chunks"),
    pytest.param(headed(b"Transfer-Encoding: chunked", b"Content-Length: 2", body=IN_CHUNKS), id="chunks and a length"),
    pytest.param(headed(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=IN_CHUNKS), id="chunks twice"),
    pytest.param(headed(b"Transfer-Encoding: chunked, chunked", body=IN_CHUNKS), id="chunks in chunks"),
    pytest.param(headed(b"Transfer-Encoding: gzip, chunked", body=IN_CHUNKS), id="a coding in chunks"),
    pytest.param(headed(b"Transfer-Encoding: chunked, gzip", body=IN_CHUNKS), id="chunks in a coding"),
    pytest.param(headed(b"Transfer-Encoding: identity"), id="a coding that is none"),
    pytest.param(headed(b"Transfer-Encoding: xchunked", body=IN_CHUNKS), id="a coding that looks like chunks"),
    pytest.param(headed(b"Transfer-Encoding: \x0bchunked", body=IN_CHUNKS), id="a coding behind a control character"),
    pytest.param(b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + IN_CHUNKS, id="chunks of HTTP/1.0"),
    pytest.param(b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", id="lines without CR"),
    pytest.param(headed(b"X: a\nContent-Length: 1", b"Y: b", body=b"ok"), id="a header within a header, by LF"),
    pytest.param(headed(b"X: a\rContent-Length: 1", b"Y: b", body=b"ok"), id="a header within a header, by CR"),
    pytest.param(headed(b"X: a\x00b", b"Content-Length: 2"), id="a NUL in a header"),
    pytest.param(headed(b"X(: a", b"Content-Length: 2"), id="a name that is no token"),
    pytest.param(headed(b": a", b"Content-Length: 2"), id="no name"),
    pytest.param(headed(b"Content-Length", b"Content-Length: 2"), id="no colon"),
    pytest.param(CHUNKED + b"0x2\r\nok\r\n0\r\n\r\n", id="a chunk's length with a prefix"),
    pytest.param(CHUNKED + b"-2\r\nok\r\n0\r\n\r\n", id="a negative chunk"),
    pytest.param(CHUNKED + b" 2\r\nok\r\n0\r\n\r\n", id="a space before a chunk's length"),
    pytest.param(CHUNKED + b"2 \r\nok\r\n0\r\n\r\n", id="a space behind a chunk's length"),
    pytest.param(CHUNKED + b"2\nok\r\n0\r\n\r\n", id="a chunk's line without CR"),
    pytest.param(CHUNKED + b"2;a\nok\r\n0\r\n\r\n", id="a chunk's extension without CR"),
    pytest.param(CHUNKED + b"2\r\nokay\r\n0\r\n\r\n", id="a chunk longer than it says"),
    pytest.param(CHUNKED + b"2\r\nok0\r\n\r\n", id="a chunk without its end"),
    pytest.param(CHUNKED + b"10000000000000002\r\nok\r\n0\r\n\r\n", id="a chunk beyond 64 bits"),
    pytest.param(CHUNKED + b"2\r\nok\r\n0\r\nContent-Length: 9\r\n\r\n", id="a length among the trailers"),
    pytest.param(b"\r\n" + OK, id="an empty line first"),
    pytest.param(b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok", id="HTTP/2"),
    pytest.param(b"HTTP/0.9 200 OK\r\nContent-Length: 2\r\n\r\nok", id="HTTP/0.9"),
    pytest.param(b"RTSP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", id="RTSP"),
    pytest.param(b"ICY 200 OK\r\nContent-Length: 2\r\n\r\nok", id="a radio"),
    pytest.param(b"GET / HTTP/1.1\r\nContent-Length: 2\r\n\r\nok", id="a request"),
    pytest.param(b"HTTP/1.1 000 No\r\nContent-Length: 2\r\n\r\nok", id="a status of zero"),
    pytest.param(b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok", id="a status of four digits"),
    pytest.param(b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n", id="another protocol"),
    pytest.param(b"HTTP/1.1 101 Switching\r\n\r\n" + OK, id="a 101 that names no protocol"),
    pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n", id="a 1xx and no more"),
    pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" * 3000, id="1xx without end"),
    pytest.param(headed(*[b"X: y"] * 101, b"Content-Length: 2"), id="a hundred and one headers"),
    pytest.param(CHUNKED + b"2\r\nok\r\n0\r\n" + b"X: y\r\n" * 101 + b"\r\n", id="a hundred and one trailers"),
    pytest.param(CHUNKED + b"2\r\nok\r\n0\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", id="a trailer of 70 kB"),
    pytest.param(CHUNKED + b"2;" + b"x" * 70_000 + b"\r\nok\r\n0\r\n\r\n", id="a chunk's extension of 70 kB"),
    pytest.param(b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\nContent-Length: 2\r\n\r\nok", id="a reason of 70 kB"),
]


@IN_PIECES
@pytest.mark.parametrize("answer", TWO_WAYS)
def test_an_answer_that_could_be_read_in_two_ways_is_none(ends: tuple[socket.socket, socket.socket], answer: bytes, step: int) -> None:
    with pytest.raises(NoWholeAnswer) as caught:
        asked(ends, answer, step=step * 100 if len(answer) > 10_000 else step)

    assert caught.value.kind == "protocol"
    assert not caught.value.unanswered


CUT = OK, CHUNKED + IN_CHUNKS, b"HTTP/1.1 100 Continue\r\n\r\n" + OK


@pytest.mark.parametrize("answer", CUT)
def test_an_answer_cut_anywhere_is_none(answer: bytes) -> None:
    for length in range(len(answer)):
        ends = socket.socketpair()
        with ends[0], ends[1], pytest.raises(NoWholeAnswer) as caught:
            asked(ends, answer[:length])
        assert caught.value.unanswered == (length == 0)


@pytest.mark.parametrize("framing", [b"Content-Length: 1001\r\n\r\n", b"\r\n", b"Transfer-Encoding: chunked\r\n\r\n3e9\r\n"])
def test_a_body_larger_than_allowed_is_too_large(ends: tuple[socket.socket, socket.socket], framing: bytes) -> None:
    with pytest.raises(NoWholeAnswer) as caught:
        asked(ends, b"HTTP/1.1 200 OK\r\n" + framing + b"x" * 1001)

    assert caught.value.kind == "too_large"


def test_an_answer_given_before_the_request_was_read_counts(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    theirs.sendall(b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")
    theirs.close()

    found = exchange(ours, request_bytes("POST", "/", "op.example", {}, b"x" * 3_000_000), time.monotonic() + 30, 1000)
    assert (found.status, found.body) == (413, b"no")


def test_a_connection_that_took_a_part_of_a_request_serves_no_other(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    theirs.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
    theirs.close()

    found = exchange(ours, request_bytes("POST", "/", "op.example", {}, b"x" * 3_000_000), time.monotonic() + 30, 1000)
    assert (found.status, found.may_go_on) == (413, False)


def test_a_server_that_does_not_read_meets_the_deadline(ends: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(TimeoutError):
        exchange(ends[0], request_bytes("POST", "/", "op.example", {}, b"x" * 3_000_000), time.monotonic() + 0.2, 1000)


# What is sent ------------------------------------------------------------------------------------


def test_a_request_is_framed_by_us_alone() -> None:
    headers = {"accept": "a/b", "Content-Length": "9", "Transfer-Encoding": "chunked", "HOST": "evil.example", "Connection": "upgrade"}

    assert request_bytes("POST", "/a?b", "op.example:8443", headers, b"c=d") == (
        b"POST /a?b HTTP/1.1\r\nhost: op.example:8443\r\naccept: a/b\r\ncontent-length: 3\r\n\r\nc=d"
    )


@pytest.mark.parametrize(
    ("method", "body", "sent"),
    [
        pytest.param("GET", None, b"GET / HTTP/1.1\r\nhost: op.example\r\n\r\n", id="a GET has no length"),
        pytest.param("POST", None, b"POST / HTTP/1.1\r\nhost: op.example\r\ncontent-length: 0\r\n\r\n", id="an empty POST has one"),
        pytest.param("DELETE", b"x", b"DELETE / HTTP/1.1\r\nhost: op.example\r\ncontent-length: 1\r\n\r\nx", id="so has any body"),
        pytest.param("PUT", "é", b"PUT / HTTP/1.1\r\nhost: op.example\r\ncontent-length: 2\r\n\r\n\xc3\xa9", id="in bytes"),
    ],
)
def test_a_body_is_sent_with_its_length(method: str, body: bytes | str | None, sent: bytes) -> None:
    assert request_bytes(method, "/", "op.example", {}, body) == sent


@pytest.mark.parametrize(
    ("method", "target", "name", "value"),
    [
        pytest.param("GET", "/", "x", "a\r\nauthorization: b", id="a line in a value"),
        pytest.param("GET", "/", "x", "a\nb", id="LF in a value"),
        pytest.param("GET", "/", "x", "a\rb", id="CR in a value"),
        pytest.param("GET", "/", "x", "a\r\n b", id="a folded value"),
        pytest.param("GET", "/", "x", "a\x00b", id="NUL in a value"),
        pytest.param("GET", "/", "x", "a\u2028b", id="another line's end in a value"),
        pytest.param("GET", "/", "x\r\ny", "a", id="a line in a name"),
        pytest.param("GET", "/", "x:y", "a", id="a colon in a name"),
        pytest.param("GET", "/", "x ", "a", id="a space in a name"),
        pytest.param("GET", "/", "", "a", id="no name"),
        pytest.param("GET", "/ HTTP/1.1\r\nx: y", "x", "a", id="a line in an address"),
        pytest.param("GET", "/a b", "x", "a", id="a space in an address"),
        pytest.param("GET", "http://evil.example/", "x", "a", id="a whole address"),
        pytest.param("GET /\r\nx:", "/", "x", "a", id="a line in a method"),
    ],
)
def test_nothing_that_is_sent_can_begin_another_line(method: str, target: str, name: str, value: str) -> None:
    with pytest.raises(NoWholeAnswer) as caught:
        request_bytes(method, target, "op.example", {name: value}, None)

    assert "evil" not in str(caught.value)


def test_a_body_in_pieces_is_refused() -> None:
    with pytest.raises(NoWholeAnswer):
        request_bytes("POST", "/", "op.example", {}, iter([b"a"]))  # type: ignore[arg-type]
