"""One request, as far as the hot paths need it: Werkzeug's own Request costs more than all they do with it."""

from __future__ import annotations

from typing import Any

from werkzeug.http import parse_cookie

MAX_HEADERS = 16 * 1024  # characters of header names and values; more is answered with 431
MAX_PATH = 2048  # characters of a decoded path and of a query


class Visit:
    """A request under our base path. ``path`` is decoded once and begins with a slash; ``query`` is raw."""

    __slots__ = ("_cookies", "environ", "method", "path", "query")

    def __init__(self, environ: dict[str, Any], path: str) -> None:
        self.environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        self.path = path
        self.query: str = environ.get("QUERY_STRING", "")
        self._cookies: dict[str, str] | None = None

    @property
    def cookies(self) -> dict[str, str]:
        """The first value of each cookie's name."""
        if self._cookies is None:
            # Cookies of other applications on this host may be anything; werkzeug wants the bytes to be UTF-8.
            header = self.environ.get("HTTP_COOKIE", "")
            parsed = parse_cookie(header if header.isascii() else header.encode("ascii", "replace").decode())
            self._cookies = {name: parsed[name] for name in parsed}
        return self._cookies

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
    if len(raw) > MAX_PATH or "//" in raw or "\\" in raw or not raw.isprintable() or "/../" in f"{raw}/" or "/./" in f"{raw}/":
        return None
    return raw or "/"
