"""What the jsm room writes into the profile: the connection, and the portals. Everything else in the file stays."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from jsmsso.errors import CheckFailed
from jsmsso.jsm.portals import Change, Mode, Plan, PulledPortal, compare
from jsmsso.profile.editing import Editing, editing
from jsmsso.profile.model import Portal

PULLED = ("id", "key", "service_desk", "name", "url")


def write_connection(path: Path, *, url: str, email: str, api_token: str, expires: date | None, cloud_id: str = "") -> bool:
    """Set ``jsm:`` in the profile at ``path``; the keys of what is empty go. Returns whether the file changed."""
    told = {
        "url": url,
        "email": email or None,
        "api_token": api_token,
        "api_token_expires": expires and expires.isoformat(),
        "cloud_id": cloud_id or None,
    }
    with editing(path) as document:
        jsm = document.data.setdefault("jsm", {})
        for key, value in told.items():
            if value is None:
                jsm.pop(key, None)
            elif str(jsm.get(key, "")) != value:
                jsm[key] = value
    return document.written


def plan_portals(known: tuple[Portal, ...], pulled: tuple[PulledPortal, ...], mode: Mode, *, prune: bool) -> Plan:
    """What a synchronization would do. Raises :class:`CheckFailed` rather than letting all portals vanish at once."""
    if known and not pulled:
        raise CheckFailed(
            "JSM shows the service account no service desk at all, so nothing was changed",
            "It has most likely lost its permissions: give it the role Service Desk Team on each project.\nSee with: jsmsso jsm connect",
        )
    return compare(known, pulled, mode, prune=prune)


def write_portals(path: Path, pulled: tuple[PulledPortal, ...], mode: Mode, *, prune: bool) -> tuple[Plan, bool]:
    """Bring ``portals:`` in the profile at ``path`` up to date, as it is at this moment.

    Returns what was done and whether the file changed. Keys, order and comments of the administrator stay.
    """
    with editing(path) as document:
        plan = plan_portals(document.profile.portals, pulled, mode, prune=prune)
        if not plan.is_empty:
            _apply(plan, document)
    return plan, document.written


def _apply(plan: Plan, document: Editing) -> None:
    known = [change for change in plan.changes if change.before is not None]
    new = [_entry(change.after, change.mode) for change in plan.of("added") if change.after is not None]
    if not known:
        document.extend(_new_list(document.data), new)
        return
    changing = {index: change for index, change in enumerate(known) if not change.is_settled and not _replaced(change, index, document)}
    if not changing and not new:
        return
    entries = document.entries("portals", changing)
    for index, change in changing.items():
        if change.after is not None:
            _update(entries[index], change.after)
        elif change.what == "gone":
            entries[index]["gone"] = True
    entries.remove(index for index, change in changing.items() if change.what == "pruned")
    document.extend(entries.values, new)


def _replaced(change: Change, index: int, document: Editing) -> bool:
    """Whether a portal whose texts alone are others has them already, each in its line."""
    before, after = change.before, change.after
    if change.what != "renamed" or before is None or after is None:
        return False
    return document.replace(("portals", index), {key: (was, now) for key, now in _texts(after) if (was := getattr(before, key)) != now})


def _new_list(data: Any) -> Any:
    """The list under ``portals:``, which stands behind ``jsm:``, as in the design's picture."""
    if not data.get("portals"):
        data.pop("portals", None)
        data.insert(list(data).index("jsm") + 1, "portals", [])
    return data["portals"]


def _update(entry: Any, now: PulledPortal) -> None:
    for key, value in _texts(now):
        if entry.get(key) != value:
            entry[key] = value
    entry.pop("gone", None)


def _entry(portal: PulledPortal, mode: Mode) -> dict[str, str]:
    return {**dict(_texts(portal)), "mode": mode}


def _texts(portal: PulledPortal) -> Iterable[tuple[str, str]]:
    return ((key, getattr(portal, key)) for key in PULLED)
