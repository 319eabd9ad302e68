"""Customer -> access decision. Ordered rules, the first match wins, no match denies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from jsmsso.identity.conditions import (
    INCOMPLETE,
    AllOf,
    AnyOf,
    ByProvider,
    Claim,
    ClaimAllOf,
    ClaimEquals,
    ClaimMatches,
    Claims,
    Condition,
    Email,
    EmailDomain,
    EmailIn,
    Everyone,
    Organization,
    each,
)
from jsmsso.identity.customer import Customer
from jsmsso.identity.email_patterns import domain_matches

__all__ = [
    "INCOMPLETE", "AllOf", "AnyOf", "ByProvider", "Claim", "ClaimAllOf", "ClaimEquals", "ClaimMatches", "Claims", "Condition", "Decision",
    "Effect", "Email", "EmailDomain", "EmailIn", "Everyone", "Explained", "Organization", "Rule", "claims_named", "decide",
    "domain_matches", "explain", "looks_at_lists", "looks_at_organizations", "never_reached",
]  # fmt: skip

Effect = Literal["allow", "deny"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of ``access:``; ``str(rule)`` is how people read it."""

    effect: Effect
    condition: Condition

    def __str__(self) -> str:
        return f"{self.effect} {self.condition}"

    def applies(self, customer: Customer, claims: Claims) -> bool:
        """Whether it decides about this customer: an allow that fits, a deny that fits or may fit."""
        fit = self.condition.fits(customer, claims)
        return bool(fit) or (fit is None and self.effect == "deny")


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a customer may enter, and why: ``number`` is the rule's place counted from 1, else 0.

    ``portal`` is the key of the portal whose own rules decided; empty for the rules for everyone.
    """

    allowed: bool
    number: int
    because: Rule | str
    portal: str = ""

    @property
    def rule(self) -> str:
        """The rule as people read it, or why none was needed."""
        return str(self.because)

    def __str__(self) -> str:
        verdict = "Allowed" if self.allowed else "Denied"
        of = f" of {self.portal}" if self.portal else ""
        if self.number:
            return f"{verdict} by rule {self.number}{of}: {self.rule}"
        return f"{verdict}: {self.rule}{of}"


@dataclass(frozen=True, slots=True)
class Explained:
    """What one rule had to do with a decision. ``why`` has no values but those that stand in the rule, and the address's domain."""

    number: int
    rule: str
    result: Literal["decides", "passes", "not reached"]
    why: str

    def __str__(self) -> str:
        return f"{self.number}. {self.rule}: {self.result}" + (f", {self.why}" if self.why else "")


NO_RULES = Decision(True, 0, "no rules are set, so every verified email may enter")
NO_MATCH = "no rule matches"


def decide(rules: Sequence[Rule], customer: Customer, claims: Claims, portal: str = "") -> Decision:
    """The decision of ``rules`` about a customer whose claims are ``claims``. Pure; never raises for odd claims.

    ``portal`` is the key of the portal whose own rules they are.
    """
    if not rules:
        return NO_RULES
    for number, rule in enumerate(rules, start=1):
        if rule.applies(customer, claims):
            return Decision(rule.effect == "allow", number, rule, portal)
    return Decision(False, 0, NO_MATCH, portal)


def explain(rules: Sequence[Rule], customer: Customer, claims: Claims) -> list[Explained]:
    """Rule by rule, how :func:`decide` comes to its decision."""
    lines: list[Explained] = []
    decided = False
    for number, rule in enumerate(rules, start=1):
        if decided:
            lines.append(Explained(number, str(rule), "not reached", ""))
            continue
        decided = rule.applies(customer, claims)
        lines.append(Explained(number, str(rule), "decides" if decided else "passes", rule.condition.why(customer, claims)))
    return lines


def claims_named(rules: Sequence[Rule]) -> frozenset[str]:
    """The claims that a session must keep so that these rules can be decided again without a login."""
    return frozenset(
        one.name for rule in rules for one in each(rule.condition) if isinstance(one, Claim | ClaimEquals | ClaimAllOf | ClaimMatches)
    )


def looks_at_organizations(rules: Sequence[Rule]) -> bool:
    """Whether a session must keep the customer's organizations for these rules."""
    return any(isinstance(one, Organization) for rule in rules for one in each(rule.condition))


def looks_at_lists(rules: Sequence[Rule]) -> bool:
    """Whether these rules may decide differently tomorrow about the same customer: by a list of addresses that changed."""
    return any(isinstance(one, EmailIn) for rule in rules for one in each(rule.condition))


def never_reached(rules: Sequence[Rule]) -> list[tuple[int, int]]:
    """Rules that can never decide, with the earlier rule that always decides before them, both counted from 1."""
    found = []
    for number, rule in enumerate(rules, start=1):
        earlier = next((n for n, before in enumerate(rules[: number - 1], start=1) if _covers(before, rule)), 0)
        if earlier:
            found.append((number, earlier))
    return found


def _covers(before: Rule, rule: Rule) -> bool:
    """Whether ``before`` decides wherever ``rule`` would. An allow does not where the two cannot be told and ``rule`` denies."""
    if _is_everyone(before.condition):
        return True
    if before.effect == "allow" and rule.effect == "deny" and _may_be_unknown(rule.condition):
        return False
    one, other = before.condition, rule.condition
    if one == other:
        return True
    match one, other:
        case Email(), Email():
            return set(other.globs) <= set(one.globs)
        case EmailDomain(), EmailDomain():
            return set(other.domains) <= set(one.domains)
        case ByProvider(), ByProvider():
            return set(other.names) <= set(one.names)
    return False


def _is_everyone(condition: Condition) -> bool:
    if isinstance(condition, AnyOf):
        return any(map(_is_everyone, condition.conditions))
    return isinstance(condition, Everyone) or (isinstance(condition, AllOf) and all(map(_is_everyone, condition.conditions)))


def _may_be_unknown(condition: Condition) -> bool:
    return any(not isinstance(one, Email | EmailDomain | ByProvider | Everyone | AnyOf | AllOf) for one in each(condition))
