"""How often somebody may make us ask JSM: its limits are the whole site's, and one person must not use them up."""

from __future__ import annotations

import threading
from collections.abc import Callable

PAGES_A_MINUTE = 120  # of one customer, in one worker
MOST_REMEMBERED = 20_000


class Budget:
    """A bucket a name that refills steadily: for customers 120 pages at once, then two a second."""

    def __init__(self, now: Callable[[], float], a_minute: int = PAGES_A_MINUTE) -> None:
        self._now = now
        self._most = float(a_minute)
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}

    def left(self, who: str) -> float:
        """Which part of their bucket is there still, 0.0 to 1.0."""
        with self._lock:
            return self._filled(who, self._now()) / self._most if self._most else 0.0

    def takes(self, who: str) -> bool:
        """Whether one more page of theirs may ask JSM."""
        now = self._now()
        with self._lock:
            left = self._filled(who, now)
            if len(self._left) >= MOST_REMEMBERED:
                self._left.clear()
            self._left[who] = max(0.0, left - 1.0) if left >= 1.0 else left, now
            return left >= 1.0

    def _filled(self, who: str, now: float) -> float:
        left, at = self._left.get(who, (self._most, now))
        return min(self._most, left + (now - at) * self._most / 60)
