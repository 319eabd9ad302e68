"""Records that expire, leases on them, and who may not log in, in SQLite."""

from __future__ import annotations

from jsmsso.store.records import Bar
from jsmsso.store.sqlite_file import SqliteFile


class SqliteRecords(SqliteFile):
    """A part of :class:`SqliteStore`; see there for what each does."""

    def bar(self, key: str, *, email: str, at: float) -> None:
        self._change("INSERT OR REPLACE INTO bars (key, email, at) VALUES (?, ?, ?)", key, email, at)

    def unbar(self, email: str) -> int:
        return self._change("DELETE FROM bars WHERE email = ?", email)

    def is_barred(self, *keys: str) -> bool:
        return bool(keys) and bool(self._rows(f"SELECT 1 FROM bars WHERE key IN ({', '.join('?' * len(keys))}) LIMIT 1", *keys))

    def barred(self) -> list[Bar]:
        return [Bar(*row) for row in self._rows("SELECT key, email, at FROM bars ORDER BY at, key")]

    def put(self, kind: str, key: str, value: bytes, *, expires: float, owner: str = "") -> None:
        self._change(
            "INSERT INTO records (kind, key, value, expires, owner) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value, expires = excluded.expires, owner = excluded.owner",
            kind, key, value, expires, owner,
        )  # fmt: skip

    def get(self, kind: str, key: str, *, now: float) -> bytes | None:
        rows = self._rows("SELECT value FROM records WHERE kind = ? AND key = ? AND expires >= ?", kind, key, now)
        return bytes(rows[0][0]) if rows else None

    def delete(self, kind: str, key: str) -> bool:
        return self._change("DELETE FROM records WHERE kind = ? AND key = ?", kind, key) == 1

    def replace(self, kind: str, key: str, old: bytes, new: bytes, *, expires: float) -> bool:
        sql = "UPDATE records SET value = ?, expires = ? WHERE kind = ? AND key = ? AND value = ?"
        return self._change(sql, new, expires, kind, key, old) == 1

    def lease(self, kind: str, key: str, owner: str, *, now: float, until: float) -> bool:
        changed = self._change(
            "INSERT INTO leases (kind, key, owner, until) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (kind, key) DO UPDATE SET owner = excluded.owner, until = excluded.until"
            " WHERE leases.until < ? OR leases.owner = excluded.owner",
            kind, key, owner, until, now,
        )  # fmt: skip
        return changed == 1

    def free(self, kind: str, key: str, owner: str) -> None:
        self._change("DELETE FROM leases WHERE kind = ? AND key = ? AND owner = ?", kind, key, owner)

    def count(self, kind: str, *, now: float) -> int:
        return int(self._rows("SELECT count(*) FROM records WHERE kind = ? AND expires >= ?", kind, now)[0][0])
