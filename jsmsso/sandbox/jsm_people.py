"""Who the local JSM knows: customers and Atlassian accounts, the organizations they are in, and who finds whom."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Kind = Literal["customer", "atlassian"]
"""Atlassian's words for the type of an account: ``customer`` has the portal alone, ``atlassian`` an account at Atlassian."""

Hidden = Literal["", "absent", "null", "empty"]
"""How an answer leaves out the address of a person who hides it; empty: it is shown.

``absent`` is what the examples of Atlassian's ``GET /rest/api/3/user/search`` show; its text says "may be returned as null",
and that of deleted accounts "is blank".
"""


@dataclass(frozen=True, slots=True)
class LocalPerson:
    """Somebody with an account. ``id`` is the account id on Cloud and the user name on Data Center.

    ``known_from`` is the moment (:func:`time.monotonic`) from which other calls than the one that created it know it.
    """

    id: str
    email: str
    display_name: str
    kind: Kind = "customer"
    active: bool = True
    hidden: Hidden = ""
    known_from: float = 0.0

    @property
    def key(self) -> str:
        """The user key that Data Center has beside the name."""
        return f"JIRAUSER{uuid.uuid5(uuid.NAMESPACE_URL, self.id).int % 90_000 + 10_000}"


@dataclass(frozen=True, slots=True)
class LocalOrganization:
    """An organization; ``members`` holds the ids of people."""

    id: str
    name: str
    members: set[str] = field(default_factory=set)


class People:
    """All accounts of a site, by id. Whoever uses it from several threads holds the site's lock."""

    def __init__(self) -> None:
        self._by_id: dict[str, LocalPerson] = {}
        self._by_email: dict[str, list[str]] = {}
        self._texts: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[LocalPerson]:
        return iter(list(self._by_id.values()))

    def add(self, person: LocalPerson) -> LocalPerson:
        """Know this person; one with the same id is replaced."""
        self.remove(person.id)
        self._by_id[person.id] = person
        self._by_email.setdefault(person.email.lower(), []).append(person.id)
        shown = "" if person.hidden else person.email
        self._texts[person.id] = f"{person.display_name}\n{shown}".lower()
        return person

    def remove(self, person_id: str) -> None:
        """Forget this person, if there is one."""
        gone = self._by_id.pop(person_id, None)
        if gone is not None:
            self._texts.pop(person_id)
            self._by_email[gone.email.lower()].remove(person_id)

    def change(self, person_id: str, **changes: Any) -> LocalPerson:
        """Another email, name or setting for the person with this id."""
        return self.add(replace(self._by_id[person_id], **changes))

    def get(self, person_id: str) -> LocalPerson | None:
        """The person with this id, known to other calls or not."""
        return self._by_id.get(person_id)

    def known(self, person_id: str) -> LocalPerson | None:
        """The person with this id, unless the account was created a moment ago and is still on its way."""
        person = self._by_id.get(person_id)
        return person if person is not None and person.known_from <= time.monotonic() else None

    def with_email(self, email: str) -> list[LocalPerson]:
        """Everyone with this address, hidden or not: an Atlassian account and a portal-only one may share it."""
        return [self._by_id[person_id] for person_id in self._by_email.get(email.lower(), ())]

    def found(self, text: str, among: Iterable[str] | None = None, *, hidden_too: bool = False) -> list[LocalPerson]:
        """Those whose name or shown address has ``text`` in it, in the order in which they came, or of their ids in ``among``.

        With ``hidden_too`` an address that answers hide is looked at as well.
        """
        wanted, now, texts = text.lower(), time.monotonic(), self._texts
        ids = texts if among is None else sorted(person_id for person_id in among if person_id in texts)
        people = [
            self._by_id[person_id] for person_id in ids if wanted in texts[person_id] or (hidden_too and self._hides(person_id, wanted))
        ]
        return [person for person in people if person.known_from <= now]

    def _hides(self, person_id: str, wanted: str) -> bool:
        return wanted in self._by_id[person_id].email.lower()

    def settle(self) -> None:
        """Let every account be known to all calls from now on."""
        for person in self:
            if person.known_from:
                self.change(person.id, known_from=0.0)


def customer_id() -> str:
    """A new account id in the shape that Atlassian gives to portal-only customers."""
    return f"qm:{uuid.uuid4()}:{uuid.uuid4().hex[:23]}"


def atlassian_id() -> str:
    """A new account id in the shape that Atlassian accounts have."""
    return f"712020:{uuid.uuid4()}"
