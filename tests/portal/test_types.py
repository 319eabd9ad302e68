"""Which request types a customer is offered, and which of them a form may be sent for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from jsmsso.portal.types import Offered
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_field_kinds import IT_HELP, NOT_FOR_EVERYONE
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import checked_jsm
from tests.portal.conftest import MakeHosted
from tests.portal.desks import acting, desks, type_id
from tests.portal.hosted_site import SERVICE_ACCOUNT, HostedSite


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with checked_jsm(accounts=(SERVICE_ACCOUNT,), desks=desks()) as site:
        yield site


def names(offered: Offered) -> dict[str, list[str]]:
    return {group.name: [one.name for one in group.types] for group in offered.groups}


def all_names(offered: Offered) -> set[str]:
    return {name for group in names(offered).values() for name in group}


def open_to(jsm: LocalJsm, *organizations: str) -> None:
    """Let only these organizations use the type that is not for everyone."""
    ids = frozenset(jsm.site.add_organization(name).id for name in organizations)
    place = jsm.site.desk("HELP")
    assert place is not None
    types = [replace(one, restricted_to=ids) if one is NOT_FOR_EVERYONE else one for one in place.request_types if not isinstance(one, str)]
    jsm.site.desks = (replace(place, request_types=tuple(types)), *jsm.site.desks[1:])


def test_types_stand_in_their_groups_and_those_without_one_are_not_there(hosted: HostedSite) -> None:
    types, at = acting(hosted, hosted.ann)
    found = names(types.for_customer(at))
    assert list(found) == ["Common requests", "Equipment"]
    assert found["Equipment"] == ["New laptop", "Phone and SIM"]
    assert {one.name for one in IT_HELP} <= all_names(types.for_customer(at))
    assert "Internal task" not in all_names(types.for_customer(at))
    assert types.form(at, type_id(hosted.jsm, "Internal task")) is None


def test_a_restricted_type_is_offered_to_those_for_whom_it_is(hosted: HostedSite) -> None:
    open_to(hosted.jsm, "Acme")
    types, at = acting(hosted, hosted.ann)
    assert "Order software" in all_names(types.for_customer(at))
    wanted = type_id(hosted.jsm, "Order software")
    assert types.form(at, wanted) is not None
    _, bens = acting(hosted, hosted.ben)
    assert "Order software" not in all_names(types.for_customer(bens))
    assert types.form(bens, wanted) is None


def test_where_jsm_does_not_tell_restricted_types_are_left_out_and_the_log_says_so(hosted: HostedSite) -> None:
    open_to(hosted.jsm, "Acme")
    hosted.jsm.site.checks_type_permissions = False
    types, at = acting(hosted, hosted.ann)
    assert "Order software" not in all_names(types.for_customer(at))
    assert "Get IT help" in all_names(types.for_customer(at))
    assert types.form(at, type_id(hosted.jsm, "Order software")) is None
    said = hosted.site.events("request_types.unchecked")
    assert [line["portal"] for line in said] == ["HELP"]
    assert "administrator" in said[0]["hint"]


@pytest.mark.parametrize(
    "rules, anns, bens",
    [
        pytest.param({"allow": ["New laptop"]}, {"New laptop"}, {"New laptop"}, id="one alone"),
        pytest.param({"allow": [{"group": "Equipment"}]}, {"New laptop", "Phone and SIM"}, {"New laptop", "Phone and SIM"}, id="a group"),
        pytest.param(
            {"allow": [{"group": "Equipment", "organization": "Acme"}, "Get IT help"]},
            {"New laptop", "Phone and SIM", "Get IT help"},
            {"Get IT help"},
            id="a group for an organization",
        ),
        pytest.param(
            {"allow": [{"group": "Equipment"}], "deny": [{"name": "New laptop", "organization": "Globex"}]},
            {"New laptop", "Phone and SIM"},
            {"Phone and SIM"},
            id="one less for an organization",
        ),
        pytest.param({"allow": ["New laptop"], "deny": ["New laptop"]}, set(), set(), id="a denial is stronger"),
    ],
)
def test_the_profile_narrows_what_is_offered(make_hosted: MakeHosted, rules: dict[str, object], anns: set[str], bens: set[str]) -> None:
    hosted = make_hosted(help={"request_types": rules})
    for person, expected in ((hosted.ann, anns), (hosted.ben, bens)):
        types, at = acting(hosted, person)
        assert all_names(types.for_customer(at)) == expected
        assert (types.form(at, type_id(hosted.jsm, "New laptop")) is not None) == ("New laptop" in expected)


def test_types_and_fields_are_asked_once_and_permissions_for_each_customer(hosted: HostedSite) -> None:
    types, at = acting(hosted, hosted.ann)
    _, bens = acting(hosted, hosted.ben)
    before = len(hosted.jsm.seen)
    for one in (at, at, bens):
        types.for_customer(one)

    def of_types() -> list[bool]:
        """Whether each question for types was one for those that are for everybody, which is asked in case it is needed."""
        return sorted("restrictionStatus" in dict(call.query) for call in hosted.calls_since(before) if call.path.endswith("/requesttype"))

    assert of_types() == [False, True]
    assert len([call for call in hosted.calls_since(before) if call.path.endswith("/permissions/check")]) == 2
    hosted.site.clock.advance(61)
    types.for_customer(at)
    assert len([call for call in hosted.calls_since(before) if call.path.endswith("/permissions/check")]) == 3
    assert of_types() == [False, True]


def test_what_was_offered_stays_while_jsm_fails_and_says_that_it_is_old(hosted: HostedSite) -> None:
    types, at = acting(hosted, hosted.ann)
    before = all_names(types.for_customer(at))
    hosted.site.clock.advance(400)
    hosted.jsm.break_with(Fault("status", "/rest/", status=500))
    stale = types.for_customer(at)
    assert all_names(stale) == before
    assert stale.is_stale
    hosted.jsm.faults.clear()


@pytest.mark.parametrize(
    "name, is_buildable",
    [
        pytest.param("Get IT help", True, id="plain fields"),
        pytest.param("Everything at once", True, id="every field that can be built"),
        pytest.param("Report a computer", True, id="Assets that nobody must fill in"),
        pytest.param("New employee", False, id="a Jira form"),
    ],
)
def test_a_form_says_whether_it_can_be_built_here(hosted: HostedSite, name: str, is_buildable: bool) -> None:
    types, at = acting(hosted, hosted.ann)
    form = types.form(at, type_id(hosted.jsm, name))
    assert form is not None
    assert form.is_buildable == is_buildable
