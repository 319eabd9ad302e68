"""granian's server with a loop of ours around its workers: they come back however they die, and are replaced one by one.

granian's own loop ends the whole server when a worker dies within 5.5 seconds of its start, forgets the second of two
that die at once, and is deaf for seconds while it replaces workers (docs/decisions/009-a-loop-around-granian.md). What
is overridden here is private to granian: pyproject.toml keeps it to the minor release that the tests ran with.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from granian.server.mp import MPServer

LOOK_SECONDS = 1.0
LIVED_SECONDS = 5.0  # a worker that dies sooner never really started
MEMORY_SECONDS = 60.0  # a death counts so long for the next one's pause
LONGEST_PAUSE = 30.0  # between the deaths of a worker that dies again and again and its next start
START_SECONDS = 3.5  # how long a new worker may take before the old one goes (granian's own respawn_interval)
SETTLE_SECONDS = 0.3  # from a worker's last word of ours until it listens
STOP_SECONDS = 15.0  # what requests under way get
TOLD_SECONDS = 0.5  # whoever told a worker to stop may mean all of us (systemd, Ctrl-C), and we hear of it later


@dataclass(frozen=True, slots=True)
class Watching:
    """What the loop asks and tells.

    ``tick`` is called about once a second and says whether to reload; ``has_started`` whether the worker with that
    process id is as good as ready; ``died`` hears of a worker's number, exit code (negative: a signal) and the seconds
    until its next start; ``stopping`` that the end begins. ``forking`` is held while a worker is started. ``drain``:
    seconds between the signal to stop and the moment at which workers take no more connections.
    """

    tick: Callable[[], bool]
    has_started: Callable[[int], bool]
    died: Callable[[int, int, float], None]
    started: Callable[[], None] = lambda: None
    stopping: Callable[[], None] = lambda: None
    forking: AbstractContextManager[Any] = field(default_factory=nullcontext)
    drain: float = 0.0


class Supervisor(MPServer):
    """Call :meth:`watch` before ``serve``."""

    def watch(self, watching: Watching) -> None:
        """What to do beside serving."""
        self._watching = watching
        self._deaths: dict[int, list[float]] = {}
        self._due: dict[int, float] = {}
        self._leaving: list[tuple[Any, float]] = []
        self._has_lived = False
        self.never_started = False
        """Whether the end came because no worker lived."""

    @property
    def living(self) -> int:
        """Workers that run now."""
        return sum(worker.is_alive() for worker in self._workers)

    @property
    def _workers(self) -> list[Any]:
        return list(self.wrks)

    def _serve_loop(self, spawn_target: Any, target_loader: Any) -> None:
        self.reload_signal: bool
        watching = self._watching
        watching.started()
        while not self.never_started:
            self.main_loop_interrupt.wait(self._seconds_to_wait())
            self.main_loop_interrupt.clear()
            if self.interrupt_signal:
                break
            self._replace_dead(spawn_target, target_loader)
            self._see_off()
            wanted = watching.tick()
            if (wanted or self.reload_signal) and not self.interrupt_signal:
                self.reload_signal = False
                for hook in self.hooks_reload:
                    hook()
                self._replace_all(spawn_target, target_loader)
        watching.stopping()
        if not self.never_started:
            self._linger(watching.drain)
        self.wrks.extend(worker for worker, _ in self._leaving)
        self.interrupt_children.clear()

    def _seconds_to_wait(self) -> float:
        return min([LOOK_SECONDS, *(max(0.0, due - time.monotonic()) for due in self._due.values())])

    def _begin(self, number: int, spawn_target: Any, target_loader: Any) -> Any:
        worker: Any = self._spawn_worker(idx=number, target=spawn_target, callback_loader=target_loader)
        with self._watching.forking:
            worker.start()
        self.wrks[number] = worker
        return worker

    def _replace_dead(self, spawn_target: Any, target_loader: Any) -> None:
        now = time.monotonic()
        self.interrupt_children.clear()
        for number, worker in enumerate(self._workers):
            if worker.is_alive():
                self._has_lived = self._has_lived or now > worker.birth + LIVED_SECONDS
            elif number not in self._due:
                deaths = [*(at for at in self._deaths.get(number, ()) if at > now - MEMORY_SECONDS), now]
                code = worker.inner.exitcode or 0
                pause = min(2.0 ** (len(deaths) - 2), LONGEST_PAUSE) if len(deaths) > 1 else 0.0 if code else TOLD_SECONDS
                self._deaths[number], self._due[number] = deaths, now + pause
                self._watching.died(number + 1, code, pause)
        if not self._has_lived and sum(map(len, self._deaths.values())) >= 3 * self.workers:
            self.never_started = True
            return
        for number in [number for number, due in self._due.items() if due <= now]:
            del self._due[number]
            self._begin(number, spawn_target, target_loader)

    def _replace_all(self, spawn_target: Any, target_loader: Any) -> None:
        self._due.clear()
        for number, old in enumerate(self._workers):
            if self.interrupt_signal:
                return
            self._wait_for(self._begin(number, spawn_target, target_loader))
            old.terminate()
            self._leaving.append((old, time.monotonic() + STOP_SECONDS))
            self._see_off()

    def _wait_for(self, worker: Any) -> None:
        """Until a new worker is ready, so that there is always one; not longer than it takes to be asked to stop."""
        ends = time.monotonic() + START_SECONDS
        while time.monotonic() < ends and worker.is_alive() and not self.interrupt_signal:
            if self._watching.has_started(worker.inner.pid):
                ends = min(ends, time.monotonic() + SETTLE_SECONDS)
            time.sleep(0.05)

    def _see_off(self) -> None:
        """Of the workers that were told to go, kill those that took too long."""
        now = time.monotonic()
        for worker, deadline in self._leaving:
            if now > deadline and worker.is_alive():
                worker.kill()
        self._leaving = [(worker, deadline) for worker, deadline in self._leaving if worker.is_alive()]

    def _linger(self, seconds: float) -> None:
        """Let whoever balances the load see that we stop, before we do; a second signal ends it."""
        self.interrupt_signal = False
        ends = time.monotonic() + seconds
        while not self.interrupt_signal and self.living and (left := ends - time.monotonic()) > 0:
            self.main_loop_interrupt.wait(min(left, LOOK_SECONDS))
            self.main_loop_interrupt.clear()
        self.interrupt_signal = True
