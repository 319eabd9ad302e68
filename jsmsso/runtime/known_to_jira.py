"""``visibility: jira``: whether JSM knows a customer on a portal's service desk, as the service account sees it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from jsmsso.errors import CustomerRefused, JsmFailed, TooBusy
from jsmsso.identity.customer import Customer
from jsmsso.profile.model import Portal
from jsmsso.runtime.places import Places
from jsmsso.runtime.records import ASKED_NEXT_SECONDS, LOGIN_SECONDS
from jsmsso.runtime.sessions import Session

if TYPE_CHECKING:
    from jsmsso.jsm.customers.recording import Connection, Say
    from jsmsso.runtime.records import Records

YES_SECONDS = 300.0  # how long a customer whom JSM knew stays known
NO_SECONDS = 30.0
UNDER_WAY_SECONDS = 10.0  # that a login takes until its browser is at the portal; by then JSM may have been waited for already
REMEMBERED = 50_000


class KnownToJira:
    """Asks JSM, and remembers its answers for a while. No answer means no."""

    def __init__(
        self, records: Records, connect: Callable[[float], Connection], places: Places, *, now: Callable[[], float], say: Say
    ) -> None:
        self._records = records
        self._connect = connect
        self._places = places
        self._now = now
        self._say = say
        self._lock = threading.Lock()
        self._answers: dict[tuple[str, str, str], tuple[bool, float]] = {}

    def may_open(self, session: Session, portal: Portal) -> bool:
        """Whether the customer is a customer of the portal's service desk, or in one of its organizations."""
        return self._may_open(session, portal, self._ends(session))

    def among(self, session: Session, portals: tuple[Portal, ...]) -> tuple[Portal, ...]:
        """Those that the customer may open; what JSM does not tell in time, of all of them together, is left out."""
        ends = self._ends(session)
        return tuple(portal for portal in portals if time.monotonic() < ends and self._may_open(session, portal, ends))

    def _ends(self, session: Session) -> float:
        """Until when (of :func:`time.monotonic`) somebody waits: in a login for what its record in JSM left of the same seconds."""
        age = self._now() - session.started
        left = max(LOGIN_SECONDS - age, ASKED_NEXT_SECONDS) if 0 <= age < UNDER_WAY_SECONDS else LOGIN_SECONDS
        return time.monotonic() + left

    def _may_open(self, session: Session, portal: Portal, ends: float) -> bool:
        customer = session.customer
        key = (customer.issuer, customer.subject, portal.id)
        known = self._answers.get(key)
        if known is not None and self._now() < known[1]:
            return known[0]
        try:
            answer = self._ask(customer, portal, ends)
        except (JsmFailed, TooBusy, CustomerRefused) as error:
            self._say("portal.unknown", email=customer.email, portal=portal.key, reason=error.code, detail=error.message, hint=error.hint)
            answer = False
        with self._lock:
            if len(self._answers) >= REMEMBERED:
                self._answers.clear()
            self._answers[key] = answer, self._now() + (YES_SECONDS if answer else NO_SECONDS)
        return answer

    def _ask(self, customer: Customer, portal: Portal, ends: float) -> bool:
        from jsmsso.jsm import organizations, users

        account_id = self._records.account_id(customer, ends - time.monotonic())
        if not account_id:
            return False
        desk = portal.service_desk
        with self._places.one("JSM", ends):
            to = self._connect(ends - time.monotonic())
            return users.is_customer_of_desk(to.client, to.site, desk, account_id, customer.email) or bool(
                organizations.desk_organizations_of(to.client, to.site, desk, account_id)
            )
