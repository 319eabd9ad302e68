"""``jsmsso audit``: the trail for people and for programs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from jsmsso.store.audit import Audit
from tests.services.home import Home, Ran

HOUR = 3600.0
RECORDS = (
    (50 * HOUR, "login.ok", "ada@acme.example", {"portal": "HELP", "provider": "cognito", "issuer": "https://i.example", "subject": "s-1"}),
    (3 * HOUR, "login.refused", "bob@elsewhere.example", {"portal": "HR", "reason": "access_denied", "reference": "7KQ4-2M9X"}),
    (1.5 * HOUR, "customer.created", "ada@acme.example", {"account_id": "qm:1", "text": "\x1b[2J\nforged"}),
    (0.0, "logout", "ada@acme.example", {"by": "person"}),
)


@pytest.fixture
def trail(jsmsso_home: Home) -> Audit:
    jsmsso_home.profile.write_text(
        json.dumps({"version": 1, "public_url": "http://localhost:8080", "store": f"sqlite:///{jsmsso_home.work}/state.db"})
    )
    now = time.time()
    for ago, event, email, fields in RECORDS:
        Audit(jsmsso_home.work / "audit", now=lambda ago=ago: now - ago).write(event, email=email, **fields)  # type: ignore[misc]
    return Audit(jsmsso_home.work / "audit")


@pytest.mark.parametrize(
    "options, events",
    [
        pytest.param([], ["login.ok", "login.refused", "customer.created", "logout"], id="all, newest last"),
        pytest.param(["--email", "Ada@ACME.example"], ["login.ok", "customer.created", "logout"], id="a person"),
        pytest.param(["--since", "2h"], ["customer.created", "logout"], id="hours"),
        pytest.param(["--since", "1d"], ["login.refused", "customer.created", "logout"], id="days"),
        pytest.param(["--since", "100m"], ["customer.created", "logout"], id="minutes"),
        pytest.param(["--since", "2020-01-01"], ["login.ok", "login.refused", "customer.created", "logout"], id="a date"),
        pytest.param(["--since", "2099-01-01T08:00:00+02:00"], [], id="a time to come"),
        pytest.param(["--portal", "HR"], ["login.refused"], id="a portal"),
        pytest.param(["--event", "logout"], ["logout"], id="an event"),
        pytest.param(["--event", "logout", "--email", "bob@elsewhere.example"], [], id="both"),
    ],
)
def test_what_fits_is_shown(jsmsso: Callable[..., Ran], trail: Audit, options: list[str], events: list[str]) -> None:
    assert [one["event"] for one in jsmsso("audit", "--json", *options).json()] == events
    ran = jsmsso("audit", *options)
    assert ran.code == 0
    assert [word for word in ran.stdout.split() if word in {"login.ok", "login.refused", "customer.created", "logout"}] == events


def test_a_program_gets_all_of_a_line_and_a_person_what_says_something(jsmsso: Callable[..., Ran], trail: Audit) -> None:
    first = jsmsso("audit", "--json").json()[0]
    assert (first["issuer"], first["subject"], first["time"][-1]) == ("https://i.example", "s-1", "Z")
    shown = jsmsso("audit").stdout
    assert "reason: access_denied, reference: 7KQ4-2M9X" in shown
    assert "https://i.example" not in shown


def test_it_fits_a_terminal_of_80_columns_and_moves_no_cursor(jsmsso: Callable[..., Ran], trail: Audit, jsmsso_home: Home) -> None:
    ran = jsmsso("audit", env=jsmsso_home.env | {"COLUMNS": "80"})
    assert max(map(len, ran.stdout.splitlines())) <= 80
    assert "\x1b" not in ran.stdout
    assert "\nforged" not in ran.stdout


@pytest.mark.parametrize("since", ["x", "2w", "-1h", "h", "2026-13-01", "1e3d", "²h"])
def test_a_time_that_is_none_is_told(jsmsso: Callable[..., Ran], trail: Audit, since: str) -> None:
    ran = jsmsso("audit", f"--since={since}")
    assert ran.code == 2
    assert "2026-11-01" in ran.stderr


def test_an_address_that_is_none_is_told(jsmsso: Callable[..., Ran], trail: Audit) -> None:
    assert jsmsso("audit", "--email", "ada").code == 2


def test_lines_that_cannot_be_read_are_counted(jsmsso: Callable[..., Ran], trail: Audit) -> None:
    with open(next(trail.folder.iterdir()), "a") as file:
        file.write("no JSON\n")
    ran = jsmsso("audit", "--json")
    assert len(ran.json()) == 4
    assert "1 lines" in ran.stderr


def test_a_trail_that_was_never_begun_is_empty(jsmsso: Callable[..., Ran], jsmsso_home: Home) -> None:
    jsmsso_home.profile.write_text('{"version": 1, "public_url": "http://localhost:8080"}')
    ran = jsmsso("audit")
    assert (ran.code, ran.stdout.startswith("Nothing is in ")) == (0, True)
    assert jsmsso("audit", "--json").json() == []
