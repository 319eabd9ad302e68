from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.at_a_terminal import Spawn, ended
from tests.cli.people import EMAIL, ISSUER, Stage, make_stage
from tests.services.home import Home, Ran

Run = Callable[..., Ran]


@pytest.fixture
def stage(jsmsso_home: Home) -> Stage:
    return make_stage(jsmsso_home, None)


def endings(stage: Stage) -> set[tuple[str, str, str]]:
    return {(one.kind, one.issuer, one.value) for one in stage.store.endings_after(0)[1]}


def test_the_sessions_of_an_address_are_ended_and_of_whoever_has_it_now(stage: Stage, jsmsso: Run) -> None:
    stage.remember()
    done = jsmsso("sessions", "revoke", "--email", EMAIL.upper(), "--json")
    assert (done.code, done.json()) == (0, {"revoked": "email", "email": EMAIL})
    assert endings(stage) == {("email", "", EMAIL), ("sub", ISSUER, "ann")}
    assert stage.store.barred() == []
    assert stage.events() == ["session.revoked"]


def test_an_ended_session_stays_ended_when_sessions_may_live_longer_later(stage: Stage, jsmsso: Run) -> None:
    jsmsso("sessions", "revoke", "--email", EMAIL)
    [ending] = stage.store.endings_after(0)[1]
    assert ending.expires - ending.at == 30 * 86400


def test_everybody_s_sessions_are_ended(stage: Stage, jsmsso: Run) -> None:
    done = jsmsso("sessions", "revoke", "--all", "--yes")
    assert done.stdout == "All sessions end within two seconds on every worker. Everybody may log in again.\n"
    assert endings(stage) == {("all", "", "")}
    [line] = list(stage.audit.read(event="session.revoked"))
    assert (line["all"], line["by"]) == (True, "operator")


def test_at_a_terminal_it_asks_before_it_ends_everybody_s(stage: Stage, terminal: Spawn) -> None:
    command = terminal("sessions", "revoke", "--all")
    command.expect("End everybody's sessions")
    command.sendline("n")
    code, said = ended(command)
    assert (code, "No session was ended." in said, endings(stage)) == (1, True, set())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param([], "one of --email and --all", id="neither"),
        pytest.param(["--email", EMAIL, "--all"], "one of --email and --all", id="both"),
        pytest.param(["--email", "ann"], "no address", id="no address"),
        pytest.param(["--all"], "--yes is missing", id="all, without a terminal"),
    ],
)
def test_a_wrong_use_ends_no_session(stage: Stage, jsmsso: Run, options: list[str], said: str) -> None:
    done = jsmsso("sessions", "revoke", *options)
    assert done.code == 2
    assert said in done.stderr
    assert endings(stage) == set()
