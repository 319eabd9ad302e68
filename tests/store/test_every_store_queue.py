"""Writes that wait, and pauses: what every store promises, asked of SQLite and of a real Redis alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from jsmsso.store.interface import Store
from jsmsso.store.records import Write, WriteCount
from tests.store.people import ISSUER, NOW, at_once, leased, wait


def test_a_write_waits_for_its_person(store: Store) -> None:
    wait(store, "ada", content='{"name": "Ada"}')

    assert store.write_of(ISSUER, "ada") == Write(ISSUER, "ada", "acme", "ada@acme.com", '{"name": "Ada"}', 1, NOW, NOW)
    assert store.write_of(ISSUER, "bob") is None
    assert store.count_writes() == WriteCount(1, 0)


def test_a_newer_write_takes_the_place_of_the_one_that_waits(store: Store) -> None:
    wait(store, "ada")
    held = store.lease_write("w", now=NOW, until=NOW + 60)
    assert held is not None
    store.postpone_write(held, due=NOW + 30, reason="down", error="503")
    store.put_write(ISSUER, "ada", "acme", "ada@king.com", "new", now=NOW + 5, due=NOW + 6)

    assert store.write_of(ISSUER, "ada") == Write(ISSUER, "ada", "acme", "ada@king.com", "new", 2, NOW, NOW + 6, 1, "down", "503")
    assert store.count_writes() == WriteCount(1, 1)


def test_the_most_overdue_write_is_leased_first_and_by_one_owner(store: Store, another: Callable[[], Store]) -> None:
    for subject, due in (("late", NOW + 60), ("second", NOW - 1), ("first", NOW - 2)):
        wait(store, subject, due=due)
    leased = [one.lease_write(f"w{n}", now=NOW, until=NOW + 30) for n, one in enumerate((store, another(), store))]

    assert [write and (write.subject, write.lease_owner, write.lease_until) for write in leased] == [
        ("first", "w0", NOW + 30), ("second", "w1", NOW + 30), None,
    ]  # fmt: skip
    again = store.lease_write("w2", now=NOW + 31, until=NOW + 90)  # whoever had it died
    assert again is not None
    assert (again.subject, again.lease_owner) == ("first", "w2")


def test_writes_that_are_held_do_not_hide_one_that_is_free(store: Store) -> None:
    for number in range(150):
        wait(store, f"s{number:03}", due=NOW - 200 + number)
    leased = [store.lease_write("w", now=NOW, until=NOW + 30) for _ in range(150)]

    assert [write and write.subject for write in leased] == [f"s{number:03}" for number in range(150)]
    assert store.lease_write("w", now=NOW, until=NOW + 30) is None


def test_workers_that_lease_at_once_get_different_writes(another: Callable[[], Store]) -> None:
    store = another()
    for number in range(8):
        wait(store, f"s{number}")
    leased = at_once([partial(another().lease_write, f"w{n}", now=NOW, until=NOW + 30) for n in range(8)])

    assert len({write.subject for write in leased}) == 8


def test_a_persons_write_is_leased_due_or_not_unless_another_holds_it(store: Store) -> None:
    wait(store, "ada", due=NOW + 1000)
    mine = store.lease_write_of(ISSUER, "ada", "mine", now=NOW, until=NOW + 30)

    assert mine is not None
    assert mine == replace(mine, lease_owner="mine", lease_until=NOW + 30, due=NOW + 1000)
    assert store.lease_write_of(ISSUER, "ada", "other", now=NOW + 1, until=NOW + 31) is None
    assert store.lease_write_of(ISSUER, "ada", "mine", now=NOW + 1, until=NOW + 31) is not None
    assert store.lease_write_of(ISSUER, "ada", "other", now=NOW + 32, until=NOW + 60) is not None
    assert store.lease_write_of(ISSUER, "bob", "other", now=NOW, until=NOW + 60) is None


def test_a_finished_write_is_gone(store: Store) -> None:
    write = leased(store)

    assert store.finish_write(write)
    assert store.write_of(ISSUER, "ada") is None
    assert store.count_writes() == WriteCount(0, 0)
    assert not store.finish_write(write)


def test_a_write_with_newer_content_stays_when_the_older_is_done(store: Store) -> None:
    write = leased(store)
    wait(store, "ada", content="newer")

    assert not store.finish_write(write)
    stays = store.write_of(ISSUER, "ada")
    assert stays is not None
    assert (stays.content, stays.lease_owner, stays.lease_until) == ("newer", "", 0.0)


def test_who_lost_the_lease_changes_nothing(store: Store) -> None:
    write = leased(store)
    taken = store.lease_write("other", now=NOW + 31, until=NOW + 60)

    assert not store.finish_write(write)
    store.postpone_write(write, due=NOW + 500, reason="down", error="503")
    assert store.write_of(ISSUER, "ada") == taken


def test_a_write_that_failed_waits_for_its_next_time(store: Store) -> None:
    store.postpone_write(leased(store), due=NOW + 30, reason="jsm_unreachable", error="no route")
    wait(store, "bob")

    assert store.write_of(ISSUER, "ada") == Write(
        ISSUER, "ada", "acme", "ada@acme.com", "{}", 1, NOW, NOW + 30, 1, "jsm_unreachable", "no route"
    )
    assert [write.subject for write in store.writes()] == ["ada", "bob"]
    assert [write.subject for write in store.writes(failing_only=True)] == ["ada"]
    assert store.count_writes() == WriteCount(2, 1)


def test_newer_content_keeps_its_time_when_the_older_failed(store: Store) -> None:
    write = leased(store)
    wait(store, "ada", content="newer", due=NOW + 1)
    store.postpone_write(write, due=NOW + 3600, reason="down", error="")

    kept = store.write_of(ISSUER, "ada")
    assert kept is not None
    assert (kept.due, kept.attempts) == (NOW + 1, 1)
    assert store.lease_write("w", now=NOW + 2, until=NOW + 9) is not None


def test_writes_are_listed_oldest_first_and_as_many_as_asked_for(store: Store) -> None:
    for number in range(5):
        store.put_write(ISSUER, f"s{4 - number}", "acme", "a@b.c", "", now=NOW + number, due=NOW)

    assert [write.subject for write in store.writes(limit=3)] == ["s4", "s3", "s2"]


def test_of_two_pauses_the_later_end_counts(store: Store, another: Callable[[], Store]) -> None:
    assert store.paused_until("jsm") == 0.0
    for until in (NOW + 60.5, NOW + 30):
        store.pause("jsm", until)

    assert another().paused_until("jsm") == NOW + 60.5
    assert store.paused_until("scim") == 0.0
