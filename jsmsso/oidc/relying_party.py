"""One provider's relying party: the corridor from the authorization address to validated claims."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jsmsso.http_client import HttpClient
from jsmsso.oidc.authorization import AuthorizationAnswer, authorization_url, check_issuer, constant_part, refuse_error
from jsmsso.oidc.discovery import FRESH_SECONDS, ProviderMetadata, fetch_metadata
from jsmsso.oidc.id_token import validate_id_token
from jsmsso.oidc.keys import STALE_SECONDS, KeySource, fetch_keys
from jsmsso.oidc.logout import logout_url
from jsmsso.oidc.refreshing import Refreshed
from jsmsso.oidc.settings import ClientSettings
from jsmsso.oidc.tokens import TokenAnswer, exchange_code
from jsmsso.oidc.userinfo import fetch_userinfo, merge_claims

Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Authentication:
    """Somebody who logged in: the ID token's claims, and those with userinfo's added to them."""

    id_claims: Claims
    claims: Claims
    tokens: TokenAnswer
    userinfo_fetched: bool


class RelyingParty:
    """Used by many threads at once; owns what it knows of its provider: metadata and keys."""

    def __init__(
        self,
        settings: ClientSettings,
        http: HttpClient,
        *,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self._http = http
        self._now = now
        self._metadata = Refreshed(self._fetch_metadata, stale_seconds=STALE_SECONDS, clock=clock)
        self.keys = KeySource(lambda: fetch_keys(http, self.metadata.jwks_uri), clock)
        self._constant: tuple[ProviderMetadata | None, str] = (None, "")

    @property
    def metadata(self) -> ProviderMetadata:
        """The provider's metadata. Raises :class:`ProviderFailed` while none could be fetched."""
        return self._metadata.get()

    @property
    def known_metadata(self) -> ProviderMetadata | None:
        """The metadata if it was fetched before; never waits for the provider."""
        return self._metadata.known

    def warm(self) -> None:
        """Fetch metadata and keys now, so that the first login need not. Raises :class:`ProviderFailed`."""
        self._metadata.get()
        self.keys.candidates(self.settings.algorithms[0], None)

    def authorization_url(self, *, state: str, nonce: str, code_verifier: str, login_hint: str = "") -> str:
        """Where a browser logs in."""
        metadata = self._metadata.get()
        known, constant = self._constant
        if known is not metadata:
            constant = constant_part(self.settings, metadata)
            self._constant = metadata, constant
        return authorization_url(constant, state=state, nonce=nonce, code_verifier=code_verifier, login_hint=login_hint)

    def complete(
        self, answer: AuthorizationAnswer, *, nonce: str, code_verifier: str, wants_userinfo: Callable[[Claims], bool]
    ) -> Authentication:
        """The claims behind an answer whose state the caller has checked: issuer, error, code, ID token, userinfo.

        ``wants_userinfo`` says, of the ID token's claims, whether they lack something. Raises the room's errors.
        """
        metadata = self._metadata.get()
        check_issuer(answer, metadata)
        refuse_error(answer)
        tokens = exchange_code(self._http, self.settings, metadata, answer.code, code_verifier)
        return self.authenticate(tokens, nonce=nonce, wants_userinfo=wants_userinfo)

    def authenticate(self, tokens: TokenAnswer, *, nonce: str, wants_userinfo: Callable[[Claims], bool]) -> Authentication:
        """The second half of :meth:`complete`, for tokens that are there."""
        metadata = self._metadata.get()
        id_claims = validate_id_token(
            tokens.id_token,
            self.keys,
            self.settings,
            issuer=metadata.issuer,
            nonce=nonce,
            access_token=tokens.access_token,
            now=self._now(),
        )
        if metadata.userinfo_endpoint is None or not wants_userinfo(id_claims):
            return Authentication(id_claims, id_claims, tokens, userinfo_fetched=False)
        userinfo = fetch_userinfo(
            self._http,
            metadata.userinfo_endpoint,
            tokens.access_token,
            subject=id_claims["sub"],
            keys=self.keys,
            algorithms=self.settings.algorithms,
        )
        return Authentication(id_claims, merge_claims(id_claims, userinfo), tokens, userinfo_fetched=True)

    def logout_url(self) -> str | None:
        """Where a browser ends the provider's session, or None. Raises :class:`ProviderFailed` while the metadata is unknown."""
        return logout_url(self.settings, self._metadata.get())

    def _fetch_metadata(self) -> tuple[ProviderMetadata, float]:
        settings = self.settings
        metadata = fetch_metadata(self._http, settings.issuer, discovery_url=settings.discovery_url, endpoints=settings.endpoints)
        return metadata, FRESH_SECONDS
