"""An inspection as a person reads it, claim by claim, and as a program does."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from jsmsso.cli.connection.inspecting import Inspection, in_words
from jsmsso.cli.connection.showing import shown_value, table, visible
from jsmsso.identity.access import Rule, claims_named
from jsmsso.identity.attributes import IdentityRules, destination

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

MEANINGS = {
    "iss": "the provider that made it",
    "sub": "the person, as the provider numbers them",
    "aud": "whom it was made for",
    "azp": "the client that asked for it",
    "client_id": "the client that asked for it",
    "exp": "it ends",
    "iat": "it was made",
    "nbf": "it begins",
    "auth_time": "the person logged in",
    "updated_at": "the person's data last changed",
    "nonce": "ties it to one login",
    "at_hash": "ties it to one access token",
    "jti": "its own number",
    "origin_jti": "the number of the login's refresh token (Cognito)",
    "event_id": "the login's number (Cognito)",
    "sid": "the provider's session",
    "acr": "how strong the login was",
    "amr": "how the person logged in",
    "token_use": "what Cognito made it for",
    "typ": "what Keycloak made it for",
    "scope": "what it may be used for",
    "scp": "what it may be used for",
    "tid": "the Entra tenant",
    "oid": "the person in the Entra tenant",
    "cognito:username": "the person's name in the user pool",
    "cognito:groups": "the person's groups in the user pool",
    "identities": "the identity provider behind Cognito",
    "_claim_names": "claims that are kept elsewhere, such as too many groups (Entra)",
    "hasgroups": "too many groups to name (Entra)",
}
_TIMES = ("exp", "iat", "nbf", "auth_time", "updated_at")
_WORDS = {True: ("ok", "green"), False: ("fail", "red"), None: ("warn", "yellow")}
_RESULTS = {True: "right", False: "wrong", None: "unknown"}


def to_data(inspection: Inspection, rules: IdentityRules, access: Sequence[Rule]) -> dict[str, Any]:
    """For programs: the same checks, the claims as they stand, and each claim explained."""
    claims = inspection.claims
    explained = [] if claims is None else _explained(claims, rules, access, time.time())
    return {
        "kind": inspection.kind,
        "checks": [{"check": one.check, "result": _RESULTS[one.good], "detail": one.detail} for one in inspection.findings],
        "header": dict(inspection.header),
        "claims": None if claims is None else dict(claims),
        "explained": [{"claim": claim, "value": value, "means": means} for claim, value, means in explained],
    }


def draw(console: Console, inspection: Inspection, rules: IdentityRules, access: Sequence[Rule], title: str) -> None:
    """For a person, at most 80 columns wide."""
    from rich.text import Text

    console.print(Text(visible(title)))
    console.print()
    drawn = table("", "check", "", show_header=False)
    for one in inspection.findings:
        word, colour = _WORDS[one.good]
        drawn.add_row(Text(word, style=colour), Text(visible(one.check)), Text(visible(one.detail)))
    console.print(drawn)
    if inspection.claims is None:
        return
    console.print()
    drawn = table("claim", "value", "means")
    for cells in _explained(inspection.claims, rules, access, time.time()):
        drawn.add_row(*(Text(visible(cell)) for cell in cells))
    console.print(drawn)


def time_in_words(value: object, now: float) -> str:
    """``2026-11-23 15:57:12 UTC (in 58 min)``; anything that is no time in seconds since the epoch as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e11:
        return shown_value(value)
    stamp = datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    amount = in_words(abs(value - now))
    return f"{stamp} (in {amount})" if value > now else f"{stamp} ({amount} ago)"


def _explained(claims: Mapping[str, Any], rules: IdentityRules, access: Sequence[Rule], now: float) -> list[tuple[str, str, str]]:
    named = claims_named(access)
    lines = []
    for claim, value in claims.items():
        field = destination(claim, rules)
        means = [_meaning(claim, value, rules)]
        means += [f"the customer's {field}"] if field and field != "subject" else []
        means += ["an access rule looks at it"] if claim in named else []
        lines.append((claim, time_in_words(value, now) if claim in _TIMES else shown_value(value), "; ".join(filter(None, means))))
    return lines


def _meaning(claim: str, value: object, rules: IdentityRules) -> str:
    if claim in rules.verified_by:
        verified = value is True or str(value).lower() == "true" or (claim != "email_verified" and value == "1")
        return f"the provider {'vouches' if verified else 'does not vouch'} for the address"
    return MEANINGS.get(claim, "")
