"""What the service account lacks, what stays off without it, and whether the profile asks for it at all."""

from __future__ import annotations

from dataclasses import dataclass

from jsmsso.jsm.permissions import (
    ADD_CUSTOMERS,
    COMMENT,
    CREATE_ACCOUNTS,
    DESK_ABILITIES,
    ORGANIZATIONS,
    RAISE,
    Abilities,
    Ability,
)
from jsmsso.jsm.site import Site
from jsmsso.profile.model import Customers, Jsm, Profile


@dataclass(frozen=True, slots=True)
class Missing:
    """An ability that is not there (``denied``) or could not be told; ``desks`` are project keys, empty for the site.

    ``unneeded`` says why nothing configured needs it; empty where something does.
    """

    ability: Ability
    denied: bool
    desks: tuple[str, ...]
    unneeded: str


def what_is_missing(abilities: Abilities, profile: Profile, site: Site) -> tuple[Missing, ...]:
    """Every "no" first, then every "could not tell", each with the desks it is about."""
    found = []
    for verdict in (False, None):
        for ability in DESK_ABILITIES:
            desks = tuple(desk.desk.key for desk in abilities.desks if desk.may[ability.name] is verdict)
            if desks:
                found.append(Missing(ability, verdict is False, desks, why_unneeded(ability, profile, site)))
        if abilities.create_accounts is verdict:
            found.append(Missing(CREATE_ACCOUNTS, verdict is False, (), why_unneeded(CREATE_ACCOUNTS, profile, site)))
    return tuple(found)


def why_unneeded(ability: Ability, profile: Profile, site: Site) -> str:
    """Why nothing in the profile needs ``ability``; empty where something does. An administrator is not asked for in vain."""
    customers = profile.jsm.customers if profile.jsm else Customers()
    if ability in (RAISE, COMMENT):
        modes = {portal.mode for portal in profile.portals if not portal.gone}
        hosted = "hosted" in modes or (site.is_cloud and not modes)
        return "" if hosted else "no portal is in mode hosted"
    if ability is ADD_CUSTOMERS and not customers.add_to_service_desk:
        return "jsm.customers.add_to_service_desk is off"
    if ability is ORGANIZATIONS and customers.organizations == "off":
        return "jsm.customers.organizations is off"
    if ability is CREATE_ACCOUNTS:
        if not customers.create:
            return "jsm.customers.create is off"
        if isinstance(profile.jsm, Jsm) and profile.jsm.admin_api_token:
            return "jsm.admin_api_token is for that"
    return ""
