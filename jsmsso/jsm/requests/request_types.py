"""The request types of one service desk, their groups, and who may use them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from jsmsso.errors import JsmFailed, JsmRefused
from jsmsso.jsm.answers import PLAIN_ID, in_path, text_of
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.gateway import find_cloud_id, forms_url
from jsmsso.jsm.paging import each_item
from jsmsso.jsm.requests.reading import dict_of
from jsmsso.jsm.service_desks import NEEDS
from jsmsso.jsm.site import Site

MOST_CHECKED = 50  # request types of one question
CANNOT_TELL = frozenset({400, 401, 403, 404, 405, 410, 412})  # a call, or a permission, that is not there


@dataclass(frozen=True, slots=True)
class RequestType:
    """A request type. Without ``group_ids`` it is not on the portal. ``icon_id`` is an avatar's, empty where there is none."""

    id: str
    name: str
    description: str
    help_text: str
    group_ids: tuple[str, ...]
    icon_id: str


@dataclass(frozen=True, slots=True)
class TypeGroup:
    """A group of request types, as a portal shows them."""

    id: str
    name: str


def request_types(client: JsmClient, site: Site, desk_id: str) -> tuple[RequestType, ...]:
    """All of a service desk, also those that are not for everybody, and those without a group (``GET .../requesttype``)."""
    items = each_item(client, f"{_desk(desk_id)}/requesttype", needs=NEEDS)
    return tuple(one for one in map(_request_type, items) if one.name)


def type_groups(client: JsmClient, site: Site, desk_id: str) -> tuple[TypeGroup, ...]:
    """The groups in the portal's order (Atlassian: ``GET .../servicedesk/<id>/requesttypegroup``)."""
    items = each_item(client, f"{_desk(desk_id)}/requesttypegroup", needs=NEEDS, experimental=True)
    return tuple(TypeGroup(text_of(item["id"]), text_of(item.get("name"))) for item in items)


def may_create(client: JsmClient, site: Site, desk_id: str, account_id: str, type_ids: Collection[str]) -> frozenset[str] | None:
    """Which of these request types the account may use; None where the site does not tell.

    Atlassian: ``POST .../servicedesk/<id>/requesttype/permissions/check``, Cloud only, for project administrators.
    """
    if not site.is_cloud:
        return None
    numbers = sorted({int(type_id) for type_id in type_ids if type_id.isascii() and type_id.isdecimal()})
    allowed: set[str] = set()
    for first in range(0, len(numbers), MOST_CHECKED):
        asked = numbers[first : first + MOST_CHECKED]
        question = {"accountId": account_id, "permissions": ["canCreateRequest"], "requestTypeIds": asked}
        try:
            answer = client.ask(f"{_desk(desk_id)}/requesttype/permissions/check", question, experimental=True)
        except JsmRefused as error:
            if error.status in CANNOT_TELL:
                return None
            raise
        told = dict_of(answer).get("canCreateRequest")
        if not isinstance(told, list):
            return None
        allowed.update({text_of(number) for number in told} & {str(number) for number in asked})
    return frozenset(allowed)


def has_jira_form(client: JsmClient, site: Site, desk_id: str, type_id: str, *, cloud_id: str = "") -> bool | None:
    """Whether a Jira form is attached, whose questions are not among the type's fields; None where that cannot be told.

    Atlassian: Forms, ``GET /servicedesk/<id>/requesttype/<id>/form`` behind the gateway, Cloud only. The site is asked for
    its ``cloud_id`` where none is given.
    """
    if not site.is_cloud or not (PLAIN_ID.fullmatch(desk_id) and PLAIN_ID.fullmatch(type_id)):
        return None
    try:
        forms = client.at(forms_url(client.base_url, cloud_id or find_cloud_id(client.as_stranger())))
        answer = forms.get(f"/servicedesk/{desk_id}/requesttype/{type_id}/form", experimental=True)
    except JsmRefused as error:
        return False if error.status == 404 else None
    except JsmFailed:
        return None
    return bool(text_of(dict_of(answer).get("id"))) or None


def _desk(desk_id: str) -> str:
    return f"/rest/servicedeskapi/servicedesk/{in_path(desk_id)}"


def _request_type(item: dict[str, Any]) -> RequestType:
    groups = item.get("groupIds")
    return RequestType(
        text_of(item["id"]),
        text_of(item.get("name")),
        text_of(item.get("description")),
        text_of(item.get("helpText")),
        tuple(filter(None, map(text_of, groups))) if isinstance(groups, list) else (),
        text_of(dict_of(item.get("icon")).get("id")),
    )
