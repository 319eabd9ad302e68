"""What opens a portal, what starts a login, and what does neither."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.oidc.provider import Provider
from tests.runtime.site import NATIVE, PAGE_LOAD, Browser, Site, portal

NAVIGATE = {"Sec-Fetch-Mode": "navigate"}

STARTS = [
    pytest.param(PAGE_LOAD, id="a page load"),
    pytest.param(NAVIGATE, id="navigate without a destination"),
    pytest.param({**NAVIGATE, "Sec-Fetch-Site": "cross-site"}, id="a link on another site"),
    pytest.param({"Accept": "text/html"}, id="an old browser"),
    pytest.param({"Accept": "application/xhtml+xml,text/html;q=0.9,*/*;q=0.8"}, id="an old browser, longer"),
]
STARTS_NOT = [
    pytest.param({}, id="nothing said"),
    pytest.param({"Accept": "*/*"}, id="anything accepted, as curl"),
    pytest.param({"Accept": "application/json"}, id="a script"),
    pytest.param({"Accept": "text/*"}, id="text of any kind"),
    pytest.param({**PAGE_LOAD, "Sec-Fetch-Mode": "cors"}, id="fetch"),
    pytest.param({**PAGE_LOAD, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, id="an image"),
    pytest.param({**PAGE_LOAD, "Sec-Fetch-Mode": "same-origin"}, id="a script of our origin"),
    pytest.param({**PAGE_LOAD, "Sec-Fetch-Mode": "websocket"}, id="a web socket"),
    pytest.param({**PAGE_LOAD, "Sec-Fetch-Dest": "iframe"}, id="an iframe"),
    pytest.param({**PAGE_LOAD, "Sec-Fetch-Dest": "embed"}, id="an embed"),
    pytest.param({**PAGE_LOAD, "Sec-Fetch-Dest": "object"}, id="an object"),
    pytest.param({**PAGE_LOAD, "Sec-Purpose": "prefetch"}, id="a prefetch"),
    pytest.param({**PAGE_LOAD, "Sec-Purpose": "prefetch;prerender"}, id="a prerender"),
    pytest.param({**PAGE_LOAD, "Purpose": "prefetch"}, id="a prefetch of Safari"),
    pytest.param({**PAGE_LOAD, "X-Moz": "prefetch"}, id="a prefetch of an old Firefox"),
    pytest.param({"Accept": "text/html", "Purpose": "Prefetch"}, id="a prefetch of an old browser"),
]
ADDRESSES = ["/portal/HELP", "/servicedesk/customer/portal/3", "/servicedesk/customer/portals", "/login"]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("headers", STARTS)
def test_a_page_load_starts_a_login(browser: Browser, address: str, headers: dict[str, str]) -> None:
    assert "/authorize?" in browser.get(address, headers).location
    assert len(browser.logins) == 1


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("headers", STARTS_NOT)
def test_what_is_no_page_load_gets_401_and_no_cookie(browser: Browser, address: str, headers: dict[str, str]) -> None:
    answer = browser.get(address, headers)
    assert answer.status == 401
    assert browser.cookies == {}


@pytest.mark.parametrize("address", ADDRESSES)
def test_head_starts_no_login(browser: Browser, address: str) -> None:
    answer = browser.request("HEAD", address)
    assert (answer.status, answer.body) == (401, b"")


@pytest.mark.parametrize("headers", STARTS_NOT)
def test_with_several_providers_what_is_no_page_load_gets_401_as_well(
    make_site: Callable[..., Site], provider: Provider, another_provider: Provider, headers: dict[str, str]
) -> None:
    assert Browser(make_site(provider, another_provider)).get("/portal/HELP", headers).status == 401


def test_a_script_with_a_session_gets_what_a_page_load_gets(browser: Browser) -> None:
    browser.log_in()
    assert browser.get("/portal/HELP", {"Accept": "*/*"}).location == f"{NATIVE}/3"
    assert browser.request("HEAD", "/portal/HELP").status == 302


# Which portal ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address, native",
    [
        ("/portal/HELP", f"{NATIVE}/3"),
        ("/portal/HELP/", f"{NATIVE}/3"),
        ("/portal/3", f"{NATIVE}/3"),
        ("/portal/HELP/HELP-12", f"{NATIVE}/3/HELP-12"),
        ("/portal/3/HELP-12", f"{NATIVE}/3/HELP-12"),
        ("/portal/HELP?token=abc&q=1", f"{NATIVE}/3"),
        ("/portal%2FHELP", f"{NATIVE}/3"),
        ("/portal/H%45LP", f"{NATIVE}/3"),
        ("/servicedesk/customer/portal/3", f"{NATIVE}/3"),
        ("/servicedesk/customer/portal/3/", f"{NATIVE}/3"),
        ("/servicedesk/customer/portal/3/HELP-12", f"{NATIVE}/3/HELP-12"),
        ("/servicedesk/customer/portal/3/create/10", f"{NATIVE}/3/create/10"),
        ("/servicedesk/customer/portal/3/group/7/create/10", f"{NATIVE}/3/group/7/create/10"),
        ("/servicedesk/customer/portal/3/user/login", f"{NATIVE}/3"),
        ("/servicedesk/customer/user/login?destination=portal%2F3", f"{NATIVE}/3"),
        ("/servicedesk/customer/user/login?destination=portal%2F3%2FHELP-12&token=x", f"{NATIVE}/3/HELP-12"),
        ("/servicedesk/customer/portal/3?page=2&q=a+b&reporter=me&statuses=open", f"{NATIVE}/3?page=2&q=a+b&reporter=me&statuses=open"),
        ("/servicedesk/customer/portal/3/HELP-12?sda_source=notification-email&token=ey.ey&jwt=ey.ey", f"{NATIVE}/3/HELP-12"),
        ("/servicedesk/customer/portal/3?q=%0d%0aSet-Cookie:x", f"{NATIVE}/3?q=%0D%0ASet-Cookie%3Ax"),
    ],
)
def test_an_address_leads_to_its_place_in_the_native_portal(browser: Browser, address: str, native: str) -> None:
    browser.log_in()
    assert browser.get(address).location == native
    # And the same through a login of its own.
    fresh = Browser(browser.site)
    assert fresh.get(fresh.log_in(address).location).location == native


@pytest.mark.parametrize(
    "address",
    [
        "/portal/NONE", "/portal", "/portal/", "/portal/help", "/portal/HELP/12", "/portal/HELP/HELP", "/portal/HELP/HELP-12/more",
        "/portal/33",
        "/portal/HELP/HELP-%31%32%0a", "/portal/HELP%20", "/portal/HELP%2500", "/servicedesk", "/servicedesk/agent",
        "/servicedesk/customers", "/servicedesk/customer/portal/9", "/servicedesk/customer/portal/HELP",
        "/servicedesk/customer/portal/3/@evil.example", "/servicedesk/customer/portal/3/create/10%3Fx=1",
        "/servicedesk/customer/portal/3/create/10%23x", "/servicedesk/customer/user/login?destination=portal/9",
        "/servicedesk/customer/portal/3/1/2/3/4/5/6/7/8/9", "/nothing", "/portals", "/callback/other", "/login/x", "/logout/x",
        "/logged-out/x",
        "/healthz/x", "/readyz/x", "/assets/none", "/assets/..%2f..%2fetc/passwd", "/favicon.ico",
    ],
)  # fmt: skip
def test_there_is_nothing_at_other_addresses(browser: Browser, address: str) -> None:
    assert browser.get(address).status == 404
    browser.log_in()
    assert browser.get(address).status == 404


@pytest.mark.parametrize(
    "address",
    [
        "/servicedesk/customer", "/servicedesk/customer/", "/servicedesk/customer/portals", "/servicedesk/customer/user/requests?page=1",
        "/servicedesk/customer/user/login", "/servicedesk/customer/user/login?destination=https://evil.example",
        "/servicedesk/customer/user/login?destination=//evil.example/portal/3", "/servicedesk/customer/request/HELP-1",
        "/servicedesk/customer/create", "/servicedesk/customer/portal/", "/servicedesk/customer/%E6%97%A5%E6%9C%AC",
        "/servicedesk/customer/a%3Fb%23c",
    ],
)  # fmt: skip
def test_a_native_address_of_no_portal_shows_the_list(browser: Browser, address: str) -> None:
    landed = browser.log_in(address)
    assert landed.location == "/servicedesk/customer/portals"
    page = browser.get(address)
    assert page.status == 200
    assert "IT help" in page.text
    assert page.link("People") == "/portal/HR"


def test_a_portal_that_is_gone_is_not_there(make_site: Callable[..., Site], provider: Provider) -> None:
    site = make_site(provider, portals=[portal("3", "HELP", "IT help", gone=True), portal("4", "HR", "People")])
    browser = Browser(site)
    assert browser.get("/portal/HELP").status == 404
    browser.log_in("/portal/HR")
    assert "IT help" not in browser.get("/").text


def test_home_lists_portals_or_shows_the_way_to_sign_in(browser: Browser) -> None:
    page = browser.get("/")
    assert page.status == 200
    assert page.link("Sign in") == "/login?provider=a"
    browser.log_in("/login")
    assert browser.get("/").link("IT help") == "/portal/HELP"


def test_a_customer_of_a_site_without_portals_reads_so(make_site: Callable[..., Site], provider: Provider) -> None:
    browser = Browser(make_site(provider, portals=[]))
    browser.log_in("/login")
    assert "no portal here yet" in browser.get("/").text


# The access decision --------------------------------------------------------------------------

ONLY_STAFF = [{"allow": {"claim": "groups", "any_of": ["staff"]}}]


def test_somebody_whom_no_rule_lets_in_reads_why_and_gets_no_session(make_site: Callable[..., Site], provider: Provider) -> None:
    site = make_site(provider, access=ONLY_STAFF, support={"text": "Ask the IT desk", "email": "help@acme.example"})
    browser = Browser(site)
    page = browser.log_in("/portal/HELP/HELP-3")
    assert (page.status, page.title) == (403, "This account has no access")
    assert "ada@acme.example" in page.text
    assert page.link("Ask the IT desk") == "mailto:help@acme.example"
    assert browser.session is None
    (line,) = site.events("login.refused")
    assert line["reference"] == page.reference
    assert line["reason"] == "access_denied"
    assert line["detail"] == "Denied: no rule matches"
    assert line["email"] == "ada@acme.example"
    assert line["portal"] == "HELP"


def test_the_decision_is_made_anew_at_every_request(make_site: Callable[..., Site], provider: Provider) -> None:
    provider.claims["groups"] = ["staff"]
    site = make_site(provider, access=ONLY_STAFF)
    browser = Browser(site)
    browser.log_in()
    assert browser.get("/portal/HELP").location == f"{NATIVE}/3"
    site.reload(access=[{"deny": {"email": "ada@*"}}, *ONLY_STAFF])
    for address in ("/portal/HELP", "/portal/HR", "/", "/servicedesk/customer/portals"):
        page = browser.get(address)
        assert (page.status, page.title) == (403, "This account has no access"), address
        assert browser.session, "signing out is their own choice"
    site.reload(access=ONLY_STAFF)
    assert browser.get("/portal/HELP").status == 302


def test_a_rule_about_a_claim_that_a_session_never_kept_asks_for_a_new_login(make_site: Callable[..., Site], provider: Provider) -> None:
    provider.claims["groups"] = ["blocked"]
    site = make_site(provider)
    browser = Browser(site)
    browser.log_in()
    assert browser.get("/portal/HELP").location == f"{NATIVE}/3"
    site.reload(access=[{"deny": {"claim": "groups", "any_of": ["blocked"]}}, {"allow": "everyone"}])
    assert browser.log_in().status == 403


def test_a_session_keeps_that_a_claim_was_absent(make_site: Callable[..., Site], provider: Provider) -> None:
    browser = Browser(make_site(provider, access=[{"deny": {"claim": "groups", "any_of": ["blocked"]}}, {"allow": "everyone"}]))
    assert browser.log_in().status == 303
    assert browser.get("/portal/HELP").location == f"{NATIVE}/3"


def without(provider: Provider, **claims: Any) -> None:
    provider.claims |= claims
    provider.userinfo |= claims


@pytest.mark.parametrize(
    "claims, reason, title",
    [
        pytest.param({"email_verified": False}, "email_unverified", "Your email address is not confirmed", id="not verified"),
        pytest.param({"email_verified": "false"}, "email_unverified", "Your email address is not confirmed", id="not verified, as text"),
        pytest.param({"email": ""}, "email_missing", "This account cannot be used here", id="empty"),
        pytest.param({"email": "ada@acme.example@evil.example"}, "email_malformed", "This account cannot be used here", id="two @"),
        pytest.param({"email": "ada@evil.example\n"}, "email_malformed", "This account cannot be used here", id="line break"),
    ],
)
def test_an_email_that_is_no_identity_is_refused_with_a_number(
    site: Site, browser: Browser, provider: Provider, claims: dict[str, Any], reason: str, title: str
) -> None:
    without(provider, **claims)
    page = browser.log_in()
    assert (page.status, page.title) == (403, title)
    (line,) = site.events("login.refused")
    assert (line["reason"], line["reference"]) == (reason, page.reference)
    assert browser.session is None


def test_an_address_that_its_provider_may_not_vouch_for_is_refused(make_site: Callable[..., Site], provider: Provider) -> None:
    site = make_site(provider)
    entry = site.deployment.profile.model_dump(mode="json", exclude_none=True, exclude_unset=True)["providers"]["a"]
    browser = Browser(site)
    browser.log_in()
    assert browser.get("/portal/HELP").location == f"{NATIVE}/3"
    site.reload(providers={"a": {**entry, "email_domains": ["other.example"]}})
    page = browser.log_in()  # the session from before does not count any more, and a new one is not made
    assert page.status == 403
    assert site.events("login.refused")[0]["reason"] == "email_domain"


def test_a_session_of_a_provider_that_was_removed_counts_no_more(
    make_site: Callable[..., Site], provider: Provider, another_provider: Provider
) -> None:
    site = make_site(provider, another_provider)
    browser = Browser(site)
    browser.get(browser.at_provider(browser.get("/login?provider=b").location))
    assert browser.get("/portal/HELP").location == f"{NATIVE}/3"
    providers = site.deployment.profile.model_dump(mode="json", exclude_none=True, exclude_unset=True)["providers"]
    site.reload(providers={"a": providers["a"]})
    assert browser.get("/portal/HELP").location.startswith(provider.address)
    site.reload(providers={"b": providers["a"]})
    assert "/authorize" in browser.get("/portal/HELP").location, "nor one of another issuer under its name"


# How long a session lasts ---------------------------------------------------------------------


@pytest.fixture
def short(make_site: Callable[..., Site], provider: Provider) -> Site:
    return make_site(provider, session={"secret": "file:session", "lifetime": "8h", "idle_timeout": "1h"})


def is_signed_in(browser: Browser) -> bool:
    return browser.get("/portal/HELP").location == f"{NATIVE}/3"


def test_a_session_ends_without_a_request_for_the_idle_time(short: Site) -> None:
    browser = Browser(short)
    browser.log_in()
    short.clock.advance(3599)
    kept = dict(browser.cookies)
    assert is_signed_in(browser)
    browser.cookies = kept
    short.clock.advance(1)
    assert not is_signed_in(browser)


def test_a_session_in_use_is_renewed_after_a_tenth_of_the_idle_time_and_not_before(short: Site) -> None:
    browser = Browser(short)
    browser.log_in()
    short.clock.advance(359)
    assert browser.get("/portal/HELP").all("Set-Cookie") == []
    short.clock.advance(1)
    assert len(browser.get("/portal/HELP").all("Set-Cookie")) == 1
    assert browser.get("/portal/HELP").all("Set-Cookie") == []
    short.clock.advance(3500)
    assert len(browser.get("/").all("Set-Cookie")) == 1, "a page renews as well"
    short.clock.advance(3500)
    assert len(browser.get("/").all("Set-Cookie")) == 1


def test_a_session_ends_after_its_lifetime_however_busy(short: Site) -> None:
    browser = Browser(short)
    browser.log_in()
    for _ in range(15):
        short.clock.advance(1800)
        assert is_signed_in(browser)
    short.clock.advance(1800)
    assert not is_signed_in(browser)


def test_a_shorter_lifetime_counts_for_sessions_that_are_there(short: Site) -> None:
    browser = Browser(short)
    browser.log_in()
    short.clock.advance(600)
    short.reload(session={"secret": "file:session", "lifetime": "10m"})
    assert not is_signed_in(browser)


def test_claims_too_large_for_a_cookie_lie_in_the_store(make_site: Callable[..., Site], provider: Provider) -> None:
    provider.claims["groups"] = ["staff"] + [f"group {number} of a large company" for number in range(1000)]
    site = make_site(provider, access=ONLY_STAFF)
    browser = Browser(site)

    assert browser.log_in().status == 303
    site.reload()
    assert is_signed_in(browser)
    browser.submit(browser.get("/logout"))
    assert site.deployment.store.count("session", now=site.clock()) == 0


def test_claims_of_megabytes_are_refused_with_a_hint_in_the_log(make_site: Callable[..., Site], provider: Provider) -> None:
    provider.userinfo["groups"] = ["staff"] + [f"group {number} of a large company" for number in range(10_000)]
    site = make_site(provider, access=ONLY_STAFF)
    browser = Browser(site)
    page = browser.log_in()
    assert page.status == 403
    (line,) = site.events("login.refused")
    assert line["reason"] == "too_large"
    assert "fewer groups" in line["hint"]
    assert browser.session is None


def test_many_groups_that_fit_make_a_cookie_that_browsers_keep(make_site: Callable[..., Site], provider: Provider) -> None:
    provider.claims["groups"] = ["staff"] + [f"group {number}" for number in range(180)]
    browser = Browser(make_site(provider, access=ONLY_STAFF))
    answer = browser.log_in()
    assert all(len(cookie) <= 4096 for cookie in answer.all("Set-Cookie"))
    assert is_signed_in(browser)
