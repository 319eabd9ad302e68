"""Sharing a request: with the customer's own organizations, with people by whole addresses, and taking that back.

Unknown, forbidden and done give the same answer, after whole steps of seconds. What is remembered here is what this
customer asked for, an address that nobody has as well; that list is all the page shows of it, and all that can be taken back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from jsmsso.errors import JsmRefused, StoreUnavailable
from jsmsso.identity.email_address import NotAnEmailAddress, fold_email
from jsmsso.jsm.customers.matching import match
from jsmsso.jsm.organizations import desk_organizations, is_member
from jsmsso.jsm.requests.requests import add_participants, remove_participants, set_organizations
from jsmsso.jsm.users import JsmUser, find_users
from jsmsso.portal.acting import Acting
from jsmsso.portal.parallel import together
from jsmsso.portal.people import shown_name
from jsmsso.portal.seeing import SeenRequest
from jsmsso.portal.shared_records import change
from jsmsso.portal.steps import in_whole_steps

if TYPE_CHECKING:
    from jsmsso.portal.services import Services

KIND = "shared"
MOST = 100  # that one customer shares one request with
STEP_SECONDS = 2.0  # looking for somebody and adding them are three calls of some tenths each
LOOKED_THROUGH = 30  # organizations of a desk on Data Center, whose members have to be asked for one by one
LOOK = "look=organizations"  # the query of a request's page that has them looked through


@dataclass(frozen=True, slots=True)
class Asked:
    """What a customer asked for: an organization's id and name, or an address and the account that was added for it, if one was."""

    organization: str = ""
    address: str = ""
    account_id: str = ""
    label: str = ""

    @property
    def name(self) -> str:
        """What the form that takes it back sends."""
        return self.address or f"organization:{self.organization}"


@dataclass(frozen=True, slots=True)
class Row:
    """Somebody whom a request is shared with. ``remove``: what takes it back, where that may be.

    An organization of others has no name, and a person none whose name in JSM is an address.
    """

    name: str
    is_mine: bool = False
    remove: str = ""
    is_person: bool = False


class Sharing:
    """Reads and writes whom a request is shared with. Nothing here is told of people whom the customer only guesses."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.deployment.store
        self._now = services.deployment.now

    def rows(self, acting: Acting, seen: SeenRequest, participants: Sequence[JsmUser]) -> list[Row]:
        """Whom the page shows: organizations, participants, and the addresses that this customer typed."""
        asked = self._asked(acting, seen)
        ours = {one.account_id for one in asked if one.account_id}
        taken_back = {one.organization: one for one in asked if one.organization}
        rows = []
        for id_ in sorted(seen.facts.organization_ids):
            mine = taken_back.get(id_, Asked())
            rows.append(Row(seen.organization_names.get(id_, "") or mine.label, remove=mine.name if mine.organization else ""))
        others = [one for one in participants if one.id not in ours and one.display_name]
        rows += [Row(shown_name(one.display_name), one.id == acting.account_id, is_person=True) for one in others]
        return [*rows, *(Row(one.address, remove=one.name) for one in asked if one.address)]

    def is_to_look(self, acting: Acting) -> bool:
        """Whether the customer's organizations are known only once they have been looked for, with a call for each of the desk's."""
        return acting.portal.sharing != "none" and not acting.to.site.is_cloud

    def organizations(self, acting: Acting, seen: SeenRequest) -> list[tuple[str, str]]:
        """Id and name of the customer's own that it could be shared with. Raises JSM's errors where they are to be looked for."""
        if acting.portal.sharing == "none":
            return []
        own = seen.organization_names
        if self.is_to_look(acting):
            own = self._looked_for(acting) if acting.visit.query == LOOK else {}
        return sorted(
            ((id_, name) for id_, name in own.items() if id_ not in seen.facts.organization_ids), key=lambda one: one[1].casefold()
        )

    def with_organization(self, acting: Acting, seen: SeenRequest, organization_id: str) -> None:
        """Share it with one of the customer's own; with any other nothing happens. Raises JSM's errors."""
        if organization_id in seen.facts.organization_ids:
            return
        if not self.is_to_look(acting):
            self._share(acting, seen, organization_id, seen.organization_names.get(organization_id, ""))
            return
        to = acting.to
        with in_whole_steps(STEP_SECONDS):
            there = {one.id: one.name for one in desk_organizations(to.client, acting.portal.service_desk)}
            if organization_id in there and is_member(to.client, to.site, organization_id, acting.account_id):
                self._share(acting, seen, organization_id, there[organization_id])

    def with_address(self, acting: Acting, seen: SeenRequest, typed: str) -> None:
        """Share it with whoever has a whole address. Raises :class:`NotAnEmailAddress` and JSM's errors, and tells nothing else."""
        email = fold_email(typed.strip())
        if len(known := self._asked(acting, seen)) >= MOST or any(one.address == email for one in known):
            return
        with in_whole_steps(STEP_SECONDS):
            self._add(acting, seen, email)

    def take_back(self, acting: Acting, seen: SeenRequest, name: str) -> None:
        """Undo what this customer asked for; for anything else nothing happens. Raises JSM's errors."""
        one = next((one for one in self._asked(acting, seen) if one.name == name), None)
        if one is None:
            return
        facts = seen.facts
        if one.organization:
            self._is_done(lambda: self._set_organizations(acting, seen, facts.organization_ids - {one.organization}))
        else:
            with in_whole_steps(STEP_SECONDS):
                self._remove(acting, seen, one.account_id)
        self._remember(acting, seen, lambda known: [other for other in known if other.name != name])
        self._services.audit("shared", acting, facts.key, organization=one.organization, address=one.address, removed=True)

    def _looked_for(self, acting: Acting) -> dict[str, str]:
        """Names by id of the desk's organizations that the customer is in; none where the desk has too many of them."""
        to = acting.to
        there = desk_organizations(to.client, acting.portal.service_desk)
        if not 0 < len(there) <= LOOKED_THROUGH:
            return {}
        are_members = together(*(partial(is_member, to.client, to.site, one.id, acting.account_id) for one in there))
        return {one.id: one.name for one, is_one in zip(there, are_members, strict=True) if is_one}

    def _share(self, acting: Acting, seen: SeenRequest, organization_id: str, name: str) -> None:
        """Without a name it is none of the customer's own."""
        facts = seen.facts
        if name and self._is_done(lambda: self._set_organizations(acting, seen, {*facts.organization_ids, organization_id})):
            self._remember(acting, seen, lambda known: [*known, Asked(organization=organization_id, label=name)])
            self._services.audit("shared", acting, facts.key, organization=organization_id)

    def _add(self, acting: Acting, seen: SeenRequest, email: str) -> None:
        """Whoever has the address, where JSM finds one and takes them."""
        to, facts = acting.to, seen.facts
        jsm = self._services.deployment.profile.jsm
        found = match(find_users(to.client, to.site, email, acting.portal.service_desk), email, jsm.customers.prefer if jsm else None)
        account_id = found.users[0].id if found.kind == "one" else ""
        if account_id in facts.participant_ids or account_id == facts.reporter_id:
            account_id = ""  # somebody else's doing, which is not for this customer to take back
        added = bool(account_id) and self._is_done(lambda: add_participants(to.client, to.site, facts.key, [account_id]))
        self._remember(acting, seen, lambda known: [*known, Asked(address=email, account_id=account_id if added else "")])
        self._services.audit("shared", acting, facts.key, address=email, account_id=account_id if added else "", found=found.kind)

    def _remove(self, acting: Acting, seen: SeenRequest, account_id: str) -> None:
        to = acting.to
        if account_id:
            self._is_done(lambda: remove_participants(to.client, to.site, seen.facts.key, [account_id]))

    def _set_organizations(self, acting: Acting, seen: SeenRequest, ids: set[str] | frozenset[str]) -> None:
        fields = self._services.seeing.fields(acting)
        set_organizations(acting.to.client, acting.to.site, fields, seen.facts.key, sorted(ids))

    @staticmethod
    def _is_done(act: Callable[[], None]) -> bool:
        """Whether JSM took it. What it refuses looks to the customer like what it took."""
        try:
            act()
        except JsmRefused as error:
            if error.status in (400, 403, 404):
                return False
            raise
        return True

    def _asked(self, acting: Acting, seen: SeenRequest) -> list[Asked]:
        try:
            return _read(self._store.get(KIND, _record(acting, seen), now=self._now()))
        except StoreUnavailable as error:
            self._services.deployment.go_on_without_store(error)
            return []

    def _remember(self, acting: Acting, seen: SeenRequest, changed: Callable[[list[Asked]], list[Asked]]) -> None:
        def make(old: bytes | None) -> bytes:
            asked = {one.name: one for one in changed(_read(old))}
            return json.dumps([(one.organization, one.address, one.account_id, one.label) for one in asked.values()]).encode()

        now = self._now()
        expires = now + self._services.deployment.profile.retention.accounts
        try:
            change(self._store, KIND, _record(acting, seen), make, now=now, expires=expires, owner=acting.customer.email)
        except StoreUnavailable as error:
            self._services.deployment.go_on_without_store(error)


def _record(acting: Acting, seen: SeenRequest) -> str:
    return f"{seen.facts.id} {acting.account_id}"


def _read(value: bytes | None) -> list[Asked]:
    return [Asked(*one) for one in json.loads(value)] if value is not None else []


__all__ = ["Asked", "NotAnEmailAddress", "Row", "Sharing"]
