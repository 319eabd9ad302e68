"""One pace for all processes that call a site, kept in the store."""

from __future__ import annotations

from collections.abc import Callable

from jsmsso.errors import StoreUnavailable
from jsmsso.jsm.calm import Calm
from jsmsso.store.interface import Store

POLL_SECONDS = 1.0


class SharedCalm(Calm):
    """A pause that JSM asked one process for holds all of them back; read from the store at most once a second."""

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        super().__init__()
        self._store = store
        self._now = now
        self._read_at = float("-inf")

    def until(self) -> float:
        """Seconds since the epoch. While the store does not answer, this process's own pauses count."""
        now = self._now()
        if now >= self._read_at + POLL_SECONDS:
            self._read_at = now
            try:
                super().note(self._store.paused_until("jsm"))
            except StoreUnavailable:
                pass
        return super().until()

    def note(self, until: float) -> None:
        """Nobody is to call before ``until``."""
        super().note(until)
        try:
            self._store.pause("jsm", until)
        except StoreUnavailable:
            pass
