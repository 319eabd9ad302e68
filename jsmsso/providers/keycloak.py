"""Keycloak, and Red Hat's build of it: one realm."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

from jsmsso.errors import UsageError
from jsmsso.providers.mending import mend_origin, path_of
from jsmsso.providers.types import Groups, Location, ProviderType, Question


def mend_address(text: str) -> str:
    """Where Keycloak is, with a path such as ``/auth`` (before version 17), without the realm and what follows it."""
    path = re.split(r"/(?:realms|admin)(?:/|$)", path_of(text))[0]
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*", path):
        raise UsageError(f"{text.strip()[:200]!r} is no address of Keycloak", "It looks like https://id.acme.com.")
    return mend_origin(text) + path


def mend_realm(text: str) -> str:
    """A realm's name, also out of an address."""
    text = text.strip()
    found = re.search(r"/realms/([^/?#]+)", text)
    realm = unquote(found[1]) if found else text
    if not realm or "/" in realm or not realm.isprintable():
        raise UsageError(f"{text[:200]!r} is no realm", "It stands at the top left of the admin console.")
    return realm


def locate(answers: Mapping[str, str]) -> Location:
    return Location(issuer=f"{answers['address']}/realms/{quote(answers['realm'], safe='')}")


TYPE = ProviderType(
    name="keycloak",
    title="Keycloak",
    documentation="https://www.keycloak.org/docs/latest/server_admin/#con-oidc_server_administration_guide",
    questions=(
        Question("address", "Address of Keycloak", mend_address, "https://id.acme.com"),
        Question("realm", "Realm [top left of the admin console]", mend_realm, "customers"),
    ),
    locate=locate,
    groups=Groups(
        "groups",
        "Clients > your client > Client scopes > dedicated > Add mapper > Group Membership, claim `groups`, Full group path off "
        "(else the names begin with /). Realm roles are in `realm_access.roles` of the access token alone, unless a mapper adds them.",
    ),
    paste_at="Paste these at Keycloak (Clients > your client > Settings)",
    labels=("Valid redirect URIs", "Valid post logout redirect URIs"),
    places={
        "client_id": "Clients > your client > Settings > Client ID",
        "client_secret": "Clients > your client > Credentials",
        "callback": "Clients > your client > Settings > Valid redirect URIs",
        "sign_out": "Clients > your client > Settings > Valid post logout redirect URIs",
        "scopes": "Clients > your client > Client scopes",
        "grant": "Clients > your client > Settings > Standard flow",
    },
    quirks=(
        "The issuer follows Keycloak's hostname setting: behind a proxy it must be set, or it changes with the address that was asked.",
        "Logout without the ID token shows a page that asks first.",
        "Clients > your client > Settings > Backchannel logout URL may be set to this deployment's.",
    ),
)
