"""Answers whose time tells nothing: they come after whole steps, whatever was done for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def in_whole_steps(
    seconds: float, clock: Callable[[], float] = time.monotonic, pause: Callable[[float], None] = time.sleep
) -> Iterator[None]:
    """What is done within lasts a multiple of ``seconds``, also where it fails."""
    began = clock()
    try:
        yield
    finally:
        pause(-(clock() - began) % seconds)
