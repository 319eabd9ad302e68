"""What JSM said a moment ago, for as long as it may be believed, and for longer while JSM does not answer."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from jsmsso.errors import JsmFailed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cached(Generic[T]):
    """A value, and whether it is older than it should be, because JSM does not answer."""

    value: T
    is_stale: bool = False


class Cache(Generic[T]):
    """Values by key. What depends on who asks has the customer's account in its key: nothing is shared across customers by itself.

    ``max_age`` and ``max_stale`` are seconds: how long a value is given unasked, and how long when asking failed.
    ``beside`` makes a call later or in another thread: an older value is then given once more for as long as ``max_stale``
    allows, while it is asked for anew, so that nobody waits.
    """

    def __init__(
        self,
        now: Callable[[], float],
        *,
        max_age: float,
        max_stale: float = 3600.0,
        most: int = 2_000,
        beside: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self._now = now
        self._beside = beside
        self._renewing: set[Hashable] = set()
        self._max_age = max_age
        self._max_stale = max_stale
        self._most = most
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, tuple[T, float]] = OrderedDict()

    def get(self, key: Hashable, ask: Callable[[], T]) -> Cached[T]:
        """The value of ``key``; ``ask`` is called where it is not known or too old. Raises what ``ask`` raises where nothing is known."""
        with self._lock:
            known = self._values.get(key)
        if known is not None and self._now() < known[1] + self._max_age:
            return Cached(known[0])
        if known is not None and self._beside is not None and self._now() < known[1] + self._max_stale:
            self._renew(key, ask, self._beside)
            return Cached(known[0])
        try:
            value = ask()
        except JsmFailed:
            if known is None or self._now() >= known[1] + self._max_stale:
                raise
            return Cached(known[0], is_stale=True)
        return Cached(self.put(key, value))

    def put(self, key: Hashable, value: T) -> T:
        """What was asked in another way."""
        with self._lock:
            self._values[key] = value, self._now()
            self._values.move_to_end(key)
            while len(self._values) > self._most:
                self._values.popitem(last=False)
        return value

    def _renew(self, key: Hashable, ask: Callable[[], T], beside: Callable[[Callable[[], None]], None]) -> None:
        """Ask once, however many want it. Where that fails, the next one who wants it asks again."""
        with self._lock:
            if key in self._renewing:
                return
            self._renewing.add(key)

        def asked() -> None:
            try:
                self.put(key, ask())
            except JsmFailed:
                pass  # what is known is given for as long as it may be
            finally:
                with self._lock:
                    self._renewing.discard(key)

        try:
            beside(asked)
        except BaseException:
            with self._lock:
                self._renewing.discard(key)
            raise

    def forget(self, key: Hashable) -> None:
        """Ask again the next time."""
        with self._lock:
            self._values.pop(key, None)
