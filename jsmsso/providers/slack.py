"""Sign in with Slack."""

from __future__ import annotations

from jsmsso.providers.types import ProviderType

TYPE = ProviderType(
    name="slack",
    title="Slack",
    documentation="https://docs.slack.dev/authentication/sign-in-with-slack/",
    asks_for=(),
    issuer="https://slack.com",
    email="The claim `email_verified` says so.",
    open_to_all=True,
    pkce=False,  # Slack: Using PKCE; turning it on makes the app a public client for good
    login_hint=False,
    refresh=None,
    revocation=False,
    logout_style="local",
    paste_at="Paste these at Slack (api.slack.com/apps > your app > OAuth & Permissions)",
    labels=("Redirect URLs", "nowhere: no logout"),
    login_comes_first=True,
    loopback_callback=False,
    places={
        "client_id": "your app > Basic Information > Client ID",
        "client_secret": "your app > Basic Information > Client Secret",
        "callback": "your app > OAuth & Permissions > Redirect URLs",
        "scopes": "your app > OAuth & Permissions > User Token Scopes",
    },
    quirks=(
        "Anybody can make a workspace. To let in one alone, write an access rule by the claim `https://slack.com/team_id`.",
        "Redirect URLs must be https: test-connection uses the public one, and asks to paste the address that the browser ends at.",
        "There is no logout and no group.",
    ),
)
