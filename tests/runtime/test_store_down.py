"""While the store does not answer: a blip is nobody's trouble, then ``store_failure`` decides, and nothing is lost."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from jsmsso.store import redis_server as redis_of_ours
from jsmsso.store.records import Ending
from tests.oidc.provider import Provider
from tests.runtime.site import Browser, Site
from tests.services.redis_server import RedisServer

TABLES = ("used_logins", "endings", "records")


def turn_off(site: Site) -> None:
    """Nothing of the store can be read or written, as when its disk or its server is away."""
    with closing(sqlite3.connect(site.folder / "state.db")) as connection:
        for table in TABLES:
            connection.execute(f"ALTER TABLE {table} RENAME TO {table}_away")


def turn_on(site: Site) -> None:
    with closing(sqlite3.connect(site.folder / "state.db")) as connection:
        for table in TABLES:
            connection.execute(f"ALTER TABLE {table}_away RENAME TO {table}")


def end_everything(site: Site) -> None:
    """As ``jsmsso sessions revoke --all`` does, in a process of its own."""
    with closing(sqlite3.connect(site.folder / "state.db", isolation_level=None)) as connection:
        now = site.clock()
        connection.execute("INSERT INTO endings (kind, issuer, value, at, expires) VALUES ('all', '', '', ?, ?)", (now, now + 86400))


def test_a_short_failure_is_not_noticed_by_who_is_signed_in(site: Site, browser: Browser) -> None:
    browser.log_in()
    assert "Sign out" in browser.get("/").text
    turn_off(site)
    for _ in range(9):
        site.clock.advance(1)
        assert "Sign out" in browser.get("/").text


def test_closed_answers_503_after_ten_seconds_and_keeps_the_cookies(site: Site, browser: Browser) -> None:
    browser.log_in()
    cookies = dict(browser.cookies)
    turn_off(site)
    site.clock.advance(11)
    page = browser.get("/")
    assert (page.status, page.title) == (503, "This site cannot sign anybody in just now")
    assert page.all("Set-Cookie") == []
    assert browser.cookies == cookies
    site.clock.advance(0.1)
    assert browser.get("/").status == 503, "between two looks at the store too"

    turn_on(site)
    site.clock.advance(1)
    assert "Sign out" in browser.get("/").text


def test_open_goes_on_and_says_what_is_weaker_now_and_then(make_site: Callable[..., Site], provider: Provider) -> None:
    site = make_site(provider, store_failure="open")
    browser = Browser(site)
    browser.log_in()
    turn_off(site)
    for _ in range(30):
        site.clock.advance(1)
        assert "Sign out" in browser.get("/").text

    said = site.events("store.unavailable")
    assert 2 <= len(said) <= 3
    assert "may go on" in said[0]["weaker"]
    turn_on(site)
    site.clock.advance(1)
    assert "Sign out" in browser.get("/").text
    site.clock.advance(60)
    assert "Sign out" in browser.get("/").text
    assert len(site.events("store.unavailable")) == len(said)


def test_what_ended_meanwhile_has_ended_when_the_store_is_back(make_site: Callable[..., Site], provider: Provider) -> None:
    site = make_site(provider, store_failure="open")
    browser = Browser(site)
    browser.log_in()
    end_everything(site)
    turn_off(site)
    site.clock.advance(15)
    assert "Sign out" in browser.get("/").text
    turn_on(site)
    site.clock.advance(1)
    assert "Sign out" not in browser.get("/").text


def test_after_a_quiet_hour_the_first_request_must_hear_from_the_store(site: Site, browser: Browser) -> None:
    browser.log_in()
    site.clock.advance(1800)
    end_everything(site)
    turn_off(site)
    assert browser.get("/").status == 503


def test_a_worker_that_starts_while_the_store_is_down_lets_nobody_in_unasked(site: Site, browser: Browser) -> None:
    browser.log_in()
    fresh = site.another_worker()
    turn_off(site)
    assert browser.get("/portal/HR", application=fresh).status == 503
    turn_on(site)
    site.clock.advance(1)
    assert "Sign out" in browser.get("/", application=fresh).text
    fresh.close()


def test_of_many_first_requests_none_passes_before_the_store_was_heard(
    site: Site, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.log_in()
    end_everything(site)
    fresh = site.another_worker()
    store = site.deployment.store
    reading, go_on = threading.Event(), threading.Event()
    read = store.endings_after

    def read_slowly(number: int, *, since: float) -> Any:
        reading.set()
        go_on.wait(30)
        return read(number, since=since)

    monkeypatch.setattr(store, "endings_after", read_slowly, raising=False)
    statuses: list[int] = []
    cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}
    threads = [
        threading.Thread(
            target=lambda: statuses.append(Browser(site).get("/portal/HR", {**browser.headers, **cookies}, application=fresh).status)
        )
        for _ in range(4)
    ]
    threads[0].start()
    assert reading.wait(30)
    for thread in threads[1:]:
        thread.start()
    threads[1].join(0.1)
    assert statuses == []
    go_on.set()
    for thread in threads:
        thread.join()
    assert statuses == [302] * 4
    fresh.close()


def test_a_login_waits_in_its_cookie_until_the_store_is_back(site: Site, browser: Browser, provider: Provider) -> None:
    address = browser.start_login()
    logins = browser.logins
    turn_off(site)
    assert browser.get(address).status == 503
    assert browser.logins == logins
    assert provider.calls_to("/token") == []
    turn_on(site)
    assert browser.get(address).status == 303
    assert "Sign out" in browser.get("/").text


def test_a_session_goes_on_over_a_restart_of_redis(
    make_site: Callable[..., Site], provider: Provider, start_redis_server: Callable[..., RedisServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_of_ours, "RETRY_SECONDS", 0.1)
    server = start_redis_server("--appendonly", "yes")
    site = make_site(provider, store=server.url)
    browser = Browser(site)
    address = browser.start_login()
    assert browser.log_in().status == 303
    assert "Sign out" in browser.get("/").text
    server.stop()
    site.clock.advance(2)
    assert "Sign out" in browser.get("/").text
    assert browser.get("/readyz", {}).status == 503
    site.clock.advance(11)
    assert browser.get("/").status == 503
    server.start()
    site.clock.advance(1)
    assert "Sign out" in browser.get("/").text
    assert browser.get("/readyz", {}).status == 200
    assert browser.get(address).status == 303


def test_an_ending_on_one_machine_is_known_on_the_other_by_redis(
    make_site: Callable[..., Site], provider: Provider, redis_server: RedisServer
) -> None:
    site = make_site(provider, store=redis_server.url, public_url="https://two.acme.example")
    browser = Browser(site)
    browser.log_in()
    other = site.another_worker()
    assert "Sign out" in browser.get("/", application=other).text
    now = site.clock()
    site.deployment.store.end(Ending("email", "", "ada@acme.example", now, now + 3600), now=now)
    site.clock.advance(1.1)
    assert "Sign out" not in browser.get("/", application=other).text
    other.close()
