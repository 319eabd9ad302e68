"""The local JSM's organizations: which there are, who is in them, and on which desks they are (``/rest/servicedeskapi``)."""

from __future__ import annotations

from collections.abc import Iterable

from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from jsmsso.sandbox.jsm_call import STAFF, Call, Refused, answer, desk_error, forbidden, invalid, nothing
from jsmsso.sandbox.jsm_customers import people_of_body, unknown_people
from jsmsso.sandbox.jsm_people import LocalOrganization
from jsmsso.sandbox.jsm_site import LocalDesk

LONGEST_NAME = 200  # characters (Atlassian: OrganizationCreateDTO)


def organizations(call: Call) -> Response:
    """``GET organization``: customers see their own; with ``accountId`` (of Cloud alone), those of somebody, for agents."""
    account, site = call.caller(), call.site
    listed: Iterable[LocalOrganization] = site.organizations.values()
    if not account.permissions() & STAFF:
        listed = (organization for organization in listed if site.id_of(account) in organization.members)
    return call.page(_of_account(call, listed), call.organization)


def _of_account(call: Call, listed: Iterable[LocalOrganization]) -> list[LocalOrganization]:
    wanted = call.query.get("accountId")
    if wanted is None or not call.site.is_cloud:
        return list(listed)
    if "SERVICEDESK_AGENT" not in call.caller().permissions():
        raise Refused(forbidden("You need a Jira Service Management agent licence to list the organizations of an account."))
    if call.site.people.known(wanted) is None:
        raise Refused(desk_error(404, "The user does not exist.", "sd.user.error.does.not.exist"))
    return [organization for organization in listed if wanted in organization.members]


def create_organization(call: Call) -> Response:
    """``POST organization``: one that has the name already is given back, with the same status."""
    _needs_management(call)
    name = call.body("name").get("name")
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= LONGEST_NAME:
        return invalid(f"The name of an organization has 1 to {LONGEST_NAME} characters.", "sd.organisation.error.name")
    return answer(call.organization(call.site.add_organization(name.strip())), 201)


def organization(call: Call, organization_id: str) -> Response:
    """``GET organization/<id>``: customers see their own."""
    account, found = call.caller(), _organization(call, organization_id)
    if not account.permissions() & STAFF and call.site.id_of(account) not in found.members:
        return forbidden("You do not have permission to view this organization.")
    return answer(call.organization(found))


def delete_organization(call: Call, organization_id: str) -> Response:
    """``DELETE organization/<id>``: for Jira administrators, whatever it is attached to."""
    if "ADMINISTER" not in call.caller().permissions():
        return forbidden("You do not have permission to delete organizations. Jira administrators only.")
    gone = _organization(call, organization_id)
    del call.site.organizations[gone.id]
    for desk in call.site.desks:
        desk.organizations.discard(gone.id)
    return nothing()


def members(call: Call, organization_id: str) -> Response:
    """``GET organization/<id>/user``: in the order of their ids."""
    _needs_staff(call)
    people = call.site.people
    known = (people.known(person_id) for person_id in sorted(_organization(call, organization_id).members))
    return call.page([person for person in known if person is not None], call.customer)


def add_members(call: Call, organization_id: str) -> Response:
    """``POST organization/<id>/user``: all of them or, where one is unknown, none."""
    _needs_management(call)
    found = _organization(call, organization_id)
    people, unknown = people_of_body(call)
    if unknown:
        return unknown_people(unknown)
    found.members.update(person.id for person in people)
    return nothing()


def remove_members(call: Call, organization_id: str) -> Response:
    """``DELETE organization/<id>/user``: also of those who are not in it."""
    _needs_management(call)
    found = _organization(call, organization_id)
    people, unknown = people_of_body(call)
    if unknown:
        return unknown_people(unknown)
    found.members.difference_update(person.id for person in people)
    return nothing()


def organizations_of_desk(call: Call, desk_id: str) -> Response:
    """``GET servicedesk/<id>/organization``, on Cloud also those of one account with ``accountId``."""
    desk, all_of_them = _desk_of_agent(call, desk_id), call.site.organizations
    listed = [all_of_them[number] for number in sorted(desk.organizations, key=int) if number in all_of_them]
    return call.page(_of_account(call, listed), call.organization)


def attach_organization(call: Call, desk_id: str) -> Response:
    """``POST servicedesk/<id>/organization``: no change where it is there already."""
    desk = _desk_of_agent(call, desk_id)
    desk.organizations.add(_organization(call, _number_of_body(call)).id)
    return nothing()


def detach_organization(call: Call, desk_id: str) -> Response:
    """``DELETE servicedesk/<id>/organization``: no change where it is not there."""
    desk = _desk_of_agent(call, desk_id)
    desk.organizations.discard(_number_of_body(call))
    return nothing()


def _organization(call: Call, organization_id: str) -> LocalOrganization:
    found = call.site.organizations.get(organization_id)
    if found is None:
        raise Refused(desk_error(404, "The organization does not exist.", "sd.organisation.error.not.found"))
    return found


def _number_of_body(call: Call) -> str:
    number = call.body("organizationId").get("organizationId")
    if not isinstance(number, int) or isinstance(number, bool):
        raise Refused(invalid("organizationId has to be a number."))
    return str(number)


def _desk_of_agent(call: Call, desk_id: str) -> LocalDesk:
    desk = call.desk(desk_id)
    if "SERVICEDESK_AGENT" not in call.caller().permissions(desk):
        raise Refused(forbidden("You do not have permission to manage the organizations of this service project."))
    return desk


def _needs_staff(call: Call) -> None:
    if not call.caller().permissions() & STAFF:
        raise Refused(forbidden("You do not have permission to view the users of an organization."))


def _needs_management(call: Call) -> None:
    """Agents may, unless the site keeps organizations to Jira administrators."""
    needed = frozenset({"ADMINISTER"}) if call.site.organizations_for_administrators else STAFF
    if not call.caller().permissions() & needed:
        raise Refused(forbidden("You do not have permission to manage organizations."))


ORGANIZATION = "/rest/servicedeskapi/organization/<organization_id>"
OF_DESK = "/rest/servicedeskapi/servicedesk/<desk_id>/organization"
RULES = (
    Rule("/rest/servicedeskapi/organization", endpoint=organizations, methods=["GET"]),
    Rule("/rest/servicedeskapi/organization", endpoint=create_organization, methods=["POST"]),
    Rule(ORGANIZATION, endpoint=organization, methods=["GET"]),
    Rule(ORGANIZATION, endpoint=delete_organization, methods=["DELETE"]),
    Rule(f"{ORGANIZATION}/user", endpoint=members, methods=["GET"]),
    Rule(f"{ORGANIZATION}/user", endpoint=add_members, methods=["POST"]),
    Rule(f"{ORGANIZATION}/user", endpoint=remove_members, methods=["DELETE"]),
    Rule(OF_DESK, endpoint=organizations_of_desk, methods=["GET"]),
    Rule(OF_DESK, endpoint=attach_organization, methods=["POST"]),
    Rule(OF_DESK, endpoint=detach_organization, methods=["DELETE"]),
)
