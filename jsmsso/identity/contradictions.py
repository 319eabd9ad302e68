"""Conditions that contradict themselves, so that a rule with them decides about nobody."""

from __future__ import annotations

from itertools import combinations

from jsmsso.identity.access import Rule
from jsmsso.identity.conditions import AllOf, AnyOf, ByProvider, ClaimEquals, Condition, Email, EmailDomain
from jsmsso.identity.email_patterns import domain_matches


def never_fitting(rules: tuple[Rule, ...]) -> list[int]:
    """The numbers (from 1) of rules that fit nobody, as far as that can be told from their texts alone."""
    return [number for number, rule in enumerate(rules, start=1) if _fits_nobody(rule.condition, rule.effect == "allow")]


def _fits_nobody(condition: Condition, needs_certainty: bool) -> bool:
    if isinstance(condition, AnyOf):
        return all(_fits_nobody(one, needs_certainty) for one in condition.conditions)
    if not isinstance(condition, AllOf):
        return False
    flat = _flat(condition)
    if any(_fits_nobody(one, needs_certainty) for one in flat):
        return True
    return any(_exclude(one, other, needs_certainty) for one, other in combinations(flat, 2))


def _flat(condition: AllOf) -> list[Condition]:
    return [inner for one in condition.conditions for inner in (_flat(one) if isinstance(one, AllOf) else [one])]


def _exclude(one: Condition, other: Condition, needs_certainty: bool) -> bool:
    """Whether no customer fits both."""
    match one, other:
        case ByProvider(), ByProvider():
            return set(one.names).isdisjoint(other.names)
        case Email(), Email():
            return _exact(one.globs) and _exact(other.globs) and set(one.globs).isdisjoint(other.globs)
        case EmailDomain(), EmailDomain():
            exact, patterns = (one, other) if _exact(one.domains) else (other, one)
            return _exact(exact.domains) and not any(domain_matches(domain, patterns.domains) for domain in exact.domains)
        case (Email() as email, EmailDomain() as domain) | (EmailDomain() as domain, Email() as email):
            domains = [address.rpartition("@")[2] for address in email.globs]
            return _exact(domains) and not any(domain_matches(each, domain.domains) for each in domains)
        case ClaimEquals(), ClaimEquals():
            # Of a claim with both values neither can be told, and a deny takes that for a fit.
            return needs_certainty and one.name == other.name and one.value != other.value
    return False


def _exact(patterns: tuple[str, ...] | list[str]) -> bool:
    return not any("*" in pattern for pattern in patterns)
