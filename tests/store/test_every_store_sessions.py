"""Used logins and ended sessions: what every store promises, asked of SQLite and of a real Redis alike."""

from __future__ import annotations

from collections.abc import Callable

from jsmsso.store.interface import Store
from jsmsso.store.records import Ending
from tests.store.people import ISSUER, NOW, at_once


def test_a_login_is_used_once_on_any_worker(store: Store, another: Callable[[], Store]) -> None:
    assert not store.login_was_used(b"\x00a")
    assert [one.use_login(b"\x00a", now=NOW, expires=NOW + 600) for one in (store, another(), store)] == [True, False, False]
    assert another().login_was_used(b"\x00a")
    assert store.use_login(b"\x00b", now=NOW, expires=NOW + 600)


def test_of_twenty_threads_one_uses_a_login(store: Store) -> None:
    used = at_once([lambda: [store.use_login(bytes([login]), now=NOW, expires=NOW + 600) for login in range(10)]] * 20)

    assert [sum(column) for column in zip(*used, strict=True)] == [1] * 10


def test_a_logout_token_ends_sessions_once(store: Store, another: Callable[[], Store]) -> None:
    ending = Ending("sub", ISSUER, "ada", NOW, NOW + 100)
    assert [one.end_once(ending, b"jti", now=NOW, expires=NOW + 60) for one in (store, another(), store)] == [True, False, False]
    assert store.endings_after(0)[1] == [ending]
    assert store.end_once(ending, b"other", now=NOW, expires=NOW + 60)
    assert store.use_login(b"jti", now=NOW, expires=NOW + 60)  # a name of its own


def test_of_twenty_threads_one_ends_sessions_by_a_logout_token(store: Store) -> None:
    ending = Ending("sub", ISSUER, "ada", NOW, NOW + 100)
    said = at_once([lambda: store.end_once(ending, b"jti", now=NOW, expires=NOW + 60)] * 20)

    assert sum(said) == 1
    assert store.endings_after(0)[1] == [ending]


def test_endings_of_sessions_that_are_over_for_their_age_are_left_out_and_passed_over(store: Store) -> None:
    for number in range(3):
        store.end(Ending("session", "", str(number), NOW + number, NOW + 100), now=NOW)

    last, found = store.endings_after(0, since=NOW + 1)
    assert [ending.value for ending in found] == ["1", "2"]
    assert store.endings_after(0, since=NOW + 50) == (last, [])
    assert store.endings_after(last) == (last, [])


def test_every_worker_reads_each_ending_once_and_in_order(store: Store, another: Callable[[], Store]) -> None:
    endings = [
        Ending("session", "", "s1", NOW, NOW + 100),
        Ending("sid", ISSUER, "sid", NOW + 0.25, NOW + 100),
        Ending("sub", ISSUER, "ada", NOW, NOW + 100),
        Ending("email", "", "ada@acme.com", NOW, NOW + 100),
        Ending("all", "", "", NOW, NOW + 100),
    ]
    reader = another()
    assert reader.endings_after(0) == (0, [])
    for ending in endings[:2]:
        store.end(ending, now=NOW)
    number, found = reader.endings_after(0)
    assert found == endings[:2]
    for ending in endings[2:]:
        store.end(ending, now=NOW)

    later, found = reader.endings_after(number)
    assert found == endings[2:]
    assert later > number
    assert reader.endings_after(later) == (later, [])
    assert another().endings_after(0) == (later, endings)


def test_endings_that_expired_are_forgotten(store: Store) -> None:
    for number in range(30):
        store.end(Ending("session", "", str(number), NOW, NOW + 10), now=NOW)
    store.end(Ending("session", "", "lasting", NOW, NOW + 100), now=NOW + 11)
    store.clean(now=NOW + 11, accounts_before=0, queue_before=0)

    assert [ending.value for ending in store.endings_after(0)[1]] == ["lasting"]
    assert store.inspect().rows["endings"] == 1
