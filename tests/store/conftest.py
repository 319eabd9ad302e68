"""The two stores, as one fixture: what is asked of one is asked of the other."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jsmsso.store.interface import Store
from jsmsso.store.opening import open_store


@pytest.fixture(params=["sqlite", "redis"])
def another(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """``another()`` opens the test's store once more, as another worker does."""
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path}/state/state.db"
    else:
        address = request.getfixturevalue("redis_server").url
    namespace = uuid.uuid4().hex
    opened: list[Store] = []

    def open_it() -> Store:
        opened.append(open_store(address, namespace=namespace))
        return opened[-1]

    yield open_it
    for store in opened:
        store.close()


@pytest.fixture
def store(another: Callable[[], Store]) -> Store:
    """An empty store."""
    return another()
