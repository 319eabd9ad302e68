"""A local JSM with requests, hosted portals over it, and two customers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import checked_jsm
from tests.oidc.provider import Provider, running
from tests.portal.hosted_site import SERVICE_ACCOUNT, HostedSite
from tests.runtime.site import Browser

MakeHosted = Callable[..., HostedSite]


@pytest.fixture(autouse=True)
def short_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever shares waits for whole steps; here short ones."""
    monkeypatch.setattr("jsmsso.portal.sharing.STEP_SECONDS", 0.01)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as one:
        yield one


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with checked_jsm(accounts=(SERVICE_ACCOUNT,)) as site:
        yield site


@pytest.fixture
def make_hosted(tmp_path: Path, provider: Provider, jsm: LocalJsm) -> Iterator[MakeHosted]:
    """``make_hosted(help={"sharing": "none"}, limits={...})``: keys of the portal HELP, and other keys of the profile."""
    made: list[HostedSite] = []

    def make(*, help: dict[str, Any] | None = None, jsm: LocalJsm = jsm, **changed: Any) -> HostedSite:  # noqa: A002 - the portal's key
        made.append(HostedSite(tmp_path / f"site{len(made)}", provider, jsm, help or {}, changed))
        return made[-1]

    yield make
    for one in made:
        one.site.close()


@pytest.fixture
def hosted(make_hosted: MakeHosted) -> HostedSite:
    return make_hosted()


@pytest.fixture
def ann(hosted: HostedSite) -> Browser:
    """Ann's browser."""
    return hosted.signed_in(hosted.ann)


@pytest.fixture
def ben(hosted: HostedSite) -> Browser:
    """Ben's browser."""
    return hosted.signed_in(hosted.ben)
