"""The request types of all service desks, for the portal ids that they carry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from jsmsso.jsm.answers import in_path, text_of
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


def each_request_type(client: JsmClient, progress: Progress = lambda count, done: None) -> Iterator[RequestType]:
    """Those of all desks in one paged call (Atlassian: ``GET /rest/servicedeskapi/requesttype``, experimental).

    Raises :class:`JsmRefused` with one of :data:`NO_SUCH_CALL` where the site has no such call.
    """
    items = each_item(client, "/rest/servicedeskapi/requesttype", needs=NEEDS, experimental=True, progress=progress)
    return (_request_type(item, "") for item in items)


def each_request_type_of(
    client: JsmClient, desks: Iterable[ServiceDesk], progress: Progress = lambda count, done: None
) -> Iterator[RequestType]:
    """The same desk by desk, for a site that has nothing better (``GET .../servicedesk/<id>/requesttype``)."""
    count = 0
    for desk in desks:
        for item in each_item(client, f"/rest/servicedeskapi/servicedesk/{in_path(desk.id)}/requesttype", needs=NEEDS):
            count += 1
            yield _request_type(item, desk.id)
        progress(count, False)
    progress(count, True)


def _request_type(item: dict[str, Any], service_desk_id: str) -> RequestType:
    groups = item.get("groupIds")
    return RequestType(
        text_of(item["id"]),
        text_of(item.get("name")),
        text_of(item.get("serviceDeskId")) or service_desk_id,
        text_of(item.get("portalId")),
        tuple(text_of(group) for group in groups) if isinstance(groups, list) else (),
    )
