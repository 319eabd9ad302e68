from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from html.parser import HTMLParser
from socket import socket
from typing import Any

import pytest
import requests

from jsmsso.errors import PortTaken
from jsmsso.http_client import HttpClient
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_site import LocalAccount, LocalSite, default_desks
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.services.children import Children


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with LocalJsm() as running:
        yield running


@pytest.fixture
def ask(jsm: LocalJsm) -> Callable[..., requests.Response]:
    session = HttpClient().session()

    def get(path: str, *, token: str = "", **options: Any) -> requests.Response:
        return session.get(jsm.url + path, auth=(jsm.account.email, token or jsm.account.token), **options)

    return get


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def handle_data(self, data: str) -> None:
        self.text += data


def text_of(page: str) -> str:
    parser = _Text()
    parser.feed(page)
    return parser.text


def test_three_service_desks_stand_ready(ask: Callable[..., requests.Response]) -> None:
    page = ask("/rest/servicedeskapi/servicedesk").json()
    assert [(desk["id"], desk["projectKey"], desk["projectName"]) for desk in page["values"]] == [
        ("1", "HELP", "IT help"),
        ("2", "HR", "People"),
        ("3", "FAC", "Facilities"),
    ]
    assert page["isLastPage"] is True


def test_the_server_lowers_a_limit_that_is_too_large() -> None:
    with LocalJsm(LocalSite(desks=default_desks(5000), max_limit=100)) as jsm:
        auth = (jsm.account.email, jsm.account.token)
        page = HttpClient().session().get(f"{jsm.url}/rest/servicedeskapi/servicedesk?start=4950&limit=1000", auth=auth).json()
        assert (page["size"], page["limit"], page["isLastPage"]) == (50, 100, True)
        assert page["_links"]["prev"].endswith("start=4850&limit=100")
        assert page["values"][-1]["projectKey"] == "D5000"


def test_an_account_sees_only_the_desks_it_has_a_role_on() -> None:
    account = LocalAccount("a@example.com", "t", role="none", desks={"HR": "agent"})
    with LocalJsm(LocalSite(accounts=(account,))) as jsm:
        page = HttpClient().session().get(f"{jsm.url}/rest/servicedeskapi/servicedesk", auth=("a@example.com", "t")).json()
        assert [desk["projectKey"] for desk in page["values"]] == ["HR"]


@pytest.mark.parametrize(
    "path, status",
    [
        pytest.param("/rest/api/3/myself", 401, id="a call for accounts only"),
        pytest.param("/rest/servicedeskapi/servicedesk", 401, id="a call of JSM"),
        pytest.param("/rest/api/3/mypermissions?permissions=ADMINISTER", 200, id="a call that strangers may make"),
    ],
)
def test_wrong_credentials_are_told_by_the_header_that_jira_has_for_it(
    ask: Callable[..., requests.Response], path: str, status: int
) -> None:
    answer = ask(path, token="wrong")
    assert answer.status_code == status
    assert answer.headers["X-Seraph-LoginReason"] == "AUTHENTICATED_FAILED"


def test_cloud_takes_no_bearer_and_data_center_no_basic(jsm: LocalJsm) -> None:
    session = HttpClient().session()
    assert session.get(f"{jsm.url}/rest/api/3/myself", headers={"Authorization": f"Bearer {jsm.account.token}"}).status_code == 401
    with LocalJsm(LocalSite("Server")) as own:
        url, account = f"{own.url}/rest/api/2/myself", own.account
        assert session.get(url, auth=(account.email, account.token)).status_code == 401
        answer = session.get(url, headers={"Authorization": f"Bearer {account.token}"})
        assert answer.json()["name"] == "sso-bot"
        assert "accountId" not in answer.json()


def test_an_experimental_call_wants_the_header_that_opts_in(ask: Callable[..., requests.Response]) -> None:
    assert ask("/rest/servicedeskapi/requesttype").status_code == 412
    assert ask("/rest/servicedeskapi/requesttype", headers={"X-ExperimentalApi": "opt-in"}).status_code == 200


@pytest.mark.parametrize("path", ["/rest/api/3/project", "/rest/api/9/myself", "/rest/servicedeskapi/nothing"])
def test_an_address_that_it_does_not_have_is_a_page(ask: Callable[..., requests.Response], path: str) -> None:
    answer = ask(path)
    assert answer.status_code == 404
    assert "dead link" in answer.text


@pytest.mark.parametrize(
    "path, said",
    [
        pytest.param("/servicedesk/customer/portal/1", "You landed on the portal IT help HELP, portal 1.", id="a portal"),
        pytest.param("/servicedesk/customer/portal/2/HR-41", "The link asked for the request HR-41.", id="a request"),
        pytest.param("/servicedesk/customer/portal/3/group/3/create/300", "The link asked to raise: Something is broken.", id="a form"),
        pytest.param("/servicedesk/customer/portals", "Facilities FAC", id="the help center"),
        pytest.param("/servicedesk/customer/portal/2/%3Cscript%3E", "request <script>.", id="a key that is markup"),
    ],
)
def test_a_portal_page_shows_where_the_customer_landed(jsm: LocalJsm, path: str, said: str) -> None:
    answer = HttpClient().session().get(jsm.url + path)
    assert answer.status_code == 200
    assert said in text_of(answer.text)
    assert "does not know who you are" in answer.text
    assert "<script" not in answer.text


@pytest.mark.parametrize("path", ["/servicedesk/customer/portal/99", "/servicedesk/elsewhere"])
def test_a_portal_that_does_not_exist_is_not_found(jsm: LocalJsm, path: str) -> None:
    assert HttpClient().session().get(jsm.url + path).status_code == 404


def test_under_a_context_path_nothing_stands_beside_it() -> None:
    with LocalJsm(LocalSite("Server", context_path="/jira")) as jsm:
        session = HttpClient().session()
        assert jsm.url.endswith("/jira")
        assert session.get(f"{jsm.url}/rest/api/2/serverInfo").json()["baseUrl"] == jsm.url
        assert session.get(f"{jsm.url}/servicedesk/customer/portal/21").status_code == 200
        assert session.get(f"{jsm.url.removesuffix('/jira')}/rest/api/2/serverInfo").status_code == 404


def test_a_fault_comes_when_and_as_often_as_asked(jsm: LocalJsm, ask: Callable[..., requests.Response]) -> None:
    jsm.break_with(Fault("status", "/rest/servicedeskapi/", after=1, times=2, status=503, headers={"Retry-After": "4"}))
    answers = [ask("/rest/servicedeskapi/servicedesk") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 503, 503, 200]
    assert answers[1].headers["Retry-After"] == "4"
    assert ask("/rest/api/3/myself").status_code == 200
    jsm.break_with(Fault("status"))
    jsm.faults.clear()
    assert ask("/rest/api/3/myself").status_code == 200


def test_a_port_in_use_is_named(jsm: LocalJsm) -> None:
    with closing(socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=str(port)):
            LocalJsm(port=port).start()


@pytest.mark.parametrize(
    "options, kind, desks",
    [
        pytest.param([], "Cloud", 3, id="Cloud"),
        pytest.param(["--data-center", "--context-path", "/jira", "--desks", "5"], "Server", 5, id="Data Center"),
        pytest.param(["--examples", "--requests", "50"], "Cloud", 3, id="with requests"),
    ],
)
def test_as_a_child_process_it_prints_its_address_and_ends_with_a_signal(
    start: Children, options: list[str], kind: str, desks: int
) -> None:
    child = start([sys.executable, "-m", "jsmsso.sandbox.local_jsm", *options], ready=r"http://\S+")
    url = child.stdout.strip()
    session = HttpClient().session()
    assert session.get(f"{url}/rest/api/2/serverInfo").json()["deploymentType"] == kind
    assert session.get(f"{url}/servicedesk/customer/portals").text.count('class="card"') == desks
    child.stop()
    assert not child.running
