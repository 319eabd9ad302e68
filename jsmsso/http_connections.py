"""The connections to one origin: urllib3 opens them (names, addresses, TLS, tunnels), and they are kept for the next call."""

from __future__ import annotations

import ssl
import weakref
from collections import deque
from http.client import HTTPException
from typing import cast

from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError, ProtocolError, ProxyError, SSLError

KEPT = 32  # connections; more than the threads of a worker that may call out at once
CONNECT_SECONDS = 4.0  # per address tried, so that a dead IPv6 address leaves time for the next


class Connections:
    """Used by many threads at once. Of ``pool`` only what opens a connection is used."""

    def __init__(self, pool: HTTPConnectionPool) -> None:
        self._pool = pool
        self._idle: deque[HTTPConnection] = deque()
        weakref.finalize(self, _close, self._idle)

    def kept(self) -> HTTPConnection | None:
        """A connection that an earlier call left, taken out: still open, and without a byte that nobody asked for."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            if connection.is_connected:
                return connection
            connection.close()

    def new(self) -> HTTPConnection:
        """A connection that is not yet open, so that it can be watched while :meth:`open` waits."""
        return cast(HTTPConnection, self._pool._new_conn())

    def open(self, connection: HTTPConnection, seconds: float) -> None:
        """Open it, through a proxy where there is one. Raises what urllib3 raises for a call: its HTTPError, TimeoutError."""
        connection.timeout = min(seconds, CONNECT_SECONDS)
        try:
            if self._pool.proxy is None:
                connection.connect()
            else:
                self._pool._prepare_proxy(connection)
        except (HTTPError, HTTPException, OSError, ssl.CertificateError) as error:
            found = SSLError(error) if isinstance(error, ssl.SSLError) else error
            if connection.proxy is not None and not connection.has_connected_to_proxy:
                raise ProxyError("Unable to connect to proxy", found) from error
            if isinstance(found, TimeoutError | HTTPError):
                raise found from error.__cause__
            raise ProtocolError("Connection aborted.", found) from error

    def keep(self, connection: HTTPConnection) -> None:
        """Leave it to the next call."""
        if len(self._idle) < KEPT:
            self._idle.append(connection)
        else:
            connection.close()


def _close(idle: deque[HTTPConnection]) -> None:
    while idle:
        idle.pop().close()
