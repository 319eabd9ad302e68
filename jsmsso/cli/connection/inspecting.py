"""A token looked into: the checks that a login makes of it, each told, and what kind of token it is at all."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from jsmsso.errors import IdentityRefused, IdTokenRefused, ProviderFailed
from jsmsso.identity.attributes import IdentityRules, to_customer
from jsmsso.oidc.id_token import check_audience, check_times, validate_refreshed_id_token
from jsmsso.oidc.relying_party import RelyingParty
from jsmsso.oidc.signature import ASYMMETRIC, unverified_claims, verified_claims
from jsmsso.oidc.tenants import issuer_of
from jsmsso.providers.types import ProviderType, incomplete_claims

Kind = Literal["id", "access", "refresh", "logout", "unknown"]

NAMES: Mapping[Kind, str] = {"id": "an ID token", "access": "an access token", "refresh": "a refresh token", "logout": "a logout token"}
# `typ` of the header (RFC 9068, Back-Channel Logout 2.4) and of Keycloak's claims, and Cognito's `token_use`.
_KINDS: Mapping[str, Kind] = {
    "id": "id", "access": "access", "refresh": "refresh", "at+jwt": "access", "application/at+jwt": "access", "logout+jwt": "logout",
    "bearer": "access", "offline": "refresh", "logout": "logout",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: ``good`` is None where it could not be told."""

    check: str
    good: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """A token's header and claims, and what checks found. ``claims`` is None for a token that is no JWT."""

    kind: Kind
    header: Mapping[str, Any]
    claims: Mapping[str, Any] | None
    findings: tuple[Finding, ...]

    @property
    def good(self) -> bool:
        """Whether no check failed."""
        return all(finding.good is not False for finding in self.findings)


def inspect_token(
    token: str, party: RelyingParty, rules: IdentityRules, type_: ProviderType, *, access: bool, now: float | None = None
) -> Inspection:
    """What can be told of a token, taken for an access token or for an ID token of ``party``'s provider.

    Needs the provider's keys, never the client's secret. Raises nothing for a bad token: that is what the findings say.
    """
    now = time.time() if now is None else now
    try:
        claims = unverified_claims(token)
    except IdTokenRefused as error:
        return Inspection("unknown", {}, None, (_no_jwt(token, error, access=access),))
    header = json.loads(urlsafe_b64decode(token.partition(".")[0] + "==="))
    kind = _kind(header, claims)
    findings = [_as_expected(kind, "access" if access else "id"), _signature(token, party, kind), _issuer(claims, party)]
    findings.append(_addressee(claims, party) if kind == "access" else _audience(claims, party))
    findings.append(_times(claims, now, party.settings.clock_skew))
    if kind in ("id", "unknown") and not access:
        findings += _of_the_person(claims, rules, type_)
        if all(finding.good is not False for finding in findings):
            findings += _of_a_login(token, claims, party, now)
    return Inspection(kind, header, claims, tuple(findings))


def in_words(seconds: float) -> str:
    """``58 min``; a number of one unit, rounded."""
    size, unit = next(
        (size, unit) for size, unit in ((86400, "days"), (3600, "h"), (60, "min"), (1, "s")) if seconds >= 2 * size or size == 1
    )
    return f"{seconds / size:.0f} {unit}"


def _no_jwt(token: str, error: IdTokenRefused, *, access: bool) -> Finding:
    if token.count(".") == 4:
        return Finding("form", None if access else False, "encrypted (a JWE): the provider should send ID tokens signed alone")
    if error.check == "form" and "characters" in error.expected:
        return Finding("form", False, f"{error.found} characters; {error.expected} are read")
    opaque = "no JWT: an opaque token, which the provider alone can read"
    return Finding("form", None, opaque) if access else Finding("form", False, "no JWT, and so no ID token")


def _kind(header: Mapping[str, Any], claims: Mapping[str, Any]) -> Kind:
    for said in (claims.get("token_use"), header.get("typ"), claims.get("typ")):
        if isinstance(said, str) and said.lower() in _KINDS:
            return _KINDS[said.lower()]
    if "events" in claims:
        return "logout"
    if "nonce" in claims or "at_hash" in claims:
        return "id"
    return "access" if "scope" in claims or "scp" in claims else "unknown"


def _as_expected(kind: Kind, expected: Kind) -> Finding:
    if kind == "unknown":
        return Finding("kind", None, f"nothing in it says what it is; taken for {NAMES[expected]}")
    if kind == expected:
        return Finding("kind", True, NAMES[kind])
    why = {"id": "no API takes it", "access": "it does not say who logged in; to look into it: --access"}
    return Finding("kind", False, f"{NAMES[kind]}, where {NAMES[expected]} is due: {why.get(kind, 'nobody logs in with it')}")


def _signature(token: str, party: RelyingParty, kind: Kind) -> Finding:
    try:
        # The metadata lists what ID tokens are signed with; access tokens may differ.
        _, alg = verified_claims(token, party.keys, ASYMMETRIC if kind == "access" else party.algorithms)
    except IdTokenRefused as error:
        return Finding("signature", False, f"{error.check}: expected {error.expected}, found {error.found}")
    except ProviderFailed as error:
        return Finding("signature", None, f"could not tell: {error.message}")
    return Finding("signature", True, f"{alg}, by a key of the provider")


def _issuer(claims: Mapping[str, Any], party: RelyingParty) -> Finding:
    settings = party.settings
    found = claims.get("iss")
    try:
        expected = issuer_of(party.metadata.issuer, settings.tenants, claims)
    except IdTokenRefused as error:
        return Finding("issuer", False, f"{error.check}: expected {error.expected}, found {error.found}")
    except ProviderFailed:
        expected = settings.issuer
    if found == expected or found in settings.legacy_issuers:
        return Finding("issuer", True, str(found))
    return Finding("issuer", False, f"made by {found!r}, the profile's provider is {expected}")


def _audience(claims: Mapping[str, Any], party: RelyingParty) -> Finding:
    settings = party.settings
    return _tried("audience", settings.client_id, lambda: check_audience(claims, settings.client_id, settings.trusted_audiences))


def _addressee(claims: Mapping[str, Any], party: RelyingParty) -> Finding:
    """An access token is for an API, so its ``aud``, which Cognito leaves out, may be anything; who asked for it may stand beside."""
    client_id = party.settings.client_id
    asked_by = next((claims[name] for name in ("client_id", "azp", "appid", "cid") if name in claims), None)
    if asked_by is not None and asked_by != client_id:
        return Finding("client", False, f"made for the client {asked_by!r}, the profile's is {client_id}")
    audience = claims.get("aud")
    if asked_by is not None or client_id in (audience if isinstance(audience, list) else [audience]):
        return Finding("client", True, client_id)
    return Finding("client", None, f"it does not say which client asked for it; it is for {audience!r}")


def _times(claims: Mapping[str, Any], now: float, skew: int) -> Finding:
    tried = _tried("times", "", lambda: check_times(claims, now, skew))
    ends = claims.get("exp")
    if not isinstance(ends, int | float):
        return tried
    if tried.good:
        return Finding("times", True, f"ends in {in_words(ends - now)}" if ends > now else f"it ended just now; {skew} s are allowed")
    if now >= ends + skew and tried.detail.startswith("exp: expected in"):
        return Finding("times", False, f"it ended {in_words(now - ends)} ago; {skew} s are allowed")
    return tried


def _of_the_person(claims: Mapping[str, Any], rules: IdentityRules, type_: ProviderType) -> list[Finding]:
    """What decides whether somebody can log in with it: the address, and whether groups were left out."""
    findings = []
    try:
        customer = to_customer({"iss": "", "sub": "", **claims}, rules)
        findings.append(Finding("email", True, f"{customer.email}, which counts as verified"))
    except IdentityRefused as error:
        # What an ID token does not say, userinfo may still.
        silent = error.reason == "email_missing" or (
            error.reason == "email_unverified" and not any(name in claims for name in rules.verified_by)
        )
        findings.append(Finding("email", None if silent else False, f"{error.message}{' here; userinfo may' if silent else ''}"))
    left_out = "left out by the provider: there are more than fit; rules that deny by it deny"
    return [*findings, *(Finding(name, None, left_out) for name in sorted(incomplete_claims(type_, claims)))]


def _of_a_login(token: str, claims: dict[str, Any], party: RelyingParty, now: float) -> list[Finding]:
    """What else a login would refuse, so that nothing is called right here that is refused there."""
    settings = party.settings
    try:
        metadata = party.metadata
        validate_refreshed_id_token(
            token, party.keys, settings, issuer=metadata.issuer, first=claims, access_token=None, now=now, algorithms=party.algorithms
        )
    except IdTokenRefused as error:
        return [Finding(error.check, False, f"expected {error.expected}, found {error.found}")]
    except ProviderFailed:
        pass  # told by the signature's check
    return []


def _tried(check: str, good: str, test: Callable[[], None]) -> Finding:
    try:
        test()
    except IdTokenRefused as error:
        return Finding(check, False, f"{error.check}: expected {error.expected}, found {error.found}")
    return Finding(check, True, good)
