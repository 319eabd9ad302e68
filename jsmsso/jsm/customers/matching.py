"""Which of the accounts that a search brought is this person's: the one whose address is theirs, and no other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from jsmsso.identity.email_address import NotAnEmailAddress, fold_email
from jsmsso.jsm.users import JsmUser


@dataclass(frozen=True, slots=True)
class Match:
    """``one``: ``users`` is that account. ``none``: no account has the address. ``several``: ``users`` all have it.

    ``inactive``: the one that has it is deactivated. ``hidden``: none has it, and some of ``users`` show no address.
    """

    kind: Literal["one", "none", "several", "inactive", "hidden"]
    users: tuple[JsmUser, ...] = ()


def match(users: Iterable[JsmUser], email: str, prefer: Literal["portal_only", "atlassian"] | None) -> Match:
    """What a search for the folded address ``email`` proves. A hit by name or by a part of an address counts for nothing."""
    distinct = tuple({user.id: user for user in users}.values())
    exact = tuple(user for user in distinct if _is(user.email, email))
    active = tuple(user for user in exact if user.active)
    if len(active) > 1 and prefer is not None:
        active = tuple(user for user in active if user.kind == prefer) or active
    if len(active) == 1:
        return Match("one", active)
    if active:
        return Match("several", active)
    if exact:
        return Match("inactive", exact)
    hidden = tuple(user for user in distinct if not user.email)
    return Match("hidden", hidden) if hidden else Match("none")


def _is(told: str, email: str) -> bool:
    try:
        return fold_email(told) == email
    except NotAnEmailAddress:
        return False
