"""The log: a line an event, whatever is put into it, and never a secret."""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from jsmsso.runtime.event_log import EventLog
from tests.oidc.provider import ABSENT, Provider
from tests.runtime.site import Browser, Site


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def test_a_line_is_json_with_time_and_event(stream: io.StringIO) -> None:
    EventLog("json", stream, now=lambda: 1_800_000_000.5).write("login.ok", email="é@x.example", none=None, empty="", zero=0)
    assert json.loads(stream.getvalue()) == {"time": "2027-01-15T08:00:00.500Z", "event": "login.ok", "email": "é@x.example", "zero": 0}


def test_a_line_for_people_has_the_same(stream: io.StringIO) -> None:
    EventLog("human", stream, now=lambda: 0).write("logout", email="a b@x.example")
    assert stream.getvalue() == '1970-01-01T00:00:00.000Z logout email="a b@x.example"\n'


@pytest.mark.parametrize("format", ["json", "human"])
@pytest.mark.parametrize("value", ["a\nb", "a\r\nb", "a\x00b", "a\x1b[2Jb", "a\u2028b", "a\u202eb", "a\x85b", "a\ud800b"])
def test_no_value_makes_a_second_line_or_moves_a_cursor(stream: io.StringIO, format: str, value: str) -> None:  # noqa: A002
    EventLog(format, stream).write("x", value=value, values=[value])  # type: ignore[arg-type]
    assert len(stream.getvalue().splitlines()) == 1
    assert re.search("a +(\\[2J)?b", stream.getvalue())
    assert stream.getvalue().rstrip("\n").isprintable()


def test_long_values_are_cut(stream: io.StringIO) -> None:
    EventLog("json", stream).write("x", text="y" * 10_000, many=["z"] * 10_000)
    line = json.loads(stream.getvalue())
    assert (len(line["text"]), len(line["many"])) == (500, 50)


@pytest.mark.parametrize("error", [BrokenPipeError(), ValueError("I/O operation on closed file"), OSError(28, "No space left on device")])
def test_a_log_that_cannot_be_written_stops_nobody(error: Exception) -> None:
    class Broken(io.StringIO):
        def write(self, _: str) -> int:
            raise error

    EventLog("json", Broken()).write("x")


def test_lines_of_many_threads_do_not_mix(stream: io.StringIO) -> None:
    log = EventLog("json", stream)
    threads = [threading.Thread(target=lambda: [log.write("x", value="y" * 200) for _ in range(50)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([json.loads(line) for line in stream.getvalue().splitlines()]) == 400


def test_no_path_makes_a_second_line(site: Site, browser: Browser) -> None:
    for path in ("/portal/A%0aB", "/portal/%22%7d%0a%7b%22event%22:%22forged%22%7d", "/a%e2%80%a8b", "/" + "x" * 1500):
        browser.get(path)
    assert len(site.log) == 4
    assert {line["event"] for line in site.log} == {"page.not_found"}


def test_queries_are_not_logged(site: Site, browser: Browser, provider: Provider) -> None:
    site.secrets |= {"jwt-in-a-mail", "token-in-a-mail", "notification-email"}
    query = "token=token-in-a-mail&jwt=jwt-in-a-mail&sda_source=notification-email"
    for address in (
        "/portal/NONE",
        "/portal/HELP",
        "/servicedesk/customer/portal/3/HELP-1",
        "/callback",
        "/login",
        "/nothing",
        "/logout",
        "/",
    ):
        away = browser.get(f"{address}?{query}")
        assert "-in-a-mail" not in str(away.headers) + away.text
    provider.claims["email_verified"] = False
    browser.log_in(f"/servicedesk/customer/portal/3/HELP-1?{query}")
    assert site.log


def test_tokens_are_not_logged(site: Site, browser: Browser, provider: Provider) -> None:
    def keep(claims: dict[str, object]) -> str:
        token = provider.sign(claims)
        site.secrets |= {token, *token.split(".")}
        return token

    provider.mint = keep
    provider.token_answer = {"access_token": "an-access-token-to-look-for", "refresh_token": "a-refresh-token-to-look-for"}
    site.secrets |= set(provider.token_answer.values())
    provider.claims["at_hash"] = "wrong"
    assert browser.log_in().status == 403
    provider.claims["at_hash"] = ABSENT
    assert browser.log_in().status == 303
    assert len(site.log) == 2


def test_human_lines_are_written_where_the_profile_says_so(make_site: Callable[..., Site], provider: Provider) -> None:
    site = make_site(provider, log={"format": "human"})
    Browser(site).log_in()
    assert ' login.ok provider="a"' in site.log_text


def test_every_event_and_reason_is_in_the_documentation() -> None:
    root = Path(__file__).parents[2]
    text = (root / "docs" / "operations.md").read_text()
    code = "".join(path.read_text() for room in ("runtime", "jsm") for path in (root / "jsmsso" / room).rglob("*.py"))
    events = set(re.findall(r'(?:events\.write|say)\(\s*"([a-z_.]+)"', code))
    reasons = set(re.findall(r'Failure\(\s*\d+, "([a-z_.]+)"', code)) - {"fault"}
    assert {"login.ok", "worker.died", "customer.created"} <= events
    assert sorted(one for one in events | reasons if f"`{one}`" not in text) == []
