"""Calls to JSM that do not wait for one another, side by side."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Any, TypeVar, overload

THREADS = 32  # of a worker, for the calls of all its pages
OF_ONE = 16  # of them for one customer: however many of their pages wait for a slow JSM, others' calls find a thread
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")

_pool: list[ThreadPoolExecutor] = []
_who: ContextVar[str] = ContextVar("who", default="")
_taken: Counter[str] = Counter()
_lock = threading.Lock()


@contextmanager
def for_customer(who: str) -> Iterator[None]:
    """Calls within are this customer's, also those that they make in turn."""
    token = _who.set(who)
    try:
        yield
    finally:
        _who.reset(token)


@overload
def together(a: Callable[[], A], b: Callable[[], B], /) -> tuple[A, B]: ...
@overload
def together(a: Callable[[], A], b: Callable[[], B], c: Callable[[], C], /) -> tuple[A, B, C]: ...
@overload
def together(a: Callable[[], A], b: Callable[[], B], c: Callable[[], C], d: Callable[[], D], /) -> tuple[A, B, C, D]: ...
@overload
def together(*calls: Callable[[], Any]) -> tuple[Any, ...]: ...
def together(*calls: Callable[[], Any]) -> tuple[Any, ...]:
    """What each of them returns. All are ended before the first error among them is raised.

    A call that no thread took up yet is made here: so calls within calls cannot wait for each other for ever when there
    are more of them than threads, or than one customer may have.
    """
    _open_pool()
    who = _who.get()
    futures = [_submitted(call, who) for call in calls[1:]]
    mine = [_made(calls[0])]  # this thread would only wait
    mine += [_made(call) if future is None or future.cancel() else future for call, future in zip(calls[1:], futures, strict=True)]
    wait(mine)
    return tuple(future.result() for future in mine)


def beside(call: Callable[[], None]) -> None:
    """Make a call that nobody waits for. What it raises is lost."""
    _open_pool()
    _pool[0].submit(call)


def _open_pool() -> None:
    if not _pool:
        _pool.append(ThreadPoolExecutor(THREADS, thread_name_prefix="jsmsso-jsm"))


def _submitted(call: Callable[[], Any], who: str) -> Future[Any] | None:
    """The call in a thread of its own; None where the customer has enough of them."""
    if not who:
        return _pool[0].submit(call)
    with _lock:
        if _taken[who] >= OF_ONE:
            return None
        _taken[who] += 1
    future = _pool[0].submit(copy_context().run, call)
    future.add_done_callback(partial(_free, who))
    return future


def _free(who: str, _: Future[Any]) -> None:
    with _lock:
        _taken[who] -= 1
        if not _taken[who]:
            del _taken[who]


def _made(call: Callable[[], Any]) -> Future[Any]:
    """What became of a call, made now."""
    made: Future[Any] = Future()
    try:
        made.set_result(call())
    except Exception as error:  # raised where its result is asked for
        made.set_exception(error)
    return made
