"""Answers that are kept: given while they are young, asked for anew beside the page where that is allowed, and never for too long."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jsmsso.errors import JsmUnreachable
from jsmsso.portal.caching import Cache
from tests.runtime.site import Clock


class Asking:
    """Answers 1, 2, 3 and so on, or fails."""

    def __init__(self) -> None:
        self.count = 0
        self.fails = False

    def __call__(self) -> int:
        if self.fails:
            raise JsmUnreachable("down", "")
        self.count += 1
        return self.count


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_an_old_answer_is_given_once_more_while_one_call_asks_anew(clock: Clock) -> None:
    later: list[Callable[[], None]] = []
    ask, cache = Asking(), Cache[int](clock, max_age=10, max_stale=100, beside=later.append)
    assert cache.get("x", ask).value == 1
    clock.advance(10)
    assert [cache.get("x", ask).value for _ in range(3)] == [1, 1, 1]
    assert (len(later), ask.count) == (1, 1)
    later.pop()()
    assert cache.get("x", ask).value == 2
    assert not later


def test_where_asking_beside_fails_the_next_one_asks_again(clock: Clock) -> None:
    later: list[Callable[[], None]] = []
    ask, cache = Asking(), Cache[int](clock, max_age=10, max_stale=100, beside=later.append)
    cache.get("x", ask)
    clock.advance(10)
    ask.fails = True
    cache.get("x", ask)
    later.pop()()
    assert cache.get("x", ask).value == 1
    assert len(later) == 1


def test_an_answer_that_is_too_old_is_never_given(clock: Clock) -> None:
    ask, cache = Asking(), Cache[int](clock, max_age=10, max_stale=100, beside=lambda call: None)
    cache.get("x", ask)
    clock.advance(100)
    assert cache.get("x", ask).value == 2
    clock.advance(100)
    ask.fails = True
    with pytest.raises(JsmUnreachable):
        cache.get("x", ask)


def test_who_waits_for_an_answer_is_told_when_it_is_old(clock: Clock) -> None:
    ask, cache = Asking(), Cache[int](clock, max_age=10, max_stale=100)
    cache.get("x", ask)
    clock.advance(10)
    ask.fails = True
    assert (cache.get("x", ask).value, cache.get("x", ask).is_stale) == (1, True)
