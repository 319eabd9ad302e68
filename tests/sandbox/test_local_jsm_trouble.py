"""What a site can be told to do badly: to be slow, busy, or gone in the middle of a call; and its gateway."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests

from jsmsso.http_client import HttpClient
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_site import LocalAccount, LocalSite
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import EVERY_ROLE, ask, checked_jsm
from tests.services.children import Children

DESKS = "/rest/servicedeskapi/servicedesk"
CUSTOMER = "/rest/servicedeskapi/customer"
ANN = {"email": "ann@acme.com", "displayName": "Ann"}
SCOPED = LocalAccount("sso-bot@example.com", "scoped", scoped=True)


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with checked_jsm(accounts=(*EVERY_ROLE, SCOPED)) as running:
        yield running


def test_answers_take_as_long_as_their_path_is_told_to(jsm: LocalJsm) -> None:
    jsm.site.latency = {"/rest/": 0.2, "/rest/api/": 3600.0, "/rest/api/3/myself": 0.0}
    before = time.monotonic()
    assert ask(jsm, "GET", DESKS).ok
    assert time.monotonic() - before >= 0.2
    assert ask(jsm, "GET", "/rest/api/3/myself").ok
    jsm.site.latency.clear()
    assert ask(jsm, "GET", "/rest/api/2/serverInfo").ok


def test_a_busy_site_says_when_to_come_back_in_all_of_atlassians_headers(jsm: LocalJsm) -> None:
    jsm.break_with(Fault("busy", DESKS, seconds=90, times=1, reason="jira-per-issue-on-write"))
    busy, after = ask(jsm, "GET", DESKS), ask(jsm, "GET", DESKS)
    assert (busy.status_code, after.status_code) == (429, 200)
    assert (busy.headers["Retry-After"], busy.headers["RateLimit-Reason"]) == ("90", "jira-per-issue-on-write")
    until = datetime.strptime(busy.headers["X-RateLimit-Reset"], "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
    assert abs(until - datetime.now(UTC) - timedelta(seconds=90)) <= timedelta(seconds=61)
    assert busy.json()["errorMessages"]


@pytest.mark.parametrize("kind, accounts", [pytest.param("lost", 1, id="after the work"), pytest.param("dropped", 0, id="before the work")])
def test_an_answer_can_be_lost(jsm: LocalJsm, kind: str, accounts: int) -> None:
    jsm.break_with(Fault(kind, CUSTOMER, times=1))  # type: ignore[arg-type]
    with pytest.raises(requests.ConnectionError):
        ask(jsm, "POST", CUSTOMER, ANN)
    assert len(jsm.site.people.with_email("ann@acme.com")) == accounts
    assert jsm.seen[-1].fault == kind
    assert ask(jsm, "POST", CUSTOMER, ANN).status_code == (400 if accounts else 201)


def test_a_fault_can_be_kept_to_one_method(jsm: LocalJsm) -> None:
    jsm.break_with(Fault("busy", "/rest/servicedeskapi/organization", method="POST"))
    assert ask(jsm, "GET", "/rest/servicedeskapi/organization").status_code == 200
    assert ask(jsm, "POST", "/rest/servicedeskapi/organization", {"name": "Acme"}).status_code == 429
    assert jsm.site.organizations == {}


def test_when_each_call_came_is_remembered(jsm: LocalJsm) -> None:
    ask(jsm, "GET", DESKS)
    time.sleep(0.05)
    ask(jsm, "GET", DESKS)
    assert jsm.seen[1].at - jsm.seen[0].at >= 0.05


def test_a_scoped_token_works_at_the_gateway_alone(jsm: LocalJsm) -> None:
    cloud_id = HttpClient().session().get(f"{jsm.url}/_edge/tenant_info").json()["cloudId"]
    assert jsm.gateway_url.endswith(f"/ex/jira/{cloud_id}")
    assert ask(jsm, "GET", "/rest/api/3/myself", token="scoped").status_code == 401
    behind = ask(jsm, "GET", "/rest/api/3/myself", token="scoped", base=jsm.gateway_url)
    assert behind.json()["emailAddress"] == "sso-bot@example.com"
    page = ask(jsm, "GET", f"{DESKS}?limit=2", token="scoped", base=jsm.gateway_url).json()
    assert page["_links"]["next"] == f"{jsm.gateway_url}{DESKS}?start=2&limit=2"
    last = jsm.seen[-1]
    assert (last.path, last.gateway) == (DESKS, cloud_id)


@pytest.mark.parametrize("token", [pytest.param("administrator", id="a token without scopes"), pytest.param("wrong", id="a wrong token")])
def test_no_other_token_works_at_the_gateway(jsm: LocalJsm, token: str) -> None:
    for path in ("/rest/api/3/myself", "/rest/api/2/serverInfo", "/rest/api/3/user/search?query=a"):
        assert ask(jsm, "GET", path, token=token, base=jsm.gateway_url).status_code == 401


def test_the_gateway_answers_no_stranger(jsm: LocalJsm) -> None:
    session = HttpClient().session()
    assert session.get(f"{jsm.gateway_url}/rest/api/2/serverInfo").status_code == 401
    assert session.get(f"{jsm.url}/rest/api/2/serverInfo").status_code == 200


def test_another_cloud_id_is_not_found(jsm: LocalJsm) -> None:
    for elsewhere in (jsm.gateway_url[:-1] + "x", jsm.gateway_url.rpartition("/")[0]):
        assert ask(jsm, "GET", "/rest/api/3/myself", token="scoped", base=elsewhere).status_code == 404


def test_data_center_has_no_gateway() -> None:
    with LocalJsm(LocalSite("Server")) as jsm:
        session = HttpClient().session()
        assert session.get(f"{jsm.gateway_url}/rest/api/2/serverInfo").status_code == 404
        assert session.get(f"{jsm.url}/_edge/tenant_info").status_code == 404


def test_it_serves_thousands_of_desks_and_customers() -> None:
    with checked_jsm(desks=5000, accounts=EVERY_ROLE, max_limit=100) as jsm:
        for number in range(10_000):
            jsm.add_customer(f"customer{number}@acme.com", f"Customer {number}", desks=["D5000"])
        assert ask(jsm, "GET", f"{DESKS}?start=4900&limit=100").json()["values"][-1]["projectKey"] == "D5000"
        assert ask(jsm, "GET", "/rest/servicedeskapi/requesttype?start=5000&limit=100").json()["isLastPage"]
        users = ask(jsm, "GET", "/rest/api/3/user/search?query=customer9999@acme.com").json()
        page = ask(jsm, "GET", f"{DESKS}/D5000/customer?query=customer9999@acme.com").json()
        assert [user["displayName"] for user in users] == [user["displayName"] for user in page["values"]] == ["Customer 9999"]


def test_as_a_child_process_it_has_customers_and_takes_its_time(start: Children) -> None:
    command = [sys.executable, "-m", "jsmsso.sandbox.local_jsm", "--customers", "12", "--latency", "0.3"]
    url = start(command, ready=r"http://\S+").stdout.strip()
    before = time.monotonic()
    address, auth = f"{url}/rest/api/3/user/search?query=customer12@example.com", ("sso-bot@example.com", "local-jsm-token")
    found = HttpClient().session().get(address, auth=auth)
    assert [user["displayName"] for user in found.json()] == ["Customer 12"]
    assert time.monotonic() - before >= 0.3
