"""Whose account a person may use, as far as the store alone can tell; JSM is not asked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from jsmsso.errors import CustomerRefused
from jsmsso.jsm.customers.wanted import Wanted
from jsmsso.store.interface import Store
from jsmsso.store.records import Account

BY_ADDRESS = ""
"""The issuer of somebody who is known by their address alone: written to JSM before their first login."""


def by_address(email: str) -> tuple[str, str]:
    """Issuer and subject under which somebody is remembered until they log in."""
    return BY_ADDRESS, f"email:{email}"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a person (issuer, subject)."""

    account: Account | None
    """What was remembered of this very person."""
    account_id: str = ""
    """The account to use; empty: look for it by the address."""
    fallback: str = ""
    """The account to keep where the new address of a known person has none."""
    event: str = ""
    """What to say of it once it is acted on: ``customer.subject_changed``, ``customer.linked`` or nothing."""

    @property
    def is_shared(self) -> bool:
        """Whether the account may be remembered for a second person: the same address vouched for anew, or the operator said so."""
        return bool(self.event)


def standing_of(store: Store, wanted: Wanted, issuers: Collection[str]) -> Standing:
    """How a person stands. ``issuers``: those of the provider as the profile has it now.

    A person whose address is remembered for somebody else of the same provider is the same one with a new
    subject (an account made anew, a pool replaced); of another provider they are refused until an operator links them.
    What was written before anybody logged in with the address is for the first who does, whatever their provider.
    Raises :class:`CustomerRefused` and :class:`~jsmsso.errors.StoreUnavailable`.
    """
    account = store.account(wanted.issuer, wanted.subject)
    known = account.account_id if account else ""
    link = store.linked(wanted.email)
    if link is not None:
        return Standing(account, link.account_id, event="" if known == link.account_id else "customer.linked")
    if account is not None and known:
        return Standing(account, known) if account.email == wanted.email else Standing(account, fallback=known)
    person = (wanted.issuer, wanted.subject)
    known_ones = [one for one in store.accounts_of_email(wanted.email) if one.account_id and (one.issuer, one.subject) != person]
    others = [one for one in known_ones if one.issuer != BY_ADDRESS]
    if not others:
        return Standing(account, known_ones[0].account_id if known_ones else "")
    strangers = [one for one in others if one.provider != wanted.provider or (one.issuer != wanted.issuer and one.issuer in issuers)]
    if strangers:
        raise CustomerRefused(
            "account_of_another_provider",
            f"{wanted.email} is known from {strangers[0].provider} ({strangers[0].issuer}), not from {wanted.provider}",
            f"If it is the same person, link them once: jsmsso customers link {wanted.email} {strangers[0].account_id}",
            email=wanted.email,
        )
    return Standing(account, max(others, key=lambda one: one.last_seen).account_id, event="customer.subject_changed")
