"""Machines are upgraded one by one: a file serves this release and the one before at the same time."""

from __future__ import annotations

import multiprocessing
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from jsmsso.errors import StoreUnavailable
from jsmsso.store import sqlite_schema
from jsmsso.store.records import Account, Ending
from jsmsso.store.sqlite import SqliteStore
from jsmsso.store.sqlite_schema import TABLES, VERSION, migrate, tables_of
from tests.store.first_release import FirstStore

NOW = 1_800_000_000.0
LATER = NOW + 600
ADA = Account("https://i.example", "ada", "p", "ada@acme.com", "5b10", first_seen=NOW, last_seen=NOW)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that the first release made and used."""
    path = tmp_path / "state.db"
    path.touch(mode=0o600)
    store = FirstStore(path)
    store.use_login(b"old", now=NOW, expires=LATER)
    store.use_logout_token(b"old", now=NOW, expires=LATER)
    store.end("session", "", "old", NOW, LATER, now=NOW)
    store.close()
    return path


def test_a_file_of_the_first_release_is_brought_forward_with_all_that_is_in_it(path: Path) -> None:
    store = SqliteStore(path)

    assert not store.use_login(b"old", now=NOW, expires=LATER)
    assert not store.end_once(Ending("session", "", "x", NOW, LATER), b"old", now=NOW, expires=LATER)
    assert store.endings_after(0) == (1, [Ending("session", "", "old", NOW, LATER)])
    store.remember(ADA)
    assert store.account("https://i.example", "ada") == ADA
    with closing(sqlite3.connect(path)) as connection:
        assert tables_of(connection) >= set(TABLES)


def test_the_first_release_goes_on_with_a_file_that_was_brought_forward(path: Path) -> None:
    old = FirstStore(path)
    new = SqliteStore(path)
    new.remember(ADA)
    new.use_login(b"new", now=NOW, expires=LATER)
    new.end(Ending("email", "", "ada@acme.com", NOW, LATER), now=NOW)
    for one in (old, reopened := FirstStore(path)):
        assert not one.use_login(b"new", now=NOW, expires=LATER)
        assert [row[1] for row in one.endings_after(1)] == ["email"]
    assert old.use_login(b"from the old", now=NOW, expires=LATER)
    assert old.use_logout_token(b"from the old", now=NOW, expires=LATER)
    reopened.end("sub", "https://i.example", "ada", NOW, LATER, now=NOW)

    assert not new.use_login(b"from the old", now=NOW, expires=LATER)
    assert not new.end_once(Ending("session", "", "x", NOW, LATER), b"from the old", now=NOW, expires=LATER)
    assert [ending.kind for ending in new.endings_after(2)[1]] == ["sub"]
    assert SqliteStore(path).account("https://i.example", "ada") == ADA
    old.close()
    reopened.close()


def open_in_process(path: Path, start: multiprocessing.synchronize.Event, said: multiprocessing.Queue[str]) -> None:
    start.wait()
    try:
        SqliteStore(path).remember(ADA)
        said.put("")
    except BaseException as error:
        said.put(repr(error))


def test_workers_that_bring_a_file_forward_at_once_do_it_once(path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    start, said = spawn.Event(), spawn.Queue()
    processes = [spawn.Process(target=open_in_process, args=(path, start, said)) for _ in range(4)]
    for process in processes:
        process.start()
    start.set()
    assert [said.get(timeout=60) for _ in processes] == [""] * 4
    for process in processes:
        process.join()

    with closing(sqlite3.connect(path)) as connection:
        assert [row[0] for row in connection.execute("SELECT step FROM migrations ORDER BY step")] == [1, 2]


def test_a_step_that_fails_leaves_the_file_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = (*sqlite_schema._STEPS, ("CREATE TABLE half (a)", "NO SQL AT ALL"))
    monkeypatch.setattr(sqlite_schema, "_STEPS", broken)

    with pytest.raises(StoreUnavailable):
        SqliteStore(path)
    with closing(sqlite3.connect(path)) as connection:
        assert tables_of(connection) == {"used_logins", "endings", "logout_tokens", "sqlite_sequence"}
    monkeypatch.undo()
    assert not SqliteStore(path).use_login(b"old", now=NOW, expires=LATER)


def test_a_file_with_more_tables_than_this_release_knows_is_used(path: Path) -> None:
    SqliteStore(path).remember(ADA)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE of_a_later_release (a)")
        connection.execute("ALTER TABLE accounts ADD COLUMN later TEXT NOT NULL DEFAULT ''")
        connection.execute("INSERT INTO migrations VALUES (99, 0)")

    store = SqliteStore(path)
    store.remember(ADA)
    assert store.account("https://i.example", "ada") == ADA
    assert store.inspect().problems == ()


def test_a_file_that_is_as_it_should_be_is_not_written_to(path: Path) -> None:
    SqliteStore(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")  # a write would wait, and fail
        with closing(sqlite3.connect(path, timeout=0)) as connection:
            migrate(connection)
            assert sqlite_schema.version_of(connection) == VERSION
