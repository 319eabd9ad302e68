"""The authorization request sent ahead, so that the browser carries only a reference to it (RFC 9126)."""

from __future__ import annotations

from urllib.parse import urlencode

from jsmsso.errors import AuthorizationRefused, DiscoveryRefused, ProviderUnreachable
from jsmsso.http_client import HttpClient
from jsmsso.oidc.authorization import printable, refusal
from jsmsso.oidc.client_authentication import send_form
from jsmsso.oidc.discovery import ProviderMetadata, answer_address, json_object
from jsmsso.oidc.settings import ClientSettings


def push_authorization(http: HttpClient, settings: ClientSettings, metadata: ProviderMetadata, url: str) -> str:
    """Where the browser is sent in place of ``url``, whose parameters went to the provider directly.

    Raises :class:`AuthorizationRefused`, :class:`DiscoveryRefused` or :class:`ProviderUnreachable`.
    """
    endpoint = metadata.pushed_authorization_request_endpoint
    if endpoint is None:
        raise DiscoveryRefused("the provider wants authorization requests pushed, but its metadata says not where")
    # What the endpoint's own address asks stays in it; the rest is the request (2.1).
    request = url.removeprefix(metadata.authorization_endpoint)[1:]
    answer = send_form(http, settings, metadata, endpoint, request, names_client=True)
    document = json_object(answer, "the answer to a pushed request")
    request_uri = document.get("request_uri")
    if answer.status not in (200, 201) or "error" in document:
        raise _refused(document, answer.status)
    if not isinstance(request_uri, str) or not request_uri or not request_uri.isprintable():
        raise ProviderUnreachable(f"{answer_address(answer)} answered without a request_uri")
    separator = "&" if "?" in metadata.authorization_endpoint else "?"
    return f"{metadata.authorization_endpoint}{separator}{urlencode({'client_id': settings.client_id, 'request_uri': request_uri})}"


def _refused(document: dict[str, object], status: int) -> AuthorizationRefused:
    error, description = document.get("error"), document.get("error_description")
    return refusal(
        printable(error, 80) if isinstance(error, str) else f"status {status}",
        printable(description, 300) if isinstance(description, str) else "",
    )
