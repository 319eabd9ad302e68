"""Claims -> customer: attribute mapping, and the rules by which an email address becomes an identity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from jsmsso.errors import IdentityRefused
from jsmsso.identity.access import domain_matches
from jsmsso.identity.customer import Customer
from jsmsso.identity.email_address import NotAnEmailAddress, fold_email

MAX_TEXT = 255  # characters kept of a name; Jira's display names end there
MAX_ORGANIZATIONS = 200

Claims = Mapping[str, Any]
AttributeMapping = Mapping[str, Sequence[str]]

STANDARD_ATTRIBUTES: AttributeMapping = {
    "email": ("email",),
    "first_name": ("given_name",),
    "last_name": ("family_name",),
    "display_name": ("name",),
}
"""The standard claims (OpenID Connect Core 5.1) for the customer's fields."""

OWN_FIELDS = ("email", "first_name", "last_name", "display_name", "organizations")
"""Those of every customer; other names in a mapping are fields of the administrator's own."""


@dataclass(frozen=True, slots=True)
class IdentityRules:
    """How one provider's claims become a customer.

    ``attributes`` maps each field to expressions that are tried in order: a claim's literal name, else a
    JMESPath over the claims. ``email_domains`` are the only addresses the provider may vouch for (None: any);
    ``trust_unverified_email`` the domains for which it is the authority without saying ``email_verified``.
    Both are folded; ``*.`` stands for subdomains. ``verified_by`` names the claims that say that the claim ``email``
    is verified; where there are none, only the listed domains count.
    """

    provider: str
    attributes: AttributeMapping = field(default_factory=lambda: STANDARD_ATTRIBUTES)
    email_domains: tuple[str, ...] | None = None
    trust_unverified_email: tuple[str, ...] = ()
    verified_by: tuple[str, ...] = ("email_verified",)


def to_customer(claims: Claims, rules: IdentityRules) -> Customer:
    """The customer that validated claims make. Raises :class:`IdentityRefused` where their email is no identity."""
    values = {name: _first(expressions, claims) for name, expressions in rules.attributes.items()}
    email = verified_email(values.get("email"), claims, rules)
    first_name, last_name = _text(values.get("first_name")), _text(values.get("last_name"))
    return Customer(
        provider=rules.provider,
        issuer=claims["iss"],
        subject=claims["sub"],
        email=email,
        first_name=first_name,
        last_name=last_name,
        display_name=_text(values.get("display_name")) or f"{first_name} {last_name}".strip() or email,
        organizations=_texts(values.get("organizations")),
        other={name: value for name, value in values.items() if name not in OWN_FIELDS and value is not None},
    )


def verified_email(value: object, claims: Claims, rules: IdentityRules) -> str:
    """The folded address, if the provider may vouch for it and does. Raises :class:`IdentityRefused`."""
    if isinstance(value, list | tuple):
        value = next(iter(value), None)
    if not isinstance(value, str) or not value:
        raise IdentityRefused(
            "email_missing",
            "the provider sent no email address",
            "Ask for the scope `email`, let the client read the attribute, or map `attributes.email` to another claim.",
            claims=tuple(sorted(claims)),
        )
    try:
        email = fold_email(value)
    except NotAnEmailAddress as error:
        raise IdentityRefused("email_malformed", f"the email address is not one that is taken: {error}") from None
    domain = email.rpartition("@")[2]
    if rules.email_domains is not None and not domain_matches(domain, rules.email_domains):
        raise IdentityRefused(
            "email_domain",
            f"the provider {rules.provider} may not vouch for addresses at {domain}",
            f"Its `email_domains` are: {', '.join(rules.email_domains) or 'none'}.",
            email=email,
        )
    said_verified = claims.get("email") == value and any(_says_verified(claims, name) for name in rules.verified_by)
    if not said_verified and not domain_matches(domain, rules.trust_unverified_email):
        raise IdentityRefused(
            "email_unverified",
            f"the provider does not say that {email} is verified",
            "Verify it at the provider. For people from another identity provider behind Cognito, map email_verified in the pool, "
            "or list the domain in `trust_unverified_email` if the provider alone decides who has such an address.",
            email=email,
        )
    return email


def lacking(claims: Claims, rules: IdentityRules) -> tuple[str, ...]:
    """The mapped fields for which these claims have no value, and ``email_verified`` where nothing says it that could."""
    fields = [name for name, expressions in rules.attributes.items() if _first(expressions, claims) is None]
    if rules.verified_by and not any(name in claims for name in rules.verified_by):
        fields.append("email_verified")
    return tuple(fields)


def destination(claim: str, rules: IdentityRules) -> str:
    """The field that a claim of this literal name goes to, for display; empty when none names it."""
    if claim == "sub":
        return "subject"
    return next((name for name, expressions in rules.attributes.items() if claim in expressions), "")


def evaluate(expression: str, claims: Claims) -> Any:
    """The value of one expression: the claim of that literal name, else the JMESPath; None when there is none."""
    if expression in claims:
        return claims[expression]
    compiled = _compiled(expression)
    if compiled is None:
        return None
    from jmespath.exceptions import JMESPathError

    try:
        return compiled.search(dict(claims))
    except (JMESPathError, RecursionError):
        return None


def is_expression(text: str) -> bool:
    """Whether ``text`` can be more than a claim's literal name: a JMESPath."""
    return text.isidentifier() or _compiled(text) is not None


def _first(expressions: Sequence[str], claims: Claims) -> Any:
    for expression in expressions:
        value = evaluate(expression, claims)
        if value is not None and value != "" and value != []:
            return value
    return None


@lru_cache(maxsize=512)
def _compiled(expression: str) -> Any:
    """The JMESPath, or None where the text can only be a claim's name (``cognito:groups``)."""
    if expression.isidentifier():
        return None  # a claim's plain name that is not there
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.compile(expression)
    except JMESPathError:
        return None


def _says_verified(claims: Claims, name: str) -> bool:
    """Entra writes its own flag as true in some tokens and as "1" in others; of the standard's one, true alone counts."""
    return _flag(claims.get(name)) or (name != "email_verified" and claims.get(name) == "1")


def _flag(value: object) -> bool:
    """Cognito's userinfo says "true" as a text."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        value = next(iter(value), None)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return "".join(c for c in str(value)[:MAX_TEXT] if c.isprintable()).strip()


def _texts(value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(text for one in values[:MAX_ORGANIZATIONS] if (text := _text(one)))
