"""Two machines, one Redis, nginx before them: a second one needs nothing but the same profile, the same secrets and the same store."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.journeys.served import Served, serve, write_profile
from tests.oidc.provider import CLIENT_ID, CLIENT_SECRET, Provider, running
from tests.services.children import Children
from tests.services.home import Home
from tests.services.redis_server import RedisServer, missing_for_redis, start_redis

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
NATIVE = "https://a.example/servicedesk/customer/portal/3"

pytestmark = [
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
    pytest.mark.skipif(bool(missing_for_redis()), reason=missing_for_redis()),
]


@dataclass
class Browser:
    """Keeps cookies; asks nginx, or with ``port`` one of the machines itself."""

    host: str
    provider: Provider
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, port: int | None = None, method: str = "GET", headers: dict[str, str] | None = None) -> HTTPResponse:
        netloc = self.host if port is None else f"127.0.0.1:{port}"
        connection = HTTPConnection(netloc, timeout=60)
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        given = {"Accept": "text/html", "Host": self.host, **({"Cookie": cookie} if cookie else {}), **(headers or {})}
        connection.request(method, path, headers=given)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                self._keep(value)
        return answer

    def begin(self) -> str:
        """Up to the provider's answer, which is not taken to us yet."""
        away = self.get("/portal/HELP")
        assert away.status == 302, away.status
        return f"/callback?{self.provider.follow(away.getheader('Location') or '')}"

    def log_in(self) -> int:
        return self.get(self.begin()).status

    def is_in(self, port: int | None = None) -> bool:
        return self.get("/portal/HELP", port).getheader("Location") == NATIVE

    def _keep(self, cookie: str) -> None:
        pair, _, rest = cookie.partition(";")
        name, _, value = pair.partition("=")
        if "Max-Age=0" in rest:
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value


@dataclass
class Site:
    machines: list[Served]
    ports: list[int]
    redis: RedisServer
    host: str
    provider: Provider

    def browser(self) -> Browser:
        return Browser(self.host, self.provider)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as one:
        now = int(time.time())
        one.claims |= {"iat": now, "exp": now + 3600}
        yield one


@pytest.fixture
def site(start: Children, jsmsso_home: Home, provider: Provider, free_port: Callable[[], int], tmp_path: Path) -> Site:
    port, ports = free_port(), [free_port(), free_port()]
    redis = start_redis(start, free_port(), tmp_path / "redis", "--appendonly", "yes", "--appendfsync", "always")
    (jsmsso_home.work / "client").write_text(CLIENT_SECRET)
    entry = {
        "type": "oidc",
        "issuer": provider.issuer,
        "client_id": CLIENT_ID,
        "client_secret": "file:client",
        "scopes": ["openid", "email"],
    }
    portal = {"id": "3", "key": "HELP", "service_desk": "3", "name": "IT help", "url": NATIVE, "mode": "redirect"}
    profile = {"public_url": f"http://localhost:{port}", "providers": {"a": entry}, "portals": [portal], "store": redis.url}
    write_profile(jsmsso_home, profile)
    machines = [serve(start, jsmsso_home, f"http://127.0.0.1:{one}", "--bind", f"127.0.0.1:{one}", "--workers", "1") for one in ports]
    _start_nginx(start, tmp_path, port, ports)
    return Site(machines, ports, redis, f"localhost:{port}", provider)


def test_one_machine_dies_in_the_middle_of_logins_and_redis_restarts_and_nobody_is_signed_out(site: Site) -> None:
    early, late = [site.browser() for _ in range(6)], [site.browser() for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(Browser.log_in, early)) == [303] * 6
        answers = list(pool.map(Browser.begin, late))
        pull_the_plug(site.machines[1])
        assert [one.get(answer).status for one, answer in zip(late, answers, strict=True)] == [303] * 6
        assert all(pool.map(Browser.is_in, early + late))
    site.redis.stop()
    assert all(one.is_in() for one in early + late), "sessions go on while Redis restarts"
    site.redis.start()
    assert all(one.is_in() for one in early + late)
    assert site.browser().log_in() == 303


def test_an_answer_is_good_once_on_all_machines(site: Site) -> None:
    browser = site.browser()
    answer = browser.begin()
    copies = [Browser(site.host, site.provider, dict(browser.cookies)) for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        given = pool.map(lambda numbered: numbered[1].get(answer, site.ports[numbered[0] % 2]).status, enumerate(copies))

    assert sorted(given) == [303] + [400] * 7


def test_a_logout_on_one_machine_ends_a_copied_session_on_the_other_also_after_redis_restarted(site: Site) -> None:
    browser = site.browser()
    browser.log_in()
    copy = Browser(site.host, site.provider, dict(browser.cookies))
    assert copy.is_in(site.ports[1])

    browser.get("/logout", site.ports[0], headers={"Sec-Fetch-Site": "same-origin"})
    while Browser(site.host, site.provider, dict(copy.cookies)).is_in(site.ports[1]):
        continue
    site.redis.stop()
    site.redis.start()
    pull_the_plug(site.machines[1])
    assert not Browser(site.host, site.provider, dict(copy.cookies)).is_in()


def pull_the_plug(machine: Served) -> None:
    for pid in (machine.child.pid, *machine.workers()):
        os.kill(pid, signal.SIGKILL)


def _start_nginx(start: Children, folder: Path, port: int, backends: list[int]) -> None:
    servers = "".join(f"server 127.0.0.1:{one} max_fails=1 fail_timeout=1s;" for one in backends)
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"""user root;
pid {folder}/nginx.pid;
daemon off;
events {{}}
http {{
access_log off;
{temporary}
upstream jsmsso {{ {servers} }}
server {{
  listen 127.0.0.1:{port};
  location / {{
    proxy_pass http://jsmsso;
    proxy_set_header Host $http_host;
    proxy_buffer_size 16k;
    proxy_buffers 8 16k;
  }}
}}
}}
"""
    )
    assert NGINX
    child = start([NGINX, "-c", folder / "nginx.conf", "-e", folder / "nginx.log"])
    while child.running:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        except ConnectionRefusedError:
            continue
    raise AssertionError((child.output, (folder / "nginx.log").read_text()))


def test_the_redis_of_another_deployment_is_another_store(site: Site) -> None:
    """Two deployments may share one Redis: what is in it is named by public_url."""
    parts = urlsplit(site.redis.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as wire:
        site.browser().log_in()
        wire.sendall(b"KEYS *\r\n")
        said = wire.recv(65536).decode()
    names = [line for line in said.splitlines() if line and line[0] not in "*$"]
    assert names
    assert len({name.split(":")[1] for name in names}) == 1, names
