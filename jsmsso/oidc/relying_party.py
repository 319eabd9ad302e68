"""One provider's relying party: the corridor from the authorization address to validated claims."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jsmsso.http_client import HttpClient
from jsmsso.oidc.authorization import AuthorizationAnswer, authorization_url, check_issuer, constant_part, refuse_error
from jsmsso.oidc.backchannel_logout import LogoutToken, validate_logout_token
from jsmsso.oidc.client_authentication import read_client_key
from jsmsso.oidc.discovery import FRESH_SECONDS, ProviderMetadata, fetch_metadata
from jsmsso.oidc.id_token import validate_id_token, validate_refreshed_id_token
from jsmsso.oidc.keys import STALE_SECONDS, KeySource, fetch_keys
from jsmsso.oidc.logout import logout_url
from jsmsso.oidc.pushed_authorization import push_authorization
from jsmsso.oidc.refresh import RefreshAnswer, refresh_tokens
from jsmsso.oidc.refreshing import Refreshed
from jsmsso.oidc.revocation import revoke_token
from jsmsso.oidc.settings import DEFAULT_ALGORITHMS, ClientSettings
from jsmsso.oidc.signature import ASYMMETRIC
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


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a refresh brought: the next tokens, and the new ID token's claims where one came with them."""

    tokens: RefreshAnswer
    id_claims: Claims | None


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
        self._keys_of_strangers = self.keys.with_own_budget()
        self._constant: tuple[ProviderMetadata | None, str] = (None, "")
        if settings.client_key is not None:
            read_client_key(settings.client_key)  # now, rather than at somebody's login

    @property
    def metadata(self) -> ProviderMetadata:
        """The provider's metadata. Raises :class:`ProviderFailed` while none could be fetched."""
        return self._metadata.get()

    @property
    def known_metadata(self) -> ProviderMetadata | None:
        """The metadata if it was fetched before; never waits for the provider."""
        return self._metadata.known

    @property
    def algorithms(self) -> Sequence[str]:
        """What the provider may sign with."""
        return self._algorithms(self._metadata.get())

    def warm(self) -> None:
        """Fetch metadata and keys now, so that the first login need not. Raises :class:`ProviderFailed`."""
        self._metadata.get()
        self.keys.warm()

    def authorization_url(self, *, state: str, nonce: str, code_verifier: str, login_hint: str = "", prompt: str = "") -> str:
        """Where a browser logs in. ``login_hint`` is dropped where the settings do not pass it on; ``prompt`` replaces theirs.

        Raises :class:`ProviderFailed` while the metadata is unknown, and where a request must be pushed and is refused.
        """
        metadata = self._metadata.get()
        known, constant = self._constant
        if known is not metadata:
            constant = constant_part(self.settings, metadata)
            self._constant = metadata, constant
        url = authorization_url(
            constant,
            state=state,
            nonce=nonce,
            code_verifier=code_verifier,
            login_hint=login_hint if self.settings.login_hint else "",
            prompt=prompt or self.settings.prompt,
        )
        if metadata.require_pushed_authorization_requests:
            return push_authorization(self._http, self.settings, metadata, url)
        return url

    def complete(
        self, answer: AuthorizationAnswer, *, nonce: str, code_verifier: str, wants_userinfo: Callable[[Claims], bool]
    ) -> Authentication:
        """The claims behind an answer whose state the caller has checked: issuer, error, code, ID token, userinfo.

        ``wants_userinfo`` says, of the ID token's claims, whether they lack something. Raises the room's errors.
        """
        metadata = self._metadata.get()
        check_issuer(answer, metadata, self.settings.tenants)
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
            algorithms=self._algorithms(metadata),
        )
        if metadata.userinfo_endpoint is None or not wants_userinfo(id_claims):
            return Authentication(id_claims, id_claims, tokens, userinfo_fetched=False)
        userinfo = fetch_userinfo(
            self._http,
            metadata.userinfo_endpoint,
            tokens.access_token,
            issuer=id_claims["iss"],
            client_id=self.settings.client_id,
            subject=id_claims["sub"],
            keys=self.keys,
            algorithms=self._algorithms(metadata),
        )
        return Authentication(id_claims, merge_claims(id_claims, userinfo), tokens, userinfo_fetched=True)

    def refresh(self, refresh_token: str, first: Claims) -> Renewal:
        """The next tokens for the person of the first ID token's claims. Raises the room's errors."""
        metadata = self._metadata.get()
        tokens = refresh_tokens(self._http, self.settings, metadata, refresh_token)
        if tokens.id_token is None:
            return Renewal(tokens, None)
        id_claims = validate_refreshed_id_token(
            tokens.id_token,
            self.keys,
            self.settings,
            issuer=metadata.issuer,
            first=first,
            access_token=tokens.access_token,
            now=self._now(),
            algorithms=self._algorithms(metadata),
        )
        return Renewal(tokens, id_claims)

    def revoke(self, refresh_token: str) -> bool:
        """Whether the provider took the token back; False where it cannot. Raises :class:`ProviderFailed`."""
        return revoke_token(self._http, self.settings, self._metadata.get(), refresh_token)

    def logout_url(self, *, id_token: str | None = None, state: str = "") -> str | None:
        """Where a browser ends the provider's session, or None. Raises :class:`ProviderFailed` while the metadata is unknown."""
        return logout_url(self.settings, self._metadata.get(), id_token=id_token, state=state)

    def logged_out(self, logout_token: str) -> LogoutToken:
        """Whom the provider says it signed out. Raises :class:`LogoutTokenRefused`; the caller refuses a ``jti`` seen before."""
        metadata = self._metadata.get()
        return validate_logout_token(
            logout_token,
            self._keys_of_strangers,
            self.settings,
            issuer=metadata.issuer,
            now=self._now(),
            algorithms=self._algorithms(metadata),
        )

    def _algorithms(self, metadata: ProviderMetadata) -> Sequence[str]:
        """Those of the settings, else those that the provider lists and that need a private key (Core 3.1.3.7, 7)."""
        listed = self.settings.algorithms or metadata.id_token_signing_alg_values_supported
        return [alg for alg in listed if alg in ASYMMETRIC] or DEFAULT_ALGORITHMS

    def _fetch_metadata(self) -> tuple[ProviderMetadata, float]:
        settings = self.settings
        metadata = fetch_metadata(
            self._http, settings.issuer, discovery_url=settings.discovery_url, endpoints=settings.endpoints, tenants=settings.tenants
        )
        return metadata, FRESH_SECONDS
