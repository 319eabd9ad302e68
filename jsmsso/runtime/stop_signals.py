"""SIGTERM and SIGINT on their way to a worker, so that none is lost and a worker asked to stop does.

Left to Python and granian, about one stop in twenty of a worker that has just started went unheard: a handler runs only
when the main thread runs Python, and that thread may be on its way to sleep. Here a thread of its own waits for them.
"""

from __future__ import annotations

import os
import signal
import threading
import time

STOPPING = (signal.SIGTERM, signal.SIGINT)
LOOK_SECONDS = 0.05


def keep_across_forks() -> None:
    """For the parent: what comes while a worker is forked is kept for it, since Python forgets, in a child, what had come."""
    os.register_at_fork(before=_hold, after_in_parent=_let_through, after_in_child=_forget)


def hear() -> None:
    """For a worker, before any other thread: hold the signals back from all, and tell granian of the first that comes.

    Only of the first: granian's worker waits for ever, with the interpreter locked, when it is told three times.
    """
    _hold()
    threading.Thread(target=_wait, name="jsmsso-signals", daemon=True).start()


def _wait() -> None:
    number = signal.sigwait(STOPPING)
    while not callable(handler := signal.getsignal(number)) or handler is signal.default_int_handler:
        time.sleep(LOOK_SECONDS)  # granian sets its own once the application has been made
    handler(number, None)


def _hold() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)


def _let_through() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)


def _forget() -> None:
    """A worker inherits the parent's handlers, and would be deaf until it has its own."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_DFL)
    _let_through()
