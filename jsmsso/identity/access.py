"""Customer -> access decision. Ordered rules, the first match wins, no match denies."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeAlias

from jsmsso.identity.customer import Customer

Effect = Literal["allow", "deny"]
Claims: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Email:
    """Any of these addresses or globs (``*@contractor.acme.com``), folded as the address is."""

    globs: tuple[str, ...]

    def __str__(self) -> str:
        return f"email {_or(self.globs)}"


@dataclass(frozen=True, slots=True)
class EmailDomain:
    """Exactly one of these domains; ``*.acme.com`` stands for every subdomain and not for acme.com."""

    domains: tuple[str, ...]

    def __str__(self) -> str:
        return f"email domain {_or(self.domains)}"


@dataclass(frozen=True, slots=True)
class Claim:
    """The claim of this literal name has any of these values (as itself, or as one of a list)."""

    name: str
    any_of: tuple[str, ...]

    def __str__(self) -> str:
        return f"claim {self.name} any of {', '.join(self.any_of)}"


@dataclass(frozen=True, slots=True)
class Everyone:
    """Whoever has a verified email."""

    def __str__(self) -> str:
        return "everyone"


Condition: TypeAlias = Email | EmailDomain | Claim | Everyone


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of ``access:``; ``str(rule)`` is how people read it."""

    effect: Effect
    condition: Condition

    def __str__(self) -> str:
        return f"{self.effect} {self.condition}"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a customer may enter, and why: ``number`` is the rule's place counted from 1, else 0."""

    allowed: bool
    number: int
    rule: str

    def __str__(self) -> str:
        verdict = "Allowed" if self.allowed else "Denied"
        return f"{verdict} by rule {self.number}: {self.rule}" if self.number else f"{verdict}: {self.rule}"


INCOMPLETE: Mapping[str, bool] = {"incomplete": True}
"""Stands in for a claim of which the provider sent only that there is more of it (Entra's group overage): no rule
allows by it, and every rule that denies by it denies."""
NO_RULES = Decision(True, 0, "no rules are set, so every verified email may enter")
NO_MATCH = Decision(False, 0, "no rule matches")


def decide(rules: Sequence[Rule], customer: Customer, claims: Claims) -> Decision:
    """The decision of ``rules`` about a customer whose claims are ``claims``. Pure; never raises for odd claims."""
    if not rules:
        return NO_RULES
    for number, rule in enumerate(rules, start=1):
        if _matches(rule.condition, customer, claims) or (rule.effect == "deny" and _may_match(rule.condition, claims)):
            return Decision(rule.effect == "allow", number, str(rule))
    return NO_MATCH


def claims_named(rules: Sequence[Rule]) -> frozenset[str]:
    """The claims that a session must keep so that these rules can be decided again without a login."""
    return frozenset(rule.condition.name for rule in rules if isinstance(rule.condition, Claim))


def domain_matches(domain: str, patterns: Sequence[str]) -> bool:
    """Whether a folded domain is one of ``patterns`` (exact, or ``*.`` for any subdomain)."""
    return any(
        domain.endswith(pattern[1:]) and len(domain) > len(pattern) - 1 if pattern.startswith("*.") else domain == pattern
        for pattern in patterns
    )


def _matches(condition: Condition, customer: Customer, claims: Claims) -> bool:
    match condition:
        case Everyone():
            return True
        case EmailDomain(domains):
            return domain_matches(customer.email.rpartition("@")[2], domains)
        case Email(globs):
            return any(_glob(pattern)(customer.email) for pattern in globs)
        case Claim(name, any_of):
            return not set(any_of).isdisjoint(_texts(claims.get(name)))


def _may_match(condition: Condition, claims: Claims) -> bool:
    """Whether the claim that the condition looks at is known to be there, but not what it says."""
    return isinstance(condition, Claim) and claims.get(condition.name) == INCOMPLETE


def _texts(value: object) -> list[str]:
    """A claim's values as the texts that rules compare with; an absent claim and an odd one have none."""
    values = value if isinstance(value, list | tuple) else [value]
    texts = []
    for one in values:
        if isinstance(one, bool):
            texts.append("true" if one else "false")
        elif isinstance(one, str | int):
            texts.append(str(one))
    return texts


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> Callable[[str], object]:
    """Only ``*`` is special (any characters, never across the ``@``)."""
    if "*" not in pattern:
        return pattern.__eq__
    return re.compile("[^@]*".join(map(re.escape, pattern.split("*")))).fullmatch


def _or(texts: Sequence[str]) -> str:
    return " or ".join(texts)
