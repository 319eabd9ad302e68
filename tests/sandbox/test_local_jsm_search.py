from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_people import LocalPerson
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import EVERY_ROLE, ask, checked_jsm

SEARCH = "/rest/api/3/search/jql"


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with checked_jsm(accounts=EVERY_ROLE) as running:
        yield running


@pytest.fixture
def ann(jsm: LocalJsm) -> LocalPerson:
    return jsm.add_customer("ann@acme.com", "Ann Acme")


def searched(jsm: LocalJsm, jql: str, *, token: str = "agent", **more: Any) -> requests.Response:
    return ask(jsm, "POST", SEARCH, {"jql": jql, "fields": ["summary"], **more}, token=token)


def keys(jsm: LocalJsm, jql: str, **more: Any) -> list[str]:
    return [issue["key"] for issue in searched(jsm, jql, **more).json()["issues"]]


@pytest.mark.parametrize(
    "jql, found",
    [
        pytest.param("project = HELP", [1, 2, 3], id="a project"),
        pytest.param('reporter = "ANN" ORDER BY key', [1, 2], id="a reporter"),
        pytest.param('cf[10003] = "ANN"', [3], id="a participant"),
        pytest.param("cf[10002] in (1) AND project = 10001", [2], id="an organization"),
        pytest.param('"Request participants" = "ANN" OR Organizations = Acme ORDER BY key ASC', [2, 3], id="either, by name"),
        pytest.param("project = HELP AND statusCategory = Done", [3], id="what is done"),
        pytest.param('project = HELP AND NOT (statusCategory != "Done" OR status = Open)', [3], id="not what is not"),
        pytest.param('text ~ "printer"', [1], id="a word"),
        pytest.param('text ~ "prin*"', [1], id="the beginning of a word"),
        pytest.param('project = HELP AND text ~ "\\"second floor\\""', [1], id="a phrase"),
        pytest.param('text ~ "AND"', [], id="a word of the language, as a text"),
        pytest.param('text ~ "a\\\\\\"b"', [2], id="a text with an escaped quote"),
        pytest.param('project = HELP AND "Request Type" is EMPTY', [3], id="without a request type"),
        pytest.param("key in (HELP-1, HELP-2) ORDER BY key DESC", [2, 1], id="keys"),
        pytest.param("reporter = currentUser()", [], id="of the caller"),
    ],
)
def test_jql_finds(jsm: LocalJsm, ann: LocalPerson, jql: str, found: list[int]) -> None:
    add, bob = jsm.site.requests.add, jsm.add_customer("bob@acme.com")
    add("HELP", "Get IT help", "Printer on the second floor", reporter=ann)
    add("HELP", "Get IT help", 'Say a"b please', reporter=ann, organizations=["Acme"])
    add("HELP", "", "Floor", reporter=bob, participants=[ann], status="Closed")
    answer = searched(jsm, jql.replace("ANN", ann.id))
    assert answer.status_code == 200, answer.text
    listed = [issue["key"] for issue in answer.json()["issues"]]
    assert (listed if "ORDER" in jql else sorted(listed)) == [f"HELP-{number}" for number in found]


@pytest.mark.parametrize(
    "jql",
    [
        'text ~ "open',
        'text ~ "a" or',
        'text ~ "a" project = HELP',
        'text ~ "*a"',
        'text ~ "a ( b"',
        'text ~ ""',
        'text ~ "a\\q"',
        "text = a",
        "secret = 1",
        "project = NOPE",
        "reporter = nobody",
        "cf[10002] in ()",
        "project = HELP ORDER BY secret",
        "project = HELP; drop",
        "(project = HELP",
        "summary",
        "ORDER BY updated",
        "",
    ],
)
def test_what_is_no_jql_is_refused(jsm: LocalJsm, jql: str) -> None:
    answer = searched(jsm, jql)
    assert answer.status_code == 400
    assert answer.json()["errorMessages"]


def test_a_search_shows_what_the_caller_may_browse(jsm: LocalJsm, ann: LocalPerson) -> None:
    jsm.site.requests.add("HELP", "Get IT help", "x", reporter=ann)
    assert keys(jsm, "project = HELP", token="agent") == ["HELP-1"]
    assert keys(jsm, "project = HELP", token="customer") == []
    assert searched(jsm, "project = HELP", token="wrong").status_code == 401


def test_five_thousand_requests_are_paged_by_token(jsm: LocalJsm, ann: LocalPerson) -> None:
    jsm.add_requests(5000, ann)
    jql = f'reporter = "{ann.id}" AND statusCategory != Done ORDER BY updated DESC'
    first = searched(jsm, jql, maxResults=20).json()
    assert "total" not in first
    assert (first["isLast"], len(first["issues"])) == (False, 20)
    second = searched(
        jsm, f'reporter = "{ann.id}" AND statusCategory != Done ORDER BY updated DESC', maxResults=20, nextPageToken=first["nextPageToken"]
    )
    assert second.json()["issues"][0]["key"] == "HELP-4973"
    assert searched(jsm, "project = HELP", nextPageToken="nonsense").status_code == 400
    assert len(keys(jsm, "project = HELP", maxResults=5000)) == 100


def test_a_search_is_behind_what_was_written_unless_it_is_told_which(jsm: LocalJsm, ann: LocalPerson) -> None:
    jsm.site.requests.search_lag = 3600.0
    new = jsm.site.requests.add("HELP", "Get IT help", "before", reporter=ann)
    assert keys(jsm, "project = HELP") == []
    assert keys(jsm, "project = HELP", reconcileIssues=[int(new.id)]) == ["HELP-1"]
    jsm.site.requests.settle()
    with jsm.site.requests.writing(new):
        new.summary = "after"
    assert keys(jsm, 'summary ~ "after"') == []
    assert keys(jsm, 'summary ~ "before"') == ["HELP-1"]
    assert keys(jsm, 'summary ~ "after"', reconcileIssues=[int(new.id)]) == ["HELP-1"]
    assert ask(jsm, "GET", "/rest/api/3/issue/HELP-1?fields=summary").json()["fields"] == {"summary": "after"}


def test_an_issue_names_whom_it_is_shared_with_in_fields_that_have_types(jsm: LocalJsm, ann: LocalPerson) -> None:
    bob = jsm.add_customer("bob@acme.com")
    issue = jsm.site.requests.add("HELP", "Get IT help", "x", reporter=ann, participants=[bob], organizations=["Acme"], approvers=[bob])
    fields = {field["schema"].get("custom", ""): field["id"] for field in ask(jsm, "GET", "/rest/api/3/field").json()}
    told = ask(jsm, "GET", f"/rest/api/3/issue/{issue.key}").json()["fields"]
    base = "com.atlassian.servicedesk"
    assert [one["name"] for one in told[fields[f"{base}:sd-customer-organizations"]]] == ["Acme"]
    assert [one["accountId"] for one in told[fields[f"{base}:sd-request-participants"]]] == [bob.id]
    assert told[fields[f"{base}:vp-origin"]]["requestType"]["id"] == "100"
    assert told[fields[f"{base}.approvals-plugin:sd-approvals"]][0]["approvers"][0]["approver"]["accountId"] == bob.id


@pytest.mark.parametrize(
    "change, status, left",
    [
        pytest.param({"fields": {"customfield_10002": [2]}}, 204, ["2"], id="set"),
        pytest.param({"update": {"customfield_10002": [{"add": 2}]}}, 204, ["1", "2"], id="add"),
        pytest.param({"update": {"customfield_10002": [{"remove": 1}]}}, 204, [], id="remove"),
        pytest.param({"fields": {"customfield_10002": ["Acme"]}}, 400, ["1"], id="a name"),
        pytest.param({"fields": {"customfield_10002": [99]}}, 400, ["1"], id="one that is not there"),
        pytest.param({"fields": {"reporter": {"accountId": "x"}}}, 400, ["1"], id="another field"),
    ],
)
def test_the_organizations_of_a_request_are_written_as_numbers(
    jsm: LocalJsm, ann: LocalPerson, change: dict[str, Any], status: int, left: list[str]
) -> None:
    issue = jsm.site.requests.add("HELP", "Get IT help", "x", reporter=ann, organizations=["Acme"])
    jsm.site.add_organization("Other")
    assert ask(jsm, "PUT", f"/rest/api/3/issue/{issue.key}", change).status_code == status
    assert issue.organizations == left
    assert ask(jsm, "PUT", f"/rest/api/3/issue/{issue.key}", change, token="customer").status_code == 404


def test_data_center_searches_by_number_and_tells_the_total() -> None:
    with checked_jsm(data_center=True) as jsm:
        ann = jsm.add_customer("ann@acme.com")
        jsm.add_requests(30, ann)
        body = {"jql": f'reporter = "{ann.id}" ORDER BY updated DESC', "startAt": 20, "maxResults": 20, "fields": ["summary"]}
        page = ask(jsm, "POST", "/rest/api/2/search", body).json()
        assert (page["total"], page["startAt"], len(page["issues"])) == (30, 20, 10)
        assert ask(jsm, "POST", SEARCH, {"jql": "project = HELP"}).status_code == 404


def test_trouble_comes_to_requests_as_to_everything(jsm: LocalJsm, ann: LocalPerson) -> None:
    jsm.site.requests.add("HELP", "Get IT help", "x", reporter=ann)
    jsm.break_with(Fault("busy", "/rest/servicedeskapi/request", times=1, seconds=2))
    jsm.break_with(Fault("status", SEARCH, times=1, status=503))
    answers = [ask(jsm, "GET", "/rest/servicedeskapi/request/HELP-1") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [429, 200]
    assert answers[0].headers["Retry-After"] == "2"
    assert [searched(jsm, "project = HELP").status_code for _ in range(2)] == [503, 200]
