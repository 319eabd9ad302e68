"""What a row asks to write to JSM, under the profile's settings."""

from __future__ import annotations

import hashlib
import json

from jsmsso.cli.bulk_load.rows import Row
from jsmsso.cli.people.opening import Books
from jsmsso.identity.customer import Customer
from jsmsso.jsm.customers.organization_names import MOST, wanted_organizations
from jsmsso.jsm.customers.standing import BY_ADDRESS, by_address
from jsmsso.jsm.customers.wanted import Wanted

KIND = "bulk"
MARK_SECONDS = 7 * 86400  # how long a row that is done is passed over when the file is loaded again


class Wanting:
    """Of one profile and store."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._site = books.profile.jsm.url if books.profile.jsm is not None else ""
        self._desks = {portal.key: portal.service_desk for portal in books.profile.portals if not portal.gone}
        # Who may open a portal with rules of its own, an address alone does not tell; and being on its desk opens one to `jira`.
        self._usual = tuple(
            portal.service_desk
            for portal in books.profile.portals
            if not portal.gone and portal.access is None and portal.visibility in ("default", "public")
        )

    def of(self, row: Row) -> Wanted:
        """For whoever logged in with the address last; for the address alone where nobody did."""
        settings = self._books.customers
        people = [one for one in self._books.store.accounts_of_email(row.email) if one.issuer != BY_ADDRESS and one.account_id]
        person = max(people, key=lambda one: one.last_seen, default=None)
        issuer, subject = (person.issuer, person.subject) if person is not None else by_address(row.email)
        desks = (tuple(self._desks[key] for key in row.portals) or self._usual) if settings.add_to_service_desk else ()
        return Wanted(
            issuer,
            subject,
            person.provider if person is not None else "",
            row.email,
            row.display_name,
            desks=tuple(dict.fromkeys(desks)),
            organizations=None if settings.organizations == "off" else self._organizations(row),
            # What a person's logins told of their organizations, a file does not take away.
            organizations_complete=person is None and row.organizations is not None,
        )

    def mark(self, row: Row, wanted: Wanted) -> bytes:
        """Another one as soon as the row, the site or the settings ask for something else."""
        told = [self._site, wanted.email, wanted.display_name, wanted.desks, wanted.organizations, row.organizations is not None]
        return hashlib.sha256(json.dumps(told).encode()).digest()

    def _organizations(self, row: Row) -> tuple[str, ...]:
        """Those of the row by name, and those that the profile gives to the domain and to everybody."""
        customer = Customer("", "", "", row.email, "", "", row.display_name)
        return tuple(dict.fromkeys((*(row.organizations or ()), *wanted_organizations(customer, self._books.customers))))[:MOST]
