"""What every store can do. :class:`SqliteStore` and :class:`RedisStore` behave alike; one set of tests holds both to it.

Times are seconds since the epoch, given by the caller. Every method raises :class:`StoreUnavailable` when the store
does not answer; what was asked may have happened all the same.
"""

from __future__ import annotations

from typing import Any, Protocol

from jsmsso.store.records import Account, Bar, Ending, Inspection, Link, Membership, Write, WriteCount
from jsmsso.store.watching import StoreHealth


class Store(Protocol):
    """Used from many threads and processes at once."""

    @property
    def health(self) -> StoreHealth:
        """Whether it answered of late."""
        ...

    # Logins and sessions ---------------------------------------------------------------------

    def use_login(self, state_hash: bytes, *, now: float, expires: float) -> bool:
        """Whether this is the first use of a login, on any worker; every worker knows before True is returned."""
        ...

    def login_was_used(self, state_hash: bytes) -> bool:
        """Whether a login was used, as far as that is still remembered."""
        ...

    def end(self, ending: Ending, *, now: float) -> None:
        """Write down that sessions ended, for every worker to read."""
        ...

    def endings_after(self, number: int, *, since: float = 0.0) -> tuple[int, list[Ending]]:
        """The endings written after the one called ``number`` (0: all), and the number to go on from.

        Those of a moment before ``since`` are left out: of sessions that are over for their age.
        """
        ...

    def end_once(self, ending: Ending, jti_hash: bytes, *, now: float, expires: float) -> bool:
        """Write down an ending and the logout token that says so, which is remembered until ``expires``: both, or neither.

        False, and nothing is written, where the token came before.
        """
        ...

    # Accounts --------------------------------------------------------------------------------

    def account(self, issuer: str, subject: str) -> Account | None:
        """What is remembered of a person."""
        ...

    def accounts_of_email(self, email: str) -> list[Account]:
        """Everybody who had that address at the last login."""
        ...

    def accounts_of_id(self, account_id: str) -> list[Account]:
        """Everybody who is that JSM account."""
        ...

    def remember(self, account: Account, *, allow_shared: bool = False) -> None:
        """Insert or replace, by issuer and subject.

        Raises :class:`AccountTaken` when somebody of another issuer, or with another address, is that JSM account
        already: of two workers that give it away at once one is told. ``allow_shared`` lets it be shared.
        """
        ...

    def see(self, issuer: str, subject: str, now: float) -> None:
        """A person was here: moves ``last_seen`` alone."""
        ...

    def link(self, link: Link) -> None:
        """Insert or replace, by address."""
        ...

    def linked(self, email: str) -> Link | None:
        """The account that somebody said an address has."""
        ...

    def unlink(self, email: str) -> bool:
        """Forget a link; whether there was one."""
        ...

    def memberships(self, issuer: str, subject: str) -> list[Membership]:
        """The memberships that we made, oldest first."""
        ...

    def add_membership(self, membership: Membership) -> None:
        """Insert or replace, by person, account and organization."""
        ...

    def remove_membership(self, membership: Membership) -> None:
        """Forget one; nothing happens when it is not there."""
        ...

    # Writes that wait ------------------------------------------------------------------------

    def put_write(self, issuer: str, subject: str, provider: str, email: str, content: str, *, now: float, due: float) -> None:
        """Let a write wait until ``due``. One that waits already gets the new content and a higher version; its age and attempts stay."""
        ...

    def write_of(self, issuer: str, subject: str) -> Write | None:
        """The write that waits for a person."""
        ...

    def lease_write(self, owner: str, *, now: float, until: float) -> Write | None:
        """The most overdue write that nobody holds, held by ``owner`` until ``until``; of two that ask at once each gets another one."""
        ...

    def lease_write_of(self, issuer: str, subject: str, owner: str, *, now: float, until: float) -> Write | None:
        """The write that waits for a person, due or not, unless somebody else holds it."""
        ...

    def finish_write(self, write: Write) -> bool:
        """The write is done: True when it is gone. One whose content was replaced in the meantime stays, held by nobody.

        Nothing happens when another owner holds it by now.
        """
        ...

    def postpone_write(self, write: Write, *, due: float, reason: str, error: str) -> None:
        """The write failed: counts the attempt and frees it. New content keeps the time at which it is due.

        Nothing happens when another owner holds it by now.
        """
        ...

    def writes(self, *, failing_only: bool = False, limit: int = 1000) -> list[Write]:
        """What waits, oldest first."""
        ...

    def count_writes(self) -> WriteCount:
        """How much waits."""
        ...

    def pause(self, name: str, until: float) -> None:
        """Nobody calls ``name`` before ``until``. An earlier time than the one that stands changes nothing."""
        ...

    def paused_until(self, name: str) -> float:
        """The end of the pause, which may be over; 0.0 where there is none."""
        ...

    # People who may not log in ---------------------------------------------------------------

    def bar(self, key: str, *, email: str, at: float) -> None:
        """Keep somebody out until restored."""
        ...

    def unbar(self, email: str) -> int:
        """Let everybody of an address in again; how many bars went."""
        ...

    def is_barred(self, *keys: str) -> bool:
        """Whether one of the keys is barred."""
        ...

    def barred(self) -> list[Bar]:
        """Everybody who is barred, oldest first."""
        ...

    # Records that expire ---------------------------------------------------------------------

    def put(self, kind: str, key: str, value: bytes, *, expires: float, owner: str = "") -> None:
        """Insert or replace. ``owner`` is a person's folded address, for :meth:`about` and :meth:`forget`."""
        ...

    def get(self, kind: str, key: str, *, now: float) -> bytes | None:
        """The value, unless it expired."""
        ...

    def delete(self, kind: str, key: str) -> bool:
        """Whether it was there."""
        ...

    def replace(self, kind: str, key: str, old: bytes, new: bytes, *, expires: float) -> bool:
        """Put ``new`` where ``old`` still stands; whether it did. The owner stays."""
        ...

    def lease(self, kind: str, key: str, owner: str, *, now: float, until: float) -> bool:
        """Whether ``owner`` holds it from now on, alone. Who holds it may ask again, for longer."""
        ...

    def free(self, kind: str, key: str, owner: str) -> None:
        """Let go of a lease; nothing happens when somebody else has it."""
        ...

    def count(self, kind: str, *, now: float) -> int:
        """How many records of a kind have not expired."""
        ...

    # Upkeep ----------------------------------------------------------------------------------

    def about(self, email: str) -> dict[str, list[dict[str, Any]]]:
        """All that is kept about the people of an address, by table; every table is there. Values of records are named by their size."""
        ...

    def forget(self, email: str) -> dict[str, int]:
        """Delete accounts, links, memberships, waiting writes and records of the people of an address; how many by table.

        Bars stay, or they would keep nobody out, and endings until they expire, or ended sessions would live again.
        """
        ...

    def clean(self, *, now: float, accounts_before: float, queue_before: float) -> dict[str, int]:
        """Delete what expired, people not seen since ``accounts_before`` and writes older than ``queue_before``; how many by table."""
        ...

    def inspect(self) -> Inspection:
        """The state of the store, for an operator. Reads all of it."""
        ...

    def check(self) -> None:
        """Raise :class:`StoreUnavailable` unless the store can be read and written now."""
        ...

    def close(self) -> None:
        """Let go of what this thread or process opened, such as before a fork."""
        ...
