"""miniOrange's identity platform, in its cloud or on a host of one's own."""

from __future__ import annotations

from collections.abc import Mapping

from jsmsso.providers.mending import mend_domains, origin_under, split_list
from jsmsso.providers.types import Groups, Location, ProviderType, Question, Refresh


def locate(answers: Mapping[str, str]) -> Location:
    return Location(
        discovery_url=f"{answers['host']}/moas/.well-known/openid-configuration",
        trust_unverified_email=split_list(answers.get("trust_unverified_email", "")),
    )


TYPE = ProviderType(
    name="miniorange",
    title="miniOrange",
    documentation="https://developers.miniorange.com/docs/idp/api/openid-api",
    questions=(
        Question(
            "host",
            "Host (Enter for login.xecurify.com)",
            origin_under("xecurify.com", example="login.xecurify.com"),
            "acme.xecurify.com",
            default="https://login.xecurify.com",
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
    email="The claim `email_verified` where there is one; else the domains in `trust_unverified_email`.",
    groups=Groups("groups", "Your app > Attributes: add one that sends the groups."),
    refresh=Refresh(scope=""),
    logout_template="{issuer}/idp/oidc/logout?post_logout_redirect_uri={return_to}",
    paste_at="Paste these at miniOrange (Apps > your app)",
    labels=("Redirect URL", "Single Logout Redirect URL"),
    places={
        "client_id": "Apps > your app > Basic > Client ID",
        "client_secret": "Apps > your app > Basic > Client Secret",
        "callback": "Apps > your app > Basic > Redirect URL",
        "sign_out": "Apps > your app > Advanced > Single Logout Redirect URL",
    },
    quirks=("Sign with RS256: with HS256 the client secret would be the key, which is refused.",),
)
