"""One customer with many pages at once, a JSM that is slow, and everybody else; the second of two clicks."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from jsmsso.portal.crowding import MORE_WAITING, PAGES_AT_ONCE, PATIENCE_SECONDS, Crowded, Crowding
from jsmsso.runtime.serving import THREADS
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.portal.conftest import MakeHosted
from tests.portal.desks import acting, services_of
from tests.portal.hosted_site import HostedSite, form_at, send
from tests.portal.served_apart import Apart, served_apart, until
from tests.runtime.site import Browser

MANY = 30
HELD_SECONDS = 2.5  # less than a page waits for JSM


class Held:
    """Calls to the local JSM, with this method below this path, that wait until they are let go."""

    def __init__(self, jsm: LocalJsm, path: str, method: str = "GET", seconds: float = HELD_SECONDS) -> None:
        self._go_on = threading.Event()
        self._lock = threading.Lock()
        self._seconds = seconds
        self._path, self._method = path, method
        self.waiting = self.most = 0
        self._of = jsm.faults.of
        jsm.faults.of = self._called  # type: ignore[method-assign]

    def let_go(self) -> None:
        self._go_on.set()

    def _called(self, path: str, method: str = "GET") -> Fault | None:
        if path.startswith(self._path) and method == self._method:
            with self._lock:
                self.waiting += 1
                self.most = max(self.most, self.waiting)
            self._go_on.wait(self._seconds)
            with self._lock:
                self.waiting -= 1
        return self._of(path, method)


@pytest.fixture
def apart(hosted: HostedSite, free_port: Callable[[], int]) -> Iterator[Apart]:
    with served_apart(hosted, free_port()) as one:
        yield one


def test_thirty_pages_of_one_customer_at_a_slow_jsm_leave_threads_to_others(apart: Apart, jsm: LocalJsm) -> None:
    hosted = apart.hosted
    issue = hosted.request(hosted.ann)
    ann, ben = hosted.signed_in(hosted.ann), hosted.signed_in(hosted.ben)
    here = f"/portal/HELP/{issue.key}"
    assert [apart.status(ann, here), apart.status(ben, "/requests")] == [200, 200]
    held = Held(jsm, f"/rest/api/3/issue/{issue.key}")
    with ThreadPoolExecutor(MANY) as threads:
        pages = [threads.submit(apart.status, ann, here) for _ in range(MANY)]
        until(lambda: held.waiting == PAGES_AT_ONCE)
        assert apart.status(ben, "/requests") == 200
        until(lambda: sum(page.done() for page in pages) >= MANY - PAGES_AT_ONCE - MORE_WAITING)
        assert held.most == PAGES_AT_ONCE
        held.let_go()
        statuses = Counter(page.result() for page in pages)
    assert set(statuses) == {200, 429}
    assert statuses[200] >= PAGES_AT_ONCE
    assert statuses[429] >= MANY - PAGES_AT_ONCE - MORE_WAITING
    assert apart.status(ann, here) == 200


def test_what_is_refused_says_when_to_come_back_and_keeps_what_was_typed(hosted: HostedSite, jsm: LocalJsm) -> None:
    browser = hosted.signed_in(hosted.ann)
    place = jsm.site.desk("HELP")
    assert place is not None
    address = f"/portal/HELP/create/{place.types[0].id}"
    form = browser.get(address)
    pages = services_of(hosted.site.application).pages_at_once
    _, at = acting(hosted, hosted.ann)
    for _ in range(PAGES_AT_ONCE):
        pages.take(at.who)
    page = browser.get("/portal/HELP")
    assert (page.status, page.header("Retry-After"), page.title) == (429, "2", "That was a lot at once")
    assert send(browser, form, address, {"f-summary": "Kept for later"}).status == 429
    icon = browser.get(f"/portal/HELP/icon/{place.types[0].id}")
    assert (icon.status, icon.location.endswith("/request.svg")) == (302, True)
    for _ in range(PAGES_AT_ONCE):
        pages.give_back(at.who)
    assert "Kept for later" in browser.get(address).text
    assert not list(jsm.site.requests)


def test_pictures_of_one_page_all_wait_for_their_turn() -> None:
    places, at_once, most = Crowding(2, waiting=1), [0], [0]
    lock = threading.Lock()

    def picture(_: int) -> None:
        with places.place("ann", is_picture=True):
            with lock:
                at_once[0] += 1
                most[0] = max(most[0], at_once[0])
            with lock:
                at_once[0] -= 1

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(picture, range(40)))
    assert most[0] <= 2


def test_who_waited_in_vain_does_not_wait_again_for_a_while() -> None:
    now = [0.0]
    places = Crowding(1, waiting=1, now=lambda: now[0])
    places.take("ann")
    with pytest.raises(Crowded):
        places.take("ann", is_picture=True)
    waits = threading.Event()

    def ask() -> None:
        with pytest.raises(Crowded):
            places.take("ann", is_picture=True)
        waits.set()

    threading.Thread(target=ask).start()
    assert waits.wait(PATIENCE_SECONDS * 30)
    places.take("ben")
    places.give_back("ann")
    places.take("ann")
    now[0] = 6.0
    with pytest.raises(Crowded):
        places.take("ann")


def test_all_together_have_no_more_than_everyone_may() -> None:
    places = Crowding(2, everyone=3)
    for who in ("ann", "ann", "ben"):
        places.take(who)
    for who in ("ann", "ben", "eve"):
        with pytest.raises(Crowded):
            places.take(who)
    places.give_back("ann")
    places.take("eve")


def filled_form(hosted: HostedSite, jsm: LocalJsm) -> tuple[Browser, str, dict[str, str]]:
    browser = hosted.signed_in(hosted.ann)
    place = jsm.site.desk("HELP")
    assert place is not None
    address = f"/portal/HELP/create/{place.types[0].id}"
    return browser, address, form_at(browser.get(address), address) | {"f-summary": "Slow"}


@contextmanager
def clicked(held: Held, click: Callable[[], object]) -> Iterator[None]:
    """The first click has come as far as JSM, which does not answer yet; at the end it does."""
    thread = threading.Thread(target=click)
    thread.start()
    try:
        until(lambda: held.waiting)
        yield
    finally:
        held.let_go()
        thread.join()


def test_the_second_click_gets_a_page_that_looks_again_and_leads_to_the_request(hosted: HostedSite, jsm: LocalJsm) -> None:
    browser, address, fields = filled_form(hosted, jsm)
    first: list[int] = []
    with clicked(Held(jsm, "/rest/servicedeskapi/request", "POST", 8.0), lambda: first.append(browser.post(address, fields).status)):
        second = browser.post(address, fields)
        assert second.status == 303
        assert second.location == f"/portal/HELP/sending/{fields['once']}"
        page = browser.get(second.location)
        assert (page.status, page.title, page.header("Refresh")) == (200, "This is being sent", "3")
        assert page.link("Look for it") == "/requests"
    (issue,) = list(jsm.site.requests)
    assert browser.get(second.location).location == f"/portal/HELP/{issue.key}"
    assert first == [303]


def test_another_form_under_the_same_key_comes_back_as_it_was(hosted: HostedSite, jsm: LocalJsm) -> None:
    browser, address, fields = filled_form(hosted, jsm)
    with clicked(Held(jsm, "/rest/servicedeskapi/request", "POST", 8.0), lambda: browser.post(address, fields)):
        other = browser.post(address, fields | {"f-summary": "Another"})
        assert (other.status, "Another" in other.text) == (503, True)


def test_the_second_click_on_a_comment_leads_back_to_it(hosted: HostedSite, jsm: LocalJsm) -> None:
    issue, browser = hosted.request(hosted.ann), hosted.signed_in(hosted.ann)
    here = f"/portal/HELP/{issue.key}"
    fields = form_at(browser.get(here), f"{here}/comment") | {"text": "Any news?"}
    ben = hosted.signed_in(hosted.ben)
    with clicked(
        Held(jsm, f"/rest/servicedeskapi/request/{issue.key}/comment", "POST", 8.0), lambda: browser.post(f"{here}/comment", fields)
    ):
        second = browser.post(f"{here}/comment", fields)
        assert second.location == f"{here}/sending/{fields['once']}"
        assert browser.get(second.location).header("Refresh") == "3"
        assert ben.get(second.location).status == 404
    assert browser.get(second.location).location == f"{here}#comment-{issue.comments[0].id}"
    assert len(issue.comments) == 1


def test_what_a_key_came_to_is_told_to_its_customer_alone(make_hosted: MakeHosted, jsm: LocalJsm) -> None:
    hosted = make_hosted()
    browser, address, fields = filled_form(hosted, jsm)
    raised = browser.post(address, fields)
    sending = f"/portal/HELP/sending/{fields['once']}"
    assert browser.get(sending).location == raised.location
    assert hosted.signed_in(hosted.ben).get(sending).title == "Nothing was sent"


def test_after_an_answer_that_got_lost_the_page_says_that_nobody_knows(hosted: HostedSite, jsm: LocalJsm) -> None:
    browser, address, fields = filled_form(hosted, jsm)
    jsm.break_with(Fault("dropped", path="/rest/servicedeskapi/request", method="POST"))
    assert browser.post(address, fields).status == 503
    page = browser.get(f"/portal/HELP/sending/{fields['once']}")
    assert (page.title, page.all("Refresh")) == ("We cannot tell whether this arrived", [])
