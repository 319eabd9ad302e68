"""Signing out: ours, then the provider's; never because another site wants it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.oidc.provider import ABSENT, Provider, Reply
from tests.runtime.site import OWN_FORM, PAGE_LOAD, Browser, Site, query_of

SAME_ORIGIN = {**PAGE_LOAD, "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def signed_in(browser: Browser) -> Browser:
    browser.log_in("/portal/HR")
    return browser


def test_the_button_on_a_page_ends_our_session_and_leads_to_the_providers_logout(
    signed_in: Browser, site: Site, provider: Provider
) -> None:
    answer = signed_in.submit(signed_in.get("/"), "Sign out")
    assert answer.status == 303
    assert answer.location.startswith(f"{provider.address}/logout?")
    assert query_of(answer.location) == {
        "client_id": "portal client",
        "post_logout_redirect_uri": "https://sso.acme.example/logged-out",
    }
    assert signed_in.session is None
    assert site.events("logout")[0]["email"] == "ada@acme.example"
    assert "/authorize" in signed_in.get("/portal/HR").location


def test_cognito_is_sent_its_own_parameters(make_site: Callable[..., Site], provider: Provider) -> None:
    provider.claims["token_use"] = "id"
    site = make_site(provider)
    entry = site.deployment.profile.model_dump(mode="json", exclude_none=True, exclude_unset=True)["providers"]["a"]
    site.reload(providers={"a": {**entry, "type": "cognito", "domain": provider.address, "sign_out_url": "https://www.acme.example/bye"}})
    browser = Browser(site)
    browser.log_in("/portal/HR")
    page = browser.get("/")
    answer = browser.submit(page, "Sign out")
    assert query_of(answer.location) == {"client_id": "portal client", "logout_uri": "https://www.acme.example/bye"}
    allowed = page.header("Content-Security-Policy").partition("form-action ")[2].split()
    assert allowed == ["'self'", provider.address, "https://www.acme.example"], "every place that the form's redirects come to"


def test_a_provider_without_a_logout_leaves_the_person_on_our_page(signed_in: Browser, provider: Provider, site: Site) -> None:
    provider.metadata["end_session_endpoint"] = ABSENT
    other = site.another_worker()
    page = signed_in.get("/", application=other)
    address, fields = page.form("Sign out")
    answer = signed_in.post(address, fields, application=other)
    assert (answer.status, answer.location) == (303, "/logged-out")
    assert signed_in.session is None


def test_a_provider_that_is_down_does_not_keep_anybody_signed_in(site: Site, signed_in: Browser, provider: Provider) -> None:
    provider.replies["/.well-known/openid-configuration"] = Reply(503)
    other = site.another_worker()
    page = signed_in.get("/", application=other)
    assert provider.address in page.header("Content-Security-Policy"), "as the profile tells while the metadata is unknown"
    address, fields = page.form("Sign out")
    answer = signed_in.post(address, fields, application=other)
    assert (answer.status, answer.location) == (303, "/logged-out")
    assert signed_in.session is None


def test_the_page_after_a_logout_says_what_may_still_be_open(signed_in: Browser) -> None:
    page = signed_in.get("/logged-out")
    assert (page.status, page.title) == (200, "You are signed out")
    assert "Atlassian" in page.text
    assert page.link("Sign in again") == "/"


# Who may end a session ------------------------------------------------------------------------


def test_a_link_on_our_own_page_ends_the_session(signed_in: Browser) -> None:
    assert signed_in.get("/logout", SAME_ORIGIN).status == 303
    assert signed_in.session is None


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({**PAGE_LOAD, "Sec-Fetch-Site": "cross-site"}, id="a link on another site"),
        pytest.param({**PAGE_LOAD, "Sec-Fetch-Site": "same-site"}, id="a link on a neighbour"),
        pytest.param(PAGE_LOAD, id="typed"),
        pytest.param({"Accept": "text/html"}, id="an old browser"),
        pytest.param({**SAME_ORIGIN, "Sec-Purpose": "prefetch"}, id="a prefetch"),
    ],
)
def test_any_other_get_shows_a_button(signed_in: Browser, headers: dict[str, str]) -> None:
    page = signed_in.get("/logout", headers)
    assert (page.status, page.title) == (200, "Sign out?")
    assert "ada@acme.example" in page.text
    assert signed_in.session is not None
    assert signed_in.submit(page, "Sign out").status == 303
    assert signed_in.session is None


def test_head_signs_nobody_out(signed_in: Browser) -> None:
    assert signed_in.request("HEAD", "/logout", SAME_ORIGIN).status == 200
    assert signed_in.session is not None


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda token: "", id="no token"),
        pytest.param(lambda token: "x", id="garbage"),
        pytest.param(lambda token: token[:-2] + ("AA" if token[-2:] != "AA" else "BB"), id="a changed token"),
        pytest.param(lambda token: token + "é", id="not ASCII"),
        pytest.param(lambda token: "A" * 5000, id="a long token"),
    ],
)
def test_a_form_without_its_token_signs_nobody_out(signed_in: Browser, spoil: Callable[[str], str]) -> None:
    page = signed_in.get("/")
    _, fields = page.form("Sign out")
    answer = signed_in.post("/logout", fields | {"token": spoil(fields["token"])})
    assert (answer.status, answer.title) == (403, "Sign out?")
    assert signed_in.session is not None


def test_a_token_of_another_session_signs_nobody_out(signed_in: Browser, site: Site) -> None:
    stranger = Browser(site)
    stranger.log_in("/portal/HR")
    nobody = Browser(site)
    for other in (stranger.get("/"), nobody.get("/logout")):
        _, fields = other.form("Sign out")
        assert signed_in.post("/logout", fields).status == 403
        assert signed_in.session is not None


def test_another_sealed_text_of_ours_is_no_token(signed_in: Browser) -> None:
    assert signed_in.session is not None
    assert signed_in.post("/logout", {"token": signed_in.session}).status == 403


def test_a_form_of_yesterday_is_not_taken(site: Site, browser: Browser, provider: Provider) -> None:
    site.reload(session={"secret": "file:session", "lifetime": "2d", "idle_timeout": "2d"})
    browser.log_in("/portal/HR")
    page = browser.get("/")
    site.clock.advance(12 * 3600)
    assert browser.submit(page, "Sign out").status == 403
    assert browser.submit(browser.get("/"), "Sign out").status == 303


@pytest.mark.parametrize("site_said", ["cross-site", "same-site", "none", "", "Same-Origin"])
def test_a_form_that_no_page_of_ours_sent_is_not_taken(signed_in: Browser, site_said: str) -> None:
    answer = signed_in.submit(signed_in.get("/"), "Sign out", {**OWN_FORM, "Sec-Fetch-Site": site_said})
    assert answer.status == 403
    assert signed_in.session is not None


def test_an_old_browser_that_does_not_say_where_a_form_comes_from_can_sign_out(signed_in: Browser) -> None:
    headers = {"Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded"}
    assert signed_in.submit(signed_in.get("/"), "Sign out", headers).status == 303
    assert signed_in.session is None


@pytest.mark.parametrize(
    "body, content_type, status",
    [
        pytest.param(b"token=" + b"x" * 20_000, "application/x-www-form-urlencoded", 413, id="too long"),
        pytest.param(b"&".join(b"f%d=1" % n for n in range(5000)), "application/x-www-form-urlencoded", 413, id="too many fields"),
        pytest.param(b"\xff\xfe=%ff%fe&token=%80", "application/x-www-form-urlencoded", 403, id="no UTF-8"),
        pytest.param(b'{"token": 1}', "application/json", 403, id="JSON"),
        pytest.param(b"--x\r\nbroken", "multipart/form-data; boundary=x", 403, id="a broken multipart"),
        pytest.param(b"", "multipart/form-data", 403, id="a multipart without a boundary"),
        pytest.param(b"token=x", "text/plain; charset=utf-16", 403, id="another type"),
        pytest.param(b"token=x", "\xff\x00", 403, id="a type that is none"),
        pytest.param(b"", "", 403, id="nothing"),
    ],
)
def test_a_form_that_is_none_gets_an_answer(signed_in: Browser, body: bytes, content_type: str, status: int) -> None:
    answer = signed_in.request("POST", "/logout", {**SAME_ORIGIN, "Content-Type": content_type}, body=body)
    assert answer.status == status
    assert signed_in.session is not None


@pytest.mark.parametrize("length", ["-1", "x", "", "99999999999999999999"])
def test_a_content_length_that_lies_gets_an_answer(signed_in: Browser, length: str) -> None:
    answer = signed_in.request("POST", "/logout", OWN_FORM, body=b"token=x", environ={"CONTENT_LENGTH": length})
    assert answer.status in (400, 403, 413)


# Another account ------------------------------------------------------------------------------

DENY_ADA = [{"deny": {"email": "ada@*"}}, {"allow": "everyone"}]


@pytest.mark.parametrize(
    "claims, access",
    [
        pytest.param({}, DENY_ADA, id="not allowed"),
        pytest.param({"email_verified": False}, [{"allow": "everyone"}], id="email not confirmed"),
    ],
)
def test_another_account_ends_the_providers_session_first_and_leads_back(
    make_site: Callable[..., Site], provider: Provider, claims: dict[str, Any], access: list[Any]
) -> None:
    provider.claims |= claims
    site = make_site(provider, access=access)
    browser = Browser(site)
    page = browser.log_in("/portal/HELP/HELP-9")
    answer = browser.submit(page, "Sign in with another account")
    assert answer.status == 303
    assert answer.location.startswith(f"{provider.address}/logout?")

    back = browser.get("/logged-out", {**PAGE_LOAD, "Sec-Fetch-Site": "cross-site"})
    assert back.link("Sign in to IT help") == "/portal/HELP/HELP-9"
    assert "jsmsso-next" not in "".join(browser.cookies), "it is for this once"

    provider.claims |= {"sub": "bob", "email": "bob@acme.example", "email_verified": True}
    provider.userinfo |= {"sub": "bob"}
    assert browser.log_in(back.link("Sign in to IT help")).location == "/portal/HELP/HELP-9"


def test_another_account_works_for_somebody_who_stays_signed_in(make_site: Callable[..., Site], provider: Provider) -> None:
    site = make_site(provider)
    browser = Browser(site)
    browser.log_in()
    site.reload(access=DENY_ADA)
    answer = browser.submit(browser.get("/portal/HR"), "Sign in with another account")
    assert answer.location.startswith(f"{provider.address}/logout?")
    assert browser.session is None
    assert browser.get("/logged-out").link("Sign in to People") == "/portal/HR"


def test_a_provider_that_ends_no_session_is_told_to_ask_anew(make_site: Callable[..., Site], provider: Provider) -> None:
    provider.metadata["end_session_endpoint"] = ABSENT
    browser = Browser(make_site(provider, access=DENY_ADA))
    page = browser.log_in("/portal/HELP")
    answer = browser.submit(page, "Sign in with another account")
    assert answer.location == "/logged-out"
    step = browser.get("/logged-out").link("Sign in to IT help")
    away = browser.get(step)
    assert query_of(away.location)["prompt"] == "login"
    assert "prompt" not in query_of(browser.get("/portal/HELP").location)


@pytest.mark.parametrize(
    "return_to", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/portal/HELP\n"]
)
def test_a_form_leads_to_no_place_but_our_own(make_site: Callable[..., Site], provider: Provider, return_to: str) -> None:
    browser = Browser(make_site(provider, access=DENY_ADA))
    browser.submit(browser.log_in(), "Sign in with another account", return_to=return_to)
    page = browser.get("/logged-out")
    assert page.link("Sign in again") == "/"
    assert "evil" not in page.text


@pytest.mark.parametrize("value", ["x", "", "é", "AAAA" * 30])
def test_a_cookie_that_is_none_of_ours_leads_nowhere(site: Site, value: str) -> None:
    browser = Browser(site)
    browser.cookies["__Host-jsmsso-next"] = value
    assert browser.get("/logged-out", {**PAGE_LOAD}).link("Sign in again") == "/"
