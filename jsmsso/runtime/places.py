"""How many of a worker's threads may wait for somebody else at once, so that the others can always answer."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from jsmsso.errors import TooBusy

PATIENCE_SECONDS = 1.0


class Places:
    """A few places to wait in for a provider or JSM. Whoever finds none free for a second goes away."""

    def __init__(self, count: int) -> None:
        self._free = threading.BoundedSemaphore(count)

    @contextmanager
    def one(self, what: str, ends: float = math.inf) -> Iterator[None]:
        """Wait in a place, for ``what``; for one to be free until ``ends`` (of :func:`time.monotonic`). Raises :class:`TooBusy`."""
        if not self._free.acquire(timeout=min(PATIENCE_SECONDS, max(0.0, ends - time.monotonic()))):
            raise TooBusy(
                f"too many requests wait for {what} or another slow service already", "See which in the log; it passes by itself."
            )
        try:
            yield
        finally:
            self._free.release()
