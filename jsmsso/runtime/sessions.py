"""What a browser has after a login: a sealed cookie with the person and the claims that rules name."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jsmsso.identity.access import Decision
from jsmsso.identity.customer import Customer

STUB_PARTS = 3


@dataclass(frozen=True, slots=True)
class Session:
    """``started`` and ``seen`` are seconds since the epoch; a renewal changes ``seen`` alone.

    The customer's organizations are there only with ``knows_organizations``.
    """

    id: str
    customer: Customer
    claims: Mapping[str, Any]
    sid: str
    started: int
    seen: int
    knows_organizations: bool = False
    decisions: dict[str, Decision] = field(default_factory=dict, init=False, compare=False, repr=False)
    """What the rules of one profile said of this content, by the portal's id; empty for the rules for everyone."""


def begin(customer: Customer, claims: Mapping[str, Any], kept: frozenset[str], now: float, *, keeps_organizations: bool = False) -> Session:
    """A new session with an id of its own. Of the claims only those in ``kept`` are taken along, absent ones as None."""
    sid = claims.get("sid")
    return Session(
        id=secrets.token_urlsafe(12),
        customer=customer,
        claims={name: claims.get(name) for name in kept},
        sid=sid if isinstance(sid, str) else "",
        started=int(now),
        seen=int(now),
        knows_organizations=keeps_organizations,
    )


def content_of(session: Session) -> bytes:
    """The session as text, to be sealed."""
    customer = session.customer
    content: list[Any] = [
        session.id,
        session.started,
        session.seen,
        session.sid,
        customer.provider,
        customer.issuer,
        customer.subject,
        customer.email,
        customer.first_name,
        customer.last_name,
        customer.display_name,
        session.claims,
        [customer.organizations_complete, *customer.organizations] if session.knows_organizations else None,
    ]
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def read_content(content: bytes) -> Session | Stub | None:
    """What :func:`content_of` or :func:`stub_of` wrote; None for what another version of ours sealed."""
    try:
        read = json.loads(content)
        if len(read) == STUB_PARTS:
            id_, started, seen = read
            return Stub(id_, started, seen) if isinstance(started, int) and isinstance(seen, int) else None
        id_, started, seen, sid, provider, issuer, subject, email, first_name, last_name, display_name, claims, kept = read
        complete, organizations = (True, ()) if kept is None else (kept[0], tuple(kept[1:]))
    except (ValueError, TypeError):
        return None
    if not isinstance(started, int) or not isinstance(seen, int):
        return None
    customer = Customer(
        provider,
        issuer,
        subject,
        email,
        first_name,
        last_name,
        display_name,
        organizations=organizations,
        organizations_complete=complete,
    )
    return Session(id_, customer, claims, sid, started, seen, knows_organizations=kept is not None)


@dataclass(frozen=True, slots=True)
class Stub:
    """What the cookie has of a session that is too large for one: the rest lies in the store under ``id``."""

    id: str
    started: int
    seen: int


def stub_of(session: Session) -> bytes:
    """The text of a session whose rest lies in the store."""
    return json.dumps([session.id, session.started, session.seen], separators=(",", ":")).encode()


def is_alive(one: Session | Stub, *, now: float, lifetime: int, idle_timeout: int) -> bool:
    """Whether neither of the two times (seconds) is over."""
    return now < one.started + lifetime and now < one.seen + idle_timeout


def renewed(session: Session, *, now: float, idle_timeout: int) -> Session | None:
    """The session as seen now, where a tenth of its idle time has passed; else None, as nothing needs writing."""
    return replace(session, seen=int(now)) if now >= session.seen + idle_timeout / 10 else None
