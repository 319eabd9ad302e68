"""The provider's metadata: fetched from its issuer and checked (OpenID Connect Discovery 1.0)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlsplit

from jsmsso.errors import DiscoveryRefused, ProviderFailed, ProviderUnreachable, WireFailed
from jsmsso.http_addresses import is_loopback
from jsmsso.http_client import Answer, HttpClient
from jsmsso.oidc.tenants import TENANT, issuer_fits

WELL_KNOWN = "/.well-known/openid-configuration"
OAUTH_WELL_KNOWN = "/.well-known/oauth-authorization-server"
FRESH_SECONDS = 3600.0  # metadata changes when an operator migrates a provider; an hour is soon enough


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """The members of the metadata that a relying party with the code flow uses, by their own names."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    revocation_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ()
    id_token_signing_alg_values_supported: tuple[str, ...] = ()
    token_endpoint_auth_signing_alg_values_supported: tuple[str, ...] = ()
    scopes_supported: tuple[str, ...] = ()
    pushed_authorization_request_endpoint: str | None = None
    require_pushed_authorization_requests: bool = False
    authorization_response_iss_parameter_supported: bool = False


def discovery_address(issuer: str) -> str:
    """Where an issuer's metadata lies (Discovery 4): a final slash of the issuer is dropped first."""
    return issuer.removesuffix("/") + WELL_KNOWN


def oauth_discovery_address(issuer: str) -> str:
    """Where RFC 8414 3.1 puts it: the well-known part goes between host and path."""
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}{OAUTH_WELL_KNOWN}{parts.path.removesuffix('/')}"


def fetch_metadata(
    http: HttpClient,
    issuer: str,
    *,
    discovery_url: str | None = None,
    endpoints: Iterable[tuple[str, str]] = (),
    tenants: Sequence[str] = (),
) -> ProviderMetadata:
    """The checked metadata of ``issuer``. Raises :class:`ProviderUnreachable` or :class:`DiscoveryRefused`."""
    document = fetch_document(http, discovery_url) if discovery_url else _fetch_well_known(http, issuer)
    found = document.get("issuer")
    if not issuer_fits(found, issuer, tenants):  # Discovery 4.3: exactly, no forgiveness for a slash
        if isinstance(found, str) and TENANT in found and not tenants:
            raise DiscoveryRefused(
                f"the provider serves many tenants ({found[:200]})", "List those whose people may sign in as the provider's `tenants`."
            )
        raise DiscoveryRefused(
            f"the metadata names the issuer {repr(found)[:200]}, the profile {issuer!r}",
            "They must be equal to the letter. Correct `issuer` if the provider is the one you mean.",
        )
    return read_metadata(document | dict(endpoints))


def _fetch_well_known(http: HttpClient, issuer: str) -> dict[str, Any]:
    try:
        return fetch_document(http, discovery_address(issuer))
    except DiscoveryRefused as error:
        try:  # only where there is none below the issuer; it is checked like the other
            return fetch_document(http, oauth_discovery_address(issuer))
        except ProviderFailed:
            raise error from None


def fetch_document(http: HttpClient, url: str) -> dict[str, Any]:
    """A discovery document as it came, unchecked but for being a JSON object."""
    answer = provider_answer(http, "GET", url, headers={"accept": "application/json"})
    if answer.status != 200:
        raise DiscoveryRefused(
            f"{url} answered {answer.status}",
            "The address of the metadata is the issuer followed by /.well-known/openid-configuration. See that the issuer is right.",
        )
    return json_object(answer, "the metadata")


def read_metadata(document: Mapping[str, Any]) -> ProviderMetadata:
    """The members that count, each of its type and every address https (http on loopback)."""
    return ProviderMetadata(
        issuer=_text(document, "issuer"),
        authorization_endpoint=_endpoint(document, "authorization_endpoint"),
        token_endpoint=_endpoint(document, "token_endpoint"),
        jwks_uri=_endpoint(document, "jwks_uri"),
        userinfo_endpoint=_optional_endpoint(document, "userinfo_endpoint"),
        end_session_endpoint=_optional_endpoint(document, "end_session_endpoint"),
        revocation_endpoint=_optional_endpoint(document, "revocation_endpoint"),
        token_endpoint_auth_methods_supported=_texts(document, "token_endpoint_auth_methods_supported"),
        id_token_signing_alg_values_supported=_texts(document, "id_token_signing_alg_values_supported"),
        token_endpoint_auth_signing_alg_values_supported=_texts(document, "token_endpoint_auth_signing_alg_values_supported"),
        scopes_supported=_texts(document, "scopes_supported"),
        pushed_authorization_request_endpoint=_optional_endpoint(document, "pushed_authorization_request_endpoint"),
        require_pushed_authorization_requests=document.get("require_pushed_authorization_requests") is True,
        authorization_response_iss_parameter_supported=document.get("authorization_response_iss_parameter_supported") is True,
    )


def provider_answer(http: HttpClient, method: str, url: str, **options: Any) -> Answer:
    """A call to a provider; its wire's failures become :class:`ProviderUnreachable`, and so does a 5xx."""
    try:
        answer = http.fetch(method, url, **options)
    except WireFailed as error:
        raise ProviderUnreachable(f"the provider cannot be reached: {error.message}", error.hint) from error
    if answer.status >= 500:
        raise ProviderUnreachable(f"{answer_address(answer)} answered {answer.status}", "The provider has a fault; try again later.")
    return answer


def json_object(answer: Answer, what: str) -> dict[str, Any]:
    """The answer as a JSON object; HTML and the like raise :class:`ProviderUnreachable`."""
    try:
        document = answer.json()
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        kind = answer.headers.get("content-type", "no content type").partition(";")[0]
        raise ProviderUnreachable(
            f"{answer_address(answer)} answered {answer.status} with {kind} where {what} is due",
            "Something between here and the provider (a proxy, a firewall, a wrong domain) may answer in its place.",
        )
    return document


def answer_address(answer: Answer) -> str:
    return answer.url.partition("?")[0]


def _text(document: Mapping[str, Any], member: str) -> str:
    value = document.get(member)
    if not isinstance(value, str) or not value:
        _refuse(member, "is missing")
    return value


def _endpoint(document: Mapping[str, Any], member: str) -> str:
    url = _text(document, member)
    if not url.isascii() or not url.isprintable() or " " in url:
        _refuse(member, "is no URL")  # urlsplit drops line breaks, which a redirect's header would not
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        _refuse(member, "is no URL")
    if not host or parts.username is not None or parts.fragment:
        _refuse(member, "is no plain URL")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        _refuse(member, "is not https")
    return url


def _optional_endpoint(document: Mapping[str, Any], member: str) -> str | None:
    return _endpoint(document, member) if document.get(member) is not None else None


def _texts(document: Mapping[str, Any], member: str) -> tuple[str, ...]:
    values = document.get(member)
    return tuple(v for v in values if isinstance(v, str)) if isinstance(values, list) else ()


def _refuse(member: str, why: str) -> NoReturn:
    hint = ""
    if member in ("authorization_endpoint", "token_endpoint"):
        hint = "A Cognito pool without a domain has none: make one under Branding > Domain."
    raise DiscoveryRefused(f"{member} in the provider's metadata {why}", hint)
