"""Service desks as portals, and what has to change in the profile for it to list them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from jsmsso.errors import CheckFailed, JsmRefused
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.paging import Progress
from jsmsso.jsm.request_types import NO_SUCH_CALL, RequestType, each_request_type, each_request_type_of
from jsmsso.jsm.service_desks import ServiceDesk, list_service_desks
from jsmsso.jsm.side_by_side import beside
from jsmsso.jsm.site import Site
from jsmsso.profile.model import Portal

Mode = Literal["hosted", "redirect", "native"]
What = Literal["same", "added", "renamed", "gone", "back", "pruned"]


@dataclass(frozen=True, slots=True)
class PulledPortal:
    """A portal as JSM has it now. The five texts that ``portals sync`` writes."""

    id: str
    key: str
    service_desk: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one portal. ``before`` is the profile's, None for a new one; ``after`` JSM's, None for one that is gone."""

    what: What
    before: Portal | None
    after: PulledPortal | None
    mode: Mode

    @property
    def is_settled(self) -> bool:
        """Whether the profile has it already."""
        return self.what == "same" or (self.what == "gone" and self.before is not None and self.before.gone)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a synchronization does: the profile's portals in their order, then the new ones."""

    changes: tuple[Change, ...]

    def of(self, what: What) -> tuple[Change, ...]:
        """The changes of one sort."""
        return tuple(change for change in self.changes if change.what == what)

    @property
    def is_empty(self) -> bool:
        """Whether the profile says already what JSM says."""
        return all(change.is_settled for change in self.changes)


def pull_portals(
    client: JsmClient, desks_progress: Progress = lambda count, done: None, types_progress: Progress = lambda count, done: None
) -> tuple[PulledPortal, ...]:
    """Every portal that the service account may see. No call per desk, where the site can list all types at once.

    Desks and types are listed side by side, each one page after the other.
    """
    with beside(lambda progress: _listed_portal_ids(client, progress), types_progress) as listed:
        desks = list_service_desks(client, desks_progress)
        portal_ids = listed.result() if desks else {}
    if portal_ids is None:
        portal_ids = _portal_ids(each_request_type_of(client, desks, types_progress))
    return tuple(_pulled(client.base_url, desk, portal_ids.get(desk.id, desk.id)) for desk in desks)


def mode_of_new_portals(site: Site) -> Mode:
    """``hosted`` on Cloud, whose native portal takes no login of ours; ``redirect`` on Data Center."""
    return "hosted" if site.is_cloud else "redirect"


def compare(known: Sequence[Portal], pulled: Iterable[PulledPortal], mode: Mode, *, prune: bool = False) -> Plan:
    """What to change. A portal is the same by its service desk, else (a desk made anew) by its key.

    Raises :class:`CheckFailed` where a key that a vanished portal still has now belongs to another desk.
    """
    left = {portal.service_desk: portal for portal in pulled}
    match: dict[int, PulledPortal] = {}
    for index, portal in enumerate(known):
        if portal.service_desk in left:
            match[index] = left.pop(portal.service_desk)
    by_key = {portal.key: portal for portal in left.values()}
    for index, portal in enumerate(known):
        if index not in match and portal.key in by_key:
            match[index] = left.pop(by_key.pop(portal.key).service_desk)
    changes = [_change(portal, match.get(index), prune) for index, portal in enumerate(known)]
    changes += [Change("added", None, portal, mode) for portal in left.values()]
    _refuse_two_of_one_key(changes)
    return Plan(tuple(changes))


def _listed_portal_ids(client: JsmClient, progress: Progress) -> dict[str, str] | None:
    """Service desk id -> portal id; None where the site cannot list all request types at once."""
    try:
        return _portal_ids(each_request_type(client, progress))
    except JsmRefused as error:
        if error.status in NO_SUCH_CALL:
            return None
        raise


def _portal_ids(types: Iterable[RequestType]) -> dict[str, str]:
    """Service desk id -> portal id, as its first request type has it."""
    found: dict[str, str] = {}
    for request_type in types:
        if request_type.portal_id:
            found.setdefault(request_type.service_desk_id, request_type.portal_id)
    return found


def _pulled(base_url: str, desk: ServiceDesk, portal_id: str) -> PulledPortal:
    return PulledPortal(portal_id, desk.key, desk.id, _tidy(desk.name), f"{base_url}/servicedesk/customer/portal/{portal_id}")


def _tidy(name: str) -> str:
    """A name on one line, without control characters, which no terminal and no page should meet."""
    return " ".join("".join(c if c.isprintable() else " " for c in name).split()) or "Service desk"


def _change(portal: Portal, now: PulledPortal | None, prune: bool) -> Change:
    if now is None:
        return Change("pruned" if prune else "gone", portal, None, portal.mode)
    if portal.gone:
        return Change("back", portal, now, portal.mode)
    same = (portal.id, portal.key, portal.service_desk, portal.name, portal.url) == (now.id, now.key, now.service_desk, now.name, now.url)
    return Change("same" if same else "renamed", portal, now, portal.mode)


def _refuse_two_of_one_key(changes: Iterable[Change]) -> None:
    """Portal links name a key or an id; two portals cannot share one."""
    taken: dict[tuple[str, str], Change] = {}
    for change in sorted(changes, key=lambda change: change.after is None):
        if change.what == "pruned":
            continue
        portal = change.after or change.before
        assert portal is not None
        for sort, value in (("key", portal.key), ("id", portal.id)):
            other = taken.setdefault((sort, value), change)
            if other is not change:
                raise CheckFailed(
                    f"portal {sort} {value} belongs to service desk {_desk(other)} now, but the profile has it for {_desk(change)} too",
                    "If that one is gone for good, run: jsmsso portals sync --prune",
                )


def _desk(change: Change) -> str:
    portal = change.after or change.before
    return portal.service_desk if portal is not None else ""
