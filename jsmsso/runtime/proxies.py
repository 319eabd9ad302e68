"""Whose forwarded headers count, the address that a request came from, and how much of it the log keeps."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

UNIX = "unix"
REMEMBERED = 1024  # peers; behind a proxy there are a handful
TRUNCATED_BITS = {4: 24, 6: 48}
MAX_ADDRESS = 64  # characters; the longest there is has 45, with brackets and a port 53

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Proxies:
    """``trusted_proxies``: addresses, networks, and ``unix`` for whoever may open the unix socket."""

    def __init__(self, trusted: Sequence[str]) -> None:
        self._unix = UNIX in trusted
        self._networks = tuple(ipaddress.ip_network(one) for one in trusted if one != UNIX)
        self._trusts = lru_cache(maxsize=REMEMBERED)(self._look_up)

    def __bool__(self) -> bool:
        return self._unix or bool(self._networks)

    def are_trusted(self, environ: Mapping[str, Any]) -> bool:
        """Whether the peer that sent this request is one of them."""
        peer = environ.get("REMOTE_ADDR")
        # granian and gunicorn have an empty address for a unix socket; a server that says nothing is nobody we know.
        return self._unix if peer == "" else isinstance(peer, str) and self._trusts(peer)

    def client_of(self, environ: Mapping[str, Any]) -> str:
        """The client's address as its canonical text; empty where nobody knows (a unix socket, no trusted header).

        ``X-Forwarded-For`` is read from the right, where the nearest proxy wrote, and only past hops that are trusted:
        what stands further left is the client's own claim.
        """
        client = _canonical(environ.get("REMOTE_ADDR", ""))
        forwarded: str = environ.get("HTTP_X_FORWARDED_FOR", "")
        if not forwarded or not self.are_trusted(environ):
            return client
        for hop in reversed(forwarded.split(",")):
            address = _canonical(hop)
            if not address:
                return client
            client = address
            if not self._trusts(address):
                return client
        return client

    def _look_up(self, text: str) -> bool:
        address = _parsed(text)
        return address is not None and any(address.version == one.version and address in one for one in self._networks)


@lru_cache(maxsize=REMEMBERED)
def logged_address(address: str, how: Literal["full", "truncated", "none"]) -> str:
    """What the log keeps of a client's address: ``truncated`` is its network, /24 or (IPv6) /48."""
    if how == "full" or not address:
        return address
    if how == "none":
        return ""
    parsed = _parsed(address)
    return str(ipaddress.ip_network((parsed, TRUNCATED_BITS[parsed.version]), strict=False)) if parsed else ""


def _canonical(text: str) -> str:
    return _short_canonical(text) if len(text) <= MAX_ADDRESS else ""


@lru_cache(maxsize=REMEMBERED)  # 8 of a login's 430 microseconds in the callback
def _short_canonical(text: str) -> str:
    address = _parsed(text)
    return str(address) if address is not None else ""


def _parsed(text: str) -> _Address | None:
    """The address in one hop, which some proxies write with its port. An IPv4 address written as IPv6 is IPv4."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
