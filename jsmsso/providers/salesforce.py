"""Salesforce: an org by its My Domain, an Experience Cloud site, or the shared login hosts."""

from __future__ import annotations

from collections.abc import Mapping

from jsmsso.providers.mending import origin_under, path_of
from jsmsso.providers.types import Location, ProviderType, Question, Refresh


def mend_domain(text: str) -> str:
    """My Domain's login host: what stands in the browser inside an org (``lightning.force.com``) is another host of it."""
    origin = origin_under("my.salesforce.com", example="acme.my.salesforce.com")(text)
    for other in (".lightning.force.com", ".my.salesforce-setup.com"):
        if origin.endswith(other):
            return f"{origin.removesuffix(other)}.my.salesforce.com"
    path = path_of(text).partition("/.well-known")[0]
    return f"{origin}{path}" if origin.endswith(".my.site.com") else origin


def locate(answers: Mapping[str, str]) -> Location:
    return Location(issuer=answers["domain"])


TYPE = ProviderType(
    name="salesforce",
    title="Salesforce",
    documentation="https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_using_openid_discovery_endpoint.htm",
    questions=(Question("domain", "My Domain [Setup > My Domain]", mend_domain, "acme.my.salesforce.com"),),
    locate=locate,
    open_issuers=("https://login.salesforce.com", "https://test.salesforce.com"),
    refresh=Refresh(scope="refresh_token"),
    logout_style="bare",
    paste_at="Paste these at Salesforce (Setup > App Manager > your app)",
    labels=("Callback URL", "Session Settings: Logout URL"),
    places={
        "client_id": "Setup > App Manager > your app > Consumer Key",
        "client_secret": "Setup > App Manager > your app > Consumer Secret",
        "callback": "Setup > App Manager > your app > Callback URL",
        "sign_out": "Setup > Session Settings > Logout Page Settings > Logout URL",
        "scopes": "Setup > App Manager > your app > Selected OAuth Scopes",
    },
    quirks=(
        "At login.salesforce.com people of every org can sign in: use My Domain, or write access rules.",
        "Where the browser goes after a logout is a setting of the org (Setup > Session Settings), not of the request.",
        "`sub` is an address; `user_id` and `organization_id` come with userinfo.",
    ),
)
