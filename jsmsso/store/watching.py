"""Whether the store answers, and how a worker spares its threads while it does not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from jsmsso.errors import StoreUnavailable

DOWN_AFTER_SECONDS = 10.0
TRY_EVERY_SECONDS = 1.0


class Watch:
    """Remembers since when calls of one sort fail; used by all threads of a process.

    After ten seconds without an answer the store is down for that sort of call: one call a second is tried,
    and all others fail at once instead of waiting for it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._since: float | None = None
        self._tried_at = float("-inf")
        self._error = StoreUnavailable("the store does not answer")

    @property
    def is_failing(self) -> bool:
        """Whether the last call failed."""
        return self._since is not None

    @property
    def is_down(self) -> bool:
        """Whether calls have failed for ten seconds, with none that worked."""
        since = self._since
        return since is not None and self._clock() >= since + DOWN_AFTER_SECONDS

    def begin(self) -> float:
        """Before a call: the time of its beginning. Raises :class:`StoreUnavailable` at once while it is another's turn to try."""
        now = self._clock()
        if self._since is None:
            return now
        with self._lock:
            if self._since is not None and now >= self._since + DOWN_AFTER_SECONDS:
                if now < self._tried_at + TRY_EVERY_SECONDS:
                    raise StoreUnavailable(self._error.message, self._error.hint)
                self._tried_at = now
        return now

    def worked(self) -> None:
        """The call was answered."""
        if self._since is not None:
            with self._lock:
                self._since = None

    def failed(self, began: float, error: StoreUnavailable) -> None:
        """The call that began at ``began`` was not answered."""
        with self._lock:
            self._error = error
            if self._since is None:
                self._since = began


class StoreHealth:
    """Reading and writing fail apart: of a full disk or a Redis that became a replica everything can still be read."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.reads = Watch(clock)
        self.writes = Watch(clock)

    @property
    def is_failing(self) -> bool:
        """Whether the last reading or the last writing failed."""
        return self.reads.is_failing or self.writes.is_failing

    @property
    def is_down(self) -> bool:
        """Whether reading or writing has failed for ten seconds."""
        return self.reads.is_down or self.writes.is_down
