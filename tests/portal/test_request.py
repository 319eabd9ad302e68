"""A request as its customers see it, who else may see it, and how they move it on."""

from __future__ import annotations

import re
import threading
import time
from typing import Any

import pytest

from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_requests import LocalIssue
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.portal.conftest import MakeHosted
from tests.portal.hosted_site import HostedSite, at, conversation, send, token_for
from tests.runtime.site import Answer, Browser

# What is shown ------------------------------------------------------------------------------------


def test_a_page_tells_the_whole_story_in_order(hosted: HostedSite) -> None:
    issue = hosted.request(hosted.ann, description="The left screen goes black.")
    requests = hosted.jsm.site.requests
    requests.add_comment(issue, hosted.agent, "Another cable?")
    requests.add_comment(issue, hosted.ann, "It helps.")
    page = hosted.signed_in(hosted.ann).get(at(issue))
    assert conversation(page) == [("You", "The left screen goes black."), ("Grace", "Another cable?"), ("You", "It helps.")]
    assert "Waiting for support" in page.text
    assert "Get IT help" in page.text


def test_status_changes_stand_among_the_comments(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(help={"customer_transitions": ["Resolve this issue"]})
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    send(browser, browser.get(at(issue)), at(issue, "/transition"), {"transition": "51"})
    assert conversation(browser.get(at(issue)))[-1] == ("", "Status changed to Resolved, ")


def test_internal_comments_are_neither_shown_nor_fetched(hosted: HostedSite, jsm: LocalJsm) -> None:
    issue = hosted.request(hosted.ann)
    jsm.site.requests.add_comment(issue, hosted.agent, "The customer must not know.", public=False)
    browser = hosted.signed_in(hosted.ann)
    number = len(jsm.seen)
    assert "must not know" not in browser.get(at(issue)).text
    assert "must not know" not in browser.get(at(issue, "/updates?after=0")).text
    assert not [one.path for one in hosted.calls_since(number) if b"must not know" in one.answer]
    asked = [dict(one.query) for one in hosted.calls_since(number) if one.path.endswith("/comment")]
    assert len(asked) == 2
    assert all((one["public"], one["internal"]) == ("true", "false") for one in asked)


def test_nothing_asks_for_comments_or_files_by_expanding_a_request(hosted: HostedSite, jsm: LocalJsm) -> None:
    issue = hosted.request(hosted.ann)
    hosted.signed_in(hosted.ann).get(at(issue))
    asked = [dict(one.query).get("expand", "") for one in jsm.seen if re.search(r"/request/[^/]+$|/issue/[^/]+$", one.path)]
    assert asked
    assert not [one for one in asked if "comment" in one or "attachment" in one or "sla" in one]


def test_what_jsm_renders_is_rebuilt(hosted: HostedSite, jsm: LocalJsm) -> None:
    issue = hosted.request(hosted.ann)
    html = '<p onclick="x()">Look <a href="javascript:x()">here</a><script>alert(1)</script><img src="https://evil.example/p.gif"></p>'
    jsm.site.requests.add_comment(issue, hosted.agent, "x", html=html)
    page = hosted.signed_in(hosted.ann).get(at(issue))
    assert '<p>Look <a rel="noopener nofollow ugc">here</a></p>' in page.text
    assert "evil.example" not in page.text


@pytest.mark.parametrize("where", ["summary", "name", "fields"])
def test_what_people_write_stays_text(hosted: HostedSite, jsm: LocalJsm, where: str) -> None:
    nasty = '"><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}'
    issue = hosted.request(hosted.ann, nasty if where == "summary" else "x", values={"duedate": nasty} if where == "fields" else {})
    if where == "name":
        jsm.site.requests.add_comment(issue, hosted.customer("eve@acme.example", nasty), "x")
    page = hosted.signed_in(hosted.ann).get(at(issue))
    assert page.status == 200
    assert "<img src=x" not in page.text
    assert "<script>" not in page.text


def test_a_page_costs_two_round_trips(hosted: HostedSite, jsm: LocalJsm) -> None:
    issue = hosted.request(hosted.ann, participants=[hosted.ben])
    browser = hosted.signed_in(hosted.ann)
    send(browser, browser.get(at(issue)), at(issue, "/comment"), {"text": "Hello"})
    browser.get(at(issue))
    jsm.site.latency["/rest/"] = 0.6
    began = time.monotonic()
    assert browser.get(at(issue)).status == 200
    assert rounds(jsm, began, 0.6) == 2


def rounds(jsm: LocalJsm, since: float, latency: float) -> int:
    """How many times one call had to wait for another one's answer: calls of one round come within less than one answer takes."""
    starts = sorted(one.at for one in jsm.seen if one.at >= since)
    count, began = 0, float("-inf")
    for start in starts:
        if start >= began + latency * 0.9:
            count, began = count + 1, start
    return count


def test_agreements_are_shown_only_where_the_profile_names_them(make_hosted: MakeHosted, jsm: LocalJsm) -> None:
    hosted = make_hosted(help={"show_sla": ["Time to resolution"]})
    page = hosted.signed_in(hosted.ann).get(at(hosted.request(hosted.ann)))
    assert "Time to resolution" in page.text
    assert "Time to first response" not in page.text
    other = make_hosted()
    number = len(jsm.seen)
    page = other.signed_in(other.ann).get(at(other.request(other.ann)))
    assert "Time to" not in page.text
    assert not [one.path for one in other.calls_since(number) if one.path.endswith(("/sla", "/transition"))]


@pytest.mark.parametrize("path", ["/status", "/sla", "/transition", "/participant", "/attachment/meta"])
def test_the_page_comes_without_what_it_can_do_without(make_hosted: MakeHosted, jsm: LocalJsm, path: str) -> None:
    hosted = make_hosted(help={"show_sla": ["Time to resolution"], "customer_transitions": ["Resolve this issue"]})
    issue = hosted.request(hosted.ann, description="Still here", participants=[hosted.ben])
    browser = hosted.signed_in(hosted.ann)
    prefix = "/rest/api/3" if path.endswith("meta") else f"/rest/servicedeskapi/request/{issue.key}"
    jsm.break_with(Fault("status", status=403, path=prefix + path))
    page = browser.get(at(issue))
    assert (page.status, "Still here" in page.text) == (200, True)


# Moving on ----------------------------------------------------------------------------------------


def test_customers_make_only_transitions_that_the_profile_gives_them(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(help={"customer_transitions": ["Resolve this issue", "Reopen"]})
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    page = browser.get(at(issue))
    assert "Resolve this issue" in page.text
    assert "Escalate this issue" not in page.text
    refused = send(browser, page, at(issue, "/transition"), {"transition": "41"})
    assert (refused.status, issue.status) == (409, "Waiting for support")
    done = send(browser, browser.get(at(issue)), at(issue, "/transition"), {"transition": "51"})
    assert (done.status, done.location, issue.status) == (303, at(issue), "Resolved")
    assert [(line["transition"], line["request"]) for line in hosted.audit("transition.done")] == [("Resolve this issue", issue.key)]


def test_a_double_click_moves_it_once(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(help={"customer_transitions": ["Resolve this issue"]})
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    page = browser.get(at(issue))
    assert [send(browser, page, at(issue, "/transition"), {"transition": "51"}).status for _ in range(2)] == [303, 303]
    assert len(hosted.audit("transition.done")) == 1


def test_without_transitions_in_the_profile_there_are_none(hosted: HostedSite) -> None:
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    page = browser.get(at(issue))
    assert "/transition" not in page.text
    assert browser.post(at(issue, "/transition"), {"transition": "51"}).status == 403
    assert issue.status == "Waiting for support"


# Sharing ------------------------------------------------------------------------------------------


def shared_with(page: Answer) -> list[str]:
    """The names in the list."""
    found = re.search(r"<dt>Shared with</dt>(.*?)</dd></div>", page.text, re.DOTALL)
    assert found, page.text
    return re.findall(r'between"><span dir="auto">(.*?)</span>', found[1])


def test_a_request_is_shared_with_an_own_organization_and_taken_back(hosted: HostedSite) -> None:
    colleague = hosted.customer("cy@acme.example", "Cy", "Acme")
    issue = hosted.request(hosted.ann)
    browser, other = hosted.signed_in(hosted.ann), hosted.signed_in(colleague)
    acme = hosted.jsm.site.organization("Acme")
    assert acme is not None
    assert other.get(at(issue)).status == 404
    done = send(browser, browser.get(at(issue)), at(issue, "/share"), {"organization": acme.id})
    page = browser.get(done.location)
    assert (issue.organizations, shared_with(page)) == ([acme.id], ["Acme"])
    assert "Done." in page.text
    assert other.get(at(issue)).status == 200
    assert "Remove" not in other.get(at(issue)).text, "only whoever shared it takes it back"
    theirs = {"token": token_for(hosted, other, f"{issue.key}/share", "HELP"), "remove": f"organization:{acme.id}"}
    assert other.post(at(issue, "/share"), theirs).status == 303
    assert issue.organizations == [acme.id]
    send(browser, page, at(issue, "/share"), {"remove": f"organization:{acme.id}"})
    assert (issue.organizations, other.get(at(issue)).status) == ([], 404)
    assert [line.get("removed") for line in hosted.audit("shared")] == [None, True]


def test_other_organizations_cannot_be_chosen_and_the_answer_does_not_tell(hosted: HostedSite) -> None:
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    globex = hosted.jsm.site.organization("Globex")
    assert globex is not None
    page = browser.get(at(issue))
    assert "Globex" not in page.text
    answers = [send(browser, page, at(issue, "/share"), {"organization": one}) for one in (globex.id, "999", "x")]
    assert {(one.status, one.location) for one in answers} == {(303, f"{at(issue)}?done=shared")}
    assert issue.organizations == []


def test_what_others_shared_stays_when_somebody_shares_too(hosted: HostedSite) -> None:
    issue = hosted.request(hosted.ann, organizations=["Globex"])
    browser = hosted.signed_in(hosted.ann)
    acme, globex = hosted.jsm.site.organization("Acme"), hosted.jsm.site.organization("Globex")
    assert acme is not None
    assert globex is not None
    page = browser.get(at(issue))
    assert shared_with(page) == ["Another organization"]
    send(browser, page, at(issue, "/share"), {"organization": acme.id})
    assert set(issue.organizations) == {acme.id, globex.id}
    send(browser, page, at(issue, "/share"), {"remove": f"organization:{globex.id}"})
    assert set(issue.organizations) == {acme.id, globex.id}


def test_unknown_hidden_and_known_addresses_get_the_same_answer(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(help={"sharing": "typed_addresses"})
    hosted.jsm.site.add_customer("hidden@acme.example", "Hidden", hidden=True)
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    pages = []
    for email in ("ben@globex.example", "nobody@acme.example", "hidden@acme.example"):
        answer = send(browser, browser.get(at(issue)), at(issue, "/share"), {"address": email})
        assert (answer.status, answer.location) == (303, f"{at(issue)}?done=shared")
        pages.append(browser.get(answer.location))
    assert issue.participants == [hosted.ben.id]
    assert shared_with(pages[-1]) == ["ben@globex.example", "nobody@acme.example", "hidden@acme.example"]
    assert "Ben Ray" not in pages[-1].text
    assert hosted.signed_in(hosted.ben).get(at(issue)).status == 200

    send(browser, browser.get(at(issue)), at(issue, "/share"), {"remove": "nobody@acme.example"})
    send(browser, browser.get(at(issue)), at(issue, "/share"), {"remove": "ben@globex.example"})
    assert (issue.participants, shared_with(browser.get(at(issue)))) == ([], ["hidden@acme.example"])


def test_people_whom_others_added_cannot_be_removed(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(help={"sharing": "typed_addresses"})
    issue = hosted.request(hosted.ann, participants=[hosted.ben])
    browser = hosted.signed_in(hosted.ann)
    page = browser.get(at(issue))
    assert shared_with(page) == ["Ben Ray"]
    for form in (
        {"remove": "ben@globex.example"},
        {"remove": hosted.ben.id},
        {"address": "ben@globex.example"},
        {"remove": "ben@globex.example"},
    ):
        send(browser, page, at(issue, "/share"), form)
    assert issue.participants == [hosted.ben.id]


def test_no_address_is_looked_up_while_it_is_not_whole(make_hosted: MakeHosted, jsm: LocalJsm) -> None:
    hosted = make_hosted(help={"sharing": "typed_addresses"})
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    page = browser.get(at(issue))
    number = len(jsm.seen)
    again = send(browser, page, at(issue, "/share"), {"address": "ben@"})
    assert (again.status, "This is not a whole email address." in again.text) == (400, True)
    assert not [one.path for one in hosted.calls_since(number) if "user" in one.path]


@pytest.mark.parametrize("form", [{"organization": "1"}, {"address": "ben@globex.example"}, {"remove": "organization:1"}])
@pytest.mark.parametrize("sharing", ["none", "own_organizations"])
def test_the_profile_says_with_whom(make_hosted: MakeHosted, sharing: str, form: dict[str, Any]) -> None:
    hosted = make_hosted(help={"sharing": sharing})
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    page = browser.get(at(issue))
    assert 'name="address"' not in page.text
    if sharing == "none":
        assert "/share" not in page.text
    elif "address" in form:
        send(browser, page, at(issue, "/share"), form)
    assert (issue.participants, issue.organizations) == ([], [])


def test_addresses_are_limited_like_comments(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(help={"sharing": "typed_addresses"}, limits={"comments_per_hour": 2})
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    page = browser.get(at(issue))
    assert [send(browser, page, at(issue, "/share"), {"address": f"a{n}@b.example"}).status for n in range(3)] == [303, 303, 429]


def test_two_customers_side_by_side_have_their_own_pages(hosted: HostedSite) -> None:
    """Whatever is remembered of one page is not on another's."""
    mine, theirs = hosted.request(hosted.ann, "Ann's"), hosted.request(hosted.ben, "Ben's")
    browsers = {mine.key: hosted.signed_in(hosted.ann), theirs.key: hosted.signed_in(hosted.ben)}
    wrong: list[str] = []

    def look(browser: Browser, own: LocalIssue, other: LocalIssue) -> None:
        seen = [(browser.get(at(own)).status, browser.get(at(other)).status) for _ in range(6)]
        wrong.extend(own.key for pair in seen if pair != (200, 404))

    threads = [threading.Thread(target=look, args=(browsers[a.key], a, b)) for a, b in ((mine, theirs), (theirs, mine)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
