"""The runtime's way to JSM: clients made once a worker, and one pace for all workers where the site is busy."""

from __future__ import annotations

import threading
from collections.abc import Callable

from jsmsso.http_client import HttpClient
from jsmsso.jsm.client import Patience
from jsmsso.jsm.connection import clients_of, recognize_within
from jsmsso.jsm.customers.recording import Connection
from jsmsso.jsm.customers.shared_calm import SharedCalm
from jsmsso.jsm.site import Site
from jsmsso.profile.model import Jsm
from jsmsso.store.interface import Store


def connecting(
    jsm: Jsm, token: str, admin_token: str, http: HttpClient, store: Store, now: Callable[[], float]
) -> Callable[[float], Connection]:
    """What gives the site for so many seconds. The site is asked once what kind it is; until it answers, each call asks."""
    lock = threading.Lock()
    known: list[Site] = []
    client, admin = clients_of(jsm, token, admin_token, http, patience=Patience(now=now), calm=SharedCalm(store, now))

    def connect(seconds: float) -> Connection:
        hurried = client.within(seconds)
        hurried_admin = hurried if admin is client else admin.within(seconds)
        if not known:
            site = recognize_within(hurried)
            with lock:
                known[:] = [site]
        return Connection(hurried, hurried_admin, known[0])

    return connect
