"""Ending the provider's own session (OpenID Connect RP-Initiated Logout 1.0, and Cognito's own way)."""

from __future__ import annotations

from urllib.parse import urlencode

from jsmsso.oidc.discovery import ProviderMetadata
from jsmsso.oidc.settings import ClientSettings


def logout_url(settings: ClientSettings, metadata: ProviderMetadata) -> str | None:
    """Where a browser ends its session at the provider and comes back to the sign-out address; None where it cannot.

    Cognito takes ``client_id`` and ``logout_uri`` and rejects the standard's parameters, though its metadata
    names an end_session_endpoint (AWS: Logout endpoint).
    """
    if settings.logout_style == "local" or metadata.end_session_endpoint is None:
        return None
    if settings.logout_style == "cognito":
        query = {"client_id": settings.client_id, "logout_uri": settings.post_logout_redirect_uri}
    else:
        query = {"client_id": settings.client_id, "post_logout_redirect_uri": settings.post_logout_redirect_uri}
    separator = "&" if "?" in metadata.end_session_endpoint else "?"
    return metadata.end_session_endpoint + separator + urlencode(query)
