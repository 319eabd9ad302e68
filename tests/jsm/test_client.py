from __future__ import annotations

import email.utils
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from jsmsso.errors import JsmAnswerInvalid, JsmRefused, JsmUnreachable
from jsmsso.http_client import HttpClient
from jsmsso.jsm.authentication import ApiToken, PersonalAccessToken
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.service_desks import list_service_desks
from jsmsso.jsm.site import read_site
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import Clock, checked_jsm, client_of

DESKS = "/rest/servicedeskapi/servicedesk"
ERROR = '{"errorMessage": "Not you.", "i18nErrorMessage": {"i18nKey": "no", "parameters": []}}'


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with checked_jsm() as running:
        yield running


def calls_of(jsm: LocalJsm, path: str = DESKS) -> int:
    return sum(call.path == path for call in jsm.seen)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_site_is_asked_again_and_the_answer_counts(jsm: LocalJsm, status: int) -> None:
    jsm.break_with(Fault("status", DESKS, times=2, status=status))
    clock = Clock()
    assert len(list_service_desks(client_of(jsm, clock))) == 3
    assert clock.pauses == [0.5, 1.0]
    assert clock.reasons == [f"JSM answered {status}"] * 2


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_after_three_more_attempts_the_site_is_given_up(jsm: LocalJsm, status: int) -> None:
    jsm.break_with(Fault("status", DESKS, status=status))
    clock = Clock()
    with pytest.raises(JsmRefused) as refused:
        list_service_desks(client_of(jsm, clock))
    assert refused.value.status == status
    assert calls_of(jsm) == 4
    assert clock.pauses == [0.5, 1.0, 2.0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 412, 500])
def test_a_refusal_is_not_asked_again(jsm: LocalJsm, status: int) -> None:
    jsm.break_with(Fault("status", DESKS, status=status, body=ERROR))
    with pytest.raises(JsmRefused) as refused:
        list_service_desks(client_of(jsm))
    assert refused.value.status == status
    assert calls_of(jsm) == 1


@pytest.mark.parametrize(
    "retry_after, pause",
    [
        pytest.param("7", 7.0, id="seconds"),
        pytest.param("0", 0.0, id="at once"),
        pytest.param(email.utils.formatdate(Clock().time + 12, usegmt=True), 12.0, id="a date"),
        pytest.param(email.utils.formatdate(Clock().time - 60, usegmt=True), 0.0, id="a date that is over"),
        pytest.param("soon", 0.5, id="nonsense"),
        pytest.param("-5", 0.5, id="a negative number"),
    ],
)
def test_retry_after_is_honoured(jsm: LocalJsm, retry_after: str, pause: float) -> None:
    jsm.break_with(Fault("status", DESKS, times=1, status=429, headers={"Retry-After": retry_after}))
    clock = Clock()
    list_service_desks(client_of(jsm, clock))
    assert clock.pauses == [pause]


def test_a_site_that_asks_for_an_hour_is_not_waited_for_but_the_person_is_told(jsm: LocalJsm) -> None:
    jsm.break_with(Fault("status", DESKS, status=429, headers={"Retry-After": "3600"}))
    clock = Clock()
    with pytest.raises(JsmRefused, match="JSM is busy") as refused:
        list_service_desks(client_of(jsm, clock))
    assert clock.pauses == []
    assert "3600 seconds" in refused.value.hint


def test_a_connection_that_breaks_is_tried_again(jsm: LocalJsm) -> None:
    jsm.break_with(Fault("cut", DESKS, times=1))
    assert len(list_service_desks(client_of(jsm))) == 3


def test_a_connection_that_keeps_breaking_ends_with_a_sentence(jsm: LocalJsm) -> None:
    jsm.break_with(Fault("cut", DESKS))
    with pytest.raises(JsmUnreachable, match="cannot be reached"):
        list_service_desks(client_of(jsm))
    assert calls_of(jsm) == 4


def test_a_refused_connection_names_the_address_but_no_query() -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: every connection is refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        client = JsmClient(HttpClient().session(), url, None, Clock().patience)
        with pytest.raises(JsmUnreachable) as refused:
            list_service_desks(client)
    assert f"{url}{DESKS}:" in refused.value.message


def test_a_site_that_does_not_answer_in_time_is_not_asked_again(jsm: LocalJsm) -> None:
    jsm.break_with(Fault("slow", DESKS, seconds=1.0))
    with pytest.raises(JsmUnreachable, match="in time"):
        list_service_desks(client_of(jsm, deadline=0.3))
    assert sum(call.path == DESKS for call in jsm.seen) <= 1


@pytest.mark.parametrize(
    "fault, words",
    [
        pytest.param(Fault("login_page", DESKS), "a page instead of data", id="a login page with 200"),
        pytest.param(Fault("no_json", DESKS), "no JSON", id="half a document"),
        pytest.param(Fault("too_large", DESKS), "too large", id="5 MB"),
        pytest.param(Fault("status", DESKS, status=200, body="[]"), "no page of items", id="a list instead of a page"),
        pytest.param(Fault("status", DESKS, status=200, body='{"values": [{"name": "x"}]}'), "no page of items", id="items without an id"),
        pytest.param(
            Fault("status", DESKS, status=200, body='{"values": [{"id": "1"}], "isLastPage": true}'),
            "without id",
            id="a desk without a key",
        ),
    ],
)
def test_an_answer_that_is_not_what_was_promised_is_said_to_be_so(jsm: LocalJsm, fault: Fault, words: str) -> None:
    jsm.break_with(fault)
    with pytest.raises(JsmAnswerInvalid, match=words) as invalid:
        list_service_desks(client_of(jsm))
    assert invalid.value.exit_code == 5
    assert calls_of(jsm) == 1


def test_a_proxy_that_refuses_with_a_page_is_quoted_by_its_title(jsm: LocalJsm) -> None:
    jsm.break_with(Fault("proxy_page", DESKS, status=403))
    with pytest.raises(JsmRefused) as refused:
        list_service_desks(client_of(jsm))
    assert refused.value.detail == "a page titled 403 Forbidden"


@pytest.mark.parametrize(
    "body, detail",
    [
        pytest.param(ERROR, "Not you.", id="servicedeskapi"),
        pytest.param(
            '{"errorMessages": ["One.", "Two."], "errors": {"projectKey": "Wrong."}}', "One.; Two.; projectKey: Wrong.", id="platform"
        ),
        pytest.param('{"message": "Client must be authenticated.", "status-code": 401}', "Client must be authenticated.", id="door"),
        pytest.param('{"errorMessage": "Two\\nlines\\u001b[31m"}', "Two lines [31m", id="control characters"),
        pytest.param('{"errorMessages": null}', "", id="nothing said"),
        pytest.param("[1]", "", id="a list"),
        pytest.param("", "", id="no body"),
    ],
)
def test_atlassians_own_message_is_shown(jsm: LocalJsm, body: str, detail: str) -> None:
    jsm.break_with(Fault("status", DESKS, status=403, body=body))
    with pytest.raises(JsmRefused) as refused:
        list_service_desks(client_of(jsm))
    assert refused.value.detail == detail
    assert detail in refused.value.message
    assert "Browse projects" in refused.value.hint


@pytest.mark.parametrize(
    "data_center, authentication, words",
    [
        pytest.param(False, ApiToken("sso-bot@example.com", "wrong"), "API token of sso-bot@example.com", id="Cloud"),
        pytest.param(True, PersonalAccessToken("wrong"), "personal access token", id="Data Center"),
    ],
)
def test_a_wrong_token_is_told_apart_and_never_repeated(data_center: bool, authentication: Any, words: str) -> None:
    with checked_jsm(data_center=data_center) as jsm, pytest.raises(JsmRefused) as refused:
        list_service_desks(client_of(jsm, authentication=authentication))
    assert refused.value.status == 401
    assert words in refused.value.message
    assert "wrong" not in refused.value.message + refused.value.hint + repr(authentication)


def test_a_wrong_token_is_noticed_where_jira_answers_strangers_too(jsm: LocalJsm) -> None:
    client = client_of(jsm, authentication=ApiToken("sso-bot@example.com", "wrong"))
    with pytest.raises(JsmRefused) as refused:
        client.get("/rest/api/3/mypermissions", {"permissions": "ADMINISTER"})
    assert refused.value.status == 401


def test_an_account_without_a_role_is_told_which_permission_it_lacks() -> None:
    from jsmsso.sandbox.jsm_site import LocalAccount

    with checked_jsm(accounts=(LocalAccount("a@example.com", "t", role="none"),)) as jsm, pytest.raises(JsmRefused) as refused:
        list_service_desks(client_of(jsm))
    assert refused.value.status == 403
    assert "access to Jira Service Management" in refused.value.hint


@pytest.mark.parametrize("data_center, kind", [(False, "Cloud"), (True, "Data Center")])
def test_the_site_says_itself_what_it_is(data_center: bool, kind: str) -> None:
    with checked_jsm(data_center=data_center) as jsm:
        site = read_site(JsmClient(HttpClient().session(), jsm.url))
    assert site.kind == kind
    assert "authorization" not in jsm.seen[0].headers


def test_the_context_path_of_data_center_is_kept() -> None:
    with checked_jsm(data_center=True, context_path="/jira") as jsm:
        assert jsm.url.endswith("/jira")
        assert len(list_service_desks(client_of(jsm))) == 3


def test_something_that_is_no_jira_is_not_taken_for_one(jsm: LocalJsm) -> None:
    jsm.break_with(Fault("status", "/rest/api/2/serverInfo", status=200, body='{"version": "1"}'))
    with pytest.raises(JsmAnswerInvalid, match="which kind of Jira"):
        read_site(client_of(jsm))
