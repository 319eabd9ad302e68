"""What is kept about whom, what is kept no longer, and the file's own state."""

from __future__ import annotations

import json
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

from jsmsso.store.records import Inspection
from jsmsso.store.sqlite_file import SqliteFile, is_damage, not_there, unavailable
from jsmsso.store.sqlite_schema import TABLES, VERSION, tables_of, version_of

BATCH = 500  # rows deleted in one transaction, so that a login waits for milliseconds at most

_PEOPLE = "SELECT issuer, subject FROM accounts WHERE email = :email UNION SELECT issuer, subject FROM writes WHERE email = :email"

# Of each table: the columns to show (of a record's value its size, since it is sealed), and which rows are of a person.
_ABOUT = {
    "accounts": ("*", "email = :email"),
    "links": ("email, account_id, at, made_by AS by", "email = :email"),
    "memberships": ("*", f"(issuer, subject) IN ({_PEOPLE})"),
    "writes": ("*", f"(issuer, subject) IN ({_PEOPLE})"),
    "records": ("kind, key, expires, length(value) AS bytes", "owner = :email"),
    "bars": ("*", "email = :email"),
    "endings": (
        "kind, issuer, value, at, expires",
        f"kind = 'email' AND value = :email OR kind = 'sub' AND (issuer, value) IN ({_PEOPLE})",
    ),
}
_FORGOTTEN = ("memberships", "records", "links", "writes", "accounts")  # the last two say which people are meant: they go last

_EXPIRED = {
    "used_logins": ("state_hash", "expires < :now"),
    "endings": ("number", "expires < :now"),
    "logout_tokens": ("jti_hash", "expires < :now"),
    "records": ("kind, key", "expires < :now"),
    "leases": ("kind, key", "until < :now"),
    "pauses": ("name", "until < :now"),
    "writes": ("issuer, subject", "created < :queue_before AND lease_until < :now"),
    "accounts": ("issuer, subject", "last_seen < :accounts_before"),
    # After the accounts, which they belong to. A link or membership may be there before the account is.
    "memberships": (
        "issuer, subject, account_id, organization_id",
        "at < :accounts_before AND (issuer, subject) NOT IN (SELECT issuer, subject FROM accounts)",
    ),
    "links": ("email", "at < :accounts_before AND email NOT IN (SELECT email FROM accounts)"),
}


class SqliteUpkeep(SqliteFile):
    """A part of :class:`SqliteStore`; see there for what each does."""

    def about(self, email: str) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        with self._transaction() as connection:
            for table, (columns, condition) in _ABOUT.items():
                cursor = connection.execute(f"SELECT {columns} FROM {table} WHERE {condition}", {"email": email})
                names = [column[0] for column in cursor.description]
                found[table] = [dict(zip(names, row, strict=True)) for row in cursor]
        for account in found["accounts"]:
            account["desks"] = json.loads(account["desks"])
        return found

    def forget(self, email: str) -> dict[str, int]:
        with self._transaction() as connection:
            return {table: _delete(connection, table, email) for table in _FORGOTTEN}

    def clean(self, *, now: float, accounts_before: float, queue_before: float) -> dict[str, int]:
        values = {"now": now, "accounts_before": accounts_before, "queue_before": queue_before, "batch": BATCH}
        return {table: self._clean(table, *_EXPIRED[table], values) for table in _EXPIRED}

    def _clean(self, table: str, key: str, condition: str, values: dict[str, float]) -> int:
        sql = f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {condition} LIMIT :batch)"
        deleted = 0
        while True:
            with self._transaction() as connection:
                batch = connection.execute(sql, values).rowcount
            deleted += batch
            if batch < BATCH:
                return deleted

    def inspect(self) -> Inspection:
        return inspect_file(self._path)


def _delete(connection: sqlite3.Connection, table: str, email: str) -> int:
    return connection.execute(f"DELETE FROM {table} WHERE {_ABOUT[table][1]}", {"email": email}).rowcount


def inspect_file(path: Path) -> Inspection:
    """The state of a store's file, which is only read. Raises :class:`StoreUnavailable` when that is not possible.

    Damage is a problem and no failure, also where SQLite gives up on the file.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            version, rows, damage = _read(connection)
        files = [part for part in _parts(path) if part.exists()]
        size = sum(part.stat().st_size for part in files)
        open_to_others = [str(part) for part in files if part.stat().st_mode & 0o077]
        if path.parent.stat().st_mode & 0o022:
            open_to_others.append(str(path.parent))
    except FileNotFoundError:
        raise not_there(path) from None
    except (OSError, sqlite3.Error) as error:
        raise unavailable(path, error) from error
    problems = []
    if damage:
        problems.append(f"damaged ({'; '.join(damage)}): put a backup in its place, as docs/store.md says, or name another store")
    if version > VERSION:
        problems.append(f"made by a newer jsmsso (version {version}; this one knows {VERSION})")
    if open_to_others:
        problems.append(f"others on this machine can read or change {' and '.join(open_to_others)}")
    return Inspection(
        kind="sqlite", place=str(path), version=version, rows=rows, facts={"bytes": size, "mode": f"{mode:04o}"}, problems=tuple(problems)
    )


def _read(connection: sqlite3.Connection) -> tuple[int, dict[str, int], list[str]]:
    """The version, how many rows can be read of each table, and a sentence for each damage."""
    version, rows, damage = 0, {}, list[str]()
    try:
        version = version_of(connection)
        damage = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(10)") if row[0] != "ok"]
        for name in tables_of(connection).intersection(TABLES):
            rows[name] = int(connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0])
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        damage = [*damage, str(error)]
    return version, {name: rows[name] for name in TABLES if name in rows}, list(dict.fromkeys(damage))


def _parts(path: Path) -> tuple[Path, Path, Path]:
    return path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")
