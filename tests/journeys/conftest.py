"""What journeys stand on beside the services: a site's native portals."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from jsmsso.sandbox.jsm_site import LocalSite
from jsmsso.sandbox.local_jsm import LocalJsm


@pytest.fixture
def jsm(free_port: Callable[[], int]) -> Iterator[LocalJsm]:
    with LocalJsm(LocalSite(), free_port()) as site:
        yield site
