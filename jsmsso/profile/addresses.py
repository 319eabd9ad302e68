"""Addresses as the profile takes them: https, or http on a loopback address; never with a user in them."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from jsmsso.identity.email_address import NotAnEmailAddress, fold_domain

_ALLOWED = re.compile(r"[!-~]+")  # printable ASCII without spaces
_FORBIDDEN = re.compile(r'["<>\\^`|]')
_SECRET_PARAMETER = re.compile(r"(^|&)[^=&]*(secret|token|passw|pwd|key|sig|code)[^=&]*=[^&]", re.IGNORECASE)
_PLAIN_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*")


class NotAnAddress(ValueError):
    """The text is no address that is taken there. Message and hint never repeat it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def check_address(text: str, *, query: bool = False, plain: bool = False, schemes: tuple[str, ...] = ("https", "http")) -> SplitResult:
    """The parts of an address; a scheme without TLS only on loopback unless ``plain``. Raises :class:`NotAnAddress`."""
    refuse_user(text)
    if not _ALLOWED.fullmatch(text) or _FORBIDDEN.search(text):
        raise NotAnAddress("it holds a character that no address has", "Percent-encode it; write a host in its xn-- form.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise NotAnAddress("it is not an address", _example(schemes)) from None
    if parts.scheme not in schemes or not parts.hostname:
        raise NotAnAddress("it is not an address that begins with " + " or ".join(f"{scheme}://" for scheme in schemes), _example(schemes))
    if port == 0 or not is_host(parts.hostname):
        raise NotAnAddress("its host is not a name or IP address", _example(schemes))
    if parts.scheme == "http" and not plain and not is_loopback(parts.hostname):
        raise NotAnAddress("http:// is taken for loopback addresses only", "Write https://.")
    if "#" in text:
        raise NotAnAddress("it has a fragment", "Delete the # and what follows it.")
    if "?" in text and not query:
        raise NotAnAddress("it has a query", "Delete the ? and what follows it.")
    if _SECRET_PARAMETER.search(parts.query):
        raise NotAnAddress("it holds a secret in its query", "No secret may stand in the profile.")
    return parts


def refuse_user(text: str) -> None:
    """Raises :class:`NotAnAddress` where an address holds a user or a password, wherever it is written."""
    authority = re.split(r"[/?#]", text.partition("//")[2], maxsplit=1)[0]
    if "@" in authority:
        user = authority.rpartition("@")[0]
        found = "a literal secret stands in it (user:password@host)" if ":" in user else "it holds a user (user@host)"
        raise NotAnAddress(found, "Delete everything between // and @; no secret may stand in the profile.")


def base_address(text: str) -> str:
    """``text`` with scheme and host in lower case, without the scheme's own port and a final slash."""
    parts = check_address(text)
    if not _PLAIN_PATH.fullmatch(path := parts.path.rstrip("/")) or {".", ".."} & set(path.split("/")):
        raise NotAnAddress("its path may hold letters, digits and . _ ~ - only", "For example https://jira.acme.com/_sso.")
    return f"{parts.scheme}://{_authority(parts)}{path}"


def store_address(text: str) -> str:
    """A SQLite file by its absolute path, or a Redis server. Raises :class:`NotAnAddress`."""
    refuse_user(text)
    if text.startswith("sqlite:"):
        if not re.fullmatch(r"sqlite:////[^?#\x00-\x1f]*[^/?#\x00-\x1f]", text):
            raise NotAnAddress(
                "a SQLite store needs an absolute path after three slashes", "For example sqlite:////var/lib/jsmsso/state.db."
            )
        return text
    parts = check_address(text, plain=True, schemes=("sqlite", "rediss", "redis"))
    if not re.fullmatch(r"(/[0-9]{0,4})?", parts.path):
        raise NotAnAddress("a Redis address ends with the number of a database", "For example rediss://redis.acme.com:6379/0.")
    return text


def origin_of(address: str) -> str:
    """Scheme, host and port of a checked address, as a browser writes them in ``Origin``."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{_authority(parts)}"


def is_loopback(host: str) -> bool:
    """Whether ``host`` is ``localhost``, in 127.0.0.0/8 or ``::1`` (RFC 8252 7.3, RFC 6761 6.3)."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_host(host: str) -> bool:
    """Whether ``host`` (without brackets) is an IP address or a host name in ASCII."""
    try:
        ipaddress.ip_address(host)
        return "%" not in host
    except ValueError:
        pass
    try:
        fold_domain(host)
    except NotAnEmailAddress:
        return False
    # 127.1 and 0x7f.1 reach a loopback address in some resolvers and a host in others (WHATWG URL 3.5).
    return host.isascii() and not re.fullmatch(r"[0-9]+|0x[0-9a-f]*", host.rpartition(".")[2])


def _authority(parts: SplitResult) -> str:
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    own = {"https": 443, "http": 80}.get(parts.scheme)
    return host if parts.port in (None, own) else f"{host}:{parts.port}"


def _example(schemes: tuple[str, ...]) -> str:
    return f"For example {schemes[0]}://sso.acme.com."
