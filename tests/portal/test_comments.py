"""What customers write into a request, and the files that they send with it."""

from __future__ import annotations

import re
import threading
import time

import pytest

from jsmsso.portal.comment_text import escaped
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import checked_jsm
from tests.portal.conftest import MakeHosted
from tests.portal.hosted_site import SERVICE_ACCOUNT, HostedSite, at, conversation, form_at, multipart, send, send_files
from tests.runtime.site import OWN_FORM, Answer

# Comments -----------------------------------------------------------------------------------------


def test_a_comment_is_the_customer_s_own(hosted: HostedSite, jsm: LocalJsm) -> None:
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    answer = send(browser, browser.get(at(issue)), at(issue, "/comment"), {"text": "Still dark"})
    (comment,) = issue.comments
    assert (answer.status, answer.location) == (303, f"{at(issue)}#comment-{comment.id}")
    assert comment.body == "Ann Lee (ann@acme.example) wrote in the customer portal:\n\nStill dark"
    assert (comment.public, comment.author_id) == (True, hosted.bot)
    assert comment.properties == {"jsmsso.author": {"accountId": hosted.ann.id}}
    assert conversation(browser.get(at(issue)))[-1] == ("You", "Still dark")
    (line,) = hosted.audit("comment.added")
    assert (line["email"], line["request"], line["comment"], line["portal"]) == ("ann@acme.example", issue.key, comment.id, "HELP")


def test_others_read_who_wrote_it(hosted: HostedSite) -> None:
    issue = hosted.request(hosted.ann, participants=[hosted.ben])
    browser = hosted.signed_in(hosted.ann)
    send(browser, browser.get(at(issue)), at(issue, "/comment"), {"text": "Still dark"})
    page = hosted.signed_in(hosted.ben).get(at(issue))
    assert conversation(page)[-1] == ("Ann Lee", "Still dark")
    assert "ann@acme.example" not in page.text


def test_every_worker_knows_who_wrote_it(hosted: HostedSite) -> None:
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    send(browser, browser.get(at(issue)), at(issue, "/comment"), {"text": "Still dark"})
    assert conversation(browser.get(at(issue), application=hosted.site.another_worker()))[-1] == ("You", "Still dark")


def test_a_property_counts_on_comments_of_ours_alone(hosted: HostedSite, jsm: LocalJsm) -> None:
    issue = hosted.request(hosted.ann)
    forged = jsm.site.requests.add_comment(issue, hosted.agent, "I agree")
    forged.properties["jsmsso.author"] = {"accountId": hosted.ann.id}
    assert conversation(hosted.signed_in(hosted.ann).get(at(issue)))[-1] == ("Grace", "I agree")


def test_a_first_line_counts_for_nothing(hosted: HostedSite, jsm: LocalJsm) -> None:
    issue = hosted.request(hosted.ann)
    text = "Ann Lee (ann@acme.example) wrote in the customer portal:\n\nI agree"
    jsm.site.requests.add_comment(issue, hosted.agent, text)
    jsm.site.requests.add_comment(issue, hosted.bot, text)
    said = conversation(hosted.signed_in(hosted.ann).get(at(issue)))
    assert [who for who, _ in said[1:]] == ["Grace", "SSO bot"]
    assert all("wrote in the customer portal" in words for _, words in said[1:])


@pytest.mark.parametrize(
    "text",
    [
        "[~accountid:1] hello",
        "[bank|https://evil.example]",
        "!https://evil.example/p.gif!",
        "{code}x{code}",
        "https://a.example",
        "a\n\n* b\nC:\\x",
    ],
)
def test_markup_reaches_jira_without_effect_and_the_reader_as_it_was_typed(hosted: HostedSite, jsm: LocalJsm, text: str) -> None:
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    page = browser.get(send(browser, browser.get(at(issue)), at(issue, "/comment"), {"text": text}).location)
    assert issue.comments[0].body.endswith(escaped(text))
    (rendered,) = [one.answer.decode() for one in jsm.seen if one.path.endswith(f"{issue.key}/comment") and one.method == "GET"][-1:]
    assert "<a " not in rendered
    assert "<img" not in rendered
    words = re.sub(r"<br>|</p><p>", "\n", re.findall(r'said-by-others" dir="auto"><p>(.*?)</p></div>', page.text, re.DOTALL)[-1])
    assert words == text.replace("\n\n", "\n")


@pytest.mark.parametrize(
    "text, said",
    [
        pytest.param("", "Write something, or choose a file.", id="nothing"),
        pytest.param("  \r\n ", "Write something, or choose a file.", id="nothing to read"),
        pytest.param("x" * 40_000, "This is too long for one comment.", id="too much"),
        pytest.param("[" * 20_000, "This is too long for one comment.", id="too much for Jira"),
    ],
)
def test_what_cannot_be_sent_is_on_the_page_again(hosted: HostedSite, text: str, said: str) -> None:
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    page = send(browser, browser.get(at(issue)), at(issue, "/comment"), {"text": text})
    assert page.status == 400
    assert said in page.text
    assert text.strip() in page.text
    assert issue.comments == []


def test_a_double_click_makes_one_comment(hosted: HostedSite) -> None:
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    page = browser.get(at(issue))
    answers: list[Answer] = []
    clicks = [
        threading.Thread(target=lambda: answers.append(send(browser, page, at(issue, "/comment"), {"text": "Once"}))) for _ in range(3)
    ]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    assert len(issue.comments) == 1
    assert {one.location for one in answers} == {f"{at(issue)}#comment-{issue.comments[0].id}"}
    assert len(hosted.audit("comment.added")) == 1


def test_an_answer_that_got_lost_makes_no_second_comment(hosted: HostedSite, jsm: LocalJsm) -> None:
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    hosted.site.clock.seconds = time.time()  # as the site's
    page = browser.get(at(issue))
    jsm.break_with(Fault("lost", path=f"/rest/servicedeskapi/request/{issue.key}/comment", method="POST", times=1))
    answer = send(browser, page, at(issue, "/comment"), {"text": "Once"})
    assert answer.status == 303
    assert [one.properties for one in issue.comments] == [{"jsmsso.author": {"accountId": hosted.ann.id}}]


def test_a_comment_whose_answer_got_lost_is_found_when_it_is_sent_again(hosted: HostedSite, jsm: LocalJsm) -> None:
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    hosted.site.clock.seconds = time.time()
    page = browser.get(at(issue))
    comments = f"/rest/servicedeskapi/request/{issue.key}/comment"
    jsm.break_with(Fault("lost", path=comments, method="POST", times=1))
    jsm.break_with(Fault("status", status=500, path=comments, method="GET"))
    unsent = send(browser, page, at(issue, "/comment"), {"text": "Once"})
    assert (unsent.status, "we cannot tell whether your comment arrived" in unsent.text, len(issue.comments)) == (503, True, 1)
    jsm.faults.clear()
    assert send(browser, unsent, at(issue, "/comment"), {"text": "Once"}).status == 303
    assert [one.properties for one in issue.comments] == [{"jsmsso.author": {"accountId": hosted.ann.id}}]
    assert len(hosted.audit("comment.added")) == 1


@pytest.mark.parametrize(
    "fault, said",
    [
        pytest.param(Fault("dropped", method="POST"), "we cannot tell whether your comment arrived", id="no answer"),
        pytest.param(Fault("status", status=403, method="POST"), "Nothing was sent", id="refused"),
    ],
)
def test_while_jsm_fails_the_words_are_kept_on_the_page(hosted: HostedSite, jsm: LocalJsm, fault: Fault, said: str) -> None:
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    page = browser.get(at(issue))
    jsm.break_with(fault)
    unsent = send(browser, page, at(issue, "/comment"), {"text": "My <long> story"})
    assert unsent.status == 503
    assert said in unsent.text
    assert "\nMy &lt;long&gt; story</textarea>" in unsent.text
    jsm.faults.clear()
    assert send(browser, unsent, at(issue, "/comment"), {"text": "My <long> story"}).status == 303
    assert len(issue.comments) == 1


def test_a_comment_without_its_property_is_said_in_the_log_and_stays(hosted: HostedSite, jsm: LocalJsm) -> None:
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    page = browser.get(at(issue))
    jsm.break_with(Fault("status", status=403, method="PUT"))
    assert send(browser, page, at(issue, "/comment"), {"text": "x"}).status == 303
    assert len(issue.comments) == 1
    assert len(hosted.site.events("comment.without_author")) == 1
    assert conversation(browser.get(at(issue)))[-1][0] == "SSO bot"


def test_a_comment_moves_the_request_on_where_the_profile_says_so(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(help={"on_customer_comment": {"transition": "Respond to support"}})
    waiting, other = hosted.request(hosted.ann, status="Waiting for customer"), hosted.request(hosted.ann, status="In progress")
    browser = hosted.signed_in(hosted.ann)
    for issue in (waiting, other):
        assert send(browser, browser.get(at(issue)), at(issue, "/comment"), {"text": "Here"}).status == 303
    assert (waiting.status, other.status) == ("Waiting for support", "In progress")
    (line,) = hosted.audit("transition.done")
    assert (line["request"], line["transition"], line["comment"]) == (waiting.key, "Respond to support", waiting.comments[-1].id)


def test_new_comments_come_as_a_part_of_the_page(hosted: HostedSite, jsm: LocalJsm) -> None:
    issue = hosted.request(hosted.ann)
    first = jsm.site.requests.add_comment(issue, hosted.agent, "First")
    browser = hosted.signed_in(hosted.ann)
    assert browser.get(at(issue, f"/updates?after={first.id}")).text.strip() == ""
    jsm.site.requests.add_comment(issue, hosted.agent, "Second")
    jsm.site.requests.add_comment(issue, hosted.agent, "Secret", public=False)
    part = browser.get(at(issue, f"/updates?after={first.id}"))
    assert part.status == 200
    assert conversation(part) == [("Grace", "Second")]
    assert len(conversation(browser.get(at(issue, "/updates?after=x")))) == 2


def test_comments_are_limited(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(limits={"comments_per_hour": 2})
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    statuses = [send(browser, browser.get(at(issue)), at(issue, "/comment"), {"text": f"{n}"}).status for n in range(3)]
    assert statuses == [303, 303, 429]
    assert len(issue.comments) == 2
    assert [line["what"] for line in hosted.audit("spam.limited")] == ["comments"]


# Files --------------------------------------------------------------------------------------------

TEXT = ("notes.txt", "text/plain", b"hello")


def test_files_come_with_a_comment_or_by_themselves(hosted: HostedSite) -> None:
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    page = browser.get(at(issue))
    answer = send_files(
        browser, page, at(issue, "/comment"), {"text": "See these"}, [("files", TEXT), ("files", ("b.bin", "x/y", b"\0\1"))]
    )
    assert answer.status == 303
    assert send_files(browser, browser.get(at(issue)), at(issue, "/attachment"), {}, [("files", TEXT)]).status == 303
    assert [(one.filename, one.content) for one in issue.attachments] == [
        ("notes.txt", b"hello"),
        ("b.bin", b"\0\1"),
        ("notes.txt", b"hello"),
    ]
    assert [one.public for one in issue.comments] == [True, True]
    said = conversation(browser.get(at(issue)))
    assert said[-2:] == [("You", "See these"), ("You", "")]
    lines = hosted.audit("attachment.added")
    assert [(line["file"], line["size"]) for line in lines] == [("notes.txt", 5), ("b.bin", 2), ("notes.txt", 5)]
    assert len(hosted.audit("comment.added")) == 1


@pytest.mark.parametrize(
    "name, kept",
    [
        pytest.param("../../etc/passwd", "passwd", id="a path"),
        pytest.param("a\u202etxt.exe", "a_txt.exe", id="a name that turns round"),
        pytest.param("übersicht 東京.pdf", "übersicht 東京.pdf", id="letters of others"),
        pytest.param("x" * 300 + ".pdf", "x" * 196 + ".pdf", id="long"),
    ],
)
def test_names_of_files_are_made_harmless(hosted: HostedSite, name: str, kept: str) -> None:
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    assert send_files(browser, browser.get(at(issue)), at(issue, "/comment"), {"text": ""}, [("files", (name, "a/b", b"x"))]).status == 303
    assert [one.filename for one in issue.attachments] == [kept]


@pytest.mark.parametrize(
    "files, said",
    [
        pytest.param([("big.bin", "a/b", b"x" * 2_001)], "A file is too large.", id="too large"),
        pytest.param([("none.bin", "a/b", b"")], "A file is empty.", id="empty"),
        pytest.param([("a", "a/b", b"x")] * 21, "too many files", id="too many"),
    ],
)
def test_files_that_cannot_be_sent(hosted: HostedSite, jsm: LocalJsm, files: list[tuple[str, str, bytes]], said: str) -> None:
    jsm.site.attachment_limit = 2_000
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    page = browser.get(at(issue))
    assert "up to 2 kB each" in page.text
    again = send_files(browser, page, at(issue, "/comment"), {"text": "My words"}, [("files", one) for one in files])
    assert (again.status, said in again.text, "My words</textarea>" in again.text) == (400, True, True)
    assert (issue.attachments, issue.comments) == ([], [])


def test_a_site_that_takes_no_files_offers_no_place_for_them(hosted: HostedSite, jsm: LocalJsm) -> None:
    jsm.site.attachments_enabled = False
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    page = browser.get(at(issue))
    assert 'type="file"' not in page.text
    body, kind = multipart({**form_at(page, "/comment"), "text": "x"}, [("files", TEXT)])
    again = browser.request("POST", at(issue, "/comment"), {**OWN_FORM, "Content-Type": kind}, body=body)
    assert (again.status, "takes no files" in again.text) == (400, True)


def test_megabytes_are_limited(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(limits={"megabytes_per_hour": 1})
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    big = ("big.bin", "a/b", b"x" * 700_000)
    statuses = [send_files(browser, browser.get(at(issue)), at(issue, "/comment"), {"text": ""}, [("files", big)]).status for _ in range(2)]
    assert (statuses, len(issue.attachments)) == ([303, 429], 1)


def test_data_center_takes_comments_and_files_and_hands_them_out(make_hosted: MakeHosted) -> None:
    with checked_jsm(accounts=(SERVICE_ACCOUNT,), data_center=True) as jsm:
        hosted = make_hosted(jsm=jsm, help={"customer_transitions": ["Resolve this issue"], "sharing": "typed_addresses"})
        issue = hosted.request(hosted.ann)
        browser = hosted.signed_in(hosted.ann)
        assert send_files(browser, browser.get(at(issue)), at(issue, "/comment"), {"text": "See [~x]"}, [("files", TEXT)]).status == 303
        page = browser.get(at(issue))
        assert conversation(page)[-1] == ("You", "See [~x]")
        assert browser.get(page.link("notes.txt")).body == b"hello"
        assert send(browser, page, at(issue, "/share"), {"address": "ben@globex.example"}).status == 303
        assert conversation(hosted.signed_in(hosted.ben).get(at(issue)))[-1] == ("Ann Lee", "See [~x]")
        assert send(browser, browser.get(at(issue)), at(issue, "/transition"), {"transition": "51"}).status == 303
        assert issue.status == "Resolved"
