"""The addresses of a hosted portal, below ``/portal/<KEY or id>``. Whatever names a request is looked at before its handler is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from jsmsso.portal.once import KEY

_KEY = r"(?P<key>[A-Z][A-Z0-9_]{0,254}-[0-9]{1,18})"
_NUMBER = r"[0-9]{1,19}"


@dataclass(frozen=True, slots=True)
class Route:
    """``about`` says what must be allowed before ``name`` is called: the portal, or the request that the address names as well.

    ``is_for_anybody``: at a public portal strangers get an answer of their own (:mod:`jsmsso.portal.strangers`).
    """

    method: Literal["GET", "POST"]
    pattern: re.Pattern[str]
    name: str
    about: Literal["portal", "request"]
    is_for_anybody: bool = False


def _route(method: Literal["GET", "POST"], pattern: str, name: str, *, is_for_anybody: bool = False) -> Route:
    return Route(method, re.compile(pattern), name, "request" if _KEY in pattern else "portal", is_for_anybody)


ROUTES = (
    _route("GET", "", "home", is_for_anybody=True),
    _route("GET", "search", "search", is_for_anybody=True),
    _route("GET", rf"icon/(?P<type>{_NUMBER})", "icon", is_for_anybody=True),
    _route("GET", rf"article/(?P<article>{_NUMBER})", "article", is_for_anybody=True),
    _route("GET", rf"create/(?P<type>{_NUMBER})", "form"),
    _route("POST", rf"create/(?P<type>{_NUMBER})", "raise_request"),
    _route("GET", rf"sending/(?P<once>{KEY})", "sending_request"),
    _route("GET", _KEY, "request"),
    _route("GET", rf"{_KEY}/updates", "updates"),
    _route("POST", rf"{_KEY}/comment", "comment"),
    _route("POST", rf"{_KEY}/attachment", "attach"),
    _route("POST", rf"{_KEY}/transition", "transition"),
    _route("GET", rf"{_KEY}/sending/(?P<once>{KEY})", "sending_answer"),
    _route("POST", rf"{_KEY}/share", "share"),
    _route("GET", rf"{_KEY}/attachment/(?P<attachment>{_NUMBER})", "attachment"),
    _route("GET", rf"{_KEY}/thumbnail/(?P<attachment>{_NUMBER})", "thumbnail"),
)

# The native portal's own addresses, below its portal's: old bookmarks and JSM's mails have them.
NATIVE = (
    (re.compile(rf"group/{_NUMBER}/create/(?P<type>{_NUMBER})"), "create/{type}"),
    (re.compile(rf"group/{_NUMBER}"), ""),
)


def find(method: str, rest: str) -> tuple[Route, dict[str, str]] | None:
    """The route of ``rest`` (without a slash at either end) and the named parts of it."""
    for route in ROUTES:
        if route.method == method and (found := route.pattern.fullmatch(rest)) is not None:
            return route, found.groupdict()
    return None


def methods_of(rest: str) -> tuple[str, ...]:
    """The methods that an address takes; none for one that is not there."""
    return tuple(dict.fromkeys(route.method for route in ROUTES if route.pattern.fullmatch(rest)))


def from_native(rest: str) -> str:
    """An address below the native portal's as one of ours."""
    for pattern, ours in NATIVE:
        if (found := pattern.fullmatch(rest)) is not None:
            return ours.format(**found.groupdict())
    return rest
