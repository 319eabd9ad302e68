"""The store on one machine: SQLite in WAL mode, one file that all workers share."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jsmsso.errors import StoreUnavailable

SCHEMA_VERSION = 1  # what this release writes into PRAGMA user_version; tables that are only added do not raise it
BUSY_SECONDS = 5.0  # how long a writer waits for another one before the store counts as down
CLEAN_EVERY = 512  # used logins between two removals of expired ones

_SCHEMA = """
CREATE TABLE IF NOT EXISTS used_logins (state_hash BLOB PRIMARY KEY, expires REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS used_logins_by_expiry ON used_logins (expires);
CREATE TABLE IF NOT EXISTS endings (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL, issuer TEXT NOT NULL, value TEXT NOT NULL, at REAL NOT NULL, expires REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS logout_tokens (jti_hash BLOB PRIMARY KEY, expires REAL NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Ending:
    """Sessions that fit and began before ``at`` are over: one of ours by its id, those of a provider's ``sid``, those of a ``sub``.

    ``at`` and ``expires`` are seconds since the epoch; after ``expires`` no session can fit any more.
    """

    kind: Literal["session", "sid", "sub"]
    issuer: str
    value: str
    at: float
    expires: float


class SqliteStore:
    """One connection per thread; WAL, so that readers never wait for a writer.

    ``synchronous = NORMAL`` may forget the last writes when the machine loses its power, never when a
    process dies: what is forgotten then is that logins of the last moments were used, and their codes are
    dead at the provider by the first use all the same.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.local()
        self._uses = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            connection = self._connection()
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise StoreUnavailable(
                    f"the store {path} was made by a newer jsmsso (version {version})", "Upgrade jsmsso, or name another file as store."
                )
            connection.executescript(_SCHEMA)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        except (OSError, sqlite3.Error) as error:
            raise _unavailable(path, error) from error

    def use_login(self, state_hash: bytes, *, now: float, expires: float) -> bool:
        """Whether this is the first use of a login, on any worker. ``now`` and ``expires`` are seconds since the epoch.

        The row is there for every worker before True is returned. Raises :class:`StoreUnavailable`.
        """
        try:
            connection = self._connection()
            self._uses += 1
            if self._uses % CLEAN_EVERY == 0:
                connection.execute("DELETE FROM used_logins WHERE expires < ?", (now,))
            cursor = connection.execute("INSERT OR IGNORE INTO used_logins VALUES (?, ?)", (state_hash, expires))
            return cursor.rowcount == 1
        except sqlite3.Error as error:
            raise _unavailable(self._path, error) from error

    def login_was_used(self, state_hash: bytes) -> bool:
        """Whether a login was used, as far as that is still remembered."""
        try:
            return self._connection().execute("SELECT 1 FROM used_logins WHERE state_hash = ?", (state_hash,)).fetchone() is not None
        except sqlite3.Error as error:
            raise _unavailable(self._path, error) from error

    def end(self, ending: Ending, *, now: float) -> None:
        """Write down that sessions ended, for every worker to read. Raises :class:`StoreUnavailable`."""
        try:
            connection = self._connection()
            connection.execute("DELETE FROM endings WHERE expires < ?", (now,))
            connection.execute(
                "INSERT INTO endings (kind, issuer, value, at, expires) VALUES (?, ?, ?, ?, ?)",
                (ending.kind, ending.issuer, ending.value, ending.at, ending.expires),
            )
        except sqlite3.Error as error:
            raise _unavailable(self._path, error) from error

    def endings_after(self, number: int) -> tuple[int, list[Ending]]:
        """The endings written after the ``number``-th, and the number to go on from. Raises :class:`StoreUnavailable`."""
        try:
            rows = (
                self._connection()
                .execute("SELECT number, kind, issuer, value, at, expires FROM endings WHERE number > ? ORDER BY number", (number,))
                .fetchall()
            )
        except sqlite3.Error as error:
            raise _unavailable(self._path, error) from error
        return (rows[-1][0] if rows else number), [Ending(*row[1:]) for row in rows]

    def use_logout_token(self, jti_hash: bytes, *, now: float, expires: float) -> bool:
        """Whether this is the first time that a logout token came. Raises :class:`StoreUnavailable`."""
        try:
            connection = self._connection()
            connection.execute("DELETE FROM logout_tokens WHERE expires < ?", (now,))
            return connection.execute("INSERT OR IGNORE INTO logout_tokens VALUES (?, ?)", (jti_hash, expires)).rowcount == 1
        except sqlite3.Error as error:
            raise _unavailable(self._path, error) from error

    def check(self) -> None:
        """Raise :class:`StoreUnavailable` unless the store can be read and written now."""
        try:
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise _unavailable(self._path, error) from error

    def close(self) -> None:
        """Close this thread's connection, such as before a fork."""
        self._connection().close()
        self._threads.connection = (0, None)

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


def _unavailable(path: Path, error: Exception) -> StoreUnavailable:
    return StoreUnavailable(f"the store {path} does not work: {error}", "See that its folder exists, is ours to write, and has space.")
