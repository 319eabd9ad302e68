"""A customer at a portal: what every page behind the gate knows of who asks, and for what."""

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


@dataclass(frozen=True, slots=True)
class Form:
    """What a form of ours sent: each field's values, and the files chosen."""

    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Sequence[tuple[str, FileStorage]] = ()

    def one(self, name: str) -> str:
        """The first value of a field; empty where it is not there."""
        values = self.values.get(name)
        return values[0] if values else ""

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
