"""How many connections a worker holds, and an end for those on which nothing moves any more."""

from __future__ import annotations

import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator

CONNECTIONS = 1024  # of a worker; browsers and proxies keep them open between requests, and each holds no thread
OTHER_FILES = 256  # what a worker opens beside connections
STALLED_SECONDS = 60.0  # the longest answer, a login's, waits for 40 seconds on a provider and JSM
OVERDUE_SECONDS = 9.0  # a second less than a body may take: its last bytes came after it began
LOOK_SECONDS = 1.0  # for overdue bodies
ALL_LOOK_SECONDS = 10.0  # for all connections
_LAST_DATA_SENT, _LAST_DATA_RECEIVED = 44, 52  # bytes into Linux's struct tcp_info; both milliseconds


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
    """Start a thread that cuts, in this process, what :func:`cut_stalled` says. On Linux; elsewhere a proxy must do it.

    ``overdue_peers``: the addresses of those who do not send on a body, and hold a thread with it.
    """
    if sys.platform == "linux":
        threading.Thread(target=_look_again_and_again, args=(overdue_peers,), name="jsmsso-stalled", daemon=True).start()


def cut_stalled(overdue_peers: Collection[str] = ()) -> int:
    """Cut the TCP connections to this process's listening ports on which neither side sent a byte for a minute; returns how many.

    Of ``overdue_peers`` those on which nothing moved for ten seconds. The server itself ends what is idle between requests
    and slow in its headers; this is for the rest: a body that stops half-way, an answer that nobody takes.
    """
    cut = 0
    ports: set[int] = set()
    connected: list[socket.socket] = []
    try:
        for one in _sockets():
            if one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                ports.add(one.getsockname()[1])
                one.close()
            else:
                connected.append(one)
        for one in connected:
            cut += one.getsockname()[1] in ports and _cut_if_quiet(one, overdue_peers)
    finally:
        for one in connected:
            one.close()
    return cut


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


def _cut_if_quiet(one: socket.socket, overdue_peers: Collection[str]) -> bool:
    try:
        seconds = OVERDUE_SECONDS if one.getpeername()[0] in overdue_peers else STALLED_SECONDS
        if _quiet_seconds(one) <= seconds:
            return False
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        return False  # it ended meanwhile
    return True


def _quiet_seconds(one: socket.socket) -> float:
    told = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_DATA_RECEIVED + 4)
    milliseconds: list[int] = [struct.unpack_from("I", told, place)[0] for place in (_LAST_DATA_SENT, _LAST_DATA_RECEIVED)]
    return min(milliseconds) / 1000


def _look_again_and_again(overdue_peers: Callable[[], Collection[str]]) -> None:
    looked = time.monotonic()
    while True:
        time.sleep(LOOK_SECONDS)
        overdue = overdue_peers()
        if overdue or time.monotonic() >= looked + ALL_LOOK_SECONDS:
            looked = time.monotonic()
            cut_stalled(overdue)
