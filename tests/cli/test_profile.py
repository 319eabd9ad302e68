"""``jsmsso profile`` as a person and as a program use it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from tests.services.home import Home, Ran

EXAMPLES = Path(__file__).parents[2] / "examples"
BROKEN = "version: 1\npublic_url: https://sso.acme.com\nclock_skew: 60\nlogin: {mode: chose}\nsession: {secret: hunter2hunter2}\n"


def test_check_says_what_a_valid_profile_holds(jsmsso: Callable[..., Ran]) -> None:
    ran = jsmsso("profile", "check", "--profile", str(EXAMPLES / "cognito.yaml"))
    assert (ran.code, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"{EXAMPLES / 'cognito.yaml'} is valid.")
    assert "cognito (cognito)" in ran.stdout
    assert "1: HELP" in ran.stdout


def test_check_lists_every_complaint_and_exits_3(jsmsso: Callable[..., Ran], jsmsso_home: Home) -> None:
    jsmsso_home.profile.write_text(BROKEN)
    ran = jsmsso("profile", "check")
    assert (ran.code, ran.stdout) == (3, "")
    for line in ("jsmsso.yaml:3", "jsmsso.yaml:4", "jsmsso.yaml:5"):
        assert line in ran.stderr
    assert "hunter2" not in ran.stderr
    assert "Traceback" not in ran.stderr


def test_check_lists_complaints_for_programs(jsmsso: Callable[..., Ran], jsmsso_home: Home) -> None:
    jsmsso_home.profile.write_text(BROKEN)
    ran = jsmsso("profile", "check", "--json")
    assert ran.code == 3
    error = ran.json()["error"]
    assert error["code"] == "profile_invalid"
    assert [(one["line"], one["key"]) for one in error["complaints"]] == [(3, "clock_skew"), (4, "login.mode"), (5, "session.secret")]
    assert "hunter2" not in ran.stdout + ran.stderr


def test_check_says_what_serve_would_refuse(jsmsso: Callable[..., Ran]) -> None:
    ran = jsmsso("profile", "check", "--profile", str(EXAMPLES / "full.yaml"), "--json")
    assert ran.code == 0
    assert any(note.startswith("portals[].mode: native") for note in ran.json()["refused"])
    assert "warning: serve refuses: portals[].mode: native" in ran.stderr
    assert "warning: saml is not acted on yet" in ran.stderr


def test_check_warns_of_a_secret_file_that_everybody_may_read(jsmsso: Callable[..., Ran], jsmsso_home: Home) -> None:
    jsmsso_home.profile.write_text("version: 1\npublic_url: http://localhost:8080\nsession: {secret: file:s}\n")
    (jsmsso_home.work / "s").write_text("x")
    (jsmsso_home.work / "s").chmod(0o644)
    ran = jsmsso("profile", "check")
    assert "everybody on this machine may read file:s" in ran.stderr


def test_a_missing_profile_is_named(jsmsso: Callable[..., Ran]) -> None:
    ran = jsmsso("profile", "check")
    assert (ran.code, ran.stdout) == (3, "")
    assert "there is no profile at jsmsso.yaml" in ran.stderr
    assert "jsmsso provider add" in ran.stderr


def test_schema_is_one_valid_json_document(jsmsso: Callable[..., Ran]) -> None:
    plain, as_json = jsmsso("profile", "schema"), jsmsso("profile", "schema", "--json")
    jsonschema.Draft202012Validator.check_schema(plain.json())
    assert plain.json() == as_json.json()


@pytest.mark.parametrize("exists", [True, False])
def test_path_prints_the_path_alone_and_exits_0(jsmsso: Callable[..., Ran], jsmsso_home: Home, exists: bool) -> None:
    if exists:
        jsmsso_home.profile.write_text("not even: [yaml\n")
    assert jsmsso("profile", "path") == Ran(0, "jsmsso.yaml\n", "")
    assert jsmsso("--profile", "x.yaml", "profile", "path") == Ran(0, "x.yaml\n", "")
    assert jsmsso("profile", "path", env={"JSMSSO_PROFILE": "/y.yaml"}) == Ran(0, "/y.yaml\n", "")
    assert jsmsso("profile", "path", "--json").json() == {"path": "jsmsso.yaml"}


def test_path_loads_nothing_that_it_does_not_use(jsmsso_home: Home) -> None:
    script = (
        "import sys\nsys.argv = ['jsmsso', 'profile', 'path']\nfrom jsmsso.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = ('yaml', 'ruamel', 'rich', 'keyring', 'requests', 'jsmsso.profile.fields', 'jsmsso.profile.model')\n"
        "print([one for one in heavy if one in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=jsmsso_home.env, cwd=jsmsso_home.work
    )
    assert done.stdout == "jsmsso.yaml\n[]\n"
