"""The one door to the network: deadlines, limits, redirects, proxies, trust."""

from __future__ import annotations

import gzip
import os
import re
import socket
import ssl
import threading
import time
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from jsmsso.errors import WireFailed
from jsmsso.http_addresses import is_loopback, same_origin_redirect, without_query
from jsmsso.http_client import Answer, HttpClient, HttpSettings

Serve = Callable[[socket.socket, int], None]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Hands each connection, counted from 0, to ``serve``; ``heads`` are the requests' heads that it read."""

    def __init__(self, serve: Serve, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.listener = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.port = self.listener.getsockname()[1]
        self.heads: list[str] = []
        self.connections = 0
        self.serve, self.tls, self.open = serve, tls, True
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}/"

    def _accept(self) -> None:
        with suppress(OSError):
            while self.open:
                connection, _ = self.listener.accept()
                number, self.connections = self.connections, self.connections + 1
                threading.Thread(target=self._answer, args=(connection, number), daemon=True).start()

    def _answer(self, connection: socket.socket, number: int) -> None:
        with suppress(OSError):
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.serve(connection, number)

    def read_request(self, connection: socket.socket) -> str:
        head = b""
        while b"\r\n\r\n" not in head:
            more = connection.recv(65536)
            if not more:
                raise ConnectionError
            head += more
        self.heads.append(head.decode("latin-1"))
        return self.heads[-1]

    def close(self) -> None:
        self.open = False
        self.listener.close()


@pytest.fixture
def server() -> Iterator[Callable[..., Server]]:
    """``server(answer)``: one that gives every request the same bytes, or hands it to ``answer(server, connection, number)``."""
    running: list[Server] = []

    def start(answer: bytes | Callable[[Server, socket.socket, int], None], **options: Any) -> Server:
        def serve(connection: socket.socket, number: int) -> None:
            if not isinstance(answer, bytes):
                answer(one, connection, number)
                return
            while True:
                one.read_request(connection)
                connection.sendall(answer)

        one = Server(serve, **options)
        running.append(one)
        return one

    yield start
    for one in running:
        one.close()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def failure(call: Callable[[], object]) -> WireFailed:
    with pytest.raises(WireFailed) as caught:
        call()
    return caught.value


BY_BOTH = pytest.mark.parametrize("by", ["fetch", "session"])


def get(by: str, url: str, client: HttpClient | None = None, **limits: Any) -> tuple[int, bytes]:
    """One GET, by either of the client's two ways."""
    client = client or HttpClient()
    if by == "fetch":
        answer: Answer = client.fetch("GET", url, **limits)
        return answer.status, answer.body
    response = client.session(**limits).get(url)
    return response.status_code, response.content


# Deadlines ---------------------------------------------------------------------------------------


def dripping(at_once: bytes, slowly: bytes) -> Callable[[Server, socket.socket, int], None]:
    """The rest byte by byte, so that no single receive ever waits long; the whole takes half a minute."""

    def serve(server: Server, connection: socket.socket, _: int) -> None:
        server.read_request(connection)
        connection.sendall(at_once)
        for byte in slowly.ljust(300):
            connection.sendall(bytes([byte]))
            time.sleep(0.1)

    return serve


@BY_BOTH
@pytest.mark.parametrize(
    ("at_once", "slowly"),
    [
        pytest.param(b"", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 280, id="a head byte by byte"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n", b"", id="a body byte by byte"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", b"", id="a body byte by byte until the connection closes"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n", b"", id="a chunk byte by byte"),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 12, id="going on for ever"),
    ],
)
def test_an_answer_byte_by_byte_meets_the_deadline(server: Callable[..., Server], at_once: bytes, slowly: bytes, by: str) -> None:
    url = server(dripping(at_once, slowly)).url

    assert failure(lambda: get(by, url, deadline=0.5)).kind == "timeout"


@BY_BOTH
def test_silence_meets_the_deadline(server: Callable[..., Server], by: str) -> None:
    url = server(lambda *_: time.sleep(30)).url

    assert failure(lambda: get(by, url, deadline=0.3)).kind == "timeout"


def test_redirects_share_one_deadline(server: Callable[..., Server]) -> None:
    def serve(one: Server, connection: socket.socket, _: int) -> None:
        while True:
            one.read_request(connection)
            time.sleep(0.4)
            connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")

    url = server(serve).url

    assert failure(lambda: HttpClient().fetch("GET", url, deadline=0.6)).kind == "timeout"


def test_a_slow_proxy_meets_the_deadline_too(server: Callable[..., Server]) -> None:
    proxy = server(dripping(b"", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 280))

    assert failure(lambda: HttpClient(HttpSettings(proxy=proxy.url)).fetch("GET", "https://op.example/", deadline=0.5)).kind == "timeout"


def test_a_call_in_time_leaves_its_connection_for_the_next(server: Callable[..., Server]) -> None:
    one = server(OK)
    client = HttpClient()
    for _ in range(3):
        assert client.fetch("GET", one.url, deadline=0.4).body == b"ok"
        time.sleep(0.3)  # past the first one's deadline, while it is in the pool

    assert one.connections == 1


def test_calls_of_the_parent_are_not_ended_by_a_forked_child(server: Callable[..., Server]) -> None:
    go_on = threading.Event()

    def serve(one: Server, connection: socket.socket, _: int) -> None:
        one.read_request(connection)
        go_on.wait(30)
        connection.sendall(OK)

    one = server(serve)
    answers: list[Answer] = []
    waiting = threading.Thread(target=lambda: answers.append(HttpClient().fetch("GET", one.url, deadline=60)))
    waiting.start()
    while not one.heads:
        time.sleep(0.01)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.showwarning", lambda *_, **__: None)
        child = os.fork()
    if child == 0:
        with suppress(BaseException):
            from jsmsso import http_deadlines

            os._exit(0 if not http_deadlines.watch._calls else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    go_on.set()
    waiting.join()
    assert answers[0].body == b"ok"


# Sizes -------------------------------------------------------------------------------------------


def with_body(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


BOMB = zlib.compressobj(9, zlib.DEFLATED, 31)
GZIP_BOMB = BOMB.compress(bytes(200_000_000)) + BOMB.flush()  # 200 MB in 0.2 MB

SIZES = [
    pytest.param(with_body(b"x" * 1000), None, id="as large as may be"),
    pytest.param(with_body(b"x" * 1001), "too_large", id="a byte larger"),
    pytest.param(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 1001, "too_large", id="without a length"),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n", "too_large", id="in chunks"
    ),
    pytest.param(with_body(gzip.compress(b"x" * 1000), "Content-Encoding: gzip"), None, id="as large as may be when unpacked"),
    pytest.param(with_body(gzip.compress(b"x" * 1001), "Content-Encoding: gzip"), "too_large", id="larger when unpacked"),
    pytest.param(with_body(GZIP_BOMB, "Content-Encoding: gzip"), "too_large", id="a gzip bomb"),
    pytest.param(with_body(gzip.compress(gzip.compress(bytes(10**8))), "Content-Encoding: gzip, gzip"), "too_large", id="a bomb in a bomb"),
]


@BY_BOTH
@pytest.mark.parametrize(("answer", "kind"), SIZES)
def test_an_answer_has_a_size_limit_before_and_after_unpacking(
    server: Callable[..., Server], answer: bytes, kind: str | None, by: str
) -> None:
    url = server(answer).url

    if kind is None:
        assert get(by, url, max_bytes=1000) == (200, b"x" * 1000)
    else:
        assert failure(lambda: get(by, url, max_bytes=1000)).kind == kind


def test_a_gzip_bomb_takes_no_memory(server: Callable[..., Server]) -> None:
    import tracemalloc

    url = server(with_body(GZIP_BOMB, "Content-Encoding: gzip")).url
    tracemalloc.start()
    failure(lambda: HttpClient().fetch("GET", url))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 8_000_000


BROKEN = [
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", id="a body cut short"),
    pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe", id="a chunk cut short"),
    pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", id="the last chunk missing"),
    pytest.param(b"SSH-2.0-OpenSSH\r\n", id="no HTTP"),
    pytest.param(b"", id="nothing at all"),
    pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", id="two hundred headers"),
    pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", id="a header of 70 kB"),
    pytest.param(with_body(b"no gzip", "Content-Encoding: gzip"), id="no gzip in gzip"),
]


@BY_BOTH
@pytest.mark.parametrize("answer", BROKEN)
def test_an_answer_that_is_not_whole_is_none(server: Callable[..., Server], answer: bytes, by: str) -> None:
    def serve(one: Server, connection: socket.socket, _: int) -> None:
        one.read_request(connection)
        connection.sendall(answer)

    url = server(serve).url

    assert failure(lambda: get(by, url)).kind == "protocol"


# Redirects ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "location", "target"),
    [
        ("https://op.example/a", "/b", "https://op.example/b"),
        ("https://op.example/a/b", "c?d", "https://op.example/a/c?d"),
        ("https://op.example/a", "https://op.example:443/b", "https://op.example:443/b"),
        ("https://op.example/a", "https://OP.example/b", "https://OP.example/b"),
        ("http://127.0.0.1:80/a", "http://127.0.0.1/b", "http://127.0.0.1/b"),
    ],
)
def test_a_redirect_on_the_same_origin_is_followed(url: str, location: str, target: str) -> None:
    assert same_origin_redirect(url, location) == target


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("https://evil.example/", id="another host"),
        pytest.param("//evil.example/", id="another host without a scheme"),
        pytest.param("https://op.example.evil.example/", id="a host that begins alike"),
        pytest.param("https://sub.op.example/", id="a host below"),
        pytest.param("https://op.example:8443/", id="another port"),
        pytest.param("http://op.example/", id="plain http"),
        pytest.param("https://user@op.example/", id="with a user"),
        pytest.param("ftp://op.example/", id="another scheme"),
        pytest.param("file:///etc/passwd", id="a file"),
        pytest.param("https://[op/", id="no address"),
    ],
)
def test_a_redirect_to_another_origin_is_refused(location: str) -> None:
    assert failure(lambda: same_origin_redirect("https://op.example/a", location)).kind in ("redirect", "protocol")


@BY_BOTH
def test_nothing_is_sent_to_another_host(server: Callable[..., Server], by: str) -> None:
    elsewhere = server(OK)
    one = server(f"HTTP/1.1 302 Found\r\nLocation: {elsewhere.url}\r\nContent-Length: 0\r\n\r\n".encode())

    assert failure(lambda: get(by, one.url)).kind == "redirect"
    assert elsewhere.heads == []


def test_a_post_is_never_redirected(server: Callable[..., Server]) -> None:
    one = server(b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n")

    assert HttpClient().fetch("POST", one.url, body=b"code=secret").status == 307
    assert len(one.heads) == 1


@BY_BOTH
def test_redirects_in_a_circle_end(server: Callable[..., Server], by: str) -> None:
    one = server(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")

    assert failure(lambda: get(by, one.url)).kind == "redirect"
    assert len(one.heads) == 4


# Who we say we are -------------------------------------------------------------------------------


@BY_BOTH
def test_a_netrc_file_is_never_read(server: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    (tmp_path / ".netrc").write_text("default login eve password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    one = server(OK)

    get(by, one.url)
    HttpClient().session().get(one.url, headers={"Authorization": "Bearer ours"})

    assert "authorization" not in one.heads[0].lower()
    assert re.findall(r"(?i)^authorization: (.*)\r$", one.heads[1], re.MULTILINE) == ["Bearer ours"]


def test_what_is_sent_arrives_as_it_is(server: Callable[..., Server]) -> None:
    one = server(OK)

    HttpClient().fetch("GET", f"{one.url}a%2Fb?c=d%20e&f", headers={"x-one": "1"})

    assert one.heads[0].startswith("GET /a%2Fb?c=d%20e&f HTTP/1.1\r\n")
    assert "\r\nx-one: 1\r\n" in one.heads[0]
    assert re.search(r"\r\nuser-agent: jsmsso/\d", one.heads[0])


# Kept-alive connections --------------------------------------------------------------------------


def closing_the_second_request(before: bytes) -> Callable[[Server, socket.socket, int], None]:
    """Answers one request per connection; at the second sends ``before`` and closes."""

    def serve(one: Server, connection: socket.socket, _: int) -> None:
        one.read_request(connection)
        connection.sendall(OK)
        one.read_request(connection)
        connection.sendall(before)

    return serve


REPLAYS = [
    pytest.param("GET", None, b"", True, id="a GET"),
    pytest.param("GET", False, b"", False, id="a GET that must not"),
    pytest.param("POST", None, b"", False, id="a POST"),
    pytest.param("POST", True, b"", True, id="a POST that may"),
    pytest.param("DELETE", None, b"", False, id="a DELETE"),
    pytest.param("GET", None, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhal", False, id="a GET after half an answer"),
    pytest.param("POST", True, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", False, id="a POST that may, after an answer's head"),
    pytest.param("GET", None, b"HTTP", False, id="a GET after four bytes"),
]


@pytest.mark.parametrize(("method", "replay", "before", "sent_again"), REPLAYS)
def test_a_request_on_a_dead_connection_is_sent_again_only_where_nothing_came_and_it_may(
    server: Callable[..., Server], method: str, replay: bool | None, before: bytes, sent_again: bool
) -> None:
    one = server(closing_the_second_request(before))
    client = HttpClient()
    client.fetch("GET", one.url)

    if sent_again:
        assert client.fetch(method, one.url, replay=replay).body == b"ok"
        assert (len(one.heads), one.connections) == (3, 2)
    else:
        assert failure(lambda: client.fetch(method, one.url, replay=replay)).kind == "protocol"
        assert (len(one.heads), one.connections) == (2, 1)


def test_a_request_on_a_new_connection_is_never_sent_again(server: Callable[..., Server]) -> None:
    one = server(lambda one, connection, _: one.read_request(connection) and None)

    assert failure(lambda: HttpClient().fetch("GET", one.url)).kind == "protocol"
    assert len(one.heads) == 1


@BY_BOTH
def test_connections_are_kept_and_shared(server: Callable[..., Server], by: str) -> None:
    one = server(OK)
    client = HttpClient()
    for _ in range(5):
        get(by, one.url, client)

    assert one.connections == 1


@BY_BOTH
def test_what_a_server_says_behind_an_answer_never_answers_the_next_call(server: Callable[..., Server], by: str) -> None:
    one = server(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnot")
    client = HttpClient()

    assert [get(by, one.url, client)[1] for _ in range(3)] == [b"ok"] * 3
    assert one.connections == 3


@BY_BOTH
def test_what_a_server_says_unasked_never_answers_the_next_call(server: Callable[..., Server], by: str) -> None:
    said = threading.Semaphore(0)

    def serve(one: Server, connection: socket.socket, _: int) -> None:
        one.read_request(connection)
        connection.sendall(OK)
        time.sleep(0.1)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnot")
        said.release()
        one.read_request(connection)

    one = server(serve)
    client = HttpClient()
    for _ in range(3):
        assert get(by, one.url, client)[1] == b"ok"
        said.acquire()

    assert one.connections == 3


@BY_BOTH
def test_an_answer_with_two_lengths_is_refused_and_says_why(server: Callable[..., Server], by: str) -> None:
    url = server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 4\r\n\r\nokno").url

    assert failure(lambda: get(by, url)).detail == "the answer cannot be read: Duplicate Content-Length"


def test_a_value_that_would_begin_another_header_is_not_sent(server: Callable[..., Server]) -> None:
    one = server(OK)
    error = failure(lambda: HttpClient().fetch("GET", one.url, headers={"x-name": "Ada\r\nauthorization: Basic secret"}))

    assert error.kind == "protocol"
    assert "secret" not in str(error)
    assert one.heads == []


def test_an_answer_to_a_head_has_no_body(server: Callable[..., Server]) -> None:
    one = server(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n")

    assert HttpClient().fetch("HEAD", one.url).body == b""
    assert HttpClient().session().head(one.url).headers["Content-Length"] == "20"


# Proxies -----------------------------------------------------------------------------------------


class Authority:
    def __init__(self, folder: Path) -> None:
        self.name = "Acme GmbH, Security"
        self.ca = trustme.CA(organization_name="Acme GmbH", organization_unit_name="Security")
        self.bundle = str(folder / "ca.pem")
        self.ca.cert_pem.write_to_path(self.bundle)

    def context(self, *names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*names).configure_cert(context)
        return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def tunnel(server: Callable[..., Server], authority: Authority) -> Server:
    """A proxy that leads every name to one TLS server, whose certificate is op.example's."""
    origin = server(OK, tls=authority.context("op.example"))

    def serve(one: Server, connection: socket.socket, _: int) -> None:
        one.read_request(connection)
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", origin.port)) as far:
            threading.Thread(target=pump, args=(far, connection), daemon=True).start()
            pump(connection, far)

    return server(serve)


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)


VARIABLES = [
    pytest.param({"HTTPS_PROXY": "{proxy}"}, {}, True, id="HTTPS_PROXY"),
    pytest.param({"https_proxy": "{proxy}"}, {}, True, id="https_proxy"),
    pytest.param({"ALL_PROXY": "{proxy}"}, {}, True, id="ALL_PROXY"),
    pytest.param({"HTTPS_PROXY": "{host}"}, {}, True, id="without a scheme"),
    pytest.param({"HTTPS_PROXY": "{proxy}", "NO_PROXY": "op.example"}, {}, False, id="NO_PROXY with the name"),
    pytest.param({"HTTPS_PROXY": "{proxy}", "NO_PROXY": ".example"}, {}, False, id="NO_PROXY with the domain"),
    pytest.param({"HTTPS_PROXY": "{proxy}", "NO_PROXY": "*"}, {}, False, id="NO_PROXY for all"),
    pytest.param({"HTTPS_PROXY": "{proxy}", "NO_PROXY": "other.example"}, {}, True, id="NO_PROXY with another name"),
    pytest.param({}, {"proxy": "{proxy}"}, True, id="the profile's"),
    pytest.param({"HTTPS_PROXY": "http://127.0.0.1:1"}, {"proxy": "{proxy}"}, True, id="the profile's before the variable"),
    pytest.param({}, {"proxy": "{proxy}", "no_proxy": ("op.example",)}, False, id="the profile's exceptions"),
    pytest.param({"NO_PROXY": "op.example"}, {"proxy": "{proxy}", "no_proxy": ("x.example",)}, True, id="the profile's exceptions alone"),
    pytest.param({"HTTP_PROXY": "{proxy}"}, {}, False, id="HTTP_PROXY, which is not for https"),
]


@pytest.mark.parametrize(("variables", "settings", "through"), VARIABLES)
def test_the_proxy_that_is_named_is_used(
    tunnel: Server,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    settings: dict[str, Any],
    through: bool,
) -> None:
    def filled(text: Any) -> Any:
        return text.format(proxy=tunnel.url, host=f"127.0.0.1:{tunnel.port}") if isinstance(text, str) else text

    for name, value in variables.items():
        monkeypatch.setenv(name, filled(value))
    client = HttpClient(HttpSettings(**{name: filled(value) for name, value in settings.items()}, ca_bundle=authority.bundle))

    if through:
        assert client.fetch("GET", "https://op.example/").body == b"ok"
        assert tunnel.heads[0].startswith("CONNECT op.example:443 HTTP/1.")
    else:  # op.example exists nowhere
        assert failure(lambda: client.fetch("GET", "https://op.example/")).kind in ("resolve", "connect", "timeout")
        assert tunnel.heads == []


@BY_BOTH
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_never_goes_through_a_proxy(server: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, host: str, by: str) -> None:
    proxy, one = server(OK), server(OK)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)

    assert get(by, f"http://{host}:{one.port}/", HttpClient(HttpSettings(proxy=proxy.url))) == (200, b"ok")
    assert proxy.heads == []


def test_a_proxys_user_is_told_to_the_proxy_alone(server: Callable[..., Server], authority: Authority, tunnel: Server) -> None:
    client = HttpClient(HttpSettings(proxy=f"http://ada:p%40ss:w@127.0.0.1:{tunnel.port}", ca_bundle=authority.bundle))

    assert client.fetch("GET", "https://op.example/").body == b"ok"
    assert f"proxy-authorization: Basic {b64encode(b'ada:p@ss:w').decode()}\r\n".lower() in tunnel.heads[0].lower()


@pytest.mark.parametrize("answer", [b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", b"HTTP/1.1 403 Forbidden\r\n\r\n"])
def test_a_proxy_that_refuses_is_named_as_the_reason(server: Callable[..., Server], answer: bytes) -> None:
    proxy = server(answer)
    error = failure(lambda: HttpClient(HttpSettings(proxy=f"http://ada:secret@127.0.0.1:{proxy.port}")).fetch("GET", "https://op.example/"))

    assert error.kind == "proxy"
    assert error.detail == f"the proxy 127.0.0.1:{proxy.port} does not let it through: {answer.decode().strip().partition(' ')[2]}"
    assert ("HTTPS_PROXY=http://USER:PASSWORD@127.0.0.1" if b"407" in answer else "let jsmsso connect to op.example") in error.hint
    assert "secret" not in f"{error} {error.hint}"


@pytest.mark.parametrize("place", ["127.0.0.1:1", "nowhere.invalid:3128"])
def test_a_proxy_that_cannot_be_reached_is_named(place: str) -> None:
    error = failure(lambda: HttpClient(HttpSettings(proxy=f"http://ada:secret@{place}")).fetch("GET", "https://op.example/"))

    assert error.kind == "proxy"
    assert f"the proxy {place} cannot be reached: " in error.detail
    assert "http.proxy" in error.hint
    assert "secret" not in f"{error} {error.hint}"


def test_a_proxy_spoken_to_over_tls_names_its_unknown_ca_too(server: Callable[..., Server], authority: Authority) -> None:
    proxy = server(OK, tls=authority.context("127.0.0.1"))
    error = failure(lambda: HttpClient(HttpSettings(proxy=proxy.url)).fetch("GET", "https://op.example/"))

    assert (error.kind, error.address) == ("tls", f"the proxy 127.0.0.1:{proxy.port}")
    assert authority.name in error.detail
    assert "http.ca_bundle" in error.hint


def test_a_proxy_spoken_to_over_tls_leads_to_what_is_spoken_to_over_tls(server: Callable[..., Server], authority: Authority) -> None:
    origin = server(OK, tls=authority.context("op.example"))

    def lead(one: Server, connection: socket.socket, _: int) -> None:
        one.read_request(connection)
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", origin.port)) as far:
            threading.Thread(target=pump, args=(far, connection), daemon=True).start()
            pump(connection, far)

    proxy = server(lead, tls=authority.context("127.0.0.1"))
    client = HttpClient(HttpSettings(proxy=proxy.url, ca_bundle=authority.bundle))

    assert [client.fetch("GET", "https://op.example/").body for _ in range(3)] == [b"ok"] * 3
    assert (len(origin.heads), origin.connections) == (3, 1)


def test_silence_behind_a_proxy_spoken_to_over_tls_meets_the_deadline(server: Callable[..., Server], authority: Authority) -> None:
    def lead(one: Server, connection: socket.socket, _: int) -> None:
        one.read_request(connection)
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        time.sleep(30)

    proxy = server(lead, tls=authority.context("127.0.0.1"))
    client = HttpClient(HttpSettings(proxy=proxy.url, ca_bundle=authority.bundle))

    assert failure(lambda: client.fetch("GET", "https://op.example/", deadline=0.5)).kind == "timeout"


@pytest.mark.parametrize("proxy", ["socks5://ada:secret@127.0.0.1:1080", "http://ada:secret@127.0.0.1:port", "http://ada:secret@[::1"])
def test_a_proxy_whose_address_cannot_be_used_says_so_without_its_password(proxy: str) -> None:
    error = failure(lambda: HttpClient(HttpSettings(proxy=proxy)).fetch("GET", "https://op.example/"))

    assert error.kind == "proxy"
    assert "secret" not in f"{error} {error.__cause__}"


# Trust -------------------------------------------------------------------------------------------


@BY_BOTH
def test_a_private_ca_counts_where_the_profile_names_it(server: Callable[..., Server], authority: Authority, by: str) -> None:
    one = server(OK, tls=authority.context("127.0.0.1"))

    error = failure(lambda: get(by, one.url))
    assert error.kind == "tls"
    assert error.detail == f"its certificate is not trusted: it is signed by {authority.name}, a CA that is unknown here"
    assert "http.ca_bundle in the profile" in error.hint
    assert get(by, one.url, HttpClient(HttpSettings(ca_bundle=authority.bundle))) == (200, b"ok")
    assert len(one.heads) == 1


@BY_BOTH
def test_a_certificate_of_another_name_is_refused(server: Callable[..., Server], authority: Authority, by: str) -> None:
    one = server(OK, tls=authority.context("op.example"))

    error = failure(lambda: get(by, one.url, HttpClient(HttpSettings(ca_bundle=authority.bundle))))

    assert error.kind == "tls"
    assert "127.0.0.1" in error.detail
    assert one.heads == []


def test_another_ca_is_refused(server: Callable[..., Server], authority: Authority, tmp_path: Path) -> None:
    one = server(OK, tls=authority.context("127.0.0.1"))
    (tmp_path / "other").mkdir()

    bundle = Authority(tmp_path / "other").bundle
    error = failure(lambda: HttpClient(HttpSettings(ca_bundle=bundle)).fetch("GET", one.url))
    assert error.kind == "tls"
    assert authority.name in error.detail
    assert error.hint.startswith(f"http.ca_bundle ({bundle}) has no certificate of that CA")


def test_the_ca_above_an_intermediate_one_is_named(server: Callable[..., Server], authority: Authority) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.ca.create_child_ca().issue_cert("127.0.0.1").configure_cert(context)
    one = server(OK, tls=context)

    assert f"signed by {authority.name}," in failure(lambda: HttpClient().fetch("GET", one.url)).detail


def test_a_name_in_a_certificate_cannot_steer_a_terminal(server: Callable[..., Server]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA(organization_name="Acme \x1b[31m", organization_unit_name="x" * 64).issue_cert("127.0.0.1").configure_cert(context)
    one = server(OK, tls=context)

    assert "signed by Acme ?[31m, xxx" in failure(lambda: HttpClient().fetch("GET", one.url)).detail


def test_an_expired_certificate_is_no_matter_of_the_ca_bundle(server: Callable[..., Server], authority: Authority) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    past = datetime(2020, 1, 1, tzinfo=UTC)
    authority.ca.issue_cert("127.0.0.1", not_before=past, not_after=past + timedelta(days=90)).configure_cert(context)
    one = server(OK, tls=context)

    error = failure(lambda: HttpClient(HttpSettings(ca_bundle=authority.bundle)).fetch("GET", one.url))
    assert "expired" in error.detail
    assert error.hint == ""


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_bundle_that_cannot_be_read_says_so(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "missing.pem"
    if content:
        path.write_text(content)

    error = failure(lambda: HttpClient(HttpSettings(ca_bundle=str(path))).fetch("GET", "https://127.0.0.1:1/"))

    assert (error.kind, error.address) == ("tls", str(path))


def test_a_server_without_tls_says_so(server: Callable[..., Server]) -> None:
    one = server(lambda _, connection, __: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))

    assert failure(lambda: HttpClient().fetch("GET", one.url.replace("http://", "https://"))).kind == "tls"


# Addresses ---------------------------------------------------------------------------------------


@BY_BOTH
def test_ipv6_is_spoken(server: Callable[..., Server], by: str) -> None:
    try:
        one = server(OK, host="::1")
    except OSError:
        pytest.skip("no IPv6 on this machine's loopback")

    assert get(by, f"http://[::1]:{one.port}/") == (200, b"ok")
    assert f"host: [::1]:{one.port}" in one.heads[0].lower()


def test_a_port_where_nobody_listens_is_no_connection(free_port: Callable[[], int]) -> None:
    assert failure(lambda: HttpClient().fetch("GET", f"http://127.0.0.1:{free_port()}/?code=secret")).kind == "connect"


def test_a_name_that_does_not_exist_cannot_be_resolved() -> None:
    assert failure(lambda: HttpClient().fetch("GET", "https://nowhere.invalid/")).kind == "resolve"


@BY_BOTH
@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://op.example/", "insecure"),
        ("http://127.0.0.1.op.example/", "insecure"),
        ("http://10.0.0.1/", "insecure"),
        ("https://user:secret@op.example/", "protocol"),
        ("https://op.example:99999/", "protocol"),
    ],
)
def test_an_address_that_must_not_be_called_is_not(url: str, kind: str, by: str) -> None:
    if (by == "session" and "@" in url) or "99999" in url:
        by = "fetch"  # requests takes them apart before we see them
    error = failure(lambda: get(by, url))

    assert error.kind == kind
    assert "secret" not in str(error)


@pytest.mark.parametrize("url", ["ftp://op.example/", "op.example", "", "https://", "file:///etc/passwd", "https://[/"])
def test_what_is_no_web_address_is_refused(url: str) -> None:
    assert failure(lambda: HttpClient().fetch("GET", url)).kind == "protocol"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost", "LOCALHOST", "a.localhost"])
def test_what_is_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "10.0.0.1", "0.0.0.0", "localhost.example", "127.0.0.1.example", "2130706433", "::", "notlocalhost"])
def test_what_is_not_this_machine(host: str) -> None:
    assert not is_loopback(host)


def test_an_address_for_a_log_has_neither_query_nor_user() -> None:
    assert without_query("https://user:pw@op.example:8443/cb?code=secret#x") == "https://op.example:8443/cb"


@pytest.mark.parametrize("body", [b"NaN", b'{"a": Infinity}', b"", b"\xff", b"{"])
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    answer = Answer(200, {}, body, "https://op.example/")

    with pytest.raises(ValueError):  # noqa: PT011
        answer.json()
