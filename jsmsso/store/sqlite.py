"""The store on one machine: one SQLite file that all workers share."""

from __future__ import annotations

import sqlite3
from dataclasses import astuple
from pathlib import Path

from jsmsso.store.records import Ending
from jsmsso.store.sqlite_accounts import SqliteAccounts
from jsmsso.store.sqlite_queue import SqliteQueue
from jsmsso.store.sqlite_records import SqliteRecords
from jsmsso.store.sqlite_upkeep import SqliteUpkeep

CLEAN_EVERY = 512  # used logins between two removals of expired ones


class SqliteStore(SqliteAccounts, SqliteQueue, SqliteRecords, SqliteUpkeep):
    """Behaves as :class:`jsmsso.store.interface.Store` says. Opening it brings an older file to this release's tables.

    Raises :class:`StoreUnavailable` for a file that cannot be opened, and for one that a newer release has changed so
    that this one cannot use it.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._uses = 0

    def use_login(self, state_hash: bytes, *, now: float, expires: float) -> bool:
        self._uses += 1
        if self._uses % CLEAN_EVERY == 0:
            self._change("DELETE FROM used_logins WHERE expires < ?", now)
        return self._change("INSERT OR IGNORE INTO used_logins (state_hash, expires) VALUES (?, ?)", state_hash, expires) == 1

    def login_was_used(self, state_hash: bytes) -> bool:
        return bool(self._rows("SELECT 1 FROM used_logins WHERE state_hash = ?", state_hash))

    def end(self, ending: Ending, *, now: float) -> None:
        with self._transaction() as connection:
            _end(connection, ending, now)

    def end_once(self, ending: Ending, jti_hash: bytes, *, now: float, expires: float) -> bool:
        with self._transaction() as connection:
            connection.execute("DELETE FROM logout_tokens WHERE expires < ?", (now,))
            once = "INSERT OR IGNORE INTO logout_tokens (jti_hash, expires) VALUES (?, ?)"
            if connection.execute(once, (jti_hash, expires)).rowcount == 0:
                return False
            _end(connection, ending, now)
            return True

    def endings_after(self, number: int, *, since: float = 0.0) -> tuple[int, list[Ending]]:
        last = self._rows("SELECT coalesce(max(number), 0) FROM endings")[0][0]  # also where all are older than since
        if last <= number:
            return number, []
        sql = "SELECT number, kind, issuer, value, at, expires FROM endings WHERE number > ? AND at >= ? ORDER BY number"
        rows = self._rows(sql, number, since)
        return max(last, rows[-1][0] if rows else 0), [Ending(*row[1:]) for row in rows]


def _end(connection: sqlite3.Connection, ending: Ending, now: float) -> None:
    connection.execute("DELETE FROM endings WHERE expires < ?", (now,))
    connection.execute("INSERT INTO endings (kind, issuer, value, at, expires) VALUES (?, ?, ?, ?, ?)", astuple(ending))
