"""Sign In with LinkedIn using OpenID Connect."""

from __future__ import annotations

from jsmsso.providers.types import ProviderType

TYPE = ProviderType(
    name="linkedin",
    title="LinkedIn",
    documentation="https://learn.microsoft.com/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2",
    asks_for=(),
    issuer="https://www.linkedin.com/oauth",
    open_to_all=True,
    pkce=False,  # a code_verifier is answered with invalid_client, unless LinkedIn turned PKCE on for the app
    nonce=False,  # it is not repeated in the ID token
    login_hint=False,
    refresh=None,
    revocation=False,
    logout_style="local",
    paste_at="Paste these at LinkedIn (developer.linkedin.com > your app > Auth)",
    labels=("Authorized redirect URLs", "nowhere: no logout"),
    login_comes_first=True,
    places={
        "client_id": "your app > Auth > Application credentials",
        "client_secret": "your app > Auth > Application credentials",
        "callback": "your app > Auth > Authorized redirect URLs for your app",
        "scopes": "your app > Products > Sign In with LinkedIn using OpenID Connect",
    },
    quirks=(
        "It repeats no nonce and takes no PKCE: state, a callback of its own and the client's secret bind an answer to a browser.",
        "LinkedIn says itself that it does not verify who somebody is: write access rules by address.",
        "There is no logout and no group.",
    ),
)
