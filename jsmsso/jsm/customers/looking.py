"""Which account a login would use, found out without writing anything to JSM or the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jsmsso.jsm import users
from jsmsso.jsm.customers.matching import account_of, match
from jsmsso.jsm.customers.recording import Connection
from jsmsso.jsm.customers.standing import Standing
from jsmsso.jsm.customers.wanted import Wanted
from jsmsso.profile.model import Customers

Why = Literal["linked", "remembered", "subject_changed", "written_before", "address", "kept", "create", "none"]


@dataclass(frozen=True, slots=True)
class Look:
    """What would be taken; ``account_id`` is empty where there is none.

    ``linked``: an operator said so. ``remembered``: from this person's last login. ``subject_changed``: of a person of the same
    provider with the same address. ``written_before``: written for the address before anybody logged in. ``address``: JSM shows
    the address on it. ``kept``: their new address has no account, they keep the one they had. ``create``: none, one would be
    made. ``none``: none, and none is made.
    """

    account_id: str
    why: Why
    is_gone: bool = False
    """The account that was taken so far is not in JSM any more, so that it was looked for anew."""


def look(wanted: Wanted, standing: Standing, settings: Customers, to: Connection) -> Look:
    """What :meth:`Recorder.record` would take. Raises JSM's errors and :class:`~jsmsso.errors.CustomerRefused`."""
    is_gone = False
    if standing.account_id:
        why = _why(standing)
        is_gone = users.read_user(to.client, to.site, standing.account_id) is None
        if not is_gone:
            return Look(standing.account_id, why)
        if why == "linked":
            return Look("", "none", is_gone=True)  # whom an operator linked, nobody looks for
    seen = match(users.find_users(to.client, to.site, wanted.email, wanted.desks[0] if wanted.desks else ""), wanted.email, settings.prefer)
    found = account_of(seen, wanted.email, hidden_is_none=bool(standing.fallback) or settings.create)
    if found is not None:
        return Look(found.id, "address", is_gone)
    if standing.fallback:
        return Look(standing.fallback, "kept", is_gone)
    return Look("", "create" if settings.create else "none", is_gone)


def _why(standing: Standing) -> Why:
    if standing.event == "customer.linked":
        return "linked"
    if standing.event == "customer.subject_changed":
        return "subject_changed"
    return "remembered" if standing.account is not None and standing.account.account_id == standing.account_id else "written_before"
