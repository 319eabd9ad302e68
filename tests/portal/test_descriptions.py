"""Long texts of a form: in Jira they are the words that were typed, whatever Jira's markup would make of them."""

from __future__ import annotations

import re
from html import unescape

import pytest

from jsmsso.jsm.requests.values import LONGEST_TEXT, TOO_LONG_TEXT
from jsmsso.jsm.requests.wiki_markup import escaped, unescaped
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_markup import html_of
from tests.jsm.checked_site import checked_jsm
from tests.portal.conftest import MakeHosted
from tests.portal.desks import desks
from tests.portal.hosted_site import SERVICE_ACCOUNT, HostedSite, send
from tests.portal.test_raising import TYPED, issues, place, texts
from tests.runtime.site import Browser

RAISE = "/rest/servicedeskapi/request"
MARKUP = [
    pytest.param("Please see [~accountid:1] and [~admin]", id="mentions"),
    pytest.param("[bank|https://evil.example] https://evil.example mailto:x@evil.example", id="links"),
    pytest.param("[https://acme.example|https://acme.example|smart-link]", id="a smart link"),
    pytest.param("!https://evil.example/p.gif!", id="a picture"),
    pytest.param("{code}x{code} {panel:title=x}y{panel} {jira:HELP-1}", id="macros"),
    pytest.param("h1. Title\n* b\n|a|b|\nC:\\x \\[x]", id="blocks and backslashes"),
]


def shown(page_text: str) -> str:
    """The words of the request as its page shows them."""
    found = re.search(r'said-by-others" dir="auto">(.*?)</div>', page_text, re.DOTALL)
    assert found, page_text
    return unescape(re.sub(r"<[^>]+>", "", re.sub(r"<br\s*/?>\n?|</p>\n?<p>", "\n", found[1])))


@pytest.mark.parametrize("text", MARKUP)
def test_on_data_center_no_markup_takes_effect(make_hosted: MakeHosted, text: str) -> None:
    with checked_jsm(accounts=(SERVICE_ACCOUNT,), desks=desks(deployment="Server"), data_center=True) as site:
        hosted = make_hosted(jsm=site)
        browser = hosted.signed_in(hosted.ann)
        where = place(hosted, "Everything at once")
        typed = {**TYPED, "f-customfield_10105": "10300", "f-customfield_10110": "ben@globex.example"}
        answer = send(browser, browser.get(where), where, {**typed, "f-description": text, "f-customfield_10101": text})
        assert answer.status == 303, texts(answer)
        (issue,) = issues(hosted)
        for field in ("description", "customfield_10101"):
            assert issue.values[field] == escaped(text)
            assert not re.search("<a |<img|<span|<h1", html_of(issue.values[field]))
        assert shown(browser.get(answer.location).text).startswith(text)
        hosted.site.close()


@pytest.mark.parametrize("text", MARKUP)
def test_where_cloud_takes_no_documents_no_markup_takes_effect_either(hosted: HostedSite, ann: Browser, text: str) -> None:
    hosted.jsm.break_with(Fault("status", RAISE, times=1, status=400, method="POST"))
    where = place(hosted, "Get IT help")
    answer = send(ann, ann.get(where), where, {**TYPED, "f-description": text})
    assert answer.status == 303, texts(answer)
    (issue,) = issues(hosted)
    assert issue.values["description"] == escaped(text)
    assert shown(ann.get(answer.location).text) == text


def test_a_text_that_is_too_long_only_with_its_backslashes_is_said_to_be_too_long(make_hosted: MakeHosted) -> None:
    with checked_jsm(accounts=(SERVICE_ACCOUNT,), desks=desks(deployment="Server"), data_center=True) as site:
        hosted = make_hosted(jsm=site)
        browser = hosted.signed_in(hosted.ann)
        where = place(hosted, "Get IT help")
        answer = send(browser, browser.get(where), where, {**TYPED, "f-description": "[" * (LONGEST_TEXT - 1)})
        assert (answer.status, TOO_LONG_TEXT in answer.text) == (400, True)
        assert issues(hosted) == []
        hosted.site.close()


def test_a_line_stays_as_it_is_since_jira_reads_no_markup_in_it(make_hosted: MakeHosted) -> None:
    with checked_jsm(accounts=(SERVICE_ACCOUNT,), desks=desks(deployment="Server"), data_center=True) as site:
        hosted = make_hosted(jsm=site)
        browser = hosted.signed_in(hosted.ann)
        where = place(hosted, "Get IT help")
        assert send(browser, browser.get(where), where, {**TYPED, "f-summary": "[VPN] *down*"}).status == 303
        assert [one.summary for one in issues(hosted)] == ["[VPN] *down*"]
        hosted.site.close()


def test_what_was_escaped_can_be_read_back() -> None:
    for text in ("&amp; &#91; \\[", "a\\\\b", "*x* _y_ {z} :) (!)"):
        assert unescaped(escaped(text)) == text
