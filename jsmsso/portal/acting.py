"""Who asks, and for what: a customer at a portal, or a stranger at one that anybody may look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from werkzeug.datastructures import FileStorage

from jsmsso.identity.customer import Customer
from jsmsso.jsm.customers.recording import Connection
from jsmsso.profile.model import Portal
from jsmsso.runtime.replies import Header
from jsmsso.runtime.sessions import Session
from jsmsso.runtime.visit import Visit

PAGE_SECONDS = 3.0  # what JSM may take of a page; then comes what is known, or a page that says so


@dataclass(frozen=True, slots=True)
class Form:
    """What a form of ours sent: each field's values, and the files chosen."""

    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Sequence[tuple[str, FileStorage]] = ()

    def one(self, name: str) -> str:
        """The first value of a field; empty where it is not there."""
        values = self.values.get(name)
        return values[0] if values else ""

    @property
    def size(self) -> int:
        """Bytes of all files, as they came."""
        return sum(getattr(file.stream, "sent", 0) for _, file in self.files)

    def close(self) -> None:
        """Let go of the files."""
        for _, file in self.files:
            file.close()


@dataclass(frozen=True, slots=True)
class Acting:
    """One request of a signed-in customer whom the rules let in."""

    visit: Visit
    session: Session
    portal: Portal
    account_id: str
    """Who they are in JSM."""
    to: Connection
    """JSM as the service account sees it, which is far more than the customer may see; good for this page's seconds."""
    names: Mapping[str, str] = field(default_factory=dict)
    """The named parts of the address."""
    form: Form = field(default_factory=Form)
    cookies: tuple[Header, ...] = ()
    """To be sent with the answer: the renewed session."""

    @property
    def customer(self) -> Customer:
        return self.session.customer

    @property
    def who(self) -> str:
        """Whose threads and transfers these are, in all of a customer's browsers."""
        return who(self.session)


def who(session: Session) -> str:
    """A customer's name in :class:`Crowding`."""
    return f"{session.customer.issuer} {session.customer.subject}"


@dataclass(frozen=True, slots=True)
class Stranger:
    """One request of whoever it may be, for a page of a public portal. They have no account, and JSM is not asked for one."""

    visit: Visit
    portal: Portal
    path: str
    """The page's own address, without its query."""
    names: Mapping[str, str] = field(default_factory=dict)
