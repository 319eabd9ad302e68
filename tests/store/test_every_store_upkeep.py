"""What is kept about whom and for how long: what every store promises, asked of SQLite and of a real Redis alike."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from jsmsso.store.interface import Store
from jsmsso.store.records import Account, Ending, Link, Membership, Write, WriteCount
from tests.store.people import ADA, DAY, ISSUER, NOW, fill, leased, wait


def test_all_that_is_kept_about_a_person_is_told(store: Store) -> None:
    fill(store, "ada", "ada@acme.com")
    fill(store, "bob", "bob@acme.com")
    told = store.about("ada@acme.com")

    assert {table: len(rows) for table, rows in told.items()} == {
        "accounts": 1, "links": 1, "memberships": 1, "writes": 1, "records": 1, "bars": 1, "endings": 2,
    }  # fmt: skip
    assert "bob" not in str(told)
    assert told["accounts"] == [
        {
            "issuer": ISSUER, "subject": "ada", "provider": "acme", "email": "ada@acme.com", "account_id": "id-ada", "display_name": "",
            "fingerprint": "", "desks": ["1"], "making_since": None, "first_seen": NOW, "last_seen": NOW,
        }
    ]  # fmt: skip
    assert told["links"] == [{"email": "ada@acme.com", "account_id": "id-ada", "at": NOW, "by": "sync"}]
    assert told["records"] == [{"kind": "session", "key": "ada", "expires": NOW + 60, "bytes": 6}]
    assert told["memberships"][0]["organization"] == "Acme"
    assert set(map(len, store.about("nobody@acme.com").values())) == {0}


def test_both_stores_tell_the_same_columns(store: Store) -> None:
    fill(store, "ada", "ada@acme.com")
    told = store.about("ada@acme.com")

    assert {table: sorted(rows[0]) for table, rows in told.items()} == {
        "accounts": sorted(one.name for one in fields(Account)),
        "links": ["account_id", "at", "by", "email"],
        "memberships": sorted(one.name for one in fields(Membership)),
        "writes": sorted(one.name for one in fields(Write)),
        "records": ["bytes", "expires", "key", "kind"],
        "bars": ["at", "email", "key"],
        "endings": sorted(one.name for one in fields(Ending)),
    }


def test_a_person_is_forgotten_and_others_are_not(store: Store) -> None:
    fill(store, "ada", "ada@acme.com")
    fill(store, "bob", "bob@acme.com")
    before = store.about("bob@acme.com")

    assert store.forget("ada@acme.com") == {"memberships": 1, "records": 1, "links": 1, "writes": 1, "accounts": 1}
    left = {table for table, rows in store.about("ada@acme.com").items() if rows}
    assert left == {"bars", "endings"}, "who was forgotten must stay barred, and ended sessions must stay ended"
    assert store.account(ISSUER, "ada") is None
    assert store.accounts_of_id("id-ada") == []
    assert store.memberships(ISSUER, "ada") == []
    assert store.write_of(ISSUER, "ada") is None
    assert store.count_writes() == WriteCount(1, 0)
    assert store.count("session", now=NOW) == 1
    assert store.is_barred(f"sub:{ISSUER} ada")
    assert store.about("bob@acme.com") == before
    assert set(store.forget("ada@acme.com").values()) == {0}


def test_somebody_whose_account_is_not_made_yet_is_forgotten_too(store: Store) -> None:
    wait(store, "ada")
    store.add_membership(Membership(ISSUER, "ada", "5b10", "7", "Acme", NOW))

    assert store.forget("ada@acme.com") == {"memberships": 1, "records": 0, "links": 0, "writes": 1, "accounts": 0}


def test_what_nobody_needs_any_more_is_cleaned_away(store: Store) -> None:
    fill(store, "old", "old@acme.com")
    fill(store, "new", "new@acme.com")
    store.link(Link("alone@acme.com", "5b12", NOW, "operator"))
    store.add_membership(Membership(ISSUER, "alone", "5b12", "7", "Acme", NOW))
    store.add_membership(Membership(ISSUER, "alone", "5b12", "8", "Fresh", NOW + 399 * DAY))
    store.pause("jsm", NOW + 60)
    store.see(ISSUER, "new", NOW + 10 * DAY)
    store.put("session", "young", b"", expires=NOW + 401 * DAY)
    wait(store, "young")
    now = NOW + 400 * DAY
    counts = store.clean(now=now, accounts_before=NOW + DAY, queue_before=NOW + 393 * DAY)

    assert {table: counts[table] for table in ("accounts", "memberships", "links", "writes", "records", "endings", "pauses")} == {
        "accounts": 1, "memberships": 2, "links": 2, "writes": 3, "records": 2, "endings": 4, "pauses": 1,
    }  # fmt: skip
    assert store.account(ISSUER, "old") is None
    assert store.account(ISSUER, "new") is not None
    assert len(store.memberships(ISSUER, "new")) == 1
    assert [one.organization for one in store.memberships(ISSUER, "alone")] == ["Fresh"]
    assert store.linked("new@acme.com") is not None
    assert store.linked("alone@acme.com") is None
    assert store.count_writes() == WriteCount(0, 0)
    assert store.paused_until("jsm") == 0.0
    assert store.get("session", "young", now=now) == b""
    assert store.is_barred(f"sub:{ISSUER} old")
    again = store.clean(now=now, accounts_before=NOW + DAY, queue_before=NOW + 393 * DAY)
    assert set(again.values()) == {0}


def test_a_write_that_somebody_is_at_is_not_cleaned_away(store: Store) -> None:
    write = leased(store)

    assert store.clean(now=NOW + 1, accounts_before=0, queue_before=NOW + 1)["writes"] == 0
    assert store.finish_write(write)


def test_more_than_a_batch_is_cleaned_at_once(store: Store) -> None:
    for number in range(1203):
        store.put("session", str(number), b"", expires=NOW)

    assert store.clean(now=NOW + 1, accounts_before=0, queue_before=0)["records"] == 1203


def test_rows_are_counted_by_table(store: Store) -> None:
    fill(store, "ada", "ada@acme.com")
    store.use_login(b"a", now=NOW, expires=NOW + 60)
    store.end_once(Ending("session", "", "a", NOW, NOW + 60), b"a", now=NOW, expires=NOW + 60)
    store.lease("refresh", "a", "w", now=NOW, until=NOW + 60)
    store.pause("jsm", NOW)

    found = store.inspect()
    assert found.rows == {
        "used_logins": 1, "endings": 3, "logout_tokens": 1, "accounts": 1, "links": 1, "memberships": 1, "writes": 1, "pauses": 1,
        "bars": 1, "records": 1, "leases": 1,
    }  # fmt: skip
    assert found.problems == ()
    assert found.version == 1


def test_a_store_that_works_is_not_down(store: Store) -> None:
    store.check()

    assert not store.health.is_down


@pytest.mark.parametrize("odd", ["Ünïcode 名前", "a:b c{d}", "'; DROP TABLE accounts; --", "x" * 255, "%*?[a]"])
def test_any_text_can_be_a_subject(store: Store, odd: str) -> None:
    odd_one = replace(ADA, subject=odd, display_name=odd)
    store.remember(odd_one)
    store.add_membership(Membership(ISSUER, odd, "5b10", "7", odd, NOW))
    wait(store, odd)
    store.put("flag", odd, b"1", expires=NOW + 60, owner=odd)

    assert store.account(ISSUER, odd) == odd_one
    assert store.memberships(ISSUER, odd)[0].organization == odd
    assert store.lease_write("w", now=NOW, until=NOW + 1) is not None
    assert store.about(odd)["records"][0]["key"] == odd
    store.forget("ada@acme.com")
    assert store.account(ISSUER, odd) is None
