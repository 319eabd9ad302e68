"""Sessions that end before their time: by a logout here, or by the provider's word over the back channel."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import pytest

from jsmsso.store.records import Ending
from jsmsso.store.sqlite import SqliteStore
from tests.oidc.provider import CLIENT_ID, NOW, Provider
from tests.runtime.site import OWN_FORM, PAGE_LOAD, Answer, Browser, Site

pytestmark = pytest.mark.conformance

EVENT = "http://schemas.openid.net/event/backchannel-logout"
FROM_PROVIDER = {"Content-Type": "application/x-www-form-urlencoded"}


def logout_token(provider: Provider, **changed: Any) -> str:
    claims: dict[str, Any] = {
        "iss": provider.issuer,
        "aud": CLIENT_ID,
        "iat": NOW,
        "exp": NOW + 120,
        "jti": "one",
        "sub": "ada",
        "events": {EVENT: {}},
    } | changed
    return provider.sign({name: value for name, value in claims.items() if value is not None}, {"typ": "logout+jwt"})


def tell(site: Site, token: str, name: str = "a", **options: Any) -> Answer:
    return Browser(site).post(f"/backchannel-logout/{name}", {"logout_token": token}, FROM_PROVIDER, **options)


@contextmanager
def no_ending_can_be_written(site: Site) -> Iterator[None]:
    """All else of the store works."""
    store: Any = site.deployment.store
    if isinstance(store, SqliteStore):
        with closing(sqlite3.connect(site.folder / "state.db")) as connection:
            connection.execute("CREATE TRIGGER no_more BEFORE INSERT ON endings BEGIN SELECT RAISE(ABORT, 'no more'); END")
            yield
            connection.execute("DROP TRIGGER no_more")
    else:
        store._redis.set(store._key("endings"), "no stream")
        yield
        store._redis.delete(store._key("endings"))


def is_signed_in(browser: Browser, **options: Any) -> bool:
    return "Sign out" in browser.get("/", **options).text


def test_the_provider_ends_a_person_s_sessions(site: Site, provider: Provider) -> None:
    browser = Browser(site)
    browser.log_in()
    assert is_signed_in(browser)
    answer = tell(site, logout_token(provider))
    assert (answer.status, answer.body, answer.header("Cache-Control")) == (200, b"", "no-store")
    assert not is_signed_in(browser)


def test_every_worker_knows_within_a_second(site: Site, provider: Provider) -> None:
    browser = Browser(site)
    browser.log_in()
    other = site.another_worker()
    assert is_signed_in(browser, application=other)
    tell(site, logout_token(provider))
    site.clock.advance(1.1)
    assert not is_signed_in(browser, application=other)
    other.close()


def test_a_login_afterwards_is_good(site: Site, provider: Provider) -> None:
    browser = Browser(site)
    browser.log_in()
    tell(site, logout_token(provider))
    site.clock.advance(2)
    browser.log_in()
    assert is_signed_in(browser)


def test_by_sid_only_that_session_ends(site: Site, provider: Provider) -> None:
    browsers = []
    for sid in ("first", "second"):
        provider.claims = {"sid": sid}
        browsers.append(Browser(site))
        browsers[-1].log_in()
    assert tell(site, logout_token(provider, sid="first")).status == 200
    assert [is_signed_in(browser) for browser in browsers] == [False, True]


def test_somebody_else_s_sessions_stay(site: Site, provider: Provider) -> None:
    browser = Browser(site)
    browser.log_in()
    assert tell(site, logout_token(provider, sub="grace")).status == 200
    assert is_signed_in(browser)


@pytest.mark.parametrize(
    "changed, reason",
    [
        pytest.param({"nonce": "n"}, "nonce", id="an ID token in disguise"),
        pytest.param({"events": {}}, "events", id="no event"),
        pytest.param({"aud": "another"}, "aud", id="another client"),
        pytest.param({"iss": "https://another.example"}, "iss", id="another issuer"),
        pytest.param({"exp": NOW - 900, "iat": NOW - 1000}, "exp", id="expired"),
        pytest.param({"jti": None}, "jti", id="no jti"),
        pytest.param({"sub": None}, "sub", id="nobody"),
    ],
)
def test_a_token_that_fails_a_check_ends_nothing(site: Site, provider: Provider, changed: dict[str, Any], reason: str) -> None:
    browser = Browser(site)
    browser.log_in()
    answer = tell(site, logout_token(provider, **changed))
    assert answer.status == 400
    assert json.loads(answer.body)["error"] == "invalid_request"
    assert is_signed_in(browser)
    assert site.events("logout.refused")[0]["reason"] == f"logout_token_{reason}"


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é" * 10, "x" * 15000])
def test_garbage_is_refused(site: Site, token: str) -> None:
    assert tell(site, token).status == 400


def test_a_token_that_comes_again_is_refused_also_by_another_worker(site: Site, provider: Provider) -> None:
    token = logout_token(provider)
    other = site.another_worker()
    assert tell(site, token).status == 200
    assert tell(site, token, application=other).status == 400
    other.close()


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_a_logout_that_the_store_did_not_take_counts_when_it_comes_again(
    make_site: Callable[..., Site], provider: Provider, request: pytest.FixtureRequest, kind: str
) -> None:
    """The token and the ending are written together: of a token alone the provider would be told that it came before."""
    if kind == "redis":
        site = make_site(provider, store=request.getfixturevalue("redis_server").url, public_url="https://lost.acme.example")
    else:
        site = make_site(provider)
    browser = Browser(site)
    browser.log_in()
    token = logout_token(provider)
    with no_ending_can_be_written(site):
        assert tell(site, token).status == 503
    site.clock.advance(2)
    assert is_signed_in(browser)
    assert tell(site, token).status == 200
    assert not is_signed_in(browser)


def test_a_longer_lifetime_lets_no_ended_session_live_again(site: Site, provider: Provider) -> None:
    """However often it changes: what ended is remembered for as long as any profile may let a session last."""
    out, by_token = Browser(site), Browser(site)
    out.log_in()
    provider.claims |= {"sub": "grace", "email": "grace@acme.example"}
    by_token.log_in()
    copies = [dict(browser.cookies) for browser in (out, by_token)]
    site.reload(session={"secret": "file:session", "lifetime": "5m"})
    out.submit(out.get("/"), "Sign out")
    assert tell(site, logout_token(provider, sub="grace")).status == 200
    site.clock.advance(3600)
    site.deployment.store.clean(now=site.clock(), accounts_before=0, queue_before=0)
    site.deployment.endings.end(Ending.for_good("session", "", "another", site.clock()))

    for lifetime in ("8h", "30d"):
        site.reload(session={"secret": "file:session", "lifetime": lifetime, "idle_timeout": lifetime})
        for cookies in copies:
            copy = Browser(site)
            copy.cookies = dict(cookies)
            assert not is_signed_in(copy)


def test_a_worker_remembers_no_ending_for_longer_than_a_session_may_last(site: Site) -> None:
    endings, store, now = site.deployment.endings, site.deployment.store, site.clock()
    endings.end(Ending.for_good("session", "", "old here", now - 9 * 3600))
    store.end(Ending.for_good("session", "", "old elsewhere", now - 9 * 3600), now=now)
    store.end(Ending.for_good("session", "", "fresh", now - 1), now=now)
    browser = Browser(site)
    browser.log_in()
    assert is_signed_in(browser)
    assert [value for _, _, value in endings._ended] == ["fresh"]
    assert len(store.endings_after(0)[1]) == 3


def test_an_unknown_provider_is_not_found_and_a_get_does_nothing(site: Site, provider: Provider) -> None:
    assert tell(site, logout_token(provider), name="z").status == 404
    assert Browser(site).get("/backchannel-logout/a").status == 405


def test_a_signed_out_session_is_over_for_a_copy_of_its_cookie(site: Site) -> None:
    browser = Browser(site)
    browser.log_in()
    thief = Browser(site)
    thief.cookies = dict(browser.cookies)
    assert is_signed_in(thief)
    browser.submit(browser.get("/"), "Sign out")
    assert not is_signed_in(thief)


def test_the_id_token_is_kept_only_where_the_provider_s_logout_wants_it(site: Site) -> None:
    browser = Browser(site)
    browser.log_in()
    assert not [name for name in browser.cookies if "hint" in name]


def test_the_id_token_goes_to_the_provider_s_logout_alone(make_site: Callable[..., Site], provider: Provider) -> None:
    site = make_site(provider)
    site.deployment.providers["a"].party.settings = _wanting_a_hint(site)
    browser = Browser(site)
    answer = browser.log_in()
    cookie = next(line for line in answer.all("Set-Cookie") if "hint" in line)
    assert cookie.startswith("__Secure-jsmsso-hint=")
    assert cookie.endswith("; Path=/logout; HttpOnly; SameSite=Lax; Secure")
    home = browser.get("/", {**PAGE_LOAD, "Cookie": f"__Host-jsmsso={browser.session}"})
    out = browser.submit(home, "Sign out", OWN_FORM)
    assert "id_token_hint=ey" in out.location
    assert "__Secure-jsmsso-hint" not in browser.cookies


def test_an_id_token_too_large_for_its_cookie_lies_in_the_store_until_the_logout(
    make_site: Callable[..., Site], provider: Provider
) -> None:
    provider.claims["picture"] = "x" * 5000
    site = make_site(provider)
    site.deployment.providers["a"].party.settings = _wanting_a_hint(site)
    browser = Browser(site)
    browser.log_in()
    store = site.deployment.store
    assert (store.count("hint", now=site.clock()), [name for name in browser.cookies if "hint" in name]) == (1, [])

    out = browser.submit(browser.get("/"), "Sign out", OWN_FORM)
    assert "id_token_hint=ey" in out.location
    assert store.count("hint", now=site.clock()) == 0


def _wanting_a_hint(site: Site) -> Any:
    from dataclasses import replace

    return replace(site.deployment.providers["a"].party.settings, id_token_hint=True)


def test_requests_that_come_at_once_after_a_quiet_moment_all_know(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Browser(site)
    browser.log_in()
    elsewhere = site.another_worker()
    browser.get("/portal/HELP", application=elsewhere)
    deployment = site.deployment
    session = deployment.sessions.read(browser.session or "")
    assert session is not None
    deployment.store.end(Ending("session", "", session.id, site.clock() + 1, site.clock() + 3600), now=site.clock())
    site.clock.advance(3)
    read = deployment.store.endings_after

    def slow(number: int, *, since: float) -> tuple[int, list[Ending]]:
        time.sleep(0.2)
        return read(number, since=since)

    monkeypatch.setattr(deployment.store, "endings_after", slow)
    with ThreadPoolExecutor(8) as pool:
        ended = list(pool.map(lambda _: deployment.endings.has_ended(session), range(8)))

    elsewhere.close()
    assert ended == [True] * 8
