"""The logout token that a provider sends when somebody signed out elsewhere (OpenID Connect Back-Channel Logout 1.0)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jsmsso.errors import IdTokenRefused, LogoutTokenRefused
from jsmsso.oidc.id_token import check_audience, check_times
from jsmsso.oidc.keys import KeySource
from jsmsso.oidc.settings import DEFAULT_ALGORITHMS, ClientSettings
from jsmsso.oidc.signature import verified_token
from jsmsso.oidc.tenants import issuer_of

EVENT = "http://schemas.openid.net/event/backchannel-logout"
MAX_TEXT = 255  # characters of sub, sid and jti
_TYPES = ("logout+jwt", "application/logout+jwt", "jwt")  # the last by providers from before typ was set (2.4)


@dataclass(frozen=True, slots=True)
class LogoutToken:
    """Whose sessions end: those of ``sid`` where it is named, else all of ``sub``.

    The caller remembers ``jti`` until ``expires`` (seconds since the epoch, skew included) and ignores a second
    token with it (2.6, 8).
    """

    issuer: str
    sub: str | None
    sid: str | None
    jti: str
    expires: float


def validate_logout_token(
    token: str, keys: KeySource, settings: ClientSettings, *, issuer: str, now: float, algorithms: Sequence[str] = ()
) -> LogoutToken:
    """What a logout token that passes every check of 2.6 says. Raises :class:`LogoutTokenRefused`.

    Anybody can send one: ``keys`` have a budget of their own (:meth:`KeySource.with_own_budget`).
    """
    try:
        return _validated(token, keys, settings, issuer, now, algorithms)
    except IdTokenRefused as error:
        raise LogoutTokenRefused(error.check, error.expected, error.found, error.hint) from None


def _validated(token: str, keys: KeySource, settings: ClientSettings, issuer: str, now: float, algorithms: Sequence[str]) -> LogoutToken:
    claims, header = verified_token(token, keys, algorithms or settings.algorithms or DEFAULT_ALGORITHMS)
    typ = header.get("typ", "JWT")
    if not isinstance(typ, str) or typ.lower() not in _TYPES:
        raise IdTokenRefused("typ", "logout+jwt", repr(typ)[:80])
    for name in ("iss", "sub", "sid", "jti"):
        value = claims.get(name)
        if name in claims and not (isinstance(value, str) and 0 < len(value) <= MAX_TEXT and value.isprintable()):
            raise IdTokenRefused(name, f"1 to {MAX_TEXT} printable characters", type(value).__name__)
    expected = issuer_of(issuer, settings.tenants, claims)
    if claims.get("iss") != expected:
        raise IdTokenRefused("iss", expected, repr(claims.get("iss"))[:200])
    check_audience(claims, settings.client_id)
    check_times(claims, now, settings.clock_skew)
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise IdTokenRefused("events", EVENT, "another or none")
    if "nonce" in claims:
        raise IdTokenRefused("nonce", "none, so that no ID token passes for a logout token", "one")
    if "jti" not in claims:
        raise IdTokenRefused("jti", "a text", "none")
    if "sub" not in claims and "sid" not in claims:
        raise IdTokenRefused("sub", "sub or sid", "neither")
    return LogoutToken(expected, claims.get("sub"), claims.get("sid"), claims["jti"], claims["exp"] + settings.clock_skew)
