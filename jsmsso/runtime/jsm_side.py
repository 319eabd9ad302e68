"""The runtime's way to JSM: clients made once a worker, and one pace for all workers where the site is busy."""

from __future__ import annotations

import threading
from collections.abc import Callable

from jsmsso.errors import StoreUnavailable
from jsmsso.http_client import HttpClient
from jsmsso.jsm.calm import Calm
from jsmsso.jsm.client import Patience
from jsmsso.jsm.connection import clients_of, recognize_within
from jsmsso.jsm.customers.recording import Connection
from jsmsso.jsm.site import Site
from jsmsso.profile.model import Jsm
from jsmsso.store.interface import Store

POLL_SECONDS = 1.0


class SharedCalm(Calm):
    """A pause that JSM asked one worker for holds all of them back; read from the store at most once a second."""

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        super().__init__()
        self._store = store
        self._now = now
        self._read_at = float("-inf")

    def until(self) -> float:
        """Seconds since the epoch. While the store does not answer, this worker's own pauses count."""
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


def connecting(
    jsm: Jsm, token: str, admin_token: str, http: HttpClient, store: Store, now: Callable[[], float]
) -> Callable[[float], Connection]:
    """What gives the site for so many seconds. The site is asked once what kind it is; until it answers, each call asks."""
    lock = threading.Lock()
    known: list[Site] = []
    client, admin = clients_of(jsm, token, admin_token, http, patience=Patience(now=now), calm=SharedCalm(store, now))

    def connect(seconds: float) -> Connection:
        hurried = client.within(seconds)
        if not known:
            site = recognize_within(hurried)
            with lock:
                known[:] = [site]
        return Connection(hurried, hurried if admin is client else admin.within(seconds), known[0])

    return connect
