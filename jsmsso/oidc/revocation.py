"""Taking a token back (RFC 7009)."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlencode

from jsmsso.http_client import HttpClient
from jsmsso.oidc.client_authentication import send_form
from jsmsso.oidc.discovery import ProviderMetadata, json_object
from jsmsso.oidc.settings import ClientSettings
from jsmsso.oidc.tokens import refused


def revoke_token(
    http: HttpClient,
    settings: ClientSettings,
    metadata: ProviderMetadata,
    token: str,
    hint: Literal["refresh_token", "access_token"] = "refresh_token",
) -> bool:
    """Whether the provider took the token back; False where it has no revocation endpoint.

    A token that it does not know counts as taken back (2.2). Raises :class:`TokenRequestRefused` or
    :class:`ProviderUnreachable`.
    """
    if metadata.revocation_endpoint is None:
        return False
    form = urlencode({"token": token, "token_type_hint": hint})
    # Sending it again is safe: what is revoked stays so.
    answer = send_form(http, settings, metadata, metadata.revocation_endpoint, form, replay=True)
    if answer.status not in (200, 204):  # a body, if there is one, says nothing (2.2)
        raise refused(json_object(answer, "a revocation's answer"), answer, settings)
    return True
