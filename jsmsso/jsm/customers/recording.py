"""One customer's record brought up to date: find or create the account, add it to service desks and organizations.

Every step may be done twice: it looks before it creates, and adding somebody who is there already changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Protocol

from jsmsso.errors import AccountUnknown, CustomerExists, CustomerRefused, JsmRefused, JsmUnreachable
from jsmsso.jsm import organizations, users
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.customers.matching import Match, account_of, hidden, match
from jsmsso.jsm.customers.organization_ids import OrganizationIds
from jsmsso.jsm.customers.standing import BY_ADDRESS, Standing, standing_of
from jsmsso.jsm.customers.wanted import Wanted
from jsmsso.jsm.site import Site
from jsmsso.profile.model import Customers
from jsmsso.store.interface import Store
from jsmsso.store.records import Account, AccountTaken, Membership

CREATION_SECONDS = 180.0  # how long an account whose creation brought no answer may stay out of JSM's searches


class Say(Protocol):
    """Told of what was done to whom: an event's dotted name and its fields."""

    def __call__(self, event: str, **fields: object) -> None: ...


@dataclass(frozen=True, slots=True)
class Connection:
    """The site as the service account sees it; ``admin`` creates accounts, and is the same client where there is no second token."""

    client: JsmClient
    admin: JsmClient
    site: Site

    def within(self, seconds: float) -> Connection:
        """The same, for calls that together take at most so long."""
        client = self.client.within(seconds)
        return Connection(client, client if self.admin is self.client else self.admin.within(seconds), self.site)


class Recorder:
    """Writes records for one profile; holds no person's state but what the store has."""

    def __init__(self, settings: Customers, store: Store, now: Callable[[], float], say: Say) -> None:
        self._settings = settings
        self._store = store
        self._now = now
        self._say = say
        self._ids = OrganizationIds(now)

    def record(self, wanted: Wanted, standing: Standing, to: Connection) -> Account | None:
        """Bring JSM and the store to what is wanted; None where JSM has no account and none may be created.

        Raises :class:`AccountUnknown` while JSM does not know an account that it just made, JSM's other errors,
        :class:`CustomerRefused`, and :class:`~jsmsso.errors.StoreUnavailable`. What was done until then is remembered.
        """
        account = self._account(wanted, standing, to)
        if account is None:
            return None
        try:
            return self._complete(account, wanted, to)
        except AccountUnknown as error:
            if account.making_since is not None:
                raise
            if users.user_exists(to.client, to.site, account.account_id):
                raise JsmRefused(error.status, error.detail, error.message, error.hint) from error  # refused for another reason
        # The account is gone from JSM: this person's is looked for once more, as if they were new.
        found = self._found_or_created(wanted, to) if self._store.linked(wanted.email) is None else None
        return None if found is None else self._complete(self._remember(account, found, wanted, standing), wanted, to)

    def find(self, wanted: Wanted, standing: Standing, to: Connection) -> str:
        """The account id of a person, found but never created; empty where there is none. Raises as :meth:`record` does."""
        if standing.account_id:
            return standing.account_id
        found = account_of(self._search(wanted, to), wanted.email, hidden_is_none=bool(standing.fallback))
        if found is None:
            return standing.fallback
        return self._remember(standing.account, _Found(found.id), wanted, standing).account_id

    def _account(self, wanted: Wanted, standing: Standing, to: Connection) -> Account | None:
        if standing.account_id:
            if standing.account is not None and (standing.account.account_id, standing.account.email) == (
                standing.account_id,
                wanted.email,
            ):
                return standing.account
            return self._remember(standing.account, _Found(standing.account_id), wanted, standing)
        if standing.fallback:
            known = account_of(self._search(wanted, to), wanted.email, hidden_is_none=True)
            found: _Found | None = _Found(known.id if known else standing.fallback)
        else:
            found = self._found_or_created(wanted, to)
        return None if found is None else self._remember(standing.account, found, wanted, standing)

    def _found_or_created(self, wanted: Wanted, to: Connection) -> _Found | None:
        seen = self._search(wanted, to)
        if (known := account_of(seen, wanted.email, hidden_is_none=self._settings.create)) is not None:
            return _Found(known.id)
        if not self._settings.create:
            return None
        # An answer may get lost after the account was made, and searches do not show it for a while: it is not hidden then.
        flag = f"creating {wanted.email}"
        tried = self._store.get("flag", flag, now=self._now()) is not None
        if not tried:
            self._store.put("flag", flag, b"1", expires=self._now() + CREATION_SECONDS, owner=wanted.email)
        try:
            made = users.create_customer(to.admin, to.site, wanted.email, wanted.display_name)
        except CustomerExists as error:
            if tried:
                raise JsmUnreachable(f"JSM does not show the account of {wanted.email} yet, which it says is there", "") from error
            self._store.delete("flag", flag)
            raise hidden(seen, wanted.email) from error
        except JsmRefused:
            self._store.delete("flag", flag)
            raise
        self._store.delete("flag", flag)
        self._say("customer.created", email=wanted.email, issuer=wanted.issuer, subject=wanted.subject, account_id=made.id)
        return _Found(made.id, made_now=True)

    def _search(self, wanted: Wanted, to: Connection) -> Match:
        desk = wanted.desks[0] if wanted.desks else ""
        return match(users.find_users(to.client, to.site, wanted.email, desk), wanted.email, self._settings.prefer)

    def _remember(self, account: Account | None, found: _Found, wanted: Wanted, standing: Standing) -> Account:
        now = self._now()
        before = account if account is not None and account.account_id == found.id else self._adopted(found.id, wanted)
        changed = account is not None and account.email != wanted.email
        fresh = Account(
            issuer=wanted.issuer,
            subject=wanted.subject,
            provider=wanted.provider,
            email=wanted.email,
            account_id=found.id,
            display_name=wanted.display_name,
            desks=before.desks if before else (),
            making_since=now if found.made_now else before.making_since if before else None,
            first_seen=account.first_seen if account else now,
            last_seen=now,
        )
        try:
            self._store.remember(fresh, allow_shared=standing.is_shared)
        except AccountTaken as error:
            raise CustomerRefused(
                "account_of_another_person",
                f"the account {found.id}, whose address is {wanted.email}, is remembered for another person",
                f"See who: jsmsso customers show {wanted.email}\nIf it is right: jsmsso customers link {wanted.email} {found.id}",
                email=wanted.email,
            ) from error
        if standing.event:
            self._say(standing.event, email=wanted.email, issuer=wanted.issuer, subject=wanted.subject, account_id=found.id)
        elif changed and account is not None:
            self._say(
                "customer.email_changed",
                email=wanted.email,
                was=account.email,
                issuer=wanted.issuer,
                subject=wanted.subject,
                account_id=found.id,
            )
        return fresh

    def _adopted(self, account_id: str, wanted: Wanted) -> Account | None:
        """What was written for this account before anybody logged in becomes this person's; None where nothing was."""
        adopted = None
        for one in self._store.accounts_of_id(account_id) if wanted.issuer != BY_ADDRESS else ():
            if one.issuer == BY_ADDRESS:
                for membership in self._store.memberships(one.issuer, one.subject):
                    self._store.add_membership(replace(membership, issuer=wanted.issuer, subject=wanted.subject))
                    self._store.remove_membership(membership)
                self._store.remember(replace(one, account_id="", fingerprint="", desks=(), making_since=None))
                adopted = one
        return adopted

    def _complete(self, account: Account, wanted: Wanted, to: Connection) -> Account:
        missing = [desk for desk in wanted.desks if desk not in account.desks]
        for desk in missing:
            users.add_to_desk(to.client, to.site, desk, account.account_id)
            account = replace(account, desks=(*account.desks, desk))
            self._store.remember(account, allow_shared=True)
        if wanted.organizations is not None:
            self._organizations(account, wanted, wanted.organizations, to)
        elif account.making_since is not None and not missing and not users.user_exists(to.client, to.site, account.account_id):
            raise AccountUnknown(404, "", "JSM does not know the account yet", "")
        done = replace(account, making_since=None, fingerprint=self._fingerprint(account, wanted))
        if done != account:
            self._store.remember(done, allow_shared=True)
        return done

    @staticmethod
    def _fingerprint(account: Account, wanted: Wanted) -> str:
        # Opening another portal asks for its desk alone: what was written about organizations stands.
        return account.fingerprint if wanted.organizations is None and account.fingerprint else wanted.fingerprint(account.account_id)

    def _organizations(self, account: Account, wanted: Wanted, names: Collection[str], to: Connection) -> None:
        ours = self._store.memberships(wanted.issuer, wanted.subject)
        ids = {name: self._organization_id(name, wanted, to) for name in names}
        found = {id_: name for name, id_ in ids.items() if id_ is not None}
        if not found and not ours:
            return
        is_in = organizations.organizations_among(to.client, to.site, found, account.account_id)
        for id_, name in found.items():
            if id_ not in is_in:
                made = Membership(wanted.issuer, wanted.subject, account.account_id, id_, name, self._now())
                self._store.add_membership(made)
                organizations.add_member(to.client, to.site, id_, account.account_id)
        if self._settings.organizations == "sync" and wanted.organizations_complete:
            for membership in ours:
                if membership.organization_id not in found and membership.organization not in names:
                    self._leave(membership, to)

    def _organization_id(self, name: str, wanted: Wanted, to: Connection) -> str | None:
        id_ = self._ids.of(name, to.client)
        if id_ is not None:
            return id_
        if not self._settings.create_organizations:
            self._say("customer.organization_missing", email=wanted.email, organization=name)
            return None
        made = organizations.create_organization(to.client, name)
        for desk in wanted.desks:
            organizations.attach_to_desk(to.client, desk, made.id)
        self._ids.learn(name, made.id)
        self._say("organization.created", organization=name, organization_id=made.id, email=wanted.email)
        return made.id

    def _leave(self, membership: Membership, to: Connection) -> None:
        try:
            organizations.remove_member(to.client, to.site, membership.organization_id, membership.account_id)
        except AccountUnknown:
            pass  # whoever is not there is no member
        self._store.remove_membership(membership)


@dataclass(frozen=True, slots=True)
class _Found:
    id: str
    made_now: bool = False


def known_to(store: Store, wanted: Wanted, issuers: Collection[str]) -> tuple[Standing, bool]:
    """How a person stands, and whether JSM already has everything that is wanted for them."""
    standing = standing_of(store, wanted, issuers)
    account = standing.account
    if account is None or not account.account_id or account.making_since is not None:
        return standing, False
    same = standing.account_id == account.account_id and account.email == wanted.email
    desks = set(wanted.desks) <= set(account.desks)
    written = bool(account.fingerprint) and (wanted.organizations is None or account.fingerprint == wanted.fingerprint(account.account_id))
    return standing, same and desks and written
