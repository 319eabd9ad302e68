"""A backup taken while others write is whole, is one file, and is nobody else's to read."""

from __future__ import annotations

import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from jsmsso.errors import MachineFailed, StoreUnavailable, UsageError
from jsmsso.store.records import Account, Link
from jsmsso.store.sqlite import SqliteStore
from jsmsso.store.sqlite_backup import back_up
from jsmsso.store.sqlite_upkeep import inspect_file

NOW = 1_800_000_000.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.db"


@pytest.fixture
def store(path: Path) -> SqliteStore:
    store = SqliteStore(path)
    store.remember(Account("i", "ada", "p", "ada@acme.com", "5b10", first_seen=NOW, last_seen=NOW))
    return store


def test_a_backup_holds_what_the_store_holds(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    size = back_up(path, target)

    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["copy.db"]
    assert size == target.stat().st_size > 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert SqliteStore(target).account("i", "ada") == store.account("i", "ada")


def test_a_backup_is_of_one_moment_while_others_write(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    done = threading.Event()

    def write() -> None:
        number = 0
        while not done.is_set():  # a link and an account, always together
            with store._transaction() as connection:
                connection.execute("INSERT INTO links VALUES (?, '', 0, '')", (str(number),))
                connection.execute("INSERT INTO pauses VALUES (?, 0)", (str(number),))
            number += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for number in range(10):
            back_up(path, tmp_path / f"{number}.db")
    finally:
        done.set()
        thread.join()

    counts = []
    for number in range(10):
        found = inspect_file(tmp_path / f"{number}.db")
        assert found.problems == ()
        assert found.rows["links"] == found.rows["pauses"]
        counts.append(found.rows["links"])
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]


def test_a_file_that_is_there_is_replaced_only_when_told_so(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_text("mine")

    with pytest.raises(UsageError, match="there already"):
        back_up(path, target)
    assert target.read_text() == "mine"
    back_up(path, target, force=True)
    assert inspect_file(target).rows["accounts"] == 1
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["state.db", "state.db-wal", "../state/state.db"])
def test_the_store_is_not_copied_over_itself(store: SqliteStore, path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        back_up(path, path.parent / name, force=True)

    assert store.account("i", "ada") is not None


def test_a_place_where_nothing_can_be_written_says_so(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    with pytest.raises(MachineFailed, match="no such place"):
        back_up(path, tmp_path / "no such place" / "copy.db")
    with pytest.raises(UsageError, match="folder"):
        back_up(path, tmp_path)


def test_a_store_that_is_not_there_or_damaged_leaves_no_copy(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="no store"):
        back_up(tmp_path / "none.db", tmp_path / "copy.db")
    damaged = tmp_path / "damaged.db"
    back_up(path, damaged)
    _damage(damaged)
    with pytest.raises(StoreUnavailable):
        back_up(damaged, tmp_path / "copy.db")

    assert {file.name for file in tmp_path.iterdir()} == {"state", "damaged.db"}


def _damage(path: Path) -> None:
    """Overwrite a page in the middle, as a failing disk does."""
    with path.open("r+b") as file:
        file.seek(4096 * 2)
        file.write(b"\xa5" * 4096 * 4)


def test_damage_is_found(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.db"
    for number in range(2000):
        store.link(Link(f"{number}@acme.com", "5b10", NOW, "sync"))
    back_up(path, damaged)
    with closing(sqlite3.connect(damaged)) as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'accounts_by_email'").fetchone()[0]
    with damaged.open("r+b") as file:
        file.seek(4096 * (page - 1))
        file.write(b"\x00" * 4096)

    [problem] = inspect_file(damaged).problems
    assert problem.startswith("damaged (")


def test_what_others_can_read_is_found(store: SqliteStore, path: Path) -> None:
    path.chmod(0o640)

    (problem,) = inspect_file(path).problems
    assert str(path) in problem
    assert inspect_file(path).facts["mode"] == "0640"


def test_a_folder_that_others_can_write_to_is_found(store: SqliteStore, path: Path) -> None:
    path.parent.chmod(0o777)

    (problem,) = inspect_file(path).problems
    assert str(path.parent) in problem


def test_a_file_of_a_newer_release_is_named_and_left_alone(store: SqliteStore, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 7")

    found = inspect_file(path)
    assert found.version == 7
    assert "newer jsmsso" in found.problems[0]
