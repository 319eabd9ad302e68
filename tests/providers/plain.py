"""GitHub, Discord and Facebook as they are recorded in tests/data/providers, played on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from jsmsso.http_client import HttpClient
from jsmsso.identity.attributes import to_customer
from jsmsso.oidc.authorization import AuthorizationAnswer
from jsmsso.oidc.relying_party import Authentication
from jsmsso.providers.known import provider_type
from jsmsso.providers.plain_oauth2 import fixed_metadata
from jsmsso.providers.relying_party import Party, relying_party
from jsmsso.providers.settings import client_settings, identity_rules
from tests.providers.played import Said
from tests.providers.recorded import profile_of, recordings

RECORDED = recordings(plain=True)
CODE = "code-1"
CODE_VERIFIER = "v" * 43


class Played:
    """A provider's own answers at a loopback address; ``changed`` replaces some, ``seen`` has what came in.

    ``token`` is what it answers to the code ``code-1``, ``no_code`` what to any other.
    """

    def __init__(
        self,
        name: str,
        play: Callable[..., str],
        changed: Mapping[str, Any] | None = None,
        *,
        token: Said | None = None,
        no_code: Said | None = None,
    ) -> None:
        self.name = name
        self.type = provider_type(name)
        self.seen: list[tuple[str, str, Mapping[str, str], dict[str, str]]] = []
        recording = RECORDED[name]
        self._calls = {**recording["calls"], **(changed or {})}
        self._token = token or Said(body=json.dumps(recording["token_answer"]))
        self._no_code = no_code or self._token
        self.base = play(self._answer)
        self.issuer = self.base + recording["issuer_path"]

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Said:
        path = target.partition("?")[0]
        self.seen.append((method, target, headers, dict(parse_qsl(body.decode()))))
        if path == urlsplit(self.metadata().authorization_endpoint).path:
            return Said(302, headers={"Location": f"/login?return_to={quote(target, safe='')}"})  # whatever the client is
        if path == urlsplit(self.metadata().token_endpoint).path:
            return self._token if self.seen[-1][3].get("code") == CODE else self._no_code
        if headers.get("authorization") != f"Bearer {RECORDED[self.name]['token_answer']['access_token']}":
            return Said(401, '{"message": "Requires authentication"}')
        answer = self._calls.get(path, Said(404, '{"message": "Not Found"}'))
        return answer if isinstance(answer, Said) else Said(body=json.dumps(answer))

    def metadata(self) -> Any:
        assert self.type.plain is not None
        return fixed_metadata(self.type.plain, self.base + RECORDED[self.name]["issuer_path"])

    def profile(self, **keys: Any) -> Any:
        return profile_of(self.name, RECORDED[self.name], {**RECORDED[self.name]["entry"], "issuer": self.issuer, **keys})

    def party(self, **keys: Any) -> Party:
        return relying_party(client_settings(self.profile(**keys), "one", client_secret="s3cret"), self.type, HttpClient())

    def log_in(self, iss: str | None = None) -> Authentication:
        promised = RECORDED[self.name].get("answer_iss")
        answer = AuthorizationAnswer("state", CODE, iss or (self.issuer if promised else None), "", "")
        return self.party().complete(answer, nonce="n", code_verifier=CODE_VERIFIER, wants_userinfo=lambda _: True)

    def customer(self) -> Any:
        return to_customer(self.log_in().claims, identity_rules(self.profile(), "one"))
