from __future__ import annotations

import itertools
import threading
from typing import Any

import pytest

from jsmsso.errors import CheckFailed, JsmRefused
from jsmsso.jsm.portals import Plan, PulledPortal, compare, pull_portals
from jsmsso.profile.model import Portal
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_site import LocalDesk
from tests.jsm.checked_site import checked_jsm, client_of

SITE = "https://acme.atlassian.net"


def url(portal_id: str) -> str:
    return f"{SITE}/servicedesk/customer/portal/{portal_id}"


def known(key: str, desk: str, name: str = "Name", **more: Any) -> Portal:
    return Portal(id=desk, key=key, service_desk=desk, name=name, url=url(desk), mode="hosted", **more)


def pulled(key: str, desk: str, name: str = "Name", portal_id: str = "") -> PulledPortal:
    return PulledPortal(portal_id or desk, key, desk, name, url(portal_id or desk))


def story(plan: Plan) -> list[tuple[str, str, str]]:
    return [(change.what, change.before.key if change.before else "", change.after.key if change.after else "") for change in plan.changes]


def test_cloud_portals_are_pulled_in_the_order_of_the_desks() -> None:
    with checked_jsm() as jsm:
        portals = pull_portals(client_of(jsm))
        assert portals[0] == PulledPortal("1", "HELP", "1", "IT help", f"{jsm.url}/servicedesk/customer/portal/1")
        assert [portal.key for portal in portals] == ["HELP", "HR", "FAC"]
        assert sum("requesttype" in call.path for call in jsm.seen) == 1


def test_a_portals_id_is_that_of_its_request_types_not_of_its_desk() -> None:
    with checked_jsm(data_center=True, context_path="/jira") as jsm:
        portals = pull_portals(client_of(jsm))
        assert [(portal.id, portal.service_desk) for portal in portals] == [("21", "1"), ("22", "2"), ("23", "3")]
        assert portals[0].url == f"{jsm.url}/servicedesk/customer/portal/21"


def test_a_desk_without_request_types_has_the_portal_of_its_own_number() -> None:
    with checked_jsm(desks=(LocalDesk("7", "NEW", "Not ready", "10007", "9", ()),)) as jsm:
        assert [portal.id for portal in pull_portals(client_of(jsm))] == ["7"]


def test_a_site_without_the_call_for_all_types_is_asked_desk_by_desk() -> None:
    with checked_jsm(global_request_types=False) as jsm:
        assert len(pull_portals(client_of(jsm))) == 3
        assert sum(call.path.endswith("/requesttype") and "servicedesk/" in call.path for call in jsm.seen) == 3


def test_a_refusal_of_the_request_types_is_not_taken_for_their_absence() -> None:
    with checked_jsm() as jsm:
        jsm.break_with(Fault("status", "/rest/servicedeskapi/requesttype", status=403, body='{"errorMessage": "No."}'))
        with pytest.raises(JsmRefused):
            pull_portals(client_of(jsm))


def test_no_call_is_made_per_desk() -> None:
    with checked_jsm(desks=300, max_limit=100) as jsm:
        assert len(pull_portals(client_of(jsm))) == 300
        assert len(jsm.seen) == 3 + 4  # pages of desks and of the 305 types that they have


def test_desks_and_types_are_listed_side_by_side_each_one_page_after_the_other() -> None:
    with checked_jsm(desks=8, max_limit=2, latency={"/rest/": 0.05}) as jsm:
        pull_portals(client_of(jsm))
        lists = {kind: [call for call in jsm.seen if call.path.endswith(kind)] for kind in ("/servicedeskapi/servicedesk", "/requesttype")}
    desks, types = lists.values()
    assert types[0].at < desks[-1].at
    assert desks[0].at < types[-1].at
    for calls in (desks, types):
        assert [int(dict(call.query)["start"]) for call in calls] == list(range(0, 2 * len(calls), 2))
        assert all(later.at - earlier.at >= 0.05 for earlier, later in itertools.pairwise(calls))


def test_when_the_desks_cannot_be_listed_the_types_are_given_up() -> None:
    with checked_jsm(desks=60, max_limit=1, latency={"/rest/servicedeskapi/requesttype": 0.02}) as jsm:
        jsm.break_with(Fault("status", "/rest/servicedeskapi/servicedesk", after=1, status=403, body='{"errorMessage": "No."}'))
        with pytest.raises(JsmRefused, match=r"No\."):
            pull_portals(client_of(jsm))
        for thread in threading.enumerate():
            if thread.name == "jsmsso-beside":
                thread.join(10.0)
        assert sum(call.path.endswith("/requesttype") for call in jsm.seen) < 60


def test_a_name_cannot_carry_control_characters_to_a_terminal() -> None:
    with checked_jsm(desks=(LocalDesk("1", "X", "IT\x1b[31m \n help\u202e", "1", "1"),)) as jsm:
        assert pull_portals(client_of(jsm))[0].name == "IT [31m help"


@pytest.mark.parametrize(
    "before, now, told",
    [
        pytest.param([], [pulled("A", "1")], [("added", "", "A")], id="new"),
        pytest.param([known("A", "1")], [pulled("A", "1")], [("same", "A", "A")], id="as it was"),
        pytest.param([known("A", "1")], [pulled("A", "1", "Other")], [("renamed", "A", "A")], id="another name"),
        pytest.param([known("A", "1")], [pulled("B", "1")], [("renamed", "A", "B")], id="another key"),
        pytest.param([known("A", "1")], [pulled("A", "9")], [("renamed", "A", "A")], id="desk made anew under its key"),
        pytest.param([known("A", "1")], [pulled("A", "1", portal_id="5")], [("renamed", "A", "A")], id="another portal id"),
        pytest.param(
            [known("A", "1"), known("B", "2")],
            [pulled("B", "1"), pulled("A", "2")],
            [("renamed", "A", "B"), ("renamed", "B", "A")],
            id="swap",
        ),
        pytest.param([known("A", "1")], [], [("gone", "A", "")], id="gone"),
        pytest.param([known("A", "1", gone=True)], [pulled("A", "1")], [("back", "A", "A")], id="back again"),
        pytest.param(
            [known("B", "2"), known("A", "1")],
            [pulled("C", "3"), pulled("A", "1"), pulled("B", "2")],
            [("same", "B", "B"), ("same", "A", "A"), ("added", "", "C")],
            id="the profile's order stays",
        ),
    ],
)
def test_what_changed_is_told(before: list[Portal], now: list[PulledPortal], told: list[tuple[str, str, str]]) -> None:
    assert story(compare(before, now, "hosted")) == told


def test_a_gone_portal_that_is_marked_already_is_no_difference() -> None:
    assert compare([known("A", "1", gone=True)], [], "hosted").is_empty
    assert not compare([known("A", "1", gone=True)], [], "hosted", prune=True).is_empty
    assert not compare([known("A", "1")], [], "hosted").is_empty


def test_a_mode_that_the_administrator_chose_stays() -> None:
    portal = known("A", "1").model_copy(update={"mode": "native"})
    assert compare([portal], [pulled("A", "1", "Other")], "hosted").changes[0].mode == "native"


def test_a_key_that_a_vanished_portal_still_has_is_not_given_twice() -> None:
    before = [known("A", "1"), known("B", "2")]
    with pytest.raises(CheckFailed, match="portal key A belongs to service desk 2 now") as refused:
        compare(before, [pulled("A", "2")], "hosted")
    assert "--prune" in refused.value.hint
    assert story(compare(before, [pulled("A", "2")], "hosted", prune=True)) == [("pruned", "A", ""), ("renamed", "B", "A")]
