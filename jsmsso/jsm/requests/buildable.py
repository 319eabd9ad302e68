"""Which request types cannot be raised with a form of ours, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from jsmsso.errors import JsmFailed
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.gateway import find_cloud_id
from jsmsso.jsm.paging import Progress
from jsmsso.jsm.requests.request_types import has_jira_form, request_types
from jsmsso.jsm.requests.type_form import type_form
from jsmsso.jsm.site import Site


@dataclass(frozen=True, slots=True)
class NotBuildable:
    """A request type that opens in the native portal only. ``because`` names what it has: a Jira form, or fields."""

    id: str
    name: str
    because: str


@dataclass(frozen=True, slots=True)
class TypeCount:
    """How many request types a service desk has on its portal, and those of them that no form of ours can raise."""

    service_desk: str
    on_the_portal: int
    not_buildable: tuple[NotBuildable, ...]


def count_types(
    client: JsmClient, site: Site, desk_ids: Iterable[str], progress: Progress = lambda count, done: None
) -> tuple[TypeCount, ...]:
    """For each service desk. A call for each type on a portal, and another on Cloud, where a Jira form may be attached."""
    counted: list[TypeCount] = []
    count = 0
    cloud_id = _cloud_id(client, site)
    for desk_id in desk_ids:
        shown = [one for one in request_types(client, site, desk_id) if one.group_ids]
        found = []
        for one in shown:
            if because := _why_not(client, site, desk_id, one.id, cloud_id):
                found.append(NotBuildable(one.id, one.name, because))
            count += 1
            progress(count, False)
        counted.append(TypeCount(desk_id, len(shown), tuple(found)))
    progress(count, True)
    return tuple(counted)


def _cloud_id(client: JsmClient, site: Site) -> str:
    try:
        return find_cloud_id(client.as_stranger()) if site.is_cloud else ""
    except JsmFailed:
        return ""


def _why_not(client: JsmClient, site: Site, desk_id: str, type_id: str, cloud_id: str) -> str:
    """What keeps the type from being raised here, in a few words; empty where nothing does."""
    form = type_form(client, site, desk_id, type_id)
    if cloud_id and has_jira_form(client, site, desk_id, type_id, cloud_id=cloud_id):
        return "a Jira form"
    if not form.can_raise_on_behalf:
        return "the service account may not raise it for others"
    return ", ".join(field.name for field in form.unsupported)
