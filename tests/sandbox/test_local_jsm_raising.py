from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from jsmsso.sandbox.jsm_field_kinds import EVERY_KIND, NO_ONE_ELSE, NOT_BUILDABLE, NOT_FOR_EVERYONE, NOT_ON_THE_PORTAL
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import EVERY_ROLE, ask, checked_jsm
from tests.sandbox.files import sent_file

REQUEST = "/rest/servicedeskapi/request"
TYPES = "/rest/servicedeskapi/servicedesk/1/requesttype"


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with checked_jsm(accounts=EVERY_ROLE) as running:
        yield running


def raised(jsm: LocalJsm, values: dict[str, Any], type_id: str = "100", *, token: str = "", **more: Any) -> requests.Response:
    body = {"serviceDeskId": "1", "requestTypeId": type_id, "requestFieldValues": values, **more}
    return ask(jsm, "POST", REQUEST, body, token=token)


def test_a_portal_has_groups_of_request_types_with_words_and_icons(jsm: LocalJsm) -> None:
    groups = ask(jsm, "GET", "/rest/servicedeskapi/servicedesk/1/requesttypegroup").json()["values"]
    assert [group["name"] for group in groups] == ["Common requests", "Equipment"]
    types = ask(jsm, "GET", f"{TYPES}?groupId={groups[1]['id']}").json()["values"]
    assert [one["name"] for one in types] == ["New laptop", "Phone and SIM"]
    assert types[0]["helpText"].startswith("Order or replace a computer.")
    assert types[0]["portalId"] == "1"
    icon = ask(jsm, "GET", f"/rest/api/3/universal_avatar/view/type/SD_REQTYPE/avatar/{types[0]['icon']['id']}")
    assert icon.content.startswith(b"\x89PNG")


def test_a_type_without_a_group_is_in_the_answer_all_the_same(jsm: LocalJsm) -> None:
    jsm.site.add_request_type("HELP", NOT_ON_THE_PORTAL)
    assert {"name": "Internal task", "groupIds": []}.items() <= ask(jsm, "GET", TYPES).json()["values"][-1].items()


def test_a_type_that_is_not_for_everyone_is_hidden_from_customers_alone(jsm: LocalJsm) -> None:
    person = jsm.add_customer("ann@acme.com", organizations=["Acme"])
    other = jsm.add_customer("bob@else.com")
    made = jsm.site.add_request_type("HELP", NOT_FOR_EVERYONE)
    names = {token: [one["name"] for one in ask(jsm, "GET", TYPES, token=token).json()["values"]] for token in ("agent", "customer")}
    assert made.name in names["agent"]
    assert made.name not in names["customer"]
    organization = jsm.site.organization("Acme")
    assert organization is not None
    jsm.site.change_request_type(made, restricted_to=frozenset({organization.id}))

    def may(person_id: str) -> Any:
        body = {"accountId": person_id, "permissions": ["canCreateRequest"], "requestTypeIds": [100, int(made.id), 999]}
        return ask(jsm, "POST", f"{TYPES}/permissions/check", body).json()["canCreateRequest"]

    assert may(person.id) == [100, int(made.id)]
    assert may(other.id) == [100]
    assert raised(jsm, {"summary": "x"}, made.id, raiseOnBehalfOf=other.id).status_code == 201  # only the caller is asked
    assert raised(jsm, {"summary": "x"}, made.id, token="customer").status_code == 400


@pytest.mark.parametrize(
    "token, checks, status",
    [
        pytest.param("project_administrator", True, 200, id="for project administrators"),
        pytest.param("agent", True, 403, id="not for agents"),
        pytest.param("administrator", False, 403, id="where the site refuses it"),
        pytest.param("administrator", None, 404, id="where the site does not have it"),
    ],
)
def test_who_may_use_a_type_is_told_to(jsm: LocalJsm, token: str, checks: bool | None, status: int) -> None:
    jsm.site.checks_type_permissions = checks
    person = jsm.add_customer("ann@acme.com")
    body = {"accountId": person.id, "permissions": ["canCreateRequest"], "requestTypeIds": [100]}
    assert ask(jsm, "POST", f"{TYPES}/permissions/check", body, token=token).status_code == status


def test_a_form_has_a_field_of_every_kind_but_hidden_ones(jsm: LocalJsm) -> None:
    made = jsm.site.add_request_type("HELP", EVERY_KIND)
    form = ask(jsm, "GET", f"{TYPES}/{made.id}/field").json()
    fields = {field["name"]: field for field in form["requestTypeFields"]}
    assert "Source of the request" not in fields
    assert [child["label"] for child in fields["Place"]["validValues"][0]["children"]] == ["Office", "Warehouse"]
    assert [value["label"] for value in fields["Colours"]["defaultValues"]] == ["Green"]
    assert fields["Colour"]["required"] is True
    assert form["canRaiseOnBehalfOf"] is form["canAddRequestParticipants"] is True
    every = ask(jsm, "GET", f"{TYPES}/{made.id}/field?expand=hiddenFields").json()["requestTypeFields"]
    assert every[-1]["presetValues"] == ["portal"]


def test_a_form_with_an_answer_to_every_field_becomes_a_request(jsm: LocalJsm) -> None:
    made, ann = jsm.site.add_request_type("HELP", EVERY_KIND), jsm.add_customer("ann@acme.com", "Ann Acme")
    values: dict[str, Any] = {
        "summary": "All of it",
        "description": "One\n\ntwo <b>",
        "priority": {"id": "2"},
        "duedate": "2026-12-24",
        "labels": ["one", "two"],
        "components": [{"name": "Mail"}],
        "customfield_10100": "short",
        "customfield_10101": "long\ntext",
        "customfield_10102": 2.5,
        "customfield_10103": "2026-12-24",
        "customfield_10104": "2026-12-24T10:00:00.000+0100",
        "customfield_10105": {"id": "10300"},
        "customfield_10106": [{"id": "10300"}, {"value": "Blue"}],
        "customfield_10107": {"id": "10400", "child": {"value": "Warehouse"}},
        "customfield_10108": [{"id": "10301"}],
        "customfield_10109": {"value": "Red"},
        "customfield_10110": {"accountId": ann.id},
        "customfield_10111": [{"accountId": ann.id}],
        "customfield_10112": ["tag"],
        "customfield_10113": "https://example.com/",
        "attachment": [sent_file(jsm, "a.txt", b"A")],
    }
    answer = raised(jsm, values, made.id, raiseOnBehalfOf=ann.id)
    assert answer.status_code == 201, answer.text
    request = answer.json()
    assert request["reporter"]["displayName"] == "Ann Acme"
    shown = {field["label"]: field["value"] for field in request["requestFieldValues"]}
    assert shown["Place"]["child"]["value"] == "Warehouse"
    assert [one["displayName"] for one in shown["Colleagues"]] == ["Ann Acme"]
    assert "Source of the request" in shown, "staff, such as a service account, is shown what a type sets by itself"
    rendered = next(field["renderedValue"]["html"] for field in request["requestFieldValues"] if field["fieldId"] == "description")
    assert rendered == "<p>One</p>\n<p>two &lt;b&gt;</p>"
    files = ask(jsm, "GET", f"{REQUEST}/{request['issueKey']}/attachment").json()["values"]
    assert [file["filename"] for file in files] == ["a.txt"]
    assert ask(jsm, "GET", f"{REQUEST}/{request['issueKey']}/comment").json()["values"] == []


@pytest.mark.parametrize(
    "values, said",
    [
        pytest.param({}, "Summary is required.", id="nothing"),
        pytest.param({"summary": "x" * 256}, "Summary can't exceed 255 characters.", id="too long"),
        pytest.param({"summary": "a\nb"}, "newline", id="two lines"),
        pytest.param({"summary": "x", "priority": {"id": "99"}}, "Option id '99' is not valid", id="no such value"),
        pytest.param({"summary": "x", "description": {"type": "doc", "version": 1, "content": []}}, "must be a string", id="a document"),
        pytest.param({"summary": "x", "customfield_1": "y"}, "cannot be set", id="a field that the form has not"),
        pytest.param({"summary": "x", "attachment": ["temp1"]}, "temporary attachment does not exist", id="a file that nobody sent"),
    ],
)
def test_a_value_that_a_field_cannot_have_is_refused(jsm: LocalJsm, values: dict[str, Any], said: str) -> None:
    answer = raised(jsm, values)
    assert answer.status_code == 400
    assert said in answer.json()["errorMessage"]
    assert len(jsm.site.requests) == 0


@pytest.mark.parametrize(
    "field, value",
    [
        pytest.param("customfield_10102", "2", id="a number as text"),
        pytest.param("customfield_10103", "24.12.2026", id="a date"),
        pytest.param("customfield_10104", "2026-12-24", id="a moment without a time"),
        pytest.param("customfield_10106", {"id": "10300"}, id="one of several"),
        pytest.param("customfield_10107", {"id": "10400", "child": {"id": "10403"}}, id="a child of another"),
        pytest.param("customfield_10110", {"accountId": "nobody"}, id="a person"),
        pytest.param("customfield_10112", ["two words"], id="a label"),
        pytest.param("customfield_10113", "no address", id="an address"),
    ],
)
def test_a_value_of_another_kind_is_refused(jsm: LocalJsm, field: str, value: Any) -> None:
    made = jsm.site.add_request_type("HELP", EVERY_KIND)
    answer = raised(jsm, {"summary": "x", "customfield_10105": {"id": "10300"}, field: value}, made.id)
    assert answer.status_code == 400


def test_rich_text_is_a_document_where_the_request_says_so(jsm: LocalJsm) -> None:
    text = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "[not|a link]"}]}]}
    made = raised(jsm, {"summary": "x", "description": text}, isAdfRequest=True)
    assert made.status_code == 201
    assert made.json()["requestFieldValues"][1]["renderedValue"]["html"] == "<p>&#91;not&#124;a link&#93;</p>"
    assert raised(jsm, {"summary": "x", "description": "plain"}, isAdfRequest=True).status_code == 400


@pytest.mark.parametrize(
    "more, token, status",
    [
        pytest.param({"raiseOnBehalfOf": "nobody"}, "", 400, id="for somebody who is not there"),
        pytest.param({"requestParticipants": ["nobody"]}, "", 400, id="with somebody who is not there"),
        pytest.param({"raiseOnBehalfOf": "ANN"}, "customer", 403, id="for somebody, by a customer"),
        pytest.param({"raiseOnBehalfOf": "ANN"}, "agent", 201, id="for somebody, by an agent"),
        pytest.param({}, "none", 403, id="without access"),
    ],
)
def test_who_a_request_is_for(jsm: LocalJsm, more: dict[str, Any], token: str, status: int) -> None:
    ann = jsm.add_customer("ann@acme.com")
    more = {name: ann.id if value == "ANN" else value for name, value in more.items()}
    assert raised(jsm, {"summary": "x"}, token=token, **more).status_code == status


def test_a_type_may_be_for_the_caller_alone(jsm: LocalJsm) -> None:
    made, ann = jsm.site.add_request_type("HELP", NO_ONE_ELSE), jsm.add_customer("ann@acme.com")
    assert raised(jsm, {"summary": "x"}, made.id, raiseOnBehalfOf=ann.id).status_code == 400
    assert raised(jsm, {"summary": "x"}, made.id, requestParticipants=[ann.id]).status_code == 400
    assert raised(jsm, {"summary": "x"}, made.id).status_code == 201


def test_keys_count_by_project_and_a_moved_request_is_found_by_its_old_one(jsm: LocalJsm) -> None:
    assert [raised(jsm, {"summary": "x"}).json()["issueKey"] for _ in range(2)] == ["HELP-1", "HELP-2"]
    first = jsm.site.requests.get("HELP-1")
    assert first is not None
    assert jsm.site.requests.move(first, "HR", "Ask a question") == "HR-1"
    assert ask(jsm, "GET", "/rest/api/3/issue/help-1?fields=project").json()["key"] == "HR-1"
    assert ask(jsm, "DELETE", "/rest/api/3/issue/HR-1").status_code == 204
    assert ask(jsm, "GET", f"{REQUEST}/HELP-1").status_code == 404


def test_a_form_of_jiras_is_told_by_its_own_api_alone(jsm: LocalJsm) -> None:
    *_, with_form = (jsm.site.add_request_type("HELP", draft) for draft in NOT_BUILDABLE)
    assert [field["name"] for field in ask(jsm, "GET", f"{TYPES}/{with_form.id}/field").json()["requestTypeFields"]] == ["Summary"]
    forms = f"/jira/forms/cloud/{jsm.site.cloud_id}/servicedesk/1/requesttype"
    assert ask(jsm, "GET", f"{forms}/{with_form.id}/form").json()["design"]["settings"]["name"] == "New employee onboarding"
    assert ask(jsm, "GET", f"{forms}/100/form").status_code == 404


def test_data_center_takes_user_names() -> None:
    with checked_jsm(data_center=True) as jsm:
        jsm.add_customer("ann@acme.com", "Ann Acme")
        answer = raised(jsm, {"summary": "x"}, raiseOnBehalfOf="ann@acme.com", requestParticipants=["sso-bot"])
        assert answer.json()["reporter"]["name"] == "ann@acme.com"
        assert raised(jsm, {"summary": "x"}, isAdfRequest=True).status_code == 400
