"""``providers:``: one OpenID Provider each."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from jsmsso.profile.fields import (
    Address,
    AddressWithQuery,
    Domain,
    Flag,
    Matching,
    OneOrMany,
    ProviderDomain,
    SecretReference,
    Section,
    Some,
    Text,
)

ProviderType = Literal[
    "cognito", "oidc", "entra", "entra-external", "okta", "google", "keycloak", "auth0", "adfs", "salesforce", "onelogin",
    "ping", "gitlab", "slack", "linkedin", "oracle", "gluu", "miniorange", "github", "discord", "facebook",
]  # fmt: skip
# RFC 7518 3.1, RFC 8037, RFC 9864; none and HMAC are no choice: a client secret is no signing key.
Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
Callback = Annotated[Text, Matching("/callback(/[A-Za-z0-9][A-Za-z0-9._~-]{0,63})?", "/callback or /callback/NAME")]
Scope = Annotated[Text, Matching(r"[!#-\[\]-~]+", "one scope without spaces", "Write several as a list: [openid, email].")]  # RFC 6749 3.3


class Endpoints(Section):
    """Addresses of a provider that its discovery document lacks or has wrong."""

    authorization: AddressWithQuery | None = Field(None, description="Where the browser is sent to log in.")
    token: AddressWithQuery | None = Field(None, description="Where a code is exchanged.")
    userinfo: AddressWithQuery | None = Field(None, description="Where more claims are read.")
    jwks: AddressWithQuery | None = Field(None, description="Where the signing keys are.")
    end_session: AddressWithQuery | None = Field(None, description="Where the browser is sent to log out.")
    revocation: AddressWithQuery | None = Field(None, description="Where a token is revoked.")


class Require(Section):
    """What a login must have been like."""

    amr: Some[Text] | None = Field(None, description="Authentication methods that must all be in the ID token's `amr`.", examples=[["mfa"]])
    acr: OneOrMany[Text] | None = Field(None, description="Authentication contexts of which the ID token's `acr` must be one.")


class Provider(Section):
    """An OpenID Provider, such as a Cognito user pool with its app client."""

    type: ProviderType = Field(description="What it is; `jsmsso provider types` lists them.")
    domain: ProviderDomain | None = Field(
        None, description="The host of its login pages, without https://.", examples=["acme.auth.eu-west-1.amazoncognito.com"]
    )
    issuer: Address | None = Field(
        None,
        description="Its issuer, exactly as its ID tokens write it. Pinned by `provider add` or `test-connection`.",
        examples=["https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a1B2c3D4e"],
    )
    client_id: Text = Field(description="The client's id at the provider.", examples=["4bq2example"])
    client_secret: SecretReference | None = Field(
        None, description="The client's secret; none for a public client.", examples=["keyring:cognito/client_secret"]
    )
    callback: Callback = Field(
        "/callback",
        description="Where answers arrive, under `public_url`. Default: `/callback` for the first provider, else `/callback/NAME`.",
    )
    scopes: Some[Scope] | None = Field(
        None, description="Scopes to ask for. Default: as the type needs.", examples=[["openid", "profile", "email"]]
    )
    sign_out_url: Address | None = Field(
        None, description="Where the provider sends the browser after a logout. Default: `public_url` + `/logged-out`."
    )
    email_domains: Some[Domain] | None = Field(
        None,
        description="The only addresses it may vouch for; people with them are sent here unasked.",
        examples=[["acme.com"]],
    )
    user_pool_id: Annotated[Text, Matching(r"[a-z0-9-]+_[0-9A-Za-z]+", "a pool id such as eu-west-1_a1B2c3D4e")] | None = Field(
        None, description="Cognito's user pool, from which the issuer is found.", examples=["eu-west-1_a1B2c3D4e"]
    )
    discovery_url: AddressWithQuery | None = Field(None, description="Its discovery document, where that is not under the issuer.")
    endpoints: Endpoints = Field(Endpoints(), description="Endpoints that replace those of the discovery document.")
    client_auth: Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "none"] | None = Field(
        None, description="How the client proves itself. Default: as the provider's metadata says."
    )
    client_key: SecretReference | None = Field(None, description="The private key for `private_key_jwt`.")
    algorithms: Some[Algorithm] | None = Field(
        None, description="Signatures accepted on ID tokens. Default: as type and metadata say.", examples=[["RS256"]]
    )
    any_email: Flag = Field(False, description="It may vouch for every address, though there are other providers.")
    trust_unverified_email: Some[Domain] | None = Field(
        None,
        description="Domains whose addresses count though the provider does not call them verified.",
        examples=[["acme.com"]],
    )
    tenants: Some[Text] | None = Field(None, description="Tenants whose people may log in, where the provider serves many.")
    require: Require | None = Field(None, description="What a login must have been like.")
    login_hint: Flag | None = Field(None, description="Whether the address that a person typed is passed on. Default: as the type needs.")
    logout: Literal["provider", "local"] | None = Field(
        None, description="Whether a logout ends the provider's session too. Default: `provider` where the type can."
    )
