"""A relying party for providers without ID tokens: who logged in is what their API says under the access token.

Nothing is signed and nothing carries a nonce. What binds an answer to one login is its state, a callback of the
provider's own, PKCE where it is supported, and the client's secret; what makes the claims true is that the access token
came from the token endpoint itself, over TLS, and goes to no other API than the provider's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from jsmsso.errors import LogoutTokenRefused, NotReady, ProviderUnreachable, UserinfoRefused
from jsmsso.http_client import Answer, HttpClient
from jsmsso.oidc.authorization import AuthorizationAnswer, authorization_url, check_issuer, constant_part, printable, refuse_error
from jsmsso.oidc.backchannel_logout import LogoutToken
from jsmsso.oidc.discovery import ProviderMetadata, answer_address, json_object, provider_answer
from jsmsso.oidc.id_token import MAX_SUBJECT
from jsmsso.oidc.refresh import refresh_tokens
from jsmsso.oidc.relying_party import Authentication, Claims, Renewal
from jsmsso.oidc.revocation import revoke_token
from jsmsso.oidc.settings import ClientSettings
from jsmsso.oidc.tokens import TokenAnswer, refused, send_code
from jsmsso.providers.types import PlainOAuth2

_TEXTS = ("email", "name", "given_name", "family_name", "preferred_username")


class PlainRelyingParty:
    """Has what :class:`~jsmsso.oidc.relying_party.RelyingParty` has, for a provider of plain OAuth 2.0. Keeps nothing between logins."""

    def __init__(self, settings: ClientSettings, plain: PlainOAuth2, http: HttpClient, *, now: Callable[[], float] = time.time) -> None:
        if settings.require_amr or settings.require_acr or settings.max_age is not None:
            raise NotReady(
                f"providers.{settings.name}.require cannot be met: this type does not say how somebody logged in",
                "Take it out, or use a provider that speaks OpenID Connect.",
            )
        self.settings = settings
        self.metadata = fixed_metadata(plain, settings.issuer, dict(settings.endpoints))
        self._plain = plain
        self._http = http
        self._now = now
        self._constant = constant_part(settings, self.metadata)

    @property
    def known_metadata(self) -> ProviderMetadata:
        return self.metadata

    def warm(self) -> None:
        """There is nothing to fetch."""

    def authorization_url(self, *, state: str, nonce: str, code_verifier: str, login_hint: str = "", prompt: str = "") -> str:
        """Where a browser logs in. ``nonce`` is not sent: nothing would bring it back."""
        return authorization_url(
            self._constant,
            state=state,
            nonce="",
            code_verifier=code_verifier,
            login_hint=login_hint if self.settings.login_hint else "",
            prompt=prompt or self.settings.prompt,
        )

    def complete(
        self, answer: AuthorizationAnswer, *, nonce: str, code_verifier: str, wants_userinfo: Callable[[Claims], bool]
    ) -> Authentication:
        """The claims behind an answer whose state the caller has checked. Raises the errors of OpenID Connect's relying party."""
        check_issuer(answer, self.metadata)
        refuse_error(answer)
        tokens = self._exchange(answer.code, code_verifier)
        return self.authenticate(tokens, nonce=nonce, wants_userinfo=wants_userinfo)

    def authenticate(self, tokens: TokenAnswer, *, nonce: str, wants_userinfo: Callable[[Claims], bool]) -> Authentication:
        """The second half of :meth:`complete`, for tokens that are there."""
        claims = self._claims(tokens.access_token)
        return Authentication(claims, claims, tokens, userinfo_fetched=False)

    def refresh(self, refresh_token: str, first: Claims) -> Renewal:
        """The next tokens, and what the API says under them of the person of the first claims. Raises the room's errors."""
        tokens = refresh_tokens(self._http, self.settings, self.metadata, refresh_token)
        claims = self._claims(tokens.access_token)
        if (claims["iss"], claims["sub"]) != (first.get("iss"), first.get("sub")):
            raise UserinfoRefused("the refreshed token is about another subject than the login")
        return Renewal(tokens, claims)

    def revoke(self, refresh_token: str) -> bool:
        """Whether the provider took the token back; False where it cannot. Raises :class:`ProviderFailed`."""
        return revoke_token(self._http, self.settings, self.metadata, refresh_token)

    def logout_url(self, *, id_token: str | None = None, state: str = "") -> str | None:
        """These providers end no session for others."""
        return None

    def logged_out(self, logout_token: str) -> LogoutToken:
        raise LogoutTokenRefused("iss", "an OpenID Provider", "one of plain OAuth 2.0, which sends no logout tokens")

    def _exchange(self, code: str, code_verifier: str) -> TokenAnswer:
        answer = send_code(self._http, self.settings, self.metadata, code, code_verifier)
        document = json_object(answer, "a token answer")
        if answer.status != 200 or "error" in document:
            raise refused(standard_error(document, self._plain.errors), answer, self.settings)
        access_token, token_type = document.get("access_token"), document.get("token_type", "bearer")
        if not isinstance(access_token, str) or not access_token or str(token_type).lower() != "bearer":
            raise ProviderUnreachable(f"{answer_address(answer)} answered with no access token of the kind that is asked for")
        if not access_token.isascii() or not access_token.isprintable() or " " in access_token:
            raise ProviderUnreachable(f"{answer_address(answer)} answered with an access token that no header can carry")
        refresh_token, scope = document.get("refresh_token"), document.get("scope")
        return TokenAnswer(
            id_token="",
            access_token=access_token,
            refresh_token=refresh_token if isinstance(refresh_token, str) else None,
            scope=scope if isinstance(scope, str) else None,
            date=answer.headers.get("date"),
        )

    def _claims(self, access_token: str) -> dict[str, Any]:
        answers = [self._call(url, access_token) for url in self._plain.calls(self.settings.issuer)]
        try:
            said = self._plain.claims(answers)
        except (ValueError, TypeError, LookupError, AttributeError):
            raise UserinfoRefused(
                f"the API of {self.settings.issuer} described nobody",
                f"Ask for the scopes that it needs; these were asked for: {', '.join(self.settings.scopes)}.",
            ) from None
        return {"iss": self.settings.issuer, **_checked(said)}

    def _call(self, url: str, access_token: str) -> Any:
        headers = {"authorization": f"Bearer {access_token}", "accept": "application/json"}
        answer = provider_answer(self._http, "GET", url, headers=headers)
        if answer.status != 200:
            hint = f"Ask for the scopes that it needs; these were asked for: {', '.join(self.settings.scopes)}."
            raise UserinfoRefused(f"{answer_address(answer)} answered {answer.status}", hint if answer.status in (401, 403, 404) else "")
        return _json(answer)


def fixed_metadata(plain: PlainOAuth2, issuer: str, changed: Mapping[str, str] | None = None) -> ProviderMetadata:
    """What OpenID Connect's metadata would say of such a provider; ``changed`` are endpoints of the profile's own."""
    endpoints = {**plain.endpoints(issuer), **(changed or {})}
    return ProviderMetadata(
        issuer=issuer,
        authorization_endpoint=endpoints["authorization_endpoint"],
        token_endpoint=endpoints["token_endpoint"],
        jwks_uri="",
        revocation_endpoint=endpoints.get("revocation_endpoint"),
        # Their documents show the secret in the form; Basic is understood by some of them alone.
        token_endpoint_auth_methods_supported=("client_secret_post",),
        authorization_response_iss_parameter_supported=plain.promises_issuer,
    )


def _checked(said: Mapping[str, Any]) -> dict[str, Any]:
    """Claims of the types that OpenID Connect gives them; what has another is left out, and without ``sub`` there is nobody."""
    subject = said.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT or not subject.isprintable():
        raise UserinfoRefused("the provider's API named no subject", "The provider has a fault.")
    claims: dict[str, Any] = {name: said[name] for name in _TEXTS if isinstance(said.get(name), str) and said[name]}
    if "email" in claims and said.get("email_verified") is not None:
        claims["email_verified"] = said["email_verified"] is True
    return {"sub": subject, **claims}


def standard_error(document: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The token endpoint's error as RFC 6749 5.2 has it: Meta's is an object, GitHub's has names of its own."""
    error, description = document.get("error"), document.get("error_description")
    if isinstance(error, dict):
        return standard_error({"error": error.get("type"), "error_description": error.get("message")}, names)
    if isinstance(error, str) and error in names:
        said = printable(description, 200) if isinstance(description, str) else ""
        return {"error": names[error], "error_description": f"{error}: {said}".removesuffix(": ")}
    return {"error": error, "error_description": description}


def _json(answer: Answer) -> Any:
    try:
        return answer.json()
    except (ValueError, RecursionError):
        pass
    kind = answer.headers.get("content-type", "no content type").partition(";")[0]
    raise ProviderUnreachable(f"{answer_address(answer)} answered with {kind} where JSON is due")
