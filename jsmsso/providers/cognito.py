"""AWS Cognito user pools: endpoints on the pool's domain, metadata on the issuer's host, a logout of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jsmsso.errors import DiscoveryRefused, ProviderFailed, UsageError
from jsmsso.identity.email_address import NotAnEmailAddress, fold_domain
from jsmsso.profile.addresses import is_loopback
from jsmsso.providers.types import Groups, ProviderType, Refresh

if TYPE_CHECKING:
    from jsmsso.http_client import HttpClient

# AWS: IssuerConfigurationType has two shapes, ORIGINAL and UPDATED.
ISSUER = re.compile(
    r"https://(?:issuer-)?cognito-idp\.(?P<region>[a-z]{2,4}(?:-[a-z]+)+-\d)\.amazonaws\.com/(?P<pool>(?P=region)_[0-9A-Za-z]{1,55})"
)
POOL_ID = re.compile(r"(?P<region>[a-z]{2,4}(?:-[a-z]+)+-\d)_[0-9A-Za-z]{1,55}")  # AWS: UserPoolIdType
PREFIX_DOMAIN = re.compile(r".+\.auth(?:-fips)?\.(?P<region>[a-z0-9-]+)\.amazoncognito\.com")


def endpoints(domain: str) -> Mapping[str, str]:
    """The endpoints on a pool's domain (AWS: User pool endpoints reference). ``domain`` as :func:`mend_domain` gives it."""
    base = domain if domain.startswith("http://") else f"https://{domain}"
    return {
        "authorization_endpoint": f"{base}/oauth2/authorize",
        "token_endpoint": f"{base}/oauth2/token",
        "userinfo_endpoint": f"{base}/oauth2/userInfo",
        "end_session_endpoint": f"{base}/logout",
        "revocation_endpoint": f"{base}/oauth2/revoke",
    }


TYPE = ProviderType(
    name="cognito",
    title="AWS Cognito",
    documentation="https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-userpools-server-contract-reference.html",
    logout_style="cognito",
    token_use_required=True,
    id_token_is_complete=True,
    groups=Groups("cognito:groups", "Nothing: the pool's groups, and a federated provider's where they are mapped to them."),
    refresh=Refresh(scope=""),  # offline_access would be refused
    asks_for=("domain",),
    paste_at="Paste these at Cognito (App client > Login pages > Edit)",
    labels=("Allowed callback URLs", "Allowed sign-out URLs"),
    places={
        "domain": "Branding > Domain",
        "client_id": "App clients",
        "client_secret": "App clients > your client > Client secret",
        "callback": "App clients > your client > Login pages > Edit > Allowed callback URLs",
        "sign_out": "App clients > your client > Login pages > Edit > Allowed sign-out URLs",
        "scopes": "App clients > your client > Login pages > Edit > OpenID Connect scopes",
        "grant": "App clients > your client > Login pages > Edit > OAuth grant types",
    },
    derive_endpoints=endpoints,
)


def mend_domain(text: str) -> str:
    """A domain as it was pasted, made right: no scheme, slash or capital; a loopback ``http://host:port`` is kept.

    Raises :class:`UsageError` for what is no host name.
    """
    text = text.strip()
    address = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise UsageError(f"{text!r} is no domain") from None
    if parts.username is not None or parts.query or parts.fragment or parts.path.strip("/"):
        raise UsageError(f"{text!r} is no domain", "Copy it from Branding > Domain, such as acme.auth.eu-west-1.amazoncognito.com.")
    if is_loopback(host):
        return f"http://{f'[{host}]' if ':' in host else host}" + (f":{port}" if port else "")
    try:
        domain = fold_domain(host)
    except NotAnEmailAddress:
        raise UsageError(f"{text!r} is no domain", "Copy it from Branding > Domain.") from None
    if "." not in domain:
        raise UsageError(f"{text!r} is no whole domain", "With a prefix alone, add .auth.REGION.amazoncognito.com to it.")
    if port not in (None, 443):
        raise UsageError(f"{text!r} has a port", "A Cognito domain answers on port 443.")
    return domain


def issuers_of_pool(user_pool_id: str) -> tuple[str, str]:
    """Both shapes of a pool's issuer. Raises :class:`UsageError` for what is no pool id."""
    found = POOL_ID.fullmatch(user_pool_id)
    if not found:
        raise UsageError(f"{user_pool_id!r} is no user pool id", "It looks like eu-west-1_a1B2c3D4e (User pools > Overview).")
    host = f"cognito-idp.{found['region']}.amazonaws.com/{user_pool_id}"
    return f"https://{host}", f"https://issuer-{host}"


def find_issuer(http: HttpClient, domain: str, user_pool_id: str, discovery_url: str | None = None) -> str | None:
    """The issuer of the pool whose metadata names ``domain`` as its token endpoint's host; None where nothing answers.

    Asks both shapes, or only ``discovery_url``, whose issuer must still be one of the two. Raises
    :class:`DiscoveryRefused` when what answers belongs to another pool or domain.
    """
    from jsmsso.oidc.discovery import discovery_address, fetch_document  # the type alone is read without them

    shapes = issuers_of_pool(user_pool_id)
    refused: DiscoveryRefused | None = None
    for url, expected in [(discovery_url, shapes)] if discovery_url else [(discovery_address(one), (one,)) for one in shapes]:
        try:
            document = fetch_document(http, url)
            issuer = document.get("issuer")
            if issuer not in expected:
                raise DiscoveryRefused(f"{url} is the metadata of {issuer!r}, not of the pool {user_pool_id}")
            check_domain(document, domain)
            return str(issuer)
        except DiscoveryRefused as error:
            refused = error
        except ProviderFailed:
            continue
    if refused is not None:
        raise refused
    return None


def issuer_from_id_token(http: HttpClient, id_token: str, domain: str, discovery_url: str | None = None) -> str:
    """The issuer to pin, from an ID token that came over TLS from ``domain``'s token endpoint itself.

    It must have one of the two shapes, with the pool in that region (and in the domain's, where the domain
    names one), and its own metadata must name ``domain`` as the token endpoint's host: that binding is what
    keeps somebody else's pool out. Only for ``test-connection``; the token is validated afterwards against
    what is pinned. Raises :class:`DiscoveryRefused`.
    """
    from jsmsso.oidc.discovery import discovery_address, fetch_document
    from jsmsso.oidc.signature import unverified_claims

    issuer = unverified_claims(id_token).get("iss")
    found = ISSUER.fullmatch(issuer) if isinstance(issuer, str) else None
    if found is None or not isinstance(issuer, str):
        raise DiscoveryRefused(
            f"the ID token names the issuer {str(issuer)[:200]!r}, which is none of a Cognito pool's",
            "If it is right (GovCloud, EU sovereign), write it as `issuer` into the profile yourself.",
        )
    of_domain = PREFIX_DOMAIN.fullmatch(domain)
    if of_domain and of_domain["region"] != found["region"]:
        raise DiscoveryRefused(f"the ID token's pool is in {found['region']}, the domain in {of_domain['region']}")
    document = fetch_document(http, discovery_url or discovery_address(issuer))
    if document.get("issuer") != issuer:
        raise DiscoveryRefused(f"the metadata names the issuer {document.get('issuer')!r}, the ID token {issuer!r}")
    check_domain(document, domain)
    return issuer


def check_domain(document: Mapping[str, Any], domain: str) -> None:
    """Raise :class:`DiscoveryRefused` unless a pool's metadata names ``domain`` as its token endpoint's host."""
    from jsmsso.oidc.discovery import read_metadata

    token_endpoint = read_metadata(document).token_endpoint
    if token_endpoint != endpoints(domain)["token_endpoint"]:
        raise DiscoveryRefused(
            f"the pool's metadata names the token endpoint {token_endpoint}, which is not on the domain {domain}",
            "See Branding > Domain of that pool. A pool with a prefix and a custom domain names only one of them: use that one, "
            "or write `issuer` into the profile yourself.",
        )
