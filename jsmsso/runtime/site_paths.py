"""Paths of the Data Center site behind forward auth: read as one thing by everybody, and which portal they belong to."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal
from urllib.parse import unquote_to_bytes, urlsplit

from jsmsso.profile.model import Portal
from jsmsso.runtime.targets import NATIVE_ROOT, REQUEST_KEY

REMEMBERED = 2048  # paths that were looked up before, of at most so many characters
REMEMBERED_LENGTH = 512
MAX_PATH = 4096  # characters as asked; Jira names many parts of a page in the address of one style sheet
_PLAIN = re.compile(r"/[A-Za-z0-9_/.,:~@!$&'()*+=|-]*")
# A backslash, `;` (Tomcat drops what follows it in a segment), `#` and what is no character of an address.
_RAW = re.compile(r"/(?:[^\x00-\x20\x7f-\U0010ffff%\\;#?]|%[0-9A-Fa-f]{2})*")
_ENCODED_STRUCTURE = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff]|2[EeFf]|5[Cc]|3[BbFf]|23)")  # controls and . / \ ; ? #
_TWICE_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
_CONTROLS = ("Cc", "Zl", "Zp")

_PORTAL = NATIVE_ROOT + "portal/"
_ID = re.compile(r"[1-9][0-9]{0,18}")
# What the portal's pages load, whichever portal it is: Atlassian's performance toolkit for Data Center asks for
# these, and a page of the portal names them. Jira has no addresses that tell one portal's share of them.
_SHARED = (
    NATIVE_ROOT,
    "/servicedesk/customershim/",
    "/rest/servicedesk/1/customer/",
    "/rest/servicedesk/1/servicedesk/customer/",
    "/rest/servicedesk/latest/customer/",
    "/rest/servicedesk/search/",
    "/rest/servicedesk/knowledgebase/",
    "/rest/webResources/",
    "/rest/wrm/",
    "/rest/analytics/",
    "/download/",
    "/images/",
)
_SHARED_FILES = ("/servicedesk/customer", "/favicon.ico")
_KNOWN = re.compile(r"/(?:s/|rest/|servicedesk/(?:customer/portal/)?)", re.IGNORECASE)


def readable_path(raw: str) -> str | None:
    """A path as asked, decoded once; None for one that some program may read as another path.

    Refused are `//`, dot segments, backslashes, `;`, `#`, control characters, bad UTF-8, and any of these or a
    slash in its percent-encoded form, once or twice.
    """
    if len(raw) > MAX_PATH:
        return None
    if _PLAIN.fullmatch(raw):
        path = raw
    else:
        if not _RAW.fullmatch(raw) or _ENCODED_STRUCTURE.search(raw):
            return None
        try:
            path = unquote_to_bytes(raw).decode()
        except UnicodeDecodeError:
            return None
        if _TWICE_ENCODED.search(path) or any(unicodedata.category(one) in _CONTROLS for one in path):
            return None
    if "//" in path or (("/." in path or "/ " in path) and any(one and not one.strip(" .") for one in path.split("/"))):
        return None
    return path


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path leads: into a ``portal``, to what all portals ``share``, to something ``other``, or nobody can tell (``strange``)."""

    kind: Literal["portal", "shared", "other", "strange"]
    portal: Portal | None = None


SHARED, OTHER, STRANGE = Place("shared"), Place("other"), Place("strange")


class SitePaths:
    """The site's portals by the paths of their native pages. Its context path (``/jira``) is that of the portals' addresses."""

    def __init__(self, portals: Sequence[Portal], site_url: str = "") -> None:
        self._by_id = {portal.id: Place("portal", portal) for portal in portals}
        self._by_key = {portal.key: Place("portal", portal) for portal in portals}
        contexts = {urlsplit(portal.url).path.partition(_PORTAL)[0] for portal in portals} or {urlsplit(site_url).path.rstrip("/")}
        self._contexts = tuple(sorted(contexts, key=len, reverse=True))
        self._remembered = lru_cache(maxsize=REMEMBERED)(self._look_up)

    def place_of(self, path: str) -> Place:
        """The place of a path that :func:`readable_path` gave."""
        return self._remembered(path) if len(path) <= REMEMBERED_LENGTH else self._look_up(path)

    def _look_up(self, path: str) -> Place:
        for context in self._contexts:
            if path.startswith(context + "/"):
                return self._within(path[len(context) :])
        return OTHER

    def _within(self, path: str) -> Place:
        # Jira forwards /s/ANYTHING/_/PATH to PATH, whatever it is (its CachingResourceDownloadRewriteRule).
        while path.startswith("/s/") and "/_/" in path:
            path = "/" + path.rpartition("/_/")[2]
        known = _KNOWN.match(path)
        if known is not None and known[0] != known[0].lower():
            return STRANGE
        if path.startswith(_PORTAL):
            return self._of_portal(path)
        if path.startswith(_SHARED) or path in _SHARED_FILES:
            return self._named_in(path)
        return OTHER

    def _of_portal(self, path: str) -> Place:
        portal_id, _, rest = path[len(_PORTAL) :].partition("/")
        if not portal_id:
            return OTHER
        if not _ID.fullmatch(portal_id):
            return STRANGE  # Java reads 03 and other scripts' digits as 3
        place = self._by_id.get(portal_id, OTHER)
        named = self._of_request_key(rest.partition("/")[0])
        return STRANGE if named is not None and named is not place and named.portal != place.portal else place

    def _named_in(self, path: str) -> Place:
        """The portal that a shared path names after all, by its id or by a request of it."""
        segments = path.split("/")
        for before, segment in pairwise(segments):
            if before == "portal" and segment.isdigit():
                return self._by_id.get(segment, OTHER) if _ID.fullmatch(segment) else STRANGE
            if (named := self._of_request_key(segment)) is not None:
                return named
        return SHARED

    def _of_request_key(self, segment: str) -> Place | None:
        return self._by_key.get(segment.rpartition("-")[0]) if REQUEST_KEY.fullmatch(segment) else None
