"""What the service account may do, per service desk, and which permission each thing takes.

Told are permissions, not deeds: nothing is written to find out. What cannot be told is ``None``, never a guess.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jsmsso.errors import JsmAnswerInvalid, JsmRefused
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.paging import Progress
from jsmsso.jsm.service_desks import ServiceDesk
from jsmsso.jsm.site import Site

MOST_PROJECTS = 1000  # of one bulk question (Atlassian: POST /rest/api/3/permissions/check)
DESK_PERMISSIONS = ("SERVICEDESK_AGENT", "CREATE_ISSUES", "ADD_COMMENTS", "ADMINISTER_PROJECTS")
CANNOT_TELL = frozenset({400, 403, 404, 405})  # a permission or call that this site does not know


@dataclass(frozen=True, slots=True)
class Ability:
    """One thing the service account may be needed for: what it takes, and what stays off without it."""

    name: str
    label: str
    permission: str
    without: str


LIST = Ability("list", "list", "Browse projects (permission scheme of the project)", "the service desk gets no portal link")
RAISE = Ability(
    "raise_for_others",
    "raise for others",
    "Service project agent and Create issues (role Service Desk Team, and a Jira Service Management licence)",
    "customers cannot raise requests on a hosted portal",
)
COMMENT = Ability(
    "comment_in_public",
    "comment in public",
    "Service project agent and Add comments (role Service Desk Team, and a Jira Service Management licence)",
    "customers cannot comment on a hosted portal",
)
ADD_CUSTOMERS = Ability(
    "add_customers",
    "add customers",
    "Administer projects (role Administrators of the project)",
    "customers are not added to the service desk (jsm.customers.add_to_service_desk)",
)
ORGANIZATIONS = Ability(
    "manage_organizations",
    "manage organizations",
    "Service project agent (role Service Desk Team); a site may keep organizations to Jira administrators",
    "customers are not put into organizations (jsm.customers.organizations)",
)
CREATE_ACCOUNTS = Ability(
    "create_accounts",
    "create accounts",
    "Administer Jira (global permission)",
    "customers who have no account get none (jsm.customers.create)",
)
DESK_ABILITIES = (LIST, RAISE, COMMENT, ADD_CUSTOMERS, ORGANIZATIONS)


@dataclass(frozen=True, slots=True)
class DeskAbilities:
    """What the account may do on one service desk: ability name -> yes, no, or ``None`` for "could not tell"."""

    desk: ServiceDesk
    may: Mapping[str, bool | None]


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the account may do on all desks, and whether it may create accounts."""

    desks: tuple[DeskAbilities, ...]
    create_accounts: bool | None


def find_abilities(client: JsmClient, site: Site, desks: Sequence[ServiceDesk], progress: Progress = lambda count, done: None) -> Abilities:
    """Ask the site. One call per thousand desks on Cloud, one per desk on Data Center, which has no bulk question."""
    granted = _ask_in_bulk(client, desks) if site.is_cloud and desks else None
    if granted is None:
        granted = {}
        for number, desk in enumerate(desks, 1):
            granted[desk.id] = _granted_on(client, site, desk)
            progress(number, number == len(desks))
    administrator = may_create_accounts(client, site)
    return Abilities(tuple(DeskAbilities(desk, _desk_abilities(granted.get(desk.id, {}), administrator)) for desk in desks), administrator)


def may_create_accounts(client: JsmClient, site: Site) -> bool | None:
    """Whether the account is a Jira administrator, as creating accounts takes; None where the site does not tell."""
    return _granted(client, site, {"permissions": "ADMINISTER"}).get("ADMINISTER")


def _desk_abilities(granted: Mapping[str, bool], administrator: bool | None) -> dict[str, bool | None]:
    agent, create, comment, project_administrator = (granted.get(key) for key in DESK_PERMISSIONS)
    return {
        LIST.name: True,  # it was in the list
        RAISE.name: _both(agent, create),
        COMMENT.name: _both(agent, comment),
        ADD_CUSTOMERS.name: project_administrator,
        ORGANIZATIONS.name: _may_manage_organizations(agent, project_administrator, administrator),
    }


def _both(one: bool | None, other: bool | None) -> bool | None:
    if one is False or other is False:
        return False
    return True if one and other else None


def _may_manage_organizations(agent: bool | None, project_administrator: bool | None, administrator: bool | None) -> bool | None:
    """A Jira administrator always, nobody without a role on the desk; agents unless a setting that no call shows says otherwise."""
    if administrator and (agent or project_administrator):
        return True
    return False if agent is False and project_administrator is False else None


def _ask_in_bulk(client: JsmClient, desks: Sequence[ServiceDesk]) -> dict[str, dict[str, bool]] | None:
    """Granted permissions by desk id (Atlassian: ``POST /rest/api/3/permissions/check``); None where the site cannot."""
    desk_of_project = {int(desk.project_id): desk.id for desk in desks if desk.project_id.isdigit()}
    projects = list(desk_of_project)
    granted = {desk_id: dict.fromkeys(DESK_PERMISSIONS, False) for desk_id in desk_of_project.values()}
    for first in range(0, len(projects), MOST_PROJECTS):
        question = {"projectPermissions": [{"permissions": list(DESK_PERMISSIONS), "projects": projects[first : first + MOST_PROJECTS]}]}
        try:
            answer = client.ask("/rest/api/3/permissions/check", question)
        except JsmRefused as error:
            if error.status in CANNOT_TELL:
                return None
            raise
        for permission, project in _grants(answer):
            if project in desk_of_project:
                granted[desk_of_project[project]][permission] = True
    return granted


def _grants(answer: Any) -> list[tuple[str, int]]:
    grants = answer.get("projectPermissions") if isinstance(answer, dict) else None
    if not isinstance(grants, list):
        raise JsmAnswerInvalid("JSM's answer to /rest/api/3/permissions/check has no projectPermissions")
    return [
        (grant["permission"], project)
        for grant in grants
        if isinstance(grant, dict) and grant.get("permission") in DESK_PERMISSIONS
        for project in grant.get("projects") or []
    ]


def _granted_on(client: JsmClient, site: Site, desk: ServiceDesk) -> dict[str, bool]:
    return _granted(client, site, {"projectKey": desk.key, "permissions": ",".join(DESK_PERMISSIONS)})


def _granted(client: JsmClient, site: Site, question: Mapping[str, str]) -> dict[str, bool]:
    """Permission -> granted, without those that the site does not tell (Atlassian: ``GET .../mypermissions``)."""
    wanted: Collection[str] = question["permissions"].split(",")
    try:
        answer = client.get(f"{site.api}/mypermissions", question)
    except JsmRefused as error:
        if error.status in CANNOT_TELL:
            return {}
        raise
    told = answer.get("permissions") if isinstance(answer, dict) else None
    if not isinstance(told, dict):
        return {}
    have = {key: told[key].get("havePermission") for key in wanted if isinstance(told.get(key), dict)}
    return {key: value for key, value in have.items() if isinstance(value, bool)}
