"""A request's body: never beyond its limit, not for long where its sender dawdles, and never read by all of a worker's threads."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

BODY_SECONDS = 10.0  # for a body of any size, and
SLOWEST = 32 * 1024  # bytes a second that a large one must keep up, so that it has longer
AT_ONCE = 4  # of a worker's sixteen threads may wait for small bodies,
OF_ONE_CLIENT = 2  # so many of them for one client, that it keeps nobody else out


class BodyRefused(Exception):
    """``status`` and ``text`` are the answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Bodies:
    """One per worker and kind. ``limit`` is the most bytes that a body may have, ``at_once`` how many are read at a time."""

    def __init__(self, limit: int, at_once: int = AT_ONCE, now: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._at_once = at_once
        self._now = now
        self._lock = threading.Lock()
        self._clients: Counter[str] = Counter()
        self._under_way: dict[int, tuple[Body, str]] = {}

    def read(self, environ: Mapping[str, Any], client: str) -> bytes:
        """The whole body. Raises and ``client`` as in :meth:`stream`."""
        with self.stream(environ, client) as body:
            return body.read()

    @contextmanager
    def stream(self, environ: Mapping[str, Any], client: str) -> Iterator[Body]:
        """The body, to be read; ``client`` is whose it is, empty where nobody knows.

        Raises :class:`BodyRefused`, at once or while it is read, for one that is too large, too slow or cut short, and
        when too many are being read.
        """
        body = Body(environ, self._limit, self._now)
        key = threading.get_ident()
        with self._lock:
            if len(self._under_way) >= self._at_once or (client and self._clients[client] >= OF_ONE_CLIENT):
                raise BodyRefused(503, "Too many forms at once. Try again in a moment.")
            self._clients[client] += 1
            self._under_way[key] = body, environ.get("REMOTE_ADDR", "")
        try:
            yield body
        finally:
            with self._lock:
                del self._under_way[key]
                self._clients -= Counter((client,))

    def overdue_peers(self) -> set[str]:
        """The addresses of the peers that have a body under way whose time is over.

        The thread that reads it waits without an end (granian's cannot be interrupted) until somebody cuts the connection.
        """
        with self._lock:
            return {peer for body, peer in self._under_way.values() if body.is_late}


class Body:
    """A body on its way, as the file that parsers of forms read."""

    def __init__(self, environ: Mapping[str, Any], limit: int, now: Callable[[], float]) -> None:
        self._stream = environ.get("wsgi.input")
        self._limit = limit
        self._now = now
        self._began = now()
        self._received = 0
        self._length = _length(environ, limit)
        # A read goes on for as long as its sender drips, so no piece is larger than need be: single bytes of a small form
        # (0.1 ms for 300 of them), 1.5 kB of an upload.
        self._piece = max(1, limit // (16 * 1024))

    @property
    def is_late(self) -> bool:
        """Whether its time is over."""
        return self._now() >= self._began + BODY_SECONDS + self._received / SLOWEST

    def read(self, size: int = -1) -> bytes:
        """The next ``size`` bytes, all for a negative number; fewer at the end only. Raises :class:`BodyRefused`."""
        left = (self._limit + 1 if self._length is None else self._length) - self._received
        wanted = left if size < 0 else min(size, left)
        found = bytearray()
        while len(found) < wanted:
            piece = self._stream.read(min(self._piece, wanted - len(found))) if self._stream is not None else b""
            found += piece
            self._received += len(piece)
            if not piece:
                if self._length is not None:
                    raise BodyRefused(400, "This form was cut short.")
                break
            if self._received > self._limit:
                raise _too_large()
            if self.is_late:
                raise BodyRefused(408, "This form took too long to arrive. Try again.")
        return bytes(found)


def _length(environ: Mapping[str, Any], limit: int) -> int | None:
    """Bytes to come, None where only their end will tell. Raises :class:`BodyRefused`."""
    said: str = environ.get("CONTENT_LENGTH") or ""
    if not said:
        return None if environ.get("wsgi.input_terminated") and environ.get("HTTP_TRANSFER_ENCODING") else 0
    if not (said.isascii() and said.isdigit()):
        raise BodyRefused(400, "This form cannot be read.")
    if len(said) > len(str(limit)) or int(said) > limit:
        raise _too_large()
    return int(said)


def _too_large() -> BodyRefused:
    return BodyRefused(413, "This form is too large.")
