"""Microsoft Entra ID: one tenant, or several that are listed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from jsmsso.errors import UsageError
from jsmsso.identity.email_address import NotAnEmailAddress, fold_domain
from jsmsso.providers.mending import GUID, mend_domains, mend_guid, split_list
from jsmsso.providers.types import Groups, Location, ProviderType, Question, Refresh

SHARED = ("common", "organizations", "consumers")
# Microsoft: National clouds, application registration endpoints.
CLOUDS = ("login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn")


def mend_tenant(text: str) -> str:
    """A tenant's id or domain, or ``common`` and the like, out of what was pasted; in another cloud than the public one ``host/tenant``."""
    text = text.strip().lower()
    cloud, tenant = "", text
    if "/" in text:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        cloud, tenant = parts.hostname or "", parts.path.strip("/").partition("/")[0]
        if cloud not in CLOUDS and cloud != "sts.windows.net":
            raise UsageError(f"{cloud or text[:200]!r} is no host of Entra ID", f"It is {CLOUDS[0]}.")
    if not (GUID.fullmatch(tenant) or tenant in SHARED or _is_domain(tenant)):
        raise UsageError(f"{text[:200]!r} is no tenant", "Copy the Directory (tenant) ID from the app registration's Overview.")
    return f"{cloud}/{tenant}" if cloud in CLOUDS[1:] else tenant


def mend_tenants(text: str) -> str:
    """The ids of the tenants whose people may sign in. Never a domain: a token names its tenant by the id."""
    return ",".join(dict.fromkeys(mend_guid(part, "tenant id") for part in re.split(r"[,\s]+", text.strip())))


def locate(answers: Mapping[str, str]) -> Location:
    cloud, _, tenant = answers["tenant"].rpartition("/")
    issuer = f"https://{cloud or CLOUDS[0]}/{tenant}/v2.0"
    trusted = split_list(answers.get("trust_unverified_email", ""))
    if tenant in SHARED:
        return Location(issuer=issuer, tenants=split_list(answers["tenants"]), trust_unverified_email=trusted)
    if GUID.fullmatch(tenant):
        return Location(issuer=issuer, trust_unverified_email=trusted)
    # A domain: the metadata names the tenant's id.
    return Location(discovery_url=f"{issuer}/.well-known/openid-configuration", trust_unverified_email=trusted)


def _is_domain(text: str) -> bool:
    try:
        return "." in fold_domain(text)
    except NotAnEmailAddress:
        return False


TYPE = ProviderType(
    name="entra",
    title="Microsoft Entra ID",
    documentation="https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc",
    questions=(
        Question(
            "tenant",
            "Directory (tenant) ID [App registrations > your app > Overview]",
            mend_tenant,
            "72f988bf-86f1-41af-91ab-2d7cd011db47, or organizations for several",
        ),
        Question(
            "tenants",
            "Ids of the tenants whose people may sign in (with commas)",
            mend_tenants,
            "72f988bf-86f1-41af-91ab-2d7cd011db47",
            only_if=lambda answers: answers["tenant"].rpartition("/")[2] in SHARED,
        ),
        Question(
            "trust_unverified_email",
            "Email domains only these tenants give out (may be empty)",
            mend_domains,
            "acme.com",
            optional=True,
        ),
    ),
    locate=locate,
    verified_by=("xms_edov",),  # never email_verified: a tenant's own claims mapping could say that of any address
    email="The optional claim `xms_edov` says so; without it only the domains in `trust_unverified_email` count.",
    groups=Groups(
        "groups",
        "Token configuration > Add groups claim; the values are object ids. App roles come in `roles`.",
        "Beyond 200 groups the claim is left out and `_claim_names` or `hasgroups` stands in its place: "
        'choose "Groups assigned to the application", or use app roles.',
        ("hasgroups",),
    ),
    userinfo_is_useful=False,  # Microsoft: UserInfo endpoint; it says less than the ID token and cannot be extended
    refresh=Refresh(rotation="always"),
    revocation=False,
    paste_at="Paste these at Entra ID (App registrations > your app > Authentication, platform Web)",
    labels=("Redirect URIs", "Redirect URIs as well"),
    login_comes_first=True,
    places={
        "client_id": "App registrations > your app > Overview > Application (client) ID",
        "client_secret": "App registrations > your app > Certificates & secrets > Value",
        "callback": "App registrations > your app > Authentication > Web > Redirect URIs",
        "sign_out": "App registrations > your app > Authentication > Web > Redirect URIs",
        "scopes": "App registrations > your app > API permissions",
    },
    quirks=(
        "Token configuration > Add optional claim: add `email` and `xms_edov` to the ID token, or people have no verified address.",
        "Somebody without a mailbox has no `email` claim; `preferred_username` may be changed and is no proof of an address.",
        "A client secret ends after at most 24 months.",
    ),
)
