from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from jsmsso.sandbox.jsm_people import LocalPerson
from jsmsso.sandbox.jsm_requests import LocalIssue
from jsmsso.sandbox.jsm_site import LocalAccount
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import EVERY_ROLE, ask, checked_jsm

REQUEST = "/rest/servicedeskapi/request"
NASTY = "<p>a<script>alert(1)</script><img src=x onerror=alert(2)></p>"


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with checked_jsm(accounts=EVERY_ROLE) as running:
        yield running


@pytest.fixture
def ann(jsm: LocalJsm) -> LocalPerson:
    return jsm.add_customer("ann@acme.com", "Ann Acme", organizations=["Acme"])


@pytest.fixture
def issue(jsm: LocalJsm, ann: LocalPerson) -> LocalIssue:
    return jsm.site.requests.add("HELP", "Get IT help", "Printer", reporter=ann, organizations=["Acme"])


def values(jsm: LocalJsm, path: str, **options: Any) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = ask(jsm, "GET", path, **options).json()["values"]
    return listed


@pytest.mark.parametrize(
    "token, status",
    [
        pytest.param("agent", 200, id="an agent sees every request of the desk"),
        pytest.param("customer", 403, id="another customer does not"),
        pytest.param("none", 403, id="nor does an account without access"),
        pytest.param("wrong", 401, id="nor does a stranger"),
    ],
)
def test_a_request_is_shown_to_those_it_concerns(jsm: LocalJsm, issue: LocalIssue, token: str, status: int) -> None:
    answer = ask(jsm, "GET", f"{REQUEST}/{issue.key}", token=token)
    assert answer.status_code == status
    assert ("Printer" in answer.text) == (status == 200)


def test_a_customer_who_takes_part_sees_the_request(jsm: LocalJsm, issue: LocalIssue) -> None:
    customer = next(account for account in jsm.site.accounts if account.role == "customer")
    with jsm.site.requests.writing(issue):
        issue.participants.append(jsm.site.id_of(customer))
    assert ask(jsm, "GET", f"{REQUEST}/{issue.key}", token="customer").status_code == 200


def test_a_request_that_is_not_there_is_not_found(jsm: LocalJsm) -> None:
    assert ask(jsm, "GET", f"{REQUEST}/HELP-1").status_code == 404
    bare = jsm.site.requests.add("HELP", "", "No request, an issue alone", reporter="nobody")
    assert ask(jsm, "GET", f"{REQUEST}/{bare.key}").status_code == 404
    assert ask(jsm, "GET", f"/rest/api/3/issue/{bare.key}").status_code == 200


def test_the_list_of_requests_is_the_callers_own(jsm: LocalJsm, issue: LocalIssue) -> None:
    assert values(jsm, REQUEST, token="agent") == []
    own = jsm.site.requests.add("HELP", "Get IT help", "Mine", reporter=jsm.site.id_of(jsm.site.accounts[2]))
    assert [one["issueKey"] for one in values(jsm, REQUEST, token="agent")] == [own.key]


def test_expanding_a_request_brings_internal_comments_and_their_files(jsm: LocalJsm, issue: LocalIssue, ann: LocalPerson) -> None:
    jsm.site.requests.add_comment(issue, ann, "secret", public=False, files=[("secret.txt", b"x", "text/plain")])
    whole = ask(jsm, "GET", f"{REQUEST}/{issue.key}?expand=comment,attachment,sla,status,participant,requestType,serviceDesk,action").json()
    assert [comment["public"] for comment in whole["comments"]["values"]] == [False]
    assert [file["filename"] for file in whole["attachments"]["values"]] == ["secret.txt"]
    assert whole["requestType"]["name"] == "Get IT help"


@pytest.mark.parametrize(
    "query, token, bodies",
    [
        pytest.param("", "agent", ["for all", "for agents"], id="an agent gets both kinds"),
        pytest.param("?public=true&internal=false", "agent", ["for all"], id="or public ones"),
        pytest.param("?public=false", "agent", ["for agents"], id="or internal ones"),
        pytest.param("?internal=true", "customer", ["for all"], id="a customer gets public ones"),
    ],
)
def test_comments_are_public_or_internal(jsm: LocalJsm, issue: LocalIssue, ann: LocalPerson, query: str, token: str, bodies: Any) -> None:
    customer = next(account for account in jsm.site.accounts if account.role == "customer")
    issue.participants.append(jsm.site.id_of(customer))
    jsm.site.requests.add_comment(issue, ann, "for all")
    internal = jsm.site.requests.add_comment(issue, ann, "for agents", public=False)
    path = f"{REQUEST}/{issue.key}/comment"
    assert [comment["body"] for comment in values(jsm, path + query, token=token)] == bodies
    by_id = ask(jsm, "GET", f"{path}/{internal.id}", token=token)
    assert by_id.status_code == (200 if token == "agent" else 404)


def test_comments_of_a_request_of_others_are_an_empty_page(jsm: LocalJsm, issue: LocalIssue, ann: LocalPerson) -> None:
    jsm.site.requests.add_comment(issue, ann, "for all")
    assert values(jsm, f"{REQUEST}/{issue.key}/comment", token="customer") == []


def test_a_comments_html_is_jiras_or_whatever_a_test_wants(jsm: LocalJsm, issue: LocalIssue, ann: LocalPerson) -> None:
    jsm.site.requests.add_comment(issue, ann, "*bold* [text|https://example.com] \\[no|link\\] <script> !picture.png!")
    jsm.site.requests.add_comment(issue, ann, "x", html=NASTY)
    first, second = (one["renderedBody"]["html"] for one in values(jsm, f"{REQUEST}/{issue.key}/comment?expand=renderedBody"))
    assert "<b>bold</b>" in first
    assert 'href="https://example.com"' in first
    assert "<script>" not in first
    assert '<img src="picture.png"' in first
    assert first.count("<a ") == 1
    assert second == NASTY


def test_a_comment_is_by_whoever_calls(jsm: LocalJsm, issue: LocalIssue) -> None:
    made = ask(jsm, "POST", f"{REQUEST}/{issue.key}/comment", {"body": "hello", "public": True}, token="agent")
    assert made.status_code == 201
    assert made.json()["author"]["displayName"] == "Agent"
    assert ask(jsm, "POST", f"{REQUEST}/{issue.key}/comment", {"body": " "}).status_code == 400


def test_apps_keep_properties_on_comments(jsm: LocalJsm, issue: LocalIssue, ann: LocalPerson) -> None:
    comment = jsm.site.requests.add_comment(issue, ann, "hello")
    path = f"/rest/api/3/comment/{comment.id}/properties/jsmsso.author"
    assert ask(jsm, "GET", path).status_code == 404
    assert [ask(jsm, "PUT", path, {"accountId": ann.id}).status_code for _ in range(2)] == [201, 200]
    assert ask(jsm, "GET", path).json() == {"key": "jsmsso.author", "value": {"accountId": ann.id}}
    listed = ask(jsm, "POST", "/rest/api/3/comment/list?expand=properties", {"ids": [int(comment.id), 999]}).json()["values"]
    assert [one["properties"] for one in listed] == [[{"key": "jsmsso.author", "value": {"accountId": ann.id}}]]
    assert ask(jsm, "PUT", path, {"accountId": "x"}, token="customer").status_code == 404
    assert ask(jsm, "DELETE", path).status_code == 204


def test_participants_come_and_go(jsm: LocalJsm, issue: LocalIssue, ann: LocalPerson) -> None:
    bob = jsm.add_customer("bob@acme.com", "Bob")
    path = f"{REQUEST}/{issue.key}/participant"
    added = ask(jsm, "POST", path, {"accountIds": [bob.id, ann.id]})
    assert [one["displayName"] for one in added.json()["values"]] == ["Bob"]
    assert ask(jsm, "POST", path, {"accountIds": ["nobody"]}).status_code == 400
    assert ask(jsm, "DELETE", path, {"accountIds": [bob.id]}).json()["values"] == values(jsm, path) == []


def test_an_agent_may_do_more_with_a_request_than_a_customer(jsm: LocalJsm, issue: LocalIssue) -> None:
    customer = next(account for account in jsm.site.accounts if account.role == "customer")
    issue.participants.append(jsm.site.id_of(customer))
    path = f"{REQUEST}/{issue.key}/transition"
    assert {one["name"] for one in values(jsm, path, token="agent")} > {one["name"] for one in values(jsm, path, token="customer")}
    resolve = next(one["id"] for one in values(jsm, path) if one["name"] == "Resolve this issue")
    assert ask(jsm, "POST", path, {"id": resolve, "additionalComment": {"body": "Done."}}).status_code == 204
    assert ask(jsm, "POST", path, {"id": resolve}).status_code == 400
    assert [one["status"] for one in values(jsm, f"{REQUEST}/{issue.key}/status")] == ["Resolved", "Waiting for support"]
    assert [one["body"] for one in values(jsm, f"{REQUEST}/{issue.key}/comment")] == ["Done."]


def test_goals_are_for_agents(jsm: LocalJsm, issue: LocalIssue) -> None:
    goals = values(jsm, f"{REQUEST}/{issue.key}/sla", token="agent")
    assert [goal["name"] for goal in goals] == ["Time to first response", "Time to resolution"]
    assert goals[0]["ongoingCycle"]["remainingTime"]["friendly"].endswith("m")
    issue.participants.append(jsm.site.id_of(jsm.site.accounts[3]))
    assert ask(jsm, "GET", f"{REQUEST}/{issue.key}/sla", token="customer").status_code == 403
    ask(jsm, "POST", f"{REQUEST}/{issue.key}/comment", {"body": "We look into it."})
    assert values(jsm, f"{REQUEST}/{issue.key}/sla")[0]["completedCycles"][0]["breached"] is False


def test_what_is_done_for_the_caller_alone_leaves_a_trace(jsm: LocalJsm, ann: LocalPerson) -> None:
    issue = jsm.site.requests.add("HELP", "Get IT help", "Approve me", reporter=ann, approvers=[ann])
    path = f"{REQUEST}/{issue.key}"
    assert ask(jsm, "PUT", f"{path}/notification").status_code == 204
    assert ask(jsm, "POST", f"{path}/feedback", {"type": "csat", "rating": 5}).status_code == 403
    assert ask(jsm, "POST", f"{path}/approval/1", {"decision": "approve"}).status_code == 403
    assert values(jsm, f"{path}/approval")[0]["canAnswerApproval"] is False
    assert [method for method, _ in jsm.site.answered_for_the_caller] == ["PUT", "POST", "POST", "GET"]


def test_the_examples_read_like_real_requests(jsm: LocalJsm, ann: LocalPerson) -> None:
    *_, flicker = jsm.add_example_requests(ann)
    comments = values(jsm, f"{REQUEST}/{flicker.key}/comment?expand=attachment")
    carried = {comment["public"]: [file["filename"] for file in comment["attachments"]["values"]] for comment in comments}
    assert carried == {False: ["supplier-contract.txt"], True: ["cables.txt"]}
    found = values(jsm, "/rest/servicedeskapi/servicedesk/1/knowledgebase/article?query=monitor%20cable")
    assert [article["title"] for article in found] == ["A monitor that flickers"]
    page = ask(jsm, "GET", found[0]["content"]["iframeSrc"].removeprefix(jsm.url))
    assert "<script>alert(1)</script>" in page.text


EVERYTHING = (
    "/rest/servicedeskapi/request?expand=requestType",
    "/rest/servicedeskapi/request/{key}",
    "/rest/servicedeskapi/request/{key}/comment?expand=renderedBody,attachment",
    "/rest/servicedeskapi/request/{key}/comment/{comment}/attachment",
    "/rest/servicedeskapi/request/{key}/attachment",
    "/rest/servicedeskapi/request/{key}/participant",
    "/rest/servicedeskapi/request/{key}/transition",
    "/rest/servicedeskapi/request/{key}/sla/1",
    "/rest/servicedeskapi/request/{key}/status",
    "/rest/servicedeskapi/servicedesk/1/requesttype/103?expand=field",
    "/rest/servicedeskapi/servicedesk/1/requesttype/103/field",
    "/rest/servicedeskapi/servicedesk/1/requesttype/999/field",
    "/rest/servicedeskapi/knowledgebase/article?query=printer&highlight=true",
    "/rest/api/{version}/field",
    "/rest/api/{version}/issue/{key}",
    "/rest/api/{version}/comment/{comment}/properties",
    "/rest/api/{version}/attachment/{file}",
    "/rest/api/{version}/attachment/meta",
)


@pytest.mark.parametrize("data_center", [pytest.param(False, id="Cloud"), pytest.param(True, id="Data Center")])
def test_every_answer_about_requests_is_one_that_atlassian_documents(data_center: bool) -> None:
    stranger = LocalAccount("x@example.com", "x", role="none")
    with checked_jsm(accounts=(*EVERY_ROLE, stranger), data_center=data_center) as jsm:
        *_, issue = jsm.add_example_requests(jsm.add_customer("ann@acme.com", "Ann Acme"))
        names = {"key": issue.key, "comment": issue.comments[0].id, "file": issue.attachments[0].id, "version": "2" if data_center else "3"}
        statuses = {
            (path, token): ask(jsm, "GET", path.format(**names), token=token).status_code
            for path in EVERYTHING
            for token in ("administrator", "agent", "customer", "x", "wrong")
        }
        assert all(statuses[path, "agent"] == (404 if "999" in path else 200) for path in EVERYTHING)
        assert all(statuses[path, "wrong"] in (401, 404) for path in EVERYTHING)
