"""Accounts, links and memberships in SQLite."""

from __future__ import annotations

import json
from typing import Any

from jsmsso.store.records import Account, AccountTaken, Link, Membership
from jsmsso.store.sqlite_file import SqliteFile

_ACCOUNT = "issuer, subject, provider, email, account_id, display_name, fingerprint, desks, making_since, first_seen, last_seen"
_MEMBERSHIP = "issuer, subject, account_id, organization_id, organization, at"


class SqliteAccounts(SqliteFile):
    """A part of :class:`SqliteStore`; see there for what each does."""

    def account(self, issuer: str, subject: str) -> Account | None:
        rows = self._rows(f"SELECT {_ACCOUNT} FROM accounts WHERE issuer = ? AND subject = ?", issuer, subject)
        return _account(rows[0]) if rows else None

    def accounts_of_email(self, email: str) -> list[Account]:
        return [_account(row) for row in self._rows(f"SELECT {_ACCOUNT} FROM accounts WHERE email = ? ORDER BY issuer, subject", email)]

    def accounts_of_id(self, account_id: str) -> list[Account]:
        sql = f"SELECT {_ACCOUNT} FROM accounts WHERE account_id = ? AND account_id <> '' ORDER BY issuer, subject"
        return [_account(row) for row in self._rows(sql, account_id)]

    def remember(self, account: Account, *, allow_shared: bool = False) -> None:
        with self._transaction() as connection:
            if account.account_id and not allow_shared:
                holder = connection.execute(
                    "SELECT issuer, subject FROM accounts WHERE account_id = ? AND account_id <> ''"
                    " AND NOT (issuer = ? AND (subject = ? OR email = ?))",
                    (account.account_id, account.issuer, account.subject, account.email),
                ).fetchone()
                if holder is not None:
                    raise AccountTaken(account.account_id, (holder[0], holder[1]))
            connection.execute(
                f"INSERT OR REPLACE INTO accounts ({_ACCOUNT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    account.issuer, account.subject, account.provider, account.email, account.account_id, account.display_name,
                    account.fingerprint, json.dumps(account.desks), account.making_since, account.first_seen, account.last_seen,
                ),
            )  # fmt: skip

    def see(self, issuer: str, subject: str, now: float) -> None:
        self._change("UPDATE accounts SET last_seen = ? WHERE issuer = ? AND subject = ?", now, issuer, subject)

    def link(self, link: Link) -> None:
        self._change("INSERT OR REPLACE INTO links (email, account_id, at, made_by) VALUES (?, ?, ?, ?)", *_of_link(link))

    def linked(self, email: str) -> Link | None:
        rows = self._rows("SELECT email, account_id, at, made_by FROM links WHERE email = ?", email)
        return Link(*rows[0]) if rows else None

    def unlink(self, email: str) -> bool:
        return self._change("DELETE FROM links WHERE email = ?", email) == 1

    def memberships(self, issuer: str, subject: str) -> list[Membership]:
        sql = f"SELECT {_MEMBERSHIP} FROM memberships WHERE issuer = ? AND subject = ? ORDER BY at, account_id, organization_id"
        return [Membership(*row) for row in self._rows(sql, issuer, subject)]

    def add_membership(self, membership: Membership) -> None:
        one = membership
        self._change(
            f"INSERT OR REPLACE INTO memberships ({_MEMBERSHIP}) VALUES (?, ?, ?, ?, ?, ?)",
            one.issuer, one.subject, one.account_id, one.organization_id, one.organization, one.at,
        )  # fmt: skip

    def remove_membership(self, membership: Membership) -> None:
        one = membership
        self._change(
            "DELETE FROM memberships WHERE issuer = ? AND subject = ? AND account_id = ? AND organization_id = ?",
            one.issuer, one.subject, one.account_id, one.organization_id,
        )  # fmt: skip


def _account(row: Any) -> Account:
    issuer, subject, provider, email, account_id, display_name, fingerprint, desks, making_since, first_seen, last_seen = row
    return Account(
        issuer, subject, provider, email, account_id, display_name, fingerprint, tuple(json.loads(desks)), making_since,
        first_seen=first_seen, last_seen=last_seen,
    )  # fmt: skip


def _of_link(link: Link) -> tuple[str, str, float, str]:
    return link.email, link.account_id, link.at, link.by
