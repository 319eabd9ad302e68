from __future__ import annotations

from collections.abc import Iterator

import pytest

from jsmsso.errors import JsmAnswerInvalid
from jsmsso.jsm.paging import each_item
from jsmsso.jsm.service_desks import list_service_desks
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import checked_jsm, client_of

DESKS = "/rest/servicedeskapi/servicedesk"


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with checked_jsm(desks=25, max_limit=10) as running:
        yield running


def test_all_pages_are_read_and_the_limit_that_the_server_gave_is_used_for_the_next(jsm: LocalJsm) -> None:
    assert [desk.id for desk in list_service_desks(client_of(jsm))] == [str(n) for n in range(1, 26)]
    asked = [(dict(call.query)["start"], dict(call.query)["limit"]) for call in jsm.seen]
    assert asked == [("0", "100"), ("10", "10"), ("20", "10")]


def test_progress_is_told_page_by_page(jsm: LocalJsm) -> None:
    told: list[tuple[int, bool]] = []
    list_service_desks(client_of(jsm), lambda count, done: told.append((count, done)))
    assert told == [(10, False), (20, False), (25, True)]


@pytest.mark.parametrize(
    "fault, words",
    [
        pytest.param(Fault("repeat", DESKS), "the same page again", id="the first page for ever"),
        pytest.param(Fault("never_last", DESKS), "empty page", id="never says which is the last"),
        pytest.param(Fault("empty", DESKS, after=1), "empty page", id="an empty page in the middle"),
        pytest.param(Fault("never_ends", DESKS), "never said", id="new items for ever"),
    ],
)
def test_pages_that_do_not_end_end_with_a_sentence(jsm: LocalJsm, fault: Fault, words: str) -> None:
    jsm.break_with(fault)
    with pytest.raises(JsmAnswerInvalid, match=words):
        list(each_item(client_of(jsm), DESKS, most_pages=8))
    assert len(jsm.seen) <= 8


def test_a_server_that_does_not_move_on_is_not_followed(jsm: LocalJsm) -> None:
    body = '{"size": 1, "start": 0, "limit": 1, "isLastPage": false, "values": [{"id": "%d"}]}'
    jsm.break_with(Fault("status", DESKS, status=200, body=body % 1, times=1))
    jsm.break_with(Fault("status", DESKS, status=200, body=body % 2))
    with pytest.raises(JsmAnswerInvalid, match="answers from item 0 when asked from item 1"):
        list(each_item(client_of(jsm), DESKS))


@pytest.mark.parametrize(
    "body, ids",
    [
        pytest.param(
            '{"size": 2, "start": 0, "limit": 50, "values": [{"id": "1"}, {"id": "2"}]}', ["1", "2"], id="no isLastPage, page not full"
        ),
        pytest.param('{"size": 0, "start": 0, "limit": 50, "isLastPage": true, "values": []}', [], id="nothing at all"),
        pytest.param('{"isLastPage": true, "values": [{"id": 7}]}', [7], id="numbers for ids"),
        pytest.param('{"isLastPage": true, "values": [{"id": "1"}, {"id": "2"}, {"id": "1"}]}', ["1", "2"], id="an item twice"),
    ],
)
def test_sloppy_pages_are_understood(jsm: LocalJsm, body: str, ids: list[object]) -> None:
    jsm.break_with(Fault("status", DESKS, status=200, body=body))
    assert [item["id"] for item in each_item(client_of(jsm), DESKS)] == ids


def test_an_item_that_moved_to_the_next_page_meanwhile_comes_once(jsm: LocalJsm) -> None:
    seen = each_item(client_of(jsm), DESKS)
    first = [next(seen)["id"] for _ in range(10)]
    jsm.site.desks = (jsm.site.desks[24], *jsm.site.desks[:24])
    ids = first + [item["id"] for item in seen]
    assert len(ids) == len(set(ids)) == 24
