"""``jsmsso secrets``: set unseen, listed without their texts, moved to files for a server."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable

import pexpect
import pytest

from tests.services.children import installed_script
from tests.services.home import Home, Ran

SECRET = "hunter2hunter2"


def test_a_piped_secret_goes_to_the_keyring(jsmsso: Callable[..., Ran], jsmsso_home: Home) -> None:
    ran = jsmsso("secrets", "set", "cognito/client_secret", typed=f"{SECRET}\n")
    assert (ran.code, ran.stdout, ran.stderr) == (0, "Stored. In the profile it is written keyring:cognito/client_secret\n", "")
    assert jsmsso_home.keyring == {"jsmsso/cognito/client_secret": SECRET}


def test_a_typed_secret_is_not_shown(jsmsso_home: Home) -> None:
    terminal = pexpect.spawn(
        str(installed_script("jsmsso")),
        ["secrets", "set", "x"],
        env=jsmsso_home.env,
        cwd=str(jsmsso_home.work),
        encoding="utf-8",
        use_poll=True,
    )
    terminal.expect("typed unseen")
    terminal.waitnoecho()
    terminal.sendline(SECRET)
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
    assert SECRET not in terminal.before
    assert jsmsso_home.keyring == {"jsmsso/x": SECRET}


def test_control_c_at_the_question_stores_nothing(jsmsso_home: Home) -> None:
    terminal = pexpect.spawn(
        str(installed_script("jsmsso")),
        ["secrets", "set", "x"],
        env=jsmsso_home.env,
        cwd=str(jsmsso_home.work),
        encoding="utf-8",
        use_poll=True,
    )
    terminal.expect("typed unseen")
    terminal.waitnoecho()
    terminal.sendintr()
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 130
    assert "Traceback" not in terminal.before
    assert jsmsso_home.keyring == {}


def test_without_a_keyring_the_other_ways_are_named(jsmsso: Callable[..., Ran], jsmsso_home: Home) -> None:
    ran = jsmsso("secrets", "set", "session", typed=SECRET, env=jsmsso_home.without_keyring())
    assert (ran.code, ran.stdout) == (6, "")
    assert "there is no keyring" in ran.stderr
    assert "jsmsso secrets set file:secrets/session" in ran.stderr
    assert "env:JSMSSO_SESSION" in ran.stderr
    assert SECRET not in ran.stderr


def test_a_file_reference_goes_beside_the_profile(jsmsso: Callable[..., Ran], jsmsso_home: Home) -> None:
    ran = jsmsso(
        "secrets", "set", "file:secrets/session", "--profile", str(jsmsso_home.path / "etc" / "jsmsso.yaml"), "--json", typed=f"{SECRET}\n"
    )
    kept = jsmsso_home.path / "etc" / "secrets" / "session"
    assert (ran.code, ran.json()) == (0, {"reference": "file:secrets/session"})
    assert (kept.read_text(), stat.S_IMODE(kept.stat().st_mode)) == (SECRET, 0o600)


@pytest.mark.parametrize(
    "name, typed, message",
    [
        pytest.param("x", "", "the secret is empty", id="nothing piped"),
        pytest.param("x", "\n", "the secret is empty", id="an empty line"),
        pytest.param("a b", SECRET, "no reference to write a secret to", id="a name with a space"),
        pytest.param("env:X", SECRET, "an environment variable cannot be set from here", id="a variable"),
        pytest.param("x", "y" * 70_000, "the secret is longer than 64 kB", id="too long"),
    ],
)
def test_a_wrong_use_is_said_in_a_sentence(jsmsso: Callable[..., Ran], jsmsso_home: Home, name: str, typed: str, message: str) -> None:
    ran = jsmsso("secrets", "set", name, typed=typed)
    assert (ran.code, ran.stdout) == (2, "")
    assert message in ran.stderr
    assert SECRET not in ran.stderr
    assert jsmsso_home.keyring == {}


PROFILE = """\
version: 1
public_url: https://sso.acme.com
providers:
  cognito: # ours
    type: cognito
    domain: acme.auth.eu-west-1.amazoncognito.com
    client_id: 4bq2example
    client_secret: keyring:cognito/client_secret
session: {secret: [file:secrets/session_secret, env:JSMSSO_BEFORE]}
"""


@pytest.fixture
def profile(jsmsso: Callable[..., Ran], jsmsso_home: Home) -> Home:
    """A profile with a secret in the keyring and one in a file; the variable is not set."""
    jsmsso_home.profile.write_text(PROFILE)
    jsmsso("secrets", "set", "cognito/client_secret", typed=SECRET)
    jsmsso("secrets", "set", "file:secrets/session_secret", typed=SECRET)
    return jsmsso_home


def test_every_reference_is_listed_without_its_secret(jsmsso: Callable[..., Ran], profile: Home) -> None:
    (profile.work / "secrets" / "session_secret").chmod(0o644)
    ran = jsmsso("secrets", "list", env={"COLUMNS": "80"})
    assert (ran.code, ran.stderr) == (1, "")
    lines = [" ".join(line.split()) for line in ran.stdout.splitlines()]
    assert lines == [
        "state reference key",
        "there keyring:cognito/client_secret providers.cognito.client_secret",
        "too open file:secrets/session_secret session.secret[0]",
        "missing env:JSMSSO_BEFORE session.secret[1]",
        "",
        "session.secret[0]: everybody on this machine may read it",
        "chmod 600 it.",
        "session.secret[1]: the environment variable JSMSSO_BEFORE is not set",
        "Set it where jsmsso is started.",
    ]
    assert max(map(len, ran.stdout.splitlines())) <= 80


def test_a_list_where_nothing_is_missing_is_no_problem(jsmsso: Callable[..., Ran], profile: Home) -> None:
    ran = jsmsso("secrets", "list", "--json", env={"JSMSSO_BEFORE": SECRET})
    assert ran.code == 0
    assert SECRET not in ran.stdout
    assert ran.json()[0] == {
        "key": "providers.cognito.client_secret",
        "reference": "keyring:cognito/client_secret",
        "state": "there",
        "detail": "",
        "hint": "",
    }


def test_a_profile_without_secrets_has_none_to_list(jsmsso: Callable[..., Ran], jsmsso_home: Home) -> None:
    jsmsso_home.profile.write_text("version: 1\npublic_url: http://localhost:8080\n")
    assert (jsmsso("secrets", "list").code, jsmsso("secrets", "list", "--json").json()) == (0, [])


def test_a_dry_run_shows_the_move_and_writes_nothing(jsmsso: Callable[..., Ran], profile: Home) -> None:
    ran = jsmsso("secrets", "move", "--to", "file:server", "--dry-run", env={"COLUMNS": "80"})
    assert ran.code == 0
    assert "keyring:cognito/client_secret   file:server/cognito_client_secret" in ran.stdout
    assert "session.secret[1] stays env:JSMSSO_BEFORE" in ran.stdout
    assert profile.profile.read_text() == PROFILE
    assert not (profile.work / "server").exists()


def test_a_move_takes_the_secrets_to_files_that_the_profile_then_names(jsmsso: Callable[..., Ran], profile: Home) -> None:
    ran = jsmsso("secrets", "move", "--to", "file:server")
    assert (ran.code, ran.stderr) == (0, "")
    assert "Wrote 2 files to" in ran.stdout
    assert "The old ones stay: keyring:cognito/client_secret, file:secrets/session_secret." in ran.stdout
    assert profile.profile.read_text() == PROFILE.replace("keyring:cognito/", "file:server/cognito_").replace("secrets/", "server/")
    listed = jsmsso("secrets", "list", "--json", env=profile.without_keyring() | {"JSMSSO_BEFORE": SECRET})
    assert [one["state"] for one in listed.json()] == ["there"] * 3
    assert profile.keyring == {"jsmsso/cognito/client_secret": SECRET}


def test_a_move_can_delete_what_it_moved(jsmsso: Callable[..., Ran], profile: Home) -> None:
    ran = jsmsso("secrets", "move", "--to", "file:server", "--as", "file:/run/secrets", "--delete", "--json")
    assert (ran.code, ran.json()["deleted"]) == (0, ["keyring:cognito/client_secret", "file:secrets/session_secret"])
    assert profile.keyring == {}
    assert "file:/run/secrets/cognito_client_secret" in profile.profile.read_text()
    assert SECRET not in ran.stdout


def test_a_profile_named_from_elsewhere_gets_its_secrets_beside_it(jsmsso: Callable[..., Ran], profile: Home) -> None:
    server = profile.work / "server"
    shutil.copytree(profile.work / "secrets", server / "secrets")
    shutil.copy(profile.profile, server / "jsmsso.yaml")

    ran = jsmsso("--profile", "server/jsmsso.yaml", "secrets", "move", "--to", "file:all", "--json")

    assert (ran.code, ran.stderr) == (0, "")
    assert {one["file"] for one in ran.json()["moved"]} == {str(file) for file in (server / "all").iterdir()}
    listed = jsmsso("--profile", "server/jsmsso.yaml", "secrets", "list", "--json", env={"JSMSSO_BEFORE": SECRET})
    assert [one["state"] for one in listed.json()] == ["there"] * 3


def test_where_to_must_be_said(jsmsso: Callable[..., Ran], profile: Home) -> None:
    ran = jsmsso("secrets", "move")
    assert (ran.code, ran.stdout) == (2, "")
    assert "--to" in ran.stderr
