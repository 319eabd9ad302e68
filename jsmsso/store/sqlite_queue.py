"""Writes that wait for JSM, and pauses, in SQLite."""

from __future__ import annotations

from jsmsso.store.records import Write, WriteCount
from jsmsso.store.sqlite_file import SqliteFile

_WRITE = "issuer, subject, provider, email, content, version, created, due, attempts, reason, error, lease_owner, lease_until"


class SqliteQueue(SqliteFile):
    """A part of :class:`SqliteStore`; see there for what each does."""

    def put_write(self, issuer: str, subject: str, provider: str, email: str, content: str, *, now: float, due: float) -> None:
        self._change(
            "INSERT INTO writes (issuer, subject, provider, email, content, created, due) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (issuer, subject) DO UPDATE SET provider = excluded.provider, email = excluded.email,"
            " content = excluded.content, due = excluded.due, version = version + 1",
            issuer, subject, provider, email, content, now, due,
        )  # fmt: skip

    def write_of(self, issuer: str, subject: str) -> Write | None:
        rows = self._rows(f"SELECT {_WRITE} FROM writes WHERE issuer = ? AND subject = ?", issuer, subject)
        return Write(*rows[0]) if rows else None

    def lease_write(self, owner: str, *, now: float, until: float) -> Write | None:
        free = "SELECT rowid FROM writes WHERE due <= ? AND lease_until < ? ORDER BY due, rowid LIMIT 1"
        if not self._rows(free, now, now):  # usually; a worker that asks in vain takes no write lock
            return None
        rows = self._changed(
            f"UPDATE writes SET lease_owner = ?, lease_until = ? WHERE rowid = ({free}) RETURNING {_WRITE}", owner, until, now, now
        )
        return Write(*rows[0]) if rows else None

    def lease_write_of(self, issuer: str, subject: str, owner: str, *, now: float, until: float) -> Write | None:
        rows = self._changed(
            "UPDATE writes SET lease_owner = ?, lease_until = ? WHERE issuer = ? AND subject = ?"
            f" AND (lease_until < ? OR lease_owner = ?) RETURNING {_WRITE}",
            owner, until, issuer, subject, now, owner,
        )  # fmt: skip
        return Write(*rows[0]) if rows else None

    def finish_write(self, write: Write) -> bool:
        held = write.issuer, write.subject, write.lease_owner
        with self._transaction() as connection:
            of = "WHERE issuer = ? AND subject = ? AND lease_owner = ?"
            if connection.execute(f"DELETE FROM writes {of} AND version = ?", (*held, write.version)).rowcount:
                return True
            connection.execute(f"UPDATE writes SET lease_owner = '', lease_until = 0 {of}", held)
            return False

    def postpone_write(self, write: Write, *, due: float, reason: str, error: str) -> None:
        self._change(
            "UPDATE writes SET attempts = attempts + 1, reason = ?, error = ?, lease_owner = '', lease_until = 0,"
            " due = CASE version WHEN ? THEN ? ELSE due END WHERE issuer = ? AND subject = ? AND lease_owner = ?",
            reason, error, write.version, due, write.issuer, write.subject, write.lease_owner,
        )  # fmt: skip

    def writes(self, *, failing_only: bool = False, limit: int = 1000) -> list[Write]:
        least = 1 if failing_only else 0
        sql = f"SELECT {_WRITE} FROM writes WHERE attempts >= ? ORDER BY created, issuer, subject LIMIT ?"
        return [Write(*row) for row in self._rows(sql, least, limit)]

    def count_writes(self) -> WriteCount:
        return WriteCount(*self._rows("SELECT count(*), count(CASE WHEN attempts > 0 THEN 1 END) FROM writes")[0])

    def pause(self, name: str, until: float) -> None:
        sql = "INSERT INTO pauses (name, until) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET until = max(until, excluded.until)"
        self._change(sql, name, until)

    def paused_until(self, name: str) -> float:
        rows = self._rows("SELECT until FROM pauses WHERE name = ?", name)
        return float(rows[0][0]) if rows else 0.0
