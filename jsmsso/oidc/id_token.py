"""The ID token's claims: every check of OpenID Connect Core 3.1.3.7 that the code flow asks for, in one place."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from jsmsso.errors import IdTokenRefused
from jsmsso.oidc.keys import KeySource
from jsmsso.oidc.settings import DEFAULT_ALGORITHMS, ClientSettings
from jsmsso.oidc.signature import verified_claims
from jsmsso.oidc.tenants import issuer_of

MAX_SUBJECT = 255  # ASCII characters, Core 2
_TEXT_CLAIMS = ("iss", "sub", "nonce", "azp", "at_hash", "token_use", "sid", "email")


def validate_id_token(
    token: str,
    keys: KeySource,
    settings: ClientSettings,
    *,
    issuer: str,
    nonce: str,
    access_token: str | None,
    now: float,
    algorithms: Sequence[str] = (),
) -> dict[str, Any]:
    """The claims of an ID token that passes every check; ``now`` in seconds since the epoch.

    ``algorithms`` are those that may have signed it (default: the settings'). Raises :class:`IdTokenRefused`,
    which knows the check, what it expected and what it found.
    """
    claims = _validated(token, keys, settings, issuer, access_token, now, algorithms)
    if (settings.nonce or "nonce" in claims) and not hmac.compare_digest(_bytes(claims.get("nonce", "")), _bytes(nonce)):
        raise IdTokenRefused("nonce", "the one of this login", "another or none")
    if settings.max_age is not None:
        _check_auth_time(claims, now, settings.max_age, settings.clock_skew)
    if settings.require_amr or settings.require_acr:
        _check_authentication(claims, settings)
    return claims


def validate_refreshed_id_token(
    token: str,
    keys: KeySource,
    settings: ClientSettings,
    *,
    issuer: str,
    first: Mapping[str, Any],
    access_token: str | None,
    now: float,
    algorithms: Sequence[str] = (),
) -> dict[str, Any]:
    """The claims of an ID token that came with a refresh (Core 12.2), about the person of the ``first`` one's claims."""
    claims = _validated(token, keys, settings, issuer, access_token, now, algorithms)
    for name in ("iss", "sub", "aud"):
        if claims[name] != first.get(name):
            raise _refused(name, f"{first.get(name)!r}, as at the login", claims[name])
    for name in ("auth_time", "azp", "nonce"):  # they may be left out; a changed one is another login's
        if name in claims and name in first and claims[name] != first[name]:
            raise _refused(name, f"{first[name]!r}, as at the login", claims[name])
    return claims


def _validated(
    token: str, keys: KeySource, settings: ClientSettings, issuer: str, access_token: str | None, now: float, algorithms: Sequence[str]
) -> dict[str, Any]:
    claims, alg = verified_claims(token, keys, algorithms or settings.algorithms or DEFAULT_ALGORITHMS)
    for name in _TEXT_CLAIMS:
        if name in claims and not isinstance(claims[name], str):
            raise IdTokenRefused(name, "a text", type(claims[name]).__name__)
    if claims.get("iss") in settings.legacy_issuers:
        claims["iss"] = issuer  # one person is one issuer and subject, whichever spelling came
    expected = issuer_of(issuer, settings.tenants, claims)
    if claims.get("iss") != expected:
        raise _refused("iss", expected, claims.get("iss"), "The profile's `issuer` must be equal to the letter.")
    _check_subject(claims)
    check_audience(claims, settings.client_id, settings.trusted_audiences)
    check_times(claims, now, settings.clock_skew)
    _check_token_use(claims, settings.token_use_required)
    if "at_hash" in claims and access_token is not None:
        _check_at_hash(claims["at_hash"], access_token, alg)
    return claims


def _check_subject(claims: Mapping[str, Any]) -> None:
    subject = claims.get("sub", "")
    if not subject or len(subject) > MAX_SUBJECT or not subject.isprintable():
        raise IdTokenRefused("sub", f"1 to {MAX_SUBJECT} printable characters", f"{len(subject)} characters")


def check_audience(claims: Mapping[str, Any], client_id: str, trusted: Sequence[str] = ()) -> None:
    """``aud`` names this client beside none but ``trusted`` ones, and ``azp`` nobody else (Core 3.1.3.7, 3 to 5)."""
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or not all(isinstance(one, str) for one in audiences) or client_id not in audiences:
        raise _refused("aud", client_id, audience, "The token was made for another client: compare client_id with the provider's.")
    azp = claims.get("azp")
    if len([one for one in audiences if one not in trusted]) > 1 and azp is None:
        raise _refused("azp", f"{client_id}, as there are several audiences", None)
    if azp is not None and azp != client_id:
        raise _refused("azp", client_id, azp)


def check_times(claims: Mapping[str, Any], now: float, skew: int) -> None:
    """``exp`` and ``iat`` are there, and they and ``nbf`` fit (Core 3.1.3.7, 9 and 10)."""
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
    name = "sha512" if alg.startswith("Ed") else f"sha{alg[2:]}"
    digest = hashlib.new(name, _bytes(access_token)).digest()
    expected = urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    if not hmac.compare_digest(_bytes(at_hash), expected):
        raise IdTokenRefused("at_hash", "the hash of the access token", "another")


def _check_auth_time(claims: Mapping[str, Any], now: float, max_age: int, skew: int) -> None:
    """Core 3.1.2.1: with ``max_age`` asked for, ``auth_time`` must be there and not be longer ago."""
    authenticated = _time(claims, "auth_time")
    if authenticated is None:
        raise IdTokenRefused("auth_time", "a time in seconds, as max_age was asked for", "none")
    if now - authenticated > max_age + skew:
        raise _time_refused("auth_time", f"at most {max_age} s ago (skew {skew} s allowed)", now - authenticated, "ago")
    if authenticated > now + skew:
        raise _time_refused("auth_time", f"in the past (skew {skew} s allowed)", authenticated - now, "ahead of this machine's clock")


def _check_authentication(claims: Mapping[str, Any], settings: ClientSettings) -> None:
    """How the person proved who they are: all of ``amr`` (RFC 8176), one of ``acr`` (Core 2)."""
    methods = claims.get("amr")
    methods = methods if isinstance(methods, list) else []
    if lacking := [method for method in settings.require_amr if method not in methods]:
        raise _refused("amr", f"{' and '.join(lacking)}, as the profile's `require` says", claims.get("amr"))
    acr = claims.get("acr")
    if settings.require_acr and not (isinstance(acr, str) and acr in settings.require_acr):
        raise _refused("acr", f"{' or '.join(settings.require_acr)}, as the profile's `require` says", acr)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # JSON can say half a character; it equals nothing of ours


def _refused(check: str, expected: str, found: object, hint: str = "") -> IdTokenRefused:
    return IdTokenRefused(check, expected, "none" if found is None else repr(found)[:200], hint)


def _time_refused(check: str, expected: str, seconds: float, where: str) -> IdTokenRefused:
    return IdTokenRefused(
        check,
        expected,
        f"{seconds:.0f} s {where}",
        "See that this machine's clock is right (NTP). `clock_skew` allows for up to 300s where it cannot be.",
    )
