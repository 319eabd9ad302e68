"""Any provider that publishes OpenID Connect metadata."""

from jsmsso.providers.types import ProviderType

TYPE = ProviderType(
    name="oidc",
    title="OpenID Connect",
    documentation="https://openid.net/specs/openid-connect-discovery-1_0.html",
)
