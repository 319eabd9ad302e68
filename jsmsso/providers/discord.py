"""Discord, by plain OAuth 2.0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jsmsso.providers.types import Endpoints, PlainOAuth2, ProviderType, Refresh


def endpoints(issuer: str) -> Endpoints:
    """As Discord's own authorization server metadata has them."""
    base = f"{issuer}/api/oauth2"
    return {"authorization_endpoint": f"{base}/authorize", "token_endpoint": f"{base}/token", "revocation_endpoint": f"{base}/token/revoke"}


def calls(issuer: str) -> tuple[str, ...]:
    return (f"{issuer}/api/users/@me",)


def claims(answers: Sequence[Any]) -> dict[str, Any]:
    """``GET /users/@me`` (Discord: User object): ``id`` is a number written as a text."""
    (user,) = answers
    if not isinstance(user["id"], str):
        raise TypeError("id")
    said = {"sub": user["id"], "name": user.get("global_name") or user.get("username"), "preferred_username": user.get("username")}
    if user.get("email"):
        said |= {"email": user["email"], "email_verified": user.get("verified") is True}
    return said


TYPE = ProviderType(
    name="discord",
    title="Discord",
    documentation="https://docs.discord.com/developers/topics/oauth2",
    asks_for=(),
    issuer="https://discord.com",
    plain=PlainOAuth2(endpoints, calls, claims, promises_issuer=True),
    default_scopes=("identify", "email"),
    email="The account's `verified`.",
    open_to_all=True,
    login_hint=False,
    refresh=Refresh(scope="", rotation="always"),
    logout_style="local",
    paste_at="Paste these at Discord (discord.com/developers > your app > OAuth2)",
    labels=("Redirects", "nowhere: no logout"),
    places={
        "client_id": "your app > OAuth2 > Client ID",
        "client_secret": "your app > OAuth2 > Client Secret",
        "callback": "your app > OAuth2 > Redirects",
        "scopes": "your profile's scopes: Discord asks for them at the login",
    },
    quirks=("There is no logout and no group; roles of a server are not read.",),
)
