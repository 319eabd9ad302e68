"""The front channel: a page of the provider's ends a session here by its ``iss`` and ``sid``, whatever cookies come along."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.oidc.provider import Provider
from tests.runtime.site import PAGE_LOAD, Answer, Browser, Site
from tests.runtime.test_ended_sessions import is_signed_in

pytestmark = pytest.mark.conformance

IN_A_FRAME = {**PAGE_LOAD, "Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"}
SID = "4f9c2b7e-unguessable"


@pytest.fixture
def signed_in(site: Site, provider: Provider) -> Browser:
    provider.claims["sid"] = SID
    browser = Browser(site)
    browser.log_in()
    assert is_signed_in(browser)
    return browser


def framed(site: Site, provider: Provider, *more: tuple[str, str], name: str = "a", **changed: str | None) -> Answer:
    """The frame in the provider's page: in a browser without a cookie for it."""
    fields = {"iss": provider.issuer, "sid": SID} | changed
    query = urlencode([(key, value) for key, value in fields.items() if value is not None] + list(more))
    return Browser(site).get(f"/frontchannel-logout/{name}?{query}", IN_A_FRAME)


def endings(site: Site) -> int:
    with sqlite3.connect(site.folder / "state.db") as connection:
        return int(connection.execute("SELECT count(*) FROM endings").fetchone()[0])


def test_the_provider_s_page_ends_the_session_that_it_names(site: Site, provider: Provider, signed_in: Browser) -> None:
    answer = framed(site, provider)
    assert (answer.status, answer.body, answer.header("Cache-Control")) == (200, b"", "no-store")
    assert not answer.all("Set-Cookie")
    assert not is_signed_in(signed_in)
    (line,) = site.events("logout.frontchannel")
    assert (line["provider"], line["email"], line["subject"]) == ("a", "ada@acme.example", "ada")


def test_every_worker_knows_within_a_second_whose_frame_it_was(site: Site, provider: Provider, signed_in: Browser) -> None:
    other = site.another_worker()
    framed(site, provider)
    site.clock.advance(1.1)
    assert not is_signed_in(signed_in, application=other)
    other.close()


def test_the_logout_stands_in_the_audit_trail(site: Site, provider: Provider, signed_in: Browser) -> None:
    framed(site, provider)
    text = "".join(path.read_text() for path in site.deployment.audit.folder.glob("*.jsonl"))
    line = next(line for line in map(json.loads, text.splitlines()) if line["event"] == "logout")
    assert (line["email"], line["subject"], line["sid"], line["by"]) == ("ada@acme.example", "ada", SID, "provider")


def test_other_sessions_of_the_same_person_stay(site: Site, provider: Provider, signed_in: Browser) -> None:
    provider.claims["sid"] = "another session"
    elsewhere = Browser(site)
    elsewhere.log_in()
    framed(site, provider)
    assert is_signed_in(elsewhere)


def test_a_login_afterwards_is_good_and_can_be_ended_again(site: Site, provider: Provider, signed_in: Browser) -> None:
    framed(site, provider)
    site.clock.advance(2)
    signed_in.log_in()
    assert is_signed_in(signed_in)
    site.clock.advance(2)
    framed(site, provider)
    assert not is_signed_in(signed_in)


NOTHING_ENDS: list[Any] = [
    pytest.param({"iss": None}, (), 400, id="no iss"),
    pytest.param({"sid": None}, (), 400, id="no sid"),
    pytest.param({"iss": None, "sid": None}, (), 400, id="neither"),
    pytest.param({"iss": ""}, (), 400, id="an empty iss"),
    pytest.param({"sid": ""}, (), 400, id="an empty sid"),
    pytest.param({"iss": "https://another.example"}, (), 400, id="another issuer"),
    pytest.param({"iss": "{issuer}/"}, (), 400, id="an issuer with one slash more"),
    pytest.param({"sid": "another"}, (), 200, id="a sid that nobody here has"),
    pytest.param({"sid": f"{SID} "}, (), 200, id="a sid with one space more"),
    pytest.param({"sid": "x" * 256}, (), 400, id="a long sid"),
    pytest.param({"sid": "a\x00b"}, (), 400, id="a control character"),
    pytest.param({}, (("sid", "x"),), 400, id="two sids"),
    pytest.param({}, (("iss", "x"),), 400, id="two issuers"),
]


@pytest.mark.parametrize(("changed", "more", "status"), NOTHING_ENDS)
def test_what_names_no_session_ends_nothing(
    site: Site, provider: Provider, signed_in: Browser, changed: dict[str, str | None], more: tuple[tuple[str, str], ...], status: int
) -> None:
    changed = {name: value and value.replace("{issuer}", provider.issuer) for name, value in changed.items()}
    answer = framed(site, provider, *more, **changed)
    assert answer.status == status
    assert is_signed_in(signed_in)
    assert endings(site) == 0


def test_the_cookie_alone_ends_nothing(site: Site, signed_in: Browser) -> None:
    assert signed_in.get("/frontchannel-logout/a", IN_A_FRAME).status == 400
    assert is_signed_in(signed_in)


def test_another_provider_s_frame_ends_nothing_here(make_site: Callable[..., Site], provider: Provider, another_provider: Provider) -> None:
    site = make_site(provider, another_provider)
    provider.claims["sid"] = SID
    browser = Browser(site)
    browser.log_in("/login?provider=a")
    assert framed(site, provider, name="b").status == 400
    assert framed(site, another_provider, name="b").status == 200
    assert is_signed_in(browser)


def test_it_stands_below_the_path_of_the_public_url(make_site: Callable[..., Site], provider: Provider) -> None:
    site = make_site(provider, public_url="https://jira.acme.example/_sso")
    provider.claims["sid"] = SID
    browser = Browser(site)
    browser.log_in("/portal/HR")
    query = urlencode({"iss": provider.issuer, "sid": SID})
    assert Browser(site).get(f"/frontchannel-logout/a?{query}", IN_A_FRAME).status == 404
    assert Browser(site).get(f"/_sso/frontchannel-logout/a?{query}", IN_A_FRAME).status == 200
    assert browser.get("/_sso/portal/HR").status == 302


def test_only_the_provider_s_own_pages_may_frame_it(site: Site, provider: Provider) -> None:
    for changed in ({}, {"sid": None}):
        answer = framed(site, provider, **changed)
        assert answer.header("Content-Security-Policy") == f"default-src 'none'; frame-ancestors {provider.address}"


def test_nothing_else_may_be_framed(site: Site, signed_in: Browser) -> None:
    addresses = ("/", "/portal/HR", "/login", "/logout", "/logged-out", "/callback", "/healthz", "/frontchannel-logout", "/nothing")
    for address in addresses:
        policy = signed_in.get(address, IN_A_FRAME).header("Content-Security-Policy")
        assert "frame-ancestors 'none'" in policy, address
    assert "frame-ancestors 'none'" in Browser(site).get("/frontchannel-logout/z?sid=1", IN_A_FRAME).header("Content-Security-Policy")


def test_an_unknown_provider_is_not_found_and_only_get_is_taken(site: Site, provider: Provider, signed_in: Browser) -> None:
    assert framed(site, provider, name="z").status == 404
    query = urlencode({"iss": provider.issuer, "sid": SID})
    for method, status in (("HEAD", 405), ("POST", 405)):
        assert signed_in.request(method, f"/frontchannel-logout/a?{query}").status == status
    assert is_signed_in(signed_in)


def test_a_stranger_who_makes_up_sessions_leaves_no_row_in_the_store(site: Site, provider: Provider, signed_in: Browser) -> None:
    answers = [framed(site, provider, sid=f"guess {number}") for number in range(200)]
    assert {(one.status, one.body) for one in answers} == {(200, b"")}, "told nothing"
    assert endings(site) == 0
    assert site.events("logout.frontchannel") == []


def test_the_same_frame_again_leaves_no_second_row(site: Site, provider: Provider, signed_in: Browser) -> None:
    for _ in range(5):
        assert framed(site, provider).status == 200
    assert endings(site) == 1


def test_a_login_without_a_sid_notes_nothing(site: Site, provider: Provider) -> None:
    Browser(site).log_in()
    assert site.deployment.store.count("sid", now=site.clock()) == 0


def test_a_login_is_good_also_where_its_sid_could_not_be_noted(make_site: Callable[..., Site], provider: Provider) -> None:
    site = make_site(provider, store_failure="open")
    provider.claims["sid"] = SID
    browser = Browser(site)
    back = browser.start_login()
    with sqlite3.connect(site.folder / "state.db") as connection:
        connection.execute("DROP TABLE records")
    assert browser.get(back).status == 303
    assert framed(site, provider).status == 503, "so that somebody looks into the log"
    assert is_signed_in(browser)
