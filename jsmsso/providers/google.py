"""Google: Workspace and private accounts alike."""

from __future__ import annotations

from jsmsso.providers.types import ProviderType, Refresh

ISSUER = "https://accounts.google.com"

TYPE = ProviderType(
    name="google",
    title="Google",
    documentation="https://developers.google.com/identity/openid-connect/openid-connect",
    asks_for=(),
    issuer=ISSUER,
    legacy_issuers=("accounts.google.com",),  # Google: OpenID Connect reference, `iss`
    open_to_all=True,
    refresh=Refresh(scope="", parameters=(("access_type", "offline"), ("prompt", "consent")), rotation="never"),
    logout_style="local",
    paste_at="Paste these at Google (Google Auth Platform > Clients > your client)",
    labels=("Authorized redirect URIs", "nowhere: no logout"),
    places={
        "client_id": "Google Auth Platform > Clients > your client > Client ID",
        "client_secret": "Google Auth Platform > Clients > your client > Client secrets",
        "callback": "Google Auth Platform > Clients > your client > Authorized redirect URIs",
        "scopes": "Google Auth Platform > Data access",
    },
    quirks=(
        "To let in one Workspace alone, write an access rule by the claim `hd` (access: [{allow: {claim: hd, any_of: [acme.com]}}]).",
        "No groups: they need the Admin SDK, which a login does not reach.",
        "There is no logout: the browser stays signed in at Google.",
    ),
)
