"""What every store promises, asked of SQLite and of a real Redis alike."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from functools import partial
from typing import Any

import pytest

from jsmsso.store.interface import Store
from jsmsso.store.records import Account, AccountTaken, Bar, Ending, Link, Membership, Write, WriteCount

NOW = 1_900_000_000.125  # as precise as a clock is, and later than any server's own
DAY = 86_400.0
ISSUER = "https://login.acme.com/"
ADA = Account(
    ISSUER, "ada", "acme", "ada@acme.com", "5b10", "Ada Lovelace", '{"v": 1}', ("1", "2"), NOW + 0.5, first_seen=NOW, last_seen=NOW + 1.25
)
BOB = Account(ISSUER, "bob", "acme", "bob@acme.com", "5b11", first_seen=NOW, last_seen=NOW)


def at_once(acts: list[Callable[[], Any]]) -> list[Any]:
    """What each brings, or the error it raises, when all begin at the same moment."""
    together = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        together.wait()
        try:
            return act()
        except AccountTaken as error:
            return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


# Logins and sessions -------------------------------------------------------------------------


def test_a_login_is_used_once_on_any_worker(store: Store, another: Callable[[], Store]) -> None:
    assert not store.login_was_used(b"\x00a")
    assert [one.use_login(b"\x00a", now=NOW, expires=NOW + 600) for one in (store, another(), store)] == [True, False, False]
    assert another().login_was_used(b"\x00a")
    assert store.use_login(b"\x00b", now=NOW, expires=NOW + 600)


def test_of_twenty_threads_one_uses_a_login(store: Store) -> None:
    used = at_once([lambda: [store.use_login(bytes([login]), now=NOW, expires=NOW + 600) for login in range(10)]] * 20)

    assert [sum(column) for column in zip(*used, strict=True)] == [1] * 10


def test_a_logout_token_counts_once(store: Store) -> None:
    assert [store.use_logout_token(b"jti", now=NOW, expires=NOW + 60) for _ in range(2)] == [True, False]
    assert store.use_logout_token(b"other", now=NOW, expires=NOW + 60)
    assert store.use_login(b"jti", now=NOW, expires=NOW + 60)  # a name of its own


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


# Accounts ------------------------------------------------------------------------------------


def test_an_account_is_remembered_whole(store: Store, another: Callable[[], Store]) -> None:
    store.remember(ADA)
    store.remember(BOB)

    assert another().account(ISSUER, "ada") == ADA
    assert store.account(ISSUER, "bob") == BOB
    assert store.account(ISSUER, "nobody") is None
    assert store.accounts_of_email("ada@acme.com") == [ADA]
    assert store.accounts_of_id("5b11") == [BOB]
    assert store.accounts_of_id("") == []


def test_what_is_remembered_anew_replaces_what_was(store: Store) -> None:
    store.remember(ADA)
    married = replace(ADA, email="ada@king.com", account_id="5b99", making_since=None, desks=())
    store.remember(married)

    assert store.account(ISSUER, "ada") == married
    assert store.accounts_of_email("ada@acme.com") == store.accounts_of_id("5b10") == []
    assert store.accounts_of_email("ada@king.com") == store.accounts_of_id("5b99") == [married]


def test_seeing_somebody_moves_the_last_time_alone(store: Store) -> None:
    store.remember(ADA)
    store.see(ISSUER, "ada", NOW + 50)
    store.see(ISSUER, "nobody", NOW + 50)

    assert store.account(ISSUER, "ada") == replace(ADA, last_seen=NOW + 50)
    assert store.account(ISSUER, "nobody") is None


@pytest.mark.parametrize(
    ("other", "is_taken"),
    [
        pytest.param(replace(ADA, subject="new"), False, id="a new subject with the same address"),
        pytest.param(replace(ADA, subject="eve", email="eve@acme.com"), True, id="another address"),
        pytest.param(replace(ADA, issuer="https://other.example"), True, id="another issuer, the same address"),
        pytest.param(replace(ADA, issuer="https://other.example", subject="eve"), True, id="another issuer, another subject"),
        pytest.param(replace(ADA, email="ada@king.com"), False, id="the same person with a new address"),
        pytest.param(replace(BOB, account_id=""), False, id="no account known yet"),
    ],
)
def test_whether_an_account_belongs_to_somebody_else_already(store: Store, other: Account, is_taken: bool) -> None:
    store.remember(replace(BOB, subject="unknown", account_id=""))
    store.remember(ADA)
    if not is_taken:
        store.remember(other)
        assert store.account(other.issuer, other.subject) == other
        return
    with pytest.raises(AccountTaken) as caught:
        store.remember(other)
    assert (caught.value.account_id, caught.value.holder) == ("5b10", (ISSUER, "ada"))
    assert store.account(other.issuer, other.subject) is None

    store.remember(other, allow_shared=True)
    assert set(store.accounts_of_id("5b10")) == {ADA, other}


def test_of_workers_that_give_one_account_away_at_once_one_does(another: Callable[[], Store]) -> None:
    people = [replace(BOB, subject=f"s{number}", email=f"{number}@acme.com") for number in range(8)]
    results = at_once([partial(another().remember, one) for one in people])

    assert sum(result is None for result in results) == 1
    assert len(another().accounts_of_id("5b11")) == 1


def test_a_link_is_kept_until_it_is_taken_back(store: Store) -> None:
    link = Link("ada@acme.com", "5b10", NOW, "operator")
    store.link(replace(link, account_id="wrong", by="sync"))
    store.link(link)

    assert store.linked("ada@acme.com") == link
    assert store.linked("bob@acme.com") is None
    assert [store.unlink("ada@acme.com"), store.unlink("ada@acme.com")] == [True, False]
    assert store.linked("ada@acme.com") is None


def test_memberships_are_a_persons_own(store: Store) -> None:
    first = Membership(ISSUER, "ada", "5b10", "7", "Acme", NOW)
    second = Membership(ISSUER, "ada", "5b10", "8", "Umbrella", NOW + 1)
    bobs = Membership(ISSUER, "bob", "5b11", "7", "Acme", NOW)
    for one in (second, first, bobs, first):
        store.add_membership(one)

    assert store.memberships(ISSUER, "ada") == [first, second]
    store.remove_membership(first)
    store.remove_membership(first)
    assert store.memberships(ISSUER, "ada") == [second]
    assert store.memberships(ISSUER, "bob") == [bobs]


# Writes that wait ----------------------------------------------------------------------------


def wait(store: Store, subject: str, *, due: float = NOW, content: str = "{}") -> None:
    store.put_write(ISSUER, subject, "acme", f"{subject}@acme.com", content, now=NOW, due=due)


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


def leased(store: Store, subject: str = "ada") -> Write:
    wait(store, subject)
    write = store.lease_write_of(ISSUER, subject, "w", now=NOW, until=NOW + 30)
    assert write is not None
    return write


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


# People who may not log in -------------------------------------------------------------------


def test_somebody_is_barred_until_restored(store: Store, another: Callable[[], Store]) -> None:
    keys = ("email:ada@acme.com", f"sub:{ISSUER} ada")
    for key in keys:
        store.bar(key, email="ada@acme.com", at=NOW)
    store.bar("email:bob@acme.com", email="bob@acme.com", at=NOW + 1)

    assert another().is_barred("email:x@acme.com", keys[1])
    assert not store.is_barred("email:x@acme.com", "sub:x")
    assert not store.is_barred()
    assert store.barred() == [
        Bar(keys[0], "ada@acme.com", NOW), Bar(keys[1], "ada@acme.com", NOW), Bar("email:bob@acme.com", "bob@acme.com", NOW + 1)
    ]  # fmt: skip
    assert store.unbar("ada@acme.com") == 2
    assert store.unbar("ada@acme.com") == 0
    assert not store.is_barred(*keys)
    assert store.is_barred("email:bob@acme.com")


# Records that expire -------------------------------------------------------------------------


def test_a_record_is_there_until_it_expires(store: Store, another: Callable[[], Store]) -> None:
    value = bytes(range(256))
    store.put("session", "a", value, expires=NOW + 60)

    assert another().get("session", "a", now=NOW + 60) == value
    assert store.get("session", "a", now=NOW + 60.5) is None
    assert store.get("hint", "a", now=NOW) is None
    assert store.get("session", "b", now=NOW) is None


def test_a_record_put_again_replaces_the_first(store: Store) -> None:
    store.put("session", "a", b"1", expires=NOW + 60, owner="ada@acme.com")
    store.put("session", "a", b"2", expires=NOW + 90, owner="bob@acme.com")

    assert store.get("session", "a", now=NOW + 80) == b"2"
    assert store.about("ada@acme.com")["records"] == []
    assert store.about("bob@acme.com")["records"] == [{"kind": "session", "key": "a", "expires": NOW + 90, "bytes": 1}]


def test_a_deleted_record_is_gone(store: Store) -> None:
    store.put("session", "a", b"1", expires=NOW + 60, owner="ada@acme.com")

    assert [store.delete("session", "a"), store.delete("session", "a")] == [True, False]
    assert store.get("session", "a", now=NOW) is None
    assert store.count("session", now=NOW) == 0


def test_a_record_is_replaced_only_where_the_old_value_stands(store: Store) -> None:
    store.put("refresh", "a", b"one", expires=NOW + 60, owner="ada@acme.com")

    assert not store.replace("refresh", "a", b"two", b"three", expires=NOW + 90)
    assert store.replace("refresh", "a", b"one", b"\xfftwo", expires=NOW + 90)
    assert not store.replace("refresh", "none", b"", b"x", expires=NOW + 90)
    assert store.get("refresh", "a", now=NOW + 90) == b"\xfftwo"
    assert store.get("refresh", "none", now=NOW) is None
    assert [record["expires"] for record in store.about("ada@acme.com")["records"]] == [NOW + 90]


def test_of_workers_that_replace_a_record_at_once_one_does(another: Callable[[], Store]) -> None:
    another().put("refresh", "a", b"old", expires=NOW + 60)
    results = at_once([partial(another().replace, "refresh", "a", b"old", b"%d" % n, expires=NOW + 60) for n in range(8)])

    assert sum(results) == 1
    assert another().get("refresh", "a", now=NOW) == b"%d" % results.index(True)


def test_a_lease_has_one_holder_at_a_time(store: Store, another: Callable[[], Store]) -> None:
    assert store.lease("refresh", "a", "w1", now=NOW, until=NOW + 10)
    assert not another().lease("refresh", "a", "w2", now=NOW + 10, until=NOW + 20)
    assert store.lease("refresh", "a", "w1", now=NOW + 5, until=NOW + 15)
    assert store.lease("refresh", "b", "w2", now=NOW, until=NOW + 10)
    store.free("refresh", "a", "w2")
    assert not store.lease("refresh", "a", "w2", now=NOW + 12, until=NOW + 20)
    store.free("refresh", "a", "w1")
    assert store.lease("refresh", "a", "w2", now=NOW + 12, until=NOW + 20)
    assert store.lease("refresh", "a", "w1", now=NOW + 21, until=NOW + 30)


def test_of_workers_that_lease_a_record_at_once_one_holds_it(another: Callable[[], Store]) -> None:
    results = at_once([partial(another().lease, "refresh", "a", f"w{n}", now=NOW, until=NOW + 10) for n in range(8)])

    assert sum(results) == 1


def test_only_what_has_not_expired_is_counted(store: Store) -> None:
    for number in range(5):
        store.put("session", str(number), b"", expires=NOW + number)
    store.put("hint", "0", b"", expires=NOW)

    assert [store.count("session", now=NOW + later) for later in (0, 2, 2.5, 9)] == [5, 3, 2, 0]


# Upkeep --------------------------------------------------------------------------------------


def fill(store: Store, subject: str, email: str) -> None:
    """Everything that there can be about a person."""
    store.remember(Account(ISSUER, subject, "acme", email, f"id-{subject}", desks=("1",), first_seen=NOW, last_seen=NOW))
    store.link(Link(email, f"id-{subject}", NOW, "sync"))
    store.add_membership(Membership(ISSUER, subject, f"id-{subject}", "7", "Acme", NOW))
    store.put_write(ISSUER, subject, "acme", email, "{}", now=NOW, due=NOW)
    store.put("session", subject, b"sealed", expires=NOW + 60, owner=email)
    store.bar(f"sub:{ISSUER} {subject}", email=email, at=NOW)
    store.end(Ending("sub", ISSUER, subject, NOW, NOW + 60), now=NOW)
    store.end(Ending("email", "", email, NOW, NOW + 60), now=NOW)


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
    store.use_logout_token(b"a", now=NOW, expires=NOW + 60)
    store.lease("refresh", "a", "w", now=NOW, until=NOW + 60)
    store.pause("jsm", NOW)

    found = store.inspect()
    assert found.rows == {
        "used_logins": 1, "endings": 2, "logout_tokens": 1, "accounts": 1, "links": 1, "memberships": 1, "writes": 1, "pauses": 1,
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
