"""One RS256 ID token: our validation, signature and all claims, beside joserfc's own decode, which checks the signature."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from benchmarks.stub_provider import CLIENT_ID, PERSON
from jsmsso.oidc.id_token import validate_id_token
from jsmsso.oidc.keys import KeySource, read_keys
from jsmsso.oidc.settings import ClientSettings

ALLOWED = 1.5  # times joserfc's decode
ISSUER = "https://login.acme.com"
TOKENS = 200  # a round


@dataclass(frozen=True, slots=True)
class Comparison:
    """Medians in microseconds of CPU per token."""

    ours: float
    joserfc: float

    @property
    def ratio(self) -> float:
        return self.ours / self.joserfc


def measure(rounds: int) -> Comparison:
    """The same token, validated in turns by both."""
    now = int(time.time())
    key = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"})
    claims = {"iss": ISSUER, "aud": CLIENT_ID, "iat": now, "exp": now + 3600, "auth_time": now, "nonce": "n" * 43, **PERSON}
    token = jwt.encode({"alg": "RS256", "kid": "k1", "typ": "JWT"}, claims, key)
    public = key.as_dict(private=False)
    keys = KeySource(lambda: (read_keys({"keys": [public]}), 3600.0))
    joserfc_keys = KeySet.import_key_set({"keys": [public]})
    settings = ClientSettings(
        name="bench",
        issuer=ISSUER,
        client_id=CLIENT_ID,
        client_secret=None,
        redirect_uri="https://sso.acme.com/callback",
        scopes=("openid", "email"),
    )

    def ours() -> object:
        return validate_id_token(token, keys, settings, issuer=ISSUER, nonce="n" * 43, access_token="at", now=now)

    def theirs() -> object:
        return jwt.decode(token, joserfc_keys, algorithms=["RS256"]).claims

    assert ours() == theirs() == claims
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for times, validate in zip(taken, (ours, theirs), strict=True):
            times.append(_microseconds(validate))
    return Comparison(statistics.median(taken[0]), statistics.median(taken[1]))


def _microseconds(validate: Callable[[], object]) -> float:
    before = time.process_time()
    for _ in range(TOKENS):
        validate()
    return (time.process_time() - before) / TOKENS * 1e6
