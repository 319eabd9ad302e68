"""Secrets that go to files with their profile: all of them or none, and never into a folder that others may write to."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest

from jsmsso.errors import JsmssoError, MachineFailed, UsageError
from jsmsso.profile.moving import Plan, carry_out, delete_moved, plan_move
from jsmsso.profile.reading import read_profile
from jsmsso.profile.secrets import read_secret, references
from tests.profile.test_secrets import InMemory

PROFILE = """\
# Ours
version: 1
public_url: https://sso.acme.com
providers:
  cognito:
    type: cognito
    domain: acme.auth.eu-west-1.amazoncognito.com
    client_id: 4bq2example
    client_secret: keyring:cognito/client_secret # from the keyring
jsm:
  url: https://acme.atlassian.net
  email: bot@acme.com
  api_token: "file:token" # quoted
session: {secret: [keyring:session/new, keyring:session/secret, env:BEFORE]} # three
store: {url: "rediss://redis.acme.com:6379/0", password: keyring:session/secret}
"""
KEPT = {"cognito/client_secret": "client s3cret", "session/new": "new s3cret", "session/secret": "old s3cret"}


@pytest.fixture
def kept() -> Iterator[dict[tuple[str, str], str]]:
    """The keyring's content."""
    before = keyring.get_keyring()
    backend = InMemory()
    backend.kept = {("jsmsso", name): secret for name, secret in KEPT.items()}
    keyring.set_keyring(backend)
    yield backend.kept
    keyring.set_keyring(before)


@pytest.fixture
def path(tmp_path: Path, kept: Any) -> Path:
    """A profile with secrets in the keyring, in a file and in a variable."""
    (tmp_path / "token").write_text("token s3cret\n")
    (tmp_path / "token").chmod(0o600)
    path = tmp_path / "jsmsso.yaml"
    path.write_text(PROFILE)
    return path


def plan(path: Path, to: str = "file:secrets", written_as: str = "") -> Plan:
    return plan_move(read_profile(path), path, to, written_as)


def refused(path: Path, to: str = "file:secrets") -> JsmssoError:
    before = {one: one.read_bytes() for one in path.parent.rglob("*") if one.is_file()}
    with pytest.raises(JsmssoError) as caught:
        carry_out(plan(path, to))
    assert {one: one.read_bytes() for one in path.parent.rglob("*") if one.is_file()} == before, "something was written"
    assert "s3cret" not in f"{caught.value.message} {caught.value.hint}"
    return caught.value


def test_every_secret_is_a_file_afterwards_and_the_comments_stay(path: Path) -> None:
    base = path.parent
    before = {text: read_secret(text, base=base) for text in references(read_profile(path)) if not text.startswith("env:")}
    carry_out(plan(path))
    assert path.read_text() == (
        PROFILE.replace("keyring:cognito/client_secret #", "file:secrets/cognito_client_secret #")
        .replace('"file:token" #', '"file:secrets/jsm_api_token" #')
        .replace("keyring:session/new", "file:secrets/session_secret")
        .replace("keyring:session/secret", "file:secrets/session_secret_2")
    )
    after = [read_secret(text, base=base) for text in references(read_profile(path)) if not text.startswith("env:")]
    assert sorted(after) == sorted(before.values())
    folder = base / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()} == {0o600}


def test_a_second_move_has_nothing_to_do(path: Path) -> None:
    carry_out(plan(path))
    again = plan(path)
    assert again.moves == ()
    assert {one.text for one in again.left} == set(references(read_profile(path)))


def test_the_old_ones_stay_until_they_are_deleted(path: Path, kept: dict[tuple[str, str], str]) -> None:
    done = plan(path)
    carry_out(done)
    assert len(kept) == 3
    assert (path.parent / "token").exists()


def test_deleting_takes_away_what_was_moved_and_says_what_it_could_not(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deleted: list[str] = []

    def delete(self: InMemory, service: str, name: str) -> None:
        if name == "session/new":
            raise RuntimeError("locked")
        deleted.append(name)

    monkeypatch.setattr(InMemory, "delete_password", delete)
    done = plan(path)
    carry_out(done)
    problems = dict(delete_moved(done))
    assert deleted == ["cognito/client_secret", "session/secret"]
    assert not (path.parent / "token").exists()
    assert {text for text, problem in problems.items() if problem} == {"keyring:session/new"}


def test_the_profile_can_name_the_folder_as_it_will_be_called_elsewhere(path: Path) -> None:
    carry_out(plan(path, "file:secrets", "file:/run/credentials/jsmsso.service"))
    assert "client_secret: file:/run/credentials/jsmsso.service/cognito_client_secret" in path.read_text()
    assert (path.parent / "secrets" / "cognito_client_secret").read_text() == "client s3cret"


def test_what_was_moved_before_can_be_named_otherwise_later(path: Path) -> None:
    carry_out(plan(path))
    (path.parent / "secrets" / "cognito_client_secret").write_text("changed since")
    carry_out(plan(path, "file:secrets", "file:/run/secrets"))
    assert "client_secret: file:/run/secrets/cognito_client_secret" in path.read_text()
    assert (path.parent / "secrets" / "cognito_client_secret").read_text() == "changed since"


def test_a_new_secret_gets_a_name_that_is_not_taken(path: Path, kept: dict[tuple[str, str], str]) -> None:
    carry_out(plan(path))
    kept["jsmsso", "session/newest"] = "newest s3cret"
    path.write_text(path.read_text().replace("secret: [", "secret: [keyring:session/newest, "))
    carry_out(plan(path))
    names = [text.rpartition("/")[2] for text in references(read_profile(path)) if "session" in text]
    assert names == ["session_secret_3", "session_secret", "session_secret_2"]


@pytest.mark.parametrize(
    "to",
    [
        pytest.param("secrets", id="no reference"),
        pytest.param("file:", id="no folder"),
        pytest.param("file:/", id="the root"),
        pytest.param("keyring:x", id="a keyring"),
        pytest.param("file:token", id="a file"),
    ],
)
def test_what_is_no_folder_is_refused(path: Path, to: str) -> None:
    assert isinstance(refused(path, to), UsageError)


@pytest.mark.parametrize(
    ("mode", "inside"),
    [
        pytest.param(0o770, "", id="its group may"),
        pytest.param(0o702, "", id="everybody may"),
        pytest.param(0o1777, "", id="everybody may, as in /tmp"),
        pytest.param(0o707, "deep/er", id="everybody may exchange a folder above"),
    ],
)
def test_a_folder_that_others_may_write_to_is_refused(path: Path, mode: int, inside: str) -> None:
    shared = path.parent / "shared"
    shared.mkdir()
    shared.chmod(mode)
    error = refused(path, f"file:shared/{inside}")
    assert isinstance(error, MachineFailed)
    assert f"others may write to {shared}" in error.message


def test_a_link_to_a_folder_that_others_may_write_to_is_refused(path: Path) -> None:
    shared = path.parent / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    (path.parent / "secrets").symlink_to(shared)
    assert "others may write" in refused(path).message


def test_a_secret_that_is_not_there_stops_the_move_and_all_such_are_named(path: Path, kept: dict[tuple[str, str], str]) -> None:
    del kept["jsmsso", "cognito/client_secret"]
    (path.parent / "token").unlink()
    message = refused(path).message
    assert "providers.cognito.client_secret: the keyring has no secret named cognito/client_secret" in message
    assert "jsm.api_token: the secret file" in message


def test_a_file_that_holds_something_else_is_never_replaced(path: Path) -> None:
    (path.parent / "secrets").mkdir(mode=0o700)
    (path.parent / "secrets" / "jsm_api_token").write_text("another profile's s3cret")
    assert "holds something else than file:token" in refused(path).message


def test_a_move_that_broke_off_is_taken_up(path: Path) -> None:
    (path.parent / "secrets").mkdir(mode=0o700)
    (path.parent / "secrets" / "jsm_api_token").write_text("token s3cret")
    carry_out(plan(path))
    assert "file:secrets/jsm_api_token" in path.read_text()


def test_a_profile_that_changes_meanwhile_stops_the_move_and_leaves_no_file(path: Path) -> None:
    planned = plan(path)
    path.write_text(PROFILE.replace("keyring:session/new", "keyring:session/other"))
    with pytest.raises(MachineFailed, match="changed while this command ran"):
        carry_out(planned)
    assert not (path.parent / "secrets").exists()
    assert "keyring:cognito/client_secret" in path.read_text()


def test_a_profile_that_cannot_be_written_leaves_no_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = os.replace

    def full(source: Any, target: Any) -> None:
        if Path(target).name == "jsmsso.yaml":
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    assert "no space left" in refused(path).message
    assert not (path.parent / "secrets").exists()
