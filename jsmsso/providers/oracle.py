"""Oracle identity domains (OCI IAM), and Oracle Identity Cloud Service (IDCS) before them."""

from __future__ import annotations

from collections.abc import Mapping

from jsmsso.providers.mending import mend_domains, mend_origin, split_list
from jsmsso.providers.types import Groups, Location, ProviderType, Question

ISSUER = "https://identity.oraclecloud.com/"


def locate(answers: Mapping[str, str]) -> Location:
    return Location(
        discovery_url=f"{answers['domain']}/.well-known/openid-configuration",
        trust_unverified_email=split_list(answers.get("trust_unverified_email", "")),
    )


TYPE = ProviderType(
    name="oracle",
    title="Oracle identity domain (IDCS)",
    documentation="https://docs.oracle.com/en/cloud/paas/iam-domains-rest-api/op-well-known-openid-configuration-get.html",
    questions=(
        Question(
            "domain",
            "Domain URL [Domains > your domain > Details]",
            mend_origin,
            "idcs-9dc693e80d9b469480d7afe00e743931.identity.oraclecloud.com",
        ),
        Question(
            "trust_unverified_email",
            "Email domains only this directory gives out (may be empty)",
            mend_domains,
            "acme.com",
            optional=True,
        ),
    ),
    locate=locate,
    trusted_audiences=(ISSUER, ISSUER.rstrip("/")),  # Oracle: Identity Token, `aud`
    email="The claim `email_verified` of userinfo where it is true; else the domains in `trust_unverified_email`.",
    groups=Groups("groups", "The scope `groups`; userinfo then has a list of objects, so map `groups[].name`."),
    id_token_hint=True,
    paste_at="Paste these at Oracle (Integrated applications > your app > OAuth configuration)",
    labels=("Redirect URL", "Post-logout redirect URL"),
    places={
        "client_id": "Integrated applications > your app > OAuth configuration > Client ID",
        "client_secret": "Integrated applications > your app > OAuth configuration > Client secret",
        "callback": "Integrated applications > your app > OAuth configuration > Redirect URL",
        "sign_out": "Integrated applications > your app > OAuth configuration > Post-logout redirect URL",
        "grant": "Integrated applications > your app > OAuth configuration > Allowed grant types",
    },
    quirks=(
        "The issuer is the same for every customer of Oracle: what tells yours apart are the keys at the domain's own address.",
        "Domain settings > Access signing certificate > Configure client access must be on, or the keys answer 401.",
        "`sub` is the user name: it must not be given to another person.",
    ),
)
