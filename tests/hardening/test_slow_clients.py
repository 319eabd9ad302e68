"""Clients that hold a connection, and send nothing, or a byte at a time: each meets a deadline, and the others are served."""

from __future__ import annotations

import os
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from jsmsso.runtime.bodies import AT_ONCE, BODY_SECONDS, OF_ONE_CLIENT, SLOWEST, Bodies, BodyRefused
from jsmsso.runtime.connections import STALLED_SECONDS, Stalled, allow_connections
from tests.hardening.conftest import Server

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel how long a connection has been quiet")

FORM = b"POST /logout HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
WAVES: list[dict[str, tuple[bytes, bytes]]] = [
    {
        "says nothing": (b"", b""),
        "stops in the first line": (b"GET /heal", b""),
        "stops in its headers": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: ", b""),
        "sends headers byte by byte": (b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"X: " + b"a" * 1000),
        "stays after its answer": (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b""),
        "stops in a body": (FORM + b"Content-Length: 1000\r\n\r\ntoken=", b""),
        "sends a body byte by byte": (FORM + b"Content-Length: 1000\r\n\r\n", b"a" * 1000),
        "stops in a chunk": (FORM + b"Transfer-Encoding: chunked\r\n\r\n100\r\ntoken=", b""),
        "sends chunks byte by byte": (FORM + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n" * 300),
    },
    {
        "sends no body": (FORM + b"Content-Length: 1000\r\n\r\n", b""),
        "waits to be told to go on": (FORM + b"Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n", b""),
        "sends nothing but a chunk's extensions": (FORM + b"Transfer-Encoding: chunked\r\n\r\n1;", b"a" * 1000),
        "never ends the chunks": (FORM + b"Transfer-Encoding: chunked\r\n\r\n7\r\ntoken=x\r\n", b""),
        "asks with a body for what takes none": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", b"a" * 1000),
    },
]
"""What is sent at once, and what a byte at a time, four a second; no more bodies in a wave than are read at once."""


class SlowClient(threading.Thread):
    """Sends, and notes when the server ended it."""

    def __init__(self, server: Server, number: int, at_once: bytes, dripped: bytes) -> None:
        super().__init__(daemon=True)
        self.connection = server.connect()
        self.connection.settimeout(0.25)
        self.begun = time.monotonic()
        self.ended = 0.0
        self.answer = b""
        client = b"Host: x\r\nX-Forwarded-For: 203.0.113.%d\r\n" % number
        self._at_once, self._dripped = at_once.replace(b"Host: x\r\n", client), dripped
        self.start()

    def run(self) -> None:
        try:
            self.connection.sendall(self._at_once)
            for place in range(200):
                if self._dripped:
                    self.connection.sendall(self._dripped[place : place + 1])
                try:
                    chunk = self.connection.recv(65536)
                except TimeoutError:
                    continue
                if not chunk:
                    break
                self.answer += chunk
            else:
                return
        except OSError:
            pass
        self.ended = time.monotonic() - self.begun


@linux_only
@pytest.mark.parametrize("wave", [0, 1])
def test_every_slow_client_meets_a_deadline_and_all_others_are_served(server: Server, wave: int) -> None:
    clients = {name: SlowClient(server, number, *parts) for number, (name, parts) in enumerate(WAVES[wave].items())}
    crowd = [server.connect() for _ in range(150)]  # which say nothing
    longest = 0.0
    while any(client.is_alive() for client in clients.values()):
        begun = time.monotonic()
        assert server.served.get("/healthz")[0].status == 200
        assert server.served.get("/", {"Accept": "text/html"})[0].status == 200
        longest = max(longest, time.monotonic() - begun)
        time.sleep(0.3)
    for one in (*crowd, *(client.connection for client in clients.values())):
        one.close()
    ended = {name: client.ended for name, client in clients.items()}
    assert all(0 < seconds < 2.5 * BODY_SECONDS for seconds in ended.values()), ended
    assert not [name for name, client in clients.items() if b" 503 " in client.answer], "all four bodies had a place"
    assert b" 408 " in clients["sends a body byte by byte"].answer if wave == 0 else clients
    assert longest < 5, "seconds that others waited, on a machine that does much besides"
    assert server.is_well()


def test_bodies_of_one_client_leave_places_for_others(server: Server) -> None:
    """Through a proxy that says who asks: two of one client wait, its third is turned away, another's form goes through."""

    def form(client: str, *, whole: bool) -> bytes:
        body = b"token=x"
        return FORM + b"X-Forwarded-For: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (
            client.encode(),
            len(body) if whole else 100,
            body,
        )

    for attempt in range(10):
        client = f"203.0.113.{attempt}"
        with ExitStack() as opened:
            held = [opened.enter_context(server.connect()) for _ in range(OF_ONE_CLIENT)]
            for one in held:
                one.sendall(form(client, whole=False))
            time.sleep(0.1 * 2**attempt if attempt < 6 else 3)  # until both have come in, which nothing tells
            answer = server.raw(form(client, whole=True))
            if b" 503 " in answer:
                assert b"retry-after: 2\r\n" in answer
                assert b" 403 " in server.raw(form("203.0.113.99", whole=True))
                break
    else:
        pytest.fail("two bodies of one client were never under way at once")
    for _ in range(100):
        answer = server.raw(form(client, whole=True))
        if b" 403 " in answer:
            break
        assert b" 503 " in answer, "until the server has noticed that they went"
        time.sleep(0.2)
    assert b" 403 " in answer


@linux_only
def test_who_asks_for_much_and_takes_nothing_holds_neither_threads_nor_memory(server: Server) -> None:
    """Each asks 500 times and reads no answer: what was not taken is not made."""

    def resident() -> int:
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{server.served.workers()[0]}/status").read_text())
        assert found
        return int(found[1])

    before = resident()
    with ExitStack() as opened:
        for _ in range(60):
            one = opened.enter_context(socket.socket())
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            one.connect(("127.0.0.1", server.port))
            one.setblocking(False)
            one.send(b"GET / HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n" * 500)
        for _ in range(20):
            assert server.served.get("/", {"Accept": "text/html"})[0].status == 200
        assert resident() < before + 100_000, "kB; it was 20,000"
    assert server.is_well()


# The parts of it ------------------------------------------------------------------------------


class Dripping:
    """A stream as granian's: a read waits for all that was asked for, and each byte takes a while."""

    def __init__(self, clock: list[float], seconds: float, content: bytes = b"a" * 100_000_000) -> None:
        self._clock, self._seconds, self._content = clock, seconds, memoryview(content)
        self.asked: list[int] = []

    def read(self, size: int) -> bytes:
        self.asked.append(size)
        found, self._content = self._content[:size], self._content[size:]
        self._clock[0] += self._seconds * len(found)
        return bytes(found)


def body_of(stream: Any, length: int | None, *, limit: int, clock: list[float]) -> bytes:
    environ: dict[str, Any] = {"wsgi.input": stream, "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    if length is not None:
        environ["CONTENT_LENGTH"] = str(length)
    return Bodies(limit, now=lambda: clock[0]).read(environ, "somebody")


@pytest.mark.parametrize("length", [1000, None])
def test_a_body_that_drips_is_given_up_at_its_deadline(length: int | None) -> None:
    clock = [0.0]
    with pytest.raises(BodyRefused) as refused:
        body_of(Dripping(clock, 0.5), length, limit=16_384, clock=clock)
    assert refused.value.status == 408
    assert BODY_SECONDS <= clock[0] <= BODY_SECONDS + 1


@pytest.mark.parametrize("rate, comes", [(SLOWEST * 2, True), (SLOWEST // 2, False)], ids=["steady", "too slow"])
def test_a_large_body_has_as_long_as_it_keeps_coming(rate: int, comes: bool) -> None:
    clock = [0.0]
    stream = Dripping(clock, 1 / rate)
    if comes:
        assert len(body_of(stream, 20_000_000, limit=25_000_000, clock=clock)) == 20_000_000
        assert clock[0] > 100
        assert len(stream.asked) < 20_000
    else:
        with pytest.raises(BodyRefused):
            body_of(stream, 20_000_000, limit=25_000_000, clock=clock)
        assert clock[0] < 3 * BODY_SECONDS


@pytest.mark.parametrize(
    ("length", "sent", "status"),
    [("100", 99, 400), ("16385", 0, 413), ("9" * 5000, 0, 413), ("-1", 0, 400), ("1e3", 0, 400), ("\u0664", 0, 400), (None, 16_385, 413)],
)
def test_a_body_of_a_false_length_is_refused(length: str | None, sent: int, status: int) -> None:
    clock = [0.0]
    environ: dict[str, Any] = {"wsgi.input": Dripping(clock, 0, b"a" * sent), "wsgi.input_terminated": True}
    environ |= {"HTTP_TRANSFER_ENCODING": "chunked"} if length is None else {"CONTENT_LENGTH": length}
    with pytest.raises(BodyRefused) as refused:
        Bodies(16_384).read(environ, "")
    assert refused.value.status == status


def test_a_stream_without_a_length_is_not_read_where_it_may_not_end() -> None:
    assert Bodies(10).read({"wsgi.input": None}, "") == b""


def test_places_are_given_back_whatever_happens() -> None:
    class Broken:
        def read(self, _: int) -> bytes:
            raise OSError("gone")

    bodies = Bodies(100)
    for number in range(3 * AT_ONCE):
        with pytest.raises(OSError, match="gone"):
            bodies.read({"wsgi.input": Broken(), "CONTENT_LENGTH": "10"}, f"client {number % 2}")
    assert bodies.read({"wsgi.input": Dripping([0.0], 0), "CONTENT_LENGTH": "3"}, "client 0") == b"aaa"


def test_who_does_not_send_on_is_known_after_the_deadline() -> None:
    clock = [0.0]
    bodies = Bodies(100, now=lambda: clock[0])
    with bodies.stream({"wsgi.input": None, "CONTENT_LENGTH": "10", "REMOTE_ADDR": "203.0.113.9"}, ""):
        assert bodies.overdue_peers() == set()
        clock[0] += BODY_SECONDS
        assert bodies.overdue_peers() == {"203.0.113.9"}
    assert bodies.overdue_peers() == set()


@pytest.fixture
def pair() -> Iterator[Callable[[], tuple[socket.socket, socket.socket]]]:
    """Connections to a listening port of this process: the far end, and ours."""
    opened: list[socket.socket] = [socket.create_server(("127.0.0.1", 0))]

    def connect() -> tuple[socket.socket, socket.socket]:
        far = socket.create_connection(opened[0].getsockname())
        ours, _ = opened[0].accept()
        far.settimeout(5)
        opened.extend((far, ours))
        return far, ours

    yield connect
    for one in opened:
        one.close()


def is_open(one: socket.socket) -> bool:
    one.settimeout(0.05)
    try:
        return one.recv(1) != b""
    except TimeoutError:
        return True


@linux_only
def test_only_what_is_quiet_and_came_to_our_port_is_cut(pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jsmsso.runtime.connections.STALLED_SECONDS", 0.4)
    quiet, asking, answering = pair(), pair(), pair()
    with socket.create_server(("127.0.0.1", 0)) as elsewhere, socket.create_connection(elsewhere.getsockname()) as outgoing:
        accepted, _ = elsewhere.accept()
        elsewhere.close()
        for _ in range(6):
            time.sleep(0.1)
            asking[0].sendall(b"x")
            answering[1].sendall(b"x")
        before = len(os.listdir("/proc/self/fd"))
        assert Stalled().cut() >= 1
        assert len(os.listdir("/proc/self/fd")) <= before, "nothing of it is left open"
        assert not is_open(quiet[0])
        assert is_open(asking[0])
        assert is_open(answering[0])
        assert is_open(accepted)
        assert is_open(outgoing), "quiet for as long, but begun here, as those to a provider and to JSM"
        accepted.close()


@linux_only
def test_of_overdue_peers_less_quiet_is_enough(pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jsmsso.runtime.connections.OVERDUE_SECONDS", 0.2)
    far, _ = pair()
    time.sleep(0.3)
    Stalled().cut({"203.0.113.9"})
    assert is_open(far)
    Stalled().cut({"127.0.0.1"})
    assert not is_open(far)
    assert STALLED_SECONDS > 45, "longer than any answer takes"


def test_a_worker_holds_more_connections_than_proxies_keep_open() -> None:
    assert allow_connections() >= 256
