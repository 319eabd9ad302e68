"""How many of a worker's threads one customer may hold at once, so that others find one however slow JSM is."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PAGES_AT_ONCE = 8  # of one customer, of a worker's sixteen threads
MORE_WAITING = 4  # of one customer's besides: four threads are always other customers'
TRANSFERS_AT_ONCE = 2  # of one customer: large files on their way in or out, each of which may take minutes,
ALL_TRANSFERS = 6  # and of all customers of a worker
PATIENCE_SECONDS = 1.0
FORGET_SECONDS = 5.0


class Crowded(Exception):
    """Somebody has as much under way already as they may."""


class Crowding:
    """Places by name of whoever takes them: ``most`` for each, ``everyone`` for all together, and ``waiting`` to wait in for a second.

    A browser asks for all pictures of a page at once, so these may wait in any number. Where a second was not enough a
    moment ago nothing of that customer's waits at all: all threads are held for a second then, and no longer.
    """

    def __init__(self, most: int, *, everyone: int = 0, waiting: int = 0, now: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._everyone = everyone
        self._may_wait = waiting
        self._now = now
        self._freed = threading.Condition()
        self._taken: Counter[str] = Counter()
        self._waiting: Counter[str] = Counter()
        self._waited_in_vain: dict[str, float] = {}

    @property
    def taken(self) -> int:
        """How many places are taken now."""
        with self._freed:
            return self._taken.total()

    @contextmanager
    def place(self, who: str, *, is_picture: bool = False) -> Iterator[None]:
        """Raises :class:`Crowded`."""
        self.take(who, is_picture=is_picture)
        try:
            yield
        finally:
            self.give_back(who)

    def take(self, who: str, *, is_picture: bool = False) -> None:
        """A place, until :meth:`give_back`. Raises :class:`Crowded`."""
        with self._freed:
            if not self._is_free(who):
                self._wait(who, is_picture)
            self._taken[who] += 1

    def give_back(self, who: str) -> None:
        """Somebody else may have it."""
        with self._freed:
            self._taken -= Counter((who,))
            self._freed.notify_all()

    def _is_free(self, who: str) -> bool:
        return self._taken[who] < self._most and (not self._everyone or self._taken.total() < self._everyone)

    def _wait(self, who: str, is_picture: bool) -> None:
        now = self._now()
        self._waited_in_vain = {one: at for one, at in self._waited_in_vain.items() if now < at + FORGET_SECONDS}
        if who in self._waited_in_vain or not self._may_wait or (self._waiting[who] >= self._may_wait and not is_picture):
            raise Crowded
        self._waiting[who] += 1
        try:
            if not self._freed.wait_for(lambda: self._is_free(who), PATIENCE_SECONDS):
                self._waited_in_vain[who] = now
                raise Crowded
        finally:
            self._waiting -= Counter((who,))
