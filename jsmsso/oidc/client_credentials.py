"""An access token for the client itself, with nobody logged in (RFC 6749 4.4)."""

from __future__ import annotations

from collections.abc import Sequence

from oauthlib.oauth2 import BackendApplicationClient

from jsmsso.errors import TokenRequestRefused
from jsmsso.http_client import HttpClient
from jsmsso.oidc.client_authentication import send_form
from jsmsso.oidc.discovery import ProviderMetadata
from jsmsso.oidc.settings import ClientSettings
from jsmsso.oidc.tokens import token_document

_ALLOW = "Allow this client the grant `client_credentials` at the provider (a public client cannot have it)."
_HINTS = {
    "unauthorized_client": _ALLOW,
    "invalid_request": _ALLOW,
    "unsupported_grant_type": "The provider knows no such grant.",
    "invalid_scope": "Name scopes of an API that the client may use: --scope SCOPE. Those about people (openid, email) are none.",
}


def client_credentials_token(
    http: HttpClient, settings: ClientSettings, metadata: ProviderMetadata, scopes: Sequence[str] = ()
) -> tuple[str, str]:
    """The access token, and the scopes that were granted: as the answer says, else those asked for (RFC 6749 5.1).

    Raises :class:`TokenRequestRefused` or :class:`ProviderUnreachable`.
    """
    asked = " ".join(scopes)
    form: str = BackendApplicationClient(settings.client_id).prepare_request_body(scope=asked or None)
    answer = send_form(http, settings, metadata, metadata.token_endpoint, form, replay=True)
    try:
        document = token_document(answer, settings)
    except TokenRequestRefused as error:
        hint = _HINTS.get(error.error, error.hint)
        raise TokenRequestRefused(error.error, error.description, error.status, error.message, hint) from None
    granted = document.get("scope")
    return document["access_token"], granted if isinstance(granted, str) else asked
