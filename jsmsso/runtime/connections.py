"""How many connections a worker holds, and an end for those on which nothing moves any more."""

from __future__ import annotations

import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack

from jsmsso.runtime.bodies import SLOWEST

CONNECTIONS = 1024  # of a worker; browsers and proxies keep them open between requests, and each holds no thread
OTHER_FILES = 256  # what a worker opens beside connections
STALLED_SECONDS = 60.0  # the longest answer, a login's, waits for 40 seconds on a provider and JSM
OVERDUE_SECONDS = 9.0  # a second less than a body may take: its last bytes came after it began
RATE_SECONDS = 3.0  # over which a sender's pace is measured
LOOK_SECONDS = 1.0  # for overdue bodies
ALL_LOOK_SECONDS = 10.0  # for all connections
# Bytes into Linux's struct tcp_info: milliseconds since data was sent and received, and how many bytes were.
_LAST_DATA_SENT, _LAST_DATA_RECEIVED, _BYTES_RECEIVED = 44, 52, 128


def allow_connections() -> int:
    """Raise this process's limit of open files as far as it may; returns how many connections a worker can then hold."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return CONNECTIONS
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(allowed - OTHER_FILES, OTHER_FILES)


def cut_stalled_ones(overdue_peers: Callable[[], Collection[str]]) -> None:
    """Start a thread that cuts, in this process, what :class:`Stalled` finds. On Linux; elsewhere a proxy must do it.

    ``overdue_peers``: the addresses of those who do not send on a body, and hold a thread with it.
    """
    if sys.platform == "linux":
        threading.Thread(target=_look_again_and_again, args=(overdue_peers,), name="jsmsso-stalled", daemon=True).start()


class Stalled:
    """TCP connections to this process's listening ports that lead nowhere.

    The server itself ends what is idle between requests and slow in its headers. This is for the rest: a body that stops
    half-way or drips, an answer that nobody takes.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._received: dict[int, tuple[float, int]] = {}

    def cut(self, overdue_peers: Collection[str] = ()) -> int:
        """Cut those on which neither side sent a byte for a minute; returns how many.

        Of ``overdue_peers`` those to which nothing was sent for nine seconds and that sent nothing either, or less than
        a body must bring.
        """
        with ExitStack() as opened:
            sockets = [opened.enter_context(one) for one in _sockets()]
            ports = {one.getsockname()[1] for one in sockets if one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)}
            seen: dict[int, tuple[float, int]] = {}
            cut = sum(self._cut(one, ports, overdue_peers, seen) for one in sockets)
        self._received = seen
        return cut

    def _cut(self, one: socket.socket, ports: set[int], overdue_peers: Collection[str], seen: dict[int, tuple[float, int]]) -> bool:
        try:
            if one.getsockname()[1] not in ports:
                return False
            peer = one.getpeername()[0]  # a listening socket has none
            told = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES_RECEIVED + 8)
            sent, received = (struct.unpack_from("I", told, place)[0] / 1000 for place in (_LAST_DATA_SENT, _LAST_DATA_RECEIVED))
            leads_nowhere: bool = min(sent, received) > STALLED_SECONDS
            if peer in overdue_peers and sent > OVERDUE_SECONDS:
                leads_nowhere = leads_nowhere or received > OVERDUE_SECONDS or self._is_slow(one, told, seen)
            if leads_nowhere:
                one.shutdown(socket.SHUT_RDWR)
            return leads_nowhere
        except OSError:
            return False  # it ended meanwhile

    def _is_slow(self, one: socket.socket, told: bytes, seen: dict[int, tuple[float, int]]) -> bool:
        key = os.fstat(one.fileno()).st_ino
        if len(told) < _BYTES_RECEIVED + 8:
            return False  # Linux before 4.1
        now, received = self._now(), struct.unpack_from("Q", told, _BYTES_RECEIVED)[0]
        since, before = seen[key] = self._received.get(key, (now, received))
        if now < since + RATE_SECONDS:
            return False
        seen[key] = now, received
        return bool(received - before < SLOWEST * (now - since))


def _sockets() -> Iterator[socket.socket]:
    """This process's TCP sockets, each by a descriptor of our own, which nobody else can close and give away meanwhile."""
    for name in os.listdir("/proc/self/fd"):
        try:
            if not os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                continue
            one = socket.socket(fileno=os.dup(int(name)))
        except OSError:
            continue  # closed since it was listed
        if one.family in (socket.AF_INET, socket.AF_INET6) and one.type == socket.SOCK_STREAM:
            yield one
        else:
            one.close()


def _look_again_and_again(overdue_peers: Callable[[], Collection[str]]) -> None:
    stalled = Stalled()
    looked = time.monotonic()
    while True:
        time.sleep(LOOK_SECONDS)
        overdue = overdue_peers()
        if overdue or time.monotonic() >= looked + ALL_LOOK_SECONDS:
            looked = time.monotonic()
            try:
                stalled.cut(overdue)
            except OSError:
                continue  # no more files may be opened just now; the next look has better luck
