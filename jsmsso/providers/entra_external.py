"""Microsoft Entra External ID, and Azure AD B2C before it: customers' accounts, one user flow (policy) in B2C."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from jsmsso.errors import UsageError
from jsmsso.identity.attributes import STANDARD_ATTRIBUTES
from jsmsso.providers.mending import GUID, mend_domains, mend_origin, path_of, split_list
from jsmsso.providers.types import Location, ProviderType, Question, Refresh

B2C, EXTERNAL = ".b2clogin.com", ".ciamlogin.com"


def mend_tenant(text: str) -> str:
    """``acme.b2clogin.com`` or ``acme.ciamlogin.com``, or a domain of one's own with the tenant behind a slash."""
    host = mend_origin(text).removeprefix("https://")
    path = path_of(text).strip("/").partition("/")[0].lower()
    if host.endswith(EXTERNAL):
        return host
    if host.endswith(B2C):
        # The tenant in the path is known from the host, unless the path has its id.
        return f"{host}/{path}" if GUID.fullmatch(path) else host
    if host.endswith(".onmicrosoft.com"):
        raise UsageError(f"{host!r} does not say which of the two it is", f"It looks like acme{EXTERNAL}, or acme{B2C} for Azure AD B2C.")
    if not path:
        raise UsageError(f"{host!r} does not say which tenant it serves", "Write login.acme.com/acme.onmicrosoft.com.")
    return f"{host}/{path}"


def mend_policy(text: str) -> str:
    """A user flow's name: ``B2C_1_signin``, also out of an address."""
    found = re.search(r"b2c_1a?_[a-z0-9_-]+", text.strip(), re.IGNORECASE)
    if not found:
        raise UsageError(f"{text.strip()[:200]!r} is no user flow", "It looks like B2C_1_signupsignin (User flows).")
    return found[0]


def locate(answers: Mapping[str, str]) -> Location:
    host, _, tenant = answers["tenant"].partition("/")
    tenant = tenant or f"{host.partition('.')[0]}.onmicrosoft.com"
    policy = f"/{answers['policy']}" if answers.get("policy") else ""
    return Location(
        discovery_url=f"https://{host}/{tenant}{policy}/v2.0/.well-known/openid-configuration",
        trust_unverified_email=split_list(answers.get("trust_unverified_email", "")),
    )


def _may_have_policy(answers: Mapping[str, str]) -> bool:
    return not (urlsplit(f"https://{answers['tenant']}").hostname or "").endswith(EXTERNAL)


TYPE = ProviderType(
    name="entra-external",
    title="Microsoft Entra External ID, Azure AD B2C",
    documentation="https://learn.microsoft.com/entra/external-id/customers/overview-customers-ciam",
    questions=(
        Question("tenant", "Host of its login pages", mend_tenant, "acme.ciamlogin.com, or acme.b2clogin.com for Azure AD B2C"),
        Question("policy", "User flow (Azure AD B2C)", mend_policy, "B2C_1_signupsignin", only_if=_may_have_policy),
        Question(
            "trust_unverified_email",
            "Email domains only this tenant gives out (may be empty)",
            mend_domains,
            "acme.com",
            optional=True,
        ),
    ),
    locate=locate,
    default_attributes={**STANDARD_ATTRIBUTES, "email": ("email", "emails")},
    verified_by=("email_verified", "xms_edov"),
    email="B2C sends `emails`, a list of which the first counts and which nothing calls verified: list the domains in "
    "`trust_unverified_email`, or let a custom policy send `email` and `email_verified`.",
    userinfo_is_useful=False,  # a B2C user flow has none; External ID's is Graph's, which says less than the ID token
    refresh=Refresh(rotation="always"),
    revocation=False,
    paste_at="Paste these at the app registration (Authentication, platform Web)",
    labels=("Redirect URIs", "Redirect URIs as well"),
    login_comes_first=True,
    places={
        "client_id": "App registrations > your app > Overview > Application (client) ID",
        "client_secret": "App registrations > your app > Certificates & secrets > Value",
        "callback": "App registrations > your app > Authentication > Web > Redirect URIs",
        "sign_out": "App registrations > your app > Authentication > Web > Redirect URIs",
    },
    quirks=(
        "A user flow with sign-up lets anybody make an account: write access rules.",
        "B2C: choose Email Addresses, Given Name, Surname and Display Name under Application claims of the user flow.",
        "B2C: the issuer is the same for all user flows of a tenant, their metadata is not; `discovery_url` names the flow.",
    ),
)
