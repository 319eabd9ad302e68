"""Requests that a customer made or changed a moment ago: JSM's search may not know of them yet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jsmsso.errors import StoreUnavailable
from jsmsso.portal.acting import Acting
from jsmsso.portal.shared_records import change

if TYPE_CHECKING:
    from jsmsso.portal.services import Services

KIND = "recent"
RECENT_SECONDS = 600.0  # Atlassian names no number; its search lags by seconds
MOST = 50  # ids that one search takes (Atlassian: POST /rest/api/3/search/jql, reconcileIssues)


class Recent:
    """In the store, so that every worker knows. Without the store a new request is in the list a little later."""

    def __init__(self, services: Services) -> None:
        self._store = services.deployment.store
        self._now = services.deployment.now

    def add(self, acting: Acting, issue_id: str) -> None:
        """Remember an issue that this customer wrote."""
        if not issue_id.isdecimal():
            return
        now = self._now()

        def added(old: bytes | None) -> bytes:
            kept = [one for one in _read(old, now) if one[0] != int(issue_id)]
            return json.dumps([*kept, (int(issue_id), now)][-MOST:]).encode()

        try:
            change(self._store, KIND, acting.account_id, added, now=now, expires=now + RECENT_SECONDS, owner=acting.customer.email)
        except StoreUnavailable:
            pass

    def ids(self, account_id: str) -> tuple[int, ...]:
        """The issues that this customer wrote in the last ten minutes, at most 50, the newest last."""
        now = self._now()
        try:
            return tuple(issue_id for issue_id, _ in _read(self._store.get(KIND, account_id, now=now), now))
        except StoreUnavailable:
            return ()


def _read(value: bytes | None, now: float) -> list[tuple[int, float]]:
    return [(issue_id, at) for issue_id, at in json.loads(value) if at > now - RECENT_SECONDS] if value is not None else []
