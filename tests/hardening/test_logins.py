"""Logins of somebody else, begun elsewhere, used again, at once, or thirty at a time; and headers that only pretend."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from tests.oidc.provider import Provider, Reply
from tests.runtime.site import NATIVE, OWN_FORM, PAGE_LOAD, Answer, Browser, Site, portal, query_of


def become(provider: Provider, subject: str) -> None:
    """Who signs in from now on."""
    provider.claims |= {"sub": subject, "email": f"{subject}@acme.example"}
    provider.userinfo |= {"sub": subject, "email": f"{subject}@acme.example"}


def who(browser: Browser) -> str:
    page = browser.get("/logout")
    return page.text.partition('<strong dir="auto">')[2].partition("<")[0]


# Login CSRF and fixation ----------------------------------------------------------------------


def test_nobody_is_signed_in_with_the_login_of_somebody_else(site: Site, provider: Provider) -> None:
    """The attacker begins a login, and sends the answer's address to a victim, whatever the victim has under way."""
    become(provider, "mallory")
    attacker = Browser(site)
    address = attacker.start_login()
    for victims_own in (0, 1, 5):
        victim = Browser(site)
        for _ in range(victims_own):
            victim.get("/portal/HELP")
        before = dict(victim.cookies)
        page = victim.get(address)
        assert page.status == 400
        assert victim.session is None
        assert before.items() >= victim.cookies.items(), "and no cookie is planted"
    assert provider.calls_to("/token") == []


def test_a_code_of_somebody_else_does_not_fit_into_ones_own_login(site: Site, provider: Provider) -> None:
    """The attacker's code with the victim's state: PKCE and nonce bind a code to the login that asked for it."""
    become(provider, "mallory")
    stolen = query_of(Browser(site).start_login())["code"]
    become(provider, "ada")
    victim = Browser(site)
    address = victim.start_login()
    path, _, query = address.partition("?")
    own = dict(parse_qsl(query))
    page = victim.get(f"{path}?{urlencode({**own, 'code': stolen})}")
    assert page.status == 400
    assert victim.session is None
    assert site.events("login.refused")[-1]["reason"] == "token_invalid_grant"


@pytest.mark.parametrize("from_where", ["cross-site", "same-site", "none", "", "nonsense"])
@pytest.mark.parametrize("path", ["/logout", "/login"])
def test_no_form_of_another_site_counts(
    make_site: Callable[..., Site], provider: Provider, another_provider: Provider, path: str, from_where: str
) -> None:
    site = make_site(provider, another_provider, login={"mode": "ask_address"})
    browser = Browser(site)
    browser.log_in("/login?provider=a")
    fields = {"logout": browser.get("/logout").form("Sign out")[1], "login": Browser(site).get("/login").form("Continue")[1]}[path[1:]]
    answer = browser.post(path, fields | {"email": "ada@acme.example"}, {**OWN_FORM, "Sec-Fetch-Site": from_where})
    assert answer.status in (400, 403)
    assert browser.session is not None
    assert browser.logins == {}


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({**PAGE_LOAD, "Sec-Fetch-Dest": dest, "Sec-Fetch-Mode": mode}, id=f"{mode} {dest}")
        for dest, mode in [
            ("image", "no-cors"), ("iframe", "navigate"), ("frame", "navigate"), ("embed", "navigate"), ("object", "navigate"),
            ("empty", "cors"), ("empty", "no-cors"), ("script", "no-cors"), ("style", "no-cors"), ("video", "cors"),
            ("worker", "same-origin"), ("empty", "websocket"), ("fencedframe", "navigate"),
            ("", "navigate"), ("document", ""), ("document", "Navigate"),
        ]
    ]
    + [
        pytest.param({"Accept": "*/*"}, id="a program"),
        pytest.param({}, id="nothing at all"),
        pytest.param({"Accept": "text/*"}, id="any text"),
        pytest.param({**PAGE_LOAD, "Sec-Purpose": "prefetch"}, id="a prefetch"),
        pytest.param({**PAGE_LOAD, "Sec-Purpose": "prefetch;prerender"}, id="a prerender"),
        pytest.param({**PAGE_LOAD, "Purpose": "prefetch"}, id="an older prefetch"),
        pytest.param({**PAGE_LOAD, "X-Moz": "prefetch"}, id="Firefox's prefetch"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/portal/HELP", "/login", "/servicedesk/customer/portal/3"])
def test_only_a_page_load_begins_a_login(site: Site, headers: dict[str, str], path: str) -> None:
    browser = Browser(site)
    assert browser.get(path, headers).status == 401
    assert browser.cookies == {}


def test_each_login_has_a_session_and_form_tokens_of_its_own(site: Site, browser: Browser) -> None:
    sessions, tokens = set(), set()
    for _ in range(5):
        browser.get(browser.at_provider(browser.get("/login?return_to=/portal/HR").location))
        assert browser.session
        sessions.add(site.deployment.sessions.read(browser.session).id)  # type: ignore[union-attr]
        page = browser.get("/")
        for token in tokens:
            assert browser.submit(page, "Sign out", token=token).status == 403, "a form of the session before"
        tokens.add(page.form("Sign out")[1]["token"])
    assert len(sessions) == 5


def test_a_session_that_was_planted_is_replaced_by_the_login(site: Site, provider: Provider) -> None:
    become(provider, "mallory")
    attacker = Browser(site)
    attacker.log_in()
    planted = attacker.session
    victim = Browser(site)
    victim.cookies["__Host-jsmsso"] = planted or ""
    assert who(victim) == "mallory@acme.example"
    become(provider, "ada")
    victim.get(victim.at_provider(victim.get("/login").location))
    assert victim.session != planted
    assert who(victim) == "ada@acme.example"
    assert who(attacker) == "mallory@acme.example", "and the attacker's own is no better than before"


def test_login_cookies_that_were_planted_lead_to_nobody_elses_session(site: Site, provider: Provider) -> None:
    """All five places taken by logins of the attacker: a new one takes the oldest's place, and is the browser's own."""
    become(provider, "mallory")
    attacker = Browser(site)
    answers = [attacker.start_login() for _ in range(5)]
    become(provider, "ada")
    victim = Browser(site)
    victim.cookies = dict(attacker.logins)
    address = victim.start_login("/portal/HR")
    assert victim.get(address).location == "/portal/HR"
    assert who(victim) == "ada@acme.example"
    assert len(answers) == 5


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer x"}, {"X-Auth-Request-User": "ada"},
    {"X-Forwarded-User": "ada"}, {"X-Remote-User": "ada"}, {"Remote-User": "ada"}, {"X-Jsmsso": "1"}, {"X-Original-User": "ada"},
    {"X-Ssl-Client-S-Dn": "CN=ada"}])  # fmt: skip
@pytest.mark.parametrize(
    "agent",
    [
        "kube-probe/1.30",
        "GoogleHC/1.0",
        "ELB-HealthChecker/2.0",
        "Mozilla/5.0 (compatible; Googlebot/2.1)",
        "Prometheus/2",
        "jsmsso",
        "",
        "curl/8",
    ],
)
def test_no_header_of_a_program_opens_anything(site: Site, agent: str, headers: dict[str, str]) -> None:
    browser = Browser(site)
    for path in ("/portal/HELP", "/portal/HR", "/servicedesk/customer/portal/4"):
        assert browser.get(path, {"User-Agent": agent, **headers}).status == 401
        assert "/authorize" in browser.get(path, {**PAGE_LOAD, "User-Agent": agent, **headers}).location
    assert "signed in as" not in browser.get("/logout", {"User-Agent": agent, **headers}).text


@pytest.mark.parametrize("path", [
    "/portal/HR", "/portal/HR/", "/portal/4", "/portal/HR/HR-1", "/servicedesk/customer/portal/4", "/servicedesk/customer/portals",
    "/servicedesk/customer", "/servicedesk/customer/user/requests", "/portal/HR?x=/healthz", "/portal/HR?/assets/", "/portal/HR#/healthz",
    "/servicedesk/customer/portal/4/user/login", "/%70ortal/HR", "/portal/H%52", "/servicedesk/customer/request/HR-1",
])  # fmt: skip
def test_no_way_to_write_a_path_passes_the_gate(site: Site, path: str) -> None:
    answer = Browser(site).get(path.replace("#", "%23"))
    assert answer.status in (302, 404)
    assert answer.status == 404 or answer.location.startswith(site.providers[0].address)


# Once -----------------------------------------------------------------------------------------


def test_an_answer_used_before_a_restart_is_used_after_it(site: Site, browser: Browser, provider: Provider) -> None:
    address = browser.start_login()
    kept = dict(browser.cookies)
    assert browser.get(address).status == 303
    site.application.close()
    site.reload()
    thief = Browser(site)
    thief.cookies = kept
    for _ in range(3):
        thief.cookies |= kept
        assert thief.get(address).status == 400
    assert thief.session is None
    assert len(provider.calls_to("/token")) == 1


def test_an_answer_that_failed_at_the_provider_is_used_all_the_same(site: Site, browser: Browser, provider: Provider) -> None:
    address = browser.start_login()
    kept = dict(browser.cookies)
    provider.replies["/token"] = Reply(503)
    assert browser.get(address).status == 502
    provider.replies.clear()
    browser.cookies |= kept
    assert browser.get(address).status == 400
    assert browser.session is None


def test_of_two_workers_with_one_answer_one_goes_on_in_each_of_many_rounds(site: Site, provider: Provider) -> None:
    rounds = 40
    workers = [site.application, site.another_worker()]
    gate = threading.Barrier(len(workers))
    addresses: list[tuple[str, dict[str, str]]] = []
    for _ in range(rounds):
        browser = Browser(site)
        addresses.append((browser.start_login(), dict(browser.cookies)))
    answers: list[list[Answer]] = [[], []]

    def call(number: int) -> None:
        for address, cookies in addresses:
            copy = Browser(site)
            copy.cookies = dict(cookies)
            gate.wait(60)
            answers[number].append(copy.get(address, application=workers[number]))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    workers[1].close()
    assert [sorted((one.status, other.status)) for one, other in zip(*answers, strict=True)] == [[303, 400]] * rounds
    assert len(provider.calls_to("/token")) == rounds
    assert len(site.events("login.ok")) == rounds


@pytest.mark.parametrize("written", ["%3F", "%3f", "%23", "%26", "%3B", "/%3F", "%3F%3F"])
def test_an_answer_whose_question_mark_was_encoded_on_the_way_is_not_logged(site: Site, browser: Browser, written: str) -> None:
    """Mail programs and filters encode too much; the code is still good then, and belongs into no log."""
    browser.get(browser.start_login().replace("?", written))
    assert site.log[-1]["event"] == "page.not_found"
    assert "code" not in site.log[-1]["path"]
    browser.get("/portal/HELP" + written + "token=abcdef&jwt=ghijkl")
    assert "abcdef" not in site.log_text
    assert "ghijkl" not in site.log_text


# Many tabs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_once", [30, 6, 1], ids=["all at once", "six at a time", "one after the other"])
def test_thirty_tabs_of_a_restored_browser_are_all_one_step_from_their_portal(site: Site, browser: Browser, at_once: int) -> None:
    """A browser that is started again loads all its tabs; the first requests know nothing of each other's cookies."""
    targets = [f"/portal/HR/HR-{number}" for number in range(30)]
    signed_in_at_once = 0
    for begin in range(0, 30, at_once):
        some = targets[begin : begin + at_once]
        sent = dict(browser.cookies)
        answers = []
        for target in some:
            tab = Browser(site)
            tab.cookies = dict(sent)
            answers.append(tab.get(target))
            browser.cookies |= tab.cookies
            site.clock.advance(0.1)
        assert len(browser.logins) <= 5
        for target, away in zip(some, answers, strict=True):
            back = None if away.location.startswith(NATIVE) else browser.get(browser.at_provider(away.location))
            if back is not None and back.status == 303:
                assert back.location == target
            elif back is not None:
                assert back.status == 400
                again = browser.get(back.link("Go to People" if browser.session else "Start again"))
                assert again.location.startswith(NATIVE) or browser.get(browser.at_provider(again.location)).status == 303
            assert browser.get(target).location == target.replace("/portal/HR", f"{NATIVE}/4")
            signed_in_at_once += back is None or back.status == 303
    assert signed_in_at_once >= {30: 1, 6: 24, 1: 30}[at_once]
    assert sum(len(f"{name}={value}; ") for name, value in browser.cookies.items()) < 4096


# Headers that only pretend --------------------------------------------------------------------

SPOOFED: list[Any] = [
    pytest.param({name: value}, id=f"{name} {value}"[:60])
    for name in ("Host", "X-Forwarded-Host", "X-Host", "X-Forwarded-Server", "X-Http-Host-Override", "X-Original-Host",
                 "X-Forwarded-Prefix",
                 "X-Script-Name", "X-Forwarded-Uri", "X-Original-Url", "X-Rewrite-Url", "X-Forwarded-Path",
                 "X-Accel-Redirect", "X-Sendfile")
    for value in ("evil.example", "sso.acme.example:80@evil.example", "evil.example,sso.acme.example", "/healthz", "")
] + [
    pytest.param({"X-Forwarded-Proto": "http", "X-Forwarded-Ssl": "off", "X-Forwarded-Port": "80"}, id="plain http"),
    pytest.param({"Forwarded": 'for=127.0.0.1;host=evil.example;proto=http, for="[::1]"'}, id="Forwarded"),
    pytest.param({"X-Forwarded-For": "127.0.0.1", "X-Real-Ip": "127.0.0.1", "True-Client-Ip": "::1"}, id="from loopback"),
    pytest.param({"X-Http-Method-Override": "POST", "X-Method-Override": "POST", "X-Http-Method": "POST"}, id="another method"),
    pytest.param({"Upgrade": "websocket", "Connection": "Upgrade"}, id="an upgrade"),
]  # fmt: skip


@pytest.mark.parametrize("headers", SPOOFED)
@pytest.mark.parametrize("trusted", [[], ["192.0.2.0/24"]], ids=["from anybody", "through a proxy"])
def test_no_header_changes_where_an_answer_leads(
    make_site: Callable[..., Site], provider: Provider, headers: dict[str, str], trusted: list[str]
) -> None:
    site = make_site(provider, trusted_proxies=trusted, portals=[portal("3", "HELP", "IT help")])
    browser = Browser(site, {**PAGE_LOAD, **headers})
    away = browser.get("/portal/HELP")
    assert query_of(away.location)["redirect_uri"] == "https://sso.acme.example/callback"
    back = browser.get(browser.at_provider(away.location))
    assert (back.status, back.location) == (303, "/portal/HELP")
    assert browser.get("/portal/HELP").location == f"{NATIVE}/3"
    out = browser.get("/logout", {**PAGE_LOAD, **headers, "Sec-Fetch-Site": "same-origin"})
    assert query_of(out.location)["post_logout_redirect_uri"] == "https://sso.acme.example/logged-out"
    assert "evil" not in json.dumps([away.headers, back.headers, out.headers]) + browser.get("/logged-out").text + site.log_text
