"""Forms that come slowly, from many addresses and from other customers, and the form of somebody who only wants to comment."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest

from jsmsso.portal.crowding import ALL_TRANSFERS, TRANSFERS_AT_ONCE
from jsmsso.portal.hosted import FORMS_AT_ONCE, LARGE_FORM
from jsmsso.runtime.bodies import OF_ONE_CLIENT
from jsmsso.sandbox.jsm_requests import LocalIssue
from tests.portal.desks import services_of
from tests.portal.hosted_site import HostedSite, at
from tests.portal.served_apart import Apart, cookie_of, served_apart, until
from tests.runtime.site import OWN_FORM, Browser
from tests.services.children import PATIENCE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="all of 127.0.0.0/8 is this machine")

SMALL, LARGE = 1000, LARGE_FORM + 1  # bytes that are announced and never all sent


@dataclass
class Site:
    """A worker, and those who dawdle with it."""

    apart: Apart
    opened: ExitStack
    slow: list[socket.socket] = field(default_factory=list)

    def dawdle(self, path: str, *, host: int = 1, browser: Browser | None = None, size: int = SMALL) -> socket.socket:
        """Begin to send a form, from 127.0.0.<host>, and do not go on."""
        one = self.opened.enter_context(socket.create_connection(("127.0.0.1", self.apart.port), PATIENCE, (f"127.0.0.{host}", 0)))
        cookie = f"Cookie: {cookie_of(browser)}\r\n" if browser is not None else ""
        head = f"POST {path} HTTP/1.1\r\nHost: sso.acme.example\r\n{cookie}Content-Type: application/x-www-form-urlencoded\r\n"
        one.sendall(f"{head}Content-Length: {size}\r\n\r\ntext=".encode())
        self.slow.append(one)
        return one

    @property
    def refused(self) -> list[bytes]:
        """The first lines of what those were told who have an answer already."""
        lines = []
        for one in self.slow:
            one.setblocking(False)
            try:
                lines.append(one.recv(12, socket.MSG_PEEK))
            except BlockingIOError:
                continue
        return lines

    def comment(self, browser: Browser, issue: LocalIssue, text: str) -> int:
        """The answer's status to a comment that is sent in one go."""
        fields: Mapping[str, str] = {**self.apart.comment_form(browser, issue.key), "text": text}
        connection = HTTPConnection("127.0.0.1", self.apart.port, timeout=PATIENCE)
        connection.request("POST", at(issue, "/comment"), urlencode(fields), {**OWN_FORM, "Cookie": cookie_of(browser)})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status


@pytest.fixture
def site(hosted: HostedSite, free_port: Callable[[], int]) -> Iterator[Site]:
    with served_apart(hosted, free_port()) as apart, ExitStack() as opened:
        yield Site(apart, opened)


def test_senders_without_a_session_keep_nobody_out_who_is_signed_in(site: Site, hosted: HostedSite) -> None:
    issue, ann = hosted.request(hosted.ann), hosted.signed_in(hosted.ann)
    for host in range(2, 10):
        site.dawdle(at(issue, "/comment"), host=host)
    until(lambda: len(site.refused) == len(site.slow) - OF_ONE_CLIENT)
    assert set(site.refused) == {b"HTTP/1.1 503"}
    assert site.comment(ann, issue, "At once") == 303
    assert len(issue.comments) == 1
    assert len(site.refused) == len(site.slow) - OF_ONE_CLIENT, "the slow ones have their places still"


def test_a_made_up_cookie_is_no_session(site: Site, hosted: HostedSite) -> None:
    issue, ann = hosted.request(hosted.ann), hosted.signed_in(hosted.ann)
    for host in range(2, 2 + FORMS_AT_ONCE):
        liar = Browser(hosted.site)
        liar.cookies |= {name: f"{value[:-8]}{host:08d}" for name, value in ann.cookies.items()}
        site.dawdle(at(issue, "/comment"), host=host, browser=liar)
    until(lambda: len(site.refused) == len(site.slow) - OF_ONE_CLIENT)
    assert site.comment(ann, issue, "At once") == 303


def test_slow_forms_of_one_customer_leave_places_to_others_wherever_they_come_from(site: Site, hosted: HostedSite) -> None:
    issue, ann, ben = hosted.request(hosted.ann), hosted.signed_in(hosted.ann), hosted.signed_in(hosted.ben)
    others = hosted.request(hosted.ben)
    for host in range(2, 2 + FORMS_AT_ONCE):
        site.dawdle(at(issue, "/comment"), host=host, browser=ann)
    until(lambda: len(site.refused) == FORMS_AT_ONCE - OF_ONE_CLIENT)
    assert site.comment(ben, others, "At once") == 303
    assert site.comment(ann, issue, "One too many") == 503
    for one in site.slow:
        one.close()
    until(lambda: site.comment(ann, issue, "Now") == 303)


def test_large_forms_of_two_customers_leave_places_to_a_third(site: Site, hosted: HostedSite) -> None:
    people = [hosted.ann, hosted.ben, hosted.customer("eve@acme.example", "Eve", "Acme")]
    issues, browsers = [hosted.request(one) for one in people], [hosted.signed_in(one) for one in people]
    for issue, browser in zip(issues[:2], browsers[:2], strict=True):
        for _ in range(TRANSFERS_AT_ONCE + 1):
            site.dawdle(at(issue, "/comment"), browser=browser, size=LARGE)
    until(lambda: site.refused == [b"HTTP/1.1 429"] * 2)
    for issue, browser in zip(issues, browsers, strict=True):
        assert site.comment(browser, issue, "At once") == 303
    fields = site.apart.comment_form(browsers[2], issues[2].key) | {"text": "With a file"}
    assert site.apart.upload(browsers[2], at(issues[2], "/comment"), fields, 2 * LARGE).status == 303
    assert len(site.refused) == 2 < ALL_TRANSFERS


@pytest.mark.parametrize("size, taken", [(SMALL, 0), (LARGE, 1)], ids=["small", "large"])
def test_who_dawdles_is_known_and_a_large_form_counts_among_the_threads_of_its_customer(
    hosted: HostedSite, monkeypatch: pytest.MonkeyPatch, size: int, taken: int
) -> None:
    monkeypatch.setattr("jsmsso.runtime.bodies.BODY_SECONDS", 0)
    issue, ann, application = hosted.request(hosted.ann), hosted.signed_in(hosted.ann), hosted.site.application
    services = services_of(application)
    seen = []

    class Dawdling:
        def read(self, _: int) -> bytes:
            seen.append((services.transfers.taken, services.pages_at_once.taken, application.overdue_peers()))
            return b"x"

    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": at(issue, "/comment"), "REMOTE_ADDR": "192.0.2.7", "HTTP_COOKIE": cookie_of(ann)}
    form = {"CONTENT_LENGTH": str(size), "CONTENT_TYPE": "application/x-www-form-urlencoded", "wsgi.input": Dawdling()}
    assert application.reply_to(environ | form).status == 408
    assert seen == [(taken, taken, {"192.0.2.7"})]
    assert (services.transfers.taken, services.pages_at_once.taken, application.overdue_peers()) == (0, 0, set())
