"""The profile is changed in place: everything else in the file stays, and the file is always whole."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jsmsso.errors import FileChanged, MachineFailed, ProfileInvalid, ProfileMissing
from jsmsso.profile import editing as room
from jsmsso.profile.editing import editing
from jsmsso.profile.reading import read_profile
from tests.profile.reading_texts import HEAD

KEPT = """\
---
# Whose file this is
version: 1
public_url: https://sso.acme.com   # where

providers:
    cognito:      # four spaces here
        type: cognito
        domain: 'acme.auth.eu-west-1.amazoncognito.com'
        client_id: "4bq2example"     # the id
        client_secret: keyring:cognito/client_secret
        scopes: [ openid,   # needed
                  profile, email ]

# Who may enter
access:
- deny:  {email: "*@contractor.acme.com"}   # out
- allow: { email_domain: [acme.com, acme.de] }


portals:
  - {id: "3", key: HELP, service_desk: "3", name: IT help,
     url: https://acme.atlassian.net/servicedesk/customer/portal/3, mode: hosted}   # ours
support: {text: >-
    Ask the
    IT desk}
login: {mode: choose}
clock_skew: 60s
# The end
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "jsmsso.yaml"
    path.write_text(
        KEPT.replace("support: {text: >-\n    Ask the\n    IT desk}", "support:\n    text: >-\n        Ask the\n        IT desk")
    )
    return path


def changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    old, new = before.splitlines(), after.splitlines()
    return [line for line in old if line not in new], [line for line in new if line not in old]


def test_one_value_changes_one_line(path: Path) -> None:
    before = path.read_text()
    with editing(path) as document:
        document.data["providers"]["cognito"]["client_id"] = "7xnew"
    assert document.written
    assert changed_lines(before, path.read_text()) == (
        ['        client_id: "4bq2example"     # the id'],
        ['        client_id: "7xnew"           # the id'],
    )


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda data: data["access"].append({"deny": "everyone"}), id="a rule added"),
        pytest.param(lambda data: data["access"].pop(0), id="a rule taken out"),
        pytest.param(lambda data: data["providers"]["cognito"].update(issuer="https://a.example"), id="a key added"),
        pytest.param(lambda data: data["providers"]["cognito"]["scopes"].append("phone"), id="an item added to a list with comments"),
        pytest.param(lambda data: data["portals"][0].update(name="Help"), id="a value in brackets changed"),
        pytest.param(lambda data: data.update(log={"format": "human"}), id="a section added"),
        pytest.param(lambda data: data.pop("clock_skew"), id="a section taken out"),
        pytest.param(lambda data: data.pop("access"), id="a section with comments around it taken out"),
        pytest.param(lambda data: data["portals"].pop(), id="the last portal taken out"),
        pytest.param(lambda data: data["providers"]["cognito"].pop("scopes"), id="the last key of a section taken out"),
        pytest.param(lambda data: data.update(clock_skew="30s"), id="the last value changed"),
        pytest.param(lambda data: data.insert(1, "store", "sqlite:////var/lib/x.db"), id="a section put near the top"),
    ],
)
def test_every_comment_outlives_a_change(path: Path, change: Callable[..., object]) -> None:
    with editing(path) as document:
        change(document.data)
    after = path.read_text()
    gone = {"# out"} if "contractor" not in after else set()
    gone |= {"# ours"} if "HELP" not in after else set()
    gone |= {"# needed"} if "scopes" not in after else set()
    for comment in (
        "# Whose file this is",
        "# where",
        "# four spaces here",
        "# the id",
        "# needed",
        "# Who may enter",
        "# out",
        "# ours",
        "# The end",
    ):
        assert comment in after or comment in gone, comment
    read_profile(path)


def test_a_portal_added_looks_like_the_design(path: Path) -> None:
    entry = {"id": "9", "key": "NO", "service_desk": "9", "name": "12:30", "url": "https://a.example/9", "mode": "hosted"}
    with editing(path) as document:
        document.data["portals"].append(entry)
    assert 'id: "9"' in path.read_text()
    assert 'key: "NO"' in path.read_text()
    assert [(one.id, one.key, one.name) for one in read_profile(path).portals] == [("3", "HELP", "IT help"), ("9", "NO", "12:30")]


IN_BRACKETS = '{{id: "{0}", key: D{0}, service_desk: "{0}", name: {1}, url: https://acme.atlassian.net/p/{0}, mode: hosted}}'
ON_LINES = IN_BRACKETS.replace("{{", "").replace("}}", "").replace(", ", "\n    ")


@pytest.mark.parametrize("second", [pytest.param(IN_BRACKETS, id="in brackets"), pytest.param(ON_LINES, id="on lines of its own")])
def test_a_first_item_in_brackets_between_two_comments_spoils_nothing_behind_it(path: Path, second: str) -> None:
    text = f"{HEAD}portals:\n  # ours\n  - {IN_BRACKETS.format(1, 'first')}   # help\n  - {second.format(2, 'old')}\n"
    path.write_text(text)
    with editing(path) as document:
        document.data["portals"][1]["name"] = "new"
    assert path.read_text() == text.replace("name: old", "name: new")


def test_nothing_is_written_when_nothing_changed(path: Path) -> None:
    before = path.stat()
    with editing(path) as document:
        document.data["clock_skew"] = "60s"
    assert not document.written
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_windows_line_ends_and_a_byte_order_mark_stay(path: Path) -> None:
    content = b"\xef\xbb\xbf" + f"{HEAD}# why\nclock_skew: 60s\n".replace("\n", "\r\n").encode()
    path.write_bytes(content)
    with editing(path) as document:
        document.data["clock_skew"] = "30s"
    assert path.read_bytes() == content.replace(b"60s", b"30s")


def test_a_change_that_makes_the_profile_invalid_is_not_written(path: Path) -> None:
    before = path.read_text()
    with pytest.raises(ProfileInvalid, match="clock_skew"), editing(path) as document:
        document.data["clock_skew"] = "forever"
    assert path.read_text() == before


def test_an_error_inside_the_block_writes_nothing(path: Path) -> None:
    before = path.read_text()
    with pytest.raises(ZeroDivisionError):
        edit(path, lambda data: data.update(clock_skew=f"{1 // 0}s"))
    assert path.read_text() == before
    assert sorted(one.name for one in path.parent.iterdir()) == ["jsmsso.yaml"]


def edit(path: Path, *changes: Callable[[Any], object], create: bool = False) -> None:
    with editing(path, create=create) as document:
        for change in changes:
            change(document.data)


SHORTER = {"clock_skew": "30s"}
THEIRS = f"{HEAD}# somebody else's\n"


def test_a_file_that_changed_meanwhile_is_not_overwritten(path: Path) -> None:
    with pytest.raises(FileChanged, match="nothing was written"):
        edit(path, lambda data: data.update(SHORTER), lambda data: path.write_text(THEIRS))
    assert path.read_text() == THEIRS


def test_a_file_that_vanished_meanwhile_is_not_made_again(path: Path) -> None:
    with pytest.raises(FileChanged, match="nothing was written"):
        edit(path, lambda data: data.update(SHORTER), lambda data: path.unlink())
    assert not path.exists()


def test_a_file_that_appeared_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "jsmsso.yaml"
    new = {"version": 1, "public_url": "http://localhost:8080"}
    with pytest.raises(FileChanged, match="nothing was written"):
        edit(path, lambda data: data.update(new), lambda data: path.write_text(THEIRS), create=True)
    assert path.read_text() == THEIRS


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_the_mode_stays(path: Path, mode: int) -> None:
    path.chmod(mode)
    with editing(path) as document:
        document.data["clock_skew"] = "30s"
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_the_owner_stays(path: Path) -> None:
    os.chown(path, 1234, 2345)
    with editing(path) as document:
        document.data["clock_skew"] = "30s"
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 2345)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write every file")
def test_a_read_only_file_is_not_replaced(path: Path) -> None:
    path.chmod(0o444)
    with pytest.raises(MachineFailed, match="cannot be written"), editing(path) as document:
        document.data["clock_skew"] = "30s"
    assert "60s" in path.read_text()


def test_a_symbolic_link_stays_one_and_its_target_is_written(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "links"
    folder.mkdir()
    link = folder / "jsmsso.yaml"
    link.symlink_to("../jsmsso.yaml")
    with editing(link) as document:
        document.data["clock_skew"] = "30s"
    assert link.is_symlink()
    assert "clock_skew: 30s" in path.read_text()
    assert [one.name for one in folder.iterdir()] == ["jsmsso.yaml"]


def test_a_missing_profile_is_made_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "new" / "jsmsso.yaml"
    with pytest.raises(ProfileMissing), editing(path):
        pass
    assert not path.parent.exists()
    with editing(path, create=True) as document:
        document.data.update({"version": 1, "public_url": "http://localhost:8080", "trusted_proxies": ["unix", "127.0.0.1"]})
    assert path.read_text() == "version: 1\npublic_url: http://localhost:8080\ntrusted_proxies: [unix, 127.0.0.1]\n"
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600


def test_a_file_that_is_no_yaml_is_refused_before_anything_is_asked(path: Path) -> None:
    path.write_text("a: b: c\n")
    with pytest.raises(ProfileInvalid, match="this is not YAML"), editing(path):
        pytest.fail("the block must not run")


def test_a_second_editor_waits_and_then_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "LOCK_PATIENCE", 0.1)
    with open(path.with_name(".jsmsso.yaml.lock"), "w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(MachineFailed, match="another command is editing the profile"), editing(path):
            pytest.fail("the block must not run")
    with editing(path) as document:
        document.data["clock_skew"] = "30s"
    assert document.written


ADD_ONE = """
import sys
from pathlib import Path
from jsmsso.profile.editing import editing
for number in range(5):
    with editing(Path(sys.argv[1])) as document:
        document.data.setdefault("trusted_proxies", []).append(f"10.{sys.argv[2]}.{number}.0/24")
"""


def test_editors_at_once_lose_nothing(path: Path) -> None:
    path.write_text(HEAD)
    editors = [subprocess.Popen([sys.executable, "-c", ADD_ONE, path, str(number)]) for number in range(4)]
    assert [one.wait() for one in editors] == [0, 0, 0, 0]
    assert len(set(read_profile(path).trusted_proxies)) == 20
    assert [one.name for one in path.parent.iterdir()] == ["jsmsso.yaml"]


EDIT_FOR_EVER = """
import sys
from pathlib import Path
from jsmsso.profile.editing import editing
print("ready", flush=True)
for number in range(10**9):
    with editing(Path(sys.argv[1])) as document:
        document.data["support"] = {"text": "old" if number % 2 else "new"}
        document.data["branding"] = {"name": ("old" if number % 2 else "new") + "x" * 1900}
"""


def test_an_editor_killed_at_any_moment_leaves_a_whole_file(path: Path) -> None:
    path.write_text(HEAD)
    for _ in range(6):
        editor = subprocess.Popen([sys.executable, "-c", EDIT_FOR_EVER, path], stdout=subprocess.PIPE)
        assert editor.stdout is not None
        editor.stdout.readline()
        time.sleep(random.uniform(0.0, 0.05))
        editor.send_signal(signal.SIGKILL)
        editor.wait()
        editor.stdout.close()
        read = read_profile(path)
        assert (read.support.text is None and read.branding.name is None) or read.branding.name == f"{read.support.text}{'x' * 1900}"
    with editing(path) as document:  # what the dead left behind is in nobody's way
        document.data["clock_skew"] = "30s"
    assert [one.name for one in path.parent.iterdir()] == ["jsmsso.yaml"]


EDIT_WITH_100_BYTES = """
import resource, signal, sys
from pathlib import Path
from jsmsso.errors import MachineFailed
from jsmsso.profile.editing import editing
signal.signal(signal.SIGXFSZ, getattr(signal, sys.argv[2]))
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    with editing(Path(sys.argv[1])) as document:
        document.data["clock_skew"] = "30s"
except MachineFailed as error:
    print(error.message)
"""


def test_a_write_that_breaks_off_leaves_the_old_file(path: Path) -> None:
    before = path.read_bytes()
    done = subprocess.run([sys.executable, "-c", EDIT_WITH_100_BYTES, path, "SIG_IGN"], capture_output=True, text=True)
    assert "cannot be written: file too large" in done.stdout
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == ["jsmsso.yaml"]


def test_an_editor_killed_while_it_writes_leaves_the_old_file_and_nothing_in_the_way(path: Path) -> None:
    before = path.read_bytes()
    done = subprocess.run([sys.executable, "-c", EDIT_WITH_100_BYTES, path, "SIG_DFL"], capture_output=True, text=True)
    assert done.returncode == -signal.SIGXFSZ
    assert path.read_bytes() == before
    edit(path, lambda data: data.update(SHORTER))
    assert read_profile(path).clock_skew == 30
    assert [one.name for one in path.parent.iterdir()] == ["jsmsso.yaml"]
