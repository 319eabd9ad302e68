from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from jsmsso.errors import AccountUnknown, JsmAnswerInvalid, JsmRefused, JsmUnreachable
from jsmsso.http_client import HttpClient
from jsmsso.jsm.authentication import ApiToken
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.customers.organization_ids import OrganizationIds
from jsmsso.jsm.organizations import (
    Organization,
    add_member,
    all_organizations,
    attach_to_desk,
    create_organization,
    desk_organizations_of,
    is_member,
    organizations_of,
    remove_member,
)
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_site import LocalAccount
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import checked_jsm, client_of, site_of

ADMIN = LocalAccount("sso-bot@example.com", "t", role="administrator")
ANN = "ann@example.com"
ALL = "/rest/servicedeskapi/organization"

KINDS = [pytest.param(False, id="Cloud"), pytest.param(True, id="Data Center")]


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with checked_jsm(accounts=(ADMIN,), max_limit=2) as running:
        yield running


@pytest.mark.parametrize("data_center", KINDS)
def test_somebody_joins_and_leaves_an_organization_once_or_twice_alike(data_center: bool) -> None:
    with checked_jsm(accounts=(ADMIN,), data_center=data_center, max_limit=2) as jsm:
        client, site = client_of(jsm), site_of(jsm)
        ann = jsm.site.add_customer(ANN)
        for name in ("One", "Two", "Three"):
            jsm.site.add_organization(name)
        made = create_organization(client, "Acme")
        for _ in range(2):
            add_member(client, site, made.id, ann.id)
        assert organizations_of(client, site, ann.id) == [made]
        assert is_member(client, site, made.id, ann.id)
        assert made in all_organizations(client)
        for _ in range(2):
            remove_member(client, site, made.id, ann.id)
        assert organizations_of(client, site, ann.id) == []
        assert not is_member(client, site, made.id, ann.id)


def test_nobody_waits_longer_than_they_have_time_for_a_list_that_another_reads(jsm: LocalJsm) -> None:
    acme = jsm.site.add_organization("Acme")
    client = JsmClient(HttpClient().session(deadline=10.0), jsm.url, ApiToken(ADMIN.email, ADMIN.token))
    ids, said = OrganizationIds(time.time), ""
    jsm.site.latency["/rest/"] = 1.0
    with ThreadPoolExecutor() as threads:
        patient = threads.submit(ids.of, "Acme", client.within(30.0))
        while "still being read" not in said:  # the first to ask may be this one, whose call is cut then
            with pytest.raises(JsmUnreachable) as refused:
                ids.of("Acme", client.within(0.1))
            said = refused.value.message
        assert not patient.done()
        assert patient.result() == acme.id
    assert ids.of("Acme", client.within(0.1)) == acme.id


@pytest.mark.parametrize("data_center", KINDS)
def test_the_organizations_of_a_desk_that_somebody_is_in(data_center: bool) -> None:
    with checked_jsm(accounts=(ADMIN,), data_center=data_center) as jsm:
        client, site = client_of(jsm), site_of(jsm)
        ann, bob = jsm.site.add_customer(ANN), jsm.site.add_customer("bob@example.com")
        acme = jsm.site.add_organization("Acme", [ann])
        jsm.site.add_organization("Elsewhere", [ann], ["HR"])
        assert desk_organizations_of(client, site, "1", ann.id) == []
        for _ in range(2):
            attach_to_desk(client, "1", acme.id)
        assert desk_organizations_of(client, site, "1", ann.id) == [Organization(acme.id, "Acme")]
        assert desk_organizations_of(client, site, "1", bob.id) == []


def test_an_organization_that_is_there_is_the_one_that_is_made(jsm: LocalJsm) -> None:
    there = jsm.site.add_organization("Acme")
    assert create_organization(client_of(jsm), "Acme") == Organization(there.id, "Acme")
    assert len(jsm.site.organizations) == 1


def test_a_lost_answer_makes_no_second_organization(jsm: LocalJsm) -> None:
    jsm.break_with(Fault("lost", ALL, times=1, method="POST"))
    create_organization(client_of(jsm), "Acme")
    assert [organization.name for organization in jsm.site.organizations.values()] == ["Acme"]


@pytest.mark.parametrize("data_center", KINDS)
def test_an_account_that_is_on_its_way_cannot_join_yet(data_center: bool) -> None:
    with checked_jsm(accounts=(ADMIN,), data_center=data_center) as jsm:
        acme = jsm.site.add_organization("Acme")
        ann = jsm.site.add_customer(ANN, known_in=60.0)
        with pytest.raises(AccountUnknown):
            add_member(client_of(jsm), site_of(jsm), acme.id, ann.id)
        jsm.site.settle()
        add_member(client_of(jsm), site_of(jsm), acme.id, ann.id)
    assert jsm.site.organizations[acme.id].members == {ann.id}


def test_an_organization_that_is_gone_has_nobody_to_take_out(jsm: LocalJsm) -> None:
    ann = jsm.site.add_customer(ANN)
    remove_member(client_of(jsm), site_of(jsm), "404", ann.id)


def test_nobody_joins_an_organization_that_is_gone(jsm: LocalJsm) -> None:
    ann = jsm.site.add_customer(ANN)
    with pytest.raises(JsmRefused) as refused:
        add_member(client_of(jsm), site_of(jsm), "404", ann.id)
    assert refused.value.status == 404


def test_a_site_that_keeps_organizations_to_administrators_says_so() -> None:
    with checked_jsm(organizations_for_administrators=True) as jsm, pytest.raises(JsmRefused) as refused:
        create_organization(client_of(jsm), "Acme")
    assert refused.value.status == 403
    assert "keep organizations to Jira administrators" in refused.value.hint


@pytest.mark.parametrize("body", ["null", "[]", "{}", '{"id": "1"}', '{"name": "Acme"}', '{"id": [], "name": "Acme"}'])
def test_a_made_organization_without_id_or_name_is_not_taken(jsm: LocalJsm, body: str) -> None:
    jsm.break_with(Fault("status", ALL, status=201, body=body))
    with pytest.raises(JsmAnswerInvalid, match="which organization"):
        create_organization(client_of(jsm), "Acme")


def test_an_organization_without_a_name_is_passed_over(jsm: LocalJsm) -> None:
    values = [{"id": "1"}, {"id": "2", "name": None}, {"id": "3", "name": "Acme"}]
    jsm.break_with(Fault("status", ALL, status=200, body=json.dumps({"isLastPage": True, "values": values})))
    assert list(all_organizations(client_of(jsm))) == [Organization("3", "Acme")]


@pytest.mark.parametrize("organization_id", ["", "../1", "x", "1/user"])
def test_an_id_that_is_no_number_is_not_sent(jsm: LocalJsm, organization_id: str) -> None:
    with pytest.raises(JsmAnswerInvalid, match="no number"):
        attach_to_desk(client_of(jsm), "1", organization_id)
    assert list(jsm.seen) == []


def test_an_id_from_jsm_leads_to_no_other_address(jsm: LocalJsm) -> None:
    with pytest.raises(JsmAnswerInvalid, match="no address"):
        add_member(client_of(jsm), site_of(jsm), "../../servicedesk/1/customer?x=", "5b10")
    assert list(jsm.seen) == []
