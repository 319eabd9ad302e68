"""The request types that are for everybody, where the site does not tell who may use the others."""

from __future__ import annotations

from jsmsso.jsm.answers import in_path, text_of
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.paging import each_item
from jsmsso.jsm.service_desks import NEEDS


def open_type_ids(client: JsmClient, desk_id: str) -> frozenset[str]:
    """Those without a restriction (``GET .../requesttype?restrictionStatus=OPEN``, Cloud and Data Center 5.5).

    A site that is older than the parameter has no restricted types either; what says of itself that it is restricted never counts.
    """
    path = f"/rest/servicedeskapi/servicedesk/{in_path(desk_id)}/requesttype"
    items = each_item(client, path, {"restrictionStatus": "OPEN"}, needs=NEEDS)
    return frozenset(text_of(item["id"]) for item in items if item.get("restrictionStatus") != "RESTRICTED")
