"""A form's body: read whole, never beyond its limit, not for longer than ten seconds, and never by all of a worker's threads."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

BODY_SECONDS = 10.0
AT_ONCE = 4  # of a worker's sixteen threads may wait for bodies,
OF_ONE_CLIENT = 2  # so many of them for one client, that it keeps nobody else out


class BodyRefused(Exception):
    """``status`` and ``text`` are the answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Bodies:
    """One per worker. ``limit`` is the most bytes that a body may have."""

    def __init__(self, limit: int, now: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._now = now
        self._lock = threading.Lock()
        self._clients: Counter[str] = Counter()
        self._under_way: dict[int, tuple[float, str]] = {}

    def read(self, environ: Mapping[str, Any], client: str) -> bytes:
        """The whole body; ``client`` is whose it is, empty where nobody knows.

        Raises :class:`BodyRefused` for one that is too large, too slow or cut short, and when too many are being read.
        """
        wanted = self._wanted(environ)
        if not wanted:
            return b""
        with self._place(environ.get("REMOTE_ADDR", ""), client) as ends:
            body = bytearray()
            # Byte by byte, since a longer read goes on for as long as its sender drips: 0.1 ms for a form of 300 bytes.
            while len(body) < wanted and (piece := environ["wsgi.input"].read(1)):
                body += piece
                if self._now() > ends:
                    raise BodyRefused(408, "This form took too long to arrive. Try again.")
        if len(body) > self._limit:
            raise _too_large()
        if environ.get("CONTENT_LENGTH") and len(body) < wanted:
            raise BodyRefused(400, "This form was cut short.")
        return bytes(body)

    def overdue_peers(self) -> set[str]:
        """The addresses of the peers that do not send on what they began more than ten seconds ago.

        The thread that reads waits without an end (granian's cannot be interrupted) until somebody cuts the connection.
        """
        latest = self._now() - BODY_SECONDS
        with self._lock:
            return {peer for began, peer in self._under_way.values() if began <= latest}

    def _wanted(self, environ: Mapping[str, Any]) -> int:
        """Bytes to read: the body's, or one more than may come where only its end will tell. Raises :class:`BodyRefused`."""
        said: str = environ.get("CONTENT_LENGTH") or ""
        if not said:
            return self._limit + 1 if environ.get("wsgi.input_terminated") and environ.get("HTTP_TRANSFER_ENCODING") else 0
        if not (said.isascii() and said.isdigit()):
            raise BodyRefused(400, "This form cannot be read.")
        if len(said) > len(str(self._limit)) or int(said) > self._limit:
            raise _too_large()
        return int(said)

    @contextmanager
    def _place(self, peer: str, client: str) -> Iterator[float]:
        """A place among those that read; gives the time until which it may take."""
        began = self._now()
        with self._lock:
            if len(self._under_way) >= AT_ONCE or (client and self._clients[client] >= OF_ONE_CLIENT):
                raise BodyRefused(503, "Too many forms at once. Try again in a moment.")
            self._clients[client] += 1
            key = threading.get_ident()
            self._under_way[key] = began, peer
        try:
            yield began + BODY_SECONDS
        finally:
            with self._lock:
                del self._under_way[key]
                self._clients -= Counter((client,))


def _too_large() -> BodyRefused:
    return BodyRefused(413, "This form is too large.")
