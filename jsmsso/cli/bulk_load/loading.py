"""Many rows, a few at once: those that JSM is not ready for come again later, and a site that fails is left alone."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from jsmsso.cli.bulk_load.rows import Done, Row, RowFailed
from jsmsso.errors import AccountUnknown, CustomerRefused, JsmFailed, JsmRefused, JsmssoError, JsmUnreachable

AT_ONCE = 4
FAILURES = 10  # of JSM in a row, after which it is not called again: the rest would fail alike
MAKING_PAUSE = 5.0  # seconds until a row is tried again whose account JSM does not know yet (Atlassian: up to a minute)
MAKING_SECONDS = 300.0  # after which it has failed
UNREACHABLE_PAUSE = 15.0  # seconds until a row is tried again whose call brought no answer: an account may have been made all the same
UNREACHABLE_SECONDS = 120.0  # after which it has failed
BUSY_PAUSE = 30.0  # seconds for which a site is left alone that stays busy however long its calls waited
BUSY_PAUSES = 20  # in a row, after which it is given up
BUSY = frozenset((429, 503))


@dataclass(frozen=True, slots=True)
class Failed:
    """A row that was not done, and why."""

    row: Row
    reason: str
    message: str
    hint: str = ""


@dataclass(slots=True)
class Loaded:
    """What became of the rows. ``stopped`` says why the rest was not tried; empty where all were."""

    rows: int
    count: int = 0
    before: int = 0
    created: int = 0
    changes: list[Done] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    stopped: str = ""

    @property
    def not_tried(self) -> int:
        return self.rows - self.count - self.before - len(self.failed)


@dataclass(order=True, slots=True)
class _Try:
    """A row under way. ``due`` on the monotonic clock; ``since`` is its first try."""

    due: float
    number: int
    since: float
    row: Row = field(compare=False)


def load(
    rows: list[Row], act: Callable[[Row], Done], *, told: Callable[[Loaded], None], stop: threading.Event, keeps_changes: bool = False
) -> Loaded:
    """Do ``act`` for every row, at most four at once; ``told`` hears of each that is done with.

    What ``act`` raises of JSM and of the customer is the row's failure; anything else, such as a store that fails, is raised
    when what is under way has ended. ``stop`` is set then, and may be waited on wherever a row waits.
    """
    return _Loading(rows, act, told, stop, keeps_changes).run()


class _Loading:
    def __init__(
        self, rows: list[Row], act: Callable[[Row], Done], told: Callable[[Loaded], None], stop: threading.Event, keeps_changes: bool
    ) -> None:
        self._rows: Iterator[tuple[int, Row]] = enumerate(rows)
        self._act = act
        self._told = told
        self._stop = stop
        self._keeps_changes = keeps_changes
        self._loaded = Loaded(len(rows))
        self._later: list[_Try] = []
        self._running: dict[Future[Done], _Try] = {}
        self._quiet_until = 0.0
        self._busy = 0
        self._failures = 0

    def run(self) -> Loaded:
        with ThreadPoolExecutor(AT_ONCE, "jsmsso-load") as threads:
            try:
                while self._submit(threads) or self._later:
                    done, _ = wait(self._running, self._seconds_to_wait(), FIRST_COMPLETED)
                    if not self._running:
                        self._stop.wait(self._seconds_to_wait())
                    self._take(done)
            finally:
                self._stop.set()  # whoever waits for JSM in a thread goes on, and ends
        return self._loaded

    def _submit(self, threads: ThreadPoolExecutor) -> bool:
        """Start what may start; whether anything is under way."""
        while len(self._running) < AT_ONCE and (one := self._next()) is not None:
            self._running[threads.submit(self._act, one.row)] = one
        if self._loaded.stopped:
            self._later.clear()
        return bool(self._running)

    def _next(self) -> _Try | None:
        now = time.monotonic()
        if self._loaded.stopped or now < self._quiet_until:
            return None
        if self._later and self._later[0].due <= now:
            return heapq.heappop(self._later)
        number, row = next(self._rows, (0, None))
        return None if row is None else _Try(now, number, now, row)

    def _seconds_to_wait(self) -> float | None:
        """Until something may start again; None where only what is under way can make a change."""
        if not self._later or len(self._running) == AT_ONCE:
            return None
        return max(0.01, max(self._later[0].due, self._quiet_until) - time.monotonic())

    def _take(self, done: Iterable[Future[Done]]) -> None:
        for future in done:
            one = self._running.pop(future)
            try:
                self._done(future.result())
            except AccountUnknown as error:
                if time.monotonic() > one.since + MAKING_SECONDS:
                    self._failed(one.row, error, error.code)
                else:
                    self._again(one, MAKING_PAUSE)
            except (CustomerRefused, RowFailed) as error:
                self._failed(one.row, error, error.reason)
            except JsmRefused as error:
                if error.status in BUSY and self._busy < BUSY_PAUSES:
                    self._keep_quiet()
                    self._again(one, BUSY_PAUSE)
                else:
                    self._failed(one.row, error, f"jsm_{error.status}")
                    self._count_failure(error)
            except JsmUnreachable as error:
                if time.monotonic() > one.since + UNREACHABLE_SECONDS:
                    self._failed(one.row, error, error.code)
                else:
                    self._again(one, UNREACHABLE_PAUSE)
                self._count_failure(error)
            except JsmFailed as error:
                self._failed(one.row, error, error.code)
                self._count_failure(error)

    def _done(self, done: Done) -> None:
        loaded = self._loaded
        self._failures = self._busy = 0
        if done.before:
            loaded.before += 1
        else:
            loaded.count += 1
            loaded.created += done.created
            if self._keeps_changes and done.changes:
                loaded.changes.append(done)
        self._told(loaded)

    def _failed(self, row: Row, error: JsmssoError, reason: str) -> None:
        self._loaded.failed.append(Failed(row, reason, error.message, error.hint))
        self._told(self._loaded)

    def _count_failure(self, error: JsmFailed) -> None:
        self._failures += 1
        is_shut = isinstance(error, JsmRefused) and error.status == 401
        if (is_shut or self._failures >= FAILURES) and not self._loaded.stopped:
            self._loaded.stopped = (
                error.message if is_shut else f"JSM failed {self._failures} times in a row, the last time so: {error.message}"
            )

    def _again(self, one: _Try, seconds: float) -> None:
        heapq.heappush(self._later, _Try(time.monotonic() + seconds, one.number, one.since, one.row))

    def _keep_quiet(self) -> None:
        now = time.monotonic()
        if now >= self._quiet_until:
            self._busy += 1
            self._quiet_until = now + BUSY_PAUSE
