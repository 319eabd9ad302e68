"""What a worker remembers of cookies between requests, and what it must ask anew each time."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from jsmsso.identity.customer import Customer
from jsmsso.runtime import sessions
from jsmsso.runtime.session_keeping import OPENED, SessionKeeping
from jsmsso.runtime.visit import MAX_PARSED, PARSED, Visit
from jsmsso.sealing import Sealer
from jsmsso.store.sqlite import SqliteStore
from tests.oidc.provider import Provider
from tests.runtime.site import Browser, Site, portal

NOW = 1_800_000_000
ADA = Customer("stub", "https://op.example", "sub-1", "ada@acme.com", "Ada", "Lovelace", "Ada Lovelace")


class Clock:
    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keeping(tmp_path: Path, clock: Clock) -> SessionKeeping:
    return SessionKeeping(
        Sealer(("s" * 32,), "https://sso.acme.com"), SqliteStore(tmp_path / "state.db"), clock, lifetime=8000, idle_timeout=3600
    )


@pytest.mark.parametrize("groups", [pytest.param(1, id="in a cookie"), pytest.param(200, id="in the store")])
@pytest.mark.parametrize(("steps", "alive"), [([0, 3599], True), ([0, 3599, 1], False), ([0, 0, 0, 3600], False)])
def test_a_session_that_was_read_before_ends_in_time_all_the_same(
    keeping: SessionKeeping, clock: Clock, groups: int, steps: list[int], alive: bool
) -> None:
    session = sessions.begin(ADA, {"groups": ["x" * 100] * groups}, frozenset(("groups",)), NOW)
    text = keeping.keep(session)
    found = None
    for seconds in steps:
        clock.now += seconds
        found = keeping.read(text)

    assert found == (session if alive else None)


def test_a_session_that_was_renewed_again_and_again_ends_after_its_lifetime(keeping: SessionKeeping, clock: Clock) -> None:
    session = sessions.begin(ADA, {}, frozenset(), NOW)
    text = keeping.keep(session)
    while clock.now < NOW + 8000:
        found = keeping.read(text)
        assert found is not None
        renewed = sessions.renewed(found, now=clock.now, idle_timeout=3600)
        text = keeping.renew(renewed) if renewed else text
        clock.now += 1000

    assert keeping.read(text) is None


def test_an_altered_cookie_is_refused_before_and_after_the_right_one(keeping: SessionKeeping) -> None:
    session = sessions.begin(ADA, {}, frozenset(), NOW)
    text = keeping.keep(session)
    for _ in range(2):
        assert all(keeping.read(altered) is None for altered in (text[:-1], text + "A", text[:-2] + "AA", text.swapcase(), ""))
        assert keeping.read(text) == session


def test_what_is_remembered_is_bounded(keeping: SessionKeeping) -> None:
    texts = [keeping.keep(sessions.begin(ADA, {}, frozenset(), NOW)) for _ in range(OPENED + 10)]
    found = [keeping.read(text) for text in texts]

    assert keeping._content.cache_info().currsize == OPENED
    assert [keeping.read(text) for text in texts] == found


def test_made_up_cookies_push_out_no_real_one(keeping: SessionKeeping) -> None:
    keeping.read(text := keeping.keep(sessions.begin(ADA, {}, frozenset(), NOW)))
    for number in range(OPENED + 10):
        keeping.read(f"{number:04}{text[4:]}")
    opened = keeping._content.cache_info().misses
    keeping.read(text)

    assert keeping._content.cache_info().misses == opened


def cookies(header: str) -> dict[str, str]:
    return dict(Visit({"REQUEST_METHOD": "GET", "HTTP_COOKIE": header}, "/").cookies)


def test_each_request_has_its_own_cookies() -> None:
    for _ in range(2):
        for number in range(PARSED + 10):
            assert cookies(f"jsmsso={number}; other=x; jsmsso=second") == {"jsmsso": str(number), "other": "x"}
    assert "jsmsso" not in cookies("")


def test_a_long_header_is_read_all_the_same() -> None:
    assert cookies(f"a={'x' * MAX_PARSED}; jsmsso=value")["jsmsso"] == "value"


def test_each_portal_has_its_own_decision_and_a_reload_makes_them_anew(make_site: Callable[..., Site], provider: Provider) -> None:
    provider.claims["groups"] = ["it"]
    it, hr = [{"allow": {"claim": "groups", "any_of": ["it"]}}], [{"allow": {"claim": "groups", "any_of": ["hr"]}}]
    site = make_site(provider, portals=[portal("3", "HELP", "IT help", access=it), portal("4", "HR", "People", access=hr)])
    browser = Browser(site)
    browser.log_in("/portal/HELP")
    for _ in range(2):
        assert [browser.get(f"/portal/{key}").status for key in ("HELP", "HR")] == [302, 403]

    site.reload(portals=[portal("3", "HELP", "IT help", access=hr), portal("4", "HR", "People", access=it)])
    for _ in range(2):
        assert [browser.get(f"/portal/{key}").status for key in ("HELP", "HR")] == [403, 302]


def test_a_portals_list_that_changed_counts_for_a_session_that_was_let_in(make_site: Callable[..., Site], provider: Provider) -> None:
    site = make_site(provider)
    path = site.folder / "leavers.txt"
    path.write_text("# nobody yet\n")
    rules = [{"deny": {"any": [{"email_in": "leavers.txt"}]}}, {"allow": "everyone"}]
    site.reload(portals=[portal("3", "HELP", "IT help", access=rules)])
    browser = Browser(site)
    browser.log_in("/portal/HELP")
    (event,) = site.events("login.ok")
    assert browser.get("/portal/HELP").status == 302

    path.write_text(f"{event['email']}\n")
    os.utime(path, (1, 1))
    while browser.get("/portal/HELP").status == 302:  # it is looked at once a second
        pass
    assert browser.get("/portal/HELP").status == 403
