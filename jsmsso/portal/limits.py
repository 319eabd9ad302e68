"""Brakes on spam: how many requests, comments and megabytes an hour a customer, an organization and a client's address may send."""

from __future__ import annotations

import ipaddress
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from jsmsso.errors import StoreUnavailable
from jsmsso.portal.acting import Acting
from jsmsso.portal.shared_records import change
from jsmsso.runtime.replies import Reply

if TYPE_CHECKING:
    from jsmsso.portal.services import Services

KIND = "limit"
HOUR = 3600
STEP = 300  # seconds that are counted together
MEGABYTE = 1024 * 1024
MOST_ORGANIZATIONS = 10  # of one customer, that are counted
IPV6_BITS = 64  # of an address, that one household or office has to itself

Who = Literal["customer", "address", "organization"]


@dataclass(frozen=True, slots=True)
class _Count:
    """``limit`` of ``what`` for one of ``who``."""

    what: str
    who: Who
    name: str
    amount: int
    limit: int

    @property
    def key(self) -> str:
        return f"{self.what} {self.who} {sha256(self.name.encode()).hexdigest()}"


class Limits:
    """``limits:`` of the profile, counted in the store for all workers."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.deployment.store
        self._now = services.deployment.now
        self._limits = services.deployment.profile.limits

    def refusal(
        self, acting: Acting, organization_ids: Iterable[str] = (), *, requests: int = 0, comments: int = 0, size: int = 0
    ) -> Reply | None:
        """Counts what the customer is about to send (``size``: bytes of files); None, or the page where that is too much.

        ``organization_ids`` are the customer's own in JSM. Raises :class:`StoreUnavailable` where the profile says so.
        """
        taken: list[_Count] = []
        try:
            for count in self._counts(acting, organization_ids, {"requests": requests, "comments": comments, "bytes": size}):
                if (until := self._take(acting, count)) is not None:
                    self._back(acting, taken)
                    return self._refused(acting, count, until)
                taken.append(count)
        except StoreUnavailable as error:
            self._services.deployment.go_on_without_store(error)
        return None

    def give_back(
        self, acting: Acting, organization_ids: Iterable[str] = (), *, requests: int = 0, comments: int = 0, size: int = 0
    ) -> None:
        """What was counted was not sent after all, by no fault of the customer's."""
        try:
            self._back(acting, self._counts(acting, organization_ids, {"requests": requests, "comments": comments, "bytes": size}))
        except StoreUnavailable:
            pass  # it is forgotten in an hour

    def _counts(self, acting: Acting, organization_ids: Iterable[str], amounts: Mapping[str, int]) -> Iterator[_Count]:
        limits = self._limits
        most = {
            "requests": limits.requests_per_hour,
            "comments": limits.comments_per_hour,
            "bytes": limits.megabytes_per_hour * MEGABYTE,
        }
        everyone: list[tuple[Who, str, int]] = [("customer", acting.account_id, 1)]
        if address := self._address(acting):
            everyone.append(("address", address, limits.address_factor))
        everyone += (("organization", one, limits.organization_factor) for one in sorted(organization_ids)[:MOST_ORGANIZATIONS])
        for what, amount in amounts.items():
            if amount:
                yield from (_Count(what, who, name, amount, most[what] * factor) for who, name, factor in everyone)

    def _address(self, acting: Acting) -> str:
        """The client's network: of IPv6 a client has a whole one. Empty where nobody knows it."""
        return network_of(self._services.deployment.proxies.client_of(acting.visit.environ))

    def _take(self, acting: Acting, count: _Count) -> float | None:
        """None where it fits; else when it may."""
        now, until = self._now(), None
        step = int(now // STEP)

        def counted(old: bytes | None) -> bytes | None:
            nonlocal until
            steps = _steps(old, step)
            until = _fits_at(steps, count, now)
            if until is not None:
                return None
            steps[step] = steps.get(step, 0) + count.amount
            return json.dumps(steps).encode()

        owner = acting.customer.email if count.who == "customer" else ""
        change(self._store, KIND, count.key, counted, now=now, expires=now + HOUR + STEP, owner=owner)
        return until

    def _back(self, acting: Acting, counts: Iterable[_Count]) -> None:
        now = self._now()
        for count in counts:

            def less(old: bytes | None, rest: int = count.amount) -> bytes | None:
                steps = _steps(old, int(now // STEP))
                for step in sorted(steps, reverse=True):
                    less = min(rest, steps[step])
                    steps[step] -= less
                    rest -= less
                return json.dumps(steps).encode() if steps else None

            owner = acting.customer.email if count.who == "customer" else ""
            change(self._store, KIND, count.key, less, now=now, expires=now + HOUR + STEP, owner=owner)

    def _refused(self, acting: Acting, count: _Count, until: float) -> Reply:
        seconds = max(1, math.ceil(until - self._now()))
        limit = count.limit // MEGABYTE if count.what == "bytes" else count.limit
        what = "megabytes" if count.what == "bytes" else count.what
        self._services.audit("spam.limited", acting, what=what, who=count.who, limit=limit, seconds=seconds)
        reply = self._services.look.page(
            acting, "create_limited.html", 429, what=what, who=count.who, minutes=math.ceil(seconds / 60), key=acting.names.get("key", "")
        )
        reply.headers.append(("Retry-After", str(seconds)))
        return reply


def network_of(text: str) -> str:
    """What one household or office has of addresses: an IPv4 address, or the /64 of an IPv6 one; empty for what is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    return text if address.version == 4 else str(ipaddress.ip_network((address, IPV6_BITS), strict=False))


def _steps(value: bytes | None, step: int) -> dict[int, int]:
    """How much was sent in each of the hour's steps."""
    known = json.loads(value) if value is not None else {}
    return {int(one): amount for one, amount in known.items() if int(one) > step - HOUR // STEP and amount}


def _fits_at(steps: Mapping[int, int], count: _Count, now: float) -> float | None:
    """When the steps that are over by then leave enough; None for now."""
    sent = sum(steps.values())
    if sent + count.amount <= count.limit:
        return None
    for step in sorted(steps):
        sent -= steps[step]
        if sent + count.amount <= count.limit:
            return float(step * STEP + HOUR)
    return now + HOUR
