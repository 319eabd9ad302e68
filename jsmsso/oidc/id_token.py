"""The ID token's claims: every check of OpenID Connect Core 3.1.3.7 that the code flow asks for, in one place."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from jsmsso.errors import IdTokenRefused
from jsmsso.oidc.keys import KeySource
from jsmsso.oidc.settings import ClientSettings
from jsmsso.oidc.signature import verified_claims

MAX_SUBJECT = 255  # ASCII characters, Core 2
_TEXT_CLAIMS = ("iss", "sub", "nonce", "azp", "at_hash", "token_use", "sid", "email")


def validate_id_token(
    token: str, keys: KeySource, settings: ClientSettings, *, issuer: str, nonce: str, access_token: str | None, now: float
) -> dict[str, Any]:
    """The claims of an ID token that passes every check; ``now`` in seconds since the epoch.

    Raises :class:`IdTokenRefused`, which knows the check, what it expected and what it found.
    """
    claims, alg = verified_claims(token, keys, settings.algorithms)
    for name in _TEXT_CLAIMS:
        if name in claims and not isinstance(claims[name], str):
            raise IdTokenRefused(name, "a text", type(claims[name]).__name__)
    if claims.get("iss") != issuer:
        raise _refused("iss", issuer, claims.get("iss"), "The profile's `issuer` must be equal to the letter.")
    _check_subject(claims)
    _check_audience(claims, settings.client_id)
    _check_times(claims, now, settings.clock_skew)
    if not hmac.compare_digest(claims.get("nonce", "").encode(), nonce.encode()):
        raise IdTokenRefused("nonce", "the one of this login", "another or none")
    _check_token_use(claims, settings.token_use_required)
    if "at_hash" in claims and access_token is not None:
        _check_at_hash(claims["at_hash"], access_token, alg)
    return claims


def _check_subject(claims: Mapping[str, Any]) -> None:
    subject = claims.get("sub", "")
    if not subject or len(subject) > MAX_SUBJECT or not subject.isprintable():
        raise IdTokenRefused("sub", f"1 to {MAX_SUBJECT} printable characters", f"{len(subject)} characters")


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or not all(isinstance(one, str) for one in audiences) or client_id not in audiences:
        raise _refused("aud", client_id, audience, "The token was made for another client: compare client_id with the provider's.")
    azp = claims.get("azp")
    if len(audiences) > 1 and azp is None:
        raise _refused("azp", f"{client_id}, as there are several audiences", None)
    if azp is not None and azp != client_id:
        raise _refused("azp", client_id, azp)


def _check_times(claims: Mapping[str, Any], now: float, skew: int) -> None:
    expires, issued, not_before = (_time(claims, name) for name in ("exp", "iat", "nbf"))
    if expires is None or issued is None:
        raise IdTokenRefused("exp" if expires is None else "iat", "a time in seconds", "none")
    if now >= expires + skew:
        raise _time_refused("exp", f"in the future (skew {skew} s allowed)", now - expires, "ago")
    if issued > now + skew:
        raise _time_refused("iat", f"in the past (skew {skew} s allowed)", issued - now, "ahead of this machine's clock")
    if not_before is not None and not_before > now + skew:
        raise _time_refused("nbf", f"in the past (skew {skew} s allowed)", not_before - now, "ahead of this machine's clock")


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        raise IdTokenRefused(name, "a time in seconds", type(value).__name__)
    return float(value)


def _check_token_use(claims: Mapping[str, Any], required: bool) -> None:
    use = claims.get("token_use")
    if use != "id" and (required or use is not None):
        raise _refused("token_use", "id", use, "An access token does not say who logged in.")


def _check_at_hash(at_hash: str, access_token: str, alg: str) -> None:
    """Core 3.1.3.6: the left half of the access token's hash, by the hash of the signature's algorithm."""
    name = "sha512" if alg == "EdDSA" else f"sha{alg[2:]}"
    digest = hashlib.new(name, access_token.encode()).digest()
    expected = urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    if not hmac.compare_digest(at_hash.encode(), expected):
        raise IdTokenRefused("at_hash", "the hash of the access token", "another")


def _refused(check: str, expected: str, found: object, hint: str = "") -> IdTokenRefused:
    return IdTokenRefused(check, expected, "none" if found is None else repr(found)[:200], hint)


def _time_refused(check: str, expected: str, seconds: float, where: str) -> IdTokenRefused:
    return IdTokenRefused(
        check,
        expected,
        f"{seconds:.0f} s {where}",
        "See that this machine's clock is right (NTP). `clock_skew` allows for up to 300s where it cannot be.",
    )
