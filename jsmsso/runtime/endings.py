"""Sessions that ended before their time, known to every worker within a second."""

from __future__ import annotations

import threading
from collections.abc import Callable

from jsmsso.errors import StoreUnavailable
from jsmsso.runtime.sessions import Session
from jsmsso.store.interface import Store
from jsmsso.store.records import Ending

POLL_SECONDS = 1.0


class Endings:
    """What the store says of ended sessions, read at most once a second by whichever request comes first.

    A session is looked up by its own id, by the provider's ``sid``, by its subject, by its address, and among
    all sessions: five looks into a dictionary.
    """

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now
        self._lock = threading.Lock()
        self._number = 0
        self._read_at = float("-inf")
        self._ended: dict[tuple[str, str, str], Ending] = {}

    def has_ended(self, session: Session) -> bool:
        """Whether somebody ended this session. While the store does not answer, what was read before counts."""
        if self._now() >= self._read_at + POLL_SECONDS:
            self._read()
        if not self._ended:
            return False
        issuer = session.customer.issuer
        keys = (
            ("session", "", session.id),
            ("sid", issuer, session.sid),
            ("sub", issuer, session.customer.subject),
            ("email", "", session.customer.email),
            ("all", "", ""),
        )
        return any((ending := self._ended.get(key)) is not None and session.started <= ending.at for key in keys)

    def end(self, ending: Ending) -> None:
        """End sessions on every worker; here at once. Raises :class:`StoreUnavailable`."""
        self._store.end(ending, now=self._now())
        self._note(ending)

    def _read(self) -> None:
        if not self._lock.acquire(blocking=False):
            return  # another request reads already
        try:
            self._number, found = self._store.endings_after(self._number)
            for ending in found:
                self._note(ending)
            now = self._read_at = self._now()
            for key in [key for key, ending in self._ended.items() if ending.expires < now]:
                del self._ended[key]
        except StoreUnavailable:
            self._read_at = self._now()
        finally:
            self._lock.release()

    def _note(self, ending: Ending) -> None:
        key = (ending.kind, ending.issuer, ending.value)
        known = self._ended.get(key)
        if known is None or known.at < ending.at:
            self._ended[key] = ending
