"""Looking for people through the platform's API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jsmsso.sandbox.jsm_site import LocalAccount
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import EVERY_ROLE, ask, checked_jsm

SEARCH = "/rest/api/3/user/search?query="
SEARCH_AT_DATA_CENTER = "/rest/api/2/user/search?username="


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with checked_jsm(accounts=EVERY_ROLE) as running:
        yield running


@pytest.fixture
def data_center() -> Iterator[LocalJsm]:
    with checked_jsm(accounts=EVERY_ROLE, data_center=True) as running:
        yield running


def found(jsm: LocalJsm, path: str, token: str = "") -> list[str]:
    return [user["displayName"] for user in ask(jsm, "GET", path, token=token).json()]


def test_a_search_brings_customers_and_atlassian_accounts_by_parts_of_name_and_address(jsm: LocalJsm) -> None:
    jsm.add_customer("ann@acme.com", "Ann at the portal")
    jsm.add_customer("ann@acme.com", "Ann at Atlassian", kind="atlassian")
    jsm.add_customer("ann@acme.com.example", "Begins alike")
    jsm.add_customer("mallory@evil.example", "ann@acme.com")
    users = ask(jsm, "GET", SEARCH + "Ann@Acme.com").json()
    assert [(user["displayName"], user["accountType"]) for user in users] == [
        ("Ann at the portal", "customer"),
        ("Ann at Atlassian", "atlassian"),
        ("Begins alike", "customer"),
        ("ann@acme.com", "customer"),
    ]


def test_whoever_has_left_is_not_found_but_can_be_looked_up(jsm: LocalJsm) -> None:
    ann = jsm.add_customer("ann@acme.com", "Ann", active=False)
    assert found(jsm, SEARCH + "ann@acme.com") == []
    assert ask(jsm, "GET", f"/rest/api/3/user?accountId={ann.id}").json()["active"] is False


def test_somebody_may_get_another_address_and_name(jsm: LocalJsm) -> None:
    ann = jsm.add_customer("ann@acme.com", "Ann", desks=["HELP"])
    changed = jsm.site.change(ann, email="ann@new.example", display_name="Ann Newman")
    assert changed.id == ann.id
    assert found(jsm, SEARCH + "ann@acme.com") == []
    assert found(jsm, SEARCH + "ann@new.example") == ["Ann Newman"]


@pytest.mark.parametrize(
    "token, status",
    [
        pytest.param("administrator", 200, id="Jira administrator"),
        pytest.param("agent", 200, id="agent"),
        pytest.param("customer", 403, id="customer"),
        pytest.param("none", 403, id="nobody here"),
        pytest.param("wrong", 401, id="a wrong token"),
    ],
)
def test_whoever_may_not_browse_users_finds_nobody(jsm: LocalJsm, token: str, status: int) -> None:
    ann = jsm.add_customer("ann@acme.com", "Ann")
    assert found(jsm, SEARCH + "ann", token) == (["Ann"] if status == 200 else [])
    assert ask(jsm, "GET", f"/rest/api/3/user?accountId={ann.id}", token=token).status_code == status


def test_a_role_on_a_desk_alone_lets_nobody_browse_users() -> None:
    account = LocalAccount("a@example.com", "t", role="none", desks={"HELP": "project_administrator"})
    with checked_jsm(accounts=(account,)) as jsm:
        ann = jsm.add_customer("ann@acme.com", "Ann", desks=["HELP"])
        assert found(jsm, SEARCH + "ann") == []
        customers = ask(jsm, "GET", "/rest/servicedeskapi/servicedesk/1/customer?query=ann@acme.com").json()["values"]
        assert [customer["accountId"] for customer in customers] == [ann.id]


@pytest.mark.parametrize("path", ["", "?query=a&accountId=b", "?startAt=0"])
def test_a_search_for_nothing_is_refused(jsm: LocalJsm, path: str) -> None:
    assert ask(jsm, "GET", f"/rest/api/3/user/search{path}").status_code == 400


def test_an_account_that_nobody_has_is_not_found(jsm: LocalJsm) -> None:
    assert ask(jsm, "GET", "/rest/api/3/user?accountId=qm:gone").status_code == 404
    assert ask(jsm, "GET", "/rest/api/3/user").status_code == 400


def test_those_who_may_call_the_site_are_found_like_everyone_else(jsm: LocalJsm) -> None:
    assert found(jsm, SEARCH + "agent@example.com") == ["Agent"]
    myself = ask(jsm, "GET", "/rest/api/3/myself").json()
    assert ask(jsm, "GET", f"/rest/api/3/user?accountId={myself['accountId']}").json()["displayName"] == myself["displayName"]


def test_two_tokens_of_one_person_are_one_person() -> None:
    accounts = (LocalAccount("bot@example.com", "daily"), LocalAccount("bot@example.com", "admin", role="administrator"))
    with checked_jsm(accounts=accounts) as jsm:
        ids = [ask(jsm, "GET", "/rest/api/3/myself", token=token).json()["accountId"] for token in ("daily", "admin")]
        assert ids[0] == ids[1]
        new = {"email": "ann@acme.com", "displayName": "Ann"}
        assert [ask(jsm, "POST", "/rest/servicedeskapi/customer", new, token=t).status_code for t in ("daily", "admin")] == [403, 201]
        assert len(ask(jsm, "GET", SEARCH + "bot@example.com").json()) == 1


def test_a_search_gives_as_many_as_were_asked_for(jsm: LocalJsm) -> None:
    for number in range(60):
        jsm.add_customer(f"c{number}@acme.com", f"C {number}")
    assert len(found(jsm, SEARCH + "acme.com")) == 50
    assert len(found(jsm, SEARCH + "acme.com&maxResults=100")) == 60
    assert found(jsm, SEARCH + "acme.com&startAt=58&maxResults=5") == ["C 58", "C 59"]


def test_data_center_finds_by_name_address_and_user_name_and_hides_what_it_is_told_to(data_center: LocalJsm) -> None:
    data_center.add_customer("ann@acme.com", "Ann")
    data_center.add_customer("lee@acme.com", "Lee", hidden=True)
    assert found(data_center, SEARCH_AT_DATA_CENTER + "acme.com") == ["Ann", "Lee"]
    users = ask(data_center, "GET", SEARCH_AT_DATA_CENTER + "lee").json()
    assert [(user["name"], "emailAddress" in user, "accountId" in user) for user in users] == [("lee@acme.com", False, False)]
    assert len(found(data_center, SEARCH_AT_DATA_CENTER + ".")) == 2 + len(EVERY_ROLE)
    user = ask(data_center, "GET", "/rest/api/2/user?username=ann@acme.com").json()
    assert ask(data_center, "GET", f"/rest/api/2/user?key={user['key']}").json() == user
    assert ask(data_center, "GET", "/rest/api/2/user?username=nobody").status_code == 404


def test_data_center_refuses_whoever_may_not_browse_users_and_has_no_newer_search(data_center: LocalJsm) -> None:
    statuses = [ask(data_center, "GET", SEARCH_AT_DATA_CENTER + "ann", token=token).status_code for token in ("agent", "customer", "wrong")]
    assert statuses == [200, 403, 401]
    assert ask(data_center, "GET", "/rest/api/2/user/search").status_code == 400
    assert ask(data_center, "GET", "/rest/api/2/user").status_code == 404
    data_center.seen.clear()
    assert ask(data_center, "GET", SEARCH + "ann").status_code == 404
