"""Providers as they are recorded in tests/data/providers: their documents, and ID tokens signed on the spot."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from joserfc import jwt
from joserfc.jwk import RSAKey

from jsmsso.errors import WireFailed
from jsmsso.http_client import Answer, HttpClient
from jsmsso.profile.model import Profile
from jsmsso.profile.reading import validate

DATA = Path(__file__).parents[1] / "data" / "providers"
CLIENT_ID = "client-1"

Recording = Mapping[str, Any]


def recordings(*, plain: bool) -> dict[str, Recording]:
    """Those of OpenID Providers, or of plain OAuth 2.0, by the file's name."""
    read = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(DATA.glob("*.json"))}
    return {name: one for name, one in read.items() if one.get("plain", False) is plain}


def type_name(name: str, recording: Recording) -> str:
    return str(recording.get("type", name))


def profile_of(name: str, recording: Recording, entry: Mapping[str, Any], **keys: Any) -> Profile:
    """A profile with this provider alone, as ``provider add`` would write it."""
    provider = {"type": type_name(name, recording), "client_id": CLIENT_ID, "client_secret": "env:SECRET", **entry, **keys}
    provider |= recording.get("profile", {})
    document = {"version": 1, "public_url": "https://sso.acme.com", "providers": {"one": provider}}
    return validate(json.dumps(document).encode(), Path("jsmsso.yaml"))


@lru_cache
def key() -> RSAKey:
    return RSAKey.generate_key(2048, parameters={"kid": "1"}, private=True)


def signed(claims: Mapping[str, Any], **more: Any) -> str:
    """An ID token for the client, good for an hour; a claim that is None is left out."""
    now = int(time.time())
    whole = {"aud": CLIENT_ID, "iat": now, "exp": now + 3600, **claims, **more}
    return jwt.encode({"alg": "RS256", "kid": "1"}, {name: value for name, value in whole.items() if value is not None}, key())


class RecordedWire(HttpClient):
    """The wire to a recorded provider. ``token`` makes the token endpoint's answer; ``forms`` has what was sent to it."""

    def __init__(
        self, recording: Recording, token: Callable[[], Mapping[str, Any]] = dict, userinfo: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__()
        self.documents: dict[str, Any] = dict(recording["serves"])
        self.forms: list[dict[str, str]] = []
        self.asked: list[str] = []
        self._token = token
        for document in recording["serves"].values():
            self.documents[document["jwks_uri"]] = {"keys": [key().as_dict(private=False)]}
            if userinfo is not None:
                self.documents[document["userinfo_endpoint"]] = userinfo
        self._token_endpoints = {document["token_endpoint"] for document in recording["serves"].values()}

    def fetch(self, method: str, url: str, *, headers: Any = None, body: bytes | None = None, **options: Any) -> Answer:
        self.asked.append(url)
        if url in self._token_endpoints and method == "POST":
            self.forms.append(dict(parse_qsl((body or b"").decode())))
            return _answer(200, self._token(), url)
        if url not in self.documents:
            raise WireFailed("connect", url, "it is not recorded")
        return _answer(200, self.documents[url], url)


def _answer(status: int, document: Any, url: str) -> Answer:
    return Answer(status, {"content-type": "application/json"}, json.dumps(document).encode(), url)
