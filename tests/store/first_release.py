"""The first release's store as it was, so that a machine not yet upgraded can be played. Shortened to what touches the file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS used_logins (state_hash BLOB PRIMARY KEY, expires REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS used_logins_by_expiry ON used_logins (expires);
CREATE TABLE IF NOT EXISTS endings (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL, issuer TEXT NOT NULL, value TEXT NOT NULL, at REAL NOT NULL, expires REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS logout_tokens (jti_hash BLOB PRIMARY KEY, expires REAL NOT NULL) WITHOUT ROWID;
"""


class FirstStore:
    """``SqliteStore`` of the first release."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, timeout=5.0, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = NORMAL")
        version = self.connection.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise ValueError(f"made by a newer jsmsso (version {version})")
        self.connection.executescript(_SCHEMA)
        self.connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def use_login(self, state_hash: bytes, *, now: float, expires: float) -> bool:
        self.connection.execute("DELETE FROM used_logins WHERE expires < ?", (now,))
        return self.connection.execute("INSERT OR IGNORE INTO used_logins VALUES (?, ?)", (state_hash, expires)).rowcount == 1

    def end(self, kind: str, issuer: str, value: str, at: float, expires: float, *, now: float) -> None:
        self.connection.execute("DELETE FROM endings WHERE expires < ?", (now,))
        self.connection.execute(
            "INSERT INTO endings (kind, issuer, value, at, expires) VALUES (?, ?, ?, ?, ?)", (kind, issuer, value, at, expires)
        )

    def endings_after(self, number: int) -> list[tuple[object, ...]]:
        sql = "SELECT number, kind, issuer, value, at, expires FROM endings WHERE number > ? ORDER BY number"
        return self.connection.execute(sql, (number,)).fetchall()

    def use_logout_token(self, jti_hash: bytes, *, now: float, expires: float) -> bool:
        self.connection.execute("DELETE FROM logout_tokens WHERE expires < ?", (now,))
        return self.connection.execute("INSERT OR IGNORE INTO logout_tokens VALUES (?, ?)", (jti_hash, expires)).rowcount == 1

    def close(self) -> None:
        self.connection.close()
