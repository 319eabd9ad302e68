"""The relying party for a provider of any type."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from jsmsso.http_client import HttpClient
from jsmsso.oidc.authorization import AuthorizationAnswer
from jsmsso.oidc.backchannel_logout import LogoutToken
from jsmsso.oidc.discovery import ProviderMetadata
from jsmsso.oidc.relying_party import Authentication, Claims, RelyingParty, Renewal
from jsmsso.oidc.settings import ClientSettings
from jsmsso.oidc.tokens import TokenAnswer
from jsmsso.providers.plain_oauth2 import PlainRelyingParty
from jsmsso.providers.types import ProviderType


class Party(Protocol):
    """What :class:`RelyingParty` and :class:`PlainRelyingParty` have in common; see the former."""

    settings: ClientSettings

    @property
    def metadata(self) -> ProviderMetadata: ...

    @property
    def known_metadata(self) -> ProviderMetadata | None: ...

    def warm(self) -> None: ...

    def authorization_url(self, *, state: str, nonce: str, code_verifier: str, login_hint: str = "", prompt: str = "") -> str: ...

    def complete(
        self, answer: AuthorizationAnswer, *, nonce: str, code_verifier: str, wants_userinfo: Callable[[Claims], bool]
    ) -> Authentication: ...

    def authenticate(self, tokens: TokenAnswer, *, nonce: str, wants_userinfo: Callable[[Claims], bool]) -> Authentication: ...

    def refresh(self, refresh_token: str, first: Claims) -> Renewal: ...

    def revoke(self, refresh_token: str) -> bool: ...

    def logout_url(self, *, id_token: str | None = None, state: str = "") -> str | None: ...

    def logged_out(self, logout_token: str) -> LogoutToken: ...


def relying_party(settings: ClientSettings, type_: ProviderType, http: HttpClient, *, now: Callable[[], float] = time.time) -> Party:
    """The relying party for a client at a provider of this type. Raises :class:`NotReady` for what the type cannot do."""
    if type_.plain is not None:
        return PlainRelyingParty(settings, type_.plain, http, now=now)
    return RelyingParty(settings, http, now=now)
