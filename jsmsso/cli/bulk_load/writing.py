"""One row written to JSM as a login would write it, and remembered as done."""

from __future__ import annotations

from jsmsso.cli.bulk_load.rows import Done, Row, RowFailed
from jsmsso.cli.bulk_load.wanting import KIND, MARK_SECONDS, Wanting
from jsmsso.cli.people.opening import Books, now
from jsmsso.errors import CustomerRefused
from jsmsso.jsm.customers.recording import Connection, Recorder
from jsmsso.jsm.customers.standing import standing_of

BY = "customers sync"  # who did it, in the audit trail


class Writer:
    """Called by several threads. Raises what :meth:`Recorder.record` raises, and :class:`RowFailed`."""

    def __init__(self, books: Books, to: Connection) -> None:
        self._books = books
        self._to = to
        self._wanting = Wanting(books)
        self._recorder = Recorder(books.customers, books.store, now, self._say)
        self._created: set[str] = set()
        self._missing: dict[str, list[str]] = {}

    def __call__(self, row: Row) -> Done:
        store, email = self._books.store, row.email
        wanted = self._wanting.of(row)
        mark = self._wanting.mark(row, wanted)
        if store.get(KIND, email, now=now()) == mark:
            return Done(row, before=True)
        refuse_barred(self._books, email)
        account = self._recorder.record(wanted, standing_of(store, wanted, ()), self._to)
        if account is None:
            raise without_account(email)
        if missing := self._missing.pop(email, None):
            raise without_organizations(missing)
        store.put(KIND, email, mark, expires=now() + MARK_SECONDS, owner=email)
        return Done(row, account.account_id, created=email in self._created)

    def _say(self, event: str, **fields: object) -> None:
        email = str(fields.pop("email", ""))
        if event == "customer.organization_missing":
            self._missing.setdefault(email, []).append(str(fields["organization"]))
            return
        if event == "customer.created":
            self._created.add(email)
        self._books.audit.write(event, email=email, by=BY, **fields)


def refuse_barred(books: Books, email: str) -> None:
    """Raise :class:`CustomerRefused` for an address that was revoked."""
    if books.store.is_barred(f"email:{email}"):
        hint = f"Leave the row out, or let them in again with: jsmsso customers restore {email}"
        raise CustomerRefused("customer_barred", f"{email} was revoked by an operator", hint, email=email)


def without_account(email: str) -> RowFailed:
    """JSM has none, and none is made."""
    return RowFailed("account_missing", f"JSM has no account for {email}", "Set jsm.customers.create.")


def without_organizations(names: list[str]) -> RowFailed:
    """JSM does not have them, and they are not made; the rest of the row was done."""
    return RowFailed(
        "organization_missing",
        f"JSM has no organization {' and no '.join(repr(name) for name in names)}",
        "Make it in JSM, or set jsm.customers.create_organizations.",
    )
