"""The statuses that a request has had, as customers are shown them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from jsmsso.jsm.answers import in_path, text_of
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.paging import each_item
from jsmsso.jsm.requests.reading import time_of
from jsmsso.jsm.site import Site

NEEDS = "Service project agent (role Service Desk Team of the project)"


@dataclass(frozen=True, slots=True)
class PastStatus:
    """A status, and the moment at which the request came into it."""

    name: str
    since: datetime


def status_history(client: JsmClient, site: Site, key: str) -> tuple[PastStatus, ...]:
    """All of them, oldest first, the one it has now at the end (Atlassian: ``GET .../request/<key>/status``)."""
    path = f"/rest/servicedeskapi/request/{in_path(key)}/status"
    items = each_item(client, path, identity=lambda item: f"{item.get('status')} {item.get('statusDate')}", needs=NEEDS)
    found = ((text_of(item.get("status")), time_of(item.get("statusDate"))) for item in items)
    return tuple(sorted((PastStatus(name, since) for name, since in found if name and since), key=lambda one: one.since))
