"""A portal's home, its search, and the lists of requests: what is in them, for whom, and what happens while JSM does not answer."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from html import unescape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jsmsso.jsm.requests.fields import IssueFields
from jsmsso.portal.pagination import MOST_BACK, Place, opened, sealed
from jsmsso.portal.queries import own_requests, shared_requests
from jsmsso.sandbox.jsm_articles import EXAMPLES
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_jql import parse
from jsmsso.sandbox.jsm_site import LocalSite
from jsmsso.sealing import Sealer
from tests.portal.conftest import MakeHosted
from tests.portal.hosted_site import HostedSite
from tests.portal.served_here import BEGAN
from tests.runtime.site import Answer, Browser

FIELDS = IssueFields("customfield_10002", "customfield_10003", "customfield_10010", "customfield_10011")
SEARCH = "/rest/api/3/search/jql"


def listed(page: Answer) -> list[str]:
    """The summaries in a list, from top to bottom."""
    assert page.status == 200, page.text
    return [unescape(text) for text in re.findall(r'<td class="what"><a [^>]*>(.*?)</a>', page.text)]


def offered(page: Answer) -> list[str]:
    assert page.status == 200, page.text
    return [unescape(text) for text in re.findall(r"<h3[^>]*>(.*?)</h3>", page.text)]


# Home and search -------------------------------------------------------------------------------


def test_home_has_the_request_types_in_their_groups_and_the_latest_requests(hosted: HostedSite, ann: Browser) -> None:
    for number in range(7):
        hosted.request(hosted.ann, f"Request {number}", created=BEGAN - timedelta(days=9 - number))
    hosted.request(hosted.ann, "In another portal", desk="HR")
    hosted.request(hosted.ben, "Somebody else's")
    page = ann.get("/portal/HELP")
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", page.text) == ["Common requests", "Equipment", "Your latest requests"]
    assert offered(page)[:2] == ["Get IT help", "Report an outage"]
    assert listed(page) == ["Request 6", "Request 5", "Request 4", "Request 3", "Request 2"]


def test_what_waits_for_the_customer_comes_first(hosted: HostedSite, ann: Browser) -> None:
    hosted.request(hosted.ann, "Old", status="Waiting for customer", created=BEGAN - timedelta(days=9))
    hosted.request(hosted.ann, "New", created=BEGAN - timedelta(days=1))
    page = ann.get("/portal/HELP")
    assert listed(page) == ["Old", "New"]
    assert '<span class="mark wait" dir="auto">Waiting for you</span>' in page.text


def test_search_finds_request_types_by_any_of_their_words_without_a_script(ann: Browser) -> None:
    assert offered(ann.get("/portal/HELP/search?q=LAPTOP")) == ["New laptop"]
    assert offered(ann.get("/portal/HELP?q=replace+computer")) == ["New laptop"]
    nothing = ann.get("/portal/HELP/search?q=%3Cscript%3E")
    assert offered(nothing) == []
    assert "No request here has these words." in nothing.text
    assert "<script>" not in nothing.text


def test_a_home_costs_two_round_trips_and_less_when_it_is_known(hosted: HostedSite, ann: Browser) -> None:
    ann.get("/portal/HELP")
    hosted.jsm.site.latency["/rest/"] = 0.15
    before = len(hosted.jsm.seen)
    ann.get("/portal/HELP")
    assert [(call.method, call.path) for call in hosted.calls_since(before)] == [("POST", SEARCH)]


@pytest.mark.parametrize("seconds", [pytest.param(4.0, id="each call too long"), pytest.param(1.2, id="all calls together")])
def test_a_page_of_a_customer_who_is_looked_for_in_a_slow_jsm_takes_three_seconds_all_together(
    make_hosted: MakeHosted, seconds: float
) -> None:
    hosted = make_hosted()
    browser = hosted.signed_in(hosted.ann)
    hosted.jsm.site.latency["/rest/"] = seconds
    began = time.monotonic()
    assert browser.get("/portal/HELP").status == 502
    assert time.monotonic() - began < 4.8


def test_articles_are_searched_only_where_they_are_for_everybody(make_hosted: MakeHosted) -> None:
    closed, open_ = make_hosted(), make_hosted(help={"knowledge_base": "all_customers"})
    open_.jsm.site.articles = list(EXAMPLES)
    for hosted, expected in ((closed, False), (open_, True)):
        before = len(hosted.jsm.seen)
        page = hosted.signed_in(hosted.ann).get("/portal/HELP/search?q=monitor")
        assert ("A monitor that flickers" in page.text) is expected
        assert any("knowledgebase" in call.path for call in hosted.calls_since(before)) is expected


def test_an_article_is_shown_without_what_could_run_and_only_where_a_search_found_it(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(help={"knowledge_base": "all_customers"})
    hosted.jsm.site.articles = list(EXAMPLES)
    ann = hosted.signed_in(hosted.ann)
    address = ann.get("/portal/HELP/search?q=monitor").link("A monitor that flickers")
    page = ann.get(address)
    assert page.title == "A monitor that flickers"
    assert "Try another one first." in page.text
    assert "alert(" not in page.text
    assert "tracker.example.com" not in page.text
    assert hosted.signed_in(hosted.ben).get(address).status == 200
    path, _, seal = address.partition("?")
    for other in (path, f"{path}?of=x", f"{path.replace('65603', '65602')}?{seal}", f"{path.replace('HELP', 'HR')}?{seal}"):
        before = len(hosted.jsm.seen)
        assert ann.get(other).status == 404
        assert not any("knowledgebase" in call.path for call in hosted.calls_since(before))


def test_answers_while_typing_come_as_a_part_of_a_page(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(help={"knowledge_base": "all_customers"})
    hosted.jsm.site.articles = list(EXAMPLES)
    part = hosted.signed_in(hosted.ann).get("/portal/HELP/search?part=articles&q=monitor", {"Sec-Fetch-Mode": "cors"})
    assert "A monitor that flickers" in part.text
    assert "<html" not in part.text


def test_that_answers_cannot_be_searched_is_said_and_request_types_are_found_all_the_same(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(help={"knowledge_base": "all_customers"})
    ann = hosted.signed_in(hosted.ann)
    ann.get("/portal/HELP")
    articles = f"/rest/servicedeskapi/servicedesk/{hosted.jsm.site.desks[0].id}/knowledgebase/article"
    for status, is_said in ((503, True), (403, False)):
        hosted.jsm.break_with(Fault("status", articles, status=status))
        for address in ("/portal/HELP/search?q=laptop", "/portal/HELP/search?part=articles&q=laptop"):
            assert ("Answers cannot be searched just now." in ann.get(address).text) is is_said
        assert offered(ann.get("/portal/HELP/search?q=laptop")) == ["New laptop"]
        hosted.jsm.faults.clear()


# Lists -----------------------------------------------------------------------------------------


def test_my_requests_are_those_i_raised_or_take_part_in_at_the_portals_that_are_open_to_me(hosted: HostedSite, ann: Browser) -> None:
    hosted.request(hosted.ann, "Raised here")
    hosted.request(hosted.ann, "Raised there", desk="HR")
    hosted.request(hosted.ben, "Takes part", participants=[hosted.ann])
    hosted.request(hosted.ben, "Shared with the organization", organizations=["Acme"])
    hosted.request(hosted.ben, "Another's")
    hosted.request(hosted.ann, "At a portal that is not served", desk="FAC")
    hosted.jsm.site.requests.add("HELP", "", "No request, an agent's issue", reporter=hosted.ann)
    assert sorted(listed(ann.get("/requests"))) == ["Raised here", "Raised there", "Takes part"]
    assert listed(ann.get("/requests?whose=organization")) == ["Shared with the organization"]


def test_whoever_left_an_organization_does_not_see_its_requests_any_more(hosted: HostedSite, ann: Browser) -> None:
    hosted.request(hosted.ben, "Shared with Acme", organizations=["Acme"])
    assert listed(ann.get("/requests?whose=organization")) == ["Shared with Acme"]
    organization = hosted.jsm.site.organization("Acme")
    assert organization is not None
    organization.members.discard(hosted.ann.id)
    assert listed(ann.get("/requests?whose=organization")) == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("", ["Open"], id="open, unless something else is asked for"),
        pytest.param("state=closed", ["Resolved"], id="closed"),
        pytest.param("state=all", ["Open", "Resolved"], id="all"),
        pytest.param("state=nonsense", ["Open"], id="nonsense"),
        pytest.param("state=all&q=resolved", ["Resolved"], id="by a word"),
        pytest.param("state=all&q=open+resolved", [], id="all words"),
        pytest.param("state=all&q=%22)+OR+reporter+is+not+EMPTY+OR+(summary+~+%22open", [], id="words that would be JQL"),
    ],
)
def test_a_list_is_narrowed_by_state_and_words(hosted: HostedSite, ann: Browser, query: str, expected: list[str]) -> None:
    hosted.request(hosted.ann, "Resolved", status="Resolved", created=BEGAN - timedelta(days=3))
    hosted.request(hosted.ann, "Open", created=BEGAN - timedelta(days=2))
    assert listed(ann.get(f"/requests?{query}")) == expected


def test_words_are_looked_for_in_summaries_alone_so_that_no_internal_comment_can_be_guessed_at(hosted: HostedSite, ann: Browser) -> None:
    issue = hosted.request(hosted.ann, "Monitor")
    hosted.jsm.site.requests.add_comment(issue, hosted.agent, "suspicious", public=False)
    assert listed(ann.get("/requests?q=monitor")) == ["Monitor"]
    assert listed(ann.get("/requests?q=suspicious")) == []


def test_a_key_leads_to_its_request(hosted: HostedSite, ann: Browser) -> None:
    answer = ann.get("/requests?q=help-12")
    assert (answer.status, answer.location) == (302, "/portal/HELP/HELP-12")
    assert listed(ann.get("/requests?q=NOPE-12")) == []


def test_rows_that_the_search_should_not_have_brought_are_left_out(
    hosted: HostedSite, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The query is no proof: each row is looked at by itself."""
    hosted.request(hosted.ann, "Hers")
    hosted.request(hosted.ben, "His")
    monkeypatch.setattr("jsmsso.portal.listing.own_requests", lambda *rest, **more: "project = HELP ORDER BY updated")
    assert listed(ann.get("/requests")) == ["Hers"]


def test_a_new_request_is_in_the_list_although_the_search_lags(hosted: HostedSite, ann: Browser) -> None:
    hosted.jsm.site.requests.search_lag = 60.0
    before = len(hosted.jsm.seen)
    issue = hosted.request(hosted.ann, "Just now")
    assert listed(ann.get("/requests")) == []
    services = hosted.site.application._hosted._services  # type: ignore[union-attr]  # what raising a request calls
    session = hosted.site.deployment.sessions.read(ann.cookies[hosted.site.deployment.cookies.session])
    assert session is not None
    acting = type("Acting", (), {"account_id": hosted.ann.id, "customer": session.customer})
    services.recent.add(acting, issue.id)  # type: ignore[arg-type]
    assert listed(ann.get("/requests")) == ["Just now"]
    searches = [call for call in hosted.calls_since(before) if call.path == SEARCH]
    assert len(searches) == 2


def test_five_thousand_requests_page_from_newer_to_older_and_back_with_one_call_a_page(hosted: HostedSite, ann: Browser) -> None:
    for number in range(5000):
        when = BEGAN - timedelta(minutes=number)
        hosted.jsm.site.requests.add("HELP", "Get IT help", f"Number {number}", reporter=hosted.ann, created=when)
    page = ann.get("/requests")
    assert "Newer" not in page.text
    shown = []
    for _ in range(12):
        shown += listed(page)
        before = len(hosted.jsm.seen)
        page = ann.get(page.link("Older"))
        assert sum(call.path == SEARCH for call in hosted.calls_since(before)) == 1
    assert shown == [f"Number {number}" for number in range(240)]
    assert listed(page)[0] == "Number 240"
    assert listed(ann.get(page.link("Newer")))[0] == "Number 220"
    assert listed(ann.get(page.link("To the newest")))[0] == "Number 0"
    assert len(page.link("Older")) < 6000


def test_another_customers_page_address_leads_to_ones_own_first_page(hosted: HostedSite, ann: Browser, ben: Browser) -> None:
    for number in range(25):
        hosted.request(hosted.ann, f"Ann's {number}")
    hosted.request(hosted.ben, "Ben's")
    older = ann.get("/requests").link("Older")
    assert listed(ben.get(older)) == ["Ben's"]
    assert listed(ben.get("/requests?page=garbage")) == ["Ben's"]


def test_a_place_that_jsm_forgot_starts_from_the_first_page(hosted: HostedSite, ann: Browser) -> None:
    for number in range(25):
        hosted.request(hosted.ann, f"Number {number}")
    older = ann.get("/requests").link("Older")
    hosted.jsm.break_with(Fault("status", SEARCH, times=1, status=400))
    assert len(listed(ann.get(older))) == 20


# While JSM does not answer ---------------------------------------------------------------------


def test_while_jsm_does_not_answer_the_last_list_is_shown_with_its_time(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(branding={"time_zone": "Europe/Berlin"})
    ann, ben = hosted.signed_in(hosted.ann), hosted.signed_in(hosted.ben)
    hosted.request(hosted.ann, "Monitor")
    ann.get("/requests")
    ann.get("/portal/HELP")
    hosted.site.clock.advance(400)
    hosted.jsm.break_with(Fault("status", "/rest/", status=503))
    for address in ("/requests", "/portal/HELP"):
        page = ann.get(address)
        assert listed(page) == ["Monitor"]
        assert "Jira does not answer just now." in page.text
        assert "09:00" in page.text
    assert ann.get("/requests?whose=organization").status == 502
    assert ben.get("/requests").status == 502


def test_types_are_shown_where_the_search_alone_fails(hosted: HostedSite, ann: Browser) -> None:
    hosted.jsm.break_with(Fault("status", SEARCH, status=503))
    page = ann.get("/portal/HELP")
    assert "Get IT help" in offered(page)
    assert "Your requests cannot be listed just now." in page.text


# The questions ---------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=60), st.text(max_size=40), st.sampled_from(("open", "closed", "all")))
def test_no_words_and_no_id_change_what_is_asked(words: str, account_id: str, state: str) -> None:
    site = LocalSite()
    person = site.add_customer("ann@acme.example", "Ann")
    for jql in (
        own_requests(FIELDS, person.id, ["HELP"], state, words),
        shared_requests(FIELDS, [site.add_organization("Acme").id], ["HELP"], state, words),
    ):
        query = parse(jql, site, "nobody")
        assert query.bounded
        assert query.orders == (("updated", True),)
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', '""', own_requests(FIELDS, account_id, [account_id], "all", words))
    assert re.fullmatch(
        r'project in \(""\) AND '
        r'\(reporter = "" OR cf\[10003\] = "" OR cf\[10011\] = approver\(""\)\)'
        r' AND cf\[10010\] is not EMPTY( AND summary ~ "")? ORDER BY updated DESC',
        outside,
    )


def test_without_an_organization_or_a_field_for_them_nothing_is_asked() -> None:
    assert shared_requests(FIELDS, [], ["HELP"]) == ""
    assert shared_requests(IssueFields("", "", "", ""), ["1"], ["HELP"]) == ""


def test_a_place_opens_for_its_own_list_alone_and_never_grows_beyond_an_address() -> None:
    sealer = Sealer(("x" * 32,), "https://sso.acme.example")
    place = Place(reconcile=(1, 2))
    for number in range(30):
        place = place.older(f"{number}" * 300)
    assert len(place.tokens) <= MOST_BACK
    text = sealed(sealer, place, "ann open")
    assert len(text) < 7000
    assert opened(sealer, text, "ann open") == place
    assert opened(sealer, text, "ben open") is None
    assert opened(sealer, text + "x", "ann open") is None
    assert Place().token == Place(("a",)).newer().token == ""
