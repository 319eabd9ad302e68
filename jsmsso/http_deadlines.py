"""Deadlines for whole answers.

A socket's timeout starts anew with every receive, so a peer that sends a byte now and then could hold a
thread for ever. One thread a process looks at the calls in flight and shuts the sockets of those whose time
is over; a call itself pays two dictionary operations.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import cast

from urllib3.connection import HTTPConnection

WATCH_SECONDS = 0.2


class Call:
    """One request and its answer. ``ends`` is on the monotonic clock; ``expired`` says that the watch shut its socket."""

    __slots__ = ("connection", "ends", "expired")

    def __init__(self, ends: float) -> None:
        self.ends = ends
        self.connection: HTTPConnection | None = None
        self.expired = False

    def expire(self) -> None:
        """End the call: its thread's next receive finds the connection closed."""
        self.expired = True
        sock = self.connection and self.connection.sock
        if sock is not None:
            try:
                # SSLSocket's own would drop its TLS state; TLS within a proxy's TLS has the socket inside.
                socket.socket.shutdown(cast(socket.socket, getattr(sock, "socket", sock)), socket.SHUT_RDWR)
            except OSError:
                pass


class Watch:
    """The calls in flight, and the thread that ends those whose time is over."""

    def __init__(self) -> None:
        self.forget()
        os.register_at_fork(after_in_child=self.forget)

    def forget(self) -> None:
        """In a forked child: the parent's calls are not ours to end (their sockets are shared), and its thread is not here."""
        self._calls: dict[int, Call] = {}
        self._busy = threading.Event()
        self._running = False

    def add(self, call: Call) -> None:
        """From now on ``call`` ends at its time."""
        self._calls[id(call)] = call
        if not self._running:
            self._start()
        if not self._busy.is_set():
            self._busy.set()

    def remove(self, call: Call) -> None:
        """``call`` is done."""
        self._calls.pop(id(call), None)

    def _start(self) -> None:
        self._running = True
        threading.Thread(target=self._run, name="jsmsso-deadlines", daemon=True).start()

    def _run(self) -> None:
        while True:
            self._busy.wait()
            time.sleep(WATCH_SECONDS)
            now = time.monotonic()
            calls = list(self._calls.values())
            if not calls:
                self._busy.clear()
                if self._calls:  # one came between the two lines
                    self._busy.set()
            for call in calls:
                if now >= call.ends:
                    call.expire()


watch = Watch()
