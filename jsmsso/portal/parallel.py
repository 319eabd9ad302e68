"""Calls to JSM that do not wait for one another, side by side."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
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
    """What each of them returns. All are ended before the first error among them is raised."""
    if not _pool:
        _pool.append(ThreadPoolExecutor(THREADS, thread_name_prefix="jsmsso-jsm"))
    first, *others = calls
    futures = [_pool[0].submit(call) for call in others]
    try:
        result = first()  # this thread would only wait
    finally:
        wait(futures)
    return result, *(future.result() for future in futures)
