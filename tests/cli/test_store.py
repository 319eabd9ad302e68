"""``jsmsso store``: a copy while it is served, and a check that says what is wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from jsmsso.store.records import Link
from jsmsso.store.sqlite import SqliteStore
from tests.services.home import Home, Ran
from tests.services.redis_server import RedisServer

PROFILE = "version: 1\npublic_url: http://localhost:8080\n"
NOW = 1_800_000_000.0


@pytest.fixture
def place(jsmsso_home: Home) -> Path:
    """A store of a profile, with one row in it."""
    place = jsmsso_home.work / "state" / "state.db"
    jsmsso_home.profile.write_text(f"{PROFILE}store: sqlite:///{place}\n")
    store = SqliteStore(place)
    store.link(Link("ada@acme.com", "5b10", NOW, "operator"))
    store.close()
    return place


def test_a_backup_is_a_store(jsmsso: Callable[..., Ran], jsmsso_home: Home, place: Path) -> None:
    ran = jsmsso("store", "backup", "copy.db")

    assert (ran.code, ran.stderr) == (0, "")
    assert f"Copied {place} to copy.db" in ran.stdout
    assert SqliteStore(jsmsso_home.work / "copy.db").linked("ada@acme.com") is not None
    ran = jsmsso("store", "backup", "copy.db")
    assert ran.code == 2
    assert "--force" in ran.stderr
    ran = jsmsso("store", "backup", "copy.db", "--force", "--json")
    assert (ran.code, ran.json()["backup"], ran.json()["bytes"] > 0) == (0, "copy.db", True)


def test_a_sound_store(jsmsso: Callable[..., Ran], place: Path) -> None:
    ran = jsmsso("store", "check")

    assert (ran.code, ran.stderr) == (0, "")
    assert str(place) in ran.stdout
    assert "Sound." in ran.stdout
    document = jsmsso("store", "check", "--json").json()
    assert (document["kind"], document["place"], document["version"], document["problems"]) == ("sqlite", str(place), 1, [])
    assert document["rows"]["links"] == 1
    assert document["facts"]["mode"] == "0600"


def _no_store_at_all(place: Path) -> None:
    place.write_bytes(b"this is a shopping list, and no database" * 200)


def _first_page_overwritten(place: Path) -> None:
    content = place.read_bytes()
    place.write_bytes(content[:100] + b"\xff" * 3996 + content[4096:])


def _a_page_in_the_middle_overwritten(place: Path) -> None:
    content = place.read_bytes()
    place.write_bytes(content[:8192] + b"\xff" * 4096 + content[12288:])


def _cut_in_half(place: Path) -> None:
    content = place.read_bytes()
    place.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize("damage", [_no_store_at_all, _first_page_overwritten, _a_page_in_the_middle_overwritten, _cut_in_half])
def test_a_store_that_is_damaged(jsmsso: Callable[..., Ran], place: Path, damage: Callable[[Path], None]) -> None:
    with closing(sqlite3.connect(place)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")
    damage(place)
    ran = jsmsso("store", "check")

    assert ran.code == 1
    assert "Problem: damaged (" in ran.stdout
    assert "put a backup in its place" in ran.stdout
    assert "Sound." not in ran.stdout
    assert "Traceback" not in ran.stdout + ran.stderr
    document = jsmsso("store", "check", "--json")
    assert document.code == 1
    assert len(document.json()["problems"]) == 1


def test_a_store_that_others_can_read(jsmsso: Callable[..., Ran], place: Path) -> None:
    place.chmod(0o644)
    ran = jsmsso("store", "check")

    assert ran.code == 1
    assert "Problem: others on this machine can read" in ran.stdout
    ran = jsmsso("store", "check", "--json")
    assert (ran.code, len(ran.json()["problems"])) == (1, 1)


def test_no_copy_is_made_of_what_is_no_database(jsmsso: Callable[..., Ran], place: Path) -> None:
    place.write_bytes(b"not a database" * 1000)
    ran = jsmsso("store", "backup", "copy.db")

    assert (ran.code, ran.stdout) == (6, "")
    assert "not a database" in ran.stderr
    assert "Put a backup in its place" in ran.stderr


def test_there_is_no_store_before_the_first_start(jsmsso: Callable[..., Ran], jsmsso_home: Home) -> None:
    jsmsso_home.profile.write_text(PROFILE)
    ran = jsmsso("store", "check")

    assert ran.code == 6
    assert "no store" in ran.stderr
    assert "jsmsso serve makes it" in ran.stderr
    assert not (jsmsso_home.path / "state" / "jsmsso").exists()


def test_a_sound_redis(jsmsso: Callable[..., Ran], jsmsso_home: Home, start_redis_server: Callable[..., RedisServer]) -> None:
    server = start_redis_server("--appendonly", "yes", "--requirepass", "hunter2hunter2")
    (jsmsso_home.work / "password").write_text("hunter2hunter2\n")
    (jsmsso_home.work / "password").chmod(0o600)
    jsmsso_home.profile.write_text(f"{PROFILE}store: {{url: '{server.url}', password: file:password}}\n")
    ran = jsmsso("store", "check", "--json")

    assert (ran.code, ran.stderr) == (0, "")
    assert ran.json()["facts"] | {"redis": "", "bytes": 0} == {
        "redis": "", "tls": False, "bytes": 0, "maxmemory_policy": "noeviction", "append_only_file": True, "snapshots": "off",
        "role": "master",
    }  # fmt: skip
    ran = jsmsso("store", "backup", "copy.db")
    assert ran.code == 2
    assert "backups of its own" in ran.stderr
    assert "hunter2" not in ran.stdout + ran.stderr


def test_a_redis_that_forgets_is_warned_about(jsmsso: Callable[..., Ran], jsmsso_home: Home, redis_server: RedisServer) -> None:
    jsmsso_home.profile.write_text(f"{PROFILE}store: {redis_server.url}\n")
    ran = jsmsso("store", "check")

    assert ran.code == 0
    assert "appendonly yes" in ran.stderr
    assert "Sound." in ran.stdout


def test_a_redis_that_is_not_there(jsmsso: Callable[..., Ran], jsmsso_home: Home, free_port: Callable[[], int]) -> None:
    jsmsso_home.profile.write_text(f"{PROFILE}store: redis://127.0.0.1:{free_port()}/0\n")
    ran = jsmsso("store", "check", "--json")

    assert ran.code == 6
    assert ran.json()["error"]["code"] == "store_unavailable"
