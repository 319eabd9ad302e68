"""``jsmsso secrets set``: typed unseen on a terminal, or piped; never shown again."""

from __future__ import annotations

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
        str(installed_script("jsmsso")), ["secrets", "set", "x"], env=jsmsso_home.env, cwd=str(jsmsso_home.work), encoding="utf-8"
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
        str(installed_script("jsmsso")), ["secrets", "set", "x"], env=jsmsso_home.env, cwd=str(jsmsso_home.work), encoding="utf-8"
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
