"""Two lists fetched at the same time, for a site whose every page takes its time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

from jsmsso.jsm.paging import Progress

T = TypeVar("T")


@contextmanager
def beside(work: Callable[[Progress], T], progress: Progress) -> Iterator[Future[T]]:
    """``work`` in a thread of its own, which is given ``progress`` to call after each page.

    When the block is left ``work`` ends at its next page; nobody waits for it, not even the end of the process.
    """
    outcome: Future[T] = Future()
    left = threading.Event()

    def told(count: int, done: bool) -> None:
        if left.is_set():
            raise _Left
        progress(count, done)

    def run() -> None:
        try:
            outcome.set_result(work(told))
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=run, name="jsmsso-beside", daemon=True).start()
    try:
        yield outcome
    finally:
        left.set()


class _Left(Exception):
    """Nobody wants the result any more."""
