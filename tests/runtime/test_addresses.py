"""Paths, methods and headers that no address of ours has; other deployments; health."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest

from tests.oidc.provider import Provider, Reply
from tests.runtime.site import NATIVE, PAGE_LOAD, Browser, Site, called, query_of

OWN = ["/", "/portal/HELP", "/servicedesk/customer/portals", "/login", "/callback", "/logout", "/logged-out", "/healthz", "/readyz"]


@pytest.mark.parametrize(
    "path",
    [
        "//portal/HELP", "/portal//HELP", "/portal/HELP//", "//", "//evil.example", "//evil.example/%2e%2e", "/portal/../portal/HELP",
        "/../portal/HELP",
        "/portal/..", "/..", "/.", "/./portal/HELP", "/portal/HELP/.", "/portal/%2e%2e/portal/HELP", "/portal/%2E/HELP", "/%2e%2e/",
        "/portal\\HELP", "/portal/HELP%5c", "/%5cevil.example", "/portal/HELP%00", "/portal/HELP%0d%0aSet-Cookie:%20a=b", "/portal/HELP%09",
        "/portal/HELP%7f", "/portal/HELP%c2%85", "/portal/HELP%e2%80%a8", "/portal/HELP%e2%80%ae", "/portal/%ff%fe", "/portal/%c0%af",
        "/portal/%ed%a0%80",
        "/portal/HELP%2f%2f", "/portal/%252e%252e/HELP", "/portal/HELP;x=1", "/portal/HELP%3f", "/portal/HELP%23", "/portal/" + "A" * 3000,
        "/%70ortal/HELP/%2e%2e/HR", "/portal/H\u212aLP", "/portal/\uff28ELP", "/login/..", "/healthz/..", "/callback/../callback",
        "/callback/%2e%2e",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_path_that_no_address_of_ours_has_is_404(browser: Browser, path: str, method: str) -> None:
    answer = browser.request(method, path.encode().decode("utf-8"))
    assert answer.status in (404, 405), answer
    assert answer.status == 404 or method == "POST"
    assert browser.cookies == {}
    assert "evil" not in "".join(value for _, value in answer.headers)


@pytest.mark.parametrize("path", [*OWN, "/assets/x", "/nothing"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "X" * 300])
def test_every_method_gets_an_answer(browser: Browser, path: str, method: str) -> None:
    answer = browser.request(method, path)
    if path == "/nothing":
        assert answer.status == 404
    elif (path, method) == ("/logout", "POST"):
        assert answer.status == 403
    else:
        assert answer.status == 405
        assert "GET" in answer.header("Allow")


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Prefix": "/evil"},
        {"Forwarded": "host=evil.example;proto=http;for=203.0.113.9"},
        {"X-Original-Url": "/healthz", "X-Rewrite-Url": "/healthz", "X-Forwarded-Uri": "/healthz", "X-Original-Uri": "/healthz"},
        {"X-Http-Method-Override": "POST", "X-Script-Name": "/evil"},
        {"User-Agent": "kube-probe/1.30 GoogleHC/1.0 ELB-HealthChecker/2.0"},
    ],
    ids=["Host", "X-Forwarded", "Forwarded", "another path", "another method", "a health check"],
)
def test_no_header_of_a_client_changes_an_answer(site: Site, headers: dict[str, str]) -> None:
    plain, spoofed = Browser(site), Browser(site, {**PAGE_LOAD, **headers})
    away = spoofed.get("/portal/HELP")
    assert query_of(away.location)["redirect_uri"] == "https://sso.acme.example/callback"
    assert "evil" not in str(away.headers)
    for address in ("/", "/logged-out", "/login?return_to=/portal/HR", "/portal/NONE"):
        one, other = spoofed.get(address), plain.get(address)
        assert one.status == other.status
        assert "evil" not in one.text
    spoofed.log_in()
    assert "evil" not in site.log_text
    assert "203.0.113.9" not in site.log_text


def test_headers_above_16_kb_are_431_and_below_pass(browser: Browser) -> None:
    assert browser.get("/", {**PAGE_LOAD, "X-Filler": "x" * 17_000}).status == 431
    assert browser.get("/", {**PAGE_LOAD, "Cookie": "; ".join(f"c{n}=" + "x" * 100 for n in range(160))}).status == 431
    assert browser.get("/", {**PAGE_LOAD, "X-Filler": "x" * 15_000}).status == 200


@pytest.mark.parametrize(
    "cookie",
    ["\xff", "a=\xff\xfe; b", "=;=;;;", "__Host-jsmsso", "__Host-jsmsso=", '__Host-jsmsso="', "__Host-jsmsso=\xc3\xa9", "a" * 4000],
)
def test_cookies_of_any_kind_do_no_harm(browser: Browser, cookie: str) -> None:
    assert browser.get("/", {**PAGE_LOAD, "Cookie": cookie}).status == 200
    assert browser.get("/portal/HELP", {**PAGE_LOAD, "Cookie": cookie}).status == 302


def test_a_cookie_of_another_application_leaves_a_session_alone(browser: Browser) -> None:
    browser.log_in()
    cookie = f"other=\xff\xe9; __Host-jsmsso={browser.session}"
    assert browser.get("/portal/HELP", {**PAGE_LOAD, "Cookie": cookie}).location == f"{NATIVE}/3"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_told_to_anybody_by_get_and_head(browser: Browser, path: str) -> None:
    assert browser.get(path, {}).status == 200
    assert browser.request("HEAD", path, {}).body == b""
    assert browser.get(path, {}).header("Cache-Control") == "no-store"


def test_a_provider_that_is_down_is_degraded_and_still_ready(browser: Browser, provider: Provider) -> None:
    provider.replies["/.well-known/openid-configuration"] = Reply(503)
    answer = browser.get("/readyz", {})
    assert (answer.status, answer.text.strip()) == (200, "degraded")
    provider.replies.clear()
    browser.log_in()
    assert browser.get("/readyz", {}).text.strip() == "ready"


# The store ------------------------------------------------------------------------------------


def break_store(site: Site) -> None:
    connection = sqlite3.connect(site.folder / "state.db")
    connection.execute("DROP TABLE used_logins")
    connection.execute("CREATE TABLE used_logins (other TEXT)")
    connection.close()


def test_while_the_store_is_down_nobody_is_signed_in(site: Site, browser: Browser, provider: Provider) -> None:
    address = browser.start_login()
    break_store(site)
    page = browser.get(address)
    assert (page.status, page.title) == (503, "This site cannot sign anybody in just now")
    assert page.link("Try again") == "/portal/HELP"
    assert browser.session is None
    assert provider.calls_to("/token") == []
    (line,) = site.events("store_unavailable")
    assert line["reference"] == page.reference


def test_a_session_goes_on_while_the_store_is_down(site: Site, browser: Browser) -> None:
    browser.log_in()
    break_store(site)
    assert browser.get("/portal/HELP").status == 302


def test_store_failure_open_signs_in_without_the_store_and_says_so(make_site: Callable[..., Site], provider: Provider) -> None:
    site = make_site(provider, store_failure="open")
    browser = Browser(site)
    address = browser.start_login()
    break_store(site)
    assert browser.get(address).status == 303
    assert site.events("store.unavailable")
    assert browser.get(address).status == 400, "the cookie is gone all the same"
    assert len(provider.calls_to("/token")) == 1


@pytest.mark.parametrize("failure, status", [("closed", 503), ("open", 200)])
def test_readyz_tells_of_a_locked_store(
    make_site: Callable[..., Site], provider: Provider, failure: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jsmsso.store.sqlite_file.BUSY_SECONDS", 0.05)
    site = make_site(provider, store_failure=failure)
    lock = sqlite3.connect(site.folder / "state.db", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    assert Browser(site).get("/readyz", {}).status == status
    assert Browser(site).get("/healthz", {}).status == 200
    lock.execute("ROLLBACK")
    lock.close()
    assert Browser(site).get("/readyz", {}).status == 200


# Other deployments ----------------------------------------------------------------------------


def test_everything_stands_below_the_path_of_the_public_url(make_site: Callable[..., Site], provider: Provider) -> None:
    site = make_site(provider, public_url="https://jira.acme.example/_sso")
    browser = Browser(site)
    back = browser.log_in("/portal/HR/HR-3")
    assert (back.status, back.location) == (303, "/_sso/portal/HR/HR-3")
    page = browser.get("/_sso/")
    assert page.link("People") == "/_sso/portal/HR"
    assert 'href="/_sso/assets/' in page.text
    for asset in {part.split('"')[0] for part in page.text.split('href="')[1:] if part.startswith("/_sso/assets/")}:
        assert browser.get(asset).status == 200
    assert browser.get("/_sso").status == browser.get("/_sso/").status == 200
    answer = browser.submit(page, "Sign out")
    assert query_of(answer.location)["post_logout_redirect_uri"] == "https://jira.acme.example/_sso/logged-out"
    assert browser.get("/_sso/logged-out").link("Sign in again") == "/_sso/"
    assert browser.get("/_sso/healthz").status == 200


@pytest.mark.parametrize(
    "address", ["/portal/HELP", "/", "/_ss", "/_ssoportal/HELP", "/_sso2/portal/HELP", "/healthz", "/logout", "/_SSO/portal/HELP"]
)
def test_there_is_nothing_outside_that_path(make_site: Callable[..., Site], provider: Provider, address: str) -> None:
    assert Browser(make_site(provider, public_url="https://jira.acme.example/_sso")).get(address).status == 404


def test_return_to_is_taken_with_and_without_the_path(make_site: Callable[..., Site], provider: Provider) -> None:
    site = make_site(provider, public_url="https://jira.acme.example/_sso")
    for return_to in ("/_sso/portal/HR", "/portal/HR"):
        browser = Browser(site)
        away = browser.get(f"/_sso/login?return_to={return_to}")
        assert browser.get(browser.at_provider(away.location)).location == "/_sso/portal/HR"


def test_a_base_path_that_looks_like_an_address_of_ours_is_no_trap(make_site: Callable[..., Site], provider: Provider) -> None:
    browser = Browser(make_site(provider, public_url="https://sso.acme.example/portal"))
    assert browser.log_in("/portal/HR").location == "/portal/portal/HR"
    assert browser.get("/portal/portal/HR").location == f"{NATIVE}/4"


def test_a_loopback_http_address_has_plain_cookies(make_site: Callable[..., Site], provider: Provider) -> None:
    browser = Browser(make_site(provider, public_url="http://localhost:8080"))
    browser.log_in()
    assert set(browser.cookies) == {"jsmsso"}


def test_an_application_of_a_server_that_says_little_answers(site: Site) -> None:
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "", "wsgi.url_scheme": "http"}
    assert called(site.application, environ).status == 200
    assert called(site.application, {"REQUEST_METHOD": "GET"}).status == 200
