"""``examples/traefik-forward-auth.yml``, played as Traefik's ForwardAuth middleware acts on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.oidc.provider import Provider
from tests.runtime.site import PAGE_LOAD, Answer, Browser, Site
from tests.runtime.test_forward_auth import BASE, HOST, NATIVE, PORTALS
from tests.services import REPOSITORY

EXAMPLE = yaml.safe_load((REPOSITORY / "examples" / "traefik-forward-auth.yml").read_text())["http"]
FORWARD_AUTH = EXAMPLE["middlewares"]["jsmsso"]["forwardAuth"]
TRAEFIK = "172.18.0.2"


@dataclass
class Traefik:
    """The middleware (its forward.go): which headers it asks with, what it does with the answer. ``passed`` is what reached Jira."""

    browser: Browser
    passed: list[dict[str, str]] = field(default_factory=list)

    def load(self, uri: str, headers: dict[str, str] | None = None, method: str = "GET", host: str = HOST) -> Answer:
        client = {**PAGE_LOAD, **(headers or {})}
        client["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.browser.cookies.items())
        asked = {name: value for name, value in client.items() if name.title() in FORWARD_AUTH["authRequestHeaders"]}
        assert FORWARD_AUTH["trustForwardHeader"] is False
        asked |= {
            "X-Forwarded-For": "203.0.113.9",
            "X-Forwarded-Method": method,
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": host,
            "X-Forwarded-Uri": uri,
        }
        address = urlsplit(FORWARD_AUTH["address"]).path
        answer = self.browser.get(address, {name: value for name, value in asked.items() if value}, environ={"REMOTE_ADDR": TRAEFIK})
        if 200 <= answer.status < 300:
            onward = {name: value for name, value in client.items() if name not in FORWARD_AUTH["authResponseHeaders"]}
            self.passed.append(onward | {name: answer.header(name) for name in FORWARD_AUTH["authResponseHeaders"]})
        return answer


@pytest.fixture
def traefik(make_site: Callable[..., Site], provider: Provider) -> Traefik:
    settings: dict[str, Any] = {"forward_auth": {}, "trusted_proxies": [TRAEFIK], "portals": PORTALS}
    return Traefik(Browser(make_site(provider, public_url=BASE, **settings)))


def test_a_customer_gets_in_and_jira_learns_who_it_is(traefik: Traefik) -> None:
    away = traefik.load(f"{NATIVE}/3/HELP-1?x=1")
    assert (away.status, urlsplit(away.location).scheme) == (302, "http"), "Traefik reads another than a whole address as its own"
    back = traefik.browser.get(traefik.browser.at_provider(away.location))
    assert back.location == f"{NATIVE}/3/HELP-1?x=1"
    assert traefik.load(back.location).status == 200
    (arrived,) = traefik.passed
    assert (arrived["X-Auth-Request-Email"], arrived["X-Auth-Request-Portal"]) == ("ada@acme.example", "HELP")


def test_a_client_cannot_say_who_it_is_or_what_it_asks_for(traefik: Traefik) -> None:
    traefik.browser.log_in()
    told = {"X-Original-Url": f"https://{HOST}{NATIVE}/3", "X-Forwarded-Uri": f"{NATIVE}/3", "X-Forwarded-Host": "evil.example"}
    told |= {name.replace("-", "_"): value for name, value in told.items()}
    forged = dict.fromkeys(FORWARD_AUTH["authResponseHeaders"], "root")
    assert traefik.load(f"{NATIVE}/4", {**told, **forged}).status == 403
    assert traefik.load("/browse/HELP-1", {**told, **forged}).status == 403
    assert traefik.load(f"{NATIVE}/3", {**told, **forged}).status == 200
    assert "root" not in str(traefik.passed)


@pytest.mark.parametrize("headers, method", [({"Sec-Fetch-Mode": "cors"}, "GET"), ({}, "POST"), ({"Sec-Purpose": "prefetch"}, "GET")])
def test_what_decides_on_a_page_load_gets_through_to_us(traefik: Traefik, headers: dict[str, str], method: str) -> None:
    assert traefik.load(f"{NATIVE}/3", headers, method).status == 401


def test_the_renewed_cookie_is_the_one_that_is_handed_on(traefik: Traefik) -> None:
    traefik.browser.log_in()
    traefik.browser.site.clock.advance(1200)
    name = traefik.load(f"{NATIVE}/3").header("Set-Cookie").partition("=")[0]
    assert [name] == FORWARD_AUTH["addAuthCookiesToResponse"]


def test_all_of_our_headers_are_handed_on(traefik: Traefik) -> None:
    traefik.browser.log_in()
    answer = traefik.load(f"{NATIVE}/3")
    assert {name for name, _ in answer.headers if name.startswith("X-Auth-")} == set(FORWARD_AUTH["authResponseHeaders"])


def test_every_router_of_the_site_leads_to_us_or_asks() -> None:
    for name, router in EXAMPLE["routers"].items():
        assert router["rule"].startswith("Host(`jira.acme.com`)")
        assert router.get("middlewares") == (None if router["service"] == "jsmsso" else ["jsmsso"]), name
