"""Which organizations a customer belongs into: by claim, by email domain, and those that everybody is in."""

from __future__ import annotations

from jsmsso.identity.conditions import compiled
from jsmsso.identity.customer import Customer
from jsmsso.profile.model import Customers

LONGEST = 255  # characters of a name, more than JSM takes; a longer value is no organization's name
MOST = 100  # organizations of one customer


def wanted_organizations(customer: Customer, settings: Customers) -> tuple[str, ...]:
    """The names, each once, in the order claim, domain, always; at most 100.

    With ``organizations_transform`` a claim's value becomes what the first expression that fits it whole makes of
    it, and a value that none fits is left out.
    """
    domain = customer.email.rpartition("@")[2]
    of_domain = settings.organizations_by_domain.get(domain, ())
    names = (*(_transformed(value, settings) for value in customer.organizations), *of_domain, *settings.organizations_always)
    tidy = (name.strip() for name in names if name.isprintable())
    return tuple(dict.fromkeys(name for name in tidy if name and len(name) <= LONGEST))[:MOST]


def _transformed(value: str, settings: Customers) -> str:
    if not settings.organizations_transform:
        return value
    if len(value) > LONGEST:
        return ""
    for one in settings.organizations_transform:
        found = compiled(one.matches)(value if value.isascii() else value.encode("utf-8", "replace").decode())
        if found is not None:
            return str(found.expand(one.to))
    return ""
