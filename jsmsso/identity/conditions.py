"""What an access rule can look at.

A condition fits a customer, does not, or cannot be told (None): an allow needs certainty, for a deny it is enough
that it may fit. Each says in a few words why, naming what stands in the rule and never what else a claim says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

from jsmsso.identity.customer import Customer
from jsmsso.identity.email_patterns import domain_matches, glob

Claims: TypeAlias = Mapping[str, Any]
Fit: TypeAlias = bool | None

INCOMPLETE: Mapping[str, bool] = {"incomplete": True}
"""Stands in for a claim of which the provider sent only that there is more of it (Entra's group overage): no rule
allows by it, and every rule that denies by it denies."""
MAX_MATCHED = 1024  # characters of a value that an expression is tried on
_UNKNOWN = "it is known to be incomplete"


@dataclass(frozen=True, slots=True)
class Email:
    """Any of these addresses or globs (``*@contractor.acme.com``), folded as the address is."""

    globs: tuple[str, ...]

    def __str__(self) -> str:
        return f"email {_or(self.globs)}"

    def fits(self, customer: Customer, claims: Claims) -> Fit:
        return any(glob(one)(customer.email) for one in self.globs)

    def why(self, customer: Customer, claims: Claims) -> str:
        found = next((one for one in self.globs if glob(one)(customer.email)), "")
        return f"the address is {found}" if found == customer.email else f"the address fits {found}" if found else "it is another address"


@dataclass(frozen=True, slots=True)
class EmailDomain:
    """Exactly one of these domains; ``*.acme.com`` stands for every subdomain and not for acme.com."""

    domains: tuple[str, ...]

    def __str__(self) -> str:
        return f"email domain {_or(self.domains)}"

    def fits(self, customer: Customer, claims: Claims) -> Fit:
        return domain_matches(customer.email.rpartition("@")[2], self.domains)

    def why(self, customer: Customer, claims: Claims) -> str:
        return f"the address is at {customer.email.rpartition('@')[2]}"


def _unread(email: str) -> Fit:
    return None


@dataclass(frozen=True, slots=True)
class EmailIn:
    """An address, or everybody at a domain, that stands in a list.

    Identity reads no file: ``holds`` says whether a folded address is in it, None while it cannot be read.
    """

    file: str
    holds: Callable[[str], Fit] = field(default=_unread, compare=False, repr=False)

    def __str__(self) -> str:
        return f"email in {self.file}"

    def fits(self, customer: Customer, claims: Claims) -> Fit:
        return self.holds(customer.email)

    def why(self, customer: Customer, claims: Claims) -> str:
        return {True: "the address is in it", False: "the address is not in it", None: "the file was not read"}[self.holds(customer.email)]


@dataclass(frozen=True, slots=True)
class Claim:
    """The claim of this literal name has any of these values (as itself, or as one of a list)."""

    name: str
    any_of: tuple[str, ...]

    def __str__(self) -> str:
        return f"claim {self.name} any of {', '.join(self.any_of)}"

    def fits(self, customer: Customer, claims: Claims) -> Fit:
        value = claims.get(self.name)
        return None if value == INCOMPLETE else not set(self.any_of).isdisjoint(_texts(value))

    def why(self, customer: Customer, claims: Claims) -> str:
        values = _texts(claims.get(self.name))
        has = [one for one in self.any_of if one in values]
        return _why_claim(self, customer, claims, f"it has {', '.join(has)}" if has else f"it has {_none_of(self.any_of)}")


@dataclass(frozen=True, slots=True)
class ClaimEquals:
    """The claim's only value is this one. Of several, one of which is this, it cannot be told."""

    name: str
    value: str

    def __str__(self) -> str:
        return f"claim {self.name} equals {self.value}"

    def fits(self, customer: Customer, claims: Claims) -> Fit:
        value = claims.get(self.name)
        if value == INCOMPLETE:
            return None
        texts = set(_texts(value))
        return False if self.value not in texts else len(texts) == 1 or None

    def why(self, customer: Customer, claims: Claims) -> str:
        words = {True: "it is that", False: "it is not that", None: "it is that and more"}
        return _why_claim(self, customer, claims, words[self.fits(customer, claims)])


@dataclass(frozen=True, slots=True)
class ClaimAllOf:
    """The claim has every one of these values."""

    name: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"claim {self.name} all of {', '.join(self.values)}"

    def fits(self, customer: Customer, claims: Claims) -> Fit:
        value = claims.get(self.name)
        return None if value == INCOMPLETE else set(self.values) <= set(_texts(value))

    def why(self, customer: Customer, claims: Claims) -> str:
        texts = set(_texts(claims.get(self.name)))
        lacks = [one for one in self.values if one not in texts]
        return _why_claim(self, customer, claims, f"it lacks {', '.join(lacks)}" if lacks else "it has them all")


@dataclass(frozen=True, slots=True)
class ClaimMatches:
    """One of the claim's values, as a whole, matches this RE2 expression. A longer value than 1,024 characters cannot be told."""

    name: str
    expression: str

    def __str__(self) -> str:
        return f"claim {self.name} matches {self.expression}"

    def fits(self, customer: Customer, claims: Claims) -> Fit:
        value = claims.get(self.name)
        if value == INCOMPLETE:
            return None
        fullmatch = compiled(self.expression)
        texts = _texts(value)
        if any(len(text) <= MAX_MATCHED and fullmatch(_encodable(text)) for text in texts):
            return True
        return None if any(len(text) > MAX_MATCHED for text in texts) else False

    def why(self, customer: Customer, claims: Claims) -> str:
        words = {True: "it matches", False: "it does not match", None: f"it is longer than {MAX_MATCHED} characters"}
        return _why_claim(self, customer, claims, words[self.fits(customer, claims)])


@dataclass(frozen=True, slots=True)
class Organization:
    """Any of these is among the customer's organizations, as ``attributes.organizations`` maps them."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"organization {_or(self.names)}"

    def fits(self, customer: Customer, claims: Claims) -> Fit:
        if any(name in customer.organizations for name in self.names):
            return True
        return False if customer.organizations_complete else None

    def why(self, customer: Customer, claims: Claims) -> str:
        has = [name for name in self.names if name in customer.organizations]
        if has:
            return f"the customer belongs to {', '.join(has)}"
        if not customer.organizations_complete:
            return "the customer's organizations are known to be incomplete"
        return "the customer belongs to another" if customer.organizations else "the customer belongs to none"


@dataclass(frozen=True, slots=True)
class ByProvider:
    """The login was at one of these providers of the profile."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"provider {_or(self.names)}"

    def fits(self, customer: Customer, claims: Claims) -> Fit:
        return customer.provider in self.names

    def why(self, customer: Customer, claims: Claims) -> str:
        return f"the login was at {customer.provider}"


@dataclass(frozen=True, slots=True)
class Everyone:
    """Whoever has a verified email."""

    def __str__(self) -> str:
        return "everyone"

    def fits(self, customer: Customer, claims: Claims) -> Fit:
        return True

    def why(self, customer: Customer, claims: Claims) -> str:
        return "it is for everyone"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of these conditions fits."""

    conditions: tuple[Condition, ...]

    def __str__(self) -> str:
        return f"any of ({'; '.join(map(str, self.conditions))})"

    def fits(self, customer: Customer, claims: Claims) -> Fit:
        fit: Fit = False
        for condition in self.conditions:
            one = condition.fits(customer, claims)
            if one:
                return True
            fit = None if one is None else fit
        return fit

    def why(self, customer: Customer, claims: Claims) -> str:
        return _why_each(self, customer, claims)


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of these conditions fits."""

    conditions: tuple[Condition, ...]

    def __str__(self) -> str:
        return f"all of ({'; '.join(map(str, self.conditions))})"

    def fits(self, customer: Customer, claims: Claims) -> Fit:
        fit: Fit = True
        for condition in self.conditions:
            one = condition.fits(customer, claims)
            if one is False:
                return False
            fit = None if one is None else fit
        return fit

    def why(self, customer: Customer, claims: Claims) -> str:
        return _why_each(self, customer, claims)


Condition: TypeAlias = (
    Email | EmailDomain | EmailIn | Claim | ClaimEquals | ClaimAllOf | ClaimMatches | Organization | ByProvider | Everyone | AnyOf | AllOf
)


def each(condition: Condition) -> list[Condition]:
    """The condition and all that stand in it."""
    inner = condition.conditions if isinstance(condition, AnyOf | AllOf) else ()
    return [condition, *(one for part in inner for one in each(part))]


@lru_cache(maxsize=512)
def compiled(expression: str) -> Callable[[str], Any]:
    """What tells whether a whole text matches an RE2 expression, as ``fullmatch`` does.

    Raises :class:`ValueError` with the reason for an expression that RE2 does not take.
    """
    match: Callable[[str], Any] = _compiled(expression).fullmatch
    return match


def caught_groups(expression: str) -> int:
    """How many pairs of parentheses of an RE2 expression catch something. Raises :class:`ValueError` like :func:`compiled`."""
    return int(_compiled(expression).groups)


def _compiled(expression: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(expression, options)
    except re2.error as error:
        reason = error.args[0] if error.args else b""
        raise ValueError(reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)) from None


def _why_claim(condition: Claim | ClaimEquals | ClaimAllOf | ClaimMatches, customer: Customer, claims: Claims, otherwise: str) -> str:
    value = claims.get(condition.name)
    if value is None:
        return "the claim is not there"
    return _UNKNOWN if value == INCOMPLETE else otherwise


def _why_each(condition: AnyOf | AllOf, customer: Customer, claims: Claims) -> str:
    return "; ".join(f"{one}: {one.why(customer, claims)}" for one in condition.conditions)


def _none_of(values: Sequence[str]) -> str:
    return "another value" if len(values) == 1 else "none of them"


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


def _encodable(text: str) -> str:
    """Half a character has no UTF-8, which RE2 reads; in its place stands a character that says so."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _or(texts: Sequence[str]) -> str:
    return " or ".join(texts)
