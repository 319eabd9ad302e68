"""Bodies that are not held: answers read as they come, and files sent as they are read."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest

import jsmsso.http_calls
from jsmsso.errors import JsmFailed, WireFailed
from jsmsso.http_client import MAX_BYTES, HttpClient
from jsmsso.http_uploads import FileForm, OutgoingFile
from jsmsso.jsm.client import JsmClient
from jsmsso.portal.downloads import Download
from tests.test_http_client import OK, Server

HALF = b"x" * 100_000
WHOLE_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n"
Serve = Callable[[Server, socket.socket, int], None]


@pytest.fixture
def server() -> Iterator[Callable[[Serve], Server]]:
    running: list[Server] = []

    def start(serve: Serve) -> Server:
        one = Server(lambda connection, number: serve(one, connection, number))
        running.append(one)
        return one

    yield start
    for one in running:
        one.close()


def sending(*parts: bytes) -> Serve:
    """Each request on each connection gets these bytes."""

    def serve(one: Server, connection: socket.socket, number: int) -> None:
        while True:
            one.read_request(connection)
            for part in parts:
                connection.sendall(part)

    return serve


def cut_after(*parts: bytes) -> Serve:
    def serve(one: Server, connection: socket.socket, number: int) -> None:
        one.read_request(connection)
        for part in parts:
            connection.sendall(part)

    return serve


def streamed(server: Server, **options: Any) -> Any:
    return HttpClient().session(**options).get(server.url, stream=True)


def test_a_body_is_there_before_it_is_whole(server: Callable[[Serve], Server]) -> None:
    go_on = threading.Event()

    def serve(one: Server, connection: socket.socket, number: int) -> None:
        one.read_request(connection)
        connection.sendall(WHOLE_HEAD + HALF)
        go_on.wait(10)
        connection.sendall(HALF)

    answer = streamed(server(serve))
    coming = answer.iter_content(65536)
    received = b""
    while len(received) < len(HALF):
        received += next(coming)
    go_on.set()
    assert received + b"".join(coming) == HALF + HALF


def test_a_connection_is_kept_after_the_end_of_a_body_and_closed_before_it(server: Callable[[Serve], Server]) -> None:
    one = server(sending(WHOLE_HEAD, HALF, HALF))
    session = HttpClient().session()
    for _ in range(3):
        assert len(b"".join(session.get(one.url, stream=True).iter_content(65536))) == 200_000
    assert one.connections == 1
    with session.get(one.url, stream=True) as left:
        next(left.iter_content(65536))
    assert session.get(one.url).content == HALF + HALF
    assert one.connections == 2


def test_a_body_that_is_cut_is_no_body(server: Callable[[Serve], Server]) -> None:
    answer = streamed(server(cut_after(WHOLE_HEAD, HALF)))
    with pytest.raises(WireFailed) as caught:
        list(answer.iter_content(65536))
    assert caught.value.kind == "protocol"


def test_a_body_that_stops_coming_ends_in_time(server: Callable[[Serve], Server], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsmsso.http_calls, "STREAM_SECONDS", 0.2)
    stop = threading.Event()

    def serve(one: Server, connection: socket.socket, number: int) -> None:
        one.read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\nx")
        stop.wait(30)

    answer = streamed(server(serve))
    with pytest.raises(WireFailed) as caught:
        list(answer.iter_content(65536))
    stop.set()
    assert caught.value.kind == "timeout"


def test_a_body_is_no_larger_than_the_session_lets_it(server: Callable[[Serve], Server]) -> None:
    answer = streamed(server(sending(WHOLE_HEAD, HALF, HALF)), max_bytes=150_000)
    with pytest.raises(WireFailed) as caught:
        list(answer.iter_content(65536))
    assert caught.value.kind == "too_large"


def test_a_packed_body_is_unpacked_and_no_larger_either(server: Callable[[Serve], Server]) -> None:
    packed = gzip.compress(bytes(3_000_000))
    one = server(sending(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed), packed))
    assert sum(map(len, streamed(one, max_bytes=3_000_000).iter_content(65536))) == 3_000_000
    with pytest.raises(WireFailed) as caught:
        list(streamed(one, max_bytes=2_000_000).iter_content(65536))
    assert caught.value.kind == "too_large"


def test_a_refusal_is_read_whole_where_it_is_short(server: Callable[[Serve], Server]) -> None:
    one = server(sending(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"))
    assert (streamed(one).content, one.connections) == (b"no", 1)
    long = server(sending(b"HTTP/1.1 500 Oops\r\nContent-Length: %d\r\n\r\n" % (MAX_BYTES + 1), bytes(MAX_BYTES + 1)))
    with pytest.raises(WireFailed):
        streamed(long, max_bytes=10 * MAX_BYTES)


def form_of(*files: tuple[str, bytes]) -> FileForm:
    return FileForm("file", [OutgoingFile(name, "text/plain", len(content), lambda c=content: BytesIO(c)) for name, content in files])


def test_a_form_is_as_long_as_it_says_each_time_that_it_is_sent() -> None:
    form = form_of(("a.txt", b"A" * 200_000), ('q"\r\nx: y.txt', b""), ("Ü東.txt", b"C"))
    first = b"".join(form)
    assert (len(first), b"".join(form)) == (form.size, first)
    assert max(map(len, form)) <= 65536
    assert b"\r\nx: y" not in first


def test_a_form_arrives_whole(server: Callable[[Serve], Server]) -> None:
    received: list[bytes] = []

    def serve(one: Server, connection: socket.socket, number: int) -> None:
        head, _, body = one.read_request(connection).partition("\r\n\r\n")
        whole = body.encode("latin-1")
        length = next(int(line.split(":")[1]) for line in head.lower().split("\r\n") if line.startswith("content-length:"))
        while len(whole) < length:
            whole += connection.recv(65536)
        received.append(whole)
        connection.sendall(OK)

    form = form_of(("a.txt", b"A" * 5_000_000))
    answer = HttpClient().session().post(server(serve).url, data=form, headers={"Content-Type": form.content_type})
    assert (answer.content, received) == (b"ok", [b"".join(form)])


def test_a_file_that_has_become_shorter_is_not_sent_as_a_whole_one(server: Callable[[Serve], Server]) -> None:
    form = FileForm("file", [OutgoingFile("a", "text/plain", 10, lambda: BytesIO(b"short"))])
    with pytest.raises(WireFailed, match="shorter"):
        HttpClient().session().post(server(sending(OK)).url, data=form)


def test_an_answer_before_the_whole_form_counts(server: Callable[[Serve], Server]) -> None:
    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"

    def serve(one: Server, connection: socket.socket, number: int) -> None:
        one.read_request(connection)
        connection.sendall(refusal)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass

    form = form_of(("a.txt", bytes(3_000_000)))
    assert HttpClient().session().post(server(serve).url, data=form).status_code == 413


CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = b"186a0\r\n" + HALF + b"\r\n"
NO_LENGTH = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"


def downloaded(one: Server, promised: int) -> tuple[bytes, list[str]]:
    """What a reader gets of a file that was promised to have so many bytes, and why that is not all."""
    ended: list[bool] = []
    failed: list[JsmFailed] = []
    opened = JsmClient(HttpClient().session(), one.url.rstrip("/")).open_file("/file")
    download = Download(opened, promised, lambda: ended.append(True), failed.append)
    content = b"".join(download)
    assert next(download, b"") == b""
    download.close()
    assert ended == [True]
    return content, [error.message for error in failed]


def test_a_download_that_is_cut_ends_short_lets_go_once_and_says_why(server: Callable[[Serve], Server]) -> None:
    content, failed = downloaded(server(cut_after(WHOLE_HEAD, HALF)), 200_000)
    assert 0 < len(content) <= len(HALF)
    assert ["cannot be reached" in message for message in failed] == [True]


@pytest.mark.parametrize(
    ("parts", "came"),
    [
        pytest.param((WHOLE_HEAD, HALF + HALF), 200_000, id="of a length that is said"),
        pytest.param((CHUNKED_HEAD, CHUNK, CHUNK, b"0\r\n\r\n"), 200_000, id="in chunks"),
        pytest.param((NO_LENGTH, HALF), 100_000, id="to the end of the connection"),
    ],
)
def test_a_download_is_whole_only_when_it_ends_with_just_as_many_bytes_as_were_promised(
    server: Callable[[Serve], Server], parts: tuple[bytes, ...], came: int
) -> None:
    one = server(cut_after(*parts))
    assert downloaded(one, came) == (b"x" * came, [])
    for promised, wrong in ((came - 1, "longer"), (came - 70_000, "longer"), (came + 1, "shorter"), (came + 10_000_000, "shorter")):
        content, (why,) = downloaded(one, promised)
        assert len(content) < promised
        assert f"is {wrong} than the {promised} bytes" in why


def test_a_download_whose_last_chunk_never_comes_is_not_whole(server: Callable[[Serve], Server]) -> None:
    content, (why,) = downloaded(server(cut_after(CHUNKED_HEAD, CHUNK, CHUNK)), 200_000)
    assert len(content) < 200_000
    assert "cannot be reached" in why
