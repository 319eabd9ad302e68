"""Ending the provider's own session (OpenID Connect RP-Initiated Logout 1.0, and Cognito's own way)."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from jsmsso.oidc.discovery import ProviderMetadata
from jsmsso.oidc.settings import ClientSettings


def logout_url(settings: ClientSettings, metadata: ProviderMetadata, *, id_token: str | None = None, state: str = "") -> str | None:
    """Where a browser ends its session at the provider and comes back to the sign-out address; None where it cannot.

    The ID token goes into the address only where the provider ends nothing without it. ``state`` comes back with the
    browser, but for Cognito's.
    Cognito takes ``client_id`` and ``logout_uri`` and rejects the standard's parameters, though its metadata
    names an end_session_endpoint (AWS: Logout endpoint).
    """
    if settings.logout_style == "local":
        return None
    if metadata.end_session_endpoint is None:
        return _filled(settings, metadata) if settings.logout_template else None
    if settings.logout_style == "bare":
        return metadata.end_session_endpoint  # Salesforce: where to go on to is a setting of the org
    if settings.logout_style == "cognito":
        query = {"client_id": settings.client_id, "logout_uri": settings.post_logout_redirect_uri}
    else:
        query = {"client_id": settings.client_id, "post_logout_redirect_uri": settings.post_logout_redirect_uri}
        if settings.id_token_hint and id_token:
            query["id_token_hint"] = id_token
        if state:
            query["state"] = state
    separator = "&" if "?" in metadata.end_session_endpoint else "?"
    return metadata.end_session_endpoint + separator + urlencode(query)


def _filled(settings: ClientSettings, metadata: ProviderMetadata) -> str:
    values = {"client_id": settings.client_id, "return_to": settings.post_logout_redirect_uri}
    escaped = {name: quote(value, safe="") for name, value in values.items()}
    return settings.logout_template.format(issuer=metadata.issuer.removesuffix("/"), **escaped)
