"""Who may enter, and which portals: the profile's rules as a worker applies them to customers and sessions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from jsmsso.identity.access import Claims, Decision, claims_named, decide, explain, looks_at_lists, looks_at_organizations
from jsmsso.identity.customer import Customer
from jsmsso.profile.address_lists import AddressList, with_lists
from jsmsso.profile.model import Portal, Profile
from jsmsso.runtime.sessions import Session
from jsmsso.runtime.targets import Portals

if TYPE_CHECKING:
    from jsmsso.runtime.known_to_jira import KnownToJira


class Admission:
    """Made once per worker; its rules never change, only the lists of addresses that they name."""

    def __init__(
        self, profile: Profile, portals: Portals, known_to_jira: KnownToJira | None, folder: Path, *, say: Callable[[str, str], None]
    ) -> None:
        """``folder``: where the lists of addresses lie. ``say`` is told of one that changed, with what is wrong with it, if anything."""
        lists: dict[str, AddressList] = {}
        self._portals = portals
        self._known_to_jira = known_to_jira
        self._rules = with_lists(profile.rules, folder, say=say, known=lists)
        self._rules_of_portal = {
            portal.id: with_lists(portal.rules, folder, say=say, known=lists) for portal in portals.all if portal.access is not None
        }
        everything = [*self._rules, *(rule for rules in self._rules_of_portal.values() for rule in rules)]
        self.claims_kept = claims_named(everything)
        self.looks_at_organizations = looks_at_organizations(everything)
        self._looks_at_lists = looks_at_lists(everything)

    def decision(self, customer: Customer, claims: Claims, portal: Portal | None = None) -> Decision:
        """Whether the rules for everyone let a customer in, and those of ``portal`` too."""
        decision = decide(self._rules, customer, claims)
        own = self._rules_of_portal.get(portal.id) if portal is not None and decision.allowed else None
        return decide(own, customer, claims, portal.key) if portal is not None and own is not None else decision

    def decision_on(self, session: Session, portal: Portal | None = None) -> Decision:
        """The access decision, from what the session keeps: remembered with it, as neither it nor these rules ever change.

        Where a rule looks into a list of addresses, it is made anew each time.
        """
        place = portal.id if portal is not None else ""
        known = session.decisions.get(place)
        if known is None:
            known = self.decision(session.customer, session.claims, portal)
            if not self._looks_at_lists:
                session.decisions[place] = known
        return known

    def explanation(self, session: Session, portal: Portal | None) -> list[str]:
        """The decision rule by rule, for the log."""
        customer, claims = session.customer, session.claims
        lines = [str(one) for one in explain(self._rules, customer, claims)]
        own = self._rules_of_portal.get(portal.id, ()) if portal is not None else ()
        if portal is not None and own and decide(self._rules, customer, claims).allowed:
            lines += [f"{portal.key} {one}" for one in explain(own, customer, claims)]
        return lines

    def open_to(self, session: Session) -> tuple[Portal, ...]:
        """The portals that a customer whom the rules for everyone let in may open."""
        may = tuple(portal for portal in self._portals.all if self._may_open(session, portal))
        asked = tuple(portal for portal in may if portal.visibility == "jira")
        if not asked:
            return may
        known = self._known_to_jira.among(session, asked) if self._known_to_jira is not None else ()
        return tuple(portal for portal in may if portal.visibility != "jira" or portal in known)

    def _may_open(self, session: Session, portal: Portal) -> bool:
        if portal.visibility == "public":
            return True
        if portal.provider not in (None, session.customer.provider):
            return False
        own = self._rules_of_portal.get(portal.id)
        return own is None or decide(own, session.customer, session.claims).allowed

    def is_known_to_jira(self, session: Session, portal: Portal) -> bool:
        """``visibility: jira``. Without a site nobody is known to it."""
        return self._known_to_jira is not None and self._known_to_jira.may_open(session, portal)

    def asks_jira(self, portal: Portal | None) -> bool:
        """Whether JSM is asked for a customer who comes to this portal, or to the list of portals."""
        return self._known_to_jira is not None and (portal is None or portal.visibility == "jira")
