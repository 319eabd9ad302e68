"""Accounts and the customers of desks, at both kinds of site."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from jsmsso.http_client import HttpClient
from jsmsso.sandbox.jsm_people import Hidden
from jsmsso.sandbox.jsm_site import LocalSite
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import EVERY_ROLE, ask, checked_jsm

CUSTOMER = "/rest/servicedeskapi/customer"
DESK = "/rest/servicedeskapi/servicedesk/1/customer"
ANN = {"email": "ann@acme.com", "displayName": "Ann Acme"}


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with checked_jsm(accounts=EVERY_ROLE) as running:
        yield running


@pytest.fixture
def data_center() -> Iterator[LocalJsm]:
    with checked_jsm(accounts=EVERY_ROLE, data_center=True) as running:
        yield running


def listed(jsm: LocalJsm, query: str = "") -> list[str]:
    """The display names of the first desk's customers."""
    return [customer["displayName"] for customer in ask(jsm, "GET", f"{DESK}?query={query}").json()["values"]]


def message(answer: requests.Response) -> str:
    return str(answer.json()["errorMessage"])


def test_a_new_customer_is_found_and_becomes_a_customer_of_a_desk(jsm: LocalJsm) -> None:
    created = ask(jsm, "POST", CUSTOMER, ANN)
    assert created.status_code == 201
    account_id = created.json()["accountId"]
    assert account_id.startswith("qm:")
    assert ask(jsm, "GET", "/rest/api/3/user/search?query=ann@acme.com").json()[0]["accountType"] == "customer"
    assert listed(jsm) == []
    assert [ask(jsm, "POST", DESK, {"accountIds": [account_id]}).status_code for _ in range(2)] == [204, 204]
    assert listed(jsm) == ["Ann Acme"]
    help_desk = jsm.site.desk("HELP")
    assert help_desk is not None
    assert help_desk.customers == {account_id}
    assert ask(jsm, "DELETE", DESK, {"accountIds": [account_id]}).status_code == 204
    assert listed(jsm) == []


def test_data_center_names_a_customer_by_the_address_and_takes_names_and_addresses(data_center: LocalJsm) -> None:
    created = ask(data_center, "POST", CUSTOMER, {"email": "Ann@acme.com", "fullName": "Ann Acme"}).json()
    assert (created["name"], created["emailAddress"], created["displayName"]) == ("ann@acme.com", "Ann@acme.com", "Ann Acme")
    assert "accountId" not in created
    lee = data_center.add_customer("lee@acme.com")
    added = ask(data_center, "POST", DESK, {"usernames": ["ann@acme.com", "LEE@acme.com"]})
    assert (added.status_code, added.json()["name"]) == (200, "ann@acme.com")
    help_desk = data_center.site.desk("HELP")
    assert help_desk is not None
    assert help_desk.customers == {"ann@acme.com", lee.id}


def test_data_center_lists_no_customers_of_a_desk_unless_it_is_told_to(data_center: LocalJsm) -> None:
    assert ask(data_center, "GET", DESK).status_code == 405
    data_center.site.lists_desk_customers = True
    assert ask(data_center, "GET", DESK).json()["values"] == []


@pytest.mark.parametrize(
    "role, create, add, see",
    [
        pytest.param("administrator", 201, 204, 200, id="Jira administrator"),
        pytest.param("project_administrator", 403, 204, 200, id="project administrator"),
        pytest.param("agent", 403, 403, 200, id="agent"),
        pytest.param("customer", 403, 403, 403, id="customer"),
        pytest.param("none", 403, 403, 403, id="nobody here"),
        pytest.param("wrong", 401, 401, 401, id="a wrong token"),
    ],
)
def test_each_permission_is_needed(jsm: LocalJsm, role: str, create: int, add: int, see: int) -> None:
    lee = jsm.add_customer("lee@acme.com")
    answers = [
        ask(jsm, "POST", CUSTOMER, ANN, token=role),
        ask(jsm, "POST", DESK, {"accountIds": [lee.id]}, token=role),
        ask(jsm, "GET", DESK, token=role),
        ask(jsm, "DELETE", DESK, {"accountIds": [lee.id]}, token=role),
    ]
    assert [answer.status_code for answer in answers] == [create, add, see, add]
    assert len(jsm.site.people.with_email("ann@acme.com")) == (create == 201)


def test_an_address_that_has_an_account_gets_no_second_one(jsm: LocalJsm) -> None:
    jsm.add_customer("ANN@acme.com", hidden=True)
    taken = ask(jsm, "POST", CUSTOMER, ANN)
    assert (taken.status_code, message(taken)) == (400, "An account already exists for this email address.")
    assert ask(jsm, "POST", f"{CUSTOMER}?strictConflictStatusCode=true", ANN).status_code == 409
    assert ask(jsm, "POST", f"{CUSTOMER}?strictConflictStatusCode=false", ANN).status_code == 400
    assert len(jsm.site.people.with_email("ann@acme.com")) == 1


def test_data_center_knows_no_other_word_for_a_conflict(data_center: LocalJsm) -> None:
    data_center.add_customer("ann@acme.com")
    again = {"email": "ann@acme.com", "fullName": "Ann"}
    assert ask(data_center, "POST", f"{CUSTOMER}?strictConflictStatusCode=true", again).status_code == 400


@pytest.mark.parametrize("email", ["ann", "ann@acme", "ann@@acme.com", "a nn@acme.com", "@acme.com", "ann@.com", ""])
def test_a_malformed_address_is_refused(jsm: LocalJsm, email: str) -> None:
    assert ask(jsm, "POST", CUSTOMER, {**ANN, "email": email}).status_code == 400
    assert ask(jsm, "POST", f"{CUSTOMER}?strictConflictStatusCode=true", {**ANN, "email": email}).status_code == 400


@pytest.mark.parametrize(
    "data_center, path, body",
    [
        pytest.param(False, CUSTOMER, {"email": "ann@acme.com"}, id="no name"),
        pytest.param(False, CUSTOMER, {**ANN, "language": "en"}, id="a word that nobody knows"),
        pytest.param(False, CUSTOMER, [ANN], id="a list"),
        pytest.param(True, CUSTOMER, ANN, id="Cloud's word for the name at Data Center"),
        pytest.param(False, DESK, {"usernames": ["ann@acme.com"]}, id="Data Center's word for people at Cloud"),
        pytest.param(True, DESK, {"accountIds": ["x"]}, id="Cloud's word for people at Data Center"),
        pytest.param(False, DESK, {"accountIds": []}, id="nobody"),
        pytest.param(False, DESK, {"accountIds": "x"}, id="no list"),
    ],
)
def test_a_body_in_another_shape_is_refused(data_center: bool, path: str, body: Any) -> None:
    with LocalJsm(LocalSite("Server" if data_center else "Cloud", accounts=EVERY_ROLE)) as jsm:
        jsm.add_customer("known@acme.com")
        assert ask(jsm, "POST", path, body).status_code == 400
        assert len(jsm.site.people) == len(EVERY_ROLE) + 1


def test_a_body_that_says_it_is_something_else_is_refused(jsm: LocalJsm) -> None:
    session, auth = HttpClient().session(), (jsm.account.email, jsm.account.token)
    assert session.post(jsm.url + CUSTOMER, data={"email": "ann@acme.com"}, auth=auth).status_code == 415
    jsm.seen.clear()  # that body was none of ours


def test_those_who_exist_are_added_though_others_do_not(jsm: LocalJsm) -> None:
    ann = jsm.add_customer("ann@acme.com", "Ann")
    answer = ask(jsm, "POST", DESK, {"accountIds": ["qm:gone", ann.id]})
    assert (answer.status_code, message(answer)) == (400, "The user does not exist: qm:gone")
    assert listed(jsm) == ["Ann"]


def test_a_new_account_is_unknown_to_other_calls_until_it_has_settled(jsm: LocalJsm) -> None:
    jsm.site.slow_account_creation = 3600.0
    account_id = ask(jsm, "POST", CUSTOMER, ANN).json()["accountId"]
    organization = jsm.site.add_organization("Acme")

    def other_calls() -> list[int]:
        people = {"accountIds": [account_id]}
        return [
            ask(jsm, "GET", f"/rest/api/3/user?accountId={account_id}").status_code,
            len(ask(jsm, "GET", "/rest/api/3/user/search?query=ann@acme.com").json()),
            ask(jsm, "POST", DESK, people).status_code,
            ask(jsm, "POST", f"/rest/servicedeskapi/organization/{organization.id}/user", people).status_code,
            ask(jsm, "GET", f"/rest/servicedeskapi/organization?accountId={account_id}").status_code,
        ]

    assert other_calls() == [404, 0, 400, 400, 404]
    assert ask(jsm, "POST", CUSTOMER, ANN).status_code == 400
    jsm.site.settle()
    assert other_calls() == [200, 1, 204, 204, 200]


def test_an_account_settles_by_itself_after_the_time_that_was_set(jsm: LocalJsm) -> None:
    jsm.site.slow_account_creation = 0.2
    before = time.monotonic()
    account_id = ask(jsm, "POST", CUSTOMER, ANN).json()["accountId"]
    while ask(jsm, "GET", f"/rest/api/3/user?accountId={account_id}").status_code == 404:
        time.sleep(0.02)
    assert time.monotonic() - before >= 0.2


@pytest.mark.parametrize(
    "query, found",
    [
        pytest.param("", ["Ann Acme", "Smith, John", "ann@acme.com"], id="everyone"),
        pytest.param("ANN@ACME.COM", ["Ann Acme", "ann@acme.com"], id="an address, as an address and as a name"),
        pytest.param("smith", ["Smith, John"], id="part of a name"),
        pytest.param("acme", ["Ann Acme", "ann@acme.com"], id="part of both"),
        pytest.param("nobody", [], id="nothing"),
    ],
)
def test_customers_of_a_desk_are_found_by_parts_of_name_and_address(jsm: LocalJsm, query: str, found: list[str]) -> None:
    jsm.add_customer("ann@acme.com", "Ann Acme", desks=["HELP"])
    jsm.add_customer("john@example.org", "Smith, John", desks=["HELP"])
    jsm.add_customer("mallory@evil.example", "ann@acme.com", desks=["HELP"])
    jsm.add_customer("ann@acme.com", "Of another desk", desks=["HR"])
    assert sorted(listed(jsm, query)) == found


def test_the_list_of_customers_wants_the_header_that_opts_in(jsm: LocalJsm) -> None:
    assert ask(jsm, "GET", DESK, opt_in=False).status_code == 412
    ann = jsm.add_customer("ann@acme.com", desks=["HELP"])
    assert ask(jsm, "DELETE", DESK, {"accountIds": [ann.id]}, opt_in=False).status_code == 412
    assert ask(jsm, "POST", DESK, {"accountIds": [ann.id]}, opt_in=False).status_code == 204


def test_a_long_list_of_customers_comes_in_pages_each_of_them_once(jsm: LocalJsm) -> None:
    for number in range(120):
        jsm.add_customer(f"c{number}@acme.com", desks=["HELP"])
    pages = [ask(jsm, "GET", f"{DESK}?start={start}&limit=100&query=acme").json() for start in (0, 50, 100)]
    assert [(page["size"], page["limit"], page["isLastPage"]) for page in pages] == [(50, 50, False), (50, 50, False), (20, 50, True)]
    assert len({customer["emailAddress"] for page in pages for customer in page["values"]}) == 120
    assert pages[0]["_links"]["next"].endswith("query=acme&start=50&limit=50")


@pytest.mark.parametrize(
    "hidden, shown",
    [
        pytest.param("", {"emailAddress": "ann@acme.com"}, id="shown"),
        pytest.param("absent", {}, id="absent"),
        pytest.param("null", {"emailAddress": None}, id="null"),
        pytest.param("empty", {"emailAddress": ""}, id="empty"),
    ],
)
def test_a_hidden_address_is_in_no_answer(jsm: LocalJsm, hidden: Hidden, shown: dict[str, Any]) -> None:
    ann = jsm.add_customer("ann@acme.com", "Ann", hidden=hidden, desks=["HELP"], organizations=["Acme"])
    users = [
        ask(jsm, "GET", f"/rest/api/3/user?accountId={ann.id}").json(),
        ask(jsm, "GET", "/rest/api/3/user/search?query=Ann").json()[0],
        ask(jsm, "GET", f"/rest/api/3/user/search?accountId={ann.id}").json()[0],
        ask(jsm, "GET", f"{DESK}?query=Ann").json()["values"][0],
        ask(jsm, "GET", "/rest/servicedeskapi/organization/1/user").json()["values"][0],
    ]
    assert [{key: value for key, value in user.items() if key == "emailAddress"} for user in users] == [shown] * 5
    found = ask(jsm, "GET", "/rest/api/3/user/search?query=ann@acme.com").json()
    assert len(found) == (hidden == "")


@pytest.mark.parametrize("found", [False, True])
def test_a_desk_may_find_an_address_that_it_does_not_show(jsm: LocalJsm, found: bool) -> None:
    jsm.site.desk_query_finds_hidden = found
    jsm.add_customer("ann@acme.com", "Ann", hidden=True, desks=["HELP"])
    assert listed(jsm, "ann@acme.com") == ["Ann"] * found
    assert "ann@acme.com" not in ask(jsm, "GET", f"{DESK}?query=Ann").text


def test_many_at_once_get_one_account_for_one_address(jsm: LocalJsm) -> None:
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: ask(jsm, "POST", CUSTOMER, ANN).status_code, range(8)))
    assert sorted(statuses) == [201, *[400] * 7]
    assert len(jsm.site.people.with_email("ann@acme.com")) == 1
