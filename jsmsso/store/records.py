"""What the store keeps, as values. Times are seconds since the epoch; addresses are folded; ``issuer`` and ``subject`` are a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from jsmsso.errors import JsmssoError

LONGEST_SESSION = 30 * 86400  # seconds: what session.lifetime may be at most
Kind = Literal["session", "sid", "sub", "email", "all"]


@dataclass(frozen=True, slots=True)
class Ending:
    """Sessions that fit and began before ``at`` are over; after ``expires`` no session can fit any more.

    ``session``: the one of that id; ``sid`` and ``sub``: those of an issuer; ``email``: those of an address; ``all``: every one.
    ``issuer`` is empty for ``session``, ``email`` and ``all``, and ``value`` for ``all``.
    """

    kind: Kind
    issuer: str
    value: str
    at: float
    expires: float

    @classmethod
    def for_good(cls, kind: Kind, issuer: str, value: str, at: float) -> Ending:
        """Kept for as long as a session may last by any profile: no later ``session.lifetime`` lets one live again."""
        return cls(kind, issuer, value, at, at + LONGEST_SESSION)


@dataclass(frozen=True, slots=True)
class Account:
    """Who a person is in JSM."""

    issuer: str
    subject: str
    provider: str
    email: str
    account_id: str
    """Empty while none is known."""
    display_name: str = ""
    fingerprint: str = ""
    """What was last written to JSM, as an opaque text."""
    desks: tuple[str, ...] = ()
    """Service desk ids that the account was put on by us, or found on."""
    making_since: float | None = None
    """Since when JSM does not know the fresh account yet."""
    first_seen: float = field(kw_only=True)
    last_seen: float = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Link:
    """Which JSM account belongs to an address, where JSM's own answer does not tell."""

    email: str
    account_id: str
    at: float
    by: Literal["operator", "sync"]


@dataclass(frozen=True, slots=True)
class Membership:
    """A membership of an organization that was made by us; written down before it is made."""

    issuer: str
    subject: str
    account_id: str
    organization_id: str
    organization: str
    at: float


@dataclass(frozen=True, slots=True)
class Write:
    """What waits to be written to JSM about a person; one a person."""

    issuer: str
    subject: str
    provider: str
    email: str
    content: str
    """JSON, opaque to the store."""
    version: int
    """Raised each time the content is replaced."""
    created: float
    due: float
    attempts: int = 0
    reason: str = ""
    error: str = ""
    lease_owner: str = ""
    lease_until: float = 0.0


@dataclass(frozen=True, slots=True)
class WriteCount:
    """``waiting`` is all of them; ``failing`` those among them that were tried in vain."""

    waiting: int
    failing: int


@dataclass(frozen=True, slots=True)
class Bar:
    """Somebody who may not log in until restored. ``key`` is ``email:a@b.c`` or ``sub:<issuer> <subject>``."""

    key: str
    email: str
    at: float


@dataclass(frozen=True, slots=True)
class Inspection:
    """What ``store check`` finds."""

    kind: Literal["sqlite", "redis"]
    place: str
    version: int
    rows: Mapping[str, int]
    """Rows by table."""
    facts: Mapping[str, str | int | bool]
    """Size, permissions, settings: what is worth knowing of this kind of store."""
    problems: tuple[str, ...] = ()
    """A sentence each; a store with one cannot be relied on."""
    warnings: tuple[str, ...] = ()


class AccountTaken(JsmssoError):
    """The JSM account belongs to another person already; exit code 1. ``holder`` is that person's ``(issuer, subject)``."""

    code = "account_taken"
    exit_code = 1

    def __init__(self, account_id: str, holder: tuple[str, str]) -> None:
        self.account_id = account_id
        self.holder = holder
        super().__init__(
            f"the JSM account {account_id} belongs to the subject {holder[1]} of {holder[0]} already",
            "If both are one person, say so: jsmsso customers link EMAIL ACCOUNT_ID",
        )
