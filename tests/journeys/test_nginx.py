"""docs/serving.md's nginx in front of ``jsmsso serve``, as its reader would set it up."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from http.client import HTTPResponse, HTTPSConnection
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import trustme

from jsmsso.errors import AnswerRefused
from jsmsso.runtime.failures import explain_answer
from tests.journeys.served import serve, write_profile
from tests.oidc.provider import CLIENT_ID, CLIENT_SECRET, Provider, running
from tests.services import REPOSITORY
from tests.services.children import Children
from tests.services.home import Home

GUIDE = (REPOSITORY / "docs" / "serving.md").read_text()
REASONS = (REPOSITORY / "docs" / "operations.md").read_text()
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
PAGE_LOAD = {"Accept": "text/html"}


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as one:
        yield one


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_the_guides_nginx_passes_a_large_session_and_adds_nothing(
    start: Children, jsmsso_home: Home, provider: Provider, free_port: Callable[[], int]
) -> None:
    port, folder = free_port(), jsmsso_home.work
    origin = f"https://localhost:{port}"
    (folder / "client").write_text(CLIENT_SECRET)
    entry = {
        "type": "oidc",
        "issuer": provider.issuer,
        "client_id": CLIENT_ID,
        "client_secret": "file:client",
        "scopes": ["openid", "email"],
    }
    portal = {"id": "3", "key": "HELP", "service_desk": "3", "name": "IT help", "url": "https://a.example/servicedesk/customer/portal/3"}
    access = [{"allow": {"claim": "groups", "any_of": ["staff"]}}]
    write_profile(
        jsmsso_home, {"public_url": origin, "providers": {"a": entry}, "portals": [portal | {"mode": "redirect"}], "access": access}
    )
    backend = folder / "s"
    serve(start, jsmsso_home, "unix", "--unix", str(backend))
    authority = start_nginx(start, folder, port, backend)
    context = ssl.create_default_context()
    authority.configure_trust(context)

    def get(path: str, cookie: str = "") -> HTTPResponse:
        connection = HTTPSConnection("localhost", port, context=context, timeout=30)
        connection.request("GET", path, headers=PAGE_LOAD | ({"Cookie": cookie} if cookie else {}))
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer

    now = int(time.time())
    provider.claims |= {"iat": now, "exp": now + 300, "groups": ["staff"] + [f"group {number}" for number in range(185)]}
    while (away := get("/portal/HELP")).status == 502:  # its workers are still starting
        continue
    location = away.getheader("Location") or ""
    assert parse_qs(urlsplit(location).query)["redirect_uri"] == [f"{origin}/callback"]
    cookie = (away.getheader("Set-Cookie") or "").partition(";")[0]
    assert cookie.startswith("__Host-jsmsso-login-")
    back = get(f"/callback?{provider.follow(location)}", cookie)
    assert back.status == 303
    session = next(value for name, value in back.getheaders() if name.lower() == "set-cookie" and value.startswith("__Host-jsmsso="))
    assert len(session) > 3000
    assert get("/portal/HELP", session.partition(";")[0]).getheader("Location") == portal["url"]


def start_nginx(start: Children, folder: Path, port: int, backend: Path) -> trustme.CA:
    """nginx with the guide's server block, but for its names; returns the authority of its certificate."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    for part in certificate.cert_chain_pems:
        part.write_to_path(folder / "cert.pem", append=True)
    found = re.search(r"```nginx\n(.*?)```", GUIDE, re.DOTALL)
    assert found
    block = found[1]
    for there, here in {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "server_name sso.acme.com": "server_name localhost",
        "/etc/ssl/sso.acme.com.pem": str(folder / "cert.pem"),
        "/etc/ssl/private/sso.acme.com.key": str(folder / "key.pem"),
        "/run/jsmsso/socket": str(backend),
    }.items():
        assert there in block, there
        block = block.replace(there, here)
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"user root;\npid {folder}/nginx.pid;\ndaemon off;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{block}}}\n"
    )
    assert NGINX
    child = start([NGINX, "-c", folder / "nginx.conf", "-e", folder / "nginx.log"])
    while child.running:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            break
        except ConnectionRefusedError:
            continue
    assert child.running, (child.output, (folder / "nginx.log").read_text())
    return authority


@pytest.mark.parametrize("reason", ["unknown", "late", "used", "displaced", "malformed", "wrong_callback", "wrong_issuer"])
def test_the_guide_names_every_reason_of_a_refused_answer(reason: str) -> None:
    failure = explain_answer(AnswerRefused(reason, "x"))
    row = next(line for line in REASONS.splitlines() if f"`{failure.reason}`" in line and line.startswith("|"))
    assert str(failure.status) in row
