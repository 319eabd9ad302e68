"""Records that expire, and bars: what every store promises, asked of SQLite and of a real Redis alike."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from jsmsso.store.interface import Store
from jsmsso.store.records import Bar
from tests.store.people import ISSUER, NOW, at_once


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
