"""What was written into a request while the session had ended or JSM was away: kept for whom it was shown to, sent once."""

from __future__ import annotations

import re
import time
from html import unescape

import pytest

from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_people import LocalPerson
from jsmsso.sandbox.jsm_requests import LocalIssue
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.portal.conftest import MakeHosted
from tests.portal.hosted_site import File, HostedSite, at, form_at, send, send_files
from tests.runtime.site import OWN_FORM, Answer, Browser

NOTE: File = ("note.txt", "text/plain", b"flicker, flicker")
KEPT = "It was kept for you, and nothing was sent."
UNSURE = "Jira gave no answer, so it may have arrived."
TYPED = "Still <dark>"
SHOWN = "\nStill &lt;dark&gt;</textarea>"


def sent_too_late(hosted: HostedSite, browser: Browser, issue: LocalIssue, rest: str = "/comment", **fields: str) -> Answer:
    """A form that is sent an hour and a bit after it was shown."""
    page = browser.get(at(issue))
    hosted.site.clock.advance(3601)
    return send_files(browser, page, at(issue, rest), fields, [("files", NOTE)])


def logged_in_again(hosted: HostedSite, browser: Browser, person: LocalPerson, issue: LocalIssue, **claims: str) -> Answer:
    """The session is over; log in as somebody, and return the request's page where the login ends."""
    now = int(hosted.site.clock())
    browser.cookies.clear()
    hosted.provider.claims |= {"iat": now, "exp": now + 300, "sub": f"sub-{person.email}", "email": person.email}
    hosted.provider.claims |= {"name": person.display_name} | claims
    hosted.provider.userinfo["sub"] = hosted.provider.claims["sub"]
    answer = browser.log_in(at(issue))
    assert answer.location.endswith(at(issue)), (answer.status, answer.location)
    return browser.get(at(issue))


def drafts(hosted: HostedSite) -> int:
    return hosted.site.deployment.store.count("draft", now=hosted.site.clock())


def kept_boxes(page: Answer) -> list[str]:
    return [unescape(one) for one in re.findall(r'name="kept" value="([^"]*)" checked', page.text)]


def test_a_comment_whose_session_ended_is_in_the_form_again_after_the_login(hosted: HostedSite, ann: Browser) -> None:
    issue = hosted.request(hosted.ann)
    answer = sent_too_late(hosted, ann, issue, text=TYPED)
    assert (answer.status, answer.location, issue.comments) == (303, at(issue), [])
    page = logged_in_again(hosted, ann, hosted.ann, issue)
    assert KEPT in page.text
    assert SHOWN in page.text
    (box,) = kept_boxes(page)
    assert send(ann, page, at(issue, "/comment"), {"text": TYPED, "kept": box}).status == 303
    (comment,) = issue.comments
    assert "Still <dark>" in comment.body.replace("\\", "")
    assert [(one.filename, one.content) for one in issue.attachments] == [("note.txt", NOTE[2])]
    assert drafts(hosted) == 0
    assert KEPT not in ann.get(at(issue)).text
    assert [line["form"] for line in hosted.audit("draft.kept")] == [f"{issue.key}/comment"]


def test_files_that_were_added_alone_wait_beside_their_own_button(hosted: HostedSite, ann: Browser) -> None:
    issue = hosted.request(hosted.ann)
    assert sent_too_late(hosted, ann, issue, "/attachment").location == at(issue)
    page = logged_in_again(hosted, ann, hosted.ann, issue)
    (box,) = kept_boxes(page)
    assert send(ann, page, at(issue, "/attachment"), {"kept": box}).status == 303
    assert [one.filename for one in issue.attachments] == ["note.txt"]
    assert drafts(hosted) == 0


def test_an_address_to_share_with_is_in_its_field_again_once(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(help={"sharing": "typed_addresses"})
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    _, fields = browser.get(at(issue)).form('name="address"')
    hosted.site.clock.advance(3601)
    assert browser.post(at(issue, "/share"), {**fields, "address": "cy@acme.example"}).location == at(issue)
    assert 'value="cy@acme.example"' in logged_in_again(hosted, browser, hosted.ann, issue).text
    assert 'value="cy@acme.example"' not in browser.get(at(issue)).text
    assert issue.participants == []


def test_a_transition_whose_session_ended_leads_to_the_request_and_does_nothing(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(help={"customer_transitions": ["Resolve this issue"]})
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    page = browser.get(at(issue))
    hosted.site.clock.advance(3601)
    answer = send(browser, page, at(issue, "/transition"), {"transition": "51"})
    assert (answer.status, answer.location, issue.status, drafts(hosted)) == (303, at(issue), "Waiting for support", 0)


def test_somebody_else_in_the_same_browser_gets_nothing(hosted: HostedSite, ann: Browser) -> None:
    issue = hosted.request(hosted.ann, participants=[hosted.ben])
    sent_too_late(hosted, ann, issue, text=TYPED)
    page = logged_in_again(hosted, ann, hosted.ben, issue)
    assert page.status == 200
    assert "Still" not in page.text
    assert "note.txt" not in page.text
    assert "Still" not in logged_in_again(hosted, ann, hosted.ann, issue, sub="somebody-new").text
    assert SHOWN in logged_in_again(hosted, ann, hosted.ann, issue).text


def test_it_is_in_the_form_of_that_request_alone(hosted: HostedSite, ann: Browser) -> None:
    issue, other = hosted.request(hosted.ann), hosted.request(hosted.ann)
    sent_too_late(hosted, ann, issue, text=TYPED)
    assert "Still" not in logged_in_again(hosted, ann, hosted.ann, other).text


def test_whoever_may_no_longer_see_the_request_is_not_given_it_back(hosted: HostedSite, ann: Browser) -> None:
    issue = hosted.request(hosted.ben, participants=[hosted.ann])
    sent_too_late(hosted, ann, issue, text=TYPED)
    issue.participants.clear()
    page = logged_in_again(hosted, ann, hosted.ann, issue)
    assert (page.status, "Still" in page.text) == (404, False)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda own, other: "", id="no owner"),
        pytest.param(lambda own, other: own[:-4] + "AAAA", id="altered"),
        pytest.param(lambda own, other: other, id="of another request"),
        pytest.param(lambda own, other: own * 50, id="too long"),
    ],
)
def test_a_form_that_is_not_ours_is_not_kept(hosted: HostedSite, ann: Browser, change: object) -> None:
    assert callable(change)
    issue, other = hosted.request(hosted.ann), hosted.request(hosted.ann)
    fields = form_at(ann.get(at(issue)), "/comment")
    theirs = form_at(ann.get(at(other)), "/comment")
    hosted.site.clock.advance(3601)
    ann.post(at(issue, "/comment"), {**fields, "text": TYPED, "owner": change(fields["owner"], theirs["owner"])})
    assert drafts(hosted) == 0


def test_a_form_that_another_site_sent_is_not_kept(hosted: HostedSite, ann: Browser) -> None:
    issue = hosted.request(hosted.ann)
    fields = form_at(ann.get(at(issue)), "/comment")
    hosted.site.clock.advance(3601)
    answer = ann.post(at(issue, "/comment"), {**fields, "text": TYPED}, {**OWN_FORM, "Sec-Fetch-Site": "cross-site"})
    assert (answer.status, drafts(hosted)) == (303, 0)


def test_somebody_else_s_form_sent_in_one_s_own_session_is_neither_sent_nor_kept(hosted: HostedSite, ann: Browser) -> None:
    issue = hosted.request(hosted.ann, participants=[hosted.ben])
    page = ann.get(at(issue))
    logged_in_again(hosted, ann, hosted.ben, issue)
    answer = send(ann, page, at(issue, "/comment"), {"text": TYPED})
    assert (answer.status, issue.comments, drafts(hosted)) == (403, [], 0)
    assert at(issue, '"') in answer.text, "the page leads back to the request"


def test_a_form_of_an_earlier_session_is_kept_for_the_same_customer(hosted: HostedSite, ann: Browser) -> None:
    issue = hosted.request(hosted.ann)
    page = ann.get(at(issue))
    logged_in_again(hosted, ann, hosted.ann, issue)
    assert send(ann, page, at(issue, "/comment"), {"text": TYPED}).status == 403
    assert SHOWN in ann.get(at(issue)).text
    assert issue.comments == []


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault("status", status=503), id="down"),
        pytest.param(Fault("busy", seconds=120), id="429"),
        pytest.param(Fault("dropped"), id="no answer"),
    ],
)
def test_while_jsm_cannot_be_asked_words_and_files_are_kept_and_nothing_of_the_request_is_shown(
    hosted: HostedSite, jsm: LocalJsm, ann: Browser, fault: Fault
) -> None:
    issue = hosted.request(hosted.ann, "Secret summary")
    page = ann.get(at(issue))
    jsm.break_with(fault)
    unsent = send_files(ann, page, at(issue, "/comment"), {"text": TYPED}, [("files", NOTE)])
    assert (unsent.status, SHOWN in unsent.text, "Secret summary" in unsent.text) == (503, True, False)
    assert "Nothing was sent" in unsent.text
    jsm.faults.clear()
    hosted.site.clock.advance(130)
    again = hosted.site.another_worker()  # one that was not asked to be calm
    page = ann.get(at(issue), application=again)
    (box,) = kept_boxes(page)
    assert (KEPT in page.text, SHOWN in page.text) == (True, True)
    assert send(ann, page, at(issue, "/comment"), {"text": TYPED, "kept": box}, application=again).status == 303
    assert (len(issue.comments), [one.filename for one in issue.attachments], drafts(hosted)) == (1, ["note.txt"], 0)


def test_what_may_have_arrived_is_said_so_a_day_later_and_is_made_once(hosted: HostedSite, jsm: LocalJsm, ann: Browser) -> None:
    issue = hosted.request(hosted.ann)
    hosted.site.clock.seconds = time.time()
    comments = f"/rest/servicedeskapi/request/{issue.key}/comment"
    page = logged_in_again(hosted, ann, hosted.ann, issue)
    jsm.break_with(Fault("lost", path=comments, method="POST", times=1))
    jsm.break_with(Fault("status", status=500, path=comments, method="GET"))
    assert "we cannot tell" in send(ann, page, at(issue, "/comment"), {"text": "Once"}).text
    jsm.faults.clear()
    hosted.site.clock.advance(20 * 3600)
    page = logged_in_again(hosted, ann, hosted.ann, issue)
    assert (UNSURE in page.text, KEPT in page.text) == (True, False)
    assert send(ann, page, at(issue, "/comment"), {"text": "Once"}).status == 303
    assert [one.properties for one in issue.comments] == [{"jsmsso.author": {"accountId": hosted.ann.id}}]
    assert drafts(hosted) == 0


def test_while_jsm_may_still_be_at_it_nothing_is_sent_a_second_time(make_hosted: MakeHosted, jsm: LocalJsm) -> None:
    hosted = make_hosted()
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    page = browser.get(at(issue))
    path = f"/rest/servicedeskapi/request/{issue.key}/comment"
    jsm.break_with(Fault("status", path=path, method="POST", status=504, times=1))
    for _ in range(2):
        unsent = send(browser, page, at(issue, "/comment"), {"text": "Once"})
        assert (unsent.status, "we cannot tell" in unsent.text) == (503, True)
    assert len([one for one in jsm.seen if one.method == "POST" and one.path == path]) == 1
    hosted.site.clock.advance(31)
    assert send(browser, page, at(issue, "/comment"), {"text": "Once"}).status == 303
    assert len(issue.comments) == 1


def test_a_site_that_refused_has_taken_nothing(hosted: HostedSite, jsm: LocalJsm, ann: Browser) -> None:
    issue = hosted.request(hosted.ann)
    page = ann.get(at(issue))
    jsm.break_with(Fault("status", path=f"/rest/servicedeskapi/request/{issue.key}/comment", method="POST", status=403, times=1))
    assert "Nothing was sent" in send(ann, page, at(issue, "/comment"), {"text": "Once"}).text
    assert send(ann, page, at(issue, "/comment"), {"text": "Once"}).status == 303
    assert len(issue.comments) == 1


def test_beyond_the_limits_it_is_kept_and_can_be_discarded(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(limits={"comments_per_hour": 1})
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    answers = [send(browser, browser.get(at(issue)), at(issue, "/comment"), {"text": f"number {n}"}) for n in range(2)]
    assert [one.status for one in answers] == [303, 429]
    assert "What you typed is kept for you." in answers[1].text
    assert f'href="{at(issue)}"' in answers[1].text
    page = browser.get(at(issue))
    assert "\nnumber 1</textarea>" in page.text
    assert send(browser, page, at(issue, "/comment"), {"text": "number 1", "discard": "1"}).status == 303
    assert (drafts(hosted), len(issue.comments), "number 1" in browser.get(at(issue)).text) == (0, 1, False)


def test_good_files_stay_when_the_words_need_another_look(hosted: HostedSite, jsm: LocalJsm, ann: Browser) -> None:
    jsm.site.attachment_limit = 2_000
    issue = hosted.request(hosted.ann)
    big = ("big.bin", "a/b", b"x" * 2_001)
    again = send_files(ann, ann.get(at(issue)), at(issue, "/comment"), {"text": TYPED}, [("files", NOTE), ("files", big)])
    assert (again.status, SHOWN in again.text) == (400, True)
    assert [box.partition(" ")[2] for box in kept_boxes(again)] == ["note.txt"]
    sent = send(ann, again, at(issue, "/comment"), {"text": TYPED, "kept": kept_boxes(again)})
    assert (sent.status, [one.filename for one in issue.attachments]) == (303, ["note.txt"])


def test_a_box_that_was_made_up_brings_nobody_s_file(hosted: HostedSite, ann: Browser) -> None:
    issue = hosted.request(hosted.ann, participants=[hosted.ben])
    sent_too_late(hosted, ann, issue, text=TYPED)
    logged_in_again(hosted, ann, hosted.ann, issue)
    ben = Browser(hosted.site)
    page = logged_in_again(hosted, ben, hosted.ben, issue)
    assert send(ben, page, at(issue, "/comment"), {"text": "mine", "kept": "0 note.txt"}).status == 303
    assert issue.attachments == []


def test_the_store_holds_nothing_readable_and_forgets_it_with_the_customer(hosted: HostedSite, ann: Browser) -> None:
    issue = hosted.request(hosted.ann)
    sent_too_late(hosted, ann, issue, text="a most secret matter")
    store = hosted.site.deployment.store
    for file in hosted.folder.glob("**/*.db*"):
        assert b"most secret matter" not in file.read_bytes()
    store.forget("ann@acme.example")
    assert drafts(hosted) == 0
