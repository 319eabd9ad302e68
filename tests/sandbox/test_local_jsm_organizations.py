"""Organizations: who may make them, who is in them, and on which desks they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from jsmsso.sandbox.jsm_site import LocalSite
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import EVERY_ROLE, ask, checked_jsm

ALL = "/rest/servicedeskapi/organization"
OF_DESK = "/rest/servicedeskapi/servicedesk/HELP/organization"


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with checked_jsm(accounts=EVERY_ROLE) as running:
        yield running


def names(jsm: LocalJsm, path: str = ALL, token: str = "") -> list[str]:
    return [organization["name"] for organization in ask(jsm, "GET", path, token=token).json()["values"]]


@pytest.mark.parametrize("data_center", [pytest.param(False, id="Cloud"), pytest.param(True, id="Data Center")])
def test_an_organization_is_made_filled_attached_and_taken_apart_again(data_center: bool) -> None:
    with checked_jsm(accounts=EVERY_ROLE, data_center=data_center) as jsm:
        ann = jsm.add_customer("ann@acme.com", "Ann")
        people = {"usernames" if data_center else "accountIds": [ann.id]}
        made = ask(jsm, "POST", ALL, {"name": "Acme"})
        assert made.status_code == 201
        number = made.json()["id"]
        assert ask(jsm, "POST", ALL, {"name": "Acme"}).json()["id"] == number
        assert [ask(jsm, "POST", f"{ALL}/{number}/user", people).status_code for _ in range(2)] == [204, 204]
        members = ask(jsm, "GET", f"{ALL}/{number}/user").json()["values"]
        assert [member["displayName"] for member in members] == ["Ann"]
        on_desk = {"organizationId": int(number)}
        assert [ask(jsm, "POST", OF_DESK, on_desk).status_code for _ in range(2)] == [204, 204]
        assert names(jsm, OF_DESK) == ["Acme"]
        desk, organization = jsm.site.desk("HELP"), jsm.site.organization("Acme")
        assert desk is not None
        assert organization is not None
        assert (desk.organizations, organization.members) == ({number}, {ann.id})
        assert [ask(jsm, "DELETE", OF_DESK, on_desk).status_code for _ in range(2)] == [204, 204]
        assert [ask(jsm, "DELETE", f"{ALL}/{number}/user", people).status_code for _ in range(2)] == [204, 204]
        assert ask(jsm, "GET", f"{ALL}/{number}/user").json()["values"] == names(jsm, OF_DESK) == []
        assert ask(jsm, "GET", f"{ALL}/{number}").json()["name"] == "Acme"
        assert ask(jsm, "DELETE", f"{ALL}/{number}").status_code == 204
        assert ask(jsm, "GET", f"{ALL}/{number}").status_code == 404


def test_cloud_tells_the_organizations_of_one_account(jsm: LocalJsm) -> None:
    ann = jsm.add_customer("ann@acme.com", organizations=["Acme", "Buyers"])
    jsm.site.add_organization("Nobody's", desks=["HELP"])
    jsm.site.add_organization("Buyers", desks=["HELP"])
    assert names(jsm) == ["Acme", "Buyers", "Nobody's"]
    assert names(jsm, f"{ALL}?accountId={ann.id}") == ["Acme", "Buyers"]
    assert names(jsm, OF_DESK) == ["Buyers", "Nobody's"]
    assert names(jsm, f"{OF_DESK}?accountId={ann.id}") == ["Buyers"]
    assert ask(jsm, "GET", f"{ALL}?accountId=gone").status_code == 404
    assert ask(jsm, "GET", f"{OF_DESK}?accountId=gone").status_code == 404
    assert ask(jsm, "GET", f"{ALL}?accountId={ann.id}", token="customer").status_code == 403


def test_data_center_cannot_be_asked_for_the_organizations_of_one_account() -> None:
    with LocalJsm(LocalSite("Server", accounts=EVERY_ROLE)) as jsm:
        jsm.site.add_organization("Acme")
        jsm.site.add_organization("Buyers")
        assert names(jsm, f"{ALL}?accountId=ann@acme.com") == ["Acme", "Buyers"]


def test_customers_see_their_own_organizations(jsm: LocalJsm) -> None:
    own, other = jsm.site.add_organization("Own"), jsm.site.add_organization("Other")
    own.members.add(next(account for account in EVERY_ROLE if account.token == "customer").account_id)
    assert names(jsm, token="customer") == ["Own"]
    assert [ask(jsm, "GET", f"{ALL}/{o.id}", token="customer").status_code for o in (own, other)] == [200, 403]


@pytest.mark.parametrize(
    "role, kept, manage, attach, delete",
    [
        pytest.param("administrator", False, 204, 204, 204, id="Jira administrator"),
        pytest.param("administrator", True, 204, 204, 204, id="Jira administrator, kept to them"),
        pytest.param("project_administrator", False, 204, 204, 403, id="project administrator"),
        pytest.param("agent", False, 204, 204, 403, id="agent"),
        pytest.param("agent", True, 403, 204, 403, id="agent, kept to Jira administrators"),
        pytest.param("customer", False, 403, 403, 403, id="customer"),
        pytest.param("wrong", False, 401, 401, 401, id="a wrong token"),
    ],
)
def test_each_permission_is_needed(jsm: LocalJsm, role: str, kept: bool, manage: int, attach: int, delete: int) -> None:
    jsm.site.organizations_for_administrators = kept
    ann, organization = jsm.add_customer("ann@acme.com"), jsm.site.add_organization("Acme")
    people, on_desk = {"accountIds": [ann.id]}, {"organizationId": int(organization.id)}
    answers = [
        ask(jsm, "POST", f"{ALL}/1/user", people, token=role),
        ask(jsm, "DELETE", f"{ALL}/1/user", people, token=role),
        ask(jsm, "POST", OF_DESK, on_desk, token=role),
        ask(jsm, "DELETE", OF_DESK, on_desk, token=role),
        ask(jsm, "DELETE", f"{ALL}/1", token=role),
    ]
    assert [answer.status_code for answer in answers] == [manage, manage, attach, attach, delete]
    assert ask(jsm, "POST", ALL, {"name": "New"}, token=role).status_code == (201 if manage == 204 else manage)


def test_one_who_is_unknown_keeps_all_of_them_out(jsm: LocalJsm) -> None:
    ann, organization = jsm.add_customer("ann@acme.com"), jsm.site.add_organization("Acme")
    for method in ("POST", "DELETE"):
        assert ask(jsm, method, f"{ALL}/1/user", {"accountIds": [ann.id, "qm:gone"]}).status_code == 400
    assert organization.members == set()


@pytest.mark.parametrize(
    "method, path, body",
    [
        pytest.param("POST", f"{ALL}/9/user", {"accountIds": ["x"]}, id="adding to it"),
        pytest.param("GET", f"{ALL}/9/user", None, id="its members"),
        pytest.param("POST", OF_DESK, {"organizationId": 9}, id="attaching it"),
        pytest.param("POST", "/rest/servicedeskapi/servicedesk/NONE/organization", {"organizationId": 9}, id="a desk that is not there"),
    ],
)
def test_an_organization_that_does_not_exist_is_not_found(jsm: LocalJsm, method: str, path: str, body: Any) -> None:
    assert ask(jsm, method, path, body).status_code == 404


@pytest.mark.parametrize(
    "path, body",
    [
        pytest.param(ALL, {"name": "  "}, id="no name"),
        pytest.param(ALL, {"name": "x" * 201}, id="a name too long"),
        pytest.param(ALL, {"title": "Acme"}, id="another word"),
        pytest.param(OF_DESK, {"organizationId": "1"}, id="a number as text"),
        pytest.param(OF_DESK, {}, id="none"),
    ],
)
def test_a_body_in_another_shape_is_refused(path: str, body: Any) -> None:
    with LocalJsm(LocalSite(accounts=EVERY_ROLE)) as jsm:
        jsm.site.add_organization("Acme")
        assert ask(jsm, "POST", path, body).status_code == 400
        assert len(jsm.site.organizations) == 1


def test_many_organizations_come_in_pages(jsm: LocalJsm) -> None:
    for number in range(70):
        jsm.site.add_organization(f"Organization {number}", desks=["HELP"])
    for path in (ALL, OF_DESK):
        first, second = (ask(jsm, "GET", f"{path}?start={start}&limit=50").json() for start in (0, 50))
        assert (first["size"], first["isLastPage"], second["size"], second["isLastPage"]) == (50, False, 20, True)
