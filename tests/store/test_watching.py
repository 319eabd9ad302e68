"""While the store does not answer, threads must not pile up before it."""

from __future__ import annotations

import pytest

from jsmsso.errors import StoreUnavailable
from jsmsso.store.watching import StoreHealth, Watch

ERROR = StoreUnavailable("no route", "See the network.")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(clock: Clock) -> Watch:
    return Watch(clock)


def fail(watch: Watch) -> None:
    watch.failed(watch.begin(), ERROR)


def test_it_is_down_after_ten_seconds_without_an_answer(watch: Watch, clock: Clock) -> None:
    fail(watch)
    assert (watch.is_failing, watch.is_down) == (True, False)
    clock.now += 9.9
    fail(watch)
    assert not watch.is_down
    clock.now += 0.1
    assert watch.is_down


def test_a_call_that_took_long_counts_from_its_beginning(watch: Watch, clock: Clock) -> None:
    began = watch.begin()
    clock.now += 10
    watch.failed(began, ERROR)

    assert watch.is_down


def test_one_answer_is_enough(watch: Watch, clock: Clock) -> None:
    fail(watch)
    clock.now += 60
    watch.begin()
    watch.worked()

    assert not watch.is_failing
    assert not watch.is_down
    fail(watch)
    clock.now += 9
    assert not watch.is_down


def test_every_call_is_tried_until_it_is_down(watch: Watch, clock: Clock) -> None:
    for _ in range(20):
        fail(watch)
        clock.now += 0.49


def test_one_call_a_second_is_tried_while_it_is_down(watch: Watch, clock: Clock) -> None:
    fail(watch)
    clock.now += 10
    fail(watch)
    for _ in range(9):
        clock.now += 0.1
        with pytest.raises(StoreUnavailable, match="no route") as caught:
            watch.begin()
    assert caught.value.hint == "See the network."
    clock.now += 0.11
    fail(watch)
    with pytest.raises(StoreUnavailable):
        watch.begin()


def test_reading_and_writing_are_down_apart(clock: Clock) -> None:
    health = StoreHealth(clock)
    fail(health.writes)
    clock.now += 10
    health.reads.begin()
    health.reads.worked()

    assert health.is_down
    assert not health.reads.is_down
    health.writes.worked()
    assert not health.is_down
