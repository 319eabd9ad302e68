"""The provider's signing keys (JWKS, RFC 7517): fetched, filtered, cached, refetched with restraint."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key
from joserfc.util import urlsafe_b64decode

from jsmsso.errors import DiscoveryRefused, ProviderFailed
from jsmsso.http_client import HttpClient
from jsmsso.oidc.discovery import json_object, provider_answer
from jsmsso.oidc.refreshing import Refreshed

MIN_LIFETIME, DEFAULT_LIFETIME, MAX_LIFETIME = 300.0, 3600.0, 86400.0  # seconds; design: 5 minutes to 24 hours
STALE_SECONDS = 86400.0  # how long old keys serve while a refetch fails
UNKNOWN_KID_SECONDS = 60.0  # at most one refetch in this time for a kid nobody knows
MIN_RSA_BITS = 2048  # RFC 7518 3.3
MAX_KEYS_WITHOUT_KID = 10  # tried at most, so that a token without a kid cannot cost a thousand verifications

_CURVE_OF = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519", "Ed25519": "Ed25519"}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key and what its JWK says of its use."""

    kid: str | None
    kty: str
    crv: str | None
    alg: str | None
    key: Key

    def fits(self, alg: str) -> bool:
        """Whether a signature with ``alg`` may be this key's."""
        if self.alg is not None and self.alg != alg:
            return False
        if self.kty == "RSA":
            return alg[:2] in ("RS", "PS")
        return self.crv is not None and self.crv == _CURVE_OF.get(alg)


def fetch_keys(http: HttpClient, jwks_uri: str) -> tuple[tuple[SigningKey, ...], float]:
    """The usable keys at ``jwks_uri`` and for how many seconds they may be kept."""
    answer = provider_answer(http, "GET", jwks_uri, headers={"accept": "application/json"})
    if answer.status != 200:
        raise DiscoveryRefused(f"{jwks_uri} answered {answer.status} where the provider's keys are due")
    keys = read_keys(json_object(answer, "the provider's keys"))
    if not keys:
        raise DiscoveryRefused(f"{jwks_uri} has no key that can verify a signature")
    return keys, lifetime(answer.headers)


def read_keys(document: Mapping[str, Any]) -> tuple[SigningKey, ...]:
    """The public keys of a JWK set that may verify signatures; what cannot is left out, as RFC 7517 5 says."""
    members = document.get("keys")
    return tuple(key for jwk in (members if isinstance(members, list) else []) if (key := _read_key(jwk)))


def lifetime(headers: Mapping[str, str]) -> float:
    """Seconds from ``Cache-Control: max-age`` (RFC 9111 5.2.2.1), clamped to 5 minutes and 24 hours."""
    found = re.search(r"(?:^|[,\s])max-age=\"?(\d{1,9})", headers.get("cache-control", ""), re.IGNORECASE)
    return min(max(float(found[1]), MIN_LIFETIME), MAX_LIFETIME) if found else DEFAULT_LIFETIME


class KeySource:
    """One provider's keys for a worker. Logins with a known key never wait for a refetch."""

    def __init__(
        self,
        fetch: Callable[[], tuple[tuple[SigningKey, ...], float]] | Refreshed[tuple[SigningKey, ...]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = fetch if isinstance(fetch, Refreshed) else Refreshed(fetch, stale_seconds=STALE_SECONDS, clock=clock)
        self._clock = clock
        self._budget = threading.Lock()
        self._unknown_until = float("-inf")

    def with_own_budget(self) -> KeySource:
        """The same keys with another budget for unknown kids, so that strangers' tokens cannot spend the logins'."""
        return KeySource(self._keys, self._clock)

    def warm(self) -> None:
        """Fetch the keys unless they are there. Raises :class:`ProviderFailed`."""
        self._keys.get()

    def candidates(self, alg: str, kid: str | None) -> tuple[SigningKey, ...]:
        """The keys that may have made a signature with ``alg`` and ``kid``; empty when there are none.

        Raises what fetching raises when nothing usable is known.
        """
        seen = self._keys.attempts
        found = choose(self._keys.get(), alg, kid)
        return found or self.newer_candidates(alg, kid, seen)

    def newer_candidates(self, alg: str, kid: str | None, seen: int | None = None) -> tuple[SigningKey, ...]:
        """The same from keys fetched anew, at most once a minute; empty where that brought nothing."""
        seen = self._keys.attempts if seen is None else seen
        with self._budget:  # those who come during a refetch wait for it and share it
            if self._keys.attempts == seen:
                if self._clock() < self._unknown_until:
                    return ()
                self._unknown_until = self._clock() + UNKNOWN_KID_SECONDS
            try:
                return choose(self._keys.refetch(seen), alg, kid)
            except ProviderFailed:
                return ()


def choose(keys: Iterable[SigningKey], alg: str, kid: str | None) -> tuple[SigningKey, ...]:
    """The keys that fit, at most ten where no kid says which."""
    fitting = [key for key in keys if key.fits(alg)]
    if kid is None:
        return tuple(fitting[:MAX_KEYS_WITHOUT_KID])
    return tuple(key for key in fitting if key.kid == kid)


def _read_key(jwk: Any) -> SigningKey | None:
    if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig" or jwk.get("kty") not in ("RSA", "EC", "OKP"):
        return None
    operations = jwk.get("key_ops")
    if isinstance(operations, list) and "verify" not in operations:
        return None
    public = {name: value for name, value in jwk.items() if name in ("kty", "n", "e", "crv", "x", "y")}
    kid, alg, crv = (jwk.get(name) for name in ("kid", "alg", "crv"))
    if not all(value is None or isinstance(value, str) for value in (kid, alg, crv)):
        return None
    try:
        if jwk["kty"] == "RSA" and int.from_bytes(urlsafe_b64decode(jwk["n"].encode("ascii"))).bit_length() < MIN_RSA_BITS:
            return None
        return SigningKey(kid, jwk["kty"], crv, alg, import_key(public))
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None
