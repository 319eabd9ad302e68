"""Raw bytes to a real server: every method on every address, odd requests, and requests hidden in others."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from tests.hardening.conftest import Server, parsed

METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK",
           "SEARCH", "PURGE", "QUERY", "BREW", "DEBUG", "TRACK", "get", "Post", "X" * 64]  # fmt: skip
READ, FORM = {"GET", "HEAD"}, {"GET", "HEAD", "POST"}
ADDRESSES = {
    "/": READ, "/portal/HELP": READ, "/portal/3": READ, "/portal/HELP/HELP-12": READ, "/portal/HELP/": READ,
    "/servicedesk/customer": READ, "/servicedesk/customer/portals": READ, "/servicedesk/customer/portal/3": READ,
    "/servicedesk/customer/portal/3/create/10": READ, "/servicedesk/customer/user/login": READ, "/servicedesk/customer/user/requests": READ,
    "/login": FORM, "/callback": {"GET"}, "/callback/b": {"GET"}, "/logout": FORM, "/logged-out": READ,
    "/backchannel-logout/a": {"POST"}, "/frontchannel-logout/a": {"GET"}, "/auth": READ, "/auth/redirect": READ,
    "/healthz": READ, "/readyz": READ,
}  # fmt: skip
NOT_THERE = ["/metrics", "/requests", "/saml/metadata", "/saml/sso", "/portal", "/portal/", "/portal/NONE", "/portal/HELP/create/1",
             "/portal/HELP/HELP-1/comment", "/servicedesk", "/servicedesk/agent", "/callback/none", "/backchannel-logout",
             "/backchannel-logout/none", "/frontchannel-logout/none", "/auth/other", "/healthz/", "/robots.txt", "/.env", "/.git/config",
             "/jsmsso.yaml", "/state.db", "/static/../jsmsso.yaml", "/assets/", "/assets/../session", "/index.php", "/admin"]  # fmt: skip


@pytest.mark.parametrize("address", [*ADDRESSES, *NOT_THERE])
def test_every_method_gets_its_answer_at_every_address(server: Server, address: str) -> None:
    allowed = ADDRESSES.get(address, set())
    for method in METHODS:
        status, head, body = server.ask(f"{method} {address} HTTP/1.1", "X-Secret: do not echo\r\n")
        assert status < 500 or status == 503, (method, status)
        assert "do not echo" not in head + body.decode("latin-1"), "TRACE"
        if method in allowed:
            assert status not in (405, 404), (method, status)
        else:
            assert status in (404, 405, 400), (method, status)
        if status == 405 and allowed:
            found = re.search(r"\r\nallow: ([^\r]*)", head)
            assert found
            assert set(found[1].split(", ")) >= allowed, "what it says that it takes"
            assert method not in found[1].split(", ")
        if method == "HEAD":
            assert body == b""
        assert "set-cookie" not in head, (method, "a program begins no login")
    assert server.is_well()


@pytest.mark.parametrize(
    ("request_", "statuses"),
    [
        pytest.param(b"GET /healthz HTTP/1.0\r\n\r\n", {200}, id="HTTP/1.0"),
        pytest.param(b"GET /healthz\r\n\r\n", {0, 400}, id="HTTP/0.9"),
        pytest.param(b"GET /healthz HTTP/1.2\r\n\r\n", {0, 400}, id="HTTP/1.2"),
        pytest.param(b"GET /healthz HTTP/2.0\r\n\r\n", {0, 400}, id="HTTP/2.0 in one's own words"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", {0, 400}, id="HTTP/2"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", {0, 400}, id="TLS"),
        pytest.param(b"\x00" * 100, {0, 400}, id="zeros"),
        pytest.param(b"\r\n\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", {200, 400}, id="empty lines"),
        pytest.param(b"GET http://evil.example/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", {200}, id="an absolute address"),
        pytest.param(b"GET https://a:b@evil.example:1/%2e%2e/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                     {404}, id="an absolute odd one"),
        pytest.param(b"GET evil.example:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", {0, 200, 400, 404}, id="an authority"),
        pytest.param(b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n", {0, 400, 404, 405}, id="CONNECT"),
        pytest.param(b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", {400, 404, 405}, id="an asterisk"),
        pytest.param(b"GET * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", {0, 400, 404}, id="GET of an asterisk"),
        pytest.param(b"GET  HTTP/1.1\r\nHost: x\r\n\r\n", {0, 400}, id="no address"),
        pytest.param(b"GET ?x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", {0, 400, 404, 200}, id="a query alone"),
        pytest.param(b"GET /#x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", {200, 400, 404}, id="a fragment"),
        pytest.param(b"GET /%ff%fe%c0%af HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", {404}, id="no UTF-8, encoded"),
        pytest.param(b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", {0, 400, 404}, id="no UTF-8, as it is"),
        pytest.param("GET /\u00e9\u2028 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode(), {404, 400}, id="UTF-8, as it is"),
        pytest.param(b"GET /%ed%a0%80%f4%90%80%80 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", {404}, id="surrogates"),
        pytest.param(b"GET /%zz%%%2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", {404}, id="no encoding at all"),
        pytest.param(b"GET /a\x00b HTTP/1.1\r\nHost: x\r\n\r\n", {0, 400}, id="NUL in the line"),
        pytest.param(b"GET /\r/x HTTP/1.1\r\nHost: x\r\n\r\n", {0, 400}, id="CR in the line"),
        pytest.param(b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", {0, 400, 414, 431}, id="an address of 70 kB"),
        pytest.param(b"GET /?" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", {414}, id="a query of 9 kB"),
        pytest.param(b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", {0, 400, 431}, id="a header of 100 kB"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"".join(b"X%d: a\r\n" % n for n in range(5_000)) + b"\r\n",
                     {0, 400, 431}, id="5,000 headers"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nCookie: " + b"a=b; " * 5_000 + b"\r\n\r\n", {0, 431}, id="25 kB of cookies"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n", {200, 400}, id="two hosts"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: x y\r\nConnection: close\r\n\r\n", {200, 400}, id="a host with a space"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", {200, 400}, id="no host"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n", {0, 400}, id="NUL in a header"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n", {0, 400}, id="CR in a header"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nX\x00: a\r\n\r\n", {0, 400}, id="NUL in a header's name"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n: a\r\n\r\n", {0, 400}, id="a header without a name"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nnothing\r\n\r\n", {0, 400}, id="a header without a colon"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nX : a\r\n\r\n", {0, 400}, id="a space before the colon"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n folded\r\n\r\n", {0, 400}, id="a folded header"),
        pytest.param(b"GET / HTTP/1.1\r\n Host: x\r\n\r\n", {0, 400}, id="a first header with a space"),
        pytest.param(b"G(T / HTTP/1.1\r\nHost: x\r\n\r\n", {0, 400}, id="no method"),
        pytest.param(b"GET / HTTP/1.1 x\r\nHost: x\r\n\r\n", {0, 400}, id="more in the line"),
        pytest.param(b"GET\t/\tHTTP/1.1\r\nHost: x\r\n\r\n", {0, 400}, id="tabs in the line"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                     b"HTTP2-Settings: AAMAAABk\r\nConnection: close\r\n\r\n", {200}, id="an upgrade to h2c"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                     {200}, id="an upgrade to a web socket"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n", {200}, id="an expectation"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: the worst\r\nConnection: close\r\n\r\n",
                     {200, 417}, id="an odd expectation"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: x\r\nRange: bytes=0-,0-,0-,0-\r\nConnection: close\r\n\r\n", {200}, id="ranges"),
    ],
)  # fmt: skip
def test_an_odd_request_gets_an_answer_and_does_no_harm(server: Server, request_: bytes, statuses: set[int]) -> None:
    status, head, _ = parsed(server.raw(request_, seconds=1))
    assert status in statuses, head
    assert "evil" not in head
    assert server.is_well()


TARGET = b"POST /logout HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
HIDDEN = b"GET /hidden-request HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
SMUGGLING = [
    pytest.param(TARGET + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="CL.TE"),
    pytest.param(TARGET + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n12\r\ntoken=aaaaaaaaaaaa\r\n0\r\n\r\n", id="TE.CL"),
    pytest.param(TARGET + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n", id="TE.TE"),
    pytest.param(TARGET + b"Transfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n", id="two encodings"),
    pytest.param(TARGET + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", id="chunked, and then not"),
    pytest.param(TARGET + b"Transfer-Encoding : chunked\r\nContent-Length: 0\r\n\r\n", id="a space before the colon"),
    pytest.param(TARGET + b"Transfer-Encoding:\x0bchunked\r\nContent-Length: 0\r\n\r\n", id="a vertical tab"),
    pytest.param(TARGET + b"Transfer-Encoding: \"chunked\"\r\nContent-Length: 0\r\n\r\n", id="quotation marks"),
    pytest.param(TARGET + b"Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\n", id="a letter before"),
    pytest.param(TARGET + b"Transfer-Encoding: chunked\x00\r\nContent-Length: 0\r\n\r\n", id="NUL behind"),
    pytest.param(TARGET + b"Transfer-Encoding: \x01chunked\r\nContent-Length: 0\r\n\r\n", id="a control character"),
    pytest.param(TARGET + b"Transfer-Encoding:\tCHUNKED\t\r\nContent-Length: 0\r\n\r\n", id="tabs and capitals"),
    pytest.param(TARGET + b"Transfer-Encoding: chunked;q=1\r\nContent-Length: 0\r\n\r\n", id="a parameter"),
    pytest.param(TARGET + b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 0\r\n\r\n", id="the value on a line of its own"),
    pytest.param(TARGET + b"Transfer-Encoding\r\n: chunked\r\nContent-Length: 0\r\n\r\n", id="the colon on a line of its own"),
    pytest.param(TARGET + b"Transfer\xadEncoding: chunked\r\nContent-Length: 0\r\n\r\n", id="a soft hyphen"),
    pytest.param(TARGET + b"X: y\rTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", id="a bare carriage return"),
    pytest.param(TARGET + b"Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n", id="no encoding, said"),
    pytest.param(TARGET + b"Transfer-Encoding:\r\nContent-Length: 0\r\n\r\n", id="no value"),
    pytest.param(TARGET + b"Transfer-Encoding: gzip\r\n\r\n", id="another encoding alone"),
    pytest.param(TARGET + b"Transfer_Encoding: chunked\r\nContent-Length: 0\r\n\r\n", id="an underscore"),
    pytest.param(TARGET + b"X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", id="folded"),
    pytest.param(TARGET + b"X: y\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", id="a bare line feed"),
    pytest.param(TARGET + b"Content-Length: 0\r\nContent-Length: 40\r\n\r\n", id="two lengths"),
    pytest.param(TARGET + b"Content-Length: 0, 40\r\n\r\n", id="two lengths in one"),
    pytest.param(TARGET + b"Content-Length: 0\r\nContent-length: 0\r\n\r\n", id="the same length twice"),
    pytest.param(TARGET + b"Content-Length: 0 40\r\n\r\n", id="two lengths and a space"),
    pytest.param(TARGET + b"Content-Length : 40\r\nContent-Length: 0\r\n\r\n", id="a length with a space before the colon"),
    pytest.param(TARGET + b"Content-Length: 0\x00\r\n\r\n", id="a length with NUL"),
    pytest.param(TARGET + b"Content-Length:\r\n\r\n", id="no length"),
    pytest.param(TARGET + b"Content-Length: 0_0\r\n\r\n", id="a length with an underscore"),
    pytest.param(TARGET + b"Content-Length: +0\r\n\r\n", id="a signed length"),
    pytest.param(TARGET + b"Content-Length: -1\r\n\r\n", id="a length below zero"),
    pytest.param(TARGET + b"Content-Length: 0x28\r\n\r\n", id="a length of another base"),
    pytest.param(TARGET + b"Content-Length: \xd9\xa0\r\n\r\n", id="a length in other digits"),
    pytest.param(TARGET + b"Content-Length: 99999999999999999999\r\n\r\n", id="a length beyond numbers"),
    pytest.param(TARGET + b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n", id="a chunk of another base"),
    pytest.param(TARGET + b"Transfer-Encoding: chunked\r\n\r\n-0\r\n\r\n", id="a chunk below zero"),
    pytest.param(TARGET + b"Transfer-Encoding: chunked\r\n\r\n1\n" + b"a\r\n0\r\n\r\n", id="a chunk's bare line feed"),
    pytest.param(TARGET + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\na\r\n0\r\n\r\n", id="a chunk beyond numbers"),
    pytest.param(TARGET + b"Transfer-Encoding: chunked\r\n\r\n1;a=\"\r\n0\r\n\r\n\"\r\na\r\n0\r\n\r\n", id="a chunk's extension"),
    pytest.param(TARGET + b"Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 40\r\nHost: evil\r\n\r\n", id="a trailer"),
    pytest.param(b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX", id="in a GET"),
    pytest.param(b"HEAD /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nxx", id="behind a HEAD"),
    pytest.param(b"POST /logout HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="chunks in HTTP/1.0"),
]  # fmt: skip


@pytest.mark.parametrize("request_", SMUGGLING)
def test_nothing_is_read_as_a_request_that_could_be_a_body(server: Server, request_: bytes) -> None:
    """A request behind an ambiguous one is answered where the first one is plain to everybody, or not at all."""
    found = server.raw(request_ + HIDDEN, seconds=1)
    answers = re.findall(rb"HTTP/1\.[01] (\d{3})", found)
    assert len(answers) <= 2
    if len(answers) == 2:
        plain = (
            b"Transfer-Encoding: chunked\r\n\r\n",
            b": x, chunked",
            b"Transfer_Encoding",
            b"HEAD ",
            b"y\nTransfer-Encoding",
            b"Content-length: 0\r\n",
        )
        assert any(one in request_ for one in plain), found
    assert not {b"200", b"303"} & set(answers[:1]) or b"healthz" in request_
    assert server.is_well()


LAST = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def test_pipelined_requests_are_answered_in_their_order(server: Server) -> None:
    paths = [f"/number-{number}" for number in range(20)] + ["/healthz"]
    requests = b"".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for path in paths[:-1]) + LAST
    answers = re.findall(rb"HTTP/1\.1 (\d{3})", server.raw(requests, seconds=3))
    assert answers == [b"404"] * 20 + [b"200"]
    logged = [line["path"] for line in server.served.log if line.get("path", "").startswith("/number-")]
    assert logged == paths[:-1]


def test_pipelined_bodies_are_not_mixed_up(server: Server) -> None:
    bodies = [b"token=%d&then=login&return_to=/portal/HELP" % number for number in range(5)]
    requests = b"".join(TARGET + b"Content-Length: %d\r\n\r\n%s" % (len(body), body) for body in bodies)
    assert re.findall(rb"HTTP/1\.1 (\d{3})", server.raw(requests + HIDDEN, seconds=3)) == [b"403"] * 5 + [b"404"]


@pytest.mark.parametrize("size", [17_000, 10_000_000])
@pytest.mark.parametrize("chunked", [False, True], ids=["of a known length", "in chunks"])
@pytest.mark.parametrize("path", ["/logout", "/login", "/backchannel-logout/a", "/", "/portal/HELP", "/callback", "/nothing"])
def test_megabytes_are_not_read(server: Server, path: str, chunked: bool, size: int) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n".encode()
    if chunked:
        request = (
            head + b"Transfer-Encoding: chunked\r\n\r\n" + (b"1000\r\n" + b"a" * 0x1000 + b"\r\n") * (size // 0x1000 + 1) + b"0\r\n\r\n"
        )
    else:
        request = head + b"Content-Length: %d\r\n\r\n" % size + b"a" * size
    status, _, _ = parsed(server.raw(request, seconds=10))
    # A server that answers before it has read all resets the connection, and the answer may be lost on its way.
    assert status in {"/logout": {0, 413}, "/login": {0, 413}, "/backchannel-logout/a": {0, 413}, "/nothing": {0, 404}}.get(path, {0, 405})
    assert server.is_well()
    pid = server.served.workers()[0]
    resident = int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])  # type: ignore[index]
    assert resident < 200_000, "kB"


def test_a_body_that_is_cut_short_is_no_form(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(TARGET + b"Content-Length: 100\r\n\r\ntoken=a")
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)
    assert not answer or parsed(answer)[0] == 400
    assert server.is_well()


def test_a_cookie_of_bytes_that_hides_ours_is_named_in_the_log(server: Server) -> None:
    """granian gives no header that is not ASCII; whoever looks after the site must be able to find out."""
    away = server.raw(b"GET /login?provider=a HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nConnection: close\r\n\r\n").decode()
    cookie, location = (re.search(rf"\r\n{name}: ([^\r;]*)", away) for name in ("set-cookie", "location"))
    assert cookie
    assert location
    query = server.provider.follow(location[1])
    request = f"GET /callback?{query} HTTP/1.1\r\nHost: x\r\nCookie: other=caf\u00e9; {cookie[1]}\r\nConnection: close\r\n\r\n"
    assert parsed(server.raw(request.encode()))[0] == 400
    line = server.served.log[-1]
    assert line["reason"] == "answer_unknown"
    assert "not ASCII" in line["hint"]
    assert server.provider.calls_to("/token") == []


def test_headers_with_underscores_come_through_no_proxy_of_ours() -> None:
    """granian, like WSGI itself, cannot tell ``X_Forwarded_For`` from ``X-Forwarded-For``: the proxies must drop the first."""
    from tests.services import REPOSITORY

    caddy = (REPOSITORY / "examples" / "caddy-forward-auth.Caddyfile").read_text()
    traefik = (REPOSITORY / "examples" / "traefik-forward-auth.yml").read_text()
    assert "request_header -*_*" in caddy
    assert "authRequestHeaders:" in traefik
    for path in [*(REPOSITORY / "examples").rglob("*.conf"), REPOSITORY / "docs" / "serving.md", REPOSITORY / "docs" / "forward-auth.md"]:
        assert "underscores_in_headers on" not in path.read_text(), "nginx drops them unless told not to"
