"""Files that are larger than a worker should hold: in pieces from the browser to JSM, and from JSM to the browser."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from http.client import IncompleteRead
from pathlib import Path
from typing import Any

import pytest
from werkzeug import Response

from jsmsso.portal.crowding import PAGES_AT_ONCE, TRANSFERS_AT_ONCE
from jsmsso.portal.downloads import WHOLE
from jsmsso.portal.spooling import IN_MEMORY, Room
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_requests import LocalIssue
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.portal.desks import services_of
from tests.portal.hosted_site import HostedSite, send_files
from tests.portal.served_apart import Apart, cookie_of, served_apart, until
from tests.runtime.site import Browser

LARGE = 40_000_000  # bytes
MEGABYTE = 1_000_000
PNG = b"\x89PNG\r\n\x1a\n"
linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what a process holds")


@pytest.fixture
def apart(hosted: HostedSite, free_port: Callable[[], int]) -> Iterator[Apart]:
    with served_apart(hosted, free_port()) as one:
        yield one


def with_file(hosted: HostedSite, content: bytes, name: str = "large.bin") -> LocalIssue:
    issue = hosted.request(hosted.ann)
    hosted.jsm.site.requests.add_comment(issue, hosted.agent, "See", files=[(name, content, "application/zip")])
    return issue


def address_of(issue: LocalIssue) -> str:
    return f"/portal/HELP/{issue.key}/attachment/{issue.attachments[0].id}"


def asked(hosted: HostedSite, browser: Browser, path: str) -> Iterable[bytes]:
    """An answer's body as a server gets it, to be read and closed."""
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "REMOTE_ADDR": "192.0.2.7", "HTTP_COOKIE": cookie_of(browser)}
    return hosted.site.application(environ, lambda *_: None)


class InChunks(Response):
    """One that its sender never has whole."""

    def get_data(self, as_text: bool = False) -> Any:
        return b""


def send_in_chunks(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """From now on the local JSM sends this in place of each file, without saying how long it is."""
    pieces = [content[place : place + WHOLE] for place in range(0, len(content), WHOLE)]
    monkeypatch.setattr("jsmsso.sandbox.jsm_attachments._content", lambda _: InChunks(iter(pieces), content_type="application/zip"))


def connections_to(apart: Apart, port: int) -> int:
    """How many connections the worker has to JSM (Linux)."""
    ours = {name[8:-1] for name in apart.open_files if name.startswith("socket:[")}
    lines = [line.split() for line in Path(f"/proc/{apart.pid}/net/tcp").read_text().splitlines()[1:]]
    return sum(line[9] in ours and int(line[2].partition(":")[2], 16) == port and line[3] == "01" for line in lines)


@linux
def test_a_large_file_passes_through_a_worker_in_both_directions_and_is_never_in_its_memory(apart: Apart) -> None:
    hosted = apart.hosted
    hosted.jsm.site.attachment_limit = 2 * LARGE
    issue, browser = hosted.request(hosted.ann), hosted.signed_in(hosted.ann)
    here = f"/portal/HELP/{issue.key}"
    for _ in range(3):
        assert apart.status(browser, here) == 200
    before = apart.memory
    apart.forget_peak()
    assert apart.upload(browser, f"{here}/comment", apart.comment_form(browser, issue.key), LARGE).status == 303
    assert [len(one.content) for one in issue.attachments] == [LARGE]
    assert apart.peak - before < 15

    connection, answer = apart.open(browser, address_of(issue))
    received = 0
    while piece := answer.read(65536):
        received += len(piece)
    connection.close()
    assert (answer.status, received, answer.headers["Content-Type"]) == (200, LARGE, "application/octet-stream")
    assert apart.peak - before < 15


@linux
def test_who_goes_away_in_the_middle_of_a_file_leaves_nothing_open(apart: Apart, jsm: LocalJsm) -> None:
    hosted = apart.hosted
    issue, browser = with_file(hosted, bytes(LARGE)), hosted.signed_in(hosted.ann)
    port = int(jsm.url.rpartition(":")[2])
    for _ in range(TRANSFERS_AT_ONCE + 2):  # more than one customer may have under way
        connection, answer = apart.open(browser, address_of(issue))
        assert answer.status == 200
        assert answer.read(1000) == bytes(1000)
        before = connections_to(apart, port)
        connection.sock.close() if connection.sock else None
        answer.close()
        connection.close()
        until(lambda before=before: connections_to(apart, port) < before)  # type: ignore[misc]
    assert apart.status(browser, f"/portal/HELP/{issue.key}") == 200


@linux
def test_after_a_file_that_was_read_to_its_end_its_connection_serves_the_next_call(apart: Apart, jsm: LocalJsm) -> None:
    hosted = apart.hosted
    issue, browser = with_file(hosted, bytes(3 * MEGABYTE)), hosted.signed_in(hosted.ann)
    port = int(jsm.url.rpartition(":")[2])
    counts = []
    for _ in range(8):
        assert apart.status(browser, address_of(issue)) == 200
        counts.append(connections_to(apart, port))
    assert counts[-1] <= counts[0] + 1, counts  # one more is enough for calls that are made side by side


def test_of_one_customer_only_so_many_large_files_are_under_way(apart: Apart) -> None:
    hosted = apart.hosted
    issue = with_file(hosted, bytes(LARGE))
    ann = hosted.signed_in(hosted.ann)
    issue.participants.append(hosted.ben.id)
    ben = hosted.signed_in(hosted.ben)
    under_way = [apart.open(ann, address_of(issue)) for _ in range(TRANSFERS_AT_ONCE)]
    assert [answer.status for _, answer in under_way] == [200] * TRANSFERS_AT_ONCE
    connection, refused = apart.open(ann, address_of(issue))
    assert (refused.status, refused.headers["Retry-After"]) == (429, "2")
    connection.close()
    other, answer = apart.open(ben, address_of(issue))
    assert answer.status == 200
    for one, _ in [*under_way, (other, answer)]:
        one.close()


@pytest.mark.parametrize("more", [1, WHOLE, -1, -3 * WHOLE], ids=["a byte longer", "longer", "a byte shorter", "much shorter"])
def test_a_file_of_another_length_than_was_promised_breaks_off(apart: Apart, monkeypatch: pytest.MonkeyPatch, more: int) -> None:
    hosted, promised = apart.hosted, 4 * MEGABYTE
    issue, browser = with_file(hosted, bytes(promised)), hosted.signed_in(hosted.ann)
    send_in_chunks(monkeypatch, bytes(promised + more))
    for _ in range(TRANSFERS_AT_ONCE + 1):  # each gives its place back
        connection, answer = apart.open(browser, address_of(issue))
        assert (answer.status, answer.headers["Content-Length"]) == (200, str(promised))
        with pytest.raises(IncompleteRead) as broken:
            answer.read()
        assert len(broken.value.partial) < promised
        connection.close()


def test_a_file_whose_length_jsm_says_beforehand_alone_comes_whole(apart: Apart, monkeypatch: pytest.MonkeyPatch) -> None:
    hosted = apart.hosted
    content = bytes(range(256)) * (3 * WHOLE // 256)
    issue, browser = with_file(hosted, content), hosted.signed_in(hosted.ann)
    send_in_chunks(monkeypatch, content)
    connection, answer = apart.open(browser, address_of(issue))
    assert (answer.status, answer.read() == content) == (200, True)
    connection.close()


@pytest.mark.parametrize("more, length", [(1, "longer"), (-1, "shorter")])
def test_the_log_says_of_a_file_that_it_was_longer_or_shorter(
    hosted: HostedSite, monkeypatch: pytest.MonkeyPatch, more: int, length: str
) -> None:
    issue, browser = with_file(hosted, bytes(2 * WHOLE)), hosted.signed_in(hosted.ann)
    send_in_chunks(monkeypatch, bytes(2 * WHOLE + more))
    body = asked(hosted, browser, address_of(issue))
    assert len(b"".join(body)) < 2 * WHOLE
    body.close()  # type: ignore[attr-defined]
    (line,) = hosted.site.events("attachment.cut")
    assert (line["reason"], line["path"]) == ("jsm_answer_invalid", address_of(issue))
    assert f"is {length} than the {2 * WHOLE} bytes" in line["detail"]


@pytest.mark.parametrize("promised, more", [(MEGABYTE, 1), (MEGABYTE, -1), (1, -1), (0, 1), (WHOLE, MEGABYTE)])
def test_a_small_file_of_another_length_than_was_promised_is_a_page_that_says_so(
    hosted: HostedSite, monkeypatch: pytest.MonkeyPatch, promised: int, more: int
) -> None:
    issue, browser = with_file(hosted, b"x" * promised), hosted.signed_in(hosted.ann)
    send_in_chunks(monkeypatch, b"x" * (promised + more))
    answer = browser.get(address_of(issue))
    assert (answer.status, answer.header("Content-Type")) == (502, "text/html; charset=utf-8")
    assert len(hosted.site.events("attachment.cut")) == 1
    assert not hosted.audit("attachment.downloaded")


@pytest.mark.parametrize(
    "content, served", [(PNG + bytes(2 * WHOLE), "image/png"), (b"<svg>" + bytes(2 * WHOLE), "application/octet-stream")]
)
def test_a_large_file_s_type_is_told_from_its_beginning(hosted: HostedSite, content: bytes, served: str) -> None:
    issue = with_file(hosted, content)
    answer = hosted.signed_in(hosted.ann).get(address_of(issue))
    assert (answer.status, answer.body == content, answer.header("Content-Type")) == (200, True, served)
    assert answer.header("Content-Disposition").startswith("attachment; ")
    (line,) = hosted.audit("attachment.downloaded")
    assert line["size"] == len(content)


def test_a_head_of_a_large_file_keeps_no_place(hosted: HostedSite) -> None:
    issue, browser = with_file(hosted, bytes(2 * WHOLE)), hosted.signed_in(hosted.ann)
    for _ in range(2 * PAGES_AT_ONCE):
        assert browser.request("HEAD", address_of(issue)).status == 200


def test_who_still_reads_a_large_file_holds_a_place_among_the_pages(hosted: HostedSite) -> None:
    issue = with_file(hosted, bytes(4 * WHOLE))
    browser = hosted.signed_in(hosted.ann)
    pages = services_of(hosted.site.application).pages_at_once
    body = asked(hosted, browser, address_of(issue))
    assert pages.taken == 1
    assert len(next(iter(body))) > 0
    assert pages.taken == 1
    body.close()  # type: ignore[attr-defined]
    assert pages.taken == 0


def test_of_a_file_beyond_the_site_s_limit_nothing_is_kept_while_it_comes(
    hosted: HostedSite, jsm: LocalJsm, monkeypatch: pytest.MonkeyPatch
) -> None:
    jsm.site.attachment_limit = MEGABYTE
    rooms: list[Room] = []
    before = Room.__init__

    def remembered(self: Room, file: int, form: int) -> None:
        before(self, file, form)
        rooms.append(self)

    monkeypatch.setattr(Room, "__init__", remembered)
    issue, browser = hosted.request(hosted.ann), hosted.signed_in(hosted.ann)
    here = f"/portal/HELP/{issue.key}"
    page = browser.get(here)
    answer = send_files(browser, page, f"{here}/comment", {"text": "See"}, [("files", ("a.bin", "", bytes(3 * MEGABYTE)))])
    assert (answer.status, "See" in answer.text) == (400, True)
    assert [room.file for room in rooms] == [MEGABYTE]
    assert rooms[0].left == rooms[0].form
    assert not [one for one in jsm.seen if one.path.endswith("attachTemporaryFile")]


def test_a_file_lies_on_disk_beyond_a_small_size_and_nowhere_beyond_its_limit() -> None:
    room = Room(4 * IN_MEMORY, 6 * IN_MEMORY)
    small, large, too_large, no_room = (room.stream(None, None, None) for _ in range(4))
    small.write(bytes(100))
    for _ in range(4):
        large.write(bytes(IN_MEMORY))
        too_large.write(bytes(IN_MEMORY))
    assert not too_large.is_kept  # as the form is full
    assert (small._rolled, large._rolled) == (False, True)
    for _ in range(3):
        no_room.write(bytes(IN_MEMORY))
    assert (large.sent, too_large.sent, no_room.sent) == (4 * IN_MEMORY, 4 * IN_MEMORY, 3 * IN_MEMORY)
    assert (large.is_kept, no_room.is_kept) == (True, False)
    assert room.left == 2 * IN_MEMORY - 100
    for one in (small, large, too_large, no_room):
        one.close()


def test_a_disk_that_is_full_is_a_page_and_a_line_of_the_log(hosted: HostedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("jsmsso.portal.spooling.Spooled.write", full)
    issue, browser = hosted.request(hosted.ann), hosted.signed_in(hosted.ann)
    here = f"/portal/HELP/{issue.key}"
    answer = send_files(browser, browser.get(here), f"{here}/comment", {"text": "See"}, [("files", ("a.bin", "", b"x"))])
    assert answer.status == 503
    (line,) = hosted.site.events("form.not_kept")
    assert line["reason"] == "No space left on device"


def test_an_upload_that_meets_a_dead_connection_is_sent_again_whole(hosted: HostedSite, jsm: LocalJsm) -> None:
    issue, browser = hosted.request(hosted.ann), hosted.signed_in(hosted.ann)
    here = f"/portal/HELP/{issue.key}"
    page = browser.get(here)
    jsm.break_with(Fault("dropped", path="/rest/servicedeskapi/servicedesk/", method="POST", times=1))
    content = bytes(range(256)) * 4096
    answer = send_files(browser, page, f"{here}/comment", {"text": "See"}, [("files", ("a.bin", "", content))])
    assert answer.status == 303, answer.text
    assert [one.content == content for one in issue.attachments] == [True]
