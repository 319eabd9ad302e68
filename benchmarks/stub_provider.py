"""A fast OpenID Provider that keeps no state, so that its token endpoint is never what is measured.

A code is the nonce, so nothing is remembered between the authorization request (which the load generator
answers itself) and the token request. One RSA key of 2,048 bits, RS256. Run: ``python -m
benchmarks.stub_provider``; prints its issuer on one line. ``/with-userinfo`` and ``/without-userinfo`` are two
issuers that differ in nothing but that their metadata names a UserInfo endpoint or not.
"""

from __future__ import annotations

import asyncio
import json
import time
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import parse_qs

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

CLIENT_ID = "bench-client"
WITH_USERINFO, WITHOUT_USERINFO = "/with-userinfo", "/without-userinfo"
PERSON = {
    "sub": "3c9a1f0e-7d52-4b0e-8f7e-5f2f6b1f6f10",
    "email": "ada@acme.com",
    "email_verified": True,
    "given_name": "Ada",
    "family_name": "Lovelace",
    "name": "Ada Lovelace",
    "groups": ["customers"],
}


class StubProvider:
    """The provider's documents and tokens."""

    def __init__(self, origin: str) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        numbers = self._key.public_key().public_numbers()
        jwk = {"kty": "RSA", "kid": "k1", "use": "sig", "alg": "RS256", "n": _number(numbers.n), "e": _number(numbers.e)}
        self._head = _encoded({"alg": "RS256", "kid": "k1", "typ": "JWT"})
        self._issuers = {path: origin + path for path in (WITH_USERINFO, WITHOUT_USERINFO)}
        self._documents: dict[str, Any] = {}
        for path, issuer in self._issuers.items():
            metadata = _metadata(issuer)
            if path == WITHOUT_USERINFO:
                del metadata["userinfo_endpoint"]
            self._documents[f"{path}/.well-known/openid-configuration"] = metadata
            self._documents[f"{path}/jwks"] = {"keys": [jwk]}
            self._documents[f"{path}/userinfo"] = PERSON

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and JSON."""
        if method == "POST" and path.endswith("/token"):
            return 200, json.dumps(self._tokens(self._issuers[path.removesuffix("/token")], body)).encode()
        document = self._documents.get(path)
        return (404, b"{}") if document is None else (200, json.dumps(document).encode())

    def _tokens(self, issuer: str, body: bytes) -> dict[str, Any]:
        (code,) = parse_qs(body.decode())["code"]
        now = int(time.time())
        claims = {"iss": issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 3600, "auth_time": now, "nonce": code, **PERSON}
        return {"access_token": f"at-{code}", "token_type": "Bearer", "expires_in": 3600, "id_token": self.signed(claims)}

    def signed(self, claims: dict[str, Any]) -> str:
        """An ID token of these claims."""
        signed = self._head + b"." + _encoded(claims)
        signature = self._key.sign(signed, padding.PKCS1v15(), SHA256())
        return (signed + b"." + urlsafe_b64encode(signature).rstrip(b"=")).decode()


class Connection(asyncio.Protocol):
    """Just enough of HTTP/1.1: requests one after another, bodies with a length."""

    def __init__(self, provider: StubProvider) -> None:
        self._provider = provider
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            request, *lines = self._received[:end].decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            whole = end + 4 + int(headers.get("content-length", 0))
            if len(self._received) < whole:
                return
            body, self._received = self._received[end + 4 : whole], self._received[whole:]
            method, target, _ = request.split(" ")
            status, answer = self._provider.answer(method, target.partition("?")[0], body)
            head = f"HTTP/1.1 {status} {'OK' if status == 200 else 'Not Found'}\r\nContent-Type: application/json\r\n"
            self._transport.write(f"{head}Content-Length: {len(answer)}\r\n\r\n".encode() + answer)


async def serve() -> None:
    loop = asyncio.get_running_loop()
    providers: list[StubProvider] = []
    server = await loop.create_server(lambda: Connection(providers[0]), "127.0.0.1", 0)
    origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    providers.append(StubProvider(origin))
    print(origin, flush=True)
    await server.serve_forever()


def _metadata(issuer: str) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "jwks_uri": f"{issuer}/jwks",
        "end_session_endpoint": f"{issuer}/logout",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "scopes_supported": ["openid", "email", "profile"],
        "code_challenge_methods_supported": ["S256"],
    }


def _encoded(document: dict[str, Any]) -> bytes:
    return urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=")


def _number(value: int) -> str:
    return urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8)).rstrip(b"=").decode()


if __name__ == "__main__":
    asyncio.run(serve())
