"""What is known of an address: in the store, and in JSM now; and what its next login would come to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from jsmsso.cli.people.opening import Books, bars_of, people_of
from jsmsso.errors import CustomerRefused, JsmFailed, JsmRefused, JsmssoError, NotReady, SecretUnavailable
from jsmsso.identity.access import domain_matches
from jsmsso.jsm import organizations, users
from jsmsso.jsm.customers.looking import Look, look
from jsmsso.jsm.customers.matching import match
from jsmsso.jsm.customers.recording import Connection
from jsmsso.jsm.customers.standing import BY_ADDRESS, Standing, standing_of
from jsmsso.jsm.customers.wanted import Wanted
from jsmsso.jsm.users import JsmUser
from jsmsso.providers.settings import client_settings, issuers
from jsmsso.store.json_lines import stamp
from jsmsso.store.records import Account, Link, Membership, Write


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with the address. ``written_before``: written to JSM, and nobody logged in with it yet."""

    account: Account
    memberships: tuple[Membership, ...]
    write: Write | None

    @property
    def written_before(self) -> bool:
        return self.account.issuer == BY_ADDRESS

    def data(self) -> dict[str, Any]:
        """For ``--json``."""
        account, write = self.account, self.write
        return {
            "issuer": account.issuer or None,
            "subject": None if self.written_before else account.subject,
            "provider": account.provider or None,
            "written_before_first_login": self.written_before,
            "account_id": account.account_id or None,
            "display_name": account.display_name,
            "service_desks": list(account.desks),
            "organizations_by_us": [{"id": one.organization_id, "name": one.organization, "at": stamp(one.at)} for one in self.memberships],
            "waiting_write": write and write_data(write),
            "not_known_to_jsm_since": None if account.making_since is None else stamp(account.making_since),
            "first_seen": stamp(account.first_seen),
            "last_seen": stamp(account.last_seen),
        }


@dataclass(frozen=True, slots=True)
class Found:
    """An account that JSM's search brought. ``fits``: shows the address, shows none, or another one."""

    user: JsmUser
    fits: Literal["address", "hidden", "other"]
    organizations: tuple[str, ...] | None = None
    """Their names; None where JSM does not tell (Data Center cannot be asked)."""


@dataclass(frozen=True, slots=True)
class Login:
    """A login that may come: of a person who was here, or (``subject`` empty) of a new one. ``refused`` tells why it would fail.

    ``look`` is None where a login asks JSM nothing, and where JSM did not answer.
    """

    provider: str
    subject: str
    look: Look | None = None
    refused: CustomerRefused | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """All of it. ``found`` is None where JSM was not asked or did not answer; ``unanswered`` says why."""

    email: str
    barred: float | None
    link: Link | None
    people: tuple[Person, ...]
    found: tuple[Found, ...] | None
    unanswered: JsmssoError | None
    logins: tuple[Login, ...]

    @property
    def refusals(self) -> tuple[CustomerRefused, ...]:
        """Why logins would be refused; each once."""
        return tuple({one.refused.reason: one.refused for one in self.logins if one.refused is not None}.values())

    @property
    def exit_code(self) -> int:
        """1 where a login would be refused, else that of JSM's failure; a profile without a site is none."""
        if self.refusals or self.barred is not None:
            return 1
        return 0 if self.unanswered is None or isinstance(self.unanswered, NotReady) else self.unanswered.exit_code

    def data(self) -> dict[str, Any]:
        """For ``--json``."""
        link, error = self.link, self.unanswered
        return {
            "email": self.email,
            "barred_since": None if self.barred is None else stamp(self.barred),
            "link": link and {"account_id": link.account_id, "at": stamp(link.at), "by": link.by},
            "people": [person.data() for person in self.people],
            "jsm": {
                "accounts": None if self.found is None else [_found_data(one) for one in self.found],
                "unanswered": error and {"code": error.code, "message": error.message, "hint": error.hint},
            },
            "logins": [_login_data(one) for one in self.logins],
        }


def find_out(books: Books, email: str) -> Known:
    """What is known of a folded address. Raises :class:`StoreUnavailable`; what JSM or its secrets fail with stands in the answer."""
    store = books.store
    barred = next((bar.at for bar in bars_of(store, email)), None)
    people = tuple(
        Person(one, tuple(store.memberships(one.issuer, one.subject)), store.write_of(one.issuer, one.subject))
        for one in people_of(store, email)
    )
    to, found, unanswered = None, None, None
    try:
        to = books.connect()
        found = tuple(_found(books, email, to))
    except (NotReady, JsmFailed, SecretUnavailable) as error:
        to, unanswered = None, error
    logins = tuple(_logins(books, email, people, to, is_barred=barred is not None))
    return Known(email, barred, store.linked(email), people, found, unanswered, logins)


def write_data(write: Write) -> dict[str, Any]:
    """A waiting write for ``--json``."""
    return {
        "email": write.email,
        "issuer": write.issuer,
        "subject": write.subject,
        "provider": write.provider,
        "reason": write.reason or None,
        "message": write.error or None,
        "attempts": write.attempts,
        "since": stamp(write.created),
        "next_try": stamp(max(write.due, write.lease_until)),
    }


def _found(books: Books, email: str, to: Connection) -> Iterator[Found]:
    for one in users.find_users(to.client, to.site, email, _desk(books)):
        if match([one], email, None).kind in ("one", "inactive"):
            yield Found(one, "address", _organizations(one, to))
        else:
            yield Found(one, "other" if one.email else "hidden")


def _organizations(user: JsmUser, to: Connection) -> tuple[str, ...] | None:
    if not to.site.is_cloud:
        return None
    try:
        return tuple(each.name for each in organizations.organizations_of(to.client, to.site, user.id))
    except JsmRefused:  # of an account that may not be told
        return None


def _desk(books: Books) -> str:
    """A service desk whose customers are searched too, as at a login there."""
    desks = [one.service_desk for one in books.profile.portals if not one.gone] if books.customers.add_to_service_desk else []
    return desks[0] if desks else ""


def _logins(books: Books, email: str, people: tuple[Person, ...], to: Connection | None, *, is_barred: bool) -> Iterator[Login]:
    """Of everybody who was here and whose provider the profile still has; else of a new person at each provider that may vouch."""
    were_here = [one.account for one in people if not one.written_before and one.account.provider in books.profile.providers]
    if were_here:
        wanted = [Wanted(one.issuer, one.subject, one.provider, email, one.display_name) for one in were_here]
    else:
        domain = email.rpartition("@")[2]
        vouching = [
            name
            for name, one in books.profile.providers.items()
            if not one.email_domains or domain_matches(domain, tuple(one.email_domains))
        ]
        wanted = [Wanted(min(_issuers(books, name), default=""), "", name, email, email) for name in vouching]
    for one in wanted:
        yield _login(books, one, to, is_barred=is_barred)


def _login(books: Books, wanted: Wanted, to: Connection | None, *, is_barred: bool) -> Login:
    email, settings = wanted.email, books.customers
    try:
        if is_barred:
            hint = f"Let them in again with: jsmsso customers restore {email}"
            raise CustomerRefused("customer_barred", f"{email} was revoked by an operator", hint, email=email)
        if not settings.are_written:
            return Login(wanted.provider, wanted.subject)
        standing = standing_of(books.store, wanted, _issuers(books, wanted.provider))
        if to is None:
            return Login(wanted.provider, wanted.subject, _from_the_store(standing))
        taken = look(_with_desk(wanted, books), standing, settings, to)
        if taken.why == "none" and settings.required:
            raise CustomerRefused("account_missing", f"JSM has no account for {email}", "Set jsm.customers.create.", email=email)
        return Login(wanted.provider, wanted.subject, taken)
    except CustomerRefused as error:
        return Login(wanted.provider, wanted.subject, refused=error)
    except JsmFailed:  # which answered a moment ago
        return Login(wanted.provider, wanted.subject)


def _with_desk(wanted: Wanted, books: Books) -> Wanted:
    desk = _desk(books)
    return wanted.with_desks((desk,)) if desk else wanted


def _from_the_store(standing: Standing) -> Look | None:
    """What a login takes while JSM does not answer; None where it would have to ask."""
    known = standing.account
    return Look(standing.account_id, "remembered") if known is not None and known.account_id == standing.account_id else None


def _issuers(books: Books, provider: str) -> frozenset[str]:
    settings = client_settings(books.profile, provider, client_secret=None, client_key="")
    return issuers(settings) if settings.issuer else frozenset()


def _found_data(one: Found) -> dict[str, Any]:
    user = one.user
    return {
        "account_id": user.id,
        "email": user.email or None,
        "display_name": user.display_name,
        "kind": user.kind or None,
        "active": user.active,
        "fits": one.fits,
        "organizations": None if one.organizations is None else list(one.organizations),
    }


def _login_data(one: Login) -> dict[str, Any]:
    refused = one.refused
    return {
        "provider": one.provider,
        "subject": one.subject or None,
        "account_id": (one.look and one.look.account_id) or None,
        "why": one.look and one.look.why,
        "account_is_gone": one.look is not None and one.look.is_gone,
        "refused": refused and {"reason": refused.reason, "message": refused.message, "hint": refused.hint},
    }
