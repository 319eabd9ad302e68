"""What the rules of a profile say about given claims, as the runtime decides it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsmsso.errors import IdentityRefused, UsageError
from jsmsso.identity.access import INCOMPLETE, Decision, Explained, Rule, decide, explain
from jsmsso.identity.attributes import to_customer
from jsmsso.profile.address_lists import AddressList, with_lists
from jsmsso.profile.model import Portal, Profile
from jsmsso.providers.known import provider_type
from jsmsso.providers.settings import identity_rules
from jsmsso.providers.types import incomplete_claims


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who the claims make, and whether they may enter. ``explained`` has the portal's key (empty: for everyone) with each rule."""

    email: str
    portal: str
    decision: Decision
    explained: tuple[tuple[str, Explained], ...] = ()
    refused: IdentityRefused | None = None
    asks_jira: bool = False
    """Whether the portal then asks JSM too, which may still say no (``visibility: jira``)."""
    shown_to_strangers: bool = False
    """Whether anybody may look at the portal; the decision is about those who log in."""
    claims: tuple[str, ...] = ()
    """The names of those that were given, where none of them is an address."""

    @property
    def allowed(self) -> bool:
        return self.decision.allowed

    def __str__(self) -> str:
        if self.refused is not None:
            return f"Refused: {self.refused.message}"
        told = f"{self.email}: {self.decision}" if self.email else str(self.decision)
        if self.shown_to_strangers:
            return f"{told}; {self.portal} is public: its page needs no login, raising a request does"
        return told + (f"; then JSM must know them at {self.portal}" if self.asks_jira and self.allowed else "")

    def to_data(self) -> dict[str, Any]:
        """For ``--json``."""
        refused, decision = self.refused, self.decision
        return {
            "allowed": decision.allowed,
            "email": self.email or None,
            "portal": self.portal or None,
            "rule": decision.number or None,
            "of": decision.portal or None,
            "reason": decision.rule,
            "asks_jira": self.asks_jira,
            "shown_to_strangers": self.shown_to_strangers,
            "refused": refused
            and {"reason": refused.reason, "message": refused.message, "hint": refused.hint, "claims": list(self.claims)},
            "rules": [
                {"portal": key or None, "number": one.number, "rule": one.rule, "result": one.result, "why": one.why}
                for key, one in self.explained
            ],
        }


def judge(profile: Profile, folder: Path, provider: str, claims: Mapping[str, Any], portal: Portal | None) -> Verdict:
    """The decision about ``claims`` of ``provider``: by the rules for everyone, then by those of ``portal``.

    JSM's word on a portal with ``visibility: jira`` is not asked for. Raises :class:`NotReady` for a file of addresses that
    cannot be read, :class:`UsageError` for a portal whose customers log in at another provider.
    """
    key = portal.key if portal else ""
    if portal is not None and portal.leads_strangers_on:
        return Verdict("", key, Decision(True, 0, f"{key} is public, nobody logs in for it"))
    if portal is not None and portal.provider not in (None, provider):
        raise UsageError(f"the customers of {key} log in at {portal.provider}", f"Claims of that provider: --provider {portal.provider}")
    known: dict[str, AddressList] = {}
    rules = with_lists(profile.rules, folder, known=known)
    own = with_lists(portal.rules, folder, known=known) if portal else ()
    given, claims = claims, {"iss": "", "sub": "", **claims}
    incomplete = incomplete_claims(provider_type(profile.providers[provider].type), claims)
    claims |= dict.fromkeys(incomplete, INCOMPLETE)
    try:
        customer = to_customer(claims, identity_rules(profile, provider))
    except IdentityRefused as error:
        names = tuple(sorted(given)) if error.claims else ()
        return Verdict("", key, Decision(False, 0, error.message), refused=error, claims=names)
    decision = decide(rules, customer, claims)
    explained = [("", one) for one in explain(rules, customer, claims)]
    if own and decision.allowed:
        decision = decide(own, customer, claims, key)
        explained += [(key, one) for one in explain(own, customer, claims)]
    asks_jira = portal is not None and portal.visibility == "jira"
    shown = portal is not None and portal.is_shown_to_strangers
    return Verdict(customer.email, key, decision, tuple(explained), asks_jira=asks_jira, shown_to_strangers=shown)


def lists_of(profile: Profile, portal: str = "") -> list[tuple[str, tuple[Rule, ...]]]:
    """The rules for everyone (under an empty key) and those of each portal that has any, or of one alone."""
    if portal:
        return [(portal, portal_named(profile, portal).rules)]
    return [("", profile.rules), *((one.key, one.rules) for one in profile.portals if one.access is not None)]


def portal_named(profile: Profile, key: str) -> Portal:
    """The portal of that key. Raises :class:`UsageError` where there is none."""
    for portal in profile.portals:
        if portal.key == key:
            return portal
    keys = ", ".join(portal.key for portal in profile.portals[:6])
    raise UsageError(f"the profile has no portal {key!r}", f"There is: {keys}." if keys else "Pull them: jsmsso portals sync")
