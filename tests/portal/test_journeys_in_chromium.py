"""Customers' ways through a hosted portal, from login to logout: Chromium, a certified provider, ``jsmsso serve``, the local JSM."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from jsmsso.sandbox.jsm_faults import Fault
from tests.portal.served_for_real import Customer, RealSite, served_for_real, sign_in
from tests.services.oidc_provider import OidcProvider

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

KEY = re.compile(r"/portal/HELP/(HELP-\d+)(#|$)")
NOTE = {"name": "note.txt", "mimeType": "text/plain", "buffer": b"It flickers, it flickers."}
PHOTO = {"name": "cable.txt", "mimeType": "text/plain", "buffer": b"Black, 1 m."}


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, oidc_provider: OidcProvider, chromium: Browser, free_port: Callable[[], int]
) -> Iterator[RealSite]:
    with served_for_real(tmp_path_factory.mktemp("real"), oidc_provider, chromium, free_port) as one:
        yield one


@pytest.fixture
def site(running: RealSite) -> Iterator[RealSite]:
    """The server is all tests', the browsers are the test's own."""
    yield running
    running.jsm.faults.clear()
    running.close_browsers()


def fill_in(page: Page, site: RealSite, summary: str, **more: Any) -> None:
    page.goto(site.form("Get IT help"))
    page.get_by_label("Summary").fill(summary)
    page.get_by_label("Description").fill(more.get("description", "Since this morning."))
    if "file" in more:
        page.get_by_label("Attachment").set_input_files(more["file"])


def send(page: Page) -> str:
    """Send the form; returns the new request's key."""
    page.get_by_role("button", name="Send request").click()
    page.wait_for_url(KEY)
    return page.url.partition("#")[0].rpartition("/")[2]


def answer(page: Page, text: str, file: Any = None) -> None:
    page.get_by_label("Your answer").fill(text)
    if file:
        page.locator("#files").set_input_files(file)
    page.get_by_role("button", name="Send", exact=True).click()
    page.locator(".timeline").get_by_text(text).wait_for()


def listed(page: Page, address: str = "/requests?state=all") -> list[str]:
    page.goto(address)
    return page.locator("td.what a").all_inner_texts()


def test_from_the_login_over_a_request_and_its_closing_to_the_logout(site: RealSite) -> None:
    ann = site.signed_in("Ann")
    page = ann.page
    page.get_by_role("link", name="Get IT help").click()
    page.get_by_label("Summary").fill("Monitor flickers")
    page.get_by_label("Description").fill("Every few minutes.")
    key = send(page)
    assert page.locator("h1").inner_text() == "Monitor flickers"
    page.get_by_role("link", name="My requests").first.click()
    page.get_by_role("link", name="Monitor flickers").click()  # at once, though JSM's search does not know it yet

    answer(page, "It is the left one.")
    answer(page, "This cable.", PHOTO)
    with page.expect_download() as download:
        page.get_by_role("link", name="cable.txt").click()
    assert download.value.path().read_bytes() == PHOTO["buffer"]
    page.locator("#more").set_input_files(NOTE)
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("link", name="note.txt").wait_for()

    page.get_by_role("button", name="Resolve this issue").click()
    page.locator(".mark", has_text="Resolved").wait_for()
    page.get_by_role("button", name="Close").click()
    page.locator(".mark", has_text="Closed").wait_for()
    assert listed(page, "/requests") == []
    assert listed(page, "/requests?state=closed") == ["Monitor flickers"]

    (issue,) = site.requests_of(ann)
    assert (issue.key, issue.status, issue.values["description"]) == (key, "Closed", "Every few minutes.")
    assert [comment.public for comment in issue.comments] == [True, True, True]
    assert sorted((file.filename, file.content) for file in issue.attachments) == sorted(
        (one["name"], one["buffer"]) for one in (NOTE, PHOTO)
    )

    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Yes, sign me out").click()
    page.wait_for_url("**/logged-out")
    page.goto(f"/portal/HELP/{key}")
    assert page.locator("input[name=password]").is_visible()


def test_without_a_script_a_request_is_raised_and_talked_about_all_the_same(site: RealSite) -> None:
    ann = site.signed_in("Ann", java_script_enabled=False)
    page = ann.page
    page.get_by_role("searchbox").fill("it help")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Get IT help").click()
    page.get_by_role("button", name="Send request").click()
    assert page.locator("#f-summary-wrong").inner_text() == "Please fill this in."
    page.get_by_label("Summary").fill("No script here")
    page.get_by_label("Attachment").set_input_files(NOTE)
    send(page)
    assert page.get_by_role("link", name="note.txt").is_visible()
    answer(page, "And a comment.", PHOTO)
    assert page.get_by_role("link", name="cable.txt").is_visible()
    page.get_by_role("button", name="Resolve this issue").click()
    assert page.locator(".mark").first.inner_text() == "Resolved"
    assert listed(page) == ["No script here"]
    (issue,) = site.requests_of(ann)
    assert sorted(file.filename for file in issue.attachments) == ["cable.txt", "note.txt"]


def test_of_two_customers_side_by_side_neither_meets_the_other_s_request(site: RealSite) -> None:
    ann, ben = site.signed_in("Ann", "Acme"), site.signed_in("Ben", "Globex")
    for one, secret in ((ann, "Anchovies"), (ben, "Beetroot")):
        fill_in(one.page, site, f"{secret} on my keyboard", file=NOTE)
    keys = {"ann": send(ann.page), "ben": send(ben.page)}
    answer(ann.page, "Anchovies everywhere", PHOTO)
    answer(ben.page, "Beetroot everywhere", PHOTO)
    site.jsm.site.requests.settle()

    of_ann, of_ben = ([link.get_attribute("href") for link in one.page.locator(".files a").all()] for one in (ann, ben))
    assert (len(of_ann), len(of_ben)) == (2, 2)
    for _ in range(2):  # either worker may answer
        _meets_nothing(ann, "Beetroot", keys["ben"], of_ben)
        _meets_nothing(ben, "Anchovies", keys["ann"], of_ann)
        assert listed(ann.page) == ["Anchovies on my keyboard"]
        assert listed(ben.page) == ["Beetroot on my keyboard"]
        assert {ann.context.request.get(address or "").status for address in of_ann} == {200}
    answer_of_ann = ann.page.goto(f"/portal/HELP/{keys['ann']}")
    assert answer_of_ann
    assert answer_of_ann.status == 200


def _meets_nothing(customer: Customer, word: str, key: str, files: list[str | None]) -> None:
    page = customer.page
    for query in ("state=all", "state=all&whose=organization", f"state=all&q={word}", f"state=all&whose=organization&q={word}"):
        page.goto(f"/requests?{query}")
        assert word not in page.locator("main").inner_text()
    page.goto("/portal/HELP")
    assert word not in page.content()
    page.goto("/requests")
    page.get_by_role("searchbox").fill(key)
    page.get_by_role("button", name="Search").click()
    assert page.locator("h1").inner_text() == "There is nothing here"
    for address in (key, f"{key}/updates", "HELP-99999", f"create/{key}", f"../HR/{key}", f"../../servicedesk/customer/portal/1/{key}"):
        said = page.goto(f"/portal/HELP/{address}")
        assert said
        assert said.status == 404, address
        assert word not in page.content()
    for address in files:
        said = customer.context.request.get(address or "")
        assert (said.status, b"flickers" in said.body(), b"Black" in said.body()) == (404, False, False)


def test_a_form_with_every_kind_of_field_is_filled_in_by_keyboard(site: RealSite) -> None:
    ann = site.signed_in("Ann")
    ben, eve = (site.jsm.add_customer(f"{name}.by.keyboard@acme.example", desks=("HELP",)) for name in ("ben", "eve"))
    page, keys = ann.page, ann.page.keyboard
    page.goto(site.form("Everything at once"))
    for name, typed in TYPED.items():
        tab_to(page, name)
        for one in typed:
            (keys.press if one in KEYS else keys.type)(one)
    with page.expect_file_chooser() as chooser:
        tab_to(page, "attachment")
        keys.press("Space")
    chooser.value.set_files(NOTE)  # type: ignore[arg-type]
    keys.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Send request"
    keys.press("Enter")

    page.wait_for_selector("#wrong")
    assert page.evaluate("document.activeElement.id") == "wrong"
    assert page.locator("#wrong a").all_inner_texts() == ["Number", "Colour", "Page"]
    assert beside(page, "customfield_10102") == "Please enter a number, such as 3 or 2.5."
    assert beside(page, "customfield_10105") == "Please fill this in."
    assert beside(page, "customfield_10113") == "Please enter a web address that begins with https:// or http://."
    correct(page, "customfield_10102", "2,5")
    correct(page, "customfield_10105", "Blue")
    correct(page, "customfield_10113", "https://acme.example/a?b=c#d")
    keys.press("Enter")
    page.locator("#wrong a", has_text="Manager").wait_for()  # who exists is asked once nothing else is wrong
    assert beside(page, "customfield_10110") == "A whole email address. Nobody with this address can be chosen here."
    correct(page, "customfield_10110", "Ben.By.Keyboard@acme.example")
    keys.press("Enter")
    page.wait_for_url(KEY)
    assert page.locator("h1").inner_text() == "By keyboard"

    (issue,) = site.requests_of(ann)
    people = issue.values.pop("customfield_10110"), *issue.values.pop("customfield_10111")
    assert [one["person"] for one in people] == [ben.id, eve.id, ben.id]
    assert issue.values == KEPT
    assert [(file.filename, file.content) for file in issue.attachments] == [("note.txt", NOTE["buffer"])]


KEYS = ("Tab", "Space", "ArrowDown", "ArrowRight")
TYPED: dict[str, tuple[str, ...]] = {
    "summary": ("By keyboard",),
    "description": ("Two lines,\nand *no* markup.",),
    "priority": ("Low",),
    "duedate": ("0303", "2027"),  # whether the day or the month comes first
    "labels": ("one two",),
    "components": ("Tab", "Space"),
    "customfield_10100": ("Short",),
    "customfield_10101": ("Long",),
    "customfield_10102": ("many",),
    "customfield_10103": ("0404", "2027"),
    "customfield_10104": ("0505", "2027", "ArrowRight", "0909", "A"),
    "customfield_10106": ("Space",),
    "customfield_10107": ("Berlin / Ware",),
    "customfield_10108": ("Tab", "Tab", "Space"),
    "customfield_10109": ("ArrowDown",),
    "customfield_10110": ("nobody@acme.example",),
    "customfield_10111": ("eve.by.keyboard@acme.example, ben.by.keyboard@acme.example",),
    "customfield_10112": ("tag",),
    "customfield_10113": ("no address",),
}
KEPT: dict[str, Any] = {
    "description": "Two lines,\nand \\*no\\* markup.",
    "priority": {"id": "4", "label": "Low"},
    "duedate": "2027-03-03",
    "labels": ["one", "two"],
    "components": [{"id": "10501", "label": "Network"}],
    "customfield_10100": "Short",
    "customfield_10101": "Long",
    "customfield_10102": 2.5,
    "customfield_10103": "2027-04-04",
    "customfield_10104": "2027-05-05T09:09:00.000+0200",
    "customfield_10105": {"id": "10302", "label": "Blue"},
    "customfield_10106": [{"id": "10300", "label": "Red"}, {"id": "10301", "label": "Green"}],
    "customfield_10107": {"id": "10400", "label": "Berlin", "child": {"id": "10402", "label": "Warehouse"}},
    "customfield_10108": [{"id": "10302", "label": "Blue"}],
    "customfield_10109": {"id": "10301", "label": "Green"},
    "customfield_10112": ["tag"],
    "customfield_10113": "https://acme.example/a?b=c#d",
    "customfield_10114": "portal",
}


def tab_to(page: Page, field: str) -> None:
    """Forwards with the tabulator until an input of this field has the focus."""
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == f"f-{field}":
            return
    raise AssertionError(f"the tabulator does not lead to {field}")


def correct(page: Page, field: str, typed: str) -> None:
    """From the link above the form to the field, and what stands there anew; the focus stays."""
    page.locator(f'#wrong a[href="#f-{field}"]').focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.name") == f"f-{field}"
    if page.evaluate("document.activeElement.tagName") == "INPUT":
        page.keyboard.press("Control+A")
    page.keyboard.type(typed)


def beside(page: Page, field: str) -> str:
    """What a screen reader says of an input that is wrong."""
    ids = page.locator(f'[name="f-{field}"][aria-invalid=true]').first.get_attribute("aria-describedby")
    return " ".join(page.locator(f"#{one}").inner_text() for one in (ids or "").split())


def test_two_clicks_that_both_arrive_raise_one_request(site: RealSite) -> None:
    ann = site.signed_in("Ann")
    page = ann.page
    site.jsm.break_with(Fault("slow", "/rest/servicedeskapi/request", method="POST", times=1, seconds=1.0))
    fill_in(page, site, "Sent twice at once")
    both = page.evaluate(SEND_TWICE)
    assert both[0] == both[1]
    assert len(site.requests_of(ann)) == 1

    fill_in(page, site, "Clicked twice")
    page.get_by_role("button", name="Send request").dblclick()
    page.wait_for_url(KEY)
    assert listed(page) == ["Clicked twice", "Sent twice at once"]


SEND_TWICE = """async () => {
  const form = document.querySelector("main form"), send = () => fetch(form.action, {method: "POST", body: new FormData(form)});
  return (await Promise.all([send(), send()])).map((answer) => answer.url);
}"""


def test_without_a_script_a_double_click_raises_one_request_too(site: RealSite) -> None:
    ann = site.signed_in("Ann", java_script_enabled=False)
    site.jsm.break_with(Fault("slow", "/rest/servicedeskapi/request", method="POST", times=1, seconds=1.0))
    fill_in(ann.page, site, "Clicked twice")
    ann.page.get_by_role("button", name="Send request").dblclick()
    ann.page.wait_for_url(KEY)
    assert [issue.summary for issue in site.requests_of(ann)] == ["Clicked twice"]


def test_the_back_button_leads_through_the_same_pages_and_sends_nothing_again(site: RealSite) -> None:
    ann = site.signed_in("Ann")
    page = ann.page
    fill_in(page, site, "Once is enough")
    key = send(page)
    answer(page, "More about it.")

    page.go_back()
    assert page.locator("h1").inner_text() == "Once is enough"
    page.get_by_role("button", name="Send", exact=True).click()  # what the browser has kept in it
    page.wait_for_url("**#comment-*")
    page.go_back()
    page.go_back()
    assert page.locator("h1").inner_text() == "Get IT help"
    assert page.get_by_label("Summary").input_value() == "Once is enough"
    page.get_by_role("button", name="Send request").click()
    page.wait_for_url(KEY)
    (issue,) = site.requests_of(ann)
    assert [comment.body.partition("\n\n")[2] for comment in issue.comments] == ["More about it."]

    assert listed(page) == ["Once is enough"]
    page.get_by_role("link", name="Once is enough").click()
    page.wait_for_url(f"**/{key}")
    page.go_back()
    assert page.locator("td.what a").all_inner_texts() == ["Once is enough"]


def test_a_form_with_errors_is_reloaded_without_a_question_and_has_what_was_typed(site: RealSite) -> None:
    page = site.signed_in("Ann").page
    fill_in(page, site, "", description="Not yet complete.", file=NOTE)
    page.get_by_role("button", name="Send request").click()
    page.locator("#wrong").wait_for()
    page.goto("/portal/HELP")
    page.go_back()
    assert page.get_by_label("Description").input_value() == "Not yet complete."
    assert page.locator("input[name=kept]").is_checked()
    page.reload()
    assert page.get_by_label("Description").input_value() == "Not yet complete."


def test_without_a_script_going_back_after_sending_sends_nothing(site: RealSite) -> None:
    ann = site.signed_in("Ann", java_script_enabled=False)
    fill_in(ann.page, site, "Once is enough")
    send(ann.page)
    ann.page.go_back()
    assert ann.page.locator("h1").inner_text() == "Get IT help"
    ann.page.go_forward()
    assert ann.page.locator("h1").inner_text() == "Once is enough"
    assert len(site.requests_of(ann)) == 1


def test_a_session_that_ends_in_the_middle_of_a_form_costs_nothing_and_shows_nobody_else_anything(site: RealSite) -> None:
    ann, ben = site.signed_in("Ann"), site.customer("Ben")
    page = ann.page
    fill_in(page, site, "Typed for an hour", description="Secret: swordfish.", file=NOTE)
    site.end_session(ann)
    ann.context.clear_cookies(domain="127.0.0.1")  # at the provider too
    page.get_by_role("button", name="Send request").click()
    sign_in(page, ben.account)
    page.get_by_label("Summary").wait_for()
    assert page.url.endswith(site.form("Get IT help"))
    assert page.locator("#f-summary, #f-description").evaluate_all("all => all.map(one => one.value)") == ["", ""]
    assert "swordfish" not in page.content()
    assert page.locator("input[name=kept]").count() == 0

    ann.context.clear_cookies()
    page.goto("/portal/HELP")
    page.fill("input[name=email]", ann.account.email)
    page.fill("input[name=password]", ann.account.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("link", name="Get IT help").click()
    assert "It was kept for you, and nothing was sent." in page.locator("main").inner_text()
    assert page.get_by_label("Summary").input_value() == "Typed for an hour"
    assert page.get_by_label("Description").input_value() == "Secret: swordfish."
    assert page.get_by_label("note.txt").is_checked()
    assert site.requests_of(ann) == []
    send(page)
    (issue,) = site.requests_of(ann)
    assert (issue.summary, [file.content for file in issue.attachments]) == ("Typed for an hour", [NOTE["buffer"]])
    assert site.requests_of(ben) == []


def test_whoever_is_still_signed_in_at_the_provider_only_presses_send_once_more(site: RealSite) -> None:
    ann = site.signed_in("Ann")
    fill_in(ann.page, site, "Typed for an hour", file=NOTE)
    site.end_session(ann)
    ann.page.get_by_role("button", name="Send request").click()
    ann.page.get_by_text("It was kept for you, and nothing was sent.").wait_for()
    assert site.requests_of(ann) == []
    send(ann.page)
    (issue,) = site.requests_of(ann)
    assert [file.filename for file in issue.attachments] == ["note.txt"]
