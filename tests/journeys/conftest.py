"""What journeys stand on beside the services: a site's native portals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from jsmsso.sandbox.jsm_site import SERVICE_ACCOUNT, LocalSite
from jsmsso.sandbox.local_jsm import LocalJsm


@pytest.fixture
def jsm(free_port: Callable[[], int]) -> Iterator[LocalJsm]:
    with LocalJsm(LocalSite(accounts=(replace(SERVICE_ACCOUNT, role="administrator"),)), free_port()) as site:
        yield site
