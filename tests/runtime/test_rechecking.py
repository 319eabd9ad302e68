"""``session.recheck``: somebody whose account ended at the provider is out within that time; a provider that is down ends nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.oidc.provider import ABSENT, Provider, Reply
from tests.runtime.site import Browser, Site

EVERY = 900


@pytest.fixture
def site(make_site: Callable[..., Site], provider: Provider) -> Site:
    return make_site(provider, session={"secret": "file:session", "recheck": "15m"})


def is_in(browser: Browser) -> bool:
    return browser.get("/portal/HELP").location.startswith("https://acme.atlassian")


def refreshes(provider: Provider) -> int:
    return len([call for call in provider.calls_to("/token") if call.form.get("grant_type") == "refresh_token"])


def pass_time(site: Site, provider: Provider, seconds: int = EVERY) -> None:
    """For both."""
    site.clock.advance(seconds)
    provider.claims |= {"iat": int(site.clock()), "exp": int(site.clock()) + 300}


def test_the_provider_is_asked_at_the_next_request_after_that_time_and_no_sooner(site: Site, provider: Provider) -> None:
    browser = Browser(site)
    browser.log_in()
    pass_time(site, provider, EVERY - 1)
    assert is_in(browser)
    assert refreshes(provider) == 0

    pass_time(site, provider, 1)
    assert is_in(browser)
    assert is_in(browser)
    assert refreshes(provider) == 1


def test_a_person_whom_the_provider_knows_no_more_is_out_on_every_worker(site: Site, provider: Provider) -> None:
    browser = Browser(site)
    browser.log_in()
    copy = Browser(site)
    copy.cookies = dict(browser.cookies)
    provider.replies["/token"] = Reply(400, {"error": "invalid_grant"})
    pass_time(site, provider)

    assert not is_in(browser)
    [line] = site.events("session.revoked")
    assert line["reason"] == "recheck"
    site.reload()
    assert not is_in(copy)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(500, b"down"), id="down"),
        pytest.param(Reply(400, {"error": "invalid_client"}), id="our own credentials are refused"),
        pytest.param(Reply(429, b"busy"), id="busy"),
    ],
)
def test_a_provider_that_cannot_tell_ends_nobodys_session(site: Site, provider: Provider, reply: Reply) -> None:
    browser = Browser(site)
    browser.log_in()
    provider.replies["/token"] = reply
    pass_time(site, provider)

    assert is_in(browser)
    before = refreshes(provider)
    assert is_in(browser)
    assert refreshes(provider) == before, "it is asked again a minute later"
    assert len(site.events("recheck.failed")) == 1
    pass_time(site, provider, 61)
    del provider.replies["/token"]
    assert is_in(browser)
    assert refreshes(provider) == before + 1


def test_a_rotated_token_is_used_the_next_time(site: Site, provider: Provider) -> None:
    browser = Browser(site)
    browser.log_in()
    for _ in range(3):
        pass_time(site, provider)
        assert is_in(browser)
    sent = [call.form["refresh_token"] for call in provider.calls_to("/token") if "refresh_token" in call.form]
    assert len(set(sent)) == 3


def test_a_provider_that_counts_a_refresh_as_a_login_has_answered(site: Site, provider: Provider) -> None:
    browser = Browser(site)
    browser.log_in()
    for _ in range(2):
        pass_time(site, provider)
        provider.claims["auth_time"] = int(site.clock())
        assert is_in(browser)
    assert site.events("recheck.failed") == []
    assert refreshes(provider) == 2


def test_without_a_refresh_token_the_session_is_good_until_the_first_check(make_site: Callable[..., Site], provider: Provider) -> None:
    provider.token_answer["refresh_token"] = ABSENT
    site = make_site(provider, session={"secret": "file:session", "recheck": "15m"})
    browser = Browser(site)
    browser.log_in()

    assert is_in(browser)
    assert "offline_access" in site.events("recheck.impossible")[0]["detail"]
    pass_time(site, provider)
    assert not is_in(browser)


def test_no_refresh_token_lies_open_anywhere_and_none_stays_after_the_logout(site: Site, provider: Provider) -> None:
    browser = Browser(site)
    browser.log_in()
    store = site.deployment.store
    lying = b"".join(path.read_bytes() for path in site.folder.iterdir() if path.name.startswith("state.db"))

    assert store.count("refresh", now=site.clock()) == 1
    assert all(token.encode() not in lying for token in provider._refresh_tokens)
    browser.submit(browser.get("/logout"))
    assert store.count("refresh", now=site.clock()) == 0
