"""One request, as far as the hot paths need it: Werkzeug's own Request costs more than all they do with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

MAX_HEADERS = 16 * 1024  # characters of header names and values; more is answered with 431
PARSED = 512  # cookie headers that a worker need not take apart again: a browser sends the same one with each request
MAX_PARSED = 4096  # characters of such a header
MAX_PATH = 2048  # characters of a decoded path and of a query
_QUERY_SIGNS = re.compile(r"[?#&=;]")


class Visit:
    """A request under our base path. ``path`` is decoded once and begins with a slash; ``query`` is raw."""

    __slots__ = ("_cookies", "environ", "method", "path", "query")

    def __init__(self, environ: dict[str, Any], path: str) -> None:
        self.environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        self.path = path
        self.query: str = environ.get("QUERY_STRING", "")
        self._cookies: Mapping[str, str] | None = None

    @property
    def parameters(self) -> dict[str, str]:
        """The query's parameters; of several with one name the last."""
        return dict(parse_qsl(self.query)) if self.query else {}

    @property
    def cookies(self) -> Mapping[str, str]:
        """The first value of each cookie's name."""
        if self._cookies is None:
            header: str = self.environ.get("HTTP_COOKIE", "")
            self._cookies = _remembered_cookies(header) if len(header) <= MAX_PARSED else _cookies(header)
        return self._cookies

    @property
    def logged_path(self) -> str:
        """The path as the log has it: without what was meant for a query, since mail programs write ``?`` as ``%3F``."""
        return _QUERY_SIGNS.split(self.path, maxsplit=1)[0]

    @property
    def is_page_load(self) -> bool:
        """Whether a person's browser shows the answer as a page, so that it may start a login.

        ``Sec-Fetch-Mode: navigate`` says so; where a browser does not send that header, a GET whose ``Accept``
        names ``text/html``. Never a prefetch, never HEAD. Browsers set these headers themselves: a page's
        script cannot (Fetch, forbidden request-headers).
        """
        environ = self.environ
        if self.method != "GET" or self.is_prefetch:
            return False
        mode: str | None = environ.get("HTTP_SEC_FETCH_MODE")
        if mode is not None:
            destination: str = environ.get("HTTP_SEC_FETCH_DEST", "document")
            return (mode, destination) == ("navigate", "document")
        accept: str = environ.get("HTTP_ACCEPT", "")
        return bool("text/html" in accept)

    @property
    def is_prefetch(self) -> bool:
        """Whether a browser loads this only because a person might want it soon."""
        environ = self.environ
        return (
            "prefetch" in f"{environ.get('HTTP_SEC_PURPOSE', '')}{environ.get('HTTP_PURPOSE', '')}{environ.get('HTTP_X_MOZ', '')}".lower()
        )

    @property
    def is_from_our_pages(self) -> bool:
        """Whether the browser says that a page of ours sent this request (absent: an old browser, undecided)."""
        site: str = self.environ.get("HTTP_SEC_FETCH_SITE", "same-origin")
        return site == "same-origin"


def _cookies(header: str) -> Mapping[str, str]:
    # Browsers end a cookie at the next semicolon whatever stands before it (RFC 6265bis 5.6). Werkzeug's parse_cookie reads
    # quotation marks: a cookie that begins with one, from anywhere below the same domain, would swallow ours.
    found: dict[str, str] = {}
    for pair in header.split(";"):
        name, _, value = pair.strip().partition("=")
        found.setdefault(name, value)
    return found


_remembered_cookies = lru_cache(maxsize=PARSED)(_cookies)


def headers_size(environ: dict[str, Any]) -> int:
    """Characters of all header names and values, as the server hands them over."""
    return sum(len(name) + len(value) for name, value in environ.items() if name.startswith("HTTP_") and isinstance(value, str))


def decoded_path(environ: dict[str, Any]) -> str | None:
    """The path as text, or None for one that no address of ours has: ``//``, ``..``, backslash, control characters, bad UTF-8."""
    raw: str = environ.get("PATH_INFO", "")
    if not raw.isascii():
        try:
            raw = raw.encode("latin-1").decode("utf-8")  # PEP 3333: bytes as latin-1
        except UnicodeError:
            return None
    if (
        raw[:1] not in ("", "/")
        or len(raw) > MAX_PATH
        or "//" in raw
        or "\\" in raw
        or not raw.isprintable()
        or "/../" in f"{raw}/"
        or "/./" in f"{raw}/"
    ):
        return None
    return raw or "/"
