"""The nginx of the guide before a real server of one worker: both read every request alike, and slow clients wait at nginx."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.hardening.conftest import Server
from tests.hardening.test_server import HIDDEN, SMUGGLING
from tests.journeys.served import Served, serve, write_profile
from tests.journeys.test_nginx import start_nginx
from tests.services.children import Children
from tests.services.home import make_home

pytestmark = pytest.mark.skipif(not (shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")), reason="nginx is not installed")

ALIVE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
FORM = b"POST /logout HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@dataclass
class Nginx:
    """Speaks TLS on ``port``, and with ``backend`` over its socket."""

    port: int
    trust: ssl.SSLContext
    backend: Served

    def connect(self, seconds: float = 30) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=seconds)
        return self.trust.wrap_socket(plain, server_hostname="localhost")

    def raw(self, request: bytes, seconds: float = 2) -> bytes:
        """All that comes until it closes, or until nothing comes for so long."""
        found = b""
        with self.connect(seconds) as one:
            try:
                one.sendall(request)
                while chunk := one.recv(65536):
                    found += chunk
            except (TimeoutError, ConnectionError, ssl.SSLError):
                pass
        return found

    def statuses(self, request: bytes, seconds: float = 2) -> list[bytes]:
        return re.findall(rb"HTTP/1\.[01] (\d{3})", self.raw(request, seconds))


@pytest.fixture(scope="module")
def nginx(
    session_start: Children, free_port: Callable[[], int], tmp_path_factory: pytest.TempPathFactory, server: Server
) -> Iterator[Nginx]:
    home, port = make_home(tmp_path_factory.mktemp("nginx")), free_port()
    entry = {"type": "oidc", "issuer": server.provider.issuer, "client_id": "x", "scopes": ["openid", "email"]}
    write_profile(home, {"public_url": f"https://localhost:{port}", "providers": {"a": entry}})
    place = home.work / "s"
    backend = serve(session_start, home, "unix", "--unix", str(place), "--workers", "1")
    context = ssl.create_default_context()
    start_nginx(session_start, home.work, port, place).configure_trust(context)
    one = Nginx(port, context, backend)
    while one.statuses(ALIVE) != [b"200"]:
        assert backend.child.running
    yield one
    assert "Traceback" not in backend.child.output
    backend.child.stop()


def test_nginx_and_the_server_read_every_request_alike(nginx: Nginx) -> None:
    for one in SMUGGLING:
        request: bytes = one.values[0]  # type: ignore[assignment]
        answers = nginx.statuses(request.replace(b"Host: x\r\n", b"Host: localhost\r\n") + HIDDEN.replace(b" x\r\n", b" localhost\r\n"))
        assert len(answers) <= 2, one.id
        assert b"500" not in answers, one.id
        assert b"502" not in answers, (one.id, "nginx passed on what the server did not understand")
    assert nginx.statuses(ALIVE) == [b"200"]
    hidden = [line for line in nginx.backend.log if line.get("path") == "/hidden-request"]
    assert len(hidden) <= len(SMUGGLING)


def test_pipelined_requests_are_answered_in_their_order(nginx: Nginx) -> None:
    paths = [f"/in-order-{number}" for number in range(10)]
    requests = b"".join(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() for path in paths)
    assert nginx.statuses(requests + ALIVE) == [b"404"] * 10 + [b"200"]
    nginx.backend.child.wait_for("/in-order-9")  # the log comes through a pipe
    assert [line["path"] for line in nginx.backend.log if line.get("path", "").startswith("/in-order-")] == paths


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", b"400", id="a header of 100 kB"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                     + b"".join(b"X%d: %s\r\n" % (n, b"a" * 5_000) for n in range(4)) + b"\r\n",
                     b"431", id="20 kB of headers, which nginx takes"),
        pytest.param(FORM + b"Content-Length: 10000000\r\n\r\n" + b"a" * 10_000_000, b"413", id="a body of 10 MB"),
        pytest.param(FORM + b"Connection: close\r\nContent-Length: 20000\r\n\r\n" + b"a" * 20_000, b"413",
                     id="a body of 20 kB, which nginx takes"),
        pytest.param(FORM + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n4e20\r\n" + b"a" * 20_000 + b"\r\n0\r\n\r\n",
                     b"413", id="a chunk of 20 kB, which nginx takes"),
        pytest.param(b"GET /a\x00b HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400", id="NUL in the line"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n", b"400", id="CR in a header"),
    ],
)  # fmt: skip
def test_what_is_too_large_or_malformed_is_refused(nginx: Nginx, request_: bytes, status: bytes) -> None:
    # Whoever answers before all was read resets the connection, and the answer may be lost on its way: to the client, or to nginx.
    lost = ([], [b"502"]) if request_.startswith(FORM) else ([],)
    assert nginx.statuses(request_) in ([status], *lost), request_[:60]
    assert nginx.statuses(ALIVE) == [b"200"]


def test_slow_clients_wait_at_nginx_and_hold_no_thread_of_the_server(nginx: Nginx) -> None:
    """More of each sort than a worker has threads; a worker that read from them would answer nobody else."""
    kinds = {
        "stops in its headers": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ",
        "stops in a body": FORM + b"Content-Length: 1000\r\n\r\ntoken=",
        "stops in a chunk": FORM + b"Transfer-Encoding: chunked\r\n\r\n100\r\ntoken=",
        "waits to be told to go on": FORM + b"Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n",
        "asks for much and takes nothing": b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n" * 50,
    }
    with ExitStack() as opened:
        for request in kinds.values():
            for _ in range(24):
                opened.enter_context(nginx.connect()).sendall(request)
        form = FORM + b"Connection: close\r\nContent-Length: 7\r\n\r\ntoken=x"
        for _ in range(5):
            assert nginx.statuses(ALIVE, 30) == [b"200"]
            assert nginx.statuses(form, 30) == [b"403"], "read, and refused for its token; not 503 for want of a place"
