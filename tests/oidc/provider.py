"""An OpenID Provider under the test's control: honest until a test bends one of its messages.

A real HTTP server on a free loopback port, threaded, over joserfc. What a test may bend stands in the
fields of :class:`Provider`; ``ABSENT`` as a value takes a member out. Every call is kept in ``calls``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import threading
import time
import warnings
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

ABSENT = object()
NOW = 1_800_000_000  # the time on the test's clocks, seconds since the epoch
CLIENT_ID = "portal client"  # with a space, so that forgotten form encoding shows
CLIENT_SECRET = "s3cret:%/ü+ =&"
REDIRECT_URI = "https://sso.acme.example/callback"


@dataclass(frozen=True, slots=True)
class Call:
    """A request that came in."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    form: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; a ``body`` that is no text or bytes goes out as JSON. ``delay`` in seconds."""

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class _Grant:
    nonce: str
    code_challenge: str
    redirect_uri: str
    scope: str


class Provider:
    def __init__(self, address: str, path: str = "") -> None:
        self.address = address
        self.issuer = address + path
        self.calls: list[Call] = []
        self.replies: dict[str, Reply | Callable[[Call], Reply | None]] = {}
        """By path: answers that stand in for the honest ones (None from a function: the honest one)."""
        self.metadata: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{address}/authorize",
            "token_endpoint": f"{address}/token",
            "userinfo_endpoint": f"{address}/userinfo",
            "jwks_uri": f"{address}/jwks",
            "end_session_endpoint": f"{address}/logout",
            "revocation_endpoint": f"{address}/revoke",
            "pushed_authorization_request_endpoint": f"{address}/par",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"],
            "authorization_response_iss_parameter_supported": True,
        }
        self.keys: list[Key] = [rsa_key("one")]
        self.jwks: Any = None
        """The whole JWKS in place of the public halves of ``keys``."""
        self.jwks_cache_control = ""
        self.signing_key: Key = self.keys[0]
        self.alg = "RS256"
        self.header: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.mint: Callable[[dict[str, Any]], str] | None = None
        """Makes the ID token from its claims in place of :meth:`sign`."""
        self.userinfo: dict[str, Any] = {}
        self.token_answer: dict[str, Any] = {}
        self.answer: dict[str, Any] = {}
        """Members of the authorization answer."""
        self.client_secret: str | None = CLIENT_SECRET
        self.client_key: Key | None = None
        self.rotates_refresh_tokens = True
        self._grants: dict[str, _Grant] = {}
        self._pushed: dict[str, dict[str, str]] = {}
        self._refresh_tokens: dict[str, str] = {}
        self.revoked: list[str] = []

    # What tests use ---------------------------------------------------------------------------

    def calls_to(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path == path]

    def follow(self, url: str) -> str:
        """What a browser does at the authorization address: the query that it is sent back with."""
        parts = urlsplit(url)
        connection = HTTPConnection(parts.netloc, timeout=30)
        try:
            connection.request("GET", f"{parts.path}?{parts.query}")
            answer = connection.getresponse()
            said = answer.read()
            assert answer.status == 302, said
            return urlsplit(answer.headers["Location"]).query
        finally:
            connection.close()

    def sign(self, claims: Mapping[str, Any], header: Mapping[str, Any] | None = None, key: Key | None = None, alg: str = "") -> str:
        """A JWT of exactly these claims, signed by ``key`` (default: the provider's own)."""
        key = key or self.signing_key
        protected = {"alg": alg or self.alg, "typ": "JWT", "kid": key.kid} | self.header | dict(header or {})
        return compact(present(protected), claims, key, alg or self.alg)

    def id_token(self, nonce: str, access_token: str) -> str:
        claims = {
            "iss": self.issuer,
            "sub": "ada",
            "aud": CLIENT_ID,
            "iat": NOW,
            "exp": NOW + 300,
            "auth_time": NOW - 5,
            "nonce": nonce,
            "email": "ada@acme.example",
            "email_verified": True,
            "at_hash": at_hash(access_token, self.alg),
        } | self.claims
        claims = present(claims)
        return self.mint(claims) if self.mint else self.sign(claims)

    def public_keys(self) -> list[dict[str, Any]]:
        return [public_jwk(key) for key in self.keys]

    # The endpoints ----------------------------------------------------------------------------

    def reply(self, call: Call) -> Reply:
        bent = self.replies.get(call.path)
        if bent is not None:
            reply = bent(call) if callable(bent) else bent
            if reply is not None:
                return reply
        path = urlsplit(self.issuer).path
        if call.path == f"{path}/.well-known/openid-configuration":
            return Reply(body=present(self.metadata))
        match call.path:
            case "/authorize":
                return self._authorize(dict(parse_qsl(call.query)))
            case "/par":
                return self._par(call)
            case "/token":
                return self._token(call)
            case "/userinfo":
                return self._userinfo(call)
            case "/jwks":
                headers = {"cache-control": self.jwks_cache_control} if self.jwks_cache_control else {}
                return Reply(body={"keys": self.public_keys()} if self.jwks is None else self.jwks, headers=headers)
            case "/revoke":
                self.revoked.append(call.form.get("token", ""))
                return Reply() if self._knows_client(call) else Reply(401, {"error": "invalid_client"})
        return Reply(404, "not here")

    def _authorize(self, request: dict[str, str]) -> Reply:
        if "request_uri" in request:
            assert set(request) == {"client_id", "request_uri"}, request
            request = self._pushed.pop(request["request_uri"])
        elif self.metadata.get("require_pushed_authorization_requests"):
            return Reply(400, "push it first")
        assert request["client_id"] == CLIENT_ID
        assert request["response_type"] == "code"
        assert request["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self._grants[code] = _Grant(request["nonce"], request["code_challenge"], request["redirect_uri"], request["scope"])
        answer = present({"code": code, "state": request["state"], "iss": self.issuer} | self.answer)
        return Reply(302, headers={"location": f"{request['redirect_uri']}?{urlencode(answer)}"})

    def _par(self, call: Call) -> Reply:
        if not self._knows_client(call):
            return Reply(401, {"error": "invalid_client"})
        request_uri = f"urn:ietf:params:oauth:request_uri:{secrets.token_urlsafe(12)}"
        self._pushed[request_uri] = dict(call.form)
        return Reply(201, {"request_uri": request_uri, "expires_in": 60})

    def _token(self, call: Call) -> Reply:
        if not self._knows_client(call):
            return Reply(401, {"error": "invalid_client"})
        if call.form.get("grant_type") == "refresh_token":
            nonce = ABSENT if call.form.get("refresh_token") in self._refresh_tokens else None
        else:
            grant = self._grants.pop(call.form.get("code", ""), None)
            fits = (
                grant is not None
                and call.form.get("redirect_uri") == grant.redirect_uri
                and s256(call.form.get("code_verifier", "")) == grant.code_challenge
            )
            nonce = grant.nonce if fits and grant else None
        if nonce is None:
            return Reply(400, {"error": "invalid_grant"})
        access_token, refresh_token = secrets.token_urlsafe(24), call.form.get("refresh_token", "")
        if self.rotates_refresh_tokens or not refresh_token:
            self._refresh_tokens.pop(refresh_token, None)
            refresh_token = secrets.token_urlsafe(24)
            self._refresh_tokens[refresh_token] = access_token
        answer = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": 300,
            "refresh_token": ABSENT if refresh_token == call.form.get("refresh_token") else refresh_token,
            "id_token": self.id_token(nonce, access_token),  # type: ignore[arg-type]
        } | self.token_answer
        return Reply(body=present(answer))

    def _userinfo(self, call: Call) -> Reply:
        if not call.headers.get("authorization", "").startswith("Bearer "):
            return Reply(401)
        userinfo = {"sub": "ada", "email": "ada@acme.example", "email_verified": True, "given_name": "Ada"} | self.userinfo
        return Reply(body=present(userinfo))

    def _knows_client(self, call: Call) -> bool:
        """Whether the client proved itself, by whatever way it chose, with what is registered."""
        authorization = call.headers.get("authorization", "")
        if authorization.startswith("Basic "):
            client_id, _, secret = b64decode(authorization[6:]).decode().partition(":")
            return (unquote_plus(client_id), unquote_plus(secret)) == (CLIENT_ID, self.client_secret)
        if call.form.get("client_id") != CLIENT_ID:
            return False
        if "client_assertion" in call.form:
            return self._knows_assertion(call.form)
        return call.form.get("client_secret") == self.client_secret

    def _knows_assertion(self, form: Mapping[str, str]) -> bool:
        if form.get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" or self.client_key is None:
            return False
        with warnings.catch_warnings(action="ignore"):  # joserfc's of the older name EdDSA
            claims = jwt.decode(form["client_assertion"], self.client_key, algorithms=list(JWSRegistry.algorithms)).claims
        # A string, and this issuer alone: an audience that another server shares could be used there (CVE-2025-27370).
        return bool(
            claims["aud"] == self.issuer and claims["iss"] == claims["sub"] == CLIENT_ID and claims["jti"] and claims["exp"] > time.time()
        )


@contextmanager
def running(path: str = "") -> Iterator[Provider]:
    """A provider whose issuer has ``path`` behind its address."""
    server = _Server(("127.0.0.1", 0), _Handler)
    provider = server.provider = Provider(f"http://127.0.0.1:{server.server_port}", path)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128  # fifty logins come at once


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        provider: Provider = self.server.provider  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        form = parse_qsl(body, keep_blank_values=True)
        call = Call(self.command, path, query, headers, dict(form))
        provider.calls.append(call)
        twice = len(call.form) != len(form)  # RFC 6749 3.2: parameters must not be included more than once
        reply = Reply(400, {"error": "invalid_request"}) if twice else provider.reply(call)
        if reply.delay:
            time.sleep(reply.delay)
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        if isinstance(reply.body, str):
            content = reply.body.encode()
        given = {"content-type": "text/html" if isinstance(reply.body, str | bytes) else "application/json"} | dict(reply.headers)
        self.send_response(reply.status)
        for name, value in given.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


# Keys and tokens ------------------------------------------------------------------------------


@lru_cache
def rsa_key(kid: str | None = None, bits: int = 2048) -> RSAKey:
    with warnings.catch_warnings(action="ignore"):  # of short keys
        return RSAKey.generate_key(bits, {"kid": kid} if kid else None, auto_kid=False)


@lru_cache
def ec_key(kid: str | None = None, curve: str = "P-256") -> ECKey:
    return ECKey.generate_key(curve, {"kid": kid} if kid else None, auto_kid=False)


@lru_cache
def ed_key(kid: str | None = None, curve: str = "Ed25519") -> OKPKey:
    return OKPKey.generate_key(curve, {"kid": kid} if kid else None, auto_kid=False)


def public_jwk(key: Key, **members: Any) -> dict[str, Any]:
    return {"use": "sig", **key.as_dict(private=False), **members}


def compact(header: Mapping[str, Any], claims: Any, key: Key | bytes | None, alg: str) -> str:
    """A JWT in compact form, with any header and any payload; ``alg`` none leaves the signature empty."""
    signing_input = b".".join(b64(json.dumps(part).encode()) for part in (header, claims))
    if isinstance(key, bytes):
        signature = hmac.new(key, signing_input, "sha256").digest()
    else:
        signature = b"" if key is None else JWSRegistry.algorithms["Ed25519" if alg == "EdDSA" else alg].sign(signing_input, key)
    return (signing_input + b"." + b64(signature)).decode()


def at_hash(access_token: str, alg: str) -> str:
    digest = hashlib.new("sha512" if alg.startswith("Ed") else f"sha{alg[-3:]}", access_token.encode()).digest()
    return b64(digest[: len(digest) // 2]).decode()


def s256(verifier: str) -> str:
    return b64(hashlib.sha256(verifier.encode()).digest()).decode()


def b64(content: bytes) -> bytes:
    return urlsafe_b64encode(content).rstrip(b"=")


def payload_of(token: str) -> dict[str, Any]:
    return dict(json.loads(urlsafe_b64decode(token.split(".")[1] + "==")))


def header_of(token: str) -> dict[str, Any]:
    return dict(json.loads(urlsafe_b64decode(token.split(".")[0] + "==")))


def present(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not ABSENT}
