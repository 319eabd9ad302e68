"""PingOne by its environment, PingFederate by its host."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from jsmsso.providers.mending import GUID, mend_origin, path_of
from jsmsso.providers.types import Groups, Location, ProviderType, Question


def mend_issuer(text: str) -> str:
    """``https://auth.pingone.eu/ENVIRONMENT/as`` out of any address of that environment; another host as it is."""
    origin, path = mend_origin(text), path_of(text)
    host = urlsplit(origin).hostname or ""
    found = GUID.search(path.lower())
    if found and re.fullmatch(r"(auth|console|api)\.pingone\.[a-z.]+", host):
        return f"https://auth.{host.partition('.')[2]}/{found[0]}/as"
    path = path.removesuffix("/.well-known/openid-configuration")
    return f"{origin}/{found[0]}/as" if found else origin + path


def locate(answers: Mapping[str, str]) -> Location:
    return Location(issuer=answers["issuer"])


TYPE = ProviderType(
    name="ping",
    title="PingOne, PingFederate",
    documentation="https://developer.pingidentity.com/pingone-api/auth/openid-connect-oauth-2.html",
    questions=(
        Question(
            "issuer",
            "Issuer [PingOne: your app > Overview; PingFederate: its address]",
            mend_issuer,
            "https://auth.pingone.eu/ENVIRONMENT-ID/as",
        ),
    ),
    locate=locate,
    email="The claim `email_verified`, where it is mapped (PingOne: Attribute Mappings, from Email Verified).",
    groups=Groups(
        "groups",
        "PingOne: your app > Attribute Mappings > groups from Group Names. PingFederate: the OpenID Connect policy's contract.",
    ),
    paste_at="Paste these at Ping (PingOne: Applications > your app > Configuration)",
    labels=("Redirect URIs", "Signoff URLs"),
    places={
        "client_id": "Applications > your app > Overview > Client ID",
        "client_secret": "Applications > your app > Overview > Client Secret",
        "callback": "Applications > your app > Configuration > Redirect URIs",
        "sign_out": "Applications > your app > Configuration > Signoff URLs",
        "scopes": "Applications > your app > Resources",
        "grant": "Applications > your app > Configuration > Grant Type",
    },
    quirks=(
        "A PingOne custom domain is part of the issuer: answer with it.",
        "Older PingFederate names no end_session_endpoint (only ping_end_session_endpoint): logout then ends the session here alone.",
    ),
)
