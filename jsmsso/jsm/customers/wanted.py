"""What a login asks JSM to know of a person, in a form that can wait in the store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from jsmsso.identity.customer import Customer
from jsmsso.jsm.customers.organization_names import wanted_organizations
from jsmsso.profile.model import Customers


@dataclass(frozen=True, slots=True)
class Wanted:
    """A person as their last login described them. ``desks`` are service desk ids, ``organizations`` names.

    ``organizations`` is None where nothing is to be done about them: it is off, or nobody told which they are.
    """

    issuer: str
    subject: str
    provider: str
    email: str
    display_name: str
    desks: tuple[str, ...] = ()
    organizations: tuple[str, ...] | None = None
    organizations_complete: bool = True
    """Whether these are all of them: only then may a membership that is not named be taken away."""

    def as_content(self) -> str:
        """The text that waits in the store."""
        return json.dumps(asdict(self), separators=(",", ":"), ensure_ascii=False)

    def with_desks(self, desks: Iterable[str]) -> Wanted:
        """The same with these desks too."""
        return replace(self, desks=tuple(dict.fromkeys((*self.desks, *desks))))

    def fingerprint(self, account_id: str) -> str:
        """Changes with everything that was written, save the desks: those are remembered one by one."""
        told = [account_id, self.email, None if self.organizations is None else sorted(self.organizations)]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:24]


def from_content(content: str) -> Wanted | None:
    """What :meth:`Wanted.as_content` wrote; None for a text of another version of ours."""
    try:
        read = json.loads(content)
        organizations = read.pop("organizations")
        return Wanted(**read | {"desks": tuple(read["desks"]), "organizations": None if organizations is None else tuple(organizations)})
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def of_customer(customer: Customer, settings: Customers, desk: str = "", *, organizations_known: bool = True) -> Wanted:
    """What the profile asks to write for a customer who wants to use the service desk ``desk``."""
    names = wanted_organizations(customer, settings) if settings.organizations != "off" and organizations_known else None
    return Wanted(
        customer.issuer,
        customer.subject,
        customer.provider,
        customer.email,
        customer.display_name or customer.email,
        desks=(desk,) if desk and settings.add_to_service_desk else (),
        organizations=names,
        organizations_complete=customer.organizations_complete,
    )
