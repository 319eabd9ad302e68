"""One RS256 ID token of 17 claims with at_hash, as Cognito sends it: our validation beside joserfc's own decode.

Ours checks the signature and every claim of OpenID Connect Core 3.1.3.7; ``jwt.decode`` the signature alone.
"""

from __future__ import annotations

import hashlib
import statistics
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from jsmsso.oidc.id_token import validate_id_token
from jsmsso.oidc.keys import KeySource, read_keys
from jsmsso.oidc.settings import ClientSettings

ALLOWED = 1.5  # times joserfc's decode
CALLS = 200  # a round
ISSUER, CLIENT_ID, NONCE = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a1B2c3D4e", "4bq2example", "n" * 43
NOW = 1_800_000_000
ACCESS_TOKEN = "a" * 900


@dataclass(frozen=True, slots=True)
class Comparison:
    """Medians in microseconds of CPU per token."""

    ours: float
    joserfc: float

    @property
    def ratio(self) -> float:
        return self.ours / self.joserfc


def measure(rounds: int) -> Comparison:
    """The same token, by both in turns, so that a busy machine meets both."""
    key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
    token = jwt.encode({"alg": "RS256", "kid": "one"}, claims(), key)
    jwks = {"keys": [key.as_dict(private=False)]}
    settings = ClientSettings("cognito", ISSUER, CLIENT_ID, None, "https://sso.acme.com/callback", ("openid",), token_use_required=True)
    keys = KeySource(lambda: (read_keys(jwks), 3600.0))
    key_set = KeySet.import_key_set(jwks)

    def ours() -> object:
        return validate_id_token(token, keys, settings, issuer=ISSUER, nonce=NONCE, access_token=ACCESS_TOKEN, now=NOW)

    def joserfc() -> object:
        return jwt.decode(token, key_set, algorithms=["RS256"]).claims

    assert ours() == joserfc() == claims()
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for times, validate in zip(taken, (ours, joserfc), strict=True):
            times.append(microseconds(validate))
    return Comparison(statistics.median(taken[0]), statistics.median(taken[1]))


def claims() -> dict[str, object]:
    half = hashlib.sha256(ACCESS_TOKEN.encode()).digest()[:16]
    return {
        "iss": ISSUER, "sub": "3b0c1d2e-0000-4000-8000-000000000001", "aud": CLIENT_ID, "token_use": "id", "nonce": NONCE,
        "iat": NOW, "exp": NOW + 3600, "auth_time": NOW - 5, "at_hash": urlsafe_b64encode(half).rstrip(b"=").decode(),
        "jti": "4f0c", "origin_jti": "5a1d", "event_id": "6b2e", "cognito:username": "3b0c1d2e", "cognito:groups": ["customers", "vip"],
        "email": "ada@acme.com", "email_verified": True, "given_name": "Ada",
    }  # fmt: skip


def microseconds(validate: Callable[[], object]) -> float:
    start = time.process_time_ns()
    for _ in range(CALLS):
        validate()
    return (time.process_time_ns() - start) / 1000 / CALLS
