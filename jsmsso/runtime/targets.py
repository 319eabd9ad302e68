"""Which portal a path names, and where in the native portal it leads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from jsmsso.profile.model import Portal
from jsmsso.runtime.logins import portal_tag

REQUEST_KEY = re.compile(r"[A-Z][A-Z0-9_]{0,254}-[0-9]{1,18}")
NATIVE_ROOT = "/servicedesk/customer/"
_NATIVE_REST = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+){0,7}")
# What the native pages read themselves. `token`, `jwt` and `sda_source` of Atlassian's mails are credentials.
_KEPT_QUERY = frozenset(("page", "q", "reporter", "statuses"))


@dataclass(frozen=True, slots=True)
class Target:
    """What an address asks for: a portal, or (None) the list of them; ``rest`` is a path below the native portal."""

    portal: Portal | None
    path: str
    rest: str = ""
    query: str = ""

    @property
    def own_path(self) -> str:
        """The same place here, with the query that is kept."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def native_url(self) -> str:
        """The same place in the native portal."""
        assert self.portal is not None
        url = f"{self.portal.url}/{self.rest}" if self.rest else self.portal.url
        return f"{url}?{self.query}" if self.query else url


class Portals:
    """The profile's portals, found by key, by id, and by the tag in a login's state."""

    def __init__(self, portals: Sequence[Portal]) -> None:
        self.all = tuple(portal for portal in portals if not portal.gone)
        self._by_id = {portal.id: portal for portal in self.all}
        self._by_name = self._by_id | {portal.key: portal for portal in self.all}
        self._by_tag = {portal_tag(portal.id): portal for portal in self.all}

    def by_tag(self, tag: str) -> Portal | None:
        return self._by_tag.get(tag)

    def of_own_path(self, path: str) -> Portal | None:
        """The portal that a path of ours (with its query, as a login keeps it) leads to."""
        name = path.partition("?")[0]
        if name.startswith("/portal/"):
            return self.named(name.removeprefix("/portal/").partition("/")[0])
        target = self.of_native_path(name, "") if name.startswith(NATIVE_ROOT) else None
        return target.portal if target else None

    def named(self, name: str) -> Portal | None:
        """The portal of this key or id."""
        return self._by_name.get(name)

    def of_link(self, path: str) -> Target | None:
        """The target of ``/portal/<KEY or id>[/<REQUEST-KEY>]``; None for one that is not there."""
        name, _, rest = path.removeprefix("/portal/").removesuffix("/").partition("/")
        portal = self._by_name.get(name)
        if portal is None or (rest and not REQUEST_KEY.fullmatch(rest)):
            return None
        return Target(portal, f"/portal/{name}/{rest}" if rest else f"/portal/{name}", rest)

    def of_native_path(self, path: str, query: str) -> Target | None:
        """The target of one of the native portal's own paths; None for a portal that is not there."""
        asked = parse_qsl(query) if query else []
        kept = urlencode([(name, value) for name, value in asked if name in _KEPT_QUERY])
        below = path.removeprefix(NATIVE_ROOT).removesuffix("/")
        if below == "user/login":  # the native login page names in its query where it leads
            below, kept = dict(asked).get("destination", "").partition("?")[0].strip("/"), ""
        if not below.startswith("portal/"):
            return Target(None, f"{NATIVE_ROOT}portals")
        portal_id, _, rest = below.removeprefix("portal/").partition("/")
        portal = self._by_id.get(portal_id)
        if portal is None or (rest and not _NATIVE_REST.fullmatch(rest)):
            return None
        if rest == "user/login":
            rest = kept = ""
        return Target(portal, f"{NATIVE_ROOT}portal/{portal_id}" + (f"/{rest}" if rest else ""), rest, kept)
