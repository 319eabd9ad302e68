"""A provider that says what a test wants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.providers.played import Answer, Said, playing

Play = Callable[..., str]


@pytest.fixture
def play(free_port: Callable[[], int]) -> Iterator[Play]:
    """``play({"/path": Said(...)})`` or ``play(answer)`` serves until the test ends and returns the base address; 404 elsewhere."""
    with ExitStack() as stack:

        def start(answers: dict[str, Said] | Answer) -> str:
            def answer(method: str, target: str, headers: object, body: bytes) -> Said:
                assert isinstance(answers, dict)
                return answers.get(target.partition("?")[0], Said(404, "<h1>Not found</h1>", "text/html"))

            return stack.enter_context(playing(answer if isinstance(answers, dict) else answers, free_port()))

        yield start
