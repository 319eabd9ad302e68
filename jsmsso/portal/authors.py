"""Whose words the service account's comments are."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from jsmsso.errors import StoreUnavailable
from jsmsso.jsm.requests.comments import comment_authors
from jsmsso.portal.acting import Acting

if TYPE_CHECKING:
    from jsmsso.portal.services import Services

MOST = 50_000  # comments that a worker remembers the author of
UNKNOWN_SECONDS = 60.0  # until a comment without an author is asked about again


class Authors:
    """The property that was written with a comment never changes, so that JSM is asked once."""

    def __init__(self, services: Services) -> None:
        self._store = services.deployment.store
        self._now = services.deployment.now
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def of(self, acting: Acting, comment_ids: Iterable[str]) -> dict[str, str]:
        """Comment id -> account id, for those of these comments of ours that have an author. Raises JSM's errors."""
        wanted = list(comment_ids)
        now = self._now()
        with self._lock:
            known = {one: self._known[one] for one in wanted if one in self._known}
        missing = [one for one in wanted if one not in known or (not known[one][0] and now > known[one][1] + UNKNOWN_SECONDS)]
        found = comment_authors(acting.to.client, acting.to.site, missing) if missing else {}
        for comment_id in missing:
            self.learn(comment_id, found.get(comment_id, ""))
        return {one: author for one in wanted if (author := found.get(one) or known.get(one, ("", 0.0))[0])}

    def learn(self, comment_id: str, account_id: str) -> None:
        """Remember the author of a comment."""
        with self._lock:
            self._known[comment_id] = account_id, self._now()
            while len(self._known) > MOST:
                self._known.popitem(last=False)

    def name(self, account_id: str) -> str:
        """What somebody is called who has signed in here; empty where that is not known."""
        try:
            return next((one.display_name for one in self._store.accounts_of_id(account_id) if one.display_name), "")
        except StoreUnavailable:
            return ""
