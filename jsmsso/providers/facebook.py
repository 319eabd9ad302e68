"""Facebook Login, by plain OAuth 2.0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jsmsso.providers.mending import mend_domains, split_list
from jsmsso.providers.types import Endpoints, Location, PlainOAuth2, ProviderType, Question

ISSUER = "https://www.facebook.com"


def locate(answers: Mapping[str, str]) -> Location:
    return Location(issuer=ISSUER, trust_unverified_email=split_list(answers["trust_unverified_email"]))


def endpoints(issuer: str) -> Endpoints:
    """Without a version: then the app's own counts (Meta: Versioning)."""
    return {"authorization_endpoint": f"{issuer}/dialog/oauth", "token_endpoint": f"{_graph(issuer)}/oauth/access_token"}


def calls(issuer: str) -> tuple[str, ...]:
    return (f"{_graph(issuer)}/me?fields=id,name,first_name,last_name,email",)


def claims(answers: Sequence[Any]) -> dict[str, Any]:
    """``GET /me`` (Graph API: User): ``id`` belongs to the app. Nothing says that the address is verified."""
    (user,) = answers
    if not isinstance(user["id"], str):
        raise TypeError("id")
    named = {"name": "name", "first_name": "given_name", "last_name": "family_name", "email": "email"}
    return {"sub": user["id"], **{claim: user[field] for field, claim in named.items() if user.get(field)}}


def _graph(issuer: str) -> str:
    return "https://graph.facebook.com" if issuer == ISSUER else issuer


TYPE = ProviderType(
    name="facebook",
    title="Facebook",
    documentation="https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow",
    asks_for=(),
    questions=(
        Question(
            "trust_unverified_email",
            "Email domains to believe Facebook about, unverified (with commas)",
            mend_domains,
            "acme.com",
        ),
    ),
    locate=locate,
    issuer=ISSUER,
    plain=PlainOAuth2(endpoints, calls, claims),
    default_scopes=("public_profile", "email"),
    verified_by=(),
    email="Nothing says so: only the domains in `trust_unverified_email` count.",
    open_to_all=True,
    pkce=False,  # Meta documents it for its OpenID Connect flow alone
    login_hint=False,
    refresh=None,
    revocation=False,
    logout_style="local",
    paste_at="Paste these at Facebook (developers.facebook.com > your app > Facebook Login > Settings)",
    labels=("Valid OAuth Redirect URIs", "nowhere: no logout"),
    login_comes_first=True,
    loopback_callback=False,
    places={
        "client_id": "your app > App settings > Basic > App ID",
        "client_secret": "your app > App settings > Basic > App secret",
        "callback": "your app > Facebook Login > Settings > Valid OAuth Redirect URIs",
        "scopes": "your app > Use cases > Permissions: email",
    },
    quirks=(
        "Somebody who registered by telephone, or who said no to it, sends no address and cannot enter.",
        "PKCE and nonce are not used: state, a callback of its own and the app's secret bind an answer to a browser.",
        "Redirect URIs must be https: test-connection uses the public one, and asks to paste the address that the browser ends at.",
        "There is no logout and no group.",
    ),
)
