"""The request types of all service desks, for the portal ids that they carry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from jsmsso.errors import JsmRefused
from jsmsso.jsm.answers import text_of
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.paging import Progress, each_item
from jsmsso.jsm.service_desks import NEEDS, ServiceDesk

NO_SUCH_CALL = frozenset({404, 405, 410, 412})  # a Data Center without it, or one that keeps experimental calls shut


@dataclass(frozen=True, slots=True)
class RequestType:
    """A request type; ``portal_id`` is empty where the site does not tell it."""

    id: str
    name: str
    service_desk_id: str
    portal_id: str
    group_ids: tuple[str, ...]


def list_request_types(
    client: JsmClient, desks: Iterable[ServiceDesk], progress: Progress = lambda count, done: None
) -> tuple[RequestType, ...]:
    """Those of all desks in one paged call (Atlassian: ``GET /rest/servicedeskapi/requesttype``, experimental).

    A site that has no such call is asked desk by desk (``GET .../servicedesk/<id>/requesttype``).
    """
    try:
        items = each_item(client, "/rest/servicedeskapi/requesttype", needs=NEEDS, experimental=True, progress=progress)
        return tuple(_request_type(item, "") for item in items)
    except JsmRefused as error:
        if error.status not in NO_SUCH_CALL:
            raise
    types: list[RequestType] = []
    for desk in desks:
        path = f"/rest/servicedeskapi/servicedesk/{desk.id}/requesttype"
        types += (_request_type(item, desk.id) for item in each_item(client, path, needs=NEEDS))
        progress(len(types), False)
    progress(len(types), True)
    return tuple(types)


def _request_type(item: dict[str, Any], service_desk_id: str) -> RequestType:
    groups = item.get("groupIds")
    return RequestType(
        text_of(item["id"]),
        text_of(item.get("name")),
        text_of(item.get("serviceDeskId")) or service_desk_id,
        text_of(item.get("portalId")),
        tuple(text_of(group) for group in groups) if isinstance(groups, list) else (),
    )
