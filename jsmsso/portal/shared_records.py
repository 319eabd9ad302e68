"""Small records of the store that all workers change at once."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from jsmsso.store.interface import Store

ATTEMPTS = 40  # of a change that others are quicker than
PAUSE = 0.01  # seconds between them
LEASE_SECONDS = 5.0  # for the first writing of a record


def change(
    store: Store, kind: str, key: str, make: Callable[[bytes | None], bytes | None], *, now: float, expires: float, owner: str = ""
) -> None:
    """Put what ``make`` makes of the value that stands there; None leaves it alone. No change of another worker gets lost.

    ``make`` may be called several times, the last time with what is replaced. Where everybody is quicker all the time,
    nothing is changed in the end. Raises :class:`StoreUnavailable`.
    """
    token = secrets.token_hex(8)
    for _ in range(ATTEMPTS):
        old = store.get(kind, key, now=now)
        new = make(old)
        if new is None:
            return
        if old is not None:
            if store.replace(kind, key, old, new, expires=expires):
                return
        elif store.lease(kind, key, token, now=now, until=now + LEASE_SECONDS):
            try:
                if store.get(kind, key, now=now) is None:
                    store.put(kind, key, new, expires=expires, owner=owner)
                    return
            finally:
                store.free(kind, key, token)
        time.sleep(PAUSE)
