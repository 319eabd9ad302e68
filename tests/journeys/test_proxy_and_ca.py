"""A company's network: the provider and Jira are reached through its proxy alone, and its own CA has signed their certificates.

Only the proxy (tinyproxy) can find the names, so whatever gets an answer went through it.
"""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme

from jsmsso.sandbox.jsm_site import LocalAccount, LocalSite
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.journeys.served import Served, serve, write_profile
from tests.oidc.provider import ABSENT, CLIENT_ID, CLIENT_SECRET, Provider, running
from tests.runtime.site import PAGE_LOAD
from tests.services.children import Child, Children
from tests.services.home import Home, Ran

CA = "Acme Corporation, Network Security"
BOT = LocalAccount("bot@acme.example", "token", role="administrator")
PROXY = shutil.which("tinyproxy")
WRAPPER = next(Path("/usr/lib").glob("*/libnss_wrapper.so"), None)
pytestmark = pytest.mark.skipif(not (PROXY and WRAPPER), reason="tinyproxy and libnss-wrapper are not installed (make test installs them)")


@dataclass
class Company:
    """What stands in the company's network. ``settings`` is the profile's ``http:``."""

    provider: Provider
    jsm: LocalJsm
    login: str
    jira: str
    settings: dict[str, Any]
    proxy: Child

    def went_through(self) -> set[str]:
        """Hosts that the proxy was asked for."""
        return set(re.findall(r"CONNECT (\S+):\d+ HTTP", self.proxy.output))


@contextmanager
def behind_tls(port: int, context: ssl.SSLContext) -> Iterator[int]:
    """A listener that takes TLS off and passes everything on to ``port``; yields its own."""
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(65536):
                target.sendall(chunk)
            target.shutdown(socket.SHUT_WR)

    def take(connection: socket.socket) -> None:
        with (
            suppress(OSError),
            context.wrap_socket(connection, server_side=True) as near,
            socket.create_connection(("127.0.0.1", port)) as far,
        ):
            threading.Thread(target=pump, args=(far, near), daemon=True).start()
            pump(near, far)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=take, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


@pytest.fixture
def company(tmp_path: Path, start: Children, jsmsso_home: Home, free_port: Callable[[], int]) -> Iterator[Company]:
    authority = trustme.CA(organization_name="Acme Corporation", organization_unit_name="Network Security")
    authority.cert_pem.write_to_path(jsmsso_home.work / "acme-ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("login.acme.example", "jira.acme.example").configure_cert(context)
    with running() as provider, LocalJsm(LocalSite("Server", accounts=(BOT,))) as jsm:
        address = urlsplit(provider.address)
        assert address.port
        with behind_tls(address.port, context) as login_port, behind_tls(jsm.port, context) as jira_port:
            login, jira = f"https://login.acme.example:{login_port}", f"https://jira.acme.example:{jira_port}"
            provider.metadata = {name: moved(value, provider.address, login) for name, value in provider.metadata.items()}
            provider.issuer = login
            proxy, port = start_proxy(start, tmp_path, free_port(), [login_port, jira_port])
            settings = {"proxy": f"http://127.0.0.1:{port}", "ca_bundle": "acme-ca.pem"}
            yield Company(provider, jsm, login, jira, settings, proxy)


def moved(value: Any, was: str, to: str) -> Any:
    return value.replace(was, to) if isinstance(value, str) else value


def start_proxy(start: Children, folder: Path, port: int, allowed: list[int]) -> tuple[Child, int]:
    """A real forward proxy, to which alone the company's names are known."""
    (folder / "hosts").write_text("127.0.0.1 login.acme.example\n127.0.0.1 jira.acme.example\n")
    lines = [f"Port {port}", "Listen 127.0.0.1", "Allow 127.0.0.1", "LogLevel Info", *(f"ConnectPort {one}" for one in allowed)]
    (folder / "tinyproxy.conf").write_text("\n".join(lines) + "\n")
    env = {"LD_PRELOAD": str(WRAPPER), "NSS_WRAPPER_HOSTS": str(folder / "hosts"), "PATH": "/usr/bin:/bin"}
    assert PROXY
    return start([PROXY, "-d", "-c", folder / "tinyproxy.conf"], env=env, ready="Accepting connections"), port


def write(home: Home, company: Company, **changed: Any) -> None:
    """A profile for the company's provider and site."""
    for name, secret in (("client", CLIENT_SECRET), ("token", company.jsm.account.token)):
        (home.work / name).write_text(secret)
        (home.work / name).chmod(0o600)
    entry = {"type": "oidc", "issuer": company.login, "client_id": CLIENT_ID, "client_secret": "file:client", "scopes": ["openid", "email"]}
    jsm = {"url": company.jira, "api_token": "file:token"}
    write_profile(home, {"providers": {"acme": entry}, "jsm": jsm, "http": company.settings} | changed)


@pytest.fixture
def url(free_port: Callable[[], int]) -> str:
    return f"http://localhost:{free_port()}"


def portal_of(company: Company) -> dict[str, str]:
    place = {"name": "IT help", "url": f"{company.jira}/servicedesk/customer/portal/1", "mode": "redirect"}
    return {"id": "1", "key": "HELP", "service_desk": "1", **place}


def start_login(served: Served) -> tuple[int, str, str]:
    """Status, where it leads, and the login's cookie."""
    answer, _ = served.get("/portal/HELP", PAGE_LOAD)
    return answer.status, answer.getheader("Location") or "", (answer.getheader("Set-Cookie") or "").partition(";")[0]


def test_every_call_of_a_login_goes_through_the_proxy(start: Children, jsmsso_home: Home, company: Company, url: str) -> None:
    jsm = {"url": company.jira, "api_token": "file:token", "customers": {"create": True}}
    write(jsmsso_home, company, public_url=url, portals=[portal_of(company)], jsm=jsm)
    served = serve(start, jsmsso_home, url, "--workers", "1")
    status, location, cookie = start_login(served)
    assert (status, location.startswith(f"{company.login}/authorize?")) == (302, True)

    now = int(time.time())
    company.provider.claims |= {"iat": now, "exp": now + 300, "email": ABSENT}
    company.provider.userinfo |= {"email": "ada@acme.example", "email_verified": True}
    query = company.provider.follow(moved(location, company.login, company.provider.address))
    answer, page = served.get(f"/callback?{query}", {**PAGE_LOAD, "Cookie": cookie})
    assert answer.status == 303, page
    called = {call.path for call in company.provider.calls if call.path != "/authorize"}
    assert called == {"/.well-known/openid-configuration", "/jwks", "/token", "/userinfo"}
    assert company.jsm.site.people.with_email("ada@acme.example"), "a customer there since the login"
    assert company.went_through() == {"login.acme.example", "jira.acme.example"}


def test_every_call_to_jira_goes_through_the_proxy(jsmsso: Callable[..., Ran], jsmsso_home: Home, company: Company, url: str) -> None:
    write(jsmsso_home, company, public_url=url)
    ran = jsmsso("portals", "sync")
    assert ran.code == 0, ran.stderr
    assert len(jsmsso("portals", "list", "--json").json()) == len(company.jsm.site.desks)
    assert company.went_through() == {"jira.acme.example"}


def test_the_variables_that_programs_share_do_as_well(jsmsso: Callable[..., Ran], jsmsso_home: Home, company: Company, url: str) -> None:
    write(jsmsso_home, company, public_url=url, http={"ca_bundle": "acme-ca.pem"})
    ran = jsmsso("portals", "sync", env={"HTTPS_PROXY": company.settings["proxy"]})
    assert ran.code == 0, ran.stderr
    assert company.went_through() == {"jira.acme.example"}


def test_an_unknown_ca_is_named_with_the_key_to_set(jsmsso: Callable[..., Ran], jsmsso_home: Home, company: Company, url: str) -> None:
    write(jsmsso_home, company, public_url=url, http={"proxy": company.settings["proxy"]})
    for command, code in ((("portals", "sync"), 5), (("test-connection", "--no-browser"), 4)):
        ran = jsmsso(*command)
        assert (ran.code, ran.stdout) == (code, ""), ran.stderr
        assert f"signed by {CA}, a CA that is unknown here" in ran.stderr
        assert "http.ca_bundle" in ran.stderr


def test_the_log_names_an_unknown_ca_and_the_key_to_set(start: Children, jsmsso_home: Home, company: Company, url: str) -> None:
    write(jsmsso_home, company, public_url=url, portals=[portal_of(company)], http={"proxy": company.settings["proxy"]})
    served = serve(start, jsmsso_home, url, "--workers", "1")
    answer, page = served.get("/portal/HELP", PAGE_LOAD)
    assert answer.status == 502
    assert CA not in page
    line = next(line for line in served.log if line["event"] == "login.refused")
    assert CA in line["detail"]
    assert "http.ca_bundle" in line["hint"]


def test_a_host_that_the_proxy_does_not_let_through_is_said(
    jsmsso: Callable[..., Ran], jsmsso_home: Home, company: Company, url: str
) -> None:
    other = f"https://jira.acme.example:{urlsplit(company.settings['proxy']).port}"
    write(jsmsso_home, company, public_url=url, jsm={"url": other, "api_token": "file:token"})
    ran = jsmsso("portals", "sync")
    assert ran.code == 5
    assert "does not let it through: 403" in ran.stderr
    assert "It must let jsmsso connect to jira.acme.example." in ran.stderr
