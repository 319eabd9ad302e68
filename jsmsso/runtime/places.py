"""How many of a worker's threads may wait for somebody else at once, so that the others can always answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from jsmsso.errors import TooBusy

PATIENCE_SECONDS = 1.0


class Places:
    """A few places to wait in for a provider or JSM. Whoever finds none free for a second goes away."""

    def __init__(self, count: int) -> None:
        self._free = threading.BoundedSemaphore(count)

    @contextmanager
    def one(self, what: str) -> Iterator[None]:
        """Wait in a place, for ``what``. Raises :class:`TooBusy`."""
        if not self._free.acquire(timeout=PATIENCE_SECONDS):
            raise TooBusy(
                f"too many requests wait for {what} or another slow service already", "See which in the log; it passes by itself."
            )
        try:
            yield
        finally:
            self._free.release()
