"""From a profile's provider entry to what the relying party and the mapping need."""

from __future__ import annotations

from collections.abc import Callable

from jsmsso.errors import NotReady
from jsmsso.identity.attributes import Claims, IdentityRules, lacking
from jsmsso.oidc.settings import ClientSettings
from jsmsso.profile.model import Profile, Provider
from jsmsso.providers.known import provider_type
from jsmsso.providers.types import is_open_to_all

_SHARED = ("common", "organizations", "consumers", "{tenantid}")  # Entra's addresses for several tenants
_ENDPOINT_MEMBERS = {
    "authorization": "authorization_endpoint",
    "token": "token_endpoint",
    "userinfo": "userinfo_endpoint",
    "jwks": "jwks_uri",
    "end_session": "end_session_endpoint",
    "revocation": "revocation_endpoint",
}


def client_settings(
    profile: Profile,
    name: str,
    *,
    client_secret: str | None,
    client_key: str | None = None,
    issuer: str | None = None,
    redirect_uri: str | None = None,
) -> ClientSettings:
    """The settings of one provider of a profile. ``issuer`` and ``redirect_uri`` stand in for the profile's own.

    The caller has read the secret and the key, and made sure that there is an issuer. Raises :class:`NotReady` where the
    client's key is needed and not handed over.
    """
    provider = profile.providers[name]
    type_ = provider_type(provider.type)
    if provider.client_auth == "private_key_jwt" and client_key is None:
        raise NotReady(
            f"providers.{name}.client_auth: private_key_jwt is not acted on yet", "Use client_secret_basic or client_secret_post."
        )
    require = provider.require
    return ClientSettings(
        name=name,
        issuer=issuer or provider.issuer or type_.issuer,
        client_id=provider.client_id,
        client_secret=client_secret,
        redirect_uri=redirect_uri or callback_url(profile, provider),
        scopes=tuple(provider.scopes or type_.default_scopes),
        discovery_url=provider.discovery_url,
        endpoints=endpoint_overrides(provider),
        client_auth=provider.client_auth,
        client_key=client_key,
        algorithms=tuple(provider.algorithms or ()),
        clock_skew=profile.clock_skew,
        token_use_required=type_.token_use_required,
        logout_style="local" if provider.logout == "local" else type_.logout_style,
        logout_template=type_.logout_template,
        post_logout_redirect_uri=sign_out_url(profile, provider),
        id_token_hint=type_.id_token_hint,
        login_hint=type_.login_hint if provider.login_hint is None else provider.login_hint,
        tenants=tuple(provider.tenants or ()),
        legacy_issuers=type_.legacy_issuers,
        trusted_audiences=type_.trusted_audiences,
        pkce=type_.pkce,
        nonce=type_.nonce,
        require_amr=tuple((require and require.amr) or ()),
        require_acr=tuple((require and require.acr) or ()),
    )


def identity_rules(profile: Profile, name: str) -> IdentityRules:
    """How claims of one provider of a profile become a customer."""
    provider = profile.providers[name]
    type_ = provider_type(provider.type)
    return IdentityRules(
        provider=name,
        attributes={**type_.default_attributes, **profile.attributes},
        email_domains=tuple(provider.email_domains) if provider.email_domains else None,
        trust_unverified_email=tuple(provider.trust_unverified_email or ()),
        verified_by=type_.verified_by,
    )


def wants_userinfo(profile: Profile, name: str) -> Callable[[Claims], bool]:
    """Whether an ID token's claims lack something that userinfo of this provider may have."""
    rules = identity_rules(profile, name)
    type_ = provider_type(profile.providers[name].type)

    def wants(claims: Claims) -> bool:
        if not type_.userinfo_is_useful:
            return False
        missing = lacking(claims, rules)
        return "email" in missing if type_.id_token_is_complete else bool(missing)

    return wants


def without_access_rules(profile: Profile) -> tuple[str, ...]:
    """The providers at which anybody can make an account, where no access rule says who may enter: ``serve`` refuses them.

    ``allow: everyone``, written out, is such a rule.
    """
    if profile.access:
        return ()
    return tuple(
        name
        for name, provider in profile.providers.items()
        if is_open_to_all(type_ := provider_type(provider.type), provider.issuer or type_.issuer)
    )


def issuers(settings: ClientSettings) -> frozenset[str]:
    """Every issuer that a customer of this client can have: its own, or one for each tenant where it serves several."""
    shared = next((f"/{part}/" for part in _SHARED if f"/{part}/" in settings.issuer), "")
    if not settings.tenants or not shared:
        return frozenset((settings.issuer,))
    return frozenset(settings.issuer.replace(shared, f"/{tenant}/") for tenant in settings.tenants)


def callback_url(profile: Profile, provider: Provider) -> str:
    """The public callback, as it must be registered at the provider."""
    return profile.public_url + (provider.callback or "/callback")


def sign_out_url(profile: Profile, provider: Provider) -> str:
    """Where the provider sends people after its logout, as it must be registered there."""
    return provider.sign_out_url or profile.public_url + "/logged-out"


def endpoint_overrides(provider: Provider) -> tuple[tuple[str, str], ...]:
    """The profile's ``endpoints`` by the metadata's names for them."""
    return tuple((member, value) for key, member in _ENDPOINT_MEMBERS.items() if (value := getattr(provider.endpoints, key)))
