"""The real nginx and Caddy with the files in ``examples/`` before a Data Center site: who gets through, and what arrives there."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from jsmsso.runtime.sessions import Session, content_of, read_content
from jsmsso.sealing import Sealer
from tests.journeys.protected import NATIVE, PROXIES, Protected, protected
from tests.journeys.served import SESSION_SECRET
from tests.services.oidc_provider import Account, OidcProvider

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PAGE_LOAD = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
MODELS = "/rest/servicedesk/1/customer/models"  # what a portal page asks; the local JSM remembers with which headers
FORGED = {f"X-Auth-Request-{name}": "root" for name in ("User", "Email", "Groups", "Name", "Portal")}
OURS = tuple(name.lower() for name in FORGED)


@pytest.fixture(scope="module", params=PROXIES)
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, oidc_provider: OidcProvider, free_port: Callable[[], int]
) -> Iterator[Protected]:
    skip_without(request.param)
    with protected(tmp_path_factory.mktemp("protected"), PROXIES[request.param], oidc_provider, free_port) as running:
        yield running


@pytest.fixture(scope="module")
def ada(oidc_provider: OidcProvider) -> Account:
    return oidc_provider.add_account(f"ada{os.urandom(4).hex()}@acme.example", given_name="Zoë", family_name="Ångström, B")


@pytest.fixture(scope="module")
def cookie(site: Protected, ada: Account, chromium: Browser) -> str:
    """What ada's browser sends after a real login, which began at a page of the native portal."""
    context: BrowserContext = chromium.new_context(ignore_https_errors=True)
    page = context.new_page()
    page.goto(f"{site.url}{NATIVE}/21/create/101?summary=a%20b")
    sign_in(page, ada)
    page.wait_for_url(f"{site.url}/**")
    assert page.url == f"{site.url}{NATIVE}/21/create/101?summary=a%20b"
    assert page.locator("[data-portal='21']").count() == 1, "the native portal's own page"
    pairs = {one["name"]: one["value"] for one in context.cookies(site.url)}
    assert list(pairs) == ["__Host-jsmsso"], "the login's own cookie is gone"
    context.close()
    return f"__Host-jsmsso={pairs['__Host-jsmsso']}"


def sign_in(page: Page, account: Account) -> None:
    page.fill("input[name=email]", account.email)
    page.fill("input[name=password]", account.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Continue").click()


def reached(site: Protected) -> dict[str, str]:
    """The headers that arrived at Jira with the last call, as far as they are ours."""
    return {name: value for name, value in site.jsm.seen[-1].headers.items() if name in OURS}


def test_who_it_is_arrives_at_jira(site: Protected, cookie: str, ada: Account) -> None:
    site.ask(MODELS, {"Cookie": cookie})
    arrived = reached(site)
    assert unquote(arrived["x-auth-request-name"]) == "Zoë Ångström, B"
    assert arrived["x-auth-request-email"] == ada.email
    assert arrived["x-auth-request-user"] == ada.sub


def test_what_a_client_says_of_itself_does_not(site: Protected, cookie: str, ada: Account) -> None:
    for forged in (FORGED, {name.upper(): value for name, value in FORGED.items()}, {n.replace("-", "_"): v for n, v in FORGED.items()}):
        site.ask(MODELS, {"Cookie": cookie, **forged})
        arrived = reached(site)
        assert arrived["x-auth-request-email"] == ada.email
        assert "root" not in str(site.jsm.seen[-1].headers)
    site.ask(MODELS, [("Cookie", cookie), *FORGED.items(), *FORGED.items()])
    assert "root" not in str(site.jsm.seen[-1].headers)


def test_nobody_gets_through_unasked(site: Protected) -> None:
    asked = len(site.jsm.seen)
    for target in (MODELS, f"{NATIVE}/21", "/", "/s/x/_/download/y.css", "/browse/HELP-1"):
        for headers in ({}, {"Cookie": "__Host-jsmsso=x"}, {"User-Agent": "kube-probe/1.30 GoogleHC/1.0"}, {"Authorization": "Bearer x"}):
            assert site.ask(target, {"Accept": "*/*", **headers}).status in (401, 403), target
    assert site.ask(f"{NATIVE}/21", PAGE_LOAD, method="POST").status == 401
    assert len(site.jsm.seen) == asked


def test_a_page_load_without_a_session_goes_to_the_provider(site: Protected) -> None:
    answer = site.ask(f"{NATIVE}/21", PAGE_LOAD)
    assert answer.status == 302
    assert answer.header("Location").startswith(f"{site.provider.issuer}/")
    (made,) = answer.cookies()
    assert made.startswith("__Host-jsmsso-login-")


def test_rules_of_a_portal_and_closed_paths_are_said_on_a_page(site: Protected, cookie: str) -> None:
    for target, title in ((f"{NATIVE}/22", "This account has no access"), ("/secure/Dashboard.jspa", "This page is not open here")):
        page = site.ask(target, {**PAGE_LOAD, "Cookie": cookie})
        assert page.status == 403, target
        assert title in page.text
        assert site.ask(target, {"Accept": "*/*", "Cookie": cookie}).status == 403
    assert site.ask(f"{NATIVE}/21", {"Cookie": cookie}).status == 200
    assert site.ask("/_sso/portal/HELP", {**PAGE_LOAD, "Cookie": cookie}).header("Location") == f"{site.url}{NATIVE}/21"


@pytest.mark.parametrize("form", ["dashes", "underscores", "mixed", "twice"])
def test_no_header_of_a_client_says_which_path_it_asks_for(site: Protected, cookie: str, form: str) -> None:
    told = {
        "X-Original-URL": f"{site.url}{NATIVE}/21",
        "X-Original-Method": "GET",
        "X-Rewrite-URL": f"{NATIVE}/21",
        "X-Forwarded-Uri": f"{NATIVE}/21",
        "X-Forwarded-Host": f"localhost:{site.port}",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Method": "GET",
        "X-Forwarded-For": "127.0.0.1",
    }
    change = {"underscores": lambda name: name.replace("-", "_"), "mixed": lambda name: name[:2] + name[2:].replace("-", "_")}
    names = {change.get(form, str)(name): value for name, value in told.items()}
    pairs = list(names.items()) * (2 if form == "twice" else 1)
    asked = len(site.jsm.seen)
    for target in ("/browse/HELP-1", f"{NATIVE}/22", "/rest/api/2/myself"):
        assert site.ask(target, [("Cookie", cookie), *pairs]).status == 403, target
        assert site.ask(target, [("Cookie", cookie), *pairs, *PAGE_LOAD.items()]).status == 403, target
        assert site.ask(target, pairs).status in (401, 403)
    assert len(site.jsm.seen) == asked


TRICKS = [
    f"{NATIVE}/21/..;/22", f"{NATIVE}/21/../22", f"{NATIVE}/21/%2e%2e/22", f"{NATIVE}/21/%2e%2e%2f22", f"{NATIVE}/21%2f..%2f22",
    f"{NATIVE}/21/..%5c22", f"{NATIVE}//22", f"/{NATIVE}/22", f"{NATIVE}/022", f"{NATIVE}/22;x", f"{NATIVE}/21;/../22",
    f"{NATIVE}/%32%32", f"{NATIVE}/22%00", f"{NATIVE}/22%20", f"{NATIVE}/21/%252e%252e/22", f"/s/x/_{NATIVE}/22",
    "/s/x/_/;/WEB-INF/web.xml", "/_/;/WEB-INF/web.xml", "/_sso/../browse/HELP-1", "/_sso/..;/browse/HELP-1",
    "/_sso/%2e%2e/browse/HELP-1", "/_sso%2f..%2fbrowse/HELP-1", "/_sso/..%2fbrowse/HELP-1", "//_sso/../browse/HELP-1",
    "/_sso/./../browse/HELP-1", "/_SSO/../browse/HELP-1", "/_sso_question", "/_sso_answer", "/_sso/auth", "/_sso/auth/redirect",
    "/_sso/auth/../auth", "/_sso//auth", "/%5fsso/auth", "/_sso/%61uth", "/s/x/_/download/..;/..;/browse/HELP-1",
    "/servicedesk/customer/..;/..;/secure/admin", "/browse/HELP-1#/servicedesk/customer/portal/21", f"/browse/HELP-1?{NATIVE}/21",
    "/browse/HELP-1;/servicedesk/customer/portal/21", f"{NATIVE}/22?portal=21", "/favicon.ico/../browse/HELP-1", "/favicon.ico;/browse",
]  # fmt: skip


def test_no_way_of_writing_a_path_opens_another_one(site: Protected, cookie: str) -> None:
    asked = len(site.jsm.seen)
    for target in TRICKS:
        for headers in ({"Cookie": cookie}, {"Cookie": cookie, **PAGE_LOAD}):
            answer = site.ask(target, headers)
            assert answer.status in (400, 401, 403, 404, 405), (target, answer)
            assert "x-auth-request" not in str(answer.headers).lower()
            assert "You landed" not in answer.text
    assert len(site.jsm.seen) == asked


def test_a_whole_address_in_the_request_line_is_no_way_round(site: Protected, cookie: str) -> None:
    for target in (
        f"https://evil.example{NATIVE}/21",
        f"https://evil.example:{site.port}/browse/HELP-1",
        f"http://localhost:{site.port}{NATIVE}/22",
    ):
        assert site.ask(target, {"Cookie": cookie}).status in (200, 400, 403, 404, 421)
        assert "You landed on the portal <strong>People" not in site.ask(target, {"Cookie": cookie}).text
    assert site.ask(f"{NATIVE}/21", [("Host", "evil.example"), ("Cookie", cookie)]).status in (400, 403, 404)


def test_a_form_is_handed_to_jira_whole_and_its_answer_back(site: Protected, cookie: str) -> None:
    body = "summary=" + "x" * 5000
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
    answer = site.ask(MODELS, [*headers.items(), ("X-Filler", "y\r\n\r\n" + body)], method="POST")
    assert answer.status in (401, 404), "Jira's own answer: it asks for its own login"
    assert site.jsm.seen[-1].body.decode() == body
    assert answer.text == site.jsm.seen[-1].answer.decode()


def test_the_log_knows_the_client_behind_the_proxy(site: Protected, cookie: str) -> None:
    site.ask("/browse/FAC-77", {"Cookie": cookie, "X-Forwarded-For": "203.0.113.9"})
    lines = [line for line in site.served.log if line.get("path") == "~/browse/FAC-77"]
    assert [(line["event"], line["reason"], line["client"]) for line in lines][:1] == [("auth.refused", "other_path", "127.0.0.1")]


def test_a_session_in_use_stays_alive(site: Protected, cookie: str) -> None:
    sealer = Sealer([SESSION_SECRET], f"{site.url}/_sso")
    name, _, value = cookie.partition("=")
    session = read_content(sealer.open("session", value) or b"")
    assert isinstance(session, Session)
    earlier = sealer.seal("session", content_of(replace(session, started=session.started - 1800, seen=session.seen - 1200)))
    assert site.ask(MODELS, {"Cookie": cookie}).cookies() == []
    for target in (MODELS, f"{NATIVE}/21"):
        answer = site.ask(target, {"Cookie": f"{name}={earlier}"})
        (renewed,) = answer.cookies()
        assert renewed.startswith(f"{name}=")
        assert "; Path=/; HttpOnly; SameSite=Lax; Secure" in renewed
        assert site.ask(f"{NATIVE}/21", {"Cookie": renewed.partition(";")[0]}).status == 200


def test_after_the_logout_the_cookie_opens_nothing(site: Protected, ada: Account, chromium: Browser) -> None:
    context = chromium.new_context(ignore_https_errors=True)
    page = context.new_page()
    page.goto(f"{site.url}{NATIVE}/21/HELP-12")
    sign_in(page, ada)
    page.wait_for_url(f"{site.url}{NATIVE}/21/HELP-12")
    pairs = {one["name"]: one["value"] for one in context.cookies(site.url)}
    page.goto(f"{site.url}{NATIVE}/22")
    assert page.get_by_role("heading").inner_text() == "This account has no access"
    assert page.evaluate("getComputedStyle(document.body).margin") != "8px", "our own page has its style"
    page.goto(f"{site.url}/_sso/")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Yes, sign me out").click()
    page.wait_for_url(f"{site.url}/_sso/logged-out")
    context.close()
    cookie = f"__Host-jsmsso={pairs['__Host-jsmsso']}"
    wait_until(lambda: site.ask(f"{NATIVE}/21", {"Cookie": cookie, "Accept": "*/*"}).status == 401)


def wait_until(holds: Callable[[], bool]) -> None:
    """Until it holds for every worker: others read of an ending within a second."""
    while not all(holds() for _ in range(12)):
        time.sleep(0.2)


def test_from_inside_jira_is_open_as_ever_and_nobody_is_named(
    tmp_path: Path, oidc_provider: OidcProvider, free_port: Callable[[], int]
) -> None:
    skip_without("nginx")
    with protected(tmp_path, "nginx-data-center.conf", oidc_provider, free_port) as site:
        inside = "127.0.0.2"
        assert "You landed" in site.ask(f"{NATIVE}/22", PAGE_LOAD, source=inside).text
        site.ask(MODELS, FORGED, source=inside)
        assert reached(site) == {}
        assert site.ask("/rest/api/2/serverInfo", source=inside).status == 200, "jsmsso's own calls"
        asked = len(site.jsm.seen)
        assert site.ask(f"{NATIVE}/22", PAGE_LOAD).status == 302
        assert site.ask(MODELS, {"Accept": "*/*", "X-Forwarded-For": inside, "X-Real-IP": inside}).status == 401
        assert site.ask("/browse/HELP-1", {"Accept": "*/*"}).status == 403
        site.served.child.stop()
        assert site.ask(MODELS, {"Accept": "*/*"}).status == 500, "while jsmsso is down nobody gets in"
        assert len(site.jsm.seen) == asked


def skip_without(name: str) -> None:
    if shutil.which(name) is None and shutil.which(name, path="/usr/sbin") is None:
        pytest.skip(f"{name} is not installed")
