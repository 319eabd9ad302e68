"""Calls side by side: quick, whole before an error is raised, and never waiting for each other for ever."""

from __future__ import annotations

import threading
import time

import pytest

from jsmsso.portal.parallel import OF_ONE, THREADS, for_customer, together


def test_calls_are_made_at_once() -> None:
    meeting = threading.Barrier(3, timeout=10)
    assert together(meeting.wait, meeting.wait, meeting.wait) is not None


def test_results_stand_in_the_order_of_the_calls() -> None:
    assert together(*(lambda n=n: n for n in range(40))) == tuple(range(40))


def test_all_are_ended_before_an_error_is_raised() -> None:
    ended = []

    def slow() -> None:
        time.sleep(0.2)
        ended.append(True)

    def fails() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        together(fails, slow)
    assert ended == [True]


def test_calls_within_calls_go_on_when_all_threads_are_taken() -> None:
    def inner() -> int:
        return sum(together(lambda: 1, lambda: 1))

    def outer() -> None:
        results.append(together(inner, *[inner] * THREADS))

    results: list[tuple[int, ...]] = []
    pages = [threading.Thread(target=outer, daemon=True) for _ in range(THREADS)]
    for page in pages:
        page.start()
    for page in pages:
        page.join(timeout=30)
    assert results == [(2,) * (THREADS + 1)] * THREADS


def test_one_customer_s_calls_leave_threads_to_others() -> None:
    go_on, lock, names = threading.Event(), threading.Lock(), set()

    def slow() -> None:
        with lock:
            names.add(threading.current_thread().name)
        go_on.wait(10)

    def page() -> None:
        with for_customer("ann"):
            together(*[slow] * 9)

    pages = [threading.Thread(target=page) for _ in range(8)]
    for one in pages:
        one.start()
    while len(names) < len(pages) + OF_ONE:
        time.sleep(0.01)
    meeting = threading.Barrier(THREADS - OF_ONE + 1, timeout=10)
    with for_customer("ben"):
        together(*[meeting.wait] * (THREADS - OF_ONE + 1))  # all at once, or never
    assert len(names) == len(pages) + OF_ONE
    go_on.set()
    for one in pages:
        one.join()
    with for_customer("ann"):
        assert together(*[lambda: 1] * 30) == (1,) * 30
