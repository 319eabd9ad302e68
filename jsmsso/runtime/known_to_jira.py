"""``visibility: jira``: whether JSM knows a customer on a portal's service desk, as the service account sees it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from jsmsso.errors import CustomerRefused, JsmFailed, TooBusy
from jsmsso.identity.customer import Customer
from jsmsso.profile.model import Portal
from jsmsso.runtime.places import Places

if TYPE_CHECKING:
    from jsmsso.jsm.customers.recording import Connection, Say
    from jsmsso.runtime.records import Records

YES_SECONDS = 300.0  # how long a customer whom JSM knew stays known
NO_SECONDS = 30.0
ASK_SECONDS = 5.0
LIST_SECONDS = 5.0  # for all portals of a list together
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

    def may_open(self, customer: Customer, portal: Portal, seconds: float = ASK_SECONDS) -> bool:
        """Whether the customer is a customer of the portal's service desk, or in one of its organizations."""
        key = (customer.issuer, customer.subject, portal.id)
        known = self._answers.get(key)
        if known is not None and self._now() < known[1]:
            return known[0]
        try:
            answer = self._ask(customer, portal, seconds)
        except (JsmFailed, TooBusy, CustomerRefused) as error:
            self._say("portal.unknown", email=customer.email, portal=portal.key, reason=error.code, detail=error.message, hint=error.hint)
            answer = False
        with self._lock:
            if len(self._answers) >= REMEMBERED:
                self._answers.clear()
            self._answers[key] = answer, self._now() + (YES_SECONDS if answer else NO_SECONDS)
        return answer

    def among(self, customer: Customer, portals: tuple[Portal, ...]) -> tuple[Portal, ...]:
        """Those that the customer may open; what JSM does not tell within five seconds is left out."""
        ends = self._now() + LIST_SECONDS
        return tuple(portal for portal in portals if (left := ends - self._now()) > 0 and self.may_open(customer, portal, left))

    def _ask(self, customer: Customer, portal: Portal, seconds: float) -> bool:
        from jsmsso.jsm import organizations, users

        account_id = self._records.account_id(customer)
        if not account_id:
            return False
        desk = portal.service_desk
        with self._places.one("JSM"):
            to = self._connect(seconds)
            return users.is_customer_of_desk(to.client, to.site, desk, account_id, customer.email) or bool(
                organizations.desk_organizations_of(to.client, to.site, desk, account_id)
            )
