from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from jsmsso.errors import JsmAnswerInvalid, JsmRefused, JsmUnreachable
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.requests.fields import IssueFields, issue_fields
from jsmsso.jsm.requests.issues import read_issue
from jsmsso.jsm.requests.request_types import request_types
from jsmsso.jsm.requests.requests import (
    add_participants,
    create_request,
    make_transition,
    participants,
    remove_participants,
    request_details,
    set_organizations,
    slas,
    transitions,
)
from jsmsso.jsm.requests.type_form import FormField, type_form
from jsmsso.jsm.requests.values import field_value
from jsmsso.jsm.site import Site
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_field_kinds import EVERY_KIND
from jsmsso.sandbox.jsm_people import LocalPerson
from jsmsso.sandbox.jsm_site import LocalAccount, LocalDesk
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import checked_jsm, client_of, site_of

AGENT = LocalAccount("sso-bot@example.com", "t", role="agent")
DESK = LocalDesk("1", "HELP", "IT help", "10001", "1", (EVERY_KIND, "Get IT help"))
EVERYTHING = "100"


@dataclass(frozen=True)
class Help:
    """A site with one desk, our client, and two customers."""

    jsm: LocalJsm
    client: JsmClient
    site: Site
    ann: LocalPerson
    bob: LocalPerson

    def form(self) -> Mapping[str, FormField]:
        """The form with a field of every kind, by the fields' names."""
        return {field.name: field for field in type_form(self.client, self.site, "1", EVERYTHING).fields}

    def raised(self, **filled: list[str]) -> str:
        """A request of Ann's with these fields filled in, by name (``_`` for a space); returns its key."""
        form = self.form()
        given = {"Summary": ["Broken"], "Colour": [form["Colour"].choices[0].id]} | {
            name.replace("_", " "): values for name, values in filled.items()
        }
        values: dict[str, Any] = {form[name].id: field_value(form[name], texts, cloud=self.site.is_cloud) for name, texts in given.items()}
        return create_request(self.client, self.site, "1", EVERYTHING, values, on_behalf_of=self.ann.id).key


@pytest.fixture(params=[pytest.param(False, id="Cloud"), pytest.param(True, id="Data Center")])
def desk(request: pytest.FixtureRequest) -> Iterator[Help]:
    with checked_jsm(desks=(DESK,), accounts=(AGENT,), data_center=request.param, max_limit=2) as jsm:
        ann, bob = jsm.site.add_customer("ann@example.com", "Ann Lee"), jsm.site.add_customer("bob@example.com", "Bob Ray")
        yield Help(jsm, client_of(jsm), site_of(jsm), ann, bob)


def test_a_request_is_the_customers_own_with_a_field_of_every_kind(desk: Help) -> None:
    form = desk.form()
    key = desk.raised(
        Summary=["Everything *at* once"],
        Description=["First [line]\nSecond\n\nThird"],
        Urgency=[form["Urgency"].choices[1].id],
        Due_date=["2026-12-24"],
        Labels=["one", "two"],
        Parts=[form["Parts"].choices[0].id],
        Short_text=["short"],
        Long_text=["long\ntext"],
        Number=["2.5"],
        Day=["2026-12-01"],
        Moment=["2026-12-01T10:00+01:00"],
        Colours=[choice.id for choice in form["Colours"].choices[:2]],
        Place=[form["Place"].choices[0].id, form["Place"].choices[0].children[1].id],
        Boxes=[form["Boxes"].choices[2].id],
        One_of_them=[form["One of them"].choices[1].id],
        Manager=[desk.bob.id],
        Colleagues=[desk.ann.id, desk.bob.id],
        Tags=["tag"],
        Page=["https://acme.com/x"],
    )
    made = desk.jsm.site.requests.get(key)
    assert made is not None
    assert (made.reporter_id, made.summary) == (desk.ann.id, "Everything *at* once")
    details = request_details(desk.client, desk.site, key)
    assert details is not None
    assert (details.key, details.type_name, details.reporter_id, details.reporter_name) == (
        key,
        "Everything at once",
        desk.ann.id,
        "Ann Lee",
    )
    assert (details.status, details.status_category) == ("Waiting for support", "indeterminate")
    shown = {label: text for _, label, text, _ in details.fields}
    assert shown["Place"] == "Berlin / Warehouse"
    assert shown["Colours"] == "Red, Green"
    assert shown["Colleagues"] == "Ann Lee, Bob Ray"
    assert shown["Number"] == "2.5"
    assert shown["Labels"] == "one, two"
    assert "First" in shown["Description"]
    assert [label for _, label, _, is_html in details.fields if is_html] == ["Description", "Long text"]
    assert not [text for text in shown.values() if "@example.com" in text]


def test_rich_text_goes_as_a_document_on_cloud_and_as_text_on_data_center(desk: Help) -> None:
    desk.raised(Description=["[~admin] !x.png!"])
    body = desk.jsm.seen[-1].body.decode()
    assert ('"isAdfRequest": true' in body) is desk.site.is_cloud
    assert ('"type": "doc"' in body) is desk.site.is_cloud


def test_a_refused_document_is_sent_as_text_and_a_refused_text_not_again(desk: Help) -> None:
    desk.jsm.break_with(Fault("status", "/rest/servicedeskapi/request", method="POST", status=400, body="{}", times=1))
    if not desk.site.is_cloud:
        with pytest.raises(JsmRefused):
            desk.raised(Description=["One\ntwo\n\nthree"])
        assert len(desk.jsm.site.requests) == 0
        return
    made = desk.jsm.site.requests.get(desk.raised(Description=["One\ntwo\n\nthree"]))
    assert made is not None
    assert made.values["description"] == "One\ntwo\n\nthree"
    assert len(desk.jsm.site.requests) == 1


def test_what_jsm_finds_wrong_with_a_field_is_said_in_its_words(desk: Help) -> None:
    with pytest.raises(JsmRefused) as refused:
        create_request(desk.client, desk.site, "1", EVERYTHING, {"summary": "No colour"}, on_behalf_of=desk.ann.id)
    assert (refused.value.status, refused.value.detail) == (400, "Colour is required.")
    assert len(desk.jsm.site.requests) == 0


@pytest.mark.parametrize("kind", ["lost", "dropped", "cut"])
def test_a_request_whose_answer_was_lost_is_not_raised_a_second_time(desk: Help, kind: Any) -> None:
    desk.jsm.break_with(Fault(kind, "/rest/servicedeskapi/request", method="POST"))
    with pytest.raises(JsmUnreachable):
        desk.raised(Description=["x"])
    assert len([call for call in desk.jsm.seen if call.path == "/rest/servicedeskapi/request"]) == 1


def test_participants_come_and_go(desk: Help) -> None:
    key = desk.raised()
    for _ in range(2):
        add_participants(desk.client, desk.site, key, [desk.bob.id])
    assert [user.id for user in participants(desk.client, desk.site, key)] == [desk.bob.id]
    for _ in range(2):
        remove_participants(desk.client, desk.site, key, [desk.bob.id])
    assert participants(desk.client, desk.site, key) == ()


def test_a_request_is_shared_with_the_organizations_that_are_named_and_no_others(desk: Help) -> None:
    key = desk.raised()
    acme, umbrella = desk.jsm.site.add_organization("Acme"), desk.jsm.site.add_organization("Umbrella")
    fields = issue_fields(desk.client, desk.site)
    for ids in ([acme.id, umbrella.id], [umbrella.id], []):
        set_organizations(desk.client, desk.site, fields, key, ids)
        facts = read_issue(desk.client, desk.site, fields, key)
        assert facts is not None
        assert facts.organization_ids == set(ids)


def test_a_site_without_the_field_cannot_share_with_organizations(desk: Help) -> None:
    with pytest.raises(JsmAnswerInvalid):
        set_organizations(desk.client, desk.site, IssueFields("", "", "", ""), "HELP-1", ["1"])


def test_a_request_moves_on_with_a_comment(desk: Help) -> None:
    key = desk.raised()
    offered = {one.name: one.id for one in transitions(desk.client, desk.site, key)}
    make_transition(desk.client, desk.site, key, offered["Resolve this issue"], "It works again")
    details = request_details(desk.client, desk.site, key)
    assert details is not None
    assert (details.status, details.status_category) == ("Resolved", "done")
    made = desk.jsm.site.requests.get(key)
    assert made is not None
    assert [(comment.body, comment.public) for comment in made.comments] == [("It works again", True)]


def test_goals_say_when_they_are_missed_and_whether_they_are_over(desk: Help) -> None:
    key = desk.raised()
    first, second = slas(desk.client, desk.site, key)
    assert (first.name, first.breached, first.completed) == ("Time to first response", False, False)
    assert first.remaining_text
    assert first.due is not None
    assert first.due.utcoffset() is not None
    made = desk.jsm.site.requests.get(key)
    assert made is not None
    desk.jsm.site.requests.add_comment(made, AGENT.account_id, "We are on it")
    assert [one.completed for one in slas(desk.client, desk.site, key)] == [True, False]
    assert second.name == "Time to resolution"


def test_no_details_of_what_is_not_there_and_none_of_comments_and_files(desk: Help) -> None:
    key = desk.raised()
    request_details(desk.client, desk.site, key)
    assert dict(desk.jsm.seen[-1].query) == {"expand": "requestType"}
    assert request_details(desk.client, desk.site, "HELP-99") is None


def test_types_of_the_desk_are_the_ones_that_requests_have(desk: Help) -> None:
    assert {one.id for one in request_types(desk.client, desk.site, "1")} == {EVERYTHING, "101"}
