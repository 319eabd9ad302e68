"""What the commands about people stand on: the profile, the store and the audit trail that ``serve`` uses, and the way to JSM."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jsmsso.cli.asking import confirm
from jsmsso.errors import NotReady, UsageError
from jsmsso.identity.email_address import NotAnEmailAddress, fold_email
from jsmsso.jsm.calm import Calm
from jsmsso.jsm.client import PLAIN, Patience
from jsmsso.jsm.connection import clients_of, recognize_within, usable_token
from jsmsso.jsm.customers.recording import Connection
from jsmsso.profile.locating import locate_profile
from jsmsso.profile.model import Customers, Profile
from jsmsso.profile.outgoing import ca_bundle, http_client
from jsmsso.profile.reading import read_profile
from jsmsso.profile.secrets import read_secret
from jsmsso.store.audit import Audit, audit_folder
from jsmsso.store.interface import Store
from jsmsso.store.opening import open_store
from jsmsso.store.records import Account, Bar

AUDIT_LOST = "the audit trail in {folder} took no line of this: look at the disk, and whether the folder is ours to write"


@dataclass(frozen=True, slots=True)
class Books:
    """Of one profile, while ``serve`` runs or not."""

    profile: Profile
    path: Path
    store: Store
    audit: Audit

    @property
    def customers(self) -> Customers:
        """What the profile asks to write to JSM: nothing where it names no site."""
        return self.profile.jsm.customers if self.profile.jsm is not None else Customers()

    def connect(self, patience: Patience = PLAIN, calm: Calm | None = None) -> Connection:
        """The site as the service account sees it. Raises :class:`NotReady` without one, :class:`SecretUnavailable` and JSM's errors."""
        jsm = self.profile.jsm
        if jsm is None:
            raise NotReady("the profile names no JSM site", "Run: jsmsso jsm connect")
        base = self.path.parent
        token = usable_token(read_secret(jsm.api_token, base=base), jsm.api_token)
        admin = jsm.admin_api_token if jsm.customers.create else None
        admin_token = usable_token(read_secret(admin, base=base), admin) if admin else ""
        client, creating = clients_of(jsm, token, admin_token, http_client(self.profile, self.path), patience=patience, calm=calm)
        return Connection(client, creating, recognize_within(client))

    def note(self, event: str, *, email: str = "", **fields: object) -> tuple[str, ...]:
        """Write to the audit trail what an operator did; a warning where that failed."""
        kept = self.audit.write(event, email=email, by="operator", **fields)
        return () if kept else (AUDIT_LOST.format(folder=self.audit.folder),)


def open_books(profile: str) -> Books:
    """Of the profile that the option names. Raises what reading it raises, and :class:`StoreUnavailable`."""
    path = locate_profile(profile)
    read = read_profile(path)
    folder = audit_folder(read.log.audit_folder, read.store.url if read.store else None, path.parent)
    return Books(read, path, _store(read, path), Audit(folder))


def people_of(store: Store, email: str) -> list[Account]:
    """Everybody with a folded address: those remembered, and those whose first write to JSM still waits."""
    accounts = store.accounts_of_email(email)
    known = {(one.issuer, one.subject) for one in accounts}
    waiting = ((row["issuer"], row["subject"]) for row in store.about(email)["writes"])
    writes = [store.write_of(*person) for person in waiting if person not in known]
    new = (
        Account(one.issuer, one.subject, one.provider, one.email, "", first_seen=one.created, last_seen=one.created)
        for one in writes
        if one is not None
    )
    return [*accounts, *new]


def bars_of(store: Store, email: str) -> list[Bar]:
    """What keeps an address or somebody known by it out, also under an address that they had before."""
    keys = {f"email:{email}", *(f"sub:{one.issuer} {one.subject}" for one in people_of(store, email))}
    return [bar for bar in store.barred() if bar.email == email or bar.key in keys]


def folded(email: str) -> str:
    """The address as the store has it. Raises :class:`UsageError`."""
    try:
        return fold_email(email.strip())
    except NotAnEmailAddress as error:
        raise UsageError(f"EMAIL is no address: {error}") from None


def asked(question: str) -> bool:
    """Whether the person says yes. Without a terminal nothing can be asked: raises :class:`UsageError`."""
    if not sys.stdin.isatty():
        raise UsageError("--yes is missing", "Without a terminal nothing can be asked, and this is not done unasked.")
    return confirm(question, default=False)


def now() -> float:
    """Seconds since the epoch."""
    return time.time()


def moment(seconds: float) -> str:
    """A time as a person reads it: ``2026-11-23 18:09 UTC``."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _store(profile: Profile, path: Path) -> Store:
    store = profile.store
    if store is None:
        return open_store(None)
    password = read_secret(store.password, base=path.parent) if store.password else None
    return open_store(store, password=password, namespace=profile.public_url, ca_bundle=ca_bundle(profile, path))
