"""One row looked at: what writing it would change, found out without changing anything."""

from __future__ import annotations

from jsmsso.cli.bulk_load.rows import Done, Row
from jsmsso.cli.bulk_load.wanting import KIND, Wanting
from jsmsso.cli.bulk_load.writing import refuse_barred, without_account, without_organizations
from jsmsso.cli.people.opening import Books, now
from jsmsso.jsm import organizations, users
from jsmsso.jsm.customers.looking import look
from jsmsso.jsm.customers.organization_ids import OrganizationIds
from jsmsso.jsm.customers.recording import Connection
from jsmsso.jsm.customers.standing import standing_of
from jsmsso.jsm.customers.wanted import Wanted
from jsmsso.store.records import Account


class Planner:
    """Called by several threads. Raises as the writer does."""

    def __init__(self, books: Books, to: Connection) -> None:
        self._books = books
        self._to = to
        self._wanting = Wanting(books)
        self._ids = OrganizationIds(now)

    def __call__(self, row: Row) -> Done:
        store, settings = self._books.store, self._books.customers
        wanted = self._wanting.of(row)
        if store.get(KIND, row.email, now=now()) == self._wanting.mark(row, wanted):
            return Done(row, before=True)
        refuse_barred(self._books, row.email)
        standing = standing_of(store, wanted, ())
        taken = look(wanted, standing, settings, self._to)
        if taken.why == "none":
            raise without_account(row.email)
        ids = {name: self._ids.of(name, self._to.client) for name in wanted.organizations or ()}
        new = tuple(name for name, id_ in ids.items() if id_ is None)
        if new and not settings.create_organizations:
            raise without_organizations(list(new))
        there = {id_: name for name, id_ in ids.items() if id_ is not None}
        if not taken.account_id:
            return Done(row, created=True, desks=wanted.desks, joins=(*there.values(), *new), new=new)
        return Done(
            row,
            taken.account_id,
            desks=self._desks(wanted, taken.account_id, standing.account),
            joins=(*self._joins(there, taken.account_id), *new),
            leaves=self._leaves(wanted, there),
            new=new,
        )

    def _desks(self, wanted: Wanted, account_id: str, known: Account | None) -> tuple[str, ...]:
        """Those that the account is not on. A Data Center does not tell, and counts as not on it."""
        on = known.desks if known is not None and known.account_id == account_id else ()
        client, site = self._to.client, self._to.site
        missing = (desk for desk in wanted.desks if desk not in on)
        return tuple(desk for desk in missing if not users.is_customer_of_desk(client, site, desk, account_id, wanted.email))

    def _joins(self, there: dict[str, str], account_id: str) -> tuple[str, ...]:
        if not there:
            return ()
        is_in = organizations.organizations_among(self._to.client, self._to.site, there, account_id)
        return tuple(name for id_, name in there.items() if id_ not in is_in)

    def _leaves(self, wanted: Wanted, there: dict[str, str]) -> tuple[str, ...]:
        if self._books.customers.organizations != "sync" or not wanted.organizations_complete:
            return ()
        ours = self._books.store.memberships(wanted.issuer, wanted.subject)
        return tuple(
            one.organization for one in ours if one.organization_id not in there and one.organization not in (wanted.organizations or ())
        )
