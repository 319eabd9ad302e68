"""What a well-formed profile asks for that is not acted on yet, and what in it can have no effect.

A key that only adds something is named at the start. A key that keeps somebody out, or without which
a login cannot work, is refused: to pass over it would open a door that the profile closes.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import BaseModel

from jsmsso.identity.access import never_reached
from jsmsso.identity.contradictions import never_fitting
from jsmsso.profile.model import Profile

# Keys as patterns -> why they are refused. The first pattern that fits counts; `[]` stands for any item.
_REFUSED = {
    "jsm.customers.by": "customers would be written in another way than it says",
}
_NAMED = ("saml", "scim")


@dataclass(frozen=True, slots=True)
class Notes:
    """One sentence each, beginning with the key. ``serve`` stops (exit 3) where ``refused`` is not empty."""

    named: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def serving_notes(profile: Profile) -> Notes:
    """What ``serve`` has to say about ``profile`` before it serves it. Pure; looks at the profile alone."""
    named: dict[str, list[str]] = {}
    refused: dict[str, list[str]] = {}
    for key, portal in _set_keys(profile):
        if reason := next((why for pattern, why in _REFUSED.items() if _within(key, pattern)), ""):
            refused.setdefault(f"{key} is not acted on yet, and {reason}", []).append(portal)
        elif any(_within(key, pattern) for pattern in _NAMED):
            named.setdefault(f"{key} is not acted on yet", []).append(portal)
    return Notes(
        named=(*(_with_portals(note, portals) for note, portals in named.items()), *_never_reached(profile), *_forward_auth(profile)),
        refused=(*_unservable(profile), *(_with_portals(note, portals) for note, portals in refused.items())),
    )


def _set_keys(value: BaseModel, before: str = "", portal: str = "") -> Iterator[tuple[str, str]]:
    """Keys that stand in the profile with another value than the default, and the portal they stand in."""
    for name in type(value).model_fields:
        inner = getattr(value, name)
        if name not in value.model_fields_set or inner == type(value).model_fields[name].default:
            continue
        key = f"{before}.{name}" if before else name
        yield key, portal
        if isinstance(inner, BaseModel):
            yield from _set_keys(inner, key, portal)
        elif isinstance(inner, dict):
            for item, section in inner.items():
                if isinstance(section, BaseModel):
                    yield from _set_keys(section, f"{key}.{item}", portal)
        elif name == "portals":
            for section in inner:
                yield from _set_keys(section, f"{key}[]", section.key)


def _within(key: str, pattern: str) -> bool:
    """Whether ``key`` is the first key that ``pattern`` means: what stands below it is not named again."""
    return fnmatch.fnmatchcase(key, pattern.replace("[]", "[[]]")) and key.count(".") == pattern.count(".")


def _unservable(profile: Profile) -> Iterator[str]:
    if not profile.providers:
        yield "providers: there is none; add one with: jsmsso provider add cognito"
    for name, provider in profile.providers.items():
        if not provider.issuer:
            yield f"providers.{name}.issuer is missing: find and pin it with: jsmsso test-connection --provider {name}"
    if profile.session.secret is None and not profile.is_loopback:
        yield (
            "session.secret is missing, and public_url is public: make one with"
            " openssl rand -base64 32 | jsmsso secrets set session/secret, then write secret: keyring:session/secret"
        )
    native = [portal.key for portal in profile.portals if portal.mode == "native"]
    if native:
        yield _with_portals("portals[].mode: native is not acted on yet; use redirect or hosted", native)
    hosted = [portal.key for portal in profile.portals if portal.mode == "hosted" and not portal.gone]
    if hosted and profile.jsm is None:
        yield _with_portals("portals[].mode: hosted shows what JSM has, and jsm: is missing; write it with: jsmsso jsm connect", hosted)
    yield from _visibility(profile)


def _visibility(profile: Profile) -> Iterator[str]:
    jira = [portal.key for portal in profile.portals if portal.visibility == "jira"]
    if jira and profile.jsm is None:
        yield _with_portals("portals[].visibility: jira asks JSM who may open the portal, and jsm: is missing", jira)


def _never_reached(profile: Profile) -> Iterator[str]:
    """Rules that decide about nobody, since an earlier one always does."""
    for where, rules in (("access", profile.rules), *((f"access of portal {one.key}", one.rules) for one in profile.portals)):
        for number, earlier in never_reached(rules):
            yield f"{where}: rule {number} can never match, rule {earlier} decides before it: {rules[earlier - 1]}"
        for number in never_fitting(rules):
            yield f"{where}: rule {number} can never match, it contradicts itself: {rules[number - 1]}"


def _forward_auth(profile: Profile) -> Iterator[str]:
    """What keeps a proxy from getting the answers it is meant to get. Every one of these closes doors and opens none."""
    if profile.forward_auth is None:
        return
    if not profile.trusted_proxies:
        yield "forward_auth: trusted_proxies is empty, so whatever a proxy asks is refused; name the proxy's address, or unix"
    if not profile.base_path:
        yield "forward_auth: public_url has no path; it needs one of its own on the protected host, such as https://jira.acme.com/_sso"
    elsewhere = [one.key for one in profile.portals if not one.gone and urlsplit(one.url).netloc != urlsplit(profile.public_url).netloc]
    if elsewhere:
        yield _with_portals("forward_auth: portals are on another host than public_url, where nobody asks", elsewhere)


def _with_portals(note: str, portals: list[str]) -> str:
    keys = [key for key in portals if key]
    if not keys:
        return note
    more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
    return f"{note} (in {', '.join(keys[:3])}{more})"
