"""Addresses of calls: their origin, where a redirect may lead, and how they may be shown."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from urllib.parse import quote, urljoin, urlsplit

from jsmsso.errors import WireFailed

AS_IT_IS = "!$%&'()*+,/:;=?@"  # in an address that is sent, beside letters and digits (RFC 3986 3.3, 3.4)


def is_loopback(host: str) -> bool:
    """Whether a host's name or address can only be this machine (RFC 6761 6.3, RFC 1122 3.2.1.3, RFC 4291 2.5.3)."""
    host = host.strip("[]").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def same_origin_redirect(url: str, location: str) -> str:
    """Where a redirect from ``url`` leads. Raises :class:`WireFailed` when that is another origin."""
    try:
        target = urljoin(url, location)
    except ValueError:
        raise WireFailed("redirect", without_query(url), "it redirects to what is no address") from None
    if split_address(target)[0] != split_address(url)[0]:
        raise WireFailed("redirect", without_query(url), f"it redirects to another host: {without_query(target)}")
    return target


def without_query(url: str) -> str:
    """An address that may be shown and logged: no query, no fragment, no user."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@lru_cache(maxsize=1024)
def split_address(url: str) -> tuple[str, str, bool]:
    """Origin, request target, and whether the host is loopback."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise WireFailed("protocol", "an address", f"is no URL: {error}") from error
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        raise WireFailed("protocol", without_query(url), "is no http or https URL")
    name = f"[{host}]" if ":" in host else host
    usual = 443 if parts.scheme == "https" else 80
    origin = f"{parts.scheme}://{name}" + (f":{port}" if port not in (None, usual) else "")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return origin, quote(target, safe=AS_IT_IS), is_loopback(host)
