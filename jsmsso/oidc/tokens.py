"""The token endpoint: a code for tokens (RFC 6749 4.1.3, 5.1, 5.2; OpenID Connect Core 3.1.3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from oauthlib.oauth2 import WebApplicationClient

from jsmsso.errors import ProviderUnreachable, TokenRequestRefused
from jsmsso.http_client import Answer, HttpClient
from jsmsso.oidc.authorization import printable
from jsmsso.oidc.client_authentication import basic_authorization, client_authentication, send_form
from jsmsso.oidc.discovery import ProviderMetadata, answer_address, json_object
from jsmsso.oidc.settings import ClientSettings

__all__ = ["TokenAnswer", "basic_authorization", "client_authentication", "exchange_code", "refused", "send_code", "token_document"]


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What the token endpoint gave. The tokens stay out of every ``repr``."""

    id_token: str = field(repr=False)
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    scope: str | None
    date: str | None
    """The answer's ``Date`` header, to tell how far this machine's clock is off."""


def exchange_code(http: HttpClient, settings: ClientSettings, metadata: ProviderMetadata, code: str, code_verifier: str) -> TokenAnswer:
    """The tokens for a code. Raises :class:`TokenRequestRefused` or :class:`ProviderUnreachable`."""
    answer = send_code(http, settings, metadata, code, code_verifier)
    document = token_document(answer, settings)
    if document.get("id_token") is None:
        raise TokenRequestRefused(
            "no_id_token",
            "",
            answer.status,
            "the provider sent no ID token",
            "Add `openid` to the profile's scopes, and allow it at the provider.",
        )
    refresh_token, scope = document.get("refresh_token"), document.get("scope")
    return TokenAnswer(
        id_token=document["id_token"],
        access_token=document["access_token"],
        refresh_token=refresh_token if isinstance(refresh_token, str) else None,
        scope=scope if isinstance(scope, str) else None,
        date=answer.headers.get("date"),
    )


def send_code(http: HttpClient, settings: ClientSettings, metadata: ProviderMetadata, code: str, code_verifier: str) -> Answer:
    """The token request itself; also a probe of the client's credentials with a code that cannot exist."""
    varying = {"code": code, "code_verifier": code_verifier} if settings.pkce else {"code": code}
    form = f"{_constant_form(settings.client_id, settings.redirect_uri)}&{urlencode(varying)}"
    # A kept-alive connection that the provider closed meanwhile took no code; sending it again is safe, as a
    # code that was taken after all is refused (RFC 6749 4.1.2).
    return send_form(http, settings, metadata, metadata.token_endpoint, form, replay=True)


@lru_cache(maxsize=64)
def _constant_form(client_id: str, redirect_uri: str) -> str:
    """The token request but for the values of a single login. Made once, as the authorization address is."""
    form: str = WebApplicationClient(client_id).prepare_request_body(redirect_uri=redirect_uri, include_client_id=False)
    return form


def token_document(answer: Answer, settings: ClientSettings) -> dict[str, Any]:
    """A good answer's members, with an access token and, if there is one, an ID token that are texts.

    Raises :class:`TokenRequestRefused` for an error, :class:`ProviderUnreachable` for what is no token answer.
    """
    document = json_object(answer, "a token answer")
    if answer.status != 200 or "error" in document:
        raise refused(document, answer, settings)
    token_type = document.get("token_type", "Bearer")
    texts = (document.get("access_token"), token_type, document.get("id_token") or "")
    if not all(isinstance(text, str) for text in texts) or token_type.lower() != "bearer":
        raise ProviderUnreachable(f"{answer_address(answer)} answered with tokens of a form that is not OpenID Connect's")
    return document


def refused(document: dict[str, Any], answer: Answer, settings: ClientSettings) -> TokenRequestRefused:
    """The token endpoint's error with its likely cause."""
    error = document.get("error")
    error = printable(error, 80) if isinstance(error, str) else f"status {answer.status}"
    description = document.get("error_description")
    description = printable(description, 300) if isinstance(description, str) else ""
    said = f"{error}: {description}" if description else error
    return TokenRequestRefused(error, description, answer.status, f"the token endpoint refused ({said})", _hint(error, settings))


def _hint(error: str, settings: ClientSettings) -> str:
    match error:
        case "invalid_client":
            return f"The client id {settings.client_id} or its secret is wrong, or the provider wants it sent in another way (client_auth)."
        case "invalid_grant":
            return (
                "The code was used before, is too old, or belongs to another callback address. At Cognito also: the client may not "
                "read an attribute of a requested scope (email without email_verified)."
            )
        case "unauthorized_client":
            return "The client may not use the authorization code grant, or it is public and was sent a secret."
        case _:
            return "See the client's settings at the provider."
