"""One SQLite file in WAL mode that all workers share: a connection per thread, so that readers never wait for a writer."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jsmsso.errors import StoreUnavailable
from jsmsso.store.sqlite_schema import VERSION, migrate, version_of
from jsmsso.store.watching import StoreHealth, Watch

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
BUSY_SECONDS = 5.0  # how long a writer waits for another one before its call has failed


class SqliteFile:
    """What the parts of :class:`SqliteStore` stand on.

    ``synchronous = NORMAL`` may forget the last writes when the machine loses its power, never when a process dies.
    Of used logins nothing is lost by that: their codes are dead at the provider by the first use all the same.
    """

    def __init__(self, path: Path) -> None:
        self.health = StoreHealth()
        self._path = path
        self._threads = threading.local()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            connection = self._connection()
            if (version := version_of(connection)) > VERSION:
                raise newer(f"the store {path}", version)
            migrate(connection)
        except (OSError, sqlite3.Error) as error:
            raise unavailable(path, error) from error

    def check(self) -> None:
        """Raise :class:`StoreUnavailable` unless the store can be read and written now."""
        with self._transaction():
            pass

    def close(self) -> None:
        """Close this thread's connection, such as before a fork."""
        process, connection = getattr(self._threads, "connection", (0, None))
        if connection is not None and process == os.getpid():
            connection.close()
        self._threads.connection = (0, None)

    def _rows(self, sql: str, *values: Any) -> list[Any]:
        """What a SELECT finds."""
        began = self.health.reads.begin()
        try:
            rows = self._connection().execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise self._failed(self.health.reads, began, error) from error
        self.health.reads.worked()
        return rows

    def _change(self, sql: str, *values: Any) -> int:
        """Run one statement that writes, as a transaction of its own; how many rows it changed."""
        began = self.health.writes.begin()
        try:
            changed = self._connection().execute(sql, values).rowcount
        except sqlite3.Error as error:
            raise self._failed(self.health.writes, began, error) from error
        self.health.writes.worked()
        return changed

    def _changed(self, sql: str, *values: Any) -> list[Any]:
        """The same with RETURNING: the rows."""
        began = self.health.writes.begin()
        try:
            rows = self._connection().execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise self._failed(self.health.writes, began, error) from error
        self.health.writes.worked()
        return rows

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """A block that happens as a whole, with the write lock held from its beginning."""
        began = self.health.writes.begin()
        try:
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise self._failed(self.health.writes, began, error) from error
        self.health.writes.worked()

    def _failed(self, watch: Watch, began: float, error: sqlite3.Error) -> StoreUnavailable:
        said = unavailable(self._path, error)
        watch.failed(began, said)
        return said

    def _connection(self) -> sqlite3.Connection:
        process, connection = getattr(self._threads, "connection", (0, None))
        if connection is None or process != os.getpid():  # SQLite forbids a connection carried over a fork
            connection = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None)
            _turn_to_wal(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            self._threads.connection = os.getpid(), connection
        assert isinstance(connection, sqlite3.Connection)
        return connection


def _turn_to_wal(connection: sqlite3.Connection) -> None:
    """SQLite's own waiting does not cover this step, which all workers of a first start take at once."""
    ends = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if time.monotonic() >= ends or "locked" not in str(error):
                raise
            time.sleep(0.01)


def unavailable(path: Path, error: Exception) -> StoreUnavailable:
    """What SQLite or the system said, with what to look at."""
    if is_damage(error):
        hint = "Put a backup in its place, as docs/store.md says, or name another store."
    else:
        hint = "See that its folder exists, is ours to write, and has space."
    return StoreUnavailable(f"the store {path} does not work: {error}", hint)


def is_damage(error: Exception) -> bool:
    """Whether SQLite says that the file is not what it wrote."""
    return isinstance(error, sqlite3.DatabaseError) and (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _DAMAGED


def not_there(path: Path) -> StoreUnavailable:
    """The file does not exist, and nothing was asked that would make it."""
    return StoreUnavailable(f"there is no store at {path} yet", "jsmsso serve makes it at its first start.")


def newer(store: str, version: int) -> StoreUnavailable:
    """A newer release changed the store so that this one cannot use it."""
    return StoreUnavailable(f"{store} was made by a newer jsmsso (version {version})", "Upgrade jsmsso, or name another store.")
