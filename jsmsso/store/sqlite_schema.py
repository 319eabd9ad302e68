"""The tables, and how a file of an earlier release gets them.

The release before must be able to use the file as well, so that machines are upgraded one by one. So a step only adds
tables, or columns with a default; ``used_logins`` and ``logout_tokens`` never get one, since the first release inserts
into them without naming columns. A change that an earlier release cannot live with raises :data:`VERSION`, and those
releases then refuse the file.
"""

from __future__ import annotations

import sqlite3
import time

VERSION = 1  # in PRAGMA user_version

_STEPS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE IF NOT EXISTS used_logins (state_hash BLOB PRIMARY KEY, expires REAL NOT NULL) WITHOUT ROWID",
        "CREATE INDEX IF NOT EXISTS used_logins_by_expiry ON used_logins (expires)",
        """CREATE TABLE IF NOT EXISTS endings (
          number INTEGER PRIMARY KEY AUTOINCREMENT,
          kind TEXT NOT NULL, issuer TEXT NOT NULL, value TEXT NOT NULL, at REAL NOT NULL, expires REAL NOT NULL
        )""",
        "CREATE TABLE IF NOT EXISTS logout_tokens (jti_hash BLOB PRIMARY KEY, expires REAL NOT NULL) WITHOUT ROWID",
    ),
    (
        "CREATE INDEX endings_by_expiry ON endings (expires)",
        """CREATE TABLE accounts (
          issuer TEXT NOT NULL, subject TEXT NOT NULL, provider TEXT NOT NULL, email TEXT NOT NULL, account_id TEXT NOT NULL,
          display_name TEXT NOT NULL, fingerprint TEXT NOT NULL, desks TEXT NOT NULL, making_since REAL,
          first_seen REAL NOT NULL, last_seen REAL NOT NULL,
          PRIMARY KEY (issuer, subject)
        ) WITHOUT ROWID""",
        "CREATE INDEX accounts_by_email ON accounts (email)",
        "CREATE INDEX accounts_by_id ON accounts (account_id) WHERE account_id <> ''",
        """CREATE TABLE links (
          email TEXT PRIMARY KEY, account_id TEXT NOT NULL, at REAL NOT NULL, made_by TEXT NOT NULL
        ) WITHOUT ROWID""",
        """CREATE TABLE memberships (
          issuer TEXT NOT NULL, subject TEXT NOT NULL, account_id TEXT NOT NULL, organization_id TEXT NOT NULL,
          organization TEXT NOT NULL, at REAL NOT NULL,
          PRIMARY KEY (issuer, subject, account_id, organization_id)
        ) WITHOUT ROWID""",
        """CREATE TABLE writes (
          issuer TEXT NOT NULL, subject TEXT NOT NULL, provider TEXT NOT NULL, email TEXT NOT NULL, content TEXT NOT NULL,
          version INTEGER NOT NULL DEFAULT 1, created REAL NOT NULL, due REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
          reason TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT '',
          lease_owner TEXT NOT NULL DEFAULT '', lease_until REAL NOT NULL DEFAULT 0,
          PRIMARY KEY (issuer, subject)
        )""",
        "CREATE INDEX writes_by_due ON writes (due)",
        "CREATE INDEX writes_by_email ON writes (email)",
        "CREATE TABLE pauses (name TEXT PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID",
        "CREATE TABLE bars (key TEXT PRIMARY KEY, email TEXT NOT NULL, at REAL NOT NULL) WITHOUT ROWID",
        """CREATE TABLE records (
          kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, expires REAL NOT NULL, owner TEXT NOT NULL,
          PRIMARY KEY (kind, key)
        )""",
        "CREATE INDEX records_by_expiry ON records (expires)",
        "CREATE INDEX records_by_owner ON records (owner) WHERE owner <> ''",
        """CREATE TABLE leases (
          kind TEXT NOT NULL, key TEXT NOT NULL, owner TEXT NOT NULL, until REAL NOT NULL,
          PRIMARY KEY (kind, key)
        ) WITHOUT ROWID""",
    ),
)

TABLES = (
    "used_logins", "endings", "logout_tokens", "accounts", "links", "memberships", "writes", "pauses", "bars", "records", "leases",
)  # fmt: skip


def version_of(connection: sqlite3.Connection) -> int:
    """What the release that made or changed the file asks of those that use it; 0 for a new file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def tables_of(connection: sqlite3.Connection) -> set[str]:
    """The names of the tables that are there."""
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to this release's tables, under SQLite's write lock: of workers that come at once one does it."""
    if _steps_done(connection) >= len(_STEPS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        done = _steps_done(connection)
        connection.execute("CREATE TABLE IF NOT EXISTS migrations (step INTEGER PRIMARY KEY, at REAL NOT NULL)")
        for number, statements in enumerate(_STEPS[done:], done + 1):
            for statement in statements:
                connection.execute(statement)
            connection.execute("INSERT INTO migrations (step, at) VALUES (?, ?)", (number, time.time()))
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _steps_done(connection: sqlite3.Connection) -> int:
    if "migrations" not in tables_of(connection):
        return 0
    return int(connection.execute("SELECT coalesce(max(step), 0) FROM migrations").fetchone()[0])
