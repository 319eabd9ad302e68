"""A login: ten minutes, once, in the browser that began it, at the provider that it was for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from tests.oidc.provider import ABSENT, NOW, Provider
from tests.runtime.site import NATIVE, Browser, Site, query_of


def later(provider: Provider, seconds: int) -> None:
    """Let the provider's clock go with the site's."""
    provider.claims |= {"iat": NOW + seconds, "exp": NOW + seconds + 300}


def test_a_portal_link_leads_through_the_provider_to_the_portal(browser: Browser, provider: Provider) -> None:
    away = browser.get("/portal/HELP")
    assert away.status == 302
    assert away.location.startswith(f"{provider.address}/authorize?")
    asked = query_of(away.location)
    assert asked["response_type"] == "code"
    assert asked["redirect_uri"] == "https://sso.acme.example/callback"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["state"]) > 40
    assert len(asked["nonce"]) == 43

    back = browser.get(browser.at_provider(away.location))
    assert (back.status, back.location) == (303, "/portal/HELP")
    assert back.header("Referrer-Policy") == "no-referrer"
    assert browser.logins == {}

    there = browser.get(back.location)
    assert (there.status, there.location) == (302, f"{NATIVE}/3")


def test_the_login_ok_line_says_who_and_by_which_rule(site: Site, browser: Browser) -> None:
    browser.log_in()
    (line,) = site.events("login.ok")
    assert line["email"] == "ada@acme.example"
    assert line["portal"] == "HELP"
    assert line["provider"] == "a"
    assert line["rule"].startswith("Allowed")


@pytest.mark.parametrize(
    "address",
    ["/portal/HELP/HELP-12", "/portal/3", "/servicedesk/customer/portal/3/create/10?q=screen", "/servicedesk/customer/portal/4"],
)
def test_the_deep_link_is_kept_through_the_login(browser: Browser, address: str) -> None:
    assert browser.log_in(address).location == address


def test_a_deep_link_too_long_for_the_cookie_leads_to_its_portal(browser: Browser) -> None:
    assert browser.log_in(f"/servicedesk/customer/portal/3/create/10?q={'x' * 300}").location == "/portal/HELP"


def test_a_login_cookie_has_at_most_400_bytes(make_site: Callable[..., Site], provider: Provider, another_provider: Provider) -> None:
    site = make_site(provider, another_provider)
    name = "a" * 40
    entry = site.deployment.profile.model_dump(mode="json", exclude_none=True, exclude_unset=True)["providers"]["a"]
    site.reload(providers={name: {**entry, "any_email": False}})
    longest = 0
    for length in range(100, 230):
        answer = Browser(site).get(f"/servicedesk/customer/portal/3/create/10?q={'x' * length}")
        (cookie,) = answer.all("Set-Cookie")
        longest = max(longest, len(cookie.partition(";")[0]))
    assert 390 <= longest <= 400


# Ten minutes, and once ------------------------------------------------------------------------


def test_an_answer_after_ten_minutes_signs_nobody_in(site: Site, browser: Browser, provider: Provider) -> None:
    address = browser.start_login()
    site.clock.advance(601)
    later(provider, 601)
    page = browser.get(address)
    assert page.status == 400
    assert page.title == "This sign-in took too long"
    assert page.link("Start again") == "/portal/HELP"
    assert browser.session is None
    assert browser.logins == {}
    assert provider.calls_to("/token") == []
    assert site.events("login.refused")[0]["reason"] == "answer_late"


def test_an_answer_after_nine_minutes_signs_in(site: Site, browser: Browser, provider: Provider) -> None:
    address = browser.start_login()
    site.clock.advance(540)
    later(provider, 540)
    assert browser.get(address).status == 303


def test_an_answer_used_again_offers_the_portal_to_somebody_signed_in(site: Site, browser: Browser, provider: Provider) -> None:
    address = browser.start_login()
    browser.get(address)
    page = browser.get(address)
    assert page.status == 400
    assert page.title == "This sign-in was used before"
    assert page.link("Go to IT help") == "/portal/HELP"
    assert len(provider.calls_to("/token")) == 1
    assert browser.session is not None


def test_an_answer_used_again_offers_a_new_start_to_somebody_without_a_session(site: Site, browser: Browser) -> None:
    address = browser.start_login()
    browser.get(address)
    stranger = Browser(site)
    page = stranger.get(address)
    assert (page.status, page.link("Start again")) == (400, "/portal/HELP")
    assert site.events("login.refused")[0]["reason"] == "answer_used"


def test_a_cookie_kept_back_does_not_make_an_answer_good_twice(site: Site, browser: Browser) -> None:
    address = browser.start_login()
    copy = Browser(site)
    copy.cookies = dict(browser.cookies)
    assert browser.get(address).status == 303
    assert copy.get(address).status == 400
    assert copy.session is None
    assert copy.logins == {}


def test_an_answer_is_good_once_on_two_workers(site: Site, browser: Browser, provider: Provider) -> None:
    other = site.another_worker()
    address = browser.start_login()
    copy = Browser(site)
    copy.cookies = dict(browser.cookies)
    assert browser.get(address).status == 303
    assert copy.get(address, application=other).status == 400
    assert len(provider.calls_to("/token")) == 1
    other.close()


def test_of_many_threads_with_one_answer_exactly_one_goes_on(site: Site, browser: Browser, provider: Provider) -> None:
    applications = [site.application, site.another_worker()]
    address = browser.start_login()
    answers: list[int] = []
    gate = threading.Barrier(16)

    def call(number: int) -> None:
        copy = Browser(site)
        copy.cookies = dict(browser.cookies)
        gate.wait()
        answers.append(copy.get(address, application=applications[number % 2]).status)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [303] + [400] * 15
    assert len(provider.calls_to("/token")) == 1


# Several tabs ---------------------------------------------------------------------------------


def test_five_tabs_can_log_in_at_once(browser: Browser) -> None:
    addresses = [browser.start_login(f"/portal/HELP/HELP-{number}") for number in range(5)]
    assert len(browser.logins) == 5
    for number, address in enumerate(addresses):
        assert browser.get(address).location == f"/portal/HELP/HELP-{number}"
    assert browser.logins == {}


def test_a_sixth_tab_takes_the_place_of_the_oldest(site: Site, browser: Browser, provider: Provider) -> None:
    addresses = []
    for number in range(6):
        addresses.append(browser.start_login(f"/portal/HELP/HELP-{number}"))
        site.clock.advance(1)
    page = browser.get(addresses[0])
    assert page.status == 400
    assert page.title == "A newer sign-in took over"
    assert page.link("Start again") == "/portal/HELP"
    assert site.events("login.refused")[0]["reason"] == "answer_displaced"
    for number in range(1, 6):
        assert browser.get(addresses[number]).location == f"/portal/HELP/HELP-{number}"


# The browser that began it --------------------------------------------------------------------


def test_an_answer_of_another_browser_signs_nobody_in(site: Site, browser: Browser, provider: Provider) -> None:
    address = browser.start_login()
    victim = Browser(site)
    page = victim.get(address)
    assert page.status == 400
    assert page.title == "This sign-in is not known here"
    assert victim.session is None
    assert provider.calls_to("/token") == []
    assert browser.get(address).status == 303, "it is still good where it was begun"


def test_the_cookie_of_another_browser_does_not_fit_the_answer(site: Site, browser: Browser) -> None:
    address = browser.start_login()
    victim = Browser(site)
    while not victim.logins.keys() & browser.logins.keys():  # the same cookie's name, by chance
        victim.start_login()
    page = victim.get(address)
    assert page.status == 400
    assert victim.session is None


def test_no_flipped_bit_of_the_cookie_passes(site: Site, browser: Browser, provider: Provider) -> None:
    address = browser.start_login()
    ((name, value),) = browser.logins.items()
    for place in range(0, len(value), 7):
        changed = value[:place] + ("A" if value[place] != "A" else "B") + value[place + 1 :]
        copy = Browser(site)
        copy.cookies = {name: changed}
        assert copy.get(address).status == 400, place
        assert copy.session is None
    assert provider.calls_to("/token") == []


def test_a_cookie_sealed_for_another_purpose_or_deployment_does_not_open(
    make_site: Callable[..., Site], site: Site, browser: Browser, provider: Provider
) -> None:
    address = browser.start_login()
    ((name, value),) = browser.logins.items()
    browser.get(address)
    session = browser.session
    assert session is not None

    misused = Browser(site)
    misused.cookies = {"__Host-jsmsso": value}
    assert misused.get("/").title.startswith("Sign in"), "a login's cookie is no session"
    misused.cookies = {name: session}
    assert misused.get(address).status == 400, "a session is no login"

    elsewhere = Browser(make_site(provider, public_url="https://other.acme.example"))
    elsewhere.cookies = {"__Host-jsmsso": session}
    assert elsewhere.get("/").title.startswith("Sign in"), "nor does it count at another address with the same secret"


def test_a_secret_put_in_front_still_opens_what_the_old_one_sealed(site: Site, browser: Browser) -> None:
    browser.log_in()
    (site.folder / "new").write_text("another secret that is longer than 32 bytes, put first")
    site.reload(session={"secret": ["file:new", "file:session"]})
    assert browser.get("/portal/HELP").location == f"{NATIVE}/3"
    site.reload(session={"secret": ["file:new"]})
    assert "/authorize" in browser.get("/portal/HELP").location


# Two providers --------------------------------------------------------------------------------


@pytest.fixture
def two(make_site: Callable[..., Site], provider: Provider, another_provider: Provider) -> Site:
    return make_site(provider, another_provider)


def test_with_several_providers_a_portal_link_shows_a_chooser(two: Site, provider: Provider, another_provider: Provider) -> None:
    browser = Browser(two)
    page = browser.get("/portal/HELP/HELP-9")
    assert (page.status, page.title) == (200, "Sign in to IT help")
    for name, one in (("a", provider), ("b", another_provider)):
        away = Browser(two).get(page.link(name))
        assert away.location.startswith(f"{one.address}/authorize")
    back = browser.get(browser.at_provider(browser.get(page.link("b")).location))
    assert (back.status, back.location) == (303, "/portal/HELP/HELP-9")


def test_each_provider_has_a_callback_of_its_own(two: Site) -> None:
    callbacks = [query_of(Browser(two).get(f"/login?provider={name}").location)["redirect_uri"] for name in "ab"]
    assert callbacks == ["https://sso.acme.example/callback", "https://sso.acme.example/callback/b"]


def test_an_answer_at_the_callback_of_another_provider_goes_nowhere(two: Site, provider: Provider, another_provider: Provider) -> None:
    browser = Browser(two)
    address = browser.at_provider(browser.get("/login?provider=a").location)
    page = browser.get(address.replace("/callback?", "/callback/b?"))
    assert page.status == 403
    assert two.events("login.refused")[0]["reason"] == "answer_wrong_callback"
    assert provider.calls_to("/token") == another_provider.calls_to("/token") == []
    assert browser.session is None
    assert browser.logins == {}


@pytest.mark.parametrize("iss", [ABSENT, "https://evil.example", ""], ids=["absent though promised", "another", "empty"])
def test_an_answer_with_a_wrong_iss_goes_nowhere(site: Site, browser: Browser, provider: Provider, iss: object) -> None:
    provider.answer["iss"] = iss
    page = browser.log_in()
    assert page.status == 403
    assert site.events("login.refused")[0]["reason"] == "answer_wrong_issuer"
    assert provider.calls_to("/token") == []


def test_an_answer_without_iss_is_fine_where_none_is_promised(browser: Browser, provider: Provider) -> None:
    provider.metadata["authorization_response_iss_parameter_supported"] = False
    provider.answer["iss"] = ABSENT
    assert browser.log_in().status == 303


def test_instant_goes_to_the_first_provider_and_a_named_one_is_still_reached(
    make_site: Callable[..., Site], provider: Provider, another_provider: Provider
) -> None:
    site = make_site(provider, another_provider, login={"mode": "instant"})
    assert Browser(site).get("/portal/HELP").location.startswith(provider.address)
    assert Browser(site).get("/login?provider=b").location.startswith(another_provider.address)


def test_a_portal_with_a_provider_of_its_own_asks_only_that_one(
    make_site: Callable[..., Site], provider: Provider, another_provider: Provider
) -> None:
    site = make_site(provider, another_provider)
    portals = site.deployment.profile.model_dump(mode="json", exclude_none=True, exclude_unset=True)["portals"]
    site.reload(portals=[{**portals[0], "provider": "b"}, portals[1]])
    browser = Browser(site)
    assert browser.get("/portal/HELP").location.startswith(another_provider.address)
    assert browser.get("/login?provider=a&return_to=/portal/HELP").title == "Sign in to IT help"
    browser.get(browser.at_provider(browser.get("/login?provider=a").location))
    assert browser.session
    assert browser.get("/portal/HELP").location.startswith(another_provider.address), "a session of the other is not enough"
    browser.log_in()
    assert browser.get("/portal/HELP").location == f"{NATIVE}/3"


# What answers can look like -------------------------------------------------------------------


def test_an_answer_without_a_state_of_ours_signs_nobody_in(site: Site, browser: Browser) -> None:
    browser.start_login()
    for query in ({"code": "x"}, {"code": "x", "state": ""}, {"code": "x", "state": "another program's"}, {"code": "x", "state": "é" * 48}):
        page = browser.get(f"/callback?{urlencode(query)}")
        assert (page.status, page.title) == (400, "This sign-in is not known here")
        assert "paste it there" in page.text
    assert len(browser.logins) == 1, "the login under way is not disturbed"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda q: q + "&code=second", id="code twice"),
        pytest.param(lambda q: q + "&" + q[q.index("state=") :], id="state twice"),
        pytest.param(lambda q: q + "&iss=https://evil.example", id="iss twice"),
        pytest.param(lambda q: q + "&error=access_denied", id="code and error"),
        pytest.param(lambda q: "&".join(part for part in q.split("&") if not part.startswith("code=")), id="neither code nor error"),
        pytest.param(lambda q: q.replace("code=", "code=&x="), id="empty code"),
    ],
)
def test_a_malformed_answer_signs_nobody_in(site: Site, browser: Browser, provider: Provider, change: Callable[[str], str]) -> None:
    path, _, query = browser.start_login().partition("?")
    page = browser.get(f"{path}?{change(query)}")
    assert page.status == 400
    assert browser.session is None
    assert provider.calls_to("/token") == []
    assert site.events("login.refused")[0]["reason"] == "answer_malformed"


def test_an_answer_longer_than_any_real_one_is_refused(browser: Browser, provider: Provider) -> None:
    address = browser.start_login()
    assert browser.get(address + "&x=" + "y" * 9000).status == 414
    assert provider.calls_to("/token") == []


def test_an_answer_by_post_is_refused(browser: Browser) -> None:
    path, _, query = browser.start_login().partition("?")
    answer = browser.request("POST", path, body=query.encode())
    assert (answer.status, answer.header("Allow")) == (405, "GET, HEAD")
    assert browser.request("HEAD", f"{path}?{query}").status == 405


def test_a_login_as_somebody_else_replaces_the_session(site: Site, browser: Browser, provider: Provider) -> None:
    browser.log_in()
    first = browser.session
    provider.claims |= {"sub": "bob", "email": "bob@acme.example"}
    provider.userinfo |= {"sub": "bob", "email": "bob@acme.example"}
    browser.get(browser.at_provider(browser.get("/login?return_to=/portal/HR").location))
    assert browser.session not in (None, first)
    assert "bob@acme.example" in browser.get("/").text


def test_a_refused_login_ends_the_session_of_whoever_was_signed_in(site: Site, browser: Browser, provider: Provider) -> None:
    browser.log_in()
    provider.claims |= {"email_verified": False}
    page = browser.get(browser.at_provider(browser.get("/login").location))
    assert page.status == 403
    assert browser.session is None
    assert browser.submit(page, "another account").status == 303, "its form is bound to what the browser has now"
