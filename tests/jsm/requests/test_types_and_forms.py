from __future__ import annotations

from collections.abc import Iterator

import pytest

from jsmsso.errors import JsmRefused
from jsmsso.jsm.requests.buildable import NotBuildable, TypeCount, count_types
from jsmsso.jsm.requests.request_types import has_jira_form, may_create, request_types, type_groups
from jsmsso.jsm.requests.type_form import type_form
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_field_kinds import EVERY_KIND, NO_ONE_ELSE, NOT_BUILDABLE, NOT_FOR_EVERYONE, NOT_ON_THE_PORTAL
from jsmsso.sandbox.jsm_site import LocalAccount, LocalDesk
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import checked_jsm, client_of, site_of

ADMIN = LocalAccount("sso-bot@example.com", "t", role="project_administrator")
TYPES = (EVERY_KIND, *NOT_BUILDABLE, NOT_FOR_EVERYONE, NOT_ON_THE_PORTAL, NO_ONE_ELSE)
DESK = LocalDesk("1", "HELP", "IT help", "10001", "1", TYPES)
EVERYTHING, RESTRICTED, WITHOUT_GROUP, WITH_A_FORM = "100", "104", "105", "103"
KINDS = [pytest.param(False, id="Cloud"), pytest.param(True, id="Data Center")]


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with checked_jsm(desks=(DESK,), accounts=(ADMIN,), max_limit=3) as running:
        yield running


@pytest.mark.parametrize("data_center", KINDS)
def test_request_types_come_with_their_groups_and_those_without_one_too(data_center: bool) -> None:
    with checked_jsm(desks=(DESK,), accounts=(ADMIN,), data_center=data_center, max_limit=3) as jsm:
        client, site = client_of(jsm), site_of(jsm)
        types = request_types(client, site, "1")
        groups = type_groups(client, site, "1")
    assert [one.name for one in types] == [draft.name for draft in TYPES]
    assert [one.group_ids for one in types if one.id == WITHOUT_GROUP] == [()]
    assert types[0].description == "A field of every kind."
    assert types[0].icon_id == "10516"
    assert {group.id for group in groups} == {group_id for one in types for group_id in one.group_ids}


def test_jsm_says_which_types_a_customer_may_use(jsm: LocalJsm) -> None:
    client, site = client_of(jsm), site_of(jsm)
    ann = jsm.site.add_customer("ann@example.com")
    assert may_create(client, site, "1", ann.id, [EVERYTHING, RESTRICTED, "999", "no number"]) == frozenset({EVERYTHING})


def test_a_site_that_does_not_say_who_may_use_a_type_is_not_taken_for_one_that_says_yes(jsm: LocalJsm) -> None:
    jsm.site.checks_type_permissions = False
    ann = jsm.site.add_customer("ann@example.com")
    assert may_create(client_of(jsm), site_of(jsm), "1", ann.id, [EVERYTHING]) is None


def test_data_center_cannot_be_asked_who_may_use_a_type() -> None:
    with checked_jsm(desks=(DESK,), accounts=(ADMIN,), data_center=True) as jsm:
        assert may_create(client_of(jsm), site_of(jsm), "1", "ann@example.com", [EVERYTHING]) is None
        assert not jsm.seen


@pytest.mark.parametrize(
    ("data_center", "long_text"), [pytest.param(False, "rich", id="Cloud"), pytest.param(True, "textarea", id="Data Center")]
)
def test_a_form_has_a_kind_for_each_field_that_customers_see(data_center: bool, long_text: str) -> None:
    with checked_jsm(desks=(DESK,), accounts=(ADMIN,), data_center=data_center) as jsm:
        form = type_form(client_of(jsm), site_of(jsm), "1", EVERYTHING)
    assert [(field.name, field.kind) for field in form.fields] == [
        ("Summary", "text"),
        ("Description", long_text),
        ("Urgency", "choice"),
        ("Due date", "date"),
        ("Labels", "labels"),
        ("Parts", "choices"),
        ("Short text", "text"),
        ("Long text", long_text),
        ("Number", "number"),
        ("Day", "date"),
        ("Moment", "datetime"),
        ("Colour", "choice"),
        ("Colours", "choices"),
        ("Place", "cascading"),
        ("Boxes", "checkboxes"),
        ("One of them", "radio"),
        ("Manager", "user"),
        ("Colleagues", "users"),
        ("Tags", "labels"),
        ("Page", "url"),
        ("Attachment", "attachment"),
    ]
    assert form.unsupported == ()
    assert form.can_raise_on_behalf
    assert form.can_add_participants
    summary, colour, place = (next(field for field in form.fields if field.name == name) for name in ("Summary", "Colour", "Place"))
    assert (summary.system, summary.required, summary.description) == ("summary", True, "Say in a few words what you need.")
    assert [choice.label for choice in colour.choices] == ["Red", "Green", "Blue"]
    assert [(choice.label, [child.label for child in choice.children]) for choice in place.choices] == [
        ("Berlin", ["Office", "Warehouse"]),
        ("Lyon", ["Office"]),
        ("Elsewhere", []),
    ]
    colours = next(field for field in form.fields if field.name == "Colours")
    assert colours.default == (colours.choices[1].id,)


@pytest.mark.parametrize(
    ("type_id", "name"), [pytest.param("101", "Affected computer", id="Assets"), pytest.param("102", "Sprint", id="unknown")]
)
def test_a_field_that_nobody_knows_is_not_guessed_at(jsm: LocalJsm, type_id: str, name: str) -> None:
    assert [field.name for field in type_form(client_of(jsm), site_of(jsm), "1", type_id).unsupported] == [name]


def test_an_attached_jira_form_is_found(jsm: LocalJsm) -> None:
    client, site = client_of(jsm), site_of(jsm)
    assert has_jira_form(client, site, "1", WITH_A_FORM) is True
    assert has_jira_form(client, site, "1", EVERYTHING) is False


def test_where_the_site_tells_nothing_of_forms_nobody_claims_that_there_is_none(jsm: LocalJsm) -> None:
    jsm.break_with(Fault("status", "/jira/forms/", status=403))
    assert has_jira_form(client_of(jsm), site_of(jsm), "1", WITH_A_FORM) is None


def test_a_type_that_is_gone_is_jsms_refusal(jsm: LocalJsm) -> None:
    with pytest.raises(JsmRefused) as refused:
        type_form(client_of(jsm), site_of(jsm), "1", "999")
    assert refused.value.status == 404


def test_what_no_form_of_ours_can_raise_is_counted(jsm: LocalJsm) -> None:
    counts: list[tuple[int, bool]] = []
    counted = count_types(client_of(jsm), site_of(jsm), ["1"], lambda count, done: counts.append((count, done)))
    assert counted == (
        TypeCount(
            "1",
            6,
            (
                NotBuildable("101", "Report a computer", "Affected computer"),
                NotBuildable("102", "Something unusual", "Sprint"),
                NotBuildable("103", "New employee", "a Jira form"),
                NotBuildable("106", "For myself alone", "the service account may not raise it for others"),
            ),
        ),
    )
    assert counts[-2:] == [(6, False), (6, True)]
