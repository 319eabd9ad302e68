"""How the client proves itself to the provider's endpoints (RFC 6749 2.3.1, OpenID Connect Core 9, RFC 7523)."""

from __future__ import annotations

import json
import secrets
import time
from base64 import b64encode
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus, urlencode

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64encode

from jsmsso.errors import NotReady
from jsmsso.http_client import Answer, HttpClient
from jsmsso.oidc.discovery import ProviderMetadata, provider_answer
from jsmsso.oidc.settings import ClientAuthentication, ClientSettings

ASSERTION_SECONDS = 60  # how long an assertion may be used; a provider sees it at once
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523 2.2
MIN_RSA_BITS = 2048  # RFC 7518 3.3

_ALGORITHMS = {
    "RSA": ("RS256", "PS256", "RS384", "RS512", "PS384", "PS512"),
    "P-256": ("ES256",),
    "P-384": ("ES384",),
    "P-521": ("ES512",),
    "Ed25519": ("EdDSA", "Ed25519"),
}


def client_authentication(settings: ClientSettings, metadata: ProviderMetadata) -> ClientAuthentication:
    """How the client proves itself: as configured, else the best that the metadata lists (absent: basic, Discovery 3)."""
    if settings.client_auth is not None:
        return settings.client_auth
    supported = metadata.token_endpoint_auth_methods_supported
    if settings.client_key is not None and (settings.client_secret is None or "private_key_jwt" in supported):
        return "private_key_jwt"
    if settings.client_secret is None:
        return "none"
    return "client_secret_post" if supported and "client_secret_basic" not in supported else "client_secret_basic"


def send_form(
    http: HttpClient,
    settings: ClientSettings,
    metadata: ProviderMetadata,
    url: str,
    form: str,
    *,
    names_client: bool = False,
    replay: bool = False,
) -> Answer:
    """POST an encoded form with the client's proof of itself; ``names_client`` says that ``client_id`` is in it already.

    Raises :class:`ProviderUnreachable`. ``replay`` as :meth:`HttpClient.fetch` has it.
    """
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    proof: dict[str, str] = {}
    match client_authentication(settings, metadata):
        case "client_secret_basic":
            headers["authorization"] = basic_authorization(settings.client_id, settings.client_secret or "")
        case "client_secret_post":
            proof = {"client_id": settings.client_id, "client_secret": settings.client_secret or ""}
        case "private_key_jwt":
            assertion = client_assertion(settings, metadata, now=time.time())
            proof = {"client_id": settings.client_id, "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        case "none":
            proof = {"client_id": settings.client_id}
    if names_client:
        proof.pop("client_id", None)
    body = f"{form}&{urlencode(proof)}" if proof else form
    return provider_answer(http, "POST", url, headers=headers, body=body.encode("ascii"), replay=replay)


def basic_authorization(client_id: str, client_secret: str) -> str:
    """RFC 6749 2.3.1: both form-encoded first, so that a colon or a percent sign in them survives."""
    return "Basic " + b64encode(f"{quote_plus(client_id)}:{quote_plus(client_secret)}".encode()).decode("ascii")


def client_assertion(settings: ClientSettings, metadata: ProviderMetadata, *, now: float) -> str:
    """A JWT that only the holder of the client's key can make, once (RFC 7523 3, Core 9); ``now`` in seconds since the epoch.

    Its only audience is the issuer, as a string: an address that a dishonest provider could share with an
    honest one (a token endpoint) would let it use the assertion there (CVE-2025-27370).
    """
    client_key = read_client_key(settings.client_key or "")
    supported = metadata.token_endpoint_auth_signing_alg_values_supported
    alg = next((alg for alg in client_key.algorithms if alg in supported), client_key.algorithms[0])
    header = {"alg": alg, "typ": "JWT"} | ({"kid": client_key.kid} if client_key.kid else {})
    claims = {
        "iss": settings.client_id,
        "sub": settings.client_id,
        "aud": metadata.issuer,
        "jti": secrets.token_urlsafe(16),
        "iat": int(now),
        "exp": int(now) + ASSERTION_SECONDS,
    }
    signing_input = b".".join(urlsafe_b64encode(json.dumps(part).encode()) for part in (header, claims))
    algorithm = JWSRegistry.algorithms["Ed25519" if alg == "EdDSA" else alg]
    return (signing_input + b"." + urlsafe_b64encode(algorithm.sign(signing_input, client_key.key))).decode("ascii")


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A private key, what it can sign with, best known first, and its id where its JWK names one."""

    key: Any = field(repr=False)
    algorithms: tuple[str, ...]
    kid: str | None


@lru_cache(maxsize=32)
def read_client_key(text: str) -> ClientKey:
    """The private key in a PEM (PKCS #8 and the older ones, without a password) or a JWK. Raises :class:`NotReady`."""
    key = _imported(text)
    if not isinstance(key, RSAKey | ECKey | OKPKey) or not key.is_private:
        raise NotReady("the client's key cannot be read", "`client_key` leads to a private key without a password, as PEM or as a JWK.")
    if isinstance(key, RSAKey) and key.raw_value.key_size < MIN_RSA_BITS:
        raise NotReady(f"the client's key has fewer than {MIN_RSA_BITS} bits", "Make a new one, and register it at the provider.")
    kind = "RSA" if isinstance(key, RSAKey) else key.curve_name
    algorithms = _ALGORITHMS.get(kind)
    if algorithms is None:
        raise NotReady(f"the client's key is on the curve {kind}", "P-256, P-384, P-521 and Ed25519 can sign.")
    return ClientKey(key, algorithms, key.kid)


def _imported(text: str) -> Any:
    if text.lstrip().startswith("{"):
        try:
            return import_key(json.loads(text))
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            return None
    for kind in (RSAKey, ECKey, OKPKey):
        try:
            return kind.import_key(text.encode())
        except (JoseError, ValueError, TypeError):
            continue
    return None
