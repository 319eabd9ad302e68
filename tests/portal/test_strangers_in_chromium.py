"""A public portal in Chromium: a stranger looks around, and logs in where it is needed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jsmsso.sandbox.jsm_articles import EXAMPLES
from tests.portal.hosted_site import HostedSite
from tests.portal.served_here import served
from tests.portal.test_pages_in_chromium import AXE, TOLD, _axe

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PUBLIC = {"visibility": "public", "knowledge_base": "all_customers"}


@pytest.fixture
def hosted(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[HostedSite]:
    with served(tmp_path, free_port(), help=PUBLIC) as hosted:
        hosted.jsm.site.articles = list(EXAMPLES)
        hosted.provider.claims |= {"sub": "sub-ann", "email": hosted.ann.email, "name": "Ann Lee", "zoneinfo": "Europe/Berlin"}
        hosted.provider.userinfo["sub"] = "sub-ann"
        yield hosted


@pytest.fixture
def page(hosted: HostedSite, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(base_url=hosted.site.public_url, bypass_csp=False)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert [text for text in complaints if not TOLD.search(text)] == []


def test_a_stranger_looks_around_and_logs_in_for_a_form(hosted: HostedSite, page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="IT help").click()
    assert page.locator("h1").inner_text() == "IT help"
    page.get_by_role("searchbox").fill("monitor")
    page.get_by_role("searchbox").press("Enter")
    page.wait_for_url(re.compile(r"/search\?q=monitor$"))
    article = page.get_by_role("link", name="A monitor that flickers")
    for _ in range(10):
        if article.count():
            break
        page.reload()  # articles that come too late are left out
    article.click()
    assert page.locator("h1").inner_text() == "A monitor that flickers"
    page.go_back()
    assert page.get_by_role("link", name="Sign in").is_visible()
    page.goto("/portal/HELP")
    page.get_by_role("link", name="New laptop").click()
    page.wait_for_url(re.compile(r"/portal/HELP/create/103$"))
    page.get_by_label("Summary").fill("A laptop for Ann")
    page.get_by_label("Needed by").fill("2027-03-01")
    page.get_by_role("button", name="Send request").click()
    page.wait_for_url(re.compile(r"/HELP-\d+"))
    (issue,) = hosted.jsm.site.requests
    assert issue.reporter_id == hosted.ann.id


def test_the_back_button_shows_no_page_of_before_the_login_nor_of_after_the_logout(hosted: HostedSite, page: Page) -> None:
    page.goto("/portal/HELP")
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()
    assert page.get_by_text(hosted.ann.email).is_visible()
    page.get_by_role("link", name="My requests").click()
    page.go_back()
    assert page.get_by_text(hosted.ann.email).is_visible()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(lambda url: not url.startswith(f"{hosted.site.public_url}/portal"))
    page.go_back()
    page.get_by_role("link", name="Sign in").wait_for()
    assert hosted.ann.email not in page.content()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_has_no_serious_finding_on_pages_for_strangers(hosted: HostedSite, chromium: Browser, scheme: object) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: scripts/install-services")
    context = chromium.new_context(base_url=hosted.site.public_url, bypass_csp=True, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    found = {}
    for address in ("/", "/portal/HELP", "/portal/HELP/search?q=monitor"):
        page.goto(address)
        found[address] = _axe(page)
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto("/portal/HELP")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.get_by_role("link", name="Sign in").is_visible()
    context.close()
    assert {name: one for name, one in found.items() if one} == {}
