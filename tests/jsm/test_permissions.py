from __future__ import annotations

import pytest

from jsmsso.jsm.permissions import Abilities, find_abilities
from jsmsso.jsm.service_desks import list_service_desks
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_site import LocalAccount
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import checked_jsm, client_of, site_of

NAMES = ("list", "raise_for_others", "comment_in_public", "add_customers", "manage_organizations")
REFUSED = '{"errorMessages": ["Unrecognized permission: SERVICEDESK_AGENT"], "errors": {}}'


def account(role: str, **desks: str) -> tuple[LocalAccount, ...]:
    return (LocalAccount("sso-bot@example.com", "token", role=role, desks=desks),)  # type: ignore[arg-type]


def ask(jsm: LocalJsm) -> Abilities:
    client = client_of(jsm)
    return find_abilities(client, site_of(jsm), list_service_desks(client))


@pytest.mark.parametrize("data_center", [pytest.param(False, id="Cloud"), pytest.param(True, id="Data Center")])
@pytest.mark.parametrize(
    "role, expected, create",
    [
        pytest.param("administrator", (True, True, True, True, True), True, id="Jira administrator"),
        pytest.param("project_administrator", (True, True, True, True, None), False, id="project administrator"),
        pytest.param("agent", (True, True, True, False, None), False, id="agent"),
        pytest.param("customer", (True, False, False, False, False), False, id="customer"),
    ],
)
def test_each_role_is_told_what_it_may_do(role: str, expected: tuple[bool | None, ...], create: bool, data_center: bool) -> None:
    with checked_jsm(accounts=account(role), data_center=data_center) as jsm:
        abilities = ask(jsm)
    assert [tuple(desk.may[name] for name in NAMES) for desk in abilities.desks] == [expected] * 3
    assert abilities.create_accounts is create


@pytest.mark.parametrize("data_center", [pytest.param(False, id="Cloud"), pytest.param(True, id="Data Center")])
def test_a_role_on_one_desk_is_not_a_role_on_another(data_center: bool) -> None:
    with checked_jsm(accounts=account("customer", HR="agent"), data_center=data_center) as jsm:
        may = {desk.desk.key: desk.may["raise_for_others"] for desk in ask(jsm).desks}
    assert may == {"HELP": False, "HR": True, "FAC": False}


def test_cloud_is_asked_once_for_a_thousand_desks() -> None:
    with checked_jsm(desks=1200) as jsm:
        assert all(desk.may["add_customers"] for desk in ask(jsm).desks)
        assert sum(call.path.endswith("/permissions/check") for call in jsm.seen) == 2


def test_without_the_bulk_question_each_desk_is_asked() -> None:
    with checked_jsm(accounts=account("agent")) as jsm:
        jsm.break_with(Fault("status", "/rest/api/3/permissions/check", status=400, body=REFUSED))
        assert [desk.may["raise_for_others"] for desk in ask(jsm).desks] == [True] * 3
        assert sum("projectKey" in dict(call.query) for call in jsm.seen) == 3


@pytest.mark.parametrize("status", [400, 403, 404])
def test_what_cannot_be_told_is_not_guessed(status: int) -> None:
    with checked_jsm() as jsm:
        jsm.break_with(Fault("status", "/rest/api/3/permissions/check", status=400, body=REFUSED))
        jsm.break_with(Fault("status", "/rest/api/3/mypermissions", status=status, body=REFUSED))
        abilities = ask(jsm)
    assert [tuple(desk.may[name] for name in NAMES) for desk in abilities.desks] == [(True, None, None, None, None)] * 3
    assert abilities.create_accounts is None


@pytest.mark.parametrize("answer", ["[]", "{}", '{"permissions": []}', '{"permissions": {"ADMINISTER": {"havePermission": "yes"}}}'])
def test_an_answer_in_another_shape_tells_nothing(answer: str) -> None:
    with checked_jsm() as jsm:
        jsm.break_with(Fault("status", "/rest/api/3/mypermissions", status=200, body=answer))
        assert ask(jsm).create_accounts is None


def test_no_desks_need_no_questions_about_desks() -> None:
    with checked_jsm(accounts=account("administrator")) as jsm:
        jsm.site.desks = ()
        assert ask(jsm) == Abilities((), True)
