"""A proxy in front of a Data Center site asks whether requests may pass: by nginx's headers and by Traefik's and Caddy's."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest

from jsmsso.runtime.forward_auth import SENTENCES as REASONS
from jsmsso.sandbox.jsm_site import LocalSite
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.oidc.provider import Provider, Reply
from tests.runtime.site import OWN_FORM, PAGE_LOAD, Answer, Browser, Site
from tests.services import REPOSITORY

HOST = "jira.acme.example"
BASE = f"https://{HOST}/_sso"
NATIVE = "/servicedesk/customer/portal"
PROXY = {"REMOTE_ADDR": ""}  # a unix socket
HEADERS = ("User", "Email", "Groups", "Name", "Portal")
SCRIPT = {"Accept": "*/*", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin"}


def native(number: str, key: str, name: str, context: str = "", **more: Any) -> dict[str, Any]:
    url = f"https://{HOST}{context}{NATIVE}/{number}"
    return {"id": number, "key": key, "service_desk": number, "name": name, "url": url, "mode": "redirect", **more}


PORTALS = [native("3", "HELP", "IT help"), native("4", "HR", "People", access=[{"allow": {"email": "boss@acme.example"}}])]


@pytest.fixture
def protect(make_site: Callable[..., Site], provider: Provider) -> Callable[..., Site]:
    """``protect(other_paths="allow", ...)``: a site behind a proxy on a unix socket."""

    def make(*providers: Provider, other_paths: str = "deny", **changed: Any) -> Site:
        settings = {"forward_auth": {"other_paths": other_paths}, "trusted_proxies": ["unix"], "portals": PORTALS, **changed}
        return make_site(*(providers or (provider,)), public_url=settings.pop("public_url", BASE), **settings)

    return make


@pytest.fixture
def site(protect: Callable[..., Site]) -> Site:
    return protect()


@pytest.fixture
def browser(site: Site) -> Browser:
    return Browser(site)


@pytest.fixture
def customer(browser: Browser) -> Browser:
    browser.log_in()
    return browser


def by_nginx(browser: Browser, path: str, address: str = "/auth", headers: Mapping[str, str] = PAGE_LOAD, **more: str) -> Answer:
    asked = {**headers, "X-Original-Url": f"https://{HOST}{path}", **{name.replace("_", "-"): value for name, value in more.items()}}
    return browser.get(f"{browser.base_path}{address}", asked, environ=PROXY)


def by_traefik(browser: Browser, path: str, address: str = "/auth/redirect", headers: Mapping[str, str] = PAGE_LOAD, **more: str) -> Answer:
    asked = {
        **headers,
        "X-Forwarded-Method": "GET",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": HOST,
        "X-Forwarded-Uri": path,
        "X-Forwarded-For": "203.0.113.9",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    return browser.get(f"{browser.base_path}{address}", asked, environ=PROXY)


def identity(answer: Answer) -> dict[str, str]:
    return {name: unquote(answer.header(f"X-Auth-Request-{name}")) for name in HEADERS}


# Who passes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("ask", [by_nginx, by_traefik])
def test_a_customer_passes_with_who_they_are(customer: Browser, ask: Callable[..., Answer]) -> None:
    answer = ask(customer, f"{NATIVE}/3/create/10?x=1")
    assert answer.status == 200
    assert identity(answer) == {
        "User": "ada",
        "Email": "ada@acme.example",
        "Groups": "",
        "Name": "Ada",
        "Portal": "HELP",
    }
    assert answer.header("Cache-Control") == "no-store"


@pytest.mark.parametrize("address", ["/auth", "/auth/redirect"])
@pytest.mark.parametrize("ask", [by_nginx, by_traefik])
def test_both_addresses_take_both_kinds_of_proxy(customer: Browser, ask: Callable[..., Answer], address: str) -> None:
    assert ask(customer, f"{NATIVE}/3", address).status == 200
    assert ask(customer, f"{NATIVE}/4", address).status == 403


def test_names_and_groups_are_percent_encoded_utf_8(protect: Callable[..., Site], provider: Provider) -> None:
    provider.claims |= {"name": 'Zoë "Z" O\u2019Hara, 100%', "groups": ["Käse, Wurst & Co", "a\r\nX-Evil: 1", "plain", "日本"]}
    site = protect(attributes={"organizations": "groups", "display_name": "name"})
    browser = Browser(site)
    browser.log_in()
    answer = by_nginx(browser, f"{NATIVE}/3")
    raw = {name: answer.header(f"X-Auth-Request-{name}") for name in HEADERS}
    assert raw["Email"] == "ada@acme.example"
    assert raw["Name"] == "Zo%C3%AB%20%22Z%22%20O%E2%80%99Hara%2C%20100%25"
    groups = raw["Groups"].split(",")
    assert [unquote(one) for one in groups] == ["Käse, Wurst & Co", "aX-Evil: 1", "plain", "日本"]
    assert "plain" in groups


def test_the_first_and_last_name_stand_in_for_a_name(protect: Callable[..., Site], provider: Provider) -> None:
    provider.claims |= {"given_name": "Ada", "family_name": "Lovelace"}
    browser = Browser(protect(attributes={"first_name": "given_name", "last_name": "family_name"}))
    browser.log_in()
    assert identity(by_nginx(browser, f"{NATIVE}/3"))["Name"] == "Ada Lovelace"


def test_a_client_cannot_add_to_the_answer(customer: Browser) -> None:
    forged = {f"X-Auth-Request-{name}": "root" for name in HEADERS}
    answer = by_nginx(customer, f"{NATIVE}/3", headers={**PAGE_LOAD, **forged})
    assert answer.status == 200
    assert "root" not in str(answer.headers)


def test_a_session_in_use_is_renewed_with_the_answer(customer: Browser, site: Site) -> None:
    assert by_nginx(customer, f"{NATIVE}/3").all("Set-Cookie") == []
    for _ in range(30):
        site.clock.advance(600)
        answer = by_nginx(customer, f"{NATIVE}/3", headers=SCRIPT)
        assert answer.status == 200
        assert answer.header("Set-Cookie").startswith("__Host-jsmsso=")


def test_a_session_ends_here_as_it_does_elsewhere(customer: Browser, site: Site) -> None:
    site.clock.advance(3601)
    assert by_nginx(customer, f"{NATIVE}/3").status == 401


def test_after_a_logout_a_copy_of_the_cookie_is_nobody(customer: Browser) -> None:
    copy = dict(customer.cookies)
    customer.submit(customer.get(f"{customer.base_path}/logout"), "Sign out")
    customer.cookies = copy
    assert by_nginx(customer, f"{NATIVE}/3").status == 401


@pytest.mark.parametrize("cookie", ["", "x", "A" * 200])
def test_a_cookie_of_somebody_elses_making_is_nobody(browser: Browser, cookie: str) -> None:
    browser.cookies["__Host-jsmsso"] = cookie
    assert by_nginx(browser, f"{NATIVE}/3").status == 401


def test_rules_are_asked_again_at_every_request(customer: Browser, site: Site) -> None:
    site.reload(access=[{"deny": "everyone"}])
    assert by_nginx(customer, f"{NATIVE}/3").status == 403
    page = by_nginx(customer, f"{NATIVE}/3", "/auth/redirect")
    assert (page.status, page.title) == (403, "This account has no access")
    assert site.log[-1]["reason"] == "access_denied"
    assert site.log[-1]["path"] == f"~{NATIVE}/3"


# Who does not ---------------------------------------------------------------------------------


def test_without_a_session_nginx_gets_401_and_no_cookie(browser: Browser) -> None:
    answer = by_nginx(browser, f"{NATIVE}/3")
    assert (answer.status, answer.all("Set-Cookie"), answer.all("Location")) == (401, [], [])


@pytest.mark.parametrize("ask", [by_nginx, by_traefik])
def test_a_page_load_goes_to_the_provider_and_comes_back_to_its_path(
    browser: Browser, provider: Provider, ask: Callable[..., Answer]
) -> None:
    path = f"{NATIVE}/3/create/10?summary=a%20b&x=%C3%A4"
    away = ask(browser, path, "/auth/redirect")
    assert away.status == 302
    assert away.location.startswith(f"{provider.issuer}/")
    back = browser.get(browser.at_provider(away.location))
    assert (back.status, back.location) == (303, path)
    assert ask(browser, path, "/auth").status == 200


@pytest.mark.parametrize(
    "headers, more",
    [
        pytest.param(SCRIPT, {}, id="a script"),
        pytest.param({"Accept": "*/*"}, {}, id="a program"),
        pytest.param({}, {}, id="no Accept"),
        pytest.param({**PAGE_LOAD, "Sec-Fetch-Dest": "iframe"}, {}, id="a frame"),
        pytest.param({**PAGE_LOAD, "Sec-Purpose": "prefetch"}, {}, id="a prefetch"),
        pytest.param(PAGE_LOAD, {"X_Forwarded_Method": "POST"}, id="a form"),
        pytest.param(PAGE_LOAD, {"X_Forwarded_Method": "HEAD"}, id="HEAD"),
    ],
)
def test_what_is_no_page_load_gets_401(browser: Browser, headers: dict[str, str], more: dict[str, str]) -> None:
    answer = by_traefik(browser, f"{NATIVE}/3", headers=headers, **more)
    assert (answer.status, browser.cookies) == (401, {})


def test_nginx_may_name_the_method_too(browser: Browser) -> None:
    assert by_nginx(browser, f"{NATIVE}/3", "/auth/redirect", X_Original_Method="POST").status == 401
    assert by_nginx(browser, f"{NATIVE}/3", "/auth/redirect", X_Original_Method="GET").status == 302


def test_a_portal_of_another_provider_asks_for_a_login_there(
    protect: Callable[..., Site], provider: Provider, another_provider: Provider
) -> None:
    site = protect(provider, another_provider, portals=[native("3", "HELP", "IT help"), native("4", "HR", "People", provider="b")])
    browser = Browser(site)
    browser.get(browser.at_provider(browser.get(f"/_sso/login?provider=a&return_to={NATIVE}/3").location))
    assert by_nginx(browser, f"{NATIVE}/3").status == 200
    assert by_nginx(browser, f"{NATIVE}/4").status == 401
    away = by_traefik(browser, f"{NATIVE}/4")
    assert away.location.startswith(f"{another_provider.issuer}/")
    assert browser.get(browser.at_provider(away.location)).location == f"{NATIVE}/4"
    assert by_nginx(browser, f"{NATIVE}/4").status == 200


def test_where_somebody_must_choose_the_answer_is_no_page_of_ours(
    protect: Callable[..., Site], provider: Provider, another_provider: Provider
) -> None:
    browser = Browser(protect(provider, another_provider))
    away = by_traefik(browser, f"{NATIVE}/3/create/10?a=b&c=d")
    assert (away.status, away.location) == (302, f"{BASE}/login?return_to={quote(f'{NATIVE}/3/create/10?a=b&c=d', safe='/')}")
    chooser = browser.get(away.location)
    assert chooser.status == 200
    onward = browser.get(chooser.link("b"))
    assert browser.get(browser.at_provider(onward.location)).location == f"{NATIVE}/3/create/10?a=b&c=d"


def test_while_the_provider_is_down_nobody_passes_and_the_link_is_kept(browser: Browser, provider: Provider) -> None:
    provider.replies["/.well-known/openid-configuration"] = Reply(503)
    page = by_traefik(browser, f"{NATIVE}/3?q=a")
    assert page.status == 502
    assert page.link("Try again") == f"{NATIVE}/3?q=a"


def test_a_program_that_is_denied_gets_a_sentence_and_a_line_in_the_log(customer: Browser, site: Site) -> None:
    answer = by_traefik(customer, f"{NATIVE}/4", headers=SCRIPT)
    assert (answer.status, answer.header("Content-Type")) == (403, "text/plain; charset=utf-8")
    line = site.log[-1]
    assert (line["event"], line["reason"], line["portal"], line["email"]) == ("auth.refused", "access_denied", "HR", "ada@acme.example")
    assert line["path"] == f"~{NATIVE}/4"


def test_a_denied_page_load_may_change_the_account_and_comes_back(customer: Browser) -> None:
    page = by_traefik(customer, f"{NATIVE}/4/HR-2?x=1")
    assert (page.status, page.title) == (403, "This account has no access")
    customer.submit(page, "Sign in with another account", OWN_FORM)
    ended = customer.get("/_sso/logged-out")
    assert f"{NATIVE}/4/HR-2?x=1" in unquote(ended.link("Sign in to People"))


# Portals, and what else there is --------------------------------------------------------------

SHARED = [
    "/servicedesk/customer", "/servicedesk/customer/", "/servicedesk/customer/portals", "/servicedesk/customer/user/requests?page=2",
    "/servicedesk/customershim/secure/viewavatar?avatarType=SD_REQTYPE&avatarId=1",
    "/servicedesk/customershim/secure/attachment/10000/Ger%C3%A4t%20%E2%80%AF(1).png",
    "/servicedesk/customershim/secure/attachment/10000/100%25.png",
    "/rest/servicedesk/1/customer/models", "/rest/servicedesk/1/servicedesk/customer/comment", "/rest/webResources/1.0/resources",
    "/rest/wrm/2.0/resources", "/rest/analytics/1.0/publish/bulk", "/favicon.ico",
    "/s/d41d8cd98f00b204e9800998ecf8427e-CDN/-x1y2/9.12.0/_/download/contextbatch/css/_super,-x.y:z/batch.css?locale=en-US",
    "/s/a/_/images/icons/x.png", "/download/resources/com.atlassian.x:y/z.js",
]  # fmt: skip
OTHER = [
    "/", "/browse/HELP-1", "/secure/Dashboard.jspa", "/projects/HELP", "/rest/api/2/issue/HELP-1", "/rest/servicedeskapi/request",
    "/rest/servicedesk/1/pages/people", "/servicedesk/agent/HELP", "/login.jsp", "/plugins/servlet/x", "/s/a/_/browse/HELP-1", "/s/a",
    "/servicedeskcustomer/portal/3", "/x/servicedesk/customer/portal/3", f"{NATIVE}/99", f"{NATIVE}/99/FAC-1", f"{NATIVE}/",
    "/_ssox", "/_SSO/auth", "/rest/servicedesk/1/customer/portal/99/x",
]  # fmt: skip


@pytest.mark.parametrize("path", SHARED)
def test_what_the_portals_share_is_for_everybody_whom_the_rules_let_in(customer: Browser, path: str) -> None:
    answer = by_nginx(customer, path)
    assert (answer.status, answer.header("X-Auth-Request-Portal")) == (200, "")
    customer.cookies.clear()
    assert by_nginx(customer, path).status == 401


@pytest.mark.parametrize("path", OTHER)
def test_other_paths_are_closed_by_default(customer: Browser, site: Site, path: str) -> None:
    assert by_nginx(customer, path).status == 403
    assert (site.log[-1]["event"], site.log[-1]["reason"]) == ("auth.refused", "other_path")
    page = by_traefik(customer, path)
    assert (page.status, page.title, page.link("Go to the portals")) == (403, "This page is not open here", "/_sso/")
    customer.cookies.clear()
    assert by_traefik(customer, path).status == 403, "nobody is sent to a login for it"


@pytest.mark.parametrize("path", OTHER)
def test_other_paths_may_be_open_to_everybody_whom_the_rules_let_in(protect: Callable[..., Site], path: str) -> None:
    browser = Browser(protect(other_paths="allow", access=[{"allow": {"email": "ada@acme.example"}}]))
    assert by_nginx(browser, path).status == 401
    away = by_traefik(browser, path)
    assert browser.get(browser.at_provider(away.location)).location == path
    assert by_nginx(browser, path).status == 200
    browser.site.reload(access=[{"deny": "everyone"}])
    assert by_nginx(browser, path).status == 403


@pytest.mark.parametrize(
    "path",
    [
        f"{NATIVE}/4", f"{NATIVE}/4/", f"{NATIVE}/4/HR-1", f"{NATIVE}/4/create/7?x=/3/", f"/s/x/_{NATIVE}/4", f"/s/a/_/b/_{NATIVE}/4",
        f"/s/x/_/s/y/_{NATIVE}/4", "/rest/servicedesk/1/customer/portal/4/user-search", "/rest/servicedesk/1/customer/pages/portal/4",
        "/rest/servicedesk/1/customer/participants/HR-12/search?q=a",
    ],
)  # fmt: skip
def test_a_portals_own_rules_decide_about_its_paths(protect: Callable[..., Site], provider: Provider, path: str) -> None:
    site = protect(other_paths="allow")
    browser = Browser(site)
    browser.log_in()
    assert by_nginx(browser, path).status == 403
    provider.claims["email"] = "boss@acme.example"
    boss = Browser(site)
    boss.log_in()
    answer = by_nginx(boss, path)
    assert (answer.status, answer.header("X-Auth-Request-Portal")) == (200, "HR")


def test_a_request_of_another_portal_does_not_hide_behind_an_open_one(protect: Callable[..., Site]) -> None:
    browser = Browser(protect(other_paths="allow"))
    browser.log_in()
    assert by_nginx(browser, f"{NATIVE}/3/HELP-1").status == 200
    assert by_nginx(browser, f"{NATIVE}/3/OLD-1").status == 200, "a project that was renamed"
    assert by_nginx(browser, f"{NATIVE}/3/HR-1").status == 403


@pytest.mark.parametrize("context", ["/jira", "/apps/jira"])
def test_a_site_below_a_path_of_its_own(protect: Callable[..., Site], context: str) -> None:
    portals = [native("3", "HELP", "IT help", context), native("4", "HR", "People", context, access=[{"deny": "everyone"}])]
    browser = Browser(protect(portals=portals))
    away = by_traefik(browser, f"{context}{NATIVE}/3/HELP-1")
    assert browser.get(browser.at_provider(away.location)).location == f"{context}{NATIVE}/3/HELP-1"
    assert by_nginx(browser, f"{context}{NATIVE}/3").status == 200
    assert by_nginx(browser, f"{context}/s/x/_/download/y.css").status == 200
    assert by_nginx(browser, f"{context}{NATIVE}/4").status == 403
    assert by_nginx(browser, f"{NATIVE}/3").status == 403
    assert by_nginx(browser, f"{context}x{NATIVE}/3").status == 403


def test_a_public_portal_is_open_to_everybody_and_says_nothing_of_nobody(protect: Callable[..., Site]) -> None:
    portals = [native("3", "HELP", "IT help", visibility="public"), native("4", "HR", "People")]
    browser = Browser(protect(portals=portals))
    answer = by_nginx(browser, f"{NATIVE}/3")
    assert answer.status == 200
    assert identity(answer) == dict.fromkeys(HEADERS, "") | {"Portal": "HELP"}
    assert by_nginx(browser, "/s/a/_/download/x.css").status == 200
    assert by_nginx(browser, f"{NATIVE}/4").status == 401
    browser.log_in("/portal/HR")
    assert identity(by_nginx(browser, f"{NATIVE}/3"))["Email"] == "ada@acme.example"


def test_a_public_portal_that_is_hosted_opens_no_path_of_the_site(protect: Callable[..., Site], tmp_path: Path) -> None:
    (tmp_path / "token").write_text("local-jsm-token")
    portals = [native("3", "HELP", "IT help", visibility="public") | {"mode": "hosted"}, native("4", "HR", "People")]
    jsm = {"url": "https://jira.acme.example", "api_token": f"file:{tmp_path}/token"}
    browser = Browser(protect(portals=portals, jsm=jsm))
    for path in (f"{NATIVE}/3", f"{NATIVE}/3/HELP-1", "/s/a/_/download/x.css"):
        assert by_nginx(browser, path).status == 401


def test_on_a_public_portal_nobody_is_named_whom_the_rules_keep_out(protect: Callable[..., Site]) -> None:
    browser = Browser(protect(portals=[native("3", "HELP", "IT help", visibility="public")]))
    browser.get(browser.at_provider(browser.get("/_sso/login").location))
    assert identity(by_nginx(browser, f"{NATIVE}/3"))["Email"] == "ada@acme.example"
    browser.site.reload(access=[{"deny": "everyone"}])
    answer = by_nginx(browser, f"{NATIVE}/3")
    assert (answer.status, identity(answer)["Email"]) == (200, "")


def test_a_portal_may_be_for_people_whom_jira_knows(protect: Callable[..., Site], tmp_path: Path) -> None:
    (tmp_path / "token").write_text("local-jsm-token")
    with LocalJsm(LocalSite("Server")) as jsm:
        jsm.site.add_organization("Acme", [jsm.site.add_customer("ada@acme.example")])
        portals = [native("21", "HELP", "IT help"), native("22", "HR", "People", visibility="jira", service_desk="2")]
        site = protect(portals=portals, jsm={"url": jsm.url, "api_token": f"file:{tmp_path}/token"})
        browser = Browser(site)
        browser.log_in()
        assert by_nginx(browser, f"{NATIVE}/21").status == 200
        assert by_nginx(browser, f"{NATIVE}/22").status == 403
        assert site.log[-1]["reason"] == "not_known_to_jira"
        page = by_traefik(browser, f"{NATIVE}/22")
        assert (page.status, page.title) == (403, "This account has no access")
        jsm.site.add_organization("Acme", desks=["HR"])
        site.clock.advance(60)
        assert by_nginx(browser, f"{NATIVE}/22").status == 200


def test_a_portal_that_is_gone_is_another_path(protect: Callable[..., Site]) -> None:
    browser = Browser(protect(portals=[native("3", "HELP", "IT help"), native("4", "HR", "People", gone=True)]))
    browser.log_in()
    assert by_nginx(browser, f"{NATIVE}/4").status == 403


# Whom a question is believed ------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/auth", "/auth/redirect"])
def test_only_a_trusted_proxy_is_answered(customer: Browser, site: Site, address: str) -> None:
    for path in (f"{NATIVE}/3", f"{NATIVE}/4"):
        answer = customer.get(f"/_sso{address}", {**PAGE_LOAD, "X-Original-Url": f"https://{HOST}{path}"})
        assert (answer.status, answer.all("X-Auth-Request-User")) == (403, [])
        assert (site.log[-1]["event"], site.log[-1]["reason"], site.log[-1]["client"]) == ("auth.refused", "untrusted_proxy", "192.0.2.7")


@pytest.mark.parametrize("trusted", [[], ["192.0.2.0/24"], ["10.0.0.1"]])
def test_the_unix_socket_is_trusted_only_by_name(protect: Callable[..., Site], trusted: list[str]) -> None:
    browser = Browser(protect(trusted_proxies=trusted))
    browser.log_in()
    assert by_nginx(browser, f"{NATIVE}/3").status == 403


ANSWERS = ("/auth", "/auth/redirect")
WHOLE = {"X-Forwarded-Method": "GET", "X-Forwarded-Proto": "https", "X-Forwarded-Host": HOST, "X-Forwarded-Uri": f"{NATIVE}/3"}


@pytest.mark.parametrize("address", ANSWERS)
@pytest.mark.parametrize(
    "headers, reason",
    [
        pytest.param({}, "no_address", id="nothing"),
        pytest.param({"X-Original-Url": ""}, "no_address", id="an empty one"),
        *[pytest.param({k: v for k, v in WHOLE.items() if k != gone}, "no_address", id=f"without {gone}") for gone in WHOLE],
        *[pytest.param(WHOLE | {empty: ""}, "no_address", id=f"an empty {empty}") for empty in WHOLE],
        pytest.param(WHOLE | {"X-Forwarded-Proto": "ftp"}, "no_address", id="a strange scheme"),
        pytest.param(WHOLE | {"X-Forwarded-Method": "G ET"}, "no_address", id="a strange method"),
        # Servers put a comma between the values of a header that came twice.
        pytest.param({"X-Original-Url": f"https://{HOST}{NATIVE}/3,https://{HOST}/x"}, "doubled_address", id="X-Original-URL twice"),
        pytest.param({"X-Original-Url": f"https://{HOST}{NATIVE}/4, https://{HOST}{NATIVE}/3"}, "doubled_address", id="with a space"),
        pytest.param({"X-Original-Url": f"https://{HOST}{NATIVE}/4?a,HTTPS://{HOST}{NATIVE}/3"}, "doubled_address", id="behind a query"),
        pytest.param({"X-Original-Url": f"https://{HOST}{NATIVE}/4,{NATIVE}/3"}, "doubled_address", id="the second without its host"),
        pytest.param(WHOLE | {"X-Forwarded-Uri": f"{NATIVE}/4,{NATIVE}/3"}, "doubled_address", id="X-Forwarded-Uri twice"),
        pytest.param(WHOLE | {"X-Forwarded-Uri": f"{NATIVE}/3?x,{NATIVE}/4"}, "doubled_address", id="X-Forwarded-Uri twice, with a query"),
        pytest.param(WHOLE | {"X-Forwarded-Host": f"{HOST},{HOST}"}, "doubled_address", id="X-Forwarded-Host twice"),
        pytest.param(WHOLE | {"X-Forwarded-Proto": "https,https"}, "doubled_address", id="X-Forwarded-Proto twice"),
        pytest.param(WHOLE | {"X-Forwarded-Method": "GET,POST"}, "doubled_address", id="X-Forwarded-Method twice"),
        pytest.param(WHOLE | {"X-Original-Url": f"https://{HOST}{NATIVE}/4"}, "conflicting_addresses", id="two that differ"),
        pytest.param(WHOLE | {"X-Original-Url": f"https://{HOST}{NATIVE}/3?x"}, "conflicting_addresses", id="queries that differ"),
        pytest.param({"X-Original-Url": f"https://{HOST}{NATIVE}/3", "X-Forwarded-Uri": f"{NATIVE}/3"}, "no_address", id="half a second"),
        pytest.param({"X-Original-Url": f"https://evil.example{NATIVE}/3"}, "other_host", id="another host"),
        pytest.param({"X-Original-Url": f"https://{HOST}:8443{NATIVE}/3"}, "other_host", id="another port"),
        pytest.param({"X-Original-Url": f"https://{HOST}.{NATIVE}/3"}, "other_host", id="a dot behind the host"),
        pytest.param({"X-Original-Url": f"https://{HOST}@evil.example{NATIVE}/3"}, "other_host", id="a user before a host"),
        pytest.param({"X-Original-Url": f"https://x@{HOST}{NATIVE}/3"}, "other_host", id="a user before our host"),
        pytest.param({"X-Original-Url": f"https://evil.example\\@{HOST}{NATIVE}/3"}, "other_host", id="a backslash in the host"),
        pytest.param(WHOLE | {"X-Forwarded-Host": "evil.example"}, "other_host", id="another X-Forwarded-Host"),
        pytest.param({"X-Original-Url": f"{NATIVE}/3"}, "strange_path", id="no host"),
        pytest.param({"X-Original-Url": f"https://{HOST}"}, "strange_path", id="no path"),
        pytest.param({"X-Original-Url": f"https://{HOST}?{NATIVE}/3"}, "strange_path", id="a query alone"),
        pytest.param({"X-Original-Url": f"ftp://{HOST}{NATIVE}/3"}, "strange_path", id="no web address"),
        pytest.param(WHOLE | {"X-Forwarded-Uri": f"https://{HOST}{NATIVE}/3"}, "strange_path", id="a whole address"),
        pytest.param(WHOLE | {"X-Forwarded-Uri": "*"}, "strange_path", id="an asterisk"),
        pytest.param({"X-Original-Url": f"https://{HOST}/_sso/portal/HELP"}, "own_path", id="our own path"),
        pytest.param({"X-Original-Url": f"https://{HOST}/_sso"}, "own_path", id="our own root"),
        pytest.param({"X-Original-Url": f"https://{HOST}/%5Fsso/callback"}, "own_path", id="our own path, encoded"),
    ],
)  # fmt: skip
def test_a_question_that_is_not_clear_is_refused(customer: Browser, site: Site, headers: dict[str, str], reason: str, address: str) -> None:
    answer = customer.get(f"/_sso{address}", {**PAGE_LOAD, **headers}, environ=PROXY)
    assert (answer.status, answer.all("X-Auth-Request-User"), answer.all("Set-Cookie")) == (403, [], [])
    assert (site.log[-1]["event"], site.log[-1]["reason"]) == ("auth.refused", reason)


def test_headers_that_agree_and_a_host_in_capitals_are_no_matter(customer: Browser) -> None:
    both = {**PAGE_LOAD, **WHOLE, "X-Original-Url": f"http://{HOST.upper()}:443{NATIVE}/3"}
    assert customer.get("/_sso/auth", both, environ=PROXY).status == 200
    half = {**PAGE_LOAD, "X-Original-Url": f"https://{HOST}{NATIVE}/3", "X-Forwarded-Host": "lb", "X-Forwarded-Proto": "http"}
    assert customer.get("/_sso/auth", half, environ=PROXY).status == 200, "a balancer before nginx says as much"


# Written as a request line has it; every one of these is read as another path by some proxy or by Tomcat.
STRANGE = [
    "/servicedesk/customer/..;/..;/secure/admin", f"{NATIVE}/3/..;/4", f"{NATIVE}/3;/../4", f"{NATIVE}/3;jsessionid=1", f"{NATIVE}/;x/4",
    "/servicedesk;x/customer/portal/4", f"{NATIVE}/3/../4", f"{NATIVE}/3/./../4", f"{NATIVE}/3/..", f"{NATIVE}/3/.", "/..", "/.",
    f"{NATIVE}/3/%2e%2e/4", f"{NATIVE}/3/%2E./4", f"{NATIVE}/3/.%2e/4", f"{NATIVE}/3/%252e%252e/4", f"{NATIVE}/3/%25%32%65/4",
    f"{NATIVE}/3%2f..%2f4", f"{NATIVE}%2f4", f"{NATIVE}/3%2F", f"{NATIVE}/3/%252f4", f"{NATIVE}/3\\..\\4", f"{NATIVE}/3%5c..%5c4",
    f"/{NATIVE}/3", "//evil.example/x", f"{NATIVE}//3", f"{NATIVE}/3//", "/servicedesk/customer//portal/4", f"{NATIVE}/3#/4",
    f"{NATIVE}/3%23/4", f"{NATIVE}/3?a#b", f"{NATIVE}/3%3f/4", f"{NATIVE}/3%00", f"{NATIVE}/3%0d%0aX:1", f"{NATIVE}/3%09", f"{NATIVE}/3%7f",
    f"{NATIVE}/3%c2%85", f"{NATIVE}/3%e2%80%a8", f"{NATIVE}/3%ff", f"{NATIVE}/%c0%af4", f"{NATIVE}/%c0%ae%c0%ae/4", f"{NATIVE}/3%ed%a0%80",
    f"{NATIVE}/3%", f"{NATIVE}/3%2", f"{NATIVE}/3%zz", f"{NATIVE}/3%u002e", f"{NATIVE}/3 /4", f"{NATIVE}/3\t", f"{NATIVE}/3/.../4",
    f"{NATIVE}/3/.. /4", f"{NATIVE}/3/..%20/4", f"{NATIVE}/3/%20./4", f"{NATIVE}/3%3b/4", f"{NATIVE}/3/\xe4", "/_/;/WEB-INF/web.xml",
    "/s/x/_/;/WEB-INF/web.xml", "/" + "a" * 5000, "x", "", f"{NATIVE}/%20",
]  # fmt: skip
# Plain paths that Java reads as another portal's, or that only look like the ones that are open.
LOOKALIKES = [
    f"{NATIVE}/04", f"{NATIVE}/004/HR-1", f"{NATIVE}/+4", f"{NATIVE}/4%20", f"{NATIVE}/%EF%BC%94", f"{NATIVE}/%D9%A4",
    f"{NATIVE}/4.0", f"{NATIVE}/4.jspa", f"{NATIVE}/-4", f"{NATIVE}/0x4", f"{NATIVE}/HR", f"{NATIVE}/3,4", f"{NATIVE}/99999999999999999999",
    NATIVE.upper() + "/4", "/servicedesk/Customer/portal/4", "/servicedesk/customer/Portal/4", "/ServiceDesk/customer/portal/4",
    "/REST/servicedesk/1/customer/models", "/S/x/_/servicedesk/customer/portal/4", "/rest/servicedesk/1/customer/portal/04",
    "/s/x/_/servicedesk/customer/PORTAL/4",
]  # fmt: skip


def test_a_path_that_can_be_read_in_two_ways_passes_for_nobody(protect: Callable[..., Site]) -> None:
    site = protect(other_paths="allow")
    customer, nobody = Browser(site), Browser(site)
    customer.log_in()
    for path in STRANGE:
        for answer in (by_nginx(customer, path), by_traefik(customer, path), by_nginx(customer, path, "/auth/redirect", SCRIPT)):
            assert answer.status == 403, path
            assert site.log[-1]["reason"] in ("strange_path", "no_address"), path
        assert by_traefik(nobody, path).status == 403, path
    assert nobody.cookies == {}


def test_a_path_that_only_looks_like_an_open_one_passes_for_nobody(protect: Callable[..., Site]) -> None:
    browser = Browser(protect(other_paths="allow"))
    browser.log_in()
    for path in LOOKALIKES:
        assert by_nginx(browser, path).status == 403, path
        assert by_traefik(browser, path, headers=SCRIPT).status == 403, path


# Where a login leads --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path, back",
    [
        (f"{NATIVE}/3/HELP-1?sda_source=notification-email&x=1", f"{NATIVE}/3/HELP-1?x=1"),
        (f"{NATIVE}/3/HELP-1?token=secret&jwt=x&%74oken=y&os_password=p", f"{NATIVE}/3/HELP-1"),
        (f"{NATIVE}/3?x=<script>", f"{NATIVE}/3"),
        (f"{NATIVE}/3/create/10?summary={'x' * 200}", f"{NATIVE}/3/create/10"),
        (f"{NATIVE}/3/{'x' * 300}", "/_sso/portal/HELP"),
        (f"{NATIVE}/3/a%20b", f"{NATIVE}/3/a%20b"),
    ],
)
def test_what_a_login_keeps_of_an_address(browser: Browser, site: Site, path: str, back: str) -> None:
    away = by_traefik(browser, path)
    assert browser.get(browser.at_provider(away.location)).location == back
    assert "secret" not in site.log_text


@pytest.mark.parametrize("path", ["/servicedesk/customer/portal/3?x=1", "/browse/HELP-1", "/secure/My%20File.pdf", "/a/b/"])
def test_the_login_page_takes_a_path_outside_our_own(browser: Browser, path: str) -> None:
    away = browser.get(f"/_sso/login?return_to={quote(path, safe='')}")
    assert browser.get(browser.at_provider(away.location)).location == path


@pytest.mark.parametrize("path", ["/servicedesk/customer/portal/3?x=1", "/browse/HELP-1"])
def test_without_forward_auth_it_takes_none(make_site: Callable[..., Site], provider: Provider, path: str) -> None:
    browser = Browser(make_site(provider, public_url=BASE))
    away = browser.get(f"/_sso/login?return_to={quote(path, safe='')}")
    assert urlsplit(browser.get(browser.at_provider(away.location)).location).path.startswith("/_sso/")
    assert browser.get("/_sso/auth").status == browser.get("/_sso/auth/redirect").status == 404


def test_our_own_addresses_are_kept_as_ours(browser: Browser) -> None:
    assert browser.log_in("/portal/HELP/HELP-1").location == "/_sso/portal/HELP/HELP-1"
    browser.cookies.clear()
    assert browser.log_in(f"{NATIVE}/3/create/5").location == f"/_sso{NATIVE}/3/create/5"


def test_on_a_host_of_its_own_it_protects_that_host(protect: Callable[..., Site]) -> None:
    browser = Browser(protect(public_url=f"https://{HOST}"))
    away = by_traefik(browser, f"{NATIVE}/3/create/10")
    assert browser.get(browser.at_provider(away.location)).location == f"{NATIVE}/3/create/10"
    assert by_nginx(browser, f"{NATIVE}/3").status == 200
    assert by_nginx(browser, f"{NATIVE}/4").status == 403


@pytest.mark.parametrize("address", ["/auth/", "/auth/x", "/auth/redirect/", "/auth/redirect/x", "/authx"])
def test_there_is_nothing_beside_the_two_addresses(customer: Browser, address: str) -> None:
    assert by_nginx(customer, f"{NATIVE}/3", address).status in (403, 404)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_it_is_asked_by_get_alone(customer: Browser, method: str) -> None:
    headers = {"X-Original-Url": f"https://{HOST}{NATIVE}/3"}
    assert customer.request(method, "/_sso/auth", headers, environ=PROXY).status == 405


# What the guide says --------------------------------------------------------------------------

GUIDE = (REPOSITORY / "docs" / "forward-auth.md").read_text()


@pytest.mark.parametrize("reason", [*REASONS, "other_path", "access_denied", "not_known_to_jira"])
def test_the_guide_names_every_reason(reason: str) -> None:
    assert re.search(rf"^\| .*`{reason}`.* \|", GUIDE, re.MULTILINE)


@pytest.mark.parametrize("name", re.findall(r"`(examples/[\w.-]+)`", GUIDE))
def test_the_guide_names_files_that_are_there(name: str) -> None:
    text = (REPOSITORY / name).read_text()
    assert name.endswith(".yaml") or all(f"X-Auth-Request-{header}" in text for header in HEADERS)


def test_the_guide_names_what_the_portals_share() -> None:
    (row,) = [line for line in GUIDE.splitlines() if line.startswith("| what all portals share")]
    for path in SHARED:
        if not path.startswith("/s/"):
            beginning = path.partition("?")[0]
            assert any(f"`{named}" in row for named in (beginning, *beginnings(beginning))), path


def beginnings(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) + "/" for count in range(2, len(parts))]
