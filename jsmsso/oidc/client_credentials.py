"""An access token for the client itself, with nobody logged in (RFC 6749 4.4)."""

from __future__ import annotations

from collections.abc import Sequence

from oauthlib.oauth2 import BackendApplicationClient

from jsmsso.http_client import HttpClient
from jsmsso.oidc.client_authentication import send_form
from jsmsso.oidc.discovery import ProviderMetadata
from jsmsso.oidc.settings import ClientSettings
from jsmsso.oidc.tokens import token_document


def client_credentials_token(
    http: HttpClient, settings: ClientSettings, metadata: ProviderMetadata, scopes: Sequence[str] = ()
) -> tuple[str, str | None]:
    """The access token and the scope that was granted, if said. Raises :class:`TokenRequestRefused` or :class:`ProviderUnreachable`."""
    form: str = BackendApplicationClient(settings.client_id).prepare_request_body(scope=list(scopes) or None)
    document = token_document(send_form(http, settings, metadata, metadata.token_endpoint, form, replay=True), settings)
    scope = document.get("scope")
    return document["access_token"], scope if isinstance(scope, str) else None
