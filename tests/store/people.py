"""The people and times of these tests, and what is done with them again and again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from jsmsso.store.interface import Store
from jsmsso.store.records import Account, AccountTaken, Ending, Link, Membership, Write

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


def wait(store: Store, subject: str, *, due: float = NOW, content: str = "{}") -> None:
    store.put_write(ISSUER, subject, "acme", f"{subject}@acme.com", content, now=NOW, due=due)


def leased(store: Store, subject: str = "ada") -> Write:
    wait(store, subject)
    write = store.lease_write_of(ISSUER, subject, "w", now=NOW, until=NOW + 30)
    assert write is not None
    return write


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
