"""Which of the accounts that a search brought is this person's: the one whose address is theirs, and no other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from jsmsso.errors import CustomerRefused
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


def account_of(seen: Match, email: str, *, hidden_is_none: bool = False) -> JsmUser | None:
    """The account to take; None where there is none, or (with ``hidden_is_none``) none that shows its address.

    Raises :class:`CustomerRefused` where nobody can tell which it is, and where it may not be used.
    """
    match seen.kind:
        case "one":
            return seen.users[0]
        case "several":
            ids = ", ".join(f"{one.id} ({one.kind or 'kind unknown'})" for one in seen.users)
            raise CustomerRefused(
                "account_ambiguous",
                f"{email} has several accounts in JSM: {ids}",
                "Say which kind counts with jsm.customers.prefer (portal_only or atlassian),\n"
                f"or link one: jsmsso customers link {email} ACCOUNT_ID",
                email=email,
            )
        case "inactive":
            raise CustomerRefused(
                "account_inactive",
                f"the account of {email} in JSM is deactivated: {seen.users[0].id}",
                "Activate it in Atlassian's administration if that is not meant.",
                email=email,
            )
        case "hidden" if not hidden_is_none:
            raise hidden(seen, email)
    return None


def hidden(seen: Match, email: str) -> CustomerRefused:
    """JSM has an account with the address, and does not tell which."""
    ids = ", ".join(user.id for user in seen.users)
    return CustomerRefused(
        "account_hidden",
        f"JSM has an account for {email}, but hides its address, or the account is deactivated"
        + (f"; it may be one of: {ids}" if ids else ""),
        f"Find its account id in Atlassian's administration and link it once: jsmsso customers link {email} ACCOUNT_ID",
        email=email,
    )


def _is(told: str, email: str) -> bool:
    try:
        return fold_email(told) == email
    except NotAnEmailAddress:
        return False
