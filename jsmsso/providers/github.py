"""GitHub.com, GitHub Enterprise Cloud with data residency, and GitHub Enterprise Server: plain OAuth 2.0 for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from jsmsso.providers.mending import mend_origin
from jsmsso.providers.types import Endpoints, Location, PlainOAuth2, ProviderType, Question

ISSUER = "https://github.com/login/oauth"  # what GitHub's authorization answers name (RFC 9207)


def locate(answers: Mapping[str, str]) -> Location:
    return Location(issuer=f"{answers['host']}/login/oauth")


def endpoints(issuer: str) -> Endpoints:
    return {"authorization_endpoint": f"{issuer}/authorize", "token_endpoint": f"{issuer}/access_token"}


def calls(issuer: str) -> tuple[str, ...]:
    """``GET /user`` and ``GET /user/emails`` (GitHub: REST API); the API has a host of its own, save on Enterprise Server."""
    parts = urlsplit(issuer)
    host = parts.netloc
    own = host == "github.com" or host.endswith(".ghe.com")
    api = f"https://api.{host}" if own else f"{parts.scheme}://{host}/api/v3"
    return f"{api}/user", f"{api}/user/emails?per_page=100"


def claims(answers: Sequence[Any]) -> dict[str, Any]:
    """``sub`` is the account's number: a login name may be given up and taken by somebody else. Only the primary address counts."""
    user, emails = answers
    if isinstance(user["id"], bool) or not isinstance(user["id"], int):
        raise TypeError("id")
    said = {"sub": str(user["id"]), "name": user.get("name") or user.get("login"), "preferred_username": user.get("login")}
    for address in emails:
        if address.get("primary") is True:
            said |= {"email": address["email"], "email_verified": address.get("verified") is True}
    return said


TYPE = ProviderType(
    name="github",
    title="GitHub",
    documentation="https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps",
    asks_for=(),
    questions=(Question("host", "Host (Enter for github.com)", mend_origin, "github.acme.com", default="https://github.com"),),
    locate=locate,
    plain=PlainOAuth2(
        endpoints,
        calls,
        claims,
        errors={
            "incorrect_client_credentials": "invalid_client",
            "bad_verification_code": "invalid_grant",
            "redirect_uri_mismatch": "invalid_grant",
        },
    ),
    default_scopes=("read:user", "user:email"),
    email="The API's primary address, where it is called verified.",
    open_to_all=True,
    login_hint=False,
    refresh=None,
    revocation=False,
    logout_style="local",
    paste_at="Paste this at GitHub (Settings > Developer settings > OAuth Apps > your app)",
    labels=("Authorization callback URL", "nowhere: no logout"),
    login_comes_first=True,
    loopback_callback=False,
    places={
        "client_id": "Developer settings > OAuth Apps > your app > Client ID",
        "client_secret": "Developer settings > OAuth Apps > your app > Client secrets",
        "callback": "Developer settings > OAuth Apps > your app > Authorization callback URL",
        "scopes": "your profile's scopes: an OAuth App asks for them at the login",
    },
    quirks=(
        "An OAuth App has one callback, the public one: test-connection asks to paste the address that the browser ends at.",
        "There is no ID token: the API is asked twice at each login, with an access token that is not kept.",
        "There is no logout and no group.",
    ),
)
