"""Where a browser goes: the URL Standard's reading of an address, as far as its origin, and the addresses in a page.

What counts is not how Python reads an address but how browsers do, which forgive nearly everything (URL Standard 4.4,
"basic URL parser"). ``test_open_redirects`` holds this against a real Chromium.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from ipaddress import ip_address
from urllib.parse import unquote_to_bytes, urlsplit

import idna

SPECIAL = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21}
_FORBIDDEN_IN_A_DOMAIN = re.compile("[\x00-\x20#/:<>?@\\[\\\\\\]^|%\x7f]")


def origin_at(address: str, base: str) -> str:
    """The origin at which a browser looks for ``address`` found at ``base``; ``SCHEME:`` for one without an origin; else empty."""
    address = address.strip("".join(map(chr, range(0x21))))
    address = re.sub("[\t\n\r]", "", address)
    at = urlsplit(base)
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", address)
    scheme = found[1].lower() if found else at.scheme
    if found:
        address = address[found.end() :]
        if scheme not in SPECIAL:
            return f"{scheme}:"
        if scheme != at.scheme or address.startswith("//"):
            return _origin(scheme, address.lstrip("/\\"))
    if re.match(r"[/\\]{2}", address):
        return _origin(scheme, address.lstrip("/\\"))
    return f"{at.scheme}://{at.netloc}"


def _origin(scheme: str, rest: str) -> str:
    authority = re.split(r"[/\\?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    found = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::([0-9]*))?", authority)
    if found is None or not found[1]:
        return ""
    host = _ipv6(found[1]) if found[1].startswith("[") else _domain(found[1])
    port = int(found[2]) if found[2] else SPECIAL[scheme]
    if not host or port > 65535:
        return ""
    return f"{scheme}://{host}" + ("" if port == SPECIAL[scheme] else f":{port}")


def _ipv6(text: str) -> str:
    try:
        return f"[{ip_address(text.strip('[]'))!s}]"
    except ValueError:
        return ""


def _domain(text: str) -> str:
    """Percent-decoded, as ASCII; an address of numbers as its four numbers. Empty for what no browser takes."""
    try:
        text = unquote_to_bytes(text).decode()
        name = idna.uts46_remap(text, std3_rules=False) if not text.isascii() else text.lower()
        name = ".".join(label if label.isascii() else "xn--" + label.encode("punycode").decode() for label in name.split("."))
    except (UnicodeError, idna.IDNAError):
        return ""
    if not name or _FORBIDDEN_IN_A_DOMAIN.search(name):
        return ""
    last = name.removesuffix(".").rpartition(".")[2]
    return _of_numbers(name) if re.fullmatch(r"[0-9]+|0[xX][0-9a-fA-F]*", last) else name


def _of_numbers(name: str) -> str:
    parts = name.removesuffix(".").split(".")
    try:
        numbers = [int(part or "0", 16 if part[:2] in ("0x", "0X") else 8 if part[:1] == "0" and len(part) > 1 else 10) for part in parts]
    except ValueError:
        return ""
    if len(parts) > 4 or any(number > 255 for number in numbers[:-1]) or numbers[-1] >= 256 ** (5 - len(numbers)):
        return ""
    whole = numbers[-1] + sum(number * 256 ** (3 - place) for place, number in enumerate(numbers[:-1]))
    return ".".join(str(whole >> shift & 255) for shift in (24, 16, 8, 0))


def addresses_in(html: str) -> list[str]:
    """Every address to which a page leads or from which it loads."""
    page = _Addresses()
    page.feed(html)
    page.close()
    return page.found


class _Addresses(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src", "action", "formaction", "srcset", "poster", "background", "cite", "ping", "data"):
                self.found.append(value or "")
            if name == "content" and tag == "meta" and ("http-equiv", "refresh") in [(k, (v or "").lower()) for k, v in attrs]:
                self.found.append((value or "").partition("=")[2])
