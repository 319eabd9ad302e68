"""Gluu Server 4, Gluu Flex and Janssen."""

from __future__ import annotations

from collections.abc import Mapping

from jsmsso.providers.mending import mend_origin
from jsmsso.providers.types import Groups, Location, ProviderType, Question, Refresh


def locate(answers: Mapping[str, str]) -> Location:
    return Location(issuer=answers["host"])


TYPE = ProviderType(
    name="gluu",
    title="Gluu Server, Janssen",
    documentation="https://gluu.org/docs/gluu-server/4.5/admin-guide/openid-connect/",
    questions=(Question("host", "Host", mend_origin, "id.acme.com"),),
    locate=locate,
    email="The claim `email_verified`, where the scope `email` releases it and the server fills it.",
    groups=Groups("memberOf", "Make the attribute memberOf active and add it to a scope that the client may ask for."),
    refresh=Refresh(rotation="optional"),
    id_token_hint=True,
    paste_at="Paste these at Gluu (OpenID Connect > Clients > your client)",
    labels=("Redirect Login URIs", "Post Logout Redirect URIs"),
    places={
        "client_id": "OpenID Connect > Clients > your client > Client ID",
        "client_secret": "OpenID Connect > Clients > your client > Client Secret",
        "callback": "OpenID Connect > Clients > your client > Redirect Login URIs",
        "sign_out": "OpenID Connect > Clients > your client > Post Logout Redirect URIs",
        "scopes": "OpenID Connect > Clients > your client > Scopes",
        "grant": "OpenID Connect > Clients > your client > Grant Types",
    },
    quirks=("Claims are in userinfo, and in the ID token only where legacyIdTokenClaims is on.",),
)
