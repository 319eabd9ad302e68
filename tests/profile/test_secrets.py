"""Where secrets come from, and what is said when they do not."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.backends.null import Keyring as NullKeyring
from keyring.errors import KeyringLocked

from jsmsso.errors import SecretUnavailable, UsageError
from jsmsso.profile import secrets as room
from jsmsso.profile.parsing import dotted
from jsmsso.profile.reading import read_profile
from jsmsso.profile.secrets import (
    Reference,
    keyring_usable,
    read_secret,
    readable_by_others,
    references,
    references_in,
    state_of,
    write_secret,
)
from tests.profile.reading_texts import profile
from tests.services import REPOSITORY

SECRET = "hunter2hunter2"


class InMemory(KeyringBackend):
    priority = 9  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


class Locked(InMemory):
    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("Failed to unlock the collection!")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked("Failed to unlock the collection!")


class Failing(InMemory):
    def get_password(self, service: str, username: str) -> str | None:
        raise RuntimeError(f"D-Bus said something about {SECRET}")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise RuntimeError(f"cannot store {password}")


class Hanging(InMemory):
    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.let_go.wait()
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        self.let_go.wait()


class Forgetting(InMemory):
    def set_password(self, service: str, username: str, password: str) -> None:
        pass


@pytest.fixture(autouse=True)
def _own_keyring() -> Iterator[None]:
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


def use(backend: KeyringBackend) -> Any:
    keyring.set_keyring(backend)
    return backend


@pytest.mark.parametrize("reference", ["keyring:cognito/client_secret", "file:secret", "file:deep/er/secret"])
def test_a_secret_that_was_written_is_read(reference: str, tmp_path: Path) -> None:
    use(InMemory())
    write_secret(reference, SECRET, base=tmp_path)
    assert read_secret(reference, base=tmp_path) == SECRET
    write_secret(reference, "another", base=tmp_path)
    assert read_secret(reference, base=tmp_path) == "another"


def test_the_keyring_knows_it_by_service_and_name(tmp_path: Path) -> None:
    backend = use(InMemory())
    write_secret("keyring:jsm/api_token", SECRET, base=tmp_path)
    assert backend.kept == {("jsmsso", "jsm/api_token"): SECRET}


def test_a_variable_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JSMSSO_X", SECRET)
    assert read_secret("env:JSMSSO_X", base=tmp_path) == SECRET


@pytest.mark.parametrize(
    "content, secret",
    [
        pytest.param(b"abc", "abc", id="no line end"),
        pytest.param(b"abc\n", "abc", id="line end"),
        pytest.param(b"abc\r\n", "abc", id="Windows line end"),
        pytest.param(b"abc\n\n", "abc\n", id="only one line end"),
        pytest.param(b" abc ", " abc ", id="spaces are its own"),
        pytest.param("pässword".encode(), "pässword", id="UTF-8"),
    ],
)
def test_one_final_line_end_is_no_part_of_a_secret_file(tmp_path: Path, content: bytes, secret: str) -> None:
    (tmp_path / "s").write_bytes(content)
    assert read_secret("file:s", base=tmp_path) == secret


def test_a_secret_file_may_stand_in_the_home_or_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "s").write_text(SECRET)
    assert read_secret("file:~/s", base=Path("/nowhere")) == SECRET
    assert read_secret(f"file:{tmp_path}/s", base=Path("/nowhere")) == SECRET


def test_a_secret_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("old")
    (tmp_path / "s").chmod(0o644)
    write_secret("file:s", SECRET, base=tmp_path)
    write_secret("file:deep/s", SECRET, base=tmp_path)
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "deep").stat().st_mode) == 0o700
    assert sorted(one.name for one in tmp_path.iterdir()) == ["deep", "s"]


@pytest.mark.parametrize(
    "reference, message, hint",
    [
        pytest.param(
            "env:JSMSSO_MISSING", "the environment variable JSMSSO_MISSING is not set", "where jsmsso is started", id="no variable"
        ),
        pytest.param("env:JSMSSO_EMPTY", "the environment variable JSMSSO_EMPTY is empty", "where jsmsso is started", id="empty variable"),
        pytest.param("file:missing", "missing does not exist", "jsmsso secrets set file:missing", id="no file"),
        pytest.param("file:empty", "empty is empty", "jsmsso secrets set file:empty", id="empty file"),
        pytest.param("file:newline", "newline is empty", "jsmsso secrets set file:newline", id="a line end alone"),
        pytest.param("file:folder", "folder is a folder", "", id="folder"),
        pytest.param("file:pipe", "pipe is not a regular file", "", id="a pipe nobody writes to"),
        pytest.param("file:binary", "binary is not UTF-8 text", "base64", id="bytes"),
        pytest.param("file:huge", "huge is larger than 64 kB", "", id="too large"),
        pytest.param("keyring:none", "the keyring has no secret named none", "jsmsso secrets set none", id="not in the keyring"),
        pytest.param("keyring:empty", "the keyring's secret named empty is empty", "jsmsso secrets set empty", id="empty in the keyring"),
        pytest.param("hunter2hunter2", "that is no reference to a secret", "keyring:NAME", id="no reference"),
    ],
)
def test_a_reference_that_leads_to_nothing_says_what_to_do(
    reference: str, message: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(InMemory()).kept["jsmsso", "empty"] = ""
    monkeypatch.setenv("JSMSSO_EMPTY", "")
    (tmp_path / "empty").touch()
    (tmp_path / "newline").write_text("\n")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "binary").write_bytes(b"\xff" + SECRET.encode())
    (tmp_path / "huge").write_bytes(b"x" * 70_000)
    with pytest.raises(SecretUnavailable) as caught:
        read_secret(reference, base=tmp_path)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.exit_code == 6
    assert SECRET not in repr(caught.value) + repr(caught.value.__context__) + caught.value.hint


@pytest.mark.parametrize(
    "backend, message",
    [
        pytest.param(NoKeyring, "there is no keyring on this machine", id="absent"),
        pytest.param(NullKeyring, "there is no keyring on this machine", id="switched off"),
        pytest.param(Locked, "the keyring is locked", id="locked"),
        pytest.param(Failing, "the keyring failed (RuntimeError)", id="failing"),
        pytest.param(Hanging, "the keyring gave no answer", id="hanging"),
    ],
)
def test_a_keyring_that_does_not_serve_names_the_other_ways(
    backend: type[KeyringBackend], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "KEYRING_TIMEOUT", 0.2)
    use(backend())
    for act in (
        lambda: read_secret("keyring:cognito/client_secret", base=tmp_path),
        lambda: write_secret("keyring:cognito/client_secret", SECRET, base=tmp_path),
    ):
        with pytest.raises(SecretUnavailable) as caught:
            act()
        assert message in caught.value.message
        assert "file:secrets/cognito/client_secret" in caught.value.hint
        assert "env:JSMSSO_COGNITO_CLIENT_SECRET" in caught.value.hint
        assert SECRET not in caught.value.message + caught.value.hint + repr(caught.value.__context__)


def test_a_keyring_that_forgets_is_noticed_at_once(tmp_path: Path) -> None:
    use(Forgetting())
    with pytest.raises(SecretUnavailable, match="did not keep the secret"):
        write_secret("keyring:x", SECRET, base=tmp_path)


@pytest.mark.parametrize(
    "backend, usable",
    [
        pytest.param(InMemory, True, id="at hand"),
        pytest.param(NoKeyring, False, id="absent"),
        pytest.param(NullKeyring, False, id="switched off"),
    ],
)
def test_whether_there_is_a_keyring_is_known_without_asking_anybody(backend: type[KeyringBackend], usable: bool) -> None:
    use(backend())
    assert keyring_usable() is usable


@pytest.mark.parametrize("reference", ["env:X", "keyring:a b", "keyring:", "keyring:../x\n", "x", "file:"])
def test_a_secret_cannot_be_written_just_anywhere(reference: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        write_secret(reference, SECRET, base=tmp_path)
    assert SECRET not in str(caught.value) + caught.value.hint


def test_an_empty_secret_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the secret is empty"):
        write_secret("file:s", "", base=tmp_path)
    assert not (tmp_path / "s").exists()


def test_a_secret_file_that_everybody_may_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "loose").write_text(SECRET)
    (tmp_path / "loose").chmod(0o644)
    write_secret("file:tight", SECRET, base=tmp_path)
    read = profile("session: {secret: [file:loose, file:tight, file:missing, env:X]}\n")
    assert readable_by_others(read, base=tmp_path) == ("everybody on this machine may read file:loose; chmod 600 it",)


def test_a_secret_that_ends_with_a_line_end_keeps_it_in_a_file(tmp_path: Path) -> None:
    write_secret("file:s", "-----END PRIVATE KEY-----\n", base=tmp_path)
    assert read_secret("file:s", base=tmp_path) == "-----END PRIVATE KEY-----\n"


def test_every_reference_of_a_profile_is_found_with_its_key() -> None:
    path = REPOSITORY / "examples" / "full.yaml"
    found = list(references_in(read_profile(path)))
    written = re.findall(r"\b(?:keyring|env|file):[\w./-]+", re.sub(r"(?m)#.*", "", path.read_text()))
    assert sorted(one.text for one in found) == sorted(written)
    keys = {dotted(one.location) for one in found if one.is_secret}
    assert {"providers.partner.client_key", "session.secret[0]", "session.secret[1]", "saml.next.key", "store.password"} <= keys
    assert [one for one in keys if "certificate" in one] == []


def test_a_list_of_one_secret_is_named_as_the_one() -> None:
    read = profile("session: {secret: [env:X]}\nscim: {url: https://x.example/scim, token: env:X}\n")
    assert [dotted(one.location) for one in references_in(read)] == ["scim.token", "session.secret"]
    assert references(read) == ("env:X",)


STATES = [
    pytest.param("file:s", 0o600, "there", "", id="its owner's alone"),
    pytest.param("file:s", 0o440, "there", "", id="a group's too, as a mounted Secret is"),
    pytest.param("file:s", 0o644, "too open", "everybody on this machine may read it", id="everybody's to read"),
    pytest.param("file:s", 0o602, "too open", "everybody on this machine may change it", id="everybody's to change"),
    pytest.param("file:none", 0o600, "missing", "does not exist", id="no file"),
    pytest.param("file:.", 0o600, "unreadable", "is a folder", id="a folder"),
    pytest.param("keyring:there", 0o600, "there", "", id="in the keyring"),
    pytest.param("keyring:none", 0o600, "missing", "the keyring has no secret named none", id="not in the keyring"),
    pytest.param("env:JSMSSO_THERE", 0o600, "there", "", id="a variable"),
    pytest.param("env:JSMSSO_NONE", 0o600, "missing", "is not set", id="no variable"),
    pytest.param("env:JSMSSO_EMPTY", 0o600, "unreadable", "is empty", id="an empty variable"),
]


@pytest.mark.parametrize(("reference", "mode", "word", "detail"), STATES)
def test_what_a_reference_leads_to_is_known(
    reference: str, mode: int, word: str, detail: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(InMemory()).kept["jsmsso", "there"] = SECRET
    monkeypatch.setenv("JSMSSO_THERE", SECRET)
    monkeypatch.setenv("JSMSSO_EMPTY", "")
    (tmp_path / "s").write_text(SECRET)
    (tmp_path / "s").chmod(mode)
    state = state_of(Reference(("session", "secret"), reference, is_secret=True), base=tmp_path)
    assert state.word == word
    assert detail in state.detail
    assert bool(state.hint) == (word != "there")
    assert SECRET not in repr(state)


def test_a_locked_keyring_is_no_missing_secret(tmp_path: Path) -> None:
    use(Locked())
    state = state_of(Reference(("jsm", "api_token"), "keyring:x", is_secret=True), base=tmp_path)
    assert (state.word, state.detail) == ("unreadable", "the keyring is locked")


def test_a_certificate_may_be_read_by_everybody(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("a certificate")
    (tmp_path / "s").chmod(0o644)
    assert state_of(Reference(("saml", "certificate"), "file:s", is_secret=False), base=tmp_path).word == "there"


class Mounted:
    """A Kubernetes Secret as the kubelet mounts it: links to ``..data``, itself a link, which an update replaces."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.count = folder, 0
        folder.mkdir()

    def update(self, **secrets: str) -> None:
        self.count += 1
        fresh = self.folder / f"..2026_11_23_{self.count}"
        fresh.mkdir()
        for name, secret in secrets.items():
            (fresh / name).write_text(secret)
            (fresh / name).chmod(0o440)
        (self.folder / "..data_tmp").symlink_to(fresh.name)
        (self.folder / "..data_tmp").rename(self.folder / "..data")
        for name in secrets:
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(f"..data/{name}")


def test_a_mounted_secret_is_read_and_read_anew_after_an_update(tmp_path: Path) -> None:
    mounted = Mounted(tmp_path / "secrets")
    reference = Reference(("jsm", "api_token"), "file:secrets/jsm_api_token", is_secret=True)
    for secret in (SECRET, "another"):
        mounted.update(jsm_api_token=secret)
        assert read_secret(reference.text, base=tmp_path) == secret
        assert state_of(reference, base=tmp_path).word == "there"


def test_the_keyring_library_is_loaded_only_for_a_keyring(tmp_path: Path) -> None:
    (tmp_path / "s").write_text(SECRET)
    script = (
        "import sys\nfrom pathlib import Path\nfrom jsmsso.profile.secrets import read_secret\n"
        "read_secret('file:s', base=Path(sys.argv[1]))\nprint([one for one in ('keyring', 'pydantic') if one in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
