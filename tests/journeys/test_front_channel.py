"""A provider's page frames our address in the browser that signs out there: the session ends here, and no other page may frame anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from jsmsso.sandbox.local_jsm import LocalJsm
from tests.journeys.served import Served, serve, write_profile
from tests.journeys.signed_in import is_over_within, keep_secret, site_of, statuses
from tests.oidc.provider import CLIENT_ID, CLIENT_SECRET, Provider, Reply, running
from tests.services.children import Children
from tests.services.home import Home

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.conformance

HTML = {"Content-Type": "text/html; charset=utf-8"}
BLOCKED = "chrome-error://chromewebdata/"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as one:
        now = int(time.time())
        one.claims |= {"sid": "the session at the provider", "iat": now, "exp": now + 300}
        yield one


@pytest.fixture
def served(start: Children, jsmsso_home: Home, provider: Provider, jsm: LocalJsm, free_port: Callable[[], int]) -> Served:
    """Two workers, which share nothing but the store."""
    url = f"http://localhost:{free_port()}"
    entry: dict[str, Any] = {"type": "oidc", "issuer": provider.issuer, "client_id": CLIENT_ID, "scopes": ["openid", "email"]}
    entry["client_secret"] = keep_secret(jsmsso_home, "client", CLIENT_SECRET)
    write_profile(jsmsso_home, {"public_url": url, "providers": {"acme": entry}, **site_of(jsm, jsmsso_home)})
    return serve(start, jsmsso_home, url, "--workers", "2")


def frame_in(page: Page, host: Provider, address: str) -> str:
    """Open a page of ``host`` that frames ``address``, in another tab; returns where the browser says that the frame is."""
    host.replies["/signed-out"] = Reply(body=f'<!DOCTYPE html><iframe src="{address}"></iframe>'.replace("&", "&amp;"), headers=HTML)
    tab = page.context.new_page()
    tab.goto(f"{host.address}/signed-out")
    (frame,) = (one for one in tab.frames if one is not tab.main_frame)
    frame.wait_for_load_state()
    return frame.url


def address_for(served: Served, provider: Provider) -> str:
    return f"{served.url}/frontchannel-logout/acme?{urlencode({'iss': provider.issuer, 'sid': provider.claims['sid']})}"


def test_a_frame_in_the_provider_s_page_ends_the_session_on_both_workers(served: Served, provider: Provider, page: Page) -> None:
    page.goto(f"{served.url}/portal/HR")
    assert statuses(served, page.context) == {200}
    address = address_for(served, provider)
    assert frame_in(page, provider, address) == address, "shown, as it may be"
    assert is_over_within(2, served, page.context)
    assert [line["provider"] for line in served.log if line["event"] == "logout.frontchannel"] == ["acme"]


def test_a_browser_shows_it_in_no_other_page_and_no_other_page_of_ours_in_the_provider_s(
    served: Served, provider: Provider, page: Page
) -> None:
    page.goto(f"{served.url}/portal/HR")
    with running() as stranger:
        assert frame_in(page, stranger, f"{served.url}/frontchannel-logout/acme?iss=x&sid=y") == BLOCKED
    for path in ("/", "/portal/HR", "/logout", "/login"):
        assert frame_in(page, provider, f"{served.url}{path}") == BLOCKED, path
    assert statuses(served, page.context) == {200}
