"""While JSM cannot be asked: what this customer was shown of this request in this session a moment ago, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jsmsso.errors import StoreUnavailable
from jsmsso.portal.shown import LARGEST, NO_PLACES, NO_SECONDS, PLACES, SHOWN_SECONDS
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_requests import LocalIssue
from jsmsso.sandbox.local_jsm import LocalJsm
from jsmsso.store.records import Ending
from tests.portal.conftest import MakeHosted
from tests.portal.desks import acting, services_of
from tests.portal.hosted_site import HostedSite, at, conversation, form_at, send, send_files
from tests.runtime.site import Answer, Browser

DOWN = Fault("status", status=503)
BUSY = Fault("busy", seconds=120)  # not asked again, so that no page waits
SAID = "it may have changed since"
SECRET = "the left screen goes black"


@pytest.fixture
def issue(hosted: HostedSite) -> LocalIssue:
    issue = hosted.request(hosted.ann, "Monitor flickers", description=SECRET)
    hosted.jsm.site.requests.add_comment(issue, hosted.agent, "Another cable?")
    return issue


def is_from_memory(page: Answer) -> bool:
    return page.status == 200 and SAID in page.text


def records(hosted: HostedSite) -> int:
    return hosted.site.deployment.store.count("shown", now=hosted.site.clock())


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(DOWN, id="down"),
        pytest.param(Fault("status", status=500), id="500"),
        pytest.param(Fault("busy", seconds=120), id="429"),
        pytest.param(Fault("dropped"), id="no answer"),
        pytest.param(Fault("slow", seconds=5), id="slow"),
        pytest.param(Fault("status", "/rest/servicedeskapi/request/", status=503), id="down after it said who may see it"),
    ],
)
def test_the_page_comes_as_it_was_and_says_so(hosted: HostedSite, jsm: LocalJsm, ann: Browser, issue: LocalIssue, fault: Fault) -> None:
    before = ann.get(at(issue))
    jsm.break_with(fault)
    page = ann.get(at(issue))
    assert is_from_memory(page), page.text
    assert conversation(page) == conversation(before)
    assert "Monitor flickers" in page.text
    assert "Waiting for support" in page.text
    (line,) = hosted.audit("request.from_memory")
    assert (line["request"], line["email"]) == (issue.key, "ann@acme.example")
    assert len(hosted.site.events("request.from_memory")) == 1


def test_another_worker_knows_it_too(hosted: HostedSite, jsm: LocalJsm, ann: Browser, issue: LocalIssue) -> None:
    ann.get(at(issue))
    other = hosted.site.another_worker()
    ann.get("/portal/HELP", application=other)
    jsm.break_with(DOWN)
    assert is_from_memory(ann.get(at(issue), application=other))


def test_nothing_on_it_acts_but_the_comment_which_is_kept(make_hosted: MakeHosted, jsm: LocalJsm) -> None:
    hosted = make_hosted(
        help={"sharing": "typed_addresses", "customer_transitions": ["Resolve this issue"], "show_sla": ["Time to resolution"]}
    )
    issue = hosted.request(hosted.ann, participants=[hosted.ben])
    browser = hosted.signed_in(hosted.ann)
    png = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
    send_files(browser, browser.get(at(issue)), at(issue, "/comment"), {"text": "See"}, [("files", ("a.png", "image/png", png))])
    whole = browser.get(at(issue))
    assert "Time to resolution" in whole.text
    jsm.break_with(DOWN)
    page = browser.get(at(issue))
    for gone in ("/share", "/transition", "/attachment", "/thumbnail", "/updates", "Ben Ray", "Time to resolution"):
        assert gone not in page.text, gone
    assert "a.png" in page.text
    unsent = send(browser, page, at(issue, "/comment"), {"text": "Meanwhile"})
    assert (unsent.status, "\nMeanwhile</textarea>" in unsent.text) == (503, True)
    again = browser.get(at(issue))
    assert "What you typed is kept for you." in again.text
    assert "Meanwhile" not in again.text, "it is given back once JSM says that they may see the request"
    jsm.faults.clear()
    page = browser.get(at(issue))
    assert "\nMeanwhile</textarea>" in page.text
    assert send(browser, page, at(issue, "/comment"), {"text": "Meanwhile"}).status == 303
    assert len(issue.comments) == 2


def test_after_ten_minutes_it_is_gone(hosted: HostedSite, jsm: LocalJsm, ann: Browser, issue: LocalIssue) -> None:
    ann.get(at(issue))
    jsm.break_with(DOWN)
    hosted.site.clock.advance(599)
    assert is_from_memory(ann.get(at(issue)))
    hosted.site.clock.advance(2)
    page = ann.get(at(issue))
    assert (page.status, SECRET in page.text) == (502, False)


def test_what_was_never_shown_is_not_there(hosted: HostedSite, jsm: LocalJsm, ann: Browser, issue: LocalIssue) -> None:
    jsm.break_with(DOWN)
    assert ann.get(at(issue)).status == 502


def test_nobody_else_gets_it(hosted: HostedSite, jsm: LocalJsm, ann: Browser, ben: Browser, issue: LocalIssue) -> None:
    ann.get(at(issue))
    jsm.break_with(DOWN)
    page = ben.get(at(issue))
    assert (page.status, SECRET in page.text) == (502, False)
    for address in (f"/portal/HR/{issue.key}", f"/portal/2/{issue.key}", "/portal/HELP/HELP-999"):
        assert SECRET not in ann.get(address).text


def test_another_session_of_the_same_customer_starts_with_nothing(
    hosted: HostedSite, jsm: LocalJsm, ann: Browser, issue: LocalIssue
) -> None:
    ann.get(at(issue))
    other = hosted.signed_in(hosted.ann)
    jsm.break_with(DOWN)
    assert (other.get(at(issue)).status, is_from_memory(ann.get(at(issue)))) == (502, True)


@pytest.mark.parametrize("said_by", ["this worker", "another worker"])
@pytest.mark.parametrize("no", ["not theirs any more", "issue hidden", "moved away"])
def test_once_jsm_said_no_it_is_never_shown_again(hosted: HostedSite, jsm: LocalJsm, ann: Browser, said_by: str, no: str) -> None:
    issue = hosted.request(hosted.ben, description=SECRET, participants=[hosted.ann])
    assert ann.get(at(issue)).status == 200
    other = hosted.site.another_worker()
    ann.get("/portal/HELP", application=other)
    if no == "not theirs any more":
        issue.participants.clear()
    else:
        jsm.break_with(Fault("status", f"/rest/api/3/issue/{issue.key}", status=404 if no == "issue hidden" else 403))
    told = ann.get(at(issue), application=other) if said_by == "another worker" else ann.get(at(issue))
    assert told.status == 404
    jsm.break_with(DOWN)
    jsm.faults.clear()
    jsm.break_with(DOWN)
    page = ann.get(at(issue))
    assert (page.status, SECRET in page.text) == (502, False)


def test_a_no_counts_although_the_customer_s_organizations_cannot_be_asked_for(
    hosted: HostedSite, jsm: LocalJsm, ann: Browser, issue: LocalIssue
) -> None:
    assert ann.get(at(issue)).status == 200
    jsm.break_with(Fault("status", f"/rest/api/3/issue/{issue.key}", status=404))
    jsm.break_with(Fault("status", "/rest/servicedeskapi/organization", status=503))
    assert ann.get(at(issue)).status == 404
    jsm.faults.clear()
    jsm.break_with(DOWN)
    page = ann.get(at(issue))
    assert (page.status, SECRET in page.text) == (502, False)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_is_an_answer_and_nothing_is_shown_after_it(
    hosted: HostedSite, jsm: LocalJsm, ann: Browser, issue: LocalIssue, status: int
) -> None:
    ann.get(at(issue))
    jsm.break_with(Fault("status", f"/rest/servicedeskapi/request/{issue.key}", status=status))
    page = ann.get(at(issue))
    assert (page.status in (404, 502), SECRET in page.text) == (True, False)
    if status != 401:
        jsm.faults.clear()
        jsm.break_with(DOWN)
        assert SECRET not in ann.get(at(issue)).text


@pytest.mark.parametrize("told", ["page", "new comments", "comment"])
@pytest.mark.parametrize("shown_by", ["this worker", "another worker"])
def test_a_no_that_one_session_hears_holds_for_all_sessions_of_the_customer(
    hosted: HostedSite, jsm: LocalJsm, ann: Browser, shown_by: str, told: str
) -> None:
    issue = hosted.request(hosted.ben, description=SECRET, participants=[hosted.ann])
    other, third = hosted.signed_in(hosted.ann), hosted.signed_in(hosted.ben)
    worker = hosted.site.another_worker() if shown_by == "another worker" else hosted.site.application
    form = ann.get(at(issue))
    assert [one.get(at(issue), application=worker).status for one in (other, third)] == [200, 200]
    issue.participants.clear()
    if told == "page":
        assert ann.get(at(issue)).status == 404
    elif told == "new comments":
        assert ann.get(at(issue, "/updates?after=0")).status == 404
    else:
        assert send(ann, form, at(issue, "/comment"), {"text": "Hello?"}).status == 404
    jsm.break_with(BUSY)
    for page in (ann.get(at(issue)), other.get(at(issue), application=worker), other.get(at(issue))):
        assert (page.status, SECRET in page.text) == (502, False)
    assert is_from_memory(third.get(at(issue), application=worker)), "JSM said no to somebody else"


def test_a_no_holds_for_both_logins_of_a_person_with_one_account(hosted: HostedSite, jsm: LocalJsm, ann: Browser) -> None:
    issue = hosted.request(hosted.ben, description=SECRET, participants=[hosted.ann])
    hosted.provider.claims["sub"] = hosted.provider.userinfo["sub"] = "another login"
    hosted.provider.claims["email"] = "ann@acme.example"
    other = Browser(hosted.site)
    assert other.log_in("/portal/HELP").status == 303
    assert [one.get(at(issue)).status for one in (ann, other)] == [200, 200]
    issue.participants.clear()
    assert ann.get(at(issue)).status == 404
    jsm.break_with(BUSY)
    assert SECRET not in other.get(at(issue)).text


def test_nothing_kept_after_the_no_outlives_it(hosted: HostedSite, jsm: LocalJsm, ann: Browser) -> None:
    """Whoever may see it again, or had a page under way, is shown it by JSM alone until what was kept before is gone."""
    issue = hosted.request(hosted.ben, description=SECRET, participants=[hosted.ann])
    other = hosted.signed_in(hosted.ann)
    other.get(at(issue))
    issue.participants.clear()
    ann.get(at(issue))
    issue.participants.append(hosted.ann.id)
    hosted.site.clock.advance(SHOWN_SECONDS - 1)
    assert other.get(at(issue)).status == 200
    jsm.break_with(BUSY)
    assert SECRET not in other.get(at(issue)).text
    hosted.site.clock.advance(NO_SECONDS - SHOWN_SECONDS + 2)
    assert is_from_memory(other.get(at(issue)))


@pytest.mark.parametrize("away", ["all of it", "for writing"])
def test_a_no_that_the_store_was_not_told_is_known_here_and_told_later(
    hosted: HostedSite, jsm: LocalJsm, ann: Browser, issue: LocalIssue, away: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = hosted.signed_in(hosted.ann)
    worker = hosted.site.another_worker()
    assert [one.get(at(issue)).status for one in (ann, other)] == [200, 200]
    jsm.break_with(Fault("status", f"/rest/api/3/issue/{issue.key}", status=404))
    store = services_of(hosted.site.application).shown._store
    with monkeypatch.context() as without:
        for name in ("put", "delete", "lease", "replace", *(("get",) if away == "all of it" else ())):
            without.setattr(store, name, unavailable)
        assert ann.get(at(issue)).status == 404
        jsm.faults.clear()
        jsm.break_with(BUSY)
        assert SECRET not in other.get(at(issue)).text
    assert SECRET not in other.get(at(issue)).text
    assert SECRET not in other.get(at(issue), application=worker).text


def unavailable(*_: object, **__: object) -> None:
    raise StoreUnavailable("the store does not answer")


def test_what_a_no_costs_is_two_writes_and_a_page_one(hosted: HostedSite, ann: Browser, issue: LocalIssue) -> None:
    ann.get(at(issue))
    shown = services_of(hosted.site.application).shown
    calls: list[str] = []

    class Counted:
        def __getattr__(self, name: str) -> Any:
            calls.append(name)
            return getattr(hosted.site.deployment.store, name)

    shown._store = Counted()  # type: ignore[assignment]
    ann.get(at(issue))
    assert calls == ["put"]
    issue.reporter_id = hosted.ben.id
    ann.get(at(issue))
    assert calls == ["put", "put", "delete"]


def test_a_customer_who_asks_for_everything_fills_no_store(hosted: HostedSite, jsm: LocalJsm) -> None:
    shown = services_of(hosted.site.application).shown
    _, acting_ann = acting(hosted, hosted.ann)
    for number in range(2000):
        shown.deny(acting_ann, f"HELP-{number}")
    assert hosted.site.deployment.store.count("not_shown", now=hosted.site.clock()) <= NO_PLACES


def test_too_many_untold_noes_show_nothing_at_all(
    hosted: HostedSite, jsm: LocalJsm, ann: Browser, issue: LocalIssue, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann.get(at(issue))
    monkeypatch.setattr("jsmsso.portal.shown.MOST_UNTOLD", 3)
    shown = services_of(hosted.site.application).shown
    _, acting_ann = acting(hosted, hosted.ann)
    jsm.break_with(BUSY)
    with monkeypatch.context() as without:
        without.setattr(shown._store, "put", unavailable)
        for number in range(10, 20):
            shown.deny(acting_ann, f"HELP-{number}")
        assert len(shown._untold) == 3
        assert SECRET not in ann.get(at(issue)).text
    assert is_from_memory(ann.get(at(issue)))


def test_a_page_that_was_under_way_when_jsm_said_no_is_not_kept(hosted: HostedSite, jsm: LocalJsm, ann: Browser, issue: LocalIssue) -> None:
    """One worker makes a page of what JSM said before; meanwhile another one hears the no."""
    ann.get(at(issue))
    shown = services_of(hosted.site.application).shown
    kept: list[tuple[Any, ...]] = []
    shown.keep, keep = (lambda *page: kept.append(page)), shown.keep  # type: ignore[method-assign]
    ann.get(at(issue))
    acting, key, page = kept.pop()
    hosted.site.clock.advance(1)
    shown.deny(acting, key)
    keep(acting, key, page)
    jsm.break_with(DOWN)
    assert SECRET not in ann.get(at(issue)).text


@pytest.mark.parametrize("how", ["sessions revoked", "forgotten", "revoked", "signed out"])
def test_whoever_was_shut_out_or_forgotten_gets_nothing(
    hosted: HostedSite, jsm: LocalJsm, ann: Browser, issue: LocalIssue, how: str
) -> None:
    ann.get(at(issue))
    store, now = hosted.site.deployment.store, hosted.site.clock()
    jsm.break_with(DOWN)
    if how == "forgotten":
        store.forget("ann@acme.example")
        assert records(hosted) == 0
    elif how == "signed out":
        ann.submit(ann.get(at(issue)), "Sign out")
    else:
        store.end(Ending.for_good("email", "", "ann@acme.example", now), now=now)
        if how == "revoked":
            store.bar("email:ann@acme.example", email="ann@acme.example", at=now)
    hosted.site.clock.advance(2)
    page = ann.get(at(issue))
    assert SECRET not in page.text
    assert not is_from_memory(page)


def test_a_record_that_was_moved_or_altered_opens_for_nobody(
    hosted: HostedSite, jsm: LocalJsm, ann: Browser, ben: Browser, issue: LocalIssue
) -> None:
    theirs = hosted.request(hosted.ben, issue.summary)
    ann.get(at(issue))
    ben.get(at(theirs))
    store, now = hosted.site.deployment.store, hosted.site.clock()
    names = [row["key"] for email in ("ann@acme.example", "ben@globex.example") for row in shown_rows(hosted, email)]
    values = [store.get("shown", name, now=now) for name in names]
    for name, value in zip(names, reversed(values), strict=True):
        assert value is not None
        store.put("shown", name, value, expires=now + 600)
    jsm.break_with(DOWN)
    assert (ann.get(at(issue)).status, ben.get(at(theirs)).status) == (502, 502)
    for name in names:
        store.put("shown", name, b"{}", expires=now + 600)
    assert ann.get(at(issue)).status == 502


def shown_rows(hosted: HostedSite, email: str) -> list[dict[str, Any]]:
    return [row for row in hosted.site.deployment.store.about(email)["records"] if row["kind"] == "shown"]


def test_it_is_sealed_and_bounded_in_number_and_size(hosted: HostedSite, jsm: LocalJsm, ann: Browser) -> None:
    long = hosted.request(hosted.ann, "Long", description=SECRET)
    for number in range(12):
        jsm.site.requests.add_comment(long, hosted.agent, f"comment {number} " + "x" * 20_000)
    ann.get(at(long))
    for _ in range(PLACES + 8):
        ann.get(at(hosted.request(hosted.ann)))
        ann.get(at(long))
    assert records(hosted) <= PLACES
    for file in hosted.folder.glob("**/*.db*"):
        assert SECRET.encode() not in file.read_bytes()
    rows = shown_rows(hosted, "ann@acme.example")
    assert max(row["bytes"] for row in rows) < LARGEST * 2, json.dumps(rows)
    jsm.break_with(DOWN)
    page = ann.get(at(long))
    assert "Older entries are left out here." in page.text
    assert "comment 11 " in page.text
    assert "comment 0 " not in page.text


def test_the_page_s_own_form_is_good_for_this_request_alone(hosted: HostedSite, jsm: LocalJsm, ann: Browser, issue: LocalIssue) -> None:
    other = hosted.request(hosted.ann)
    ann.get(at(issue))
    jsm.break_with(DOWN)
    fields = form_at(ann.get(at(issue)), "/comment")
    jsm.faults.clear()
    assert ann.post(at(other, "/comment"), {**fields, "text": "x"}).status == 403
    assert other.comments == []
