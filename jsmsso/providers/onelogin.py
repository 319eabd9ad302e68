"""OneLogin, by One Identity."""

from __future__ import annotations

from collections.abc import Mapping

from jsmsso.providers.mending import mend_domains, origin_under, split_list
from jsmsso.providers.types import Groups, Location, ProviderType, Question


def locate(answers: Mapping[str, str]) -> Location:
    trusted = split_list(answers.get("trust_unverified_email", ""))
    return Location(issuer=f"{answers['domain']}/oidc/2", trust_unverified_email=trusted)


TYPE = ProviderType(
    name="onelogin",
    title="OneLogin",
    documentation="https://developers.onelogin.com/openid-connect",
    questions=(
        Question("domain", "OneLogin subdomain", origin_under("onelogin.com", example="acme.onelogin.com"), "acme.onelogin.com"),
        Question(
            "trust_unverified_email",
            "Email domains only this directory gives out (may be empty)",
            mend_domains,
            "acme.com",
            optional=True,
        ),
    ),
    locate=locate,
    email="OneLogin sends no `email_verified`: list the directory's own domains in `trust_unverified_email`.",
    groups=Groups(
        "groups",
        "Your app > Parameters > Groups, and the scope `groups`; with a delimiter set, it is one text with ; between the names.",
    ),
    id_token_hint=True,  # OneLogin: Logout; needed with post_logout_redirect_uri
    paste_at="Paste these at OneLogin (Applications > your app > Configuration)",
    labels=("Redirect URIs", "Post Logout Redirect URIs"),
    places={
        "client_id": "Applications > your app > SSO > Client ID",
        "client_secret": "Applications > your app > SSO > Client Secret",
        "callback": "Applications > your app > Configuration > Redirect URIs",
        "sign_out": "Applications > your app > Configuration > Post Logout Redirect URIs",
    },
    quirks=(
        "Applications > your app > SSO > Token Endpoint: Basic or POST must be what the metadata is read to say; else set client_auth.",
        "A logout ends the whole OneLogin session, with every other application in it.",
    ),
)
