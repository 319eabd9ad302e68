"""GitLab.com, and GitLab on a host of one's own."""

from __future__ import annotations

from collections.abc import Mapping

from jsmsso.providers.mending import mend_origin
from jsmsso.providers.types import Groups, Location, ProviderType, Question, Refresh


def locate(answers: Mapping[str, str]) -> Location:
    return Location(issuer=answers["host"])


TYPE = ProviderType(
    name="gitlab",
    title="GitLab",
    documentation="https://docs.gitlab.com/integration/openid_connect_provider/",
    questions=(Question("host", "Host (Enter for gitlab.com)", mend_origin, "gitlab.acme.com", default="https://gitlab.com"),),
    locate=locate,
    groups=Groups("groups_direct", "Nothing: the ID token has `groups_direct`, userinfo `groups` with those of the groups above."),
    open_to_all=True,
    refresh=Refresh(scope="", rotation="always"),
    login_hint=False,
    logout_style="local",
    paste_at="Paste these at GitLab (Applications > your app)",
    labels=("Redirect URI", "nowhere: no logout"),
    login_comes_first=True,
    places={
        "client_id": "Applications > your app > Application ID",
        "client_secret": "Applications > your app > Secret",
        "callback": "Applications > your app > Redirect URI",
        "scopes": "Applications > your app > Scopes",
    },
    quirks=(
        "The scope `api` is not needed: openid, profile and email are.",
        "Names are in userinfo alone.",
        "There is no logout: the browser stays signed in at GitLab.",
    ),
)
