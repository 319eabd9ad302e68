"""The token endpoint: a code for tokens (RFC 6749 4.1.3, 5.1, 5.2; OpenID Connect Core 3.1.3)."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

from oauthlib.oauth2 import WebApplicationClient

from jsmsso.errors import ProviderUnreachable, TokenRequestRefused
from jsmsso.http_client import Answer, HttpClient
from jsmsso.oidc.authorization import printable
from jsmsso.oidc.discovery import ProviderMetadata, answer_address, json_object, provider_answer
from jsmsso.oidc.settings import ClientAuthentication, ClientSettings


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
    document = json_object(answer, "a token answer")
    if answer.status != 200 or "error" in document:
        raise refused(document, answer, settings)
    return _read(document, answer)


def send_code(http: HttpClient, settings: ClientSettings, metadata: ProviderMetadata, code: str, code_verifier: str) -> Answer:
    """The token request itself; also a probe of the client's credentials with a code that cannot exist."""
    method = client_authentication(settings, metadata)
    client = WebApplicationClient(settings.client_id)
    secret = {"client_secret": settings.client_secret} if method == "client_secret_post" else {}
    body = client.prepare_request_body(
        code=code,
        redirect_uri=settings.redirect_uri,
        code_verifier=code_verifier,
        include_client_id=method != "client_secret_basic",
        **secret,
    )
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    if method == "client_secret_basic":
        headers["authorization"] = basic_authorization(settings.client_id, settings.client_secret or "")
    # A kept-alive connection that the provider closed meanwhile took no code; sending it again is safe, as a
    # code that was taken after all is refused (RFC 6749 4.1.2).
    return provider_answer(http, "POST", metadata.token_endpoint, headers=headers, body=body.encode("ascii"), replay=True)


def basic_authorization(client_id: str, client_secret: str) -> str:
    """RFC 6749 2.3.1: both form-encoded first, so that a colon or a percent sign in them survives."""
    return "Basic " + b64encode(f"{quote_plus(client_id)}:{quote_plus(client_secret)}".encode()).decode("ascii")


def client_authentication(settings: ClientSettings, metadata: ProviderMetadata) -> ClientAuthentication:
    """How the client proves itself: as configured, else the best that the metadata lists (absent: basic, Discovery 3)."""
    if settings.client_auth is not None:
        return settings.client_auth
    if settings.client_secret is None:
        return "none"
    supported = metadata.token_endpoint_auth_methods_supported
    return "client_secret_post" if supported and "client_secret_basic" not in supported else "client_secret_basic"


def refused(document: dict[str, Any], answer: Answer, settings: ClientSettings) -> TokenRequestRefused:
    """The token endpoint's error with its likely cause."""
    error = document.get("error")
    error = printable(error, 80) if isinstance(error, str) else f"status {answer.status}"
    description = document.get("error_description")
    description = printable(description, 300) if isinstance(description, str) else ""
    said = f"{error}: {description}" if description else error
    return TokenRequestRefused(error, description, answer.status, f"the token endpoint refused ({said})", _hint(error, settings))


def _read(document: dict[str, Any], answer: Answer) -> TokenAnswer:
    id_token, access_token, refresh_token = (document.get(name) for name in ("id_token", "access_token", "refresh_token"))
    if id_token is None:
        raise TokenRequestRefused(
            "no_id_token",
            "",
            answer.status,
            "the provider sent no ID token",
            "Add `openid` to the profile's scopes, and allow it at the provider.",
        )
    token_type = document.get("token_type", "Bearer")
    if (
        not isinstance(id_token, str)
        or not isinstance(access_token, str)
        or not isinstance(token_type, str)
        or token_type.lower() != "bearer"
    ):
        raise ProviderUnreachable(f"{answer_address(answer)} answered with tokens of a form that is not OpenID Connect's")
    scope = document.get("scope")
    return TokenAnswer(
        id_token=id_token,
        access_token=access_token,
        refresh_token=refresh_token if isinstance(refresh_token, str) else None,
        scope=scope if isinstance(scope, str) else None,
        date=answer.headers.get("date"),
    )


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
