"""A site, a browser at it, and the provider that misbehaves on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.oidc.provider import Provider, running
from tests.runtime.site import Browser, Site


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as one:
        yield one


@pytest.fixture
def another_provider() -> Iterator[Provider]:
    with running() as another:
        yield another


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """``make_site(provider, another_provider, public_url=..., access=[...])``; the log is searched for secrets at the end."""
    made: list[Site] = []

    def make(*providers: Provider, public_url: str = "https://sso.acme.example", **changed: Any) -> Site:
        made.append(Site(tmp_path / f"site{len(made)}", list(providers), changed, public_url=public_url))
        return made[-1]

    yield make
    for site in made:
        site.close()


@pytest.fixture
def site(make_site: Callable[..., Site], provider: Provider) -> Site:
    return make_site(provider)


@pytest.fixture
def browser(site: Site) -> Browser:
    return Browser(site)
