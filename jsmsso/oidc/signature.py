"""A JWT's signature: only the allowed algorithms, only the provider's keys, nothing that the token itself says of keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from joserfc.errors import JoseError
from joserfc.jws import CompactSignature, JWSRegistry, extract_compact
from joserfc.util import urlsafe_b64decode

from jsmsso.errors import IdTokenRefused
from jsmsso.oidc.keys import KeySource, SigningKey

MAX_TOKEN = 64 * 1024  # characters; Cognito's tokens with 100 groups are some 10 kB

# A signature that only the holder of a private key can make (RFC 7518 3.1, RFC 8037, RFC 9864). Neither "none" nor
# an HMAC is here, whatever a profile or the metadata lists.
ASYMMETRIC = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")

_limits = JWSRegistry()
_limits.max_header_length = 8192  # joserfc's 512 bytes have no room for an x5c, which is not looked at, but may be there


def verified_claims(token: str, keys: KeySource, algorithms: Sequence[str]) -> tuple[dict[str, Any], str]:
    """The claims of a JWT whose signature one of the provider's keys made, and the algorithm.

    Raises :class:`IdTokenRefused` with the check that failed: ``form``, ``alg``, ``crit``, ``key``, ``signature``.
    Members ``jwk``, ``jku``, ``x5u`` and ``x5c`` of the header are never looked at (RFC 8725 3.1, 3.10).
    """
    claims, header = verified_token(token, keys, algorithms)
    return claims, header["alg"]


def verified_token(token: str, keys: KeySource, algorithms: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same with the whole header, whose signature stands too."""
    signed, header = _parse(token)
    alg, kid = header.get("alg"), header.get("kid")
    if not isinstance(alg, str) or alg not in algorithms or alg not in ASYMMETRIC:
        raise IdTokenRefused("alg", " or ".join(algorithms), _shown(alg), "The profile's `algorithms` lists what a provider may sign with.")
    if "crit" in header:
        raise IdTokenRefused("crit", "no critical extension", _shown(header["crit"]))
    if kid is not None and not isinstance(kid, str):
        raise IdTokenRefused("key", "a kid that is a text", _shown(kid))
    candidates = keys.candidates(alg, kid)
    if not candidates:
        raise IdTokenRefused("key", f"a key of the provider for {alg}", f"kid {_shown(kid)}, which its JWKS does not have")
    # No kid, or a new key under an old kid: the keys may have changed since they were fetched.
    if not _verifies(signed, alg, candidates) and not _verifies(signed, alg, keys.newer_candidates(alg, kid)):
        raise IdTokenRefused("signature", "one made by a key of the provider", "another one")
    claims = _object(signed.payload)
    if claims is None:
        raise IdTokenRefused("form", "claims as a JSON object", "something else")
    return claims, header


def unverified_claims(token: str) -> dict[str, Any]:
    """The claims as the token states them, for display and for finding a Cognito pool's issuer. Never to be trusted."""
    claims = _object(_parse(token)[0].payload)
    if claims is None:
        raise IdTokenRefused("form", "claims as a JSON object", "something else")
    return claims


def _parse(token: str) -> tuple[CompactSignature, dict[str, Any]]:
    if len(token) > MAX_TOKEN:
        hint = "Let the provider send fewer claims, such as only the groups that the rules name, or groups by userinfo alone."
        raise IdTokenRefused("form", f"at most {MAX_TOKEN} characters", str(len(token)), hint)
    try:
        signed = extract_compact(token.encode("ascii"), registry=_limits)
        header = signed.headers()
        if isinstance(header, dict):
            return signed, header
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        pass
    raise IdTokenRefused("form", "a signed JWT", "something else")


def _verifies(signed: CompactSignature, alg: str, candidates: Sequence[SigningKey]) -> bool:
    # The algorithm's own verification, since joserfc's way around it refuses a header with members of a provider's own.
    algorithm = JWSRegistry.algorithms["Ed25519" if alg == "EdDSA" else alg]
    signing_input = signed.segments["header"] + b"." + signed.segments["payload"]
    try:
        signature = urlsafe_b64decode(signed.segments["signature"])
    except ValueError:
        return False
    for candidate in candidates:
        try:
            if algorithm.verify(signing_input, signature, candidate.key):
                return True
        except (JoseError, ValueError, TypeError):
            continue
    return False


def _object(payload: bytes, loads: Callable[[bytes], Any] = json.loads) -> dict[str, Any] | None:
    try:
        claims = loads(payload)
    except (ValueError, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None


def _shown(value: object) -> str:
    return repr(value)[:80]
