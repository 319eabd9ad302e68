"""The request that a proxy asks about, as the proxy's headers tell it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import urlsplit

from jsmsso.runtime.site_paths import readable_path

Reason = Literal["no_address", "doubled_address", "conflicting_addresses", "other_host", "strange_path"]

REMEMBERED = 2048  # addresses that were read before, of at most so many characters
REMEMBERED_LENGTH = 512
_FORWARDED = ("HTTP_X_FORWARDED_METHOD", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST")
_URL = re.compile(r"(?:https?|wss?)://([^/?#]*)(/.*)", re.IGNORECASE | re.DOTALL)
_SCHEMES = ("https", "http", "wss", "ws")
_METHOD = re.compile(r"[A-Z]{1,20}")
_DEFAULT_PORT = re.compile(r":(?:443|80)$")
# A server joins a header that came twice with a comma, which a path may hold as well; what follows it tells.
_JOINED = re.compile(r",\s*(?:/|[a-z]+://)", re.IGNORECASE)


class NotTold(ValueError):
    """The headers do not say, as one, what was asked for."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class OriginalRequest:
    """``path`` is decoded once; ``raw_path`` and ``query`` are as asked, ASCII."""

    method: str
    path: str
    raw_path: str
    query: str


def host_of(url: str) -> str:
    """The host of an address as a browser's ``Host`` header has it, without a default port."""
    return _DEFAULT_PORT.sub("", urlsplit(url).netloc.lower())


def read_original(environ: Mapping[str, Any], host: str) -> OriginalRequest:
    """The original request, for ``host`` alone. Raises :class:`NotTold`.

    It comes in ``X-Original-URL`` (with ``X-Original-Method``, else GET), or in all of ``X-Forwarded-Method``,
    ``-Proto``, ``-Host`` and ``-Uri``. Where a client's headers let both through they must agree. The caller has
    made sure that a trusted proxy sent them.
    """
    url: str | None = environ.get("HTTP_X_ORIGINAL_URL")
    uri: str | None = environ.get("HTTP_X_FORWARDED_URI")
    if url is None:
        return _forwarded(environ, uri, host)
    read = _whole if len(url) <= REMEMBERED_LENGTH else _whole.__wrapped__
    original = read(url, environ.get("HTTP_X_ORIGINAL_METHOD", "GET"), host)
    if uri is not None and not _agree(original, _forwarded(environ, uri, host)):
        raise NotTold("conflicting_addresses")
    return original


# A page of the portal loads the same fifty files for everybody.
@lru_cache(maxsize=REMEMBERED)
def _whole(url: str, method: str, host: str) -> OriginalRequest:
    if _JOINED.search(url):
        raise NotTold("doubled_address")
    found = _URL.fullmatch(url)
    if found is None:
        raise NotTold("strange_path" if url else "no_address")
    _check_host(found[1], host)
    return _request(method, found[2])


def _forwarded(environ: Mapping[str, Any], uri: str | None, host: str) -> OriginalRequest:
    method, scheme, named = (environ.get(name, "") for name in _FORWARDED)
    if not (uri and method and scheme and named):
        raise NotTold("no_address")
    read = _parts if len(uri) <= REMEMBERED_LENGTH else _parts.__wrapped__
    return read(uri, method, scheme, named, host)


@lru_cache(maxsize=REMEMBERED)
def _parts(uri: str, method: str, scheme: str, named: str, host: str) -> OriginalRequest:
    if _JOINED.search(uri) or "," in f"{method}{scheme}{named}":
        raise NotTold("doubled_address")
    if scheme not in _SCHEMES:
        raise NotTold("no_address")
    _check_host(named, host)
    return _request(method, uri)


def _check_host(named: str, host: str) -> None:
    if _DEFAULT_PORT.sub("", named.lower()) != host:
        raise NotTold("other_host")


def _request(method: str, target: str) -> OriginalRequest:
    raw_path, _, query = target.partition("?")
    path = readable_path(raw_path)
    if path is None or "#" in query:
        raise NotTold("strange_path")
    if not _METHOD.fullmatch(method):
        raise NotTold("no_address")
    return OriginalRequest(method, path, raw_path, query)


def _agree(one: OriginalRequest, other: OriginalRequest) -> bool:
    return (one.path, one.query) == (other.path, other.query)
