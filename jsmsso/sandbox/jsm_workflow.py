"""The way of a request through the local JSM: its statuses, and which transitions lead from one to another."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Status:
    """A status; ``category`` is the key of Jira's three: ``new``, ``indeterminate``, ``done``."""

    id: str
    name: str
    category: str


@dataclass(frozen=True, slots=True)
class LocalTransition:
    """What leads ``to`` a status; ``customers`` may do it on the native portal. Without ``sources``: from everywhere but there."""

    id: str
    name: str
    to: str
    sources: frozenset[str] = frozenset()
    customers: bool = False


FIRST_STATUS = "Waiting for support"
OPEN = frozenset({FIRST_STATUS, "In progress", "Waiting for customer", "Escalated"})
STATUSES = {
    status.name: status
    for status in (
        Status("1", "Open", "new"),
        Status("10010", FIRST_STATUS, "indeterminate"),
        Status("3", "In progress", "indeterminate"),
        Status("10011", "Waiting for customer", "indeterminate"),
        Status("10012", "Escalated", "indeterminate"),
        Status("5", "Resolved", "done"),
        Status("10013", "Canceled", "done"),
        Status("6", "Closed", "done"),
    )
}
TRANSITIONS = (
    LocalTransition("11", "Start progress", "In progress", frozenset({"Open", FIRST_STATUS, "Escalated"})),
    LocalTransition("21", "Respond to customer", "Waiting for customer", OPEN - {"Waiting for customer"}),
    LocalTransition("31", "Respond to support", FIRST_STATUS, frozenset({"Waiting for customer"}), customers=True),
    LocalTransition("41", "Escalate this issue", "Escalated", OPEN - {"Escalated"}),
    LocalTransition("51", "Resolve this issue", "Resolved", OPEN, customers=True),
    LocalTransition("61", "Cancel request", "Canceled", OPEN, customers=True),
    LocalTransition("71", "Back to support", FIRST_STATUS, frozenset({"Resolved", "Canceled"}), customers=True),
    LocalTransition("81", "Close", "Closed", frozenset({"Resolved"})),
)
CATEGORY_NAMES = {"new": (2, "To Do", "blue-gray"), "indeterminate": (4, "In Progress", "yellow"), "done": (3, "Done", "green")}


def transitions_from(status: str, *, customer: bool) -> list[LocalTransition]:
    """Those that can be made in this status, by a customer or by an agent."""
    return [one for one in TRANSITIONS if status in one.sources and (one.customers or not customer)]
