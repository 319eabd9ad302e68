"""A token explained: what checks out, and what each claim says, with times in words."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from jsmsso.cli.connection.showing import row, shown_value, table
from jsmsso.errors import IdTokenRefused, ProviderFailed
from jsmsso.oidc.id_token import check_audience, check_times
from jsmsso.oidc.relying_party import RelyingParty
from jsmsso.oidc.signature import unverified_claims, verified_claims

if TYPE_CHECKING:
    from rich.console import Console

MEANINGS = {
    "iss": "the provider that made it",
    "sub": "the person, as the provider numbers them",
    "aud": "the client it was made for",
    "azp": "the client that asked for it",
    "exp": "it ends",
    "iat": "it was made",
    "nbf": "it begins",
    "auth_time": "the person logged in",
    "nonce": "ties it to one login",
    "at_hash": "ties it to one access token",
    "jti": "its own number",
    "sid": "the provider's session",
    "acr": "how strong the login was",
    "amr": "how the person logged in",
    "token_use": "what Cognito made it for",
    "scope": "what it may be used for",
    "client_id": "the client it was made for",
    "email_verified": "whether the provider vouches for the address",
}
_UNITS = ((86400, "days"), (3600, "h"), (60, "min"), (1, "s"))
_TIMES = ("exp", "iat", "nbf", "auth_time")


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: ``good`` is None where it could not be told."""

    check: str
    good: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """A token's claims and what checks found. ``claims`` is None for a token that is no JWT."""

    claims: Mapping[str, Any] | None
    findings: tuple[Finding, ...]

    @property
    def good(self) -> bool:
        """Whether no check failed."""
        return all(finding.good is not False for finding in self.findings)

    def to_data(self) -> dict[str, Any]:
        """For programs."""
        results = {True: "right", False: "wrong", None: "unknown"}
        return {
            "claims": None if self.claims is None else dict(self.claims),
            "checks": [{"check": one.check, "result": results[one.good], "detail": one.detail} for one in self.findings],
        }


def inspect_token(token: str, party: RelyingParty, *, skew: int, now: float | None = None) -> Inspection:
    """Decode and check a token of ``party``'s provider. Needs its keys, never the client's secret. Raises nothing for a bad token."""
    now = time.time() if now is None else now
    try:
        claims = unverified_claims(token)
    except IdTokenRefused:
        detail = "it is no JWT: an opaque token, which only the provider can read"
        return Inspection(None, (Finding("form", None, detail),))
    findings = [_signature(token, party), _issuer(claims, party)]
    if "client_id" in claims and "aud" not in claims:  # Cognito's access tokens have no audience
        fits = claims["client_id"] == party.settings.client_id
        findings.append(Finding("client", fits, "made for this client" if fits else "made for another client"))
    else:
        findings.append(_tried("audience", "made for this client", lambda: check_audience(claims, party.settings.client_id)))
    findings.append(_tried("times", "valid now", lambda: check_times(claims, now, skew)))
    return Inspection(claims, tuple(findings))


def draw_inspection(console: Console, inspection: Inspection) -> None:
    """For a person."""
    drawn = table("check", "", "", show_header=False)
    words = {True: "ok", False: "fail", None: "warn"}
    for one in inspection.findings:
        row(drawn, words[one.good], one.check, one.detail)
    console.print(drawn)
    if inspection.claims is None:
        return
    console.print()
    drawn = table("claim", "value", "means")
    now = time.time()
    for name, value in inspection.claims.items():
        shown = time_in_words(value, now) if name in _TIMES else shown_value(value)
        row(drawn, name, shown, MEANINGS.get(name, ""))
    console.print(drawn)


def time_in_words(value: object, now: float) -> str:
    """``2026-11-23 15:57:12 UTC (in 58 min)``; anything that is no time as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e11:
        return shown_value(value)
    stamp = datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    seconds = abs(value - now)
    size, unit = next((size, unit) for size, unit in _UNITS if seconds >= 2 * size or size == 1)
    amount = f"{seconds / size:.0f} {unit}"
    return f"{stamp} (in {amount})" if value > now else f"{stamp} ({amount} ago)"


def _signature(token: str, party: RelyingParty) -> Finding:
    try:
        _, alg = verified_claims(token, party.keys, party.algorithms)
    except IdTokenRefused as error:
        return Finding("signature", False, f"{error.check}: expected {error.expected}, found {error.found}")
    except ProviderFailed as error:
        return Finding("signature", None, f"could not tell: {error.message}")
    return Finding("signature", True, f"{alg}, by a key of the provider")


def _issuer(claims: Mapping[str, Any], party: RelyingParty) -> Finding:
    fits = claims.get("iss") == party.settings.issuer
    return Finding("issuer", fits, "the provider of the profile" if fits else f"expected {party.settings.issuer}")


def _tried(check: str, good: str, test: Callable[[], None]) -> Finding:
    try:
        test()
    except IdTokenRefused as error:
        return Finding(check, False, f"{error.check}: expected {error.expected}, found {error.found}")
    return Finding(check, True, good)
