"""Calls to JSM that do not wait for one another, side by side."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar, overload

THREADS = 16  # of a worker, for the calls of all its pages
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")

_pool: list[ThreadPoolExecutor] = []


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
    are more of them than threads.
    """
    if not _pool:
        _pool.append(ThreadPoolExecutor(THREADS, thread_name_prefix="jsmsso-jsm"))
    futures: list[Future[Any]] = [_pool[0].submit(call) for call in calls[1:]]
    mine = [_made(calls[0])]  # this thread would only wait
    mine += [_made(call) if future.cancel() else future for call, future in zip(calls[1:], futures, strict=True)]
    wait(mine)
    return tuple(future.result() for future in mine)


def _made(call: Callable[[], Any]) -> Future[Any]:
    """What became of a call, made now."""
    made: Future[Any] = Future()
    try:
        made.set_result(call())
    except Exception as error:  # raised where its result is asked for
        made.set_exception(error)
    return made
