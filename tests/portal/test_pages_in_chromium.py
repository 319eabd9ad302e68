"""The hosted pages in Chromium: what the script does, that nothing needs it, what axe finds, what a page weighs."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jsmsso.sandbox.jsm_articles import EXAMPLES
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_requests import LocalIssue
from tests.portal.hosted_site import HostedSite
from tests.portal.served_here import cookies_of, served, some_requests

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

AXE = Path(__file__).parents[1] / "services/node_modules/axe-core/axe.min.js"
MOST_BYTES = 60_000  # of a page with its assets, compressed
TOLD = re.compile(r"Failed to load resource: the server responded with a status of (400|403|404|50\d)")
WATCH_FOR_PROGRESS = """
new MutationObserver((all) => all.forEach((one) => one.addedNodes.forEach((node) => {
  if (node.tagName === "PROGRESS") sessionStorage.bar = node.getAttribute("aria-label");
}))).observe(document.body, {childList: true, subtree: true})
"""


@dataclass
class Stage:
    hosted: HostedSite
    issue: LocalIssue
    browser: Browser
    complaints: list[str]
    contexts: list[BrowserContext]

    def page(self, claims: dict[str, Any] | None = None, **options: Any) -> Page:
        """A tab of Ann's, who has just signed in; ``options`` are those of a browser's context."""
        context = self.browser.new_context(base_url=self.hosted.site.public_url, **options)
        self.contexts.append(context)
        context.add_cookies(cookies_of(self.hosted.signed_in(self.hosted.ann, **(claims or {"zoneinfo": "Europe/Berlin"}))))  # type: ignore[arg-type]
        page = context.new_page()
        page.on("console", lambda message: self.complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    @property
    def addresses(self) -> dict[str, str]:
        """Every kind of page, by its name."""
        return {
            "home": "/portal/HELP",
            "search": "/portal/HELP/search?q=monitor",
            "nothing found": "/portal/HELP/search?q=nothing+of+the+kind",
            "requests": "/requests?state=all",
            "no requests": "/requests?q=nothing",
            "a form": "/portal/HELP/create/103",
            "a request": f"/portal/HELP/{self.issue.key}",
            "portals": "/",
            "not found": "/portal/HELP/HELP-99999",
        }


@pytest.fixture
def stage(tmp_path: Path, free_port: Callable[[], int], chromium: Browser) -> Iterator[Stage]:
    portal = {"knowledge_base": "all_customers", "sharing": "typed_addresses", "customer_transitions": ["Resolve this issue"]}
    with served(tmp_path, free_port(), help=portal) as hosted:
        hosted.jsm.site.articles = list(EXAMPLES)
        stage = Stage(hosted, some_requests(hosted), chromium, [], [])
        yield stage
        for context in stage.contexts:
            context.close()
    assert [text for text in stage.complaints if not TOLD.search(text)] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_has_no_serious_finding_on_any_page(stage: Stage, scheme: Any) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: scripts/install-services")
    page = stage.page(color_scheme=scheme, bypass_csp=True)  # axe is put in as a script of the page
    found = {name: _findings(page, address) for name, address in stage.addresses.items()}
    page.goto("/portal/HELP/create/103")
    page.get_by_role("button", name="Send request").click()
    page.wait_for_selector("#wrong")
    found["a form with errors"] = _axe(page)
    page.context.clear_cookies()
    found["sign-in"] = _findings(page, "/")
    assert {name: one for name, one in found.items() if one} == {}


def _findings(page: Page, address: str) -> list[str]:
    page.goto(address)
    return _axe(page)


def _axe(page: Page) -> list[str]:
    page.evaluate(AXE.read_text())
    told = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:200]} {one['nodes'][0]['failureSummary']}"
        for one in told["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def test_a_page_with_its_assets_is_small_and_asks_nobody_else(stage: Stage) -> None:
    page = stage.page()
    for address in stage.addresses.values():
        bodies: list[bytes] = []
        others: list[str] = []

        def weigh(response: Any, bodies: list[bytes] = bodies, others: list[str] = others) -> None:
            bodies.append(gzip.compress(response.body()))
            if not response.url.startswith(stage.hosted.site.public_url):
                others.append(response.url)

        page.on("response", weigh)
        page.goto(address, wait_until="networkidle")
        page.remove_listener("response", weigh)
        assert bodies
        assert sum(map(len, bodies)) < MOST_BYTES, address
        assert others == []


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_page_is_wider_than_the_screen(stage: Stage, width: int) -> None:
    page = stage.page(viewport={"width": width, "height": 800})
    for name, address in stage.addresses.items():
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name


def test_search_as_you_type_looks_through_the_page_itself(stage: Stage) -> None:
    page = stage.page()
    page.goto("/portal/HELP", wait_until="networkidle")
    before = len(stage.hosted.jsm.seen)
    page.get_by_role("searchbox").press_sequentially("lap")
    assert page.locator("h3:visible").all_inner_texts() == ["New laptop"]
    assert page.locator("#found").inner_text() == "Found: 1"
    page.get_by_role("searchbox").fill("zzz")
    assert page.locator("#found").inner_text() == "Nothing here has these words."
    page.get_by_role("searchbox").fill("")
    assert page.locator("h3:visible").count() == 5
    assert not any("knowledgebase" not in call.path for call in stage.hosted.calls_since(before))


def test_answers_come_while_the_words_are_typed(stage: Stage) -> None:
    page = stage.page()
    page.goto("/portal/HELP")
    page.get_by_role("searchbox").press_sequentially("monitor")
    page.get_by_role("link", name="A monitor that flickers").click()
    assert page.locator("h1").inner_text() == "A monitor that flickers"
    assert "Most often it is the cable." in page.content()


def test_everything_works_without_a_script(stage: Stage) -> None:
    page = stage.page(java_script_enabled=False)
    page.goto("/portal/HELP")
    page.get_by_role("searchbox").fill("laptop")
    page.get_by_role("button", name="Search").click()
    assert page.locator("main section h3").all_inner_texts() == ["New laptop"]
    page.get_by_role("link", name="New laptop").click()
    page.get_by_label("Summary").fill("A laptop for Ann")
    page.get_by_label("Needed by").fill("2027-03-01")
    page.get_by_role("button", name="Send request").click()
    assert page.locator("h1").inner_text() == "A laptop for Ann"
    page.get_by_label("Your answer").fill("The large one, please.")
    page.get_by_role("button", name="Send", exact=True).click()
    assert page.get_by_text("The large one, please.").is_visible()
    page.get_by_role("link", name="My requests").first.click()
    assert page.get_by_role("link", name="A laptop for Ann").is_visible()


def test_a_double_click_sends_a_form_once(stage: Stage) -> None:
    page = stage.page()
    page.goto("/portal/HELP/create/103")
    page.get_by_label("Summary").fill("Clicked twice")
    page.get_by_label("Needed by").fill("2027-03-01")
    page.get_by_role("button", name="Send request").dblclick()
    page.wait_for_url(re.compile(r"/HELP-\d+"))
    assert [issue.summary for issue in stage.hosted.jsm.site.requests].count("Clicked twice") == 1


def test_files_go_up_with_their_progress_and_the_page_that_follows_is_shown(stage: Stage) -> None:
    page = stage.page()
    page.goto(f"/portal/HELP/{stage.issue.key}")
    page.evaluate(WATCH_FOR_PROGRESS)
    page.get_by_label("Your answer").fill("Here is a picture.")
    page.locator("#files").set_input_files({"name": "screen.txt", "mimeType": "text/plain", "buffer": b"x" * 300_000})
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_text("screen.txt").wait_for()
    assert page.evaluate("sessionStorage.bar") == "Sending"
    assert page.get_by_text("Here is a picture.").is_visible()
    assert page.locator("progress").count() == 0


def test_a_form_with_files_and_errors_keeps_the_page_and_goes_to_the_errors(stage: Stage) -> None:
    page = stage.page()
    page.goto("/portal/HELP/create/103")
    page.get_by_label("Attachment").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"x"})
    page.get_by_role("button", name="Send request").click()
    page.wait_for_selector("#wrong")
    assert page.evaluate("document.activeElement.id") == "wrong"
    page.locator("#wrong a").first.click()
    assert page.evaluate("document.activeElement.getAttribute('aria-invalid')") == "true"


def test_a_new_comment_appears_by_itself_and_an_internal_one_never(stage: Stage) -> None:
    page = stage.page()
    page.clock.install()
    page.goto(f"/portal/HELP/{stage.issue.key}")
    requests, agent = stage.hosted.jsm.site.requests, stage.hosted.agent
    requests.add_comment(stage.issue, agent, "Secretly", public=False, html="<p>Secretly</p>")
    requests.add_comment(stage.issue, agent, "Any news?", html="<p>Any news?</p>")
    page.clock.run_for(21_000)
    page.get_by_text("Any news?").wait_for()
    page.clock.run_for(21_000)
    assert page.get_by_text("Any news?").count() == 1
    assert "Secretly" not in page.content()


def test_times_are_the_browsers_where_nobody_told_us_the_zone(stage: Stage) -> None:
    page = stage.page(claims={"zoneinfo": None}, timezone_id="Asia/Tokyo")
    page.goto(f"/portal/HELP/{stage.issue.key}")
    assert page.locator("time").first.inner_text() == "13 Jan 2027, 16:00 GMT+9"
    assert page.locator("[data-zone]").inner_text() == "Asia/Tokyo"
    page = stage.page(claims={"zoneinfo": "America/New_York"}, timezone_id="Asia/Tokyo")
    page.goto(f"/portal/HELP/{stage.issue.key}")
    assert page.locator("time").first.inner_text() == "13 Jan 2027, 02:00 EST"


def test_a_keyboard_reaches_the_content_first_and_every_control_shows_where_it_is(stage: Stage) -> None:
    page = stage.page()
    page.goto("/portal/HELP")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    for _ in range(12):
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        page.keyboard.press("Tab")


def test_the_page_speaks_the_browsers_language(stage: Stage) -> None:
    page = stage.page(locale="de-AT")
    page.goto("/requests?state=all")
    assert page.locator("html").get_attribute("lang") == "de"
    assert page.locator("h1").inner_text() == "Meine Anfragen"
    stage.hosted.jsm.break_with(Fault("status", "/rest/", status=503))
    page.reload()
    assert "Jira antwortet gerade nicht. Was Sie hier sehen, ist von 09:00." in page.locator("main").inner_text()
    page.goto("/portal/NOPE")
    assert page.locator("h1").inner_text() == "Hier ist nichts"
