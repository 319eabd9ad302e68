"""What a browser has after a login: a sealed cookie with the person and the claims that rules name."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from jsmsso.errors import IdentityRefused
from jsmsso.identity.customer import Customer
from jsmsso.sealing import Sealer

MAX_COOKIE = 3800  # characters; browsers promise 4,096 for name, value and attributes (RFC 6265 6.1)
_PURPOSE = "session"


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


def seal(session: Session, sealer: Sealer) -> str:
    """The cookie's value. Raises :class:`IdentityRefused` (``too_large``) when a browser would not keep it."""
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
    text = sealer.seal(_PURPOSE, json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode())
    if len(text) > MAX_COOKIE:
        raise IdentityRefused(
            "too_large",
            "the claims that access rules name are too large for a session",
            "Send fewer groups to this client, or name a claim with fewer values in the rules.",
            email=customer.email,
            claims=(*sorted(session.claims), *(["organizations"] if session.knows_organizations else [])),
        )
    return text


def unseal(text: str, sealer: Sealer, *, now: float, lifetime: int, idle_timeout: int) -> Session | None:
    """The session in a cookie's value, if it is ours and still alive (both times in seconds)."""
    content = sealer.open(_PURPOSE, text)
    if content is None:
        return None
    try:
        id_, started, seen, sid, provider, issuer, subject, email, first_name, last_name, display_name, claims, kept = json.loads(content)
        complete, organizations = (True, ()) if kept is None else (kept[0], tuple(kept[1:]))
        ended = now >= started + lifetime or now >= seen + idle_timeout
    except (ValueError, TypeError):
        return None  # sealed by another version of ours
    if ended:
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


def renewed(session: Session, *, now: float, idle_timeout: int) -> Session | None:
    """The session as seen now, where a tenth of its idle time has passed; else None, as nothing needs writing."""
    return replace(session, seen=int(now)) if now >= session.seen + idle_timeout / 10 else None
