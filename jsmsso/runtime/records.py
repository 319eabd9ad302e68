"""The customer's record in JSM, at a login and at a portal: within seconds, or later from the store's queue."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from jsmsso.errors import AccountUnknown, CustomerRefused, JsmFailed, JsmRefused, JsmssoError, StoreUnavailable, TooBusy
from jsmsso.identity.customer import Customer
from jsmsso.jsm.customers.recording import Connection, Recorder, Say, known_to
from jsmsso.jsm.customers.standing import Standing
from jsmsso.jsm.customers.wanted import Wanted, from_content, of_customer
from jsmsso.profile.model import Customers, Portal
from jsmsso.runtime.places import Places
from jsmsso.store.interface import Store
from jsmsso.store.records import Write

LOGIN_SECONDS = 4.5  # what JSM may take of a login, waiting for a place included; the rest of five seconds is for everything else
ASKED_NEXT_SECONDS = 1.5  # of them are kept where the portal that the login leads to asks JSM whether it knows the customer
QUEUE_SECONDS = 30.0  # what one waiting write may take in the background
LOOK_SECONDS = 1.0  # between two looks into the queue
MAKING_SECONDS = 300.0  # how long JSM may not know a fresh account before that counts as a failure
MAKING_PAUSE = 5.0  # seconds until an account that JSM does not know yet is tried again
SHORT_PAUSE = 30.0  # the longest pause in a write's first hour
LONG_PAUSE = 300.0  # and after it
FIRST_HOUR = 3600.0
SEEN_SECONDS = 86_400.0  # how exactly the last visit is known: retention counts in days, and a login should not cost a write for it
MISSING_SECONDS = 300.0  # until a person without an account is looked for again
REMEMBERED = 20_000  # persons at desks that a worker remembers as done


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a record stands.

    ``settled``: JSM has everything. ``making``: JSM does not know the account yet, made at ``since`` (seconds since the epoch).
    ``waiting``: the write waits in the store. ``missing``: JSM has no account and none may be created.
    """

    kind: Literal["settled", "making", "waiting", "missing"]
    account_id: str = ""
    since: float = 0.0


SETTLED = Outcome("settled")


class Records:
    """One per worker.

    ``connect`` gives the site for so many seconds, and may raise JSM's errors; ``issuers`` are those of each provider.
    """

    def __init__(
        self,
        settings: Customers,
        store: Store,
        connect: Callable[[float], Connection],
        issuers: Mapping[str, Collection[str]],
        places: Places,
        *,
        now: Callable[[], float],
        say: Say,
    ) -> None:
        self._settings = settings
        self._store = store
        self._connect = connect
        self._issuers = issuers
        self._places = places
        self._now = now
        self._say = say
        self._recorder = Recorder(settings, store, now, say)
        self._owner = secrets.token_hex(8)
        self._done: dict[tuple[str, str, str], float] = {}
        self._stopped = threading.Event()

    @property
    def is_required(self) -> bool:
        """Whether nobody gets in without a record."""
        return self._settings.required

    def at_login(self, customer: Customer, portal: Portal | None, *, asked_next: bool = False) -> Outcome:
        """Bring the record up to date where something changed since the last time. Raises :class:`CustomerRefused`.

        ``asked_next``: where the login leads, JSM is asked for the customer again, within what is left of the same seconds.
        """
        seconds = LOGIN_SECONDS - ASKED_NEXT_SECONDS if asked_next else LOGIN_SECONDS
        return self._ensure(self._wanted(customer, portal, organizations_known=True), seconds)

    def at_portal(self, customer: Customer, portal: Portal) -> Outcome:
        """The same for a session that opens a portal: its service desk, and whether JSM knows the account by now."""
        key = (customer.issuer, customer.subject, portal.service_desk)
        if self._done.get(key, 0.0) > self._now():
            return SETTLED
        outcome = self._ensure(self._wanted(customer, portal, organizations_known=False), LOGIN_SECONDS)
        if outcome.kind in ("settled", "missing"):
            if len(self._done) >= REMEMBERED:
                self._done.clear()
            self._done[key] = float("inf") if outcome.kind == "settled" else self._now() + MISSING_SECONDS
        return outcome

    def account_id(self, customer: Customer, seconds: float) -> str:
        """The customer's account, found but never created; empty where there is none. Raises JSM's errors and :class:`CustomerRefused`.

        ``seconds``: what JSM may take for it, where the store does not know the account.
        """
        ends = time.monotonic() + seconds
        wanted = self._wanted(customer, None, organizations_known=False)
        standing = self._seen(known_to(self._store, wanted, self._issuers.get(wanted.provider, ()))[0])
        if standing.account_id:
            return standing.account_id
        with self._places.one("JSM", ends):
            return self._recorder.find(wanted, standing, self._connect(ends - time.monotonic()))

    def work(self) -> None:
        """Do what waits, until :meth:`stop`; for a thread of its own. At least once each, by one worker at a time."""
        while not self._stopped.wait(LOOK_SECONDS):
            try:
                while not self._stopped.is_set() and self.work_once():
                    pass
            except StoreUnavailable:
                continue  # whoever needs the store says so
            except Exception as error:  # the edge of this thread: the write stays leased for a minute, then another tries
                self._say("fault", reason=type(error).__name__, where="queue")

    def work_once(self) -> bool:
        """Do the most overdue write; False where none is due. Raises :class:`StoreUnavailable`."""
        now = self._now()
        write = self._store.lease_write(self._owner, now=now, until=now + 2 * QUEUE_SECONDS)
        if write is None:
            return False
        wanted = from_content(write.content)
        if wanted is None:
            self._store.finish_write(write)
            return True
        try:
            standing, _ = known_to(self._store, wanted, self._issuers.get(wanted.provider, ()))
            self._record(wanted, standing, write, QUEUE_SECONDS)
        except CustomerRefused as error:
            self._say("customer.refused", email=wanted.email, reason=error.reason, detail=error.message, hint=error.hint)
        return True

    def stop(self) -> None:
        """End :meth:`work`."""
        self._stopped.set()

    def _wanted(self, customer: Customer, portal: Portal | None, *, organizations_known: bool) -> Wanted:
        desk = portal.service_desk if portal is not None else ""
        return of_customer(customer, self._settings, desk, organizations_known=organizations_known)

    def _seen(self, standing: Standing) -> Standing:
        """The person is here, so that ``retention.accounts`` begins anew, to a day."""
        account, now = standing.account, self._now()
        if account is None or now < account.last_seen + SEEN_SECONDS:
            return standing
        with contextlib.suppress(StoreUnavailable):  # whoever needs the store says so
            self._store.see(account.issuer, account.subject, now)
        return replace(standing, account=replace(account, last_seen=now))

    def _ensure(self, wanted: Wanted, seconds: float) -> Outcome:
        ends = time.monotonic() + seconds
        standing, is_done = known_to(self._store, wanted, self._issuers.get(wanted.provider, ()))
        standing = self._seen(standing)
        if is_done:
            return Outcome("settled", standing.account_id)
        now = self._now()
        waiting = self._store.write_of(wanted.issuer, wanted.subject)
        if waiting is not None and (before := from_content(waiting.content)) is not None:
            wanted = _merged(before, wanted)
        account = standing.account
        if waiting is not None and waiting.content == wanted.as_content():
            if account is not None and account.making_since is not None:
                return Outcome("making", account.account_id, account.making_since)
            return self._waiting(wanted)
        self._store.put_write(
            wanted.issuer, wanted.subject, wanted.provider, wanted.email, wanted.as_content(), now=now, due=now + LOGIN_SECONDS
        )
        write = self._store.lease_write_of(wanted.issuer, wanted.subject, self._owner, now=now, until=now + 4 * LOGIN_SECONDS)
        if write is None:  # another worker writes for this person at this moment, and takes this along next
            return self._waiting(wanted)
        try:
            with self._places.one("JSM", ends):
                return self._record(wanted, standing, write, ends - time.monotonic())
        except TooBusy as error:
            self._later(write, wanted, error.code, error.message)
            return self._waiting(wanted)

    def _record(self, wanted: Wanted, standing: Standing, write: Write, seconds: float) -> Outcome:
        """Write one record now; what fails waits. Raises :class:`CustomerRefused`, after which nothing waits."""
        try:
            account = self._recorder.record(wanted, standing, self._connect(seconds))
        except CustomerRefused:
            self._store.finish_write(write)
            raise
        except AccountUnknown as error:
            return self._unknown(wanted, write, error)
        except JsmFailed as error:
            self._later(write, wanted, _reason(error), error.message, error.hint)
            return self._waiting(wanted)
        self._store.finish_write(write)
        if account is not None:
            return Outcome("settled", account.account_id)
        self._say("customer.missing", email=wanted.email, issuer=wanted.issuer, subject=wanted.subject)
        if self._settings.required:
            raise CustomerRefused(
                "account_missing", f"JSM has no account for {wanted.email}", "Set jsm.customers.create.", email=wanted.email
            )
        return Outcome("missing")

    def _unknown(self, wanted: Wanted, write: Write, error: AccountUnknown) -> Outcome:
        """JSM does not know an account that it made: for a while that is how Cloud is (Atlassian: up to a minute)."""
        account = self._store.account(wanted.issuer, wanted.subject)
        if account is None or account.making_since is None or self._now() > account.making_since + MAKING_SECONDS:
            self._later(write, wanted, _reason(error), error.message, error.hint)
            return self._waiting(wanted)
        self._store.postpone_write(write, due=self._now() + MAKING_PAUSE, reason="making", error=error.message)
        return Outcome("making", account.account_id, account.making_since)

    def _later(self, write: Write, wanted: Wanted, reason: str, message: str, hint: str = "") -> None:
        now = self._now()
        longest = SHORT_PAUSE if now < write.created + FIRST_HOUR else LONG_PAUSE
        pause = min(longest, 2.0 ** min(write.attempts + 1, 10))
        self._store.postpone_write(write, due=now + pause, reason=reason, error=message)
        self._say("customer.waiting", email=wanted.email, reason=reason, detail=message, hint=hint, attempts=write.attempts + 1)

    def _waiting(self, wanted: Wanted) -> Outcome:
        if self._settings.required:
            raise CustomerRefused(
                "customer_not_written", f"the record of {wanted.email} could not be written to JSM, and is required", email=wanted.email
            )
        return Outcome("waiting")


def _merged(before: Wanted, now: Wanted) -> Wanted:
    """What waited already and what is wanted now: all desks, and the newest word on organizations."""
    whole = now.with_desks(before.desks)
    if now.organizations is not None:
        return whole
    values: dict[str, Any] = {"organizations": before.organizations, "organizations_complete": before.organizations_complete}
    return Wanted(whole.issuer, whole.subject, whole.provider, whole.email, whole.display_name, whole.desks, **values)


def _reason(error: JsmssoError) -> str:
    """A stable word for what JSM did: ``jsm_403``, ``jsm_unreachable`` and the like."""
    return f"jsm_{error.status}" if isinstance(error, JsmRefused) else error.code
