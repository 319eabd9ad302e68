"""A real Chromium at a real server, led by published open redirects: it goes to us, to the provider or to a portal, and nowhere else."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Error

from tests.hardening.conftest import Server
from tests.hardening.open_redirects import PUBLISHED
from tests.runtime.site import NATIVE

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Request

SOME = [texts[place] for texts in PUBLISHED.values() for place in (len(texts) // 3, -1)]
HOSTS = {urlsplit(NATIVE).hostname, "localhost", "127.0.0.1"}


@pytest.fixture
def watched(browser_context: BrowserContext, server: Server) -> Callable[[str], str]:
    """Opens an address of the server; gives the path at which the browser ends up, and fails when it asked any other host."""
    now = int(time.time())
    server.provider.claims |= {"iat": now, "exp": now + 600, "auth_time": now}
    page: Page = browser_context.new_page()
    asked: list[str] = []
    opened: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)
        if request.is_navigation_request():  # the page before may still ask for its pictures
            opened.append(request.url)

    page.on("request", note)
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))

    def go(address: str) -> str:
        asked.clear()
        opened.clear()
        try:
            page.goto(f"http://localhost:{server.port}{address}", wait_until="commit")
        except Error:
            assert opened[-1].startswith(NATIVE), "a portal that is not there"
        assert {urlsplit(url).hostname for url in asked} <= HOSTS, (address, asked)
        return opened[-1]

    return go


def test_a_login_that_is_told_to_lead_elsewhere_leads_home(watched: Callable[[str], str], server: Server) -> None:
    for text in SOME:
        assert watched(f"/login?provider=a&return_to={quote(text, safe='')}") == f"http://localhost:{server.port}/", text


def test_no_path_leads_elsewhere_signed_in_or_not(watched: Callable[[str], str], server: Server, browser_context: BrowserContext) -> None:
    for signed_in in (False, True):
        if signed_in:
            watched("/login?provider=a")
        for text in SOME:
            if text.isprintable():
                watched("/" + text)
        assert bool([one for one in browser_context.cookies() if one.get("name") == "jsmsso"]) == signed_in
    assert watched("/portal/HELP") == f"{NATIVE}/3"
