"""Accounts, links and memberships: what every store promises, asked of SQLite and of a real Redis alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from jsmsso.store.interface import Store
from jsmsso.store.records import Account, AccountTaken, Link, Membership
from tests.store.people import ADA, BOB, ISSUER, NOW, at_once


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
