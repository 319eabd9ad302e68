"""Active Directory Federation Services 2016 and later."""

from __future__ import annotations

from collections.abc import Mapping

from jsmsso.providers.mending import mend_domains, mend_origin, split_list
from jsmsso.providers.types import Groups, Location, ProviderType, Question, Refresh


def locate(answers: Mapping[str, str]) -> Location:
    return Location(issuer=f"{answers['host']}/adfs", trust_unverified_email=split_list(answers["trust_unverified_email"]))


TYPE = ProviderType(
    name="adfs",
    title="AD FS",
    documentation="https://learn.microsoft.com/windows-server/identity/ad-fs/overview/ad-fs-openid-connect-oauth-concepts",
    questions=(
        Question("host", "Federation service name", mend_origin, "adfs.acme.com"),
        Question(
            "trust_unverified_email",
            "Email domains only this directory gives out (with commas)",
            mend_domains,
            "acme.com",
        ),
    ),
    locate=locate,
    default_scopes=("openid", "profile", "email", "allatclaims"),
    verified_by=(),
    email="Nothing says so: only the domains in `trust_unverified_email` count.",
    groups=Groups("group", "Web API > Issuance Transform Rules > Send LDAP Attributes as Claims: Token-Groups as Group."),
    userinfo_is_useful=False,  # Microsoft: AD FS FAQ; it says `sub` alone
    refresh=Refresh(scope="", rotation="never"),
    revocation=False,
    id_token_hint=True,
    paste_at="Paste these at AD FS (Application Groups > your group > Server application)",
    labels=("Redirect URI", "Redirect URI as well"),
    places={
        "client_id": "Application Groups > your group > Server application > Client Identifier",
        "client_secret": "Application Groups > your group > Server application > Credentials",
        "callback": "Application Groups > your group > Server application > Redirect URI",
        "sign_out": "Application Groups > your group > Server application > Redirect URI",
        "scopes": "Application Groups > your group > Web API > Client Permissions",
    },
    quirks=(
        "Claims reach the ID token only where the Web API's identifier is the client id, and allatclaims and openid are permitted.",
        "Send E-Mail-Addresses, Given-Name, Surname and Display-Name by a rule, under the names email, given_name, family_name and name.",
        "The metadata's access_token_issuer is another than the issuer; it does not matter here.",
    ),
)
