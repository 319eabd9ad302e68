"""Auth0: a tenant's domain or a custom one; its issuer ends with a slash."""

from __future__ import annotations

from collections.abc import Mapping

from jsmsso.providers.mending import origin_under
from jsmsso.providers.types import Groups, Location, ProviderType, Question


def locate(answers: Mapping[str, str]) -> Location:
    return Location(issuer=f"{answers['domain']}/")


TYPE = ProviderType(
    name="auth0",
    title="Auth0",
    documentation="https://auth0.com/docs/authenticate/protocols/openid-connect-protocol",
    questions=(
        Question(
            "domain",
            "Domain [Applications > your app > Settings]",
            origin_under("eu.auth0.com", "us.auth0.com", example="acme.eu.auth0.com"),
            "acme.eu.auth0.com",
        ),
    ),
    locate=locate,
    groups=Groups(
        "https://YOUR-NAMESPACE/roles",
        "Actions > Library > Post Login: api.idToken.setCustomClaim with a name that is an address of yours; others are dropped.",
    ),
    logout_template="{issuer}/v2/logout?client_id={client_id}&returnTo={return_to}",
    paste_at="Paste these at Auth0 (Applications > your app > Settings)",
    labels=("Allowed Callback URLs", "Allowed Logout URLs"),
    places={
        "domain": "Applications > your app > Settings > Domain",
        "client_id": "Applications > your app > Settings > Client ID",
        "client_secret": "Applications > your app > Settings > Client Secret",
        "callback": "Applications > your app > Settings > Allowed Callback URLs",
        "sign_out": "Applications > your app > Settings > Allowed Logout URLs",
        "grant": "Applications > your app > Settings > Advanced Settings > Grant Types",
    },
    quirks=(
        "A database connection lets anybody sign up unless Disable Sign Ups is on: write access rules.",
        "Tenants from before 14 November 2023 name no end_session_endpoint: the older /v2/logout is used there.",
        "With a custom domain, answer with it: the issuer is the one that the browser was sent to.",
    ),
)
