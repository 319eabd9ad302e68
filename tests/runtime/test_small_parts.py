"""Logins, sessions, targets, form tokens and what a visit is read as, each alone."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from jsmsso.errors import IdentityRefused, TooBusy
from jsmsso.identity.customer import Customer
from jsmsso.profile.model import Portal
from jsmsso.runtime import logins, sessions
from jsmsso.runtime.forms import form_token, is_form_token
from jsmsso.runtime.places import Places
from jsmsso.runtime.session_keeping import SessionKeeping
from jsmsso.runtime.targets import Portals
from jsmsso.runtime.visit import Visit, decoded_path
from jsmsso.sealing import Sealer
from jsmsso.store.sqlite import SqliteStore
from tests.runtime.site import SESSION_SECRET, portal

NOW = 1_800_000_000
NAMES = tuple(f"login-{slot}" for slot in range(5))
ADA = Customer("a", "https://op.example", "sub-1", "ada@acme.example", "Ada", "Lovelace", "Ada Lovelace")


@pytest.fixture
def sealer() -> Sealer:
    return Sealer([SESSION_SECRET], "https://sso.acme.example")


# Logins ---------------------------------------------------------------------------------------


def test_a_login_comes_back_from_its_cookie_as_it_was(sealer: Sealer) -> None:
    login = logins.begin("cognito", "/portal/HELP/HELP-1?q=a%20b", "3", 4, NOW + 0.9)
    assert logins.unseal(logins.seal(login, sealer), sealer) == login
    assert login.started == NOW


def test_state_nonce_and_verifier_differ_and_no_two_logins_share_any() -> None:
    made = [logins.begin("a", "/", "", 0, NOW) for _ in range(100)]
    values = [value for login in made for value in (login.state, login.nonce, login.code_verifier)]
    assert len(set(values)) == 300
    assert all(len(login.code_verifier) == 43 for login in made)


def test_a_state_tells_its_cookie_and_portal() -> None:
    login = logins.begin("a", "/portal/HELP", "3", 2, NOW)
    assert logins.state_parts(login.state) == (2, logins.portal_tag("3"))


@pytest.mark.parametrize("state", ["", "0", "5" * 48, "x" * 48, "0" * 47, "0" * 49, "\u0660" + "a" * 47, "0" + "é" * 47, "-" + "1" * 47])
def test_another_text_is_no_state_of_ours(state: str) -> None:
    assert logins.state_parts(state) is None


def test_a_free_cookie_is_taken_before_any_other_goes(sealer: Sealer) -> None:
    taken = {NAMES[slot]: logins.seal(logins.begin("a", "/", "", slot, NOW), sealer) for slot in (0, 1, 3, 4)}
    assert {logins.free_slot(taken, NAMES, sealer) for _ in range(20)} == {2}
    assert {logins.free_slot({}, NAMES, sealer) for _ in range(200)} == set(range(5)), "by chance, so that tabs rarely meet"


def test_the_oldest_goes_and_rubbish_goes_before_it(sealer: Sealer) -> None:
    cookies = {NAMES[slot]: logins.seal(logins.begin("a", "/", "", slot, NOW + (slot - 3) % 5), sealer) for slot in range(5)}
    assert logins.free_slot(cookies, NAMES, sealer) == 3
    cookies[NAMES[1]] = "rubbish"
    assert logins.free_slot(cookies, NAMES, sealer) == 1


@pytest.mark.parametrize("content", [b"", b"short", b"\x00" * 36, b"\x00" * 36 + b"xAAAA", b"\x00" * 36 + b"\xff\xff"])
def test_a_login_of_another_version_of_ours_is_none(sealer: Sealer, content: bytes) -> None:
    assert logins.unseal(sealer.seal("login", content), sealer) is None


def test_the_longest_login_has_a_cookie_of_400_bytes(sealer: Sealer) -> None:
    provider, return_to = "p" * 40, "/" + "x" * (logins.MAX_NAMES - 41)
    assert logins.fits(provider, return_to)
    assert not logins.fits(provider, return_to + "x")
    value = logins.seal(logins.begin(provider, return_to, "3", 0, NOW), sealer)
    assert len(f"__Host-jsmsso-login-0={value}") <= 400


# Sessions -------------------------------------------------------------------------------------


def keeping(sealer: Sealer, path: Path, now: float = NOW) -> SessionKeeping:
    return SessionKeeping(sealer, SqliteStore(path / "state.db"), lambda: now, lifetime=28800, idle_timeout=3600)


def test_a_session_comes_back_with_the_claims_that_rules_name(sealer: Sealer, tmp_path: Path) -> None:
    kept = keeping(sealer, tmp_path)
    session = sessions.begin(ADA, {"groups": ["x"], "sub": "sub-1", "sid": "s", "secret": 1}, frozenset(("groups", "gone")), NOW)
    assert kept.read(kept.keep(session)) == session
    assert session.claims == {"groups": ["x"], "gone": None}
    assert session.sid == "s"


@pytest.mark.parametrize("sid", [None, 1, ["s"], {}])
def test_a_sid_that_is_no_text_is_left_out(sid: object) -> None:
    assert sessions.begin(ADA, {"sid": sid}, frozenset(), NOW).sid == ""


@pytest.mark.parametrize("now, alive", [(NOW, True), (NOW + 3599, True), (NOW + 3600, False), (NOW + 28800, False)])
@pytest.mark.parametrize("groups", [pytest.param(1, id="in a cookie"), pytest.param(200, id="in the store")])
def test_a_session_lives_as_long_as_it_is_used(sealer: Sealer, tmp_path: Path, now: int, alive: bool, groups: int) -> None:
    session = sessions.begin(ADA, {"groups": ["x" * 100] * groups}, frozenset(("groups",)), NOW)
    text = keeping(sealer, tmp_path).keep(session)
    assert keeping(sealer, tmp_path, now).read(text) == (session if alive else None)


@pytest.mark.parametrize("seconds, renewed", [(0, False), (359, False), (360, True), (3599, True)])
def test_a_tenth_of_the_idle_time_renews(seconds: int, renewed: bool) -> None:
    session = sessions.begin(ADA, {}, frozenset(), NOW)
    later = sessions.renewed(session, now=NOW + seconds, idle_timeout=3600)
    assert (later is not None) == renewed
    if later:
        assert (later.started, later.seen, later.id) == (NOW, NOW + seconds, session.id)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b'["one"]', b"null", b"1", b"\xff", b'"thirteen chars"', b'"abcdefghijklm"', b'["id", "1", "2"]', b'"abc"'],
)
def test_a_session_of_another_version_of_ours_is_none(sealer: Sealer, tmp_path: Path, content: bytes) -> None:
    assert keeping(sealer, tmp_path).read(sealer.seal("session", content)) is None


def test_a_large_session_lies_in_the_store_for_every_worker_until_it_ends(sealer: Sealer, tmp_path: Path) -> None:
    one, other = keeping(sealer, tmp_path), keeping(sealer, tmp_path, NOW + 400)
    session = sessions.begin(ADA, {"groups": ["x" * 100] * 50}, frozenset(("groups",)), NOW)

    text = one.keep(session)
    later = sessions.renewed(session, now=NOW + 400, idle_timeout=3600)
    assert later is not None

    assert len(text) < 150
    assert other.read(text) == session
    assert other.read(other.renew(later)) == later
    other.forget(session.id)
    assert keeping(sealer, tmp_path, NOW + 400).read(text) is None


def test_what_lies_in_the_store_is_sealed(sealer: Sealer, tmp_path: Path) -> None:
    session = sessions.begin(ADA, {"groups": ["a secret group"] * 500}, frozenset(("groups",)), NOW)
    keeping(sealer, tmp_path).keep(session)
    lying = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"a secret group" not in lying


def test_a_session_too_large_for_any_place_names_the_claims(sealer: Sealer, tmp_path: Path) -> None:
    session = sessions.begin(ADA, {"groups": ["x" * 100] * 5000}, frozenset(("groups",)), NOW)
    with pytest.raises(IdentityRefused) as caught:
        keeping(sealer, tmp_path).keep(session)
    assert (caught.value.reason, caught.value.claims) == ("too_large", ("groups",))


# Form tokens ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form, session, now, fits",
    [
        ("logout", "s1", NOW, True),
        ("logout", "s1", NOW + 12 * 3600 - 1, True),
        ("logout", "s1", NOW + 12 * 3600, False),
        ("logout", "s2", NOW, False),
        ("logout", "", NOW, False),
        ("other", "s1", NOW, False),
        ("logout s1", "", NOW, False),
    ],
)
def test_a_token_fits_its_form_and_session_for_half_a_day(sealer: Sealer, form: str, session: str, now: int, fits: bool) -> None:
    assert is_form_token(sealer, form_token(sealer, "logout", "s1", NOW), form, session, now) is fits


@pytest.mark.parametrize("token", ["", "x", "é", "A" * 10_000, "AQ" * 40])
def test_another_text_is_no_token(sealer: Sealer, token: str) -> None:
    assert is_form_token(sealer, token, "logout", "", NOW) is False


# Targets and visits ---------------------------------------------------------------------------


@pytest.fixture
def portals() -> Portals:
    rows = [portal("3", "HELP", "IT"), portal("4", "HR", "People"), portal("5", "OLD", "Old", gone=True)]
    return Portals([Portal.model_validate(row) for row in rows])


def test_a_portal_is_found_by_key_by_id_and_by_tag(portals: Portals) -> None:
    help_ = portals.all[0]
    for found in (
        portals.of_link("/portal/HELP"),
        portals.of_link("/portal/3"),
        portals.of_native_path("/servicedesk/customer/portal/3", ""),
    ):
        assert found is not None
        assert found.portal == help_
    assert portals.by_tag(logins.portal_tag("3")) == help_
    assert portals.by_tag("none") is None
    assert portals.of_own_path("/portal/HELP/HELP-1?x=y") == portals.of_own_path("/servicedesk/customer/portal/3/HELP-1?x") == help_
    assert portals.of_own_path("/") is None
    assert portals.of_link("/portal/OLD") is None


@pytest.mark.parametrize("path", ["/portal/HELP/HELP-1", "/servicedesk/customer/portal/3/create/10"])
def test_a_target_says_its_own_path_again(portals: Portals, path: str) -> None:
    target = portals.of_link(path) if path.startswith("/portal") else portals.of_native_path(path, "q=a b&token=x")
    assert target is not None
    assert target.own_path == path + ("" if path.startswith("/portal") else "?q=a+b")


@pytest.mark.parametrize(
    "raw, path",
    [
        ("", "/"), ("/", "/"), ("/portal/HELP", "/portal/HELP"), ("/a b", "/a b"), ("/\u00c3\u00a9", "/é"), ("/\xff", None), ("//", None),
        ("/..", None), ("/a/../b", None), ("/a/..b", "/a/..b"), ("/a\\b", None), ("/a\x00", None), ("/a\x7f", None),
        ("/" + "a" * 2048, None),
        ("/\u20ac", None),
    ],
)  # fmt: skip
def test_a_path_is_read_once_or_not_at_all(raw: str, path: str | None) -> None:
    assert decoded_path({"PATH_INFO": raw}) == path


def test_of_two_cookies_of_one_name_the_first_counts() -> None:
    assert Visit({"REQUEST_METHOD": "GET", "HTTP_COOKIE": "a=1; b=2; a=3"}, "/").cookies == {"a": "1", "b": "2"}


@pytest.mark.parametrize("seconds", [0.0, -1.0], ids=["no time left", "less than none"])
def test_who_has_no_time_left_takes_a_free_place_and_waits_for_none(seconds: float) -> None:
    places, ends = Places(1), time.monotonic() + seconds
    with places.one("JSM", ends), pytest.raises(TooBusy), places.one("JSM", ends):
        pass
