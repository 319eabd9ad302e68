"""Claims -> customer: attribute mapping, and the rules by which an email address becomes an identity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from jsmsso.errors import IdentityRefused
from jsmsso.identity.conditions import INCOMPLETE
from jsmsso.identity.customer import Customer
from jsmsso.identity.email_address import NotAnEmailAddress, fold_email
from jsmsso.identity.email_patterns import domain_matches

MAX_TEXT = 255  # characters kept of a name; Jira's display names end there
MAX_ORGANIZATIONS = 200
MAX_JSON = 100_000  # characters of a claim that is read as JSON in a text

Claims = Mapping[str, Any]
AttributeMapping = Mapping[str, Sequence[str]]

STANDARD_ATTRIBUTES: AttributeMapping = {
    "email": ("email",),
    "first_name": ("given_name",),
    "last_name": ("family_name",),
    "display_name": ("name",),
    "locale": ("locale",),
    "phone": ("phone_number",),
}
"""The standard claims (OpenID Connect Core 5.1) for the customer's fields."""

OWN_FIELDS = ("email", "first_name", "last_name", "display_name", "organizations", "locale", "phone")
"""Those of every customer; other names in a mapping are fields of the administrator's own."""
_NOT_MISSED = ("locale", "phone")  # by the standard claims: few providers have them, and nobody waits for another call for their sake


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
    first_name, last_name, display_name = (_text(values.get(name)) for name in ("first_name", "last_name", "display_name"))
    if not first_name and not last_name:
        first_name, last_name = _split(display_name)
    organizations = _texts(values.get("organizations"))
    return Customer(
        provider=rules.provider,
        issuer=claims["iss"],
        subject=claims["sub"],
        email=email,
        first_name=first_name,
        last_name=last_name,
        display_name=display_name or f"{first_name} {last_name}".strip() or email,
        organizations=tuple(organizations[:MAX_ORGANIZATIONS]),
        organizations_complete=len(organizations) <= MAX_ORGANIZATIONS
        and not _reads_incomplete(rules.attributes.get("organizations", ()), claims),
        locale=_text(values.get("locale")),
        phone=_text(values.get("phone")),
        other={name: value for name, value in values.items() if name not in OWN_FIELDS and value is not None},
    )


def verified_email(value: object, claims: Claims, rules: IdentityRules) -> str:
    """The folded address, if the provider may vouch for it and does. Raises :class:`IdentityRefused`."""
    if isinstance(value, list | tuple):
        value = next(iter(value), None)
    if not isinstance(value, str) or not value:
        raise IdentityRefused(
            "email_missing",
            f"the provider sent {'something else than text as the' if value else 'no'} email address",
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
    fields = [
        name
        for name, expressions in rules.attributes.items()
        if not (name in _NOT_MISSED and tuple(expressions) == STANDARD_ATTRIBUTES[name]) and _first(expressions, claims) is None
    ]
    if rules.verified_by and not any(name in claims for name in rules.verified_by):
        fields.append("email_verified")
    return tuple(fields)


def destination(claim: str, rules: IdentityRules) -> str:
    """The field that a claim of this literal name goes to, for display; empty when none names it."""
    if claim == "sub":
        return "subject"
    return next((name for name, expressions in rules.attributes.items() if claim in expressions), "")


def evaluate(expression: str, claims: Claims) -> Any:
    """The value of one expression: the claim of that literal name, else the JMESPath; None when there is none.

    A path also leads into a claim that is JSON in a text, as Cognito's userinfo has ``identities``.
    """
    if expression in claims:
        return claims[expression]
    compiled = _compiled(expression)
    if compiled is None:
        return None
    from jmespath.exceptions import JMESPathError

    read = {name: _unpacked(value) if isinstance(value, str) and name in expression else value for name, value in claims.items()}
    try:
        return compiled.search(read)
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


def _unpacked(text: str) -> object:
    """The list or mapping that a text is in JSON, else the text."""
    if text[:1] not in ("[", "{") or len(text) > MAX_JSON:
        return text
    import json

    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _reads_incomplete(expressions: Sequence[str], claims: Claims) -> bool:
    """Whether one of the expressions looks at a claim of which the provider left something out."""
    incomplete = [name for name, value in claims.items() if value == INCOMPLETE]
    return bool(incomplete) and any(name in one or _looks_at_all(one) for one in expressions for name in incomplete)


def _looks_at_all(expression: str) -> bool:
    return expression.startswith(("*", "@")) or "(@" in expression


def _split(name: str) -> tuple[str, str]:
    """First and last name of a whole one: ``Ada King Lovelace``, or ``Lovelace, Ada`` as directories write it."""
    if "@" in name:
        return "", ""  # an address in place of a name
    if name.count(",") == 1:
        last_name, _, first_name = (part.strip() for part in name.partition(","))
    else:
        first_name, _, last_name = (part.strip() for part in name.rpartition(" "))
    return (first_name, last_name) if first_name else (last_name, "")


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        value = next(iter(value), None)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    # Cut first, so that megabytes cost nothing.
    return "".join(c for c in str(value)[:MAX_TEXT] if c.isprintable()).strip()


def _texts(value: object) -> list[str]:
    """Each text once, in its order; one that is a list in JSON as a list. At most one more than are kept."""
    if isinstance(value, str):
        unpacked = _unpacked(value)
        value = unpacked if isinstance(unpacked, list) else value
    texts: dict[str, None] = {}
    for one in value if isinstance(value, list | tuple) else [value]:
        if text := _text(one):
            texts[text] = None
        if len(texts) > MAX_ORGANIZATIONS:
            break
    return list(texts)
