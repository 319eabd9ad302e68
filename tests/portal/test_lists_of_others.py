"""Lists of requests that others raised: those that a customer approves, and those of their organizations; what a search finds."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsmsso.portal.queries import own_requests, shared_requests
from jsmsso.sandbox.jsm_faults import Fault
from tests.jsm.checked_site import checked_jsm
from tests.portal.conftest import MakeHosted
from tests.portal.desks import desks
from tests.portal.hosted_site import SERVICE_ACCOUNT, HostedSite
from tests.portal.served_here import BEGAN
from tests.portal.test_listing import FIELDS, SEARCH, listed
from tests.runtime.site import Browser

# Requests to approve -------------------------------------------------------------------------------


def test_a_request_that_a_customer_only_approves_is_in_their_list_and_on_their_home(hosted: HostedSite, ben: Browser) -> None:
    hosted.request(hosted.ann, "Please approve", approvers=[hosted.ben])
    hosted.request(hosted.ann, "Somebody else approves", approvers=[hosted.customer("cy@acme.example", "Cy")])
    hosted.request(hosted.ann, "At a portal that is not served", desk="FAC", approvers=[hosted.ben])
    assert listed(ben.get("/requests")) == ["Please approve"]
    assert listed(ben.get("/portal/HELP")) == ["Please approve"]
    assert listed(ben.get("/requests?q=approve")) == ["Please approve"]
    assert listed(ben.get("/requests?whose=organization")) == []


def test_data_center_lists_them_too(make_hosted: MakeHosted) -> None:
    with checked_jsm(accounts=(SERVICE_ACCOUNT,), desks=desks(deployment="Server"), data_center=True) as site:
        hosted = make_hosted(jsm=site)
        hosted.request(hosted.ann, "Please approve", approvers=[hosted.ben])
        assert listed(hosted.signed_in(hosted.ben).get("/requests")) == ["Please approve"]
        hosted.site.close()


def test_whoever_is_no_approver_any_more_loses_the_row(hosted: HostedSite, ben: Browser) -> None:
    issue = hosted.request(hosted.ann, "Please approve", approvers=[hosted.ben])
    assert listed(ben.get("/requests")) == ["Please approve"]
    issue.approvers.clear()
    assert listed(ben.get("/requests")) == []


def test_a_row_whose_approvers_the_answer_does_not_tell_is_left_out(
    hosted: HostedSite, ben: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The question is no proof: the row itself has to name the customer."""
    hosted.request(hosted.ann, "Please approve", approvers=[hosted.ben])
    monkeypatch.setattr("jsmsso.jsm.requests.issues._approvers", lambda value, site: iter(()))
    assert listed(ben.get("/requests")) == []


def test_a_site_that_does_not_know_the_function_lists_the_rest_and_is_not_asked_twice(hosted: HostedSite, ann: Browser) -> None:
    hosted.request(hosted.ann, "Hers")
    hosted.jsm.break_with(Fault("status", SEARCH, times=1, status=400))
    before = len(hosted.jsm.seen)
    assert listed(ann.get("/requests")) == ["Hers"]
    assert listed(ann.get("/requests")) == ["Hers"]
    questions = [json.loads(call.body)["jql"] for call in hosted.calls_since(before) if call.path == SEARCH]
    assert ["approver(" in question for question in questions] == [True, False, False]


# Who raised them ------------------------------------------------------------------------------------


def test_lists_of_organizations_say_who_raised_each_without_another_call_and_without_an_address(hosted: HostedSite, ann: Browser) -> None:
    cy = hosted.customer("cy@acme.example", "Cy <b>Dee</b>", "Acme")
    nameless = hosted.customer("dan@acme.example", "dan@acme.example", "Acme")
    for number, person in enumerate((hosted.ann, cy, nameless)):
        hosted.request(person, f"Request {number}", organizations=["Acme"], created=BEGAN - timedelta(days=1 + number))
    ann.get("/requests?whose=organization")
    before = len(hosted.jsm.seen)
    page = ann.get("/requests?whose=organization")
    assert listed(page) == ["Request 0", "Request 1", "Request 2"]
    assert page.text.count("Raised by") == 2
    assert "Raised by you" in page.text
    assert "Raised by <bdi>Cy &lt;b&gt;Dee&lt;/b&gt;</bdi>" in page.text
    assert "dan@acme.example" not in page.text
    assert len(hosted.calls_since(before)) == 2, "whose organizations, and the search"
    assert "Raised by" not in ann.get("/requests").text


def test_a_name_that_is_an_address_is_shown_to_nobody_else(hosted: HostedSite, ann: Browser) -> None:
    nameless = hosted.customer("dan@acme.example", "dan@acme.example", "Acme")
    issue = hosted.request(nameless, "Theirs", organizations=["Acme"], participants=[hosted.customer("eve@x.example", "eve@x.example")])
    hosted.jsm.site.requests.add_comment(issue, nameless, "Any news?", public=True)
    page = ann.get(f"/portal/HELP/{issue.key}")
    assert "Any news?" in page.text
    assert "dan@acme.example" not in page.text
    assert "eve@x.example" not in page.text
    assert page.text.count("A customer") == 3, "who raised it, who wrote, and who takes part"


# Searching ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "HELP-1",
        " help-1 ",
        "#HELP-1",
        "(help-1).",
        "[HELP-1]",
        "https://sso.acme.example/portal/HELP/HELP-1",
        "https://acme.atlassian.net/servicedesk/customer/portal/1/HELP-1?x=y#comment-3",
    ],
)
def test_a_key_is_known_however_it_is_typed_or_pasted(ann: Browser, typed: str) -> None:
    answer = ann.get(f"/requests?{urlencode({'q': typed})}")
    assert (answer.status, answer.location) == (302, "/portal/HELP/HELP-1")


@pytest.mark.parametrize(
    "typed", ["HELP", "1", "HELP-0x1", "HELP-1 HELP-2", "https://[", "https://a.example/HELP-1/edit", "FAC-1", "//HELP-1"]
)
def test_whatever_is_no_key_of_a_portal_here_is_looked_for_in_summaries(hosted: HostedSite, ann: Browser, typed: str) -> None:
    hosted.request(hosted.ann, "Monitor")
    assert listed(ann.get(f"/requests?{urlencode({'q': typed})}")) == []


def test_a_key_of_somebody_else_tells_nothing(hosted: HostedSite, ann: Browser) -> None:
    theirs = hosted.request(hosted.ben, "His")
    pages = [ann.get(ann.get(f"/requests?q={key}").location) for key in (theirs.key, "HELP-9999")]
    assert [page.status for page in pages] == [404, 404]
    assert "His" not in pages[0].text


@pytest.mark.parametrize("where", ["description", "comment"])
def test_no_search_tells_what_a_customer_may_not_read(hosted: HostedSite, ann: Browser, where: str) -> None:
    """A type may fill in the description by itself, for agents alone; and comments may be internal."""
    issue = hosted.request(hosted.ann, "Monitor", values={"description": "a suspicious customer"})
    hosted.jsm.site.requests.add_comment(issue, hosted.agent, "suspicious", public=False)
    for words in ("suspicious", "monitor suspicious", "suspici*", 'x" OR text ~ "suspicious', f'x" OR {where} ~ "suspicious'):
        for whose in ("mine", "organization"):
            assert listed(ann.get(f"/requests?{urlencode({'q': words, 'whose': whose, 'state': 'all'})}")) == []


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80), st.sampled_from(("open", "closed", "all")))
def test_no_words_make_jira_look_anywhere_but_in_summaries(words: str, state: str) -> None:
    for jql in (own_requests(FIELDS, "person", ["HELP"], state, words), shared_requests(FIELDS, ["7"], ["HELP"], state, words)):
        outside = re.sub(r'"(?:[^"\\]|\\.)*"', '""', jql)
        assert re.findall(r"(\S+) !?~", outside) in ([], ["summary"])
        assert not re.search(r"\b(text|description|comment|environment|worklog\w*)\b", outside, re.IGNORECASE)
