"""Calls that change something: what is sent again and what never is, deadlines for several calls, and one calm for all."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from jsmsso.errors import JsmAnswerInvalid, JsmRefused, JsmUnreachable
from jsmsso.http_client import HttpClient
from jsmsso.jsm.authentication import ApiToken
from jsmsso.jsm.calm import LONGEST_CALM, Calm, asked_pause
from jsmsso.jsm.client import JsmClient, Patience
from jsmsso.jsm.service_desks import list_service_desks
from jsmsso.jsm.users import add_to_desk, create_customer
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_site import LocalAccount
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import Clock, checked_jsm, client_of, site_of

CUSTOMER = "/rest/servicedeskapi/customer"
ADDED = "/rest/servicedeskapi/servicedesk/1/customer"
DESKS = "/rest/servicedeskapi/servicedesk"
ADMIN = LocalAccount("sso-bot@example.com", "t", role="administrator")


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with checked_jsm(accounts=(ADMIN,)) as running:
        yield running


def calls_of(jsm: LocalJsm, path: str) -> int:
    return sum(call.path == path for call in jsm.seen)


def patience_of(clock: Clock) -> Patience:
    """The clock's, with a monotonic one that passes with it."""
    usual = clock.patience
    return Patience(usual.now, usual.sleep, usual.told, usual.now)


def hurried(jsm: LocalJsm, clock: Clock, seconds: float) -> JsmClient:
    usual = ApiToken(ADMIN.email, ADMIN.token)
    return JsmClient(HttpClient().session(), jsm.url, usual, patience_of(clock)).within(seconds)


@pytest.mark.parametrize(
    "fault, attempts",
    [
        pytest.param(Fault("status", CUSTOMER, times=1, status=429), 2, id="too many requests"),
        pytest.param(Fault("status", CUSTOMER, times=1, status=503, headers={"Retry-After": "1"}), 2, id="come back later"),
        pytest.param(Fault("status", CUSTOMER, times=1, status=503), 1, id="503 that does not say whether it worked"),
        pytest.param(Fault("status", CUSTOMER, times=1, status=502), 1, id="a gateway that heard nothing"),
        pytest.param(Fault("status", CUSTOMER, times=1, status=504), 1, id="a gateway that waited"),
        pytest.param(Fault("lost", CUSTOMER, times=1), 1, id="done, and the answer lost"),
        pytest.param(Fault("dropped", CUSTOMER, times=1), 1, id="dropped, which looks the same"),
        pytest.param(Fault("cut", CUSTOMER, times=1), 1, id="half an answer"),
    ],
)
def test_what_may_have_worked_is_not_sent_again(jsm: LocalJsm, fault: Fault, attempts: int) -> None:
    jsm.break_with(fault)
    try:
        create_customer(client_of(jsm), site_of(jsm), "ann@example.com", "Ann")
    except (JsmRefused, JsmUnreachable):
        assert attempts == 1
    assert calls_of(jsm, CUSTOMER) == attempts
    assert len(jsm.site.people.with_email("ann@example.com")) <= 1


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault("status", ADDED, times=2, status=429), id="429"),
        pytest.param(Fault("status", ADDED, times=2, status=502), id="502"),
        pytest.param(Fault("status", ADDED, times=2, status=503), id="503"),
        pytest.param(Fault("status", ADDED, times=2, status=504), id="504"),
        pytest.param(Fault("lost", ADDED, times=2), id="done, and the answer lost"),
        pytest.param(Fault("dropped", ADDED, times=2), id="dropped"),
    ],
)
def test_what_is_the_same_when_done_twice_is_sent_again(jsm: LocalJsm, fault: Fault) -> None:
    ann = jsm.site.add_customer("ann@example.com")
    jsm.break_with(fault)
    clock = Clock()
    add_to_desk(client_of(jsm, clock), site_of(jsm), "1", ann.id)
    assert jsm.site.desks[0].customers == {ann.id}
    assert calls_of(jsm, ADDED) == 3
    assert clock.pauses == [0.5, 1.0]


def test_a_call_that_never_left_is_sent_again_whatever_it_does() -> None:
    clock = Clock()
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: every connection is refused
        client = JsmClient(HttpClient().session(), f"http://127.0.0.1:{taken.getsockname()[1]}", None, clock.patience)
        with pytest.raises(JsmUnreachable):
            client.send("POST", CUSTOMER, {}, idempotent=False)
    assert clock.pauses == [0.5, 1.0, 2.0]


def test_a_call_without_an_answer_returns_none(jsm: LocalJsm) -> None:
    ann = jsm.site.add_customer("ann@example.com")
    assert client_of(jsm).send("POST", ADDED, {"accountIds": [ann.id]}, idempotent=True) is None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_call_that_changes_something_follows_no_redirect(jsm: LocalJsm, status: int) -> None:
    jsm.break_with(Fault("status", CUSTOMER, status=status, headers={"Location": f"{jsm.url}{DESKS}"}))
    with pytest.raises(JsmAnswerInvalid, match="redirect"):
        create_customer(client_of(jsm), site_of(jsm), "ann@example.com", "Ann")
    assert [call.path for call in jsm.seen] == [CUSTOMER]


NOW = 1_790_000_000.0
IN_NINE = datetime.fromtimestamp(NOW + 9, UTC)


@pytest.mark.parametrize(
    "headers, pause",
    [
        pytest.param({"X-RateLimit-Reset": IN_NINE.isoformat()}, 9.0, id="the reset alone"),
        pytest.param({"X-RateLimit-Reset": IN_NINE.strftime("%Y-%m-%dT%H:%M:%SZ")}, 9.0, id="with a Z"),
        pytest.param({"X-RateLimit-Reset": IN_NINE.replace(tzinfo=None).isoformat()}, 9.0, id="without a zone: UTC"),
        pytest.param({"X-RateLimit-Reset": (IN_NINE - timedelta(minutes=1)).isoformat()}, 0.0, id="a reset that is over"),
        pytest.param({"Retry-After": "3", "X-RateLimit-Reset": IN_NINE.isoformat()}, 3.0, id="Retry-After first"),
        pytest.param({"Retry-After": "soon", "X-RateLimit-Reset": IN_NINE.isoformat()}, 9.0, id="nonsense, then the reset"),
        pytest.param({"X-RateLimit-Reset": "tomorrow"}, None, id="nonsense"),
        pytest.param({"Retry-After": "²"}, None, id="a digit that is no number"),
        pytest.param({}, None, id="nothing"),
    ],
)
def test_the_rate_limit_headers_say_how_long_to_wait(headers: dict[str, str], pause: float | None) -> None:
    assert asked_pause(headers, NOW) == pause


def test_a_busy_site_is_left_alone_as_long_as_it_asks(jsm: LocalJsm) -> None:
    jsm.break_with(Fault("busy", DESKS, times=1, seconds=7))
    clock = Clock()
    assert len(list_service_desks(client_of(jsm, clock))) == 3
    assert clock.pauses == [7.0]


def two_clients(jsm: LocalJsm, clock: Clock) -> tuple[JsmClient, JsmClient, Calm]:
    calm = Calm()
    usual = ApiToken(ADMIN.email, ADMIN.token)
    one, other = (JsmClient(HttpClient().session(), jsm.url, usual, clock.patience, calm=calm) for _ in range(2))
    return one, other, calm


def test_a_429_seen_by_one_holds_the_others_back(jsm: LocalJsm) -> None:
    clock = Clock()
    one, other, _ = two_clients(jsm, clock)
    jsm.break_with(Fault("busy", DESKS, seconds=90))  # longer than anybody waits: the first one gives up
    with pytest.raises(JsmRefused, match="JSM is busy"):
        list_service_desks(one)
    jsm.faults.clear()
    with pytest.raises(JsmRefused, match="was not called") as refused:
        list_service_desks(other)
    assert refused.value.status == 429
    assert "90 seconds" in refused.value.hint
    assert calls_of(jsm, DESKS) == 1
    clock.time += 50
    assert len(list_service_desks(other)) == 3
    assert clock.pauses == [40.0]
    assert clock.reasons == ["JSM was too busy a moment ago"]


def test_a_limit_on_one_issue_holds_nobody_else_back(jsm: LocalJsm) -> None:
    clock = Clock()
    one, other, calm = two_clients(jsm, clock)
    jsm.break_with(Fault("busy", DESKS, times=1, seconds=90, reason="jira-per-issue-on-write"))
    with pytest.raises(JsmRefused):
        list_service_desks(one)
    assert calm.until() == 0.0
    assert len(list_service_desks(other)) == 3


def test_a_site_that_asks_for_a_year_is_asked_again_after_ten_minutes(jsm: LocalJsm) -> None:
    clock = Clock()
    one, _, calm = two_clients(jsm, clock)
    jsm.break_with(Fault("status", DESKS, status=429, headers={"Retry-After": "31536000"}))
    with pytest.raises(JsmRefused):
        list_service_desks(one)
    assert calm.until() == clock.time + LONGEST_CALM


def test_an_earlier_end_of_the_calm_changes_nothing() -> None:
    calm = Calm()
    calm.note(100.0)
    calm.note(50.0)
    assert calm.until() == 100.0


def test_a_pause_that_would_take_too_long_is_not_begun(jsm: LocalJsm) -> None:
    clock = Clock()
    jsm.break_with(Fault("status", DESKS, status=429, headers={"Retry-After": "6"}))
    with pytest.raises(JsmRefused, match="JSM is busy"):
        list_service_desks(hurried(jsm, clock, 5.0))
    assert clock.pauses == []


def test_pauses_and_calls_together_take_no_longer_than_was_given(jsm: LocalJsm) -> None:
    clock = Clock()
    jsm.break_with(Fault("status", DESKS, status=503))
    with pytest.raises(JsmRefused) as refused:
        list_service_desks(hurried(jsm, clock, 2.0))
    assert refused.value.status == 503
    assert clock.pauses == [0.5, 1.0]  # the next would take until after the end


def test_when_the_time_is_used_up_nothing_is_called(jsm: LocalJsm) -> None:
    clock = Clock()
    client = hurried(jsm, clock, 5.0)
    clock.time += 5.0
    with pytest.raises(JsmUnreachable, match="took too long"):
        list_service_desks(client)
    assert list(jsm.seen) == []


def test_a_slow_answer_is_not_waited_for_beyond_the_time_that_is_left(jsm: LocalJsm) -> None:
    jsm.break_with(Fault("slow", DESKS, seconds=1.5))
    with pytest.raises(JsmUnreachable, match="in time"):
        list_service_desks(client_of(jsm).within(0.3))
    jsm.faults.clear()
    assert len(list_service_desks(client_of(jsm))) == 3


def test_a_longer_time_within_a_shorter_one_is_the_shorter_one(jsm: LocalJsm) -> None:
    clock = Clock()
    client = hurried(jsm, clock, 5.0).within(60.0)
    clock.time += 6.0
    with pytest.raises(JsmUnreachable):
        list_service_desks(client)


def test_many_threads_share_a_client_which_keeps_no_cookies(jsm: LocalJsm) -> None:
    body = '{"size": 0, "start": 0, "limit": 50, "isLastPage": true, "values": [], "_links": {}}'
    jsm.break_with(Fault("status", DESKS, status=200, body=body, headers={"Set-Cookie": "JSESSIONID=somebody; Path=/"}))
    client = client_of(jsm)
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda _: list_service_desks(client), range(160)))
    assert found == [()] * 160
    assert not any("cookie" in call.headers for call in jsm.seen)
