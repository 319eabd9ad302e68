"""New tokens for a refresh token (RFC 6749 6, OpenID Connect Core 12)."""

from __future__ import annotations

from dataclasses import dataclass, field

from oauthlib.oauth2 import WebApplicationClient

from jsmsso.http_client import HttpClient
from jsmsso.oidc.client_authentication import send_form
from jsmsso.oidc.discovery import ProviderMetadata
from jsmsso.oidc.settings import ClientSettings
from jsmsso.oidc.tokens import token_document


@dataclass(frozen=True, slots=True)
class RefreshAnswer:
    """What a refresh gave. ``refresh_token`` is the one to use next: a new one where the provider rotates, else the old one."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    id_token: str | None = field(repr=False)
    scope: str | None


def refresh_tokens(http: HttpClient, settings: ClientSettings, metadata: ProviderMetadata, refresh_token: str) -> RefreshAnswer:
    """The next tokens. Raises :class:`TokenRequestRefused` (``invalid_grant``: log in again) or :class:`ProviderUnreachable`.

    Never sent twice: a provider that rotates takes a second use for theft and ends the whole family (RFC 9700 4.14.2).
    """
    form: str = WebApplicationClient(settings.client_id).prepare_refresh_body(refresh_token=refresh_token)
    answer = send_form(http, settings, metadata, metadata.token_endpoint, form)
    document = token_document(answer, settings)
    rotated, scope = document.get("refresh_token"), document.get("scope")
    return RefreshAnswer(
        access_token=document["access_token"],
        refresh_token=rotated if isinstance(rotated, str) and rotated else refresh_token,
        id_token=document.get("id_token") or None,
        scope=scope if isinstance(scope, str) else None,
    )
