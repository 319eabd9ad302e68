"""The listener that a login comes back to: only for its own name, only for its own login."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any

import pytest

from jsmsso.cli.connection.login import await_answer
from jsmsso.cli.loopback import DONE, Page, listening
from jsmsso.errors import AnswerRefused, PortTaken
from jsmsso.oidc.authorization import AuthorizationAnswer

STATE = "s" * 43


@pytest.fixture
def port(free_port: Callable[[], int]) -> Iterator[int]:
    """A listener that takes every answer."""
    number = free_port()
    with listening(number, lambda query: DONE):
        yield number


def get(port: int, path: str, *, host: str = "", address: str = "127.0.0.1", method: str = "GET", **headers: str) -> tuple[int, str, Any]:
    connection = HTTPConnection(address, port, timeout=10)
    try:
        connection.request(method, path, headers={"Host": host or f"localhost:{port}", **headers})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers
    finally:
        connection.close()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_it_answers_on_both_loopback_addresses(port: int, address: str) -> None:
    status, page, headers = get(port, "/callback?code=1", address=address)

    assert status == 200
    assert "You can close this window" in page
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]


def test_it_is_reachable_by_loopback_alone(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent: it only tells which address of ours would be used
        except OSError:
            pytest.skip("this machine has no other address")
        own = probe.getsockname()[0]
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((own, port), timeout=5)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost", "localhost:1", "LOCALHOST.evil.example"])
def test_another_name_gets_nothing(port: int, host: str) -> None:
    status, page, _ = get(port, "/callback?code=1", host=host)

    assert status == 421
    assert "close this window" not in page


@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/callback/", "/callback/x", "/CALLBACK"])
def test_another_path_is_told_where_it_waits(port: int, path: str) -> None:
    status, page, _ = get(port, path)

    assert status == 404
    assert "waiting for a login at /callback" in page


def test_a_page_that_is_fetched_ahead_is_no_answer(port: int) -> None:
    assert get(port, "/callback?code=1", **{"Sec-Purpose": "prefetch"})[0] == 503


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "OPTIONS"])
def test_other_methods_are_no_answer(port: int, method: str) -> None:
    assert get(port, "/callback?code=1", method=method)[0] == 501


def test_a_taken_port_says_how_to_take_another(port: int) -> None:
    with pytest.raises(PortTaken) as refused, listening(port, lambda query: DONE):
        pass
    assert refused.value.message == f"port {port} is in use"
    assert "--port" in refused.value.hint


def test_a_port_taken_on_ipv6_alone_is_taken(free_port: Callable[[], int]) -> None:
    number = free_port()
    with socket.socket(socket.AF_INET6) as other:
        try:
            other.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            other.bind(("::1", number))
        except OSError:
            pytest.skip("no IPv6 here")
        other.listen()
        with pytest.raises(PortTaken), listening(number, lambda query: DONE):
            pass


def test_the_port_is_free_again_afterwards(free_port: Callable[[], int]) -> None:
    number = free_port()
    for _ in range(2):
        with listening(number, lambda query: DONE):
            assert get(number, "/callback?code=1")[0] == 200


def test_a_page_is_escaped(free_port: Callable[[], int]) -> None:
    number = free_port()
    with listening(number, lambda query: Page(200, "<b>", "<script>")):
        page = get(number, "/callback")[1]
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_an_idle_connection_does_not_hold_the_end(free_port: Callable[[], int]) -> None:
    number = free_port()
    with listening(number, lambda query: DONE):
        idle = socket.create_connection(("127.0.0.1", number))
    idle.close()


# The answer that is waited for -----------------------------------------------------------------


class Waiting:
    """A login that waits in a thread; ``pages`` come back as the browser would see them."""

    def __init__(self, port: int, seconds: int = 60) -> None:
        self.port = port
        self.said: list[str] = []
        self.result: queue.Queue[AuthorizationAnswer | Exception] = queue.Queue()
        self.begun = threading.Event()
        threading.Thread(target=self._run, args=(seconds,), daemon=True).start()

    def _run(self, seconds: int) -> None:
        try:
            self.result.put(
                await_answer(
                    redirect_uri=f"http://localhost:{self.port}/callback",
                    state=STATE,
                    port=self.port,
                    pasted=False,
                    seconds=seconds,
                    begin=self.begun.set,
                    say=self.said.append,
                )
            )
        except Exception as error:
            self.result.put(error)

    def gets(self, query: str) -> tuple[int, str, Any]:
        assert self.begun.wait(30)
        return get(self.port, f"/callback?{query}")


@pytest.mark.parametrize(
    "query, said",
    [
        pytest.param("code=1&state=other", "belongs to another login", id="another state"),
        pytest.param("code=1", "belongs to another login", id="no state"),
        pytest.param("code=1&state=%C3%A4", "belongs to another login", id="a state that is no ASCII"),
        pytest.param("", "neither a code nor an error", id="nothing"),
        pytest.param(f"code=1&code=2&state={STATE}", "code twice", id="two codes"),
        pytest.param(f"code=1&error=x&state={STATE}", "a code and an error", id="code and error"),
        pytest.param("error=server_error&error_description=%1b[31mred", "server_error: [31mred", id="an error without a state"),
    ],
)
def test_an_answer_of_another_login_is_ignored_and_the_wait_goes_on(free_port: Callable[[], int], query: str, said: str) -> None:
    waiting = Waiting(free_port())

    status, page, _ = waiting.gets(query)
    assert status == 400
    assert "goes on waiting" in page
    assert said in waiting.said[0]
    assert "\x1b" not in waiting.said[0]

    assert waiting.gets(f"code=right&state={STATE}")[0] == 200
    answer = waiting.result.get(timeout=30)
    assert isinstance(answer, AuthorizationAnswer)
    assert answer.code == "right"


def test_a_refusal_of_this_login_is_an_answer(free_port: Callable[[], int]) -> None:
    waiting = Waiting(free_port())

    page = waiting.gets(f"error=access_denied&state={STATE}")[1]

    assert "The terminal says why" in page
    answer = waiting.result.get(timeout=30)
    assert isinstance(answer, AuthorizationAnswer)
    assert answer.error == "access_denied"


def test_a_login_that_nobody_finishes_ends_with_what_to_look_for(free_port: Callable[[], int]) -> None:
    waiting = Waiting(free_port(), seconds=1)

    refused = waiting.result.get(timeout=30)

    assert isinstance(refused, AnswerRefused)
    assert refused.message == "no answer came within 1 s"
    assert "redirect_mismatch" in refused.hint
    assert "--timeout" in refused.hint
