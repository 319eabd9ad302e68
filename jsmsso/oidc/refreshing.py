"""A value that a provider publishes and a worker keeps: fetched once for all threads, refreshed behind their backs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from jsmsso.errors import ProviderFailed

T = TypeVar("T")

RETRY_SECONDS = 30.0  # between two attempts while a refresh fails and the old value serves


class Refreshed(Generic[T]):
    """``fetch`` returns a value and its lifetime in seconds; a value outlives that by ``stale_seconds`` while fetching fails.

    Callers wait only where there is no value at all. Of many that wait, one fetches, and all share what comes
    of it, be it an error.
    """

    def __init__(self, fetch: Callable[[], tuple[T, float]], *, stale_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._stale_seconds = stale_seconds
        self._lock = threading.Lock()
        self._value: T | None = None
        self._fresh_until = self._retry_at = float("-inf")
        self._attempts = 0
        self._failure: ProviderFailed | None = None

    def get(self) -> T:
        """The value. Raises what fetching raised where none is known, or the known one is too old."""
        value, now = self._value, self._clock()
        if value is None or now >= self._fresh_until + self._stale_seconds:
            return self.refetch(self._attempts)
        if now >= self._fresh_until and now >= self._retry_at and self._lock.acquire(blocking=False):
            self._retry_at = now + RETRY_SECONDS
            threading.Thread(target=self._refresh_behind, name="jsmsso-refresh", daemon=True).start()
        return value

    @property
    def known(self) -> T | None:
        """The value if there is one, without fetching and however old."""
        return self._value

    @property
    def attempts(self) -> int:
        """How often fetching was tried; hand it to :meth:`refetch` to share an attempt made since."""
        return self._attempts

    def refetch(self, seen: int) -> T:
        """The value fetched anew, unless another thread tried since ``seen``: then what that one got."""
        with self._lock:
            if self._attempts == seen:
                self._try()
            if self._failure is not None:
                raise self._failure
            assert self._value is not None
            return self._value

    def _refresh_behind(self) -> None:
        try:
            self._try()
        finally:
            self._lock.release()

    def _try(self) -> None:
        try:
            value, seconds = self._fetch()
        except ProviderFailed as error:
            self._failure = error
        else:
            self._value, self._fresh_until, self._failure = value, self._clock() + seconds, None
        finally:
            self._attempts += 1
