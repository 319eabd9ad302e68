"""How often one customer may make us ask JSM: its limits are the whole site's, and one person must not use them up."""

from __future__ import annotations

import threading
from collections.abc import Callable

PAGES_A_MINUTE = 120  # of one customer, in one worker
MOST_REMEMBERED = 20_000


class Budget:
    """A bucket a customer that refills steadily: 120 pages at once, then two a second."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}

    def takes(self, account_id: str) -> bool:
        """Whether one more page of this customer's may ask JSM."""
        now = self._now()
        with self._lock:
            left, at = self._left.get(account_id, (float(PAGES_A_MINUTE), now))
            left = min(float(PAGES_A_MINUTE), left + (now - at) * PAGES_A_MINUTE / 60)
            if len(self._left) >= MOST_REMEMBERED:
                self._left.clear()
            self._left[account_id] = max(0.0, left - 1.0) if left >= 1.0 else left, now
            return left >= 1.0
