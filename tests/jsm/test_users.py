from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from jsmsso.errors import AccountUnknown, CustomerExists, JsmAnswerInvalid, JsmRefused
from jsmsso.jsm.users import JsmUser, add_to_desk, create_customer, find_users, is_customer_of_desk, user_exists
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_site import LocalAccount
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import checked_jsm, client_of, site_of

ADMIN = LocalAccount("sso-bot@example.com", "t", role="administrator")
ANN = "ann@example.com"
SEARCH = "/rest/api/3/user/search"

KINDS = [pytest.param(False, id="Cloud"), pytest.param(True, id="Data Center")]


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with checked_jsm(accounts=(ADMIN,)) as running:
        yield running


@pytest.mark.parametrize("data_center", KINDS)
def test_a_customer_is_created_found_and_put_on_a_desk(data_center: bool) -> None:
    with checked_jsm(accounts=(ADMIN,), data_center=data_center) as jsm:
        client, site = client_of(jsm), site_of(jsm)
        assert find_users(client, site, ANN) == []
        made = create_customer(client, site, ANN, "Ann Example")
        assert (made.email, made.display_name, made.active) == (ANN, "Ann Example", True)
        assert user_exists(client, site, made.id)
        add_to_desk(client, site, "1", made.id)
        add_to_desk(client, site, "1", made.id)
        assert [user.id for user in find_users(client, site, ANN, "1")] == [made.id]
        assert jsm.site.desks[0].customers == {made.id}
    sent = [json.loads(call.body) for call in jsm.seen if call.method == "POST"]
    assert sent[0] == {"email": ANN, "fullName" if data_center else "displayName": "Ann Example"}
    assert sent[1] == {"usernames" if data_center else "accountIds": [made.id]}


@pytest.mark.parametrize("data_center", KINDS)
def test_an_address_that_has_an_account_gets_no_second_one(data_center: bool) -> None:
    with checked_jsm(accounts=(ADMIN,), data_center=data_center) as jsm:
        jsm.site.add_customer(ANN, hidden=True)
        with pytest.raises(CustomerExists) as exists:
            create_customer(client_of(jsm), site_of(jsm), ANN, "Ann")
    assert exists.value.status == (400 if data_center else 409)
    assert exists.value.detail == "An account already exists for this email address."


@pytest.mark.parametrize("data_center", KINDS)
def test_a_malformed_address_is_no_account_that_exists(data_center: bool) -> None:
    with checked_jsm(accounts=(ADMIN,), data_center=data_center) as jsm, pytest.raises(JsmRefused) as refused:
        create_customer(client_of(jsm), site_of(jsm), "ann@nowhere", "Ann")
    assert not isinstance(refused.value, CustomerExists)
    assert refused.value.status == 400


def test_who_may_not_create_accounts_is_told_what_it_takes() -> None:
    with checked_jsm() as jsm, pytest.raises(JsmRefused) as refused:
        create_customer(client_of(jsm), site_of(jsm), ANN, "Ann")
    assert refused.value.status == 403
    assert "Jira administrators only" in refused.value.message
    assert "Administer Jira" in refused.value.hint


def test_an_account_that_is_on_its_way_is_not_known_yet(jsm: LocalJsm) -> None:
    jsm.site.slow_account_creation = 60.0
    client, site = client_of(jsm), site_of(jsm)
    made = create_customer(client, site, ANN, "Ann")
    assert not user_exists(client, site, made.id)
    with pytest.raises(AccountUnknown) as unknown:
        add_to_desk(client, site, "1", made.id)
    assert unknown.value.status == 400
    jsm.site.settle()
    add_to_desk(client, site, "1", made.id)
    assert user_exists(client, site, made.id)


def test_a_desk_that_is_not_there_is_no_unknown_account(jsm: LocalJsm) -> None:
    ann = jsm.site.add_customer(ANN)
    with pytest.raises(JsmRefused) as refused:
        add_to_desk(client_of(jsm), site_of(jsm), "99", ann.id)
    assert refused.value.status == 404
    assert not isinstance(refused.value, AccountUnknown)


def test_everybody_whom_a_search_brings_is_handed_on_each_once(jsm: LocalJsm) -> None:
    ann = jsm.site.add_customer(ANN, "Ann", desks=["HELP"])
    other = jsm.site.add_customer("joann@example.com", ANN)  # whose display name is the address of somebody else
    staff = jsm.site.add_customer(ANN, "Ann of the staff", kind="atlassian")
    jsm.site.add_customer("bob@example.com", "Bob")
    found = {user.id: user for user in find_users(client_of(jsm), site_of(jsm), ANN, "1")}
    assert found == {
        ann.id: JsmUser(ann.id, ANN, "Ann", "portal_only", True),
        other.id: JsmUser(other.id, "joann@example.com", ANN, "portal_only", True),
        staff.id: JsmUser(staff.id, ANN, "Ann of the staff", "atlassian", True),
    }


def test_a_search_is_followed_over_its_pages(jsm: LocalJsm) -> None:
    for number in range(120):
        jsm.site.add_customer(f"x{number}@example.com", f"{ANN} {number}")
    last = jsm.site.add_customer(ANN, "Ann")
    found = find_users(client_of(jsm), site_of(jsm), ANN)
    assert len(found) == 121
    assert last.id in {user.id for user in found}


@pytest.mark.parametrize("how", ["absent", "null", "empty"])
def test_a_hidden_address_is_empty(jsm: LocalJsm, how: Any) -> None:
    ann = jsm.site.add_customer(ANN, "Ann Hidden", hidden=how)
    found = find_users(client_of(jsm), site_of(jsm), "Ann Hidden")
    assert found == [JsmUser(ann.id, "", "Ann Hidden", "portal_only", True)]


@pytest.mark.parametrize("data_center", KINDS)
def test_who_may_not_search_finds_nobody(data_center: bool) -> None:
    bare = LocalAccount("sso-bot@example.com", "t", role="customer")
    with checked_jsm(accounts=(bare,), data_center=data_center) as jsm:
        jsm.site.add_customer(ANN, desks=["HELP"])
        assert find_users(client_of(jsm), site_of(jsm), ANN, "1") == []


def test_a_customer_of_a_desk_is_told_by_id_not_by_name(jsm: LocalJsm) -> None:
    ann = jsm.site.add_customer(ANN, "Ann", desks=["HELP"])
    other = jsm.site.add_customer("other@example.com", ANN)
    client, site = client_of(jsm), site_of(jsm)
    assert is_customer_of_desk(client, site, "1", ann.id, ANN)
    assert not is_customer_of_desk(client, site, "2", ann.id, ANN)
    assert not is_customer_of_desk(client, site, "1", other.id, ANN)


def test_a_data_center_that_lists_no_customers_knows_none() -> None:
    with checked_jsm(accounts=(ADMIN,), data_center=True) as jsm:
        ann = jsm.site.add_customer(ANN, desks=["HELP"])
        assert not is_customer_of_desk(client_of(jsm), site_of(jsm), "1", ann.id, ANN)


def test_who_may_not_see_a_desks_customers_is_told_so_on_cloud() -> None:
    bare = LocalAccount("sso-bot@example.com", "t", role="customer")
    with checked_jsm(accounts=(bare,)) as jsm, pytest.raises(JsmRefused) as refused:
        is_customer_of_desk(client_of(jsm), site_of(jsm), "1", "x", ANN)
    assert "Service Desk Team" in refused.value.hint


TIDY = {"accountId": "5b10", "accountType": "atlassian", "emailAddress": ANN, "displayName": "Ann", "active": True}


@pytest.mark.parametrize(
    "item, found",
    [
        pytest.param(TIDY, [JsmUser("5b10", ANN, "Ann", "atlassian", True)], id="as documented"),
        pytest.param({"accountId": "5b10"}, [JsmUser("5b10", "", "", "", True)], id="an id alone"),
        pytest.param(TIDY | {"accountType": "app"}, [JsmUser("5b10", ANN, "Ann", "", True)], id="an app"),
        pytest.param(TIDY | {"accountType": None}, [JsmUser("5b10", ANN, "Ann", "", True)], id="no type"),
        pytest.param(TIDY | {"active": False}, [JsmUser("5b10", ANN, "Ann", "atlassian", False)], id="deactivated"),
        pytest.param(TIDY | {"emailAddress": ["a"], "displayName": {}}, [JsmUser("5b10", "", "", "atlassian", True)], id="wrong types"),
        pytest.param(TIDY | {"accountId": None}, [], id="no id"),
        pytest.param(TIDY | {"accountId": ["5b10"]}, [], id="an id that is a list"),
        pytest.param("Ann", [], id="a text instead of an account"),
        pytest.param(None, [], id="null instead of an account"),
    ],
)
def test_an_untidy_account_is_read_as_far_as_it_can_be(jsm: LocalJsm, item: Any, found: list[JsmUser]) -> None:
    jsm.break_with(Fault("status", SEARCH, status=200, body=json.dumps([item])))
    assert find_users(client_of(jsm), site_of(jsm), ANN) == found


@pytest.mark.parametrize("body", ['{"values": []}', "null", '"x"', "3"])
def test_a_search_that_is_no_list_is_said_to_be_none(jsm: LocalJsm, body: str) -> None:
    jsm.break_with(Fault("status", SEARCH, status=200, body=body))
    with pytest.raises(JsmAnswerInvalid, match="no list"):
        find_users(client_of(jsm), site_of(jsm), ANN)


@pytest.mark.parametrize("body", ["{}", "[]", "null", '{"accountId": 7.5}', '{"emailAddress": "ann@example.com"}'])
def test_a_created_account_without_an_id_is_not_taken(jsm: LocalJsm, body: str) -> None:
    jsm.break_with(Fault("status", "/rest/servicedeskapi/customer", status=201, body=body))
    with pytest.raises(JsmAnswerInvalid, match="which account it created"):
        create_customer(client_of(jsm), site_of(jsm), ANN, "Ann")


def test_what_one_search_hides_and_the_other_shows_is_known(jsm: LocalJsm) -> None:
    ann = jsm.site.add_customer(ANN, "Ann", desks=["HELP"])
    hidden = {"accountId": ann.id, "accountType": "customer", "displayName": "Ann", "active": True}
    jsm.break_with(Fault("status", SEARCH, status=200, body=json.dumps([hidden])))
    assert find_users(client_of(jsm), site_of(jsm), ANN, "1") == [JsmUser(ann.id, ANN, "Ann", "portal_only", True)]
