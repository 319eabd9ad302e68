"""Raising a request: forms, what JSM is sent, double clicks, lost answers, and JSM in trouble."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from html import unescape

import pytest

from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_requests import LocalIssue
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import checked_jsm
from tests.portal.conftest import MakeHosted
from tests.portal.desks import desks, type_id
from tests.portal.hosted_site import SERVICE_ACCOUNT, HostedSite, form_at, send, send_files
from tests.runtime.site import OWN_FORM, Answer, Browser

TYPED = {"f-summary": "Screen flickers", "f-description": "Since *today*, <b>always</b>\r\nat noon"}
CREATE = "/rest/servicedeskapi/request"


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with checked_jsm(accounts=(SERVICE_ACCOUNT,), desks=desks()) as site:
        yield site


def place(hosted: HostedSite, name: str = "Get IT help") -> str:
    return f"/portal/HELP/create/{type_id(hosted.jsm, name)}"


def raise_one(hosted: HostedSite, browser: Browser, typed: Mapping[str, str | list[str]] = TYPED, name: str = "Get IT help") -> Answer:
    where = place(hosted, name)
    return send(browser, browser.get(where), where, typed)


def as_jsm_has_it(hosted: HostedSite) -> None:
    """Our clock tells the local JSM's time."""
    hosted.site.clock.advance(time.time() - hosted.site.clock())


def issues(hosted: HostedSite) -> list[LocalIssue]:
    return list(hosted.jsm.site.requests)


def texts(page: Answer) -> str:
    """A page's text without its tags."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.text)))


def test_a_request_is_the_customers_own_and_they_are_led_to_it(hosted: HostedSite, ann: Browser) -> None:
    answer = raise_one(hosted, ann)
    (issue,) = issues(hosted)
    assert (answer.status, answer.location) == (303, f"/portal/HELP/{issue.key}")
    assert (issue.summary, issue.reporter_id) == ("Screen flickers", hosted.ann.id)
    assert issue.values["description"].replace("\\", "") == "Since *today*, <b>always</b>\nat noon"
    (line,) = hosted.audit("request.created")
    assert (line["email"], line["request"], line["type"]) == ("ann@acme.example", issue.key, "Get IT help")


def test_every_kind_of_field_arrives(hosted: HostedSite, ann: Browser) -> None:
    where = place(hosted, "Everything at once")
    page = ann.get(where)
    assert page.text.count('class="field"') == 21
    answer = send_files(
        ann,
        page,
        where,
        {
            "f-summary": "All of it",
            "f-description": "a\nb",
            "f-priority": "2",
            "f-duedate": "2026-12-24",
            "f-labels": "mail slow",
            "f-components": "10501",
            "f-customfield_10100": "short",
            "f-customfield_10101": "long",
            "f-customfield_10102": "2,5",
            "f-customfield_10103": "2026-12-01",
            "f-customfield_10104": "2026-12-01T09:30",
            "f-customfield_10105": "10301",
            "f-customfield_10106": "10302",
            "f-customfield_10107": "10400/10402",
            "f-customfield_10108": "10300",
            "f-customfield_10109": "10302",
            "f-customfield_10110": "BEN@globex.example",
            "f-customfield_10111": "ann@acme.example, ben@globex.example",
            "f-customfield_10112": "a b",
            "f-customfield_10113": "https://acme.example/x",
        },
        [("f-attachment", ("a.txt", "text/plain", b"one")), ("f-attachment", ("b.png", "image/png", b"two"))],
    )
    assert answer.status == 303, texts(answer)
    (issue,) = issues(hosted)
    values = issue.values
    assert values["customfield_10102"] == 2.5
    assert values["customfield_10104"] == "2026-12-01T09:30:00.000+0000"
    assert values["customfield_10107"]["child"]["label"] == "Warehouse"
    assert [one["label"] for one in values["customfield_10106"]] == ["Blue"]
    assert values["customfield_10110"]["person"] == hosted.ben.id
    assert [one["person"] for one in values["customfield_10111"]] == [hosted.ann.id, hosted.ben.id]
    assert values["customfield_10112"] == ["a", "b"]
    assert [(one.filename, one.content) for one in issue.attachments] == [("a.txt", b"one"), ("b.png", b"two")]
    assert [(line["request"], line["file"], line["size"]) for line in hosted.audit("attachment.added")] == [
        (issue.key, "a.txt", 3), (issue.key, "b.png", 3)
    ]  # fmt: skip


def test_defaults_and_hints_are_on_the_page(hosted: HostedSite, ann: Browser) -> None:
    page = ann.get(place(hosted, "New laptop"))
    assert page.title == "New laptop"
    assert '<option value="10200" selected>Standard 14 inch</option>' in page.text
    assert "Choose a day from tomorrow on." in page.text
    assert re.search(r'id="f-summary"[^>]*aria-required="true"', page.text)


def test_wrong_answers_are_said_beside_their_fields_and_on_top_and_nothing_typed_is_lost(hosted: HostedSite, ann: Browser) -> None:
    typed = {"f-summary": "", "f-customfield_10121": "10211", "f-customfield_10122": "soon", "f-description": "<i>please</i>"}
    answer = raise_one(hosted, ann, typed, "New laptop")
    assert answer.status == 400
    assert "2 answers need another look." in texts(answer)
    assert 'href="#f-summary"' in answer.text
    assert 'href="#f-customfield_10122"' in answer.text
    assert re.search(r'id="f-customfield_10122"[^>]*value="soon"[^>]*aria-invalid="true"', answer.text)
    assert 'value="10211" checked' in answer.text
    assert "&lt;i&gt;please&lt;/i&gt;" in answer.text
    assert issues(hosted) == []


@pytest.mark.parametrize(
    "email",
    [
        pytest.param("nobody@acme.example", id="not there"),
        pytest.param("hidden@acme.example", id="address hidden"),
        pytest.param("gone@acme.example", id="deactivated"),
    ],
)
def test_whoever_is_not_there_and_whoever_may_not_be_chosen_look_alike(hosted: HostedSite, ann: Browser, email: str) -> None:
    hosted.jsm.add_customer("hidden@acme.example", hidden=True)
    hosted.jsm.add_customer("gone@acme.example", active=False)
    typed = {"f-summary": "x", "f-customfield_10105": "10300", "f-customfield_10110": email}
    answer = raise_one(hosted, ann, typed, "Everything at once")
    assert answer.status == 400
    assert "Nobody with this address can be chosen here." in texts(answer)
    assert issues(hosted) == []


@pytest.mark.parametrize("name", ["Order software", "Internal task"])
def test_a_type_that_is_not_offered_is_not_there_and_takes_nothing(hosted: HostedSite, ann: Browser, name: str) -> None:
    assert ann.get(place(hosted, name)).status == 404
    fields = form_at(ann.get(place(hosted)), place(hosted))
    assert send(ann, ann.get(place(hosted)), place(hosted), {}).status == 400
    answer = ann.post(place(hosted, name), fields | {"f-summary": "x"})
    assert answer.status in (403, 404)
    assert issues(hosted) == []


def test_a_type_that_was_closed_meanwhile_takes_nothing(hosted: HostedSite, ann: Browser) -> None:
    where = place(hosted)
    page = ann.get(where)
    hosted.jsm.site.checks_type_permissions = True
    hosted.site.clock.advance(301)
    help_desk, *others = hosted.jsm.site.desks
    first, *types = help_desk.request_types
    assert not isinstance(first, str)
    hosted.jsm.site.desks = (replace(help_desk, request_types=(replace(first, restricted_to=frozenset()), *types)), *others)
    assert send(ann, page, where, TYPED).status == 404
    assert issues(hosted) == []


def test_a_form_with_questions_of_its_own_leads_to_the_native_portal(hosted: HostedSite, ann: Browser) -> None:
    for name in ("New employee", "For myself alone"):
        page = ann.get(place(hosted, name))
        assert page.status == 200
        assert re.search(r'href="[^"]*/servicedesk/customer/portal/1/group/\d+/create/\d+"', page.text)
        assert "<textarea" not in page.text
    assert "Affected computer" in texts(ann.get(place(hosted, "Report a computer")))


def test_a_double_click_raises_one_request_and_both_answers_lead_to_it(hosted: HostedSite, ann: Browser) -> None:
    where = place(hosted)
    page = ann.get(where)
    hosted.jsm.site.latency[CREATE] = 0.4
    other = hosted.site.another_worker()
    answers: list[Answer] = []
    second = threading.Thread(target=lambda: answers.append(send(ann, page, where, TYPED, application=other)))
    second.start()
    answers.append(send(ann, page, where, TYPED))
    second.join()
    (issue,) = issues(hosted)
    assert [(answer.status, answer.location) for answer in answers] == [(303, f"/portal/HELP/{issue.key}")] * 2
    assert send(ann, page, where, TYPED).location == f"/portal/HELP/{issue.key}"
    assert len(hosted.audit("request.created")) == 1


def test_a_form_that_was_changed_after_going_back_is_another_request(hosted: HostedSite, ann: Browser) -> None:
    where = place(hosted)
    page = ann.get(where)
    send(ann, page, where, TYPED)
    send(ann, page, where, {**TYPED, "f-summary": "Keyboard is broken"})
    assert [issue.summary for issue in issues(hosted)] == ["Screen flickers", "Keyboard is broken"]


def test_the_key_of_one_customer_is_nothing_to_another(hosted: HostedSite, ann: Browser, ben: Browser) -> None:
    where = place(hosted)
    page = ann.get(where)
    send(ann, page, where, TYPED)
    answer = send(ben, ben.get(where), where, {**TYPED, "once": form_at(page, where)["once"]})
    assert [issue.reporter_id for issue in issues(hosted)] == [hosted.ann.id, hosted.ben.id]
    assert answer.location.endswith(issues(hosted)[1].key)


def test_after_a_lost_answer_the_request_is_found_and_not_raised_again(hosted: HostedSite, ann: Browser) -> None:
    as_jsm_has_it(hosted)
    where = place(hosted)
    page = ann.get(where)
    hosted.jsm.break_with(Fault("lost", CREATE, method="POST", times=1))
    answer = send(ann, page, where, TYPED)
    (issue,) = issues(hosted)
    assert (answer.status, answer.location) == (303, f"/portal/HELP/{issue.key}")
    assert len(hosted.audit("request.created")) == 1


def test_where_the_search_does_not_know_it_yet_it_is_found_by_its_key(hosted: HostedSite, ann: Browser) -> None:
    as_jsm_has_it(hosted)
    where = place(hosted)
    page = ann.get(where)
    hosted.request(hosted.ben, "what the search knows")
    hosted.jsm.break_with(Fault("lost", CREATE, method="POST", times=1))
    hosted.jsm.site.requests.search_lag = 60.0
    hosted.request(hosted.ben, TYPED["f-summary"])
    answer = send(ann, page, where, TYPED)
    mine = issues(hosted)[-1]
    assert (answer.status, answer.location, len(issues(hosted))) == (303, f"/portal/HELP/{mine.key}", 3)
    assert mine.reporter_id == hosted.ann.id


def test_what_nobody_can_look_for_now_is_found_when_it_is_sent_again(hosted: HostedSite, ann: Browser) -> None:
    as_jsm_has_it(hosted)
    where = place(hosted)
    page = ann.get(where)
    hosted.jsm.break_with(Fault("lost", CREATE, method="POST", times=1))
    hosted.jsm.break_with(Fault("status", "/rest/api/3/search", status=500))
    answer = send(ann, page, where, TYPED)
    assert answer.status == 503
    assert "we cannot tell whether your request arrived" in texts(answer)
    assert "Screen flickers" in answer.text
    hosted.jsm.faults.clear()
    page = ann.get(where)
    assert "so it may have arrived" in texts(page), "whoever left the page finds it in the form"
    again = send(ann, page, where, TYPED)
    (issue,) = issues(hosted)
    assert (again.status, again.location) == (303, f"/portal/HELP/{issue.key}")


def test_while_jsm_may_still_be_at_it_the_request_is_not_sent_again(hosted: HostedSite, ann: Browser) -> None:
    where = place(hosted)
    page = ann.get(where)
    hosted.jsm.break_with(Fault("status", CREATE, method="POST", status=504, times=1))
    for _ in range(2):
        answer = send(ann, page, where, TYPED)
        assert (answer.status, "we cannot tell whether your request arrived" in texts(answer)) == (503, True)
    assert len([call for call in hosted.jsm.seen if call.method == "POST" and call.path == CREATE]) == 1
    hosted.site.clock.advance(31)
    assert send(ann, page, where, TYPED).status == 303
    assert len(issues(hosted)) == 1


def test_an_answer_that_never_set_out_is_sent_again(hosted: HostedSite, ann: Browser) -> None:
    where = place(hosted)
    hosted.jsm.break_with(Fault("dropped", CREATE, method="POST", times=1))
    answer = send(ann, ann.get(where), where, TYPED)
    assert (answer.status, issues(hosted)) == (503, [])
    assert send(ann, answer, where, TYPED).status == 303
    assert len(issues(hosted)) == 1


def test_what_jsm_does_not_take_is_said_in_its_words(hosted: HostedSite, ann: Browser) -> None:
    where = place(hosted)
    hosted.jsm.break_with(Fault("status", CREATE, status=400, body='{"errorMessage": "Summary has 100% too many letters"}', method="POST"))
    answer = send(ann, ann.get(where), where, TYPED)
    assert answer.status == 400
    assert "100% too many letters" in texts(answer)
    assert "Screen flickers" in answer.text
    assert issues(hosted) == []


@pytest.mark.parametrize("fails", [CREATE, "/rest/"])
def test_while_jsm_is_down_everything_typed_stays_on_the_page(hosted: HostedSite, ann: Browser, fails: str) -> None:
    where = place(hosted)
    page = ann.get(where)
    hosted.jsm.break_with(Fault("status", fails, status=403 if fails == CREATE else 500))
    answer = send_files(ann, page, where, TYPED, [("f-attachment", ("a.txt", "text/plain", b"one"))])
    assert answer.status == 503
    assert "Nothing was sent" in texts(answer)
    assert "Screen flickers" in answer.text
    assert "Since *today*" in answer.text
    assert "a.txt" in answer.text
    hosted.jsm.faults.clear()
    kept = re.search(r'name="kept" value="([^"]*)"', answer.text)
    assert kept
    assert send(ann, answer, where, {**TYPED, "kept": unescape(kept[1])}).status == 303
    (issue,) = issues(hosted)
    assert [(one.filename, one.content) for one in issue.attachments] == [("a.txt", b"one")]


def test_a_form_that_is_known_is_shown_while_jsm_is_down_and_says_so(hosted: HostedSite, ann: Browser) -> None:
    where = place(hosted)
    ann.get(where)
    hosted.site.clock.advance(301)
    hosted.jsm.break_with(Fault("status", "/rest/", status=500))
    page = ann.get(where)
    assert page.status == 200
    assert "Jira does not answer just now." in texts(page)
    assert send(ann, page, where, TYPED).status == 503
    hosted.jsm.faults.clear()
    assert "Jira does not answer" not in texts(ann.get(where))


def test_a_worker_that_never_saw_the_form_keeps_what_was_typed(hosted: HostedSite, ann: Browser) -> None:
    where = place(hosted)
    page = ann.get(where)
    other = hosted.site.another_worker()
    hosted.jsm.break_with(Fault("status", "/rest/", status=500))
    answer = send(ann, page, where, TYPED, application=other)
    assert answer.status in (502, 503)
    hosted.jsm.faults.clear()
    again = ann.get(where)
    assert "Screen flickers" in again.text
    assert "This is what you typed the last time." in texts(again)
    assert send(ann, again, where, TYPED).status == 303
    assert "Screen flickers" not in ann.get(where).text


def test_a_file_that_jsm_does_not_take_raises_nothing_and_nobody_wonders(hosted: HostedSite, ann: Browser) -> None:
    where = place(hosted)
    page = ann.get(where)
    hosted.jsm.break_with(Fault("dropped", "/rest/servicedeskapi/servicedesk/1/attachTemporaryFile"))
    answer = send_files(ann, page, where, TYPED, [("f-attachment", ("a.txt", "text/plain", b"one"))])
    assert answer.status == 503
    assert "Nothing was sent" in texts(answer)
    assert issues(hosted) == []


def test_the_summary_asks_for_answers_only_where_articles_are_for_everybody(make_hosted: MakeHosted) -> None:
    for knowledge_base in ("off", "all_customers"):
        hosted = make_hosted(help={"knowledge_base": knowledge_base})
        page = hosted.signed_in(hosted.ann).get(place(hosted))
        assert ("data-answers" in page.text) == (knowledge_base == "all_customers")


def test_a_file_larger_than_the_site_takes_is_refused_before_it_is_sent_on(hosted: HostedSite, ann: Browser) -> None:
    hosted.jsm.site.attachment_limit = 1000
    where = place(hosted)
    page = ann.get(where)
    assert "up to 1 kB each" in texts(page)
    answer = send_files(ann, page, where, TYPED, [("f-attachment", ("a.bin", "", b"x" * 1001))])
    assert answer.status == 400
    assert "larger than this portal takes" in texts(answer)
    assert not [call for call in hosted.jsm.seen if "attachTemporaryFile" in call.path]


def test_a_form_costs_two_round_trips_at_most_and_one_that_is_known_none(hosted: HostedSite, ann: Browser) -> None:
    where = place(hosted)
    ann.get(where)
    hosted.site.clock.advance(301)
    hosted.jsm.site.latency["/"] = 0.3
    before = len(hosted.jsm.seen)
    began = time.monotonic()
    assert ann.get(where).status == 200
    assert time.monotonic() - began < 0.3 * 3
    known = len(hosted.jsm.seen)
    assert known > before
    assert ann.get(where).status == 200
    assert len(hosted.jsm.seen) == known


def test_without_the_token_nothing_is_raised(hosted: HostedSite, ann: Browser) -> None:
    where = place(hosted)
    fields = form_at(ann.get(where), where)
    for token in ("", "x", form_at(ann.get(place(hosted, "New laptop")), place(hosted, "New laptop"))["token"]):
        assert ann.post(where, {**fields, **TYPED, "token": token}, OWN_FORM).status == 403
    assert issues(hosted) == []


def test_data_center_takes_plain_texts_and_user_names(make_hosted: MakeHosted) -> None:
    with checked_jsm(accounts=(SERVICE_ACCOUNT,), desks=desks(deployment="Server"), data_center=True) as site:
        hosted = make_hosted(jsm=site)
        browser = hosted.signed_in(hosted.ann)
        where = place(hosted, "Everything at once")
        typed = {**TYPED, "f-customfield_10105": "10300", "f-customfield_10110": "ben@globex.example"}
        answer = send(browser, browser.get(where), where, typed)
        assert answer.status == 303, texts(answer)
        (issue,) = issues(hosted)
        assert issue.reporter_id == hosted.ann.id
        assert issue.values["customfield_10110"]["person"] == hosted.ben.id
        hosted.site.close()
