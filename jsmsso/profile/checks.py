"""What one key of the profile asks of another.

The checks look at the parsed values rather than at the model, so that they speak also where another key
is wrong; each passes over what it cannot make sense of, which the model complains about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast, get_args
from urllib.parse import urlsplit

from pydantic_core import PydanticCustomError

from jsmsso.identity.email_address import NotAnEmailAddress, fold_domain
from jsmsso.profile.access_rules import CLAIM_VALUES, KINDS
from jsmsso.profile.addresses import is_loopback
from jsmsso.profile.fields import Lasting
from jsmsso.profile.parsing import Location
from jsmsso.profile.provider import ProviderType
from jsmsso.profile.redaction import shown

_any_length = Lasting("0s", "30d")

# What the types in providers/ are like, as far as their entries must be written for it; a test there compares them.
PLAIN_OAUTH2 = ("github", "discord", "facebook")
FIXED_ISSUER = ("google", "slack", "linkedin", "discord", "facebook")
_SEVERAL_TENANTS = ("/common/", "/organizations/", "/consumers/", "/{tenantid}/")  # in the issuer's address (Entra)


class Finding(NamedTuple):
    location: Location
    message: str
    hint: str = ""


def check(values: dict[str, Any]) -> Iterator[Finding]:
    """Everything that the keys of ``values`` get wrong between them."""
    for one in _CHECKS:
        yield from one(values)


def _empty_values(values: dict[str, Any]) -> Iterator[Finding]:
    for location in _nulls(values, ()):
        hint = "Give it a value or delete the key."
        if location[-1] in ("accent", "accent_dark"):
            hint = "# begins a comment: quote the colour."
        yield Finding(location, "the key has no value", hint)


def _nulls(value: Any, location: Location) -> Iterator[Location]:
    if value is None and location:
        yield location
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _nulls(inner, (*location, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _nulls(inner, (*location, number))


def _providers(values: dict[str, Any]) -> Iterator[Finding]:
    for name, provider in _mappings(values, "providers"):
        here = ("providers", name)
        if provider.get("type") == "cognito" and "domain" not in provider:
            yield Finding(
                (*here, "domain"), "the key is missing, and type cognito needs it", "For example acme.auth.eu-west-1.amazoncognito.com."
            )
        yield from _issuer(provider, here)
        if provider.get("client_auth") == "private_key_jwt" and "client_key" not in provider:
            yield Finding(
                (*here, "client_key"),
                "the key is missing, and client_auth: private_key_jwt needs it",
                "For example keyring:NAME/client_key.",
            )
        if provider.get("client_auth") in ("client_secret_basic", "client_secret_post") and "client_secret" not in provider:
            yield Finding((*here, "client_secret"), f"the key is missing, and client_auth: {provider['client_auth']} needs it")
        if provider.get("any_email") is True and "email_domains" in provider:
            yield Finding((*here, "any_email"), "any_email: true and email_domains cannot both be set", "Delete one of them.")
        scopes = provider.get("scopes")
        if (
            isinstance(scopes, list)
            and provider.get("type") not in PLAIN_OAUTH2
            and scopes
            and "openid" not in " ".join(map(str, scopes)).split()
        ):
            yield Finding((*here, "scopes"), "openid is missing, and without it there is no ID token", "Add openid to the list.")


def _issuer(provider: dict[str, Any], here: Location) -> Iterator[Finding]:
    type_, issuer = provider.get("type"), provider.get("issuer")
    if type_ in get_args(ProviderType) and type_ not in ("cognito", *FIXED_ISSUER):
        if type_ in PLAIN_OAUTH2 and "issuer" not in provider:
            yield Finding(
                (*here, "issuer"), f"the key is missing, and type {type_} needs it", "For example https://github.com/login/oauth."
            )
        elif not {"issuer", "discovery_url"} & set(provider):
            hint = "For example https://login.acme.com." if type_ == "oidc" else f"jsmsso provider add {type_} finds it."
            yield Finding((*here, "issuer"), f"the key is missing, and type {type_} needs it or discovery_url", hint)
    if "tenants" in provider and isinstance(issuer, str) and not any(part in issuer for part in _SEVERAL_TENANTS):
        yield Finding(
            (*here, "tenants"),
            f"it says whose people may log in, and {shown(issuer)} serves one tenant alone",
            "Delete the key; or let the issuer be one for several tenants: https://login.microsoftonline.com/organizations/v2.0.",
        )


def _callbacks(values: dict[str, Any]) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for number, (name, provider) in enumerate(_mappings(values, "providers")):
        callback = provider.get("callback", default_callback(name, first=number == 0))
        if not isinstance(callback, str):
            continue
        if callback in seen:
            hint = f"For example /callback/{name}; register it at the provider too."
            yield Finding(("providers", name, "callback"), f"{callback} is the callback of {seen[callback]} already", hint)
        seen.setdefault(callback, name)


def default_callback(name: str, *, first: bool) -> str:
    """The callback of a provider that names none: each has its own (design section 7)."""
    return "/callback" if first else f"/callback/{name}"


def _email_domains(values: dict[str, Any]) -> Iterator[Finding]:
    providers = list(_mappings(values, "providers"))
    if len(providers) < 2:
        return
    vouched: dict[str, str] = {}
    for name, provider in providers:
        if "email_domains" not in provider and provider.get("any_email") is not True:
            hint = "Each of several providers may vouch only for its own: email_domains: [acme.com], or any_email: true."
            yield Finding(("providers", name, "email_domains"), "the key is missing, and with several providers each needs it", hint)
        for number, domain in enumerate(_list(provider.get("email_domains"))):
            folded = _folded(domain)
            if folded and vouched.setdefault(folded, name) != name:
                where = ("providers", name, "email_domains", number)
                yield Finding(
                    where, f"{folded} stands in the list of {vouched[folded]} already", "One provider alone may vouch for a domain."
                )


def _portals(values: dict[str, Any]) -> Iterator[Finding]:
    names = {name for name, _ in _mappings(values, "providers")}
    seen: dict[tuple[str, str], int] = {}
    for number, portal in enumerate(_list(values.get("portals"))):
        if not isinstance(portal, dict):
            continue
        for key in ("id", "key"):
            if not isinstance(value := portal.get(key), str):
                continue
            first = seen.setdefault((key, value.upper()), number)
            if first != number:
                yield Finding(
                    ("portals", number, key), f"found {shown(value)}, which portals[{first}] has already", "Delete one of the two portals."
                )
        yield from _known_provider(portal.get("provider"), ("portals", number, "provider"), names)
        if portal.get("visibility") == "private" and not portal.get("access"):
            yield Finding(
                ("portals", number, "access"),
                "the key is missing, and visibility: private needs at least one rule",
                "For example access: [{allow: {email_domain: acme.com}}].",
            )
        if portal.get("visibility") == "private" and not values.get("access"):
            yield Finding(
                ("portals", number, "visibility"),
                "private needs rules for everyone too, and there is no access: on the first level",
                "For example access: [{allow: everyone}].",
            )
        if portal.get("visibility") == "public" and "access" in portal:
            yield Finding(("portals", number, "access"), "visibility: public and access cannot both be set", "Delete one of them.")


def _known_provider(name: Any, location: Location, names: set[str]) -> Iterator[Finding]:
    if isinstance(name, str) and name not in names:
        yield Finding(
            location, f"found {shown(name)}, which is no provider in this file", f"There is {', '.join(sorted(names))}." if names else ""
        )


def _access(values: dict[str, Any]) -> Iterator[Finding]:
    names = {name for name, _ in _mappings(values, "providers")}
    places: list[tuple[Location, Any]] = [(("access",), values.get("access"))]
    places += [
        (("portals", n, "access"), portal["access"])
        for n, portal in enumerate(_list(values.get("portals")))
        if isinstance(portal, dict) and "access" in portal
    ]
    for location, rules in places:
        for number, rule in enumerate(_list(rules)):
            if not isinstance(rule, dict):
                continue
            here = (*location, number)
            if len({"allow", "deny"} & set(rule)) != 1 and set(rule) <= {"allow", "deny"}:
                yield Finding(here, "a rule needs either allow or deny", "For example - allow: {email_domain: [acme.com]}.")
            for effect in ("allow", "deny"):
                yield from _condition(rule.get(effect), (*here, effect), names)


def _condition(condition: Any, location: Location, names: set[str]) -> Iterator[Finding]:
    if not isinstance(condition, dict):
        return
    kinds = [kind for kind in KINDS if kind in condition]
    given = [key for key in CLAIM_VALUES if key in condition]
    if len(kinds) > 1:
        yield Finding(
            location,
            f"{' and '.join(kinds)} stand in one condition",
            "Write all: [{...}, {...}] where both must fit, any: [...] where one is enough.",
        )
    if not kinds and (given or not condition):
        what = f"{given[0]} needs claim: beside it" if given else "the condition is empty"
        yield Finding(location, what, "For example {claim: cognito:groups, any_of: [customers]}.")
    if "claim" in kinds and len(given) != 1:
        yield Finding(
            location, f"claim needs exactly one of {', '.join(CLAIM_VALUES)}", "For example {claim: cognito:groups, any_of: [customers]}."
        )
    if given and kinds and "claim" not in kinds:
        yield Finding((*location, given[0]), f"{given[0]} belongs to claim, not to {kinds[0]}")
    named = condition.get("provider")
    for number, name in enumerate(_list(named)):
        yield from _known_provider(name, (*location, "provider", number), names)
    yield from _known_provider(named, (*location, "provider"), names)
    for kind in ("any", "all"):
        for number, inner in enumerate(_list(condition.get(kind))):
            yield from _condition(inner, (*location, kind, number), names)


def _attributes(values: dict[str, Any]) -> Iterator[Finding]:
    for name in ("subject", "provider", "issuer"):
        if isinstance(mapped := values.get("attributes"), dict) and name in mapped:
            yield Finding(
                ("attributes", name),
                f"{name} is never mapped: it always is what the ID token says",
                "Delete the key, or give the field another name.",
            )


def _session(values: dict[str, Any]) -> Iterator[Finding]:
    session = values.get("session")
    if not isinstance(session, dict) or "idle_timeout" not in session:
        return
    try:
        idle, whole = (_any_length.seconds(text) for text in (session["idle_timeout"], session.get("lifetime", "8h")))
    except PydanticCustomError:
        return
    if idle > whole:
        yield Finding(("session", "idle_timeout"), "it is longer than lifetime", "Shorten it, or lengthen lifetime.")


def _store(values: dict[str, Any]) -> Iterator[Finding]:
    store = values.get("store")
    inside = isinstance(store, dict)
    url = store.get("url") if isinstance(store, dict) else store
    if not isinstance(url, str):
        return
    location: Location = ("store", "url") if inside else ("store",)
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    insecure = isinstance(store, dict) and store.get("insecure") is True
    if parts.scheme == "redis" and not insecure and not is_loopback(parts.hostname or ""):
        yield Finding(
            location, "Redis without TLS on another machine", "Write rediss://, or {url: ..., insecure: true} where the network is trusted."
        )
    if parts.scheme == "sqlite" and isinstance(store, dict) and "password" in store:
        yield Finding(("store", "password"), "a SQLite store has no password", "Delete the key.")


def _saml_and_scim(values: dict[str, Any]) -> Iterator[Finding]:
    jsm = values.get("jsm")
    customers = jsm.get("customers") if isinstance(jsm, dict) else None
    if isinstance(customers, dict) and customers.get("by") == "scim" and "scim" not in values:
        yield Finding(("jsm", "customers", "by"), "by: scim needs the key scim: with url and token")


_CHECKS: tuple[Callable[[dict[str, Any]], Iterator[Finding]], ...] = (
    _empty_values, _providers, _callbacks, _email_domains, _portals, _access, _attributes, _session, _store, _saml_and_scim,
)  # fmt: skip


def _mappings(values: dict[str, Any], key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    inner = values.get(key)
    if isinstance(inner, dict):
        yield from ((name, cast("dict[str, Any]", one)) for name, one in inner.items() if isinstance(one, dict))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _folded(domain: Any) -> str:
    try:
        return fold_domain(domain) if isinstance(domain, str) else ""
    except NotAnEmailAddress:
        return ""
