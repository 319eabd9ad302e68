"""Customers in Chromium while JSM is slow, down or busy, and one who has five thousand requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_people import LocalPerson
from tests.portal.hosted_site import HostedSite
from tests.portal.served_here import cookies_of, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

MANY = 5_000
FORM = "/portal/HELP/create/100"
TROUBLE = [
    pytest.param(Fault("slow", seconds=15.0), id="slow"),
    pytest.param(Fault("status", status=503), id="down"),
    pytest.param(Fault("busy", seconds=30.0), id="429"),
]
NO_ANSWER = "Jira does not answer just now."


@dataclass
class Stage:
    hosted: HostedSite
    browser: Browser
    _contexts: list[BrowserContext] = field(default_factory=list)

    def tab(self, person: LocalPerson) -> Page:
        """A tab of somebody who has just signed in, some minutes after whatever was before."""
        clock = self.hosted.site.clock
        clock.advance(600)
        self.hosted.provider.claims |= {"iat": int(clock()), "exp": int(clock()) + 300}
        context = self.browser.new_context(base_url=self.hosted.site.public_url, locale="en-GB")
        self._contexts.append(context)
        context.add_cookies(cookies_of(self.hosted.signed_in(person, zoneinfo="Europe/Berlin")))  # type: ignore[arg-type]
        return context.new_page()

    def close(self) -> None:
        self.hosted.jsm.faults.clear()
        for context in self._contexts:
            context.close()
        self._contexts.clear()


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]) -> Iterator[HostedSite]:
    with served(tmp_path_factory.mktemp("busy"), free_port()) as one:
        yield one


@pytest.fixture
def stage(hosted: HostedSite, chromium: Browser) -> Iterator[Stage]:
    """The site is all tests', the browsers are the test's own."""
    one = Stage(hosted, chromium)
    yield one
    one.close()


@pytest.fixture(scope="module")
def many(hosted: HostedSite) -> LocalPerson:
    """A customer with thousands of requests; of the last ones every fourth is resolved."""
    person = hosted.customer("many@acme.example", "Mo Many", "Many")
    hosted.jsm.add_requests(MANY, person)
    return person


@pytest.mark.parametrize("trouble", TROUBLE)
def test_while_jsm_is_in_trouble_pages_show_what_is_known_and_what_was_typed_is_kept(
    stage: Stage, trouble: Fault, request: pytest.FixtureRequest
) -> None:
    jsm, name = stage.hosted.jsm, re.sub(r"\W", "", request.node.callspec.id)
    ben = stage.hosted.customer(f"{name}@globex.example", f"Ben {name}")
    stage.hosted.request(ben, "Monitor flickers")
    writing, looking = stage.tab(ben), stage.tab(ben)
    for address in (FORM, "/portal/HELP", "/requests?state=all"):
        looking.goto(address)
    writing.goto(FORM)
    writing.get_by_label("Summary").fill("My laptop was stolen")
    writing.get_by_label("Description").fill("On the train to Lyon.")

    stage.hosted.site.clock.advance(301)  # types of requests are fresh for five minutes
    jsm.break_with(trouble)
    looking.goto("/requests?state=all")
    assert f"{NO_ANSWER} What you see here is from " in text(looking)
    assert looking.locator("td.what").all_inner_texts() == ["Monitor flickers"]
    looking.goto("/portal/HELP")
    assert f"{NO_ANSWER} What you see here may be some minutes old." in text(looking)
    assert f"{NO_ANSWER} This list is from " in text(looking)
    looking.get_by_role("link", name="Get IT help").click()
    looking.get_by_text(f"{NO_ANSWER} You can fill in the form all the same: nothing you type gets lost.").wait_for()

    writing.get_by_role("button", name="Send request").click()
    writing.get_by_text("Nothing was sent: Jira does not answer just now.").wait_for()
    assert writing.get_by_label("Summary").input_value() == "My laptop was stolen"
    assert writing.get_by_label("Description").input_value() == "On the train to Lyon."

    jsm.faults.clear()
    stage.hosted.site.clock.advance(30)  # after 429 nobody asks JSM before the time that it named
    writing.get_by_role("button", name="Send request").click()
    writing.wait_for_url("**/HELP-*")
    assert [one.summary for one in jsm.site.requests if one.reporter_id == ben.id] == ["Monitor flickers", "My laptop was stolen"]
    looking.goto("/requests?state=all")
    assert NO_ANSWER not in text(looking)
    assert len(looking.locator("td.what").all()) == 2


def test_an_answer_that_jsm_does_not_take_stays_on_the_page(stage: Stage) -> None:
    issue = stage.hosted.request(stage.hosted.ben, "Monitor flickers")
    page = stage.tab(stage.hosted.ben)
    page.goto(f"/portal/HELP/{issue.key}")
    page.get_by_label("Your answer").fill("It is the left one.")
    for path in (f"/rest/servicedeskapi/request/{issue.key}/comment", "/rest/"):
        stage.hosted.jsm.break_with(Fault("busy", path, seconds=30.0))
        page.get_by_role("button", name="Send", exact=True).click()
        page.get_by_text("Everything you typed is still here.").wait_for()
        assert page.get_by_label("Your answer").input_value() == "It is the left one."
        assert "Monitor" not in page.content()
        stage.hosted.site.clock.advance(60)
    stage.hosted.jsm.faults.clear()
    page.get_by_role("button", name="Send", exact=True).click()
    page.locator(".timeline").get_by_text("It is the left one.").wait_for()
    assert len(issue.comments) == 1


def text(page: Page) -> str:
    return page.locator("main").inner_text()


def numbers(page: Page) -> list[int]:
    """Those that the requests of a list have in their names, from its top."""
    return [int(found) for one in page.locator("td.what").all_inner_texts() for found in re.findall(r"\((\d+)\)", one)]


def go(page: Page, link: str) -> list[int]:
    page.get_by_role("link", name=link, exact=True).click()
    return numbers(page)


def test_five_thousand_requests_are_turned_over_page_by_page(stage: Stage, many: LocalPerson) -> None:
    page = stage.tab(many)
    page.goto("/requests?state=all")
    assert numbers(page) == [*range(5000, 4980, -1)]
    assert page.get_by_role("link", name="Newer").count() == 0
    assert go(page, "Older") == [*range(4980, 4960, -1)]
    assert go(page, "Older") == [*range(4960, 4940, -1)]
    page.get_by_role("link", name="(4950)").click()
    page.locator("h1", has_text="(4950)").wait_for()
    page.go_back()
    assert numbers(page) == [*range(4960, 4940, -1)]
    assert go(page, "Newer") == [*range(4980, 4960, -1)]
    assert go(page, "Older") == [*range(4960, 4940, -1)]
    assert go(page, "To the newest") == [*range(5000, 4980, -1)]
    assert go(page, "Closed") == [*range(5000, 4920, -4)]
    assert go(page, "Older") == [*range(4920, 4840, -4)]
    assert go(page, "Open")[:4] == [4999, 4998, 4997, 4995]
    assert page.get_by_role("link", name="Newer").count() == 0


def test_five_thousand_requests_are_searched(stage: Stage, many: LocalPerson) -> None:
    page = stage.tab(many)
    page.goto("/requests?state=all")
    search = page.get_by_role("searchbox")
    search.fill("mail arrive")
    search.press("Enter")
    page.wait_for_url("**q=mail+arrive")
    assert numbers(page) == [*range(4996, 4876, -6)]
    assert go(page, "Older") == [*range(4876, 4756, -6)]
    assert page.get_by_role("searchbox").input_value() == "mail arrive"
    assert go(page, "Closed") == [*range(4996, 4756, -12)]
    page.get_by_role("searchbox").fill("help-43")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**/portal/HELP/HELP-43")
    page.goto("/requests?q=nothing+like+it")
    assert "No request here has these words." in text(page)
    other = stage.tab(stage.hosted.ann)
    other.goto("/requests?state=all&q=mail")
    assert "No request here has these words." in text(other)
