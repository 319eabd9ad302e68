"""The site's organizations by name, read whole and kept for a while: no call of JSM's finds one by its name."""

from __future__ import annotations

import threading
from collections.abc import Callable

from jsmsso.errors import JsmUnreachable
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.organizations import all_organizations

MAX_AGE = 600.0  # seconds
LEAST_AGE = 60.0  # seconds before a name that is not there is looked for again


class OrganizationIds:
    """Shared by a worker's threads."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._ids: dict[str, str] = {}
        self._read_at = float("-inf")

    def of(self, name: str, client: JsmClient) -> str | None:
        """The id of the organization of exactly this name. Raises JSM's errors.

        One thread reads the list, and the others wait for it as long as their own ``client`` may take: somebody who logs in
        does not wait for what the queue, which has more time, reads of a slow site.
        """
        left = client.seconds_left
        if not self._lock.acquire(timeout=-1 if left is None else left):
            raise JsmUnreachable("JSM took too long: its organizations are still being read", "It is slow now; try again later.")
        try:
            age = self._now() - self._read_at
            if age > MAX_AGE or (name not in self._ids and age > LEAST_AGE):
                found: dict[str, str] = {}
                for one in all_organizations(client):
                    found.setdefault(one.name, one.id)
                self._ids, self._read_at = found, self._now()
            return self._ids.get(name)
        finally:
            self._lock.release()

    def learn(self, name: str, organization_id: str) -> None:
        """One that was just made."""
        self._ids[name] = organization_id  # without the lock, which may be held for long; a list read meanwhile counts as well
