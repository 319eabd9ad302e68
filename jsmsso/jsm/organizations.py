"""Organizations of customers: list, create, who is in which. Joining and leaving twice is the same as once."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from jsmsso.errors import JsmAnswerInvalid, JsmRefused
from jsmsso.jsm.answers import in_path, text_of
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.paging import each_item
from jsmsso.jsm.site import Site
from jsmsso.jsm.users import with_account

NEEDS = "Service project agent (role Service Desk Team); a site may keep organizations to Jira administrators"
ALL = "/rest/servicedeskapi/organization"


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization. Two may have names that differ in case only."""

    id: str
    name: str


def all_organizations(client: JsmClient) -> Iterator[Organization]:
    """Those of the whole site (Atlassian: ``GET /rest/servicedeskapi/organization``)."""
    return _listed(client, ALL)


def organizations_of(client: JsmClient, site: Site, user_id: str) -> list[Organization]:
    """Those that the account is in. Data Center cannot be asked that: there every organization's members are looked through."""
    if site.is_cloud:
        return list(_listed(client, ALL, {"accountId": user_id}))
    return [organization for organization in _listed(client, ALL) if is_member(client, site, organization.id, user_id)]


def desk_organizations(client: JsmClient, desk_id: str) -> list[Organization]:
    """Those of a service desk (Atlassian: ``GET .../servicedesk/<id>/organization``)."""
    return list(_listed(client, f"/rest/servicedeskapi/servicedesk/{in_path(desk_id)}/organization"))


def desk_organizations_of(client: JsmClient, site: Site, desk_id: str, user_id: str) -> list[Organization]:
    """Those of a service desk that the account is in (Atlassian: ``GET .../servicedesk/<id>/organization``)."""
    path = f"/rest/servicedeskapi/servicedesk/{in_path(desk_id)}/organization"
    if site.is_cloud:
        return list(_listed(client, path, {"accountId": user_id}))
    return [organization for organization in _listed(client, path) if is_member(client, site, organization.id, user_id)]


def organizations_among(client: JsmClient, site: Site, among: Collection[str], user_id: str) -> set[str]:
    """Those of the ids ``among`` whose organizations the account is in. Cloud is asked once, Data Center for each."""
    if site.is_cloud:
        return {one.id for one in organizations_of(client, site, user_id)}.intersection(among)
    return {organization_id for organization_id in among if is_member(client, site, organization_id, user_id)}


def is_member(client: JsmClient, site: Site, organization_id: str, user_id: str) -> bool:
    """Whether the account is in the organization (Atlassian: ``GET .../organization/<id>/user``)."""
    name = "accountId" if site.is_cloud else "name"
    members = each_item(client, _members(organization_id), identity=lambda item: text_of(item.get(name)), needs=NEEDS)
    return any(text_of(item.get(name)) == user_id for item in members)


def create_organization(client: JsmClient, name: str) -> Organization:
    """The organization of that name, made where there is none (Atlassian: ``POST /rest/servicedeskapi/organization``)."""
    organization = _organization(client.send("POST", ALL, {"name": name}, needs=NEEDS, idempotent=True))
    if organization is None:
        raise JsmAnswerInvalid(f"JSM does not say which organization it created for {name!r}")
    return organization


def add_member(client: JsmClient, site: Site, organization_id: str, user_id: str) -> None:
    """Put the account into the organization (``POST .../organization/<id>/user``). Raises :class:`AccountUnknown`."""
    with_account(client, site, "POST", _members(organization_id), user_id, needs=NEEDS)


def remove_member(client: JsmClient, site: Site, organization_id: str, user_id: str) -> None:
    """Take the account out (``DELETE .../organization/<id>/user``). An organization that is gone has no members left."""
    try:
        with_account(client, site, "DELETE", _members(organization_id), user_id, needs=NEEDS)
    except JsmRefused as error:
        if error.status != 404:
            raise


def attach_to_desk(client: JsmClient, desk_id: str, organization_id: str) -> None:
    """Let the organization's members use the service desk (``POST .../servicedesk/<id>/organization``)."""
    if not organization_id.isdecimal():
        raise JsmAnswerInvalid(f"JSM's organization has an id that is no number: {organization_id}")
    path = f"/rest/servicedeskapi/servicedesk/{in_path(desk_id)}/organization"
    client.send("POST", path, {"organizationId": int(organization_id)}, needs=NEEDS, idempotent=True)


def _listed(client: JsmClient, path: str, parameters: dict[str, str | int] | None = None) -> Iterator[Organization]:
    found = (_organization(item) for item in each_item(client, path, parameters, needs=NEEDS))
    return (organization for organization in found if organization is not None)


def _organization(item: Any) -> Organization | None:
    """The organization in an answer; None where it has no id or no name."""
    if not isinstance(item, dict):
        return None
    organization_id, name = text_of(item.get("id")), text_of(item.get("name"))
    return Organization(organization_id, name) if organization_id and name else None


def _members(organization_id: str) -> str:
    return f"{ALL}/{in_path(organization_id)}/user"
