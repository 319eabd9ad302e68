"""A small HTTP/1.1 client for the load: one kept-alive connection, and no more work per answer than the checks need."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass

PATIENCE = 30.0  # seconds; a guard against hanging


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    location: str
    cookies: Mapping[str, str]
    """Set by this answer; empty values are those taken away."""


class Connection:
    """Opened at the first request, and again when the server has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def get(self, path: str, cookies: Mapping[str, str] | None = None) -> Answer:
        """A page load as a browser asks for it."""
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nAccept: text/html\r\n"
        if cookies:
            request += "Cookie: " + "; ".join(f"{name}={value}" for name, value in cookies.items()) + "\r\n"
        sent = f"{request}\r\n".encode()
        kept = self._socket is not None
        try:
            return self._exchange(sent)
        except ConnectionError:
            if not kept:
                raise
            self.close()
            return self._exchange(sent)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _exchange(self, request: bytes) -> Answer:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), PATIENCE)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        received = self._more(b"")
        while (end := received.find(b"\r\n\r\n")) < 0:
            received = self._more(received)
        status_line, *lines = received[:end].decode("latin-1").split("\r\n")
        location, length, cookies, closes = "", None, {}, False
        for line in lines:
            name, _, value = line.partition(":")
            value = value.strip()
            match name.lower():
                case "location":
                    location = value
                case "content-length":
                    length = int(value)
                case "set-cookie":
                    cookie, _, attributes = value.partition(";")
                    cookie_name, _, content = cookie.partition("=")
                    gone = "max-age=0" in attributes.lower() or "01 jan 1970" in attributes.lower()
                    cookies[cookie_name] = "" if gone else content.strip('"')
                case "connection":
                    closes = value.lower() == "close"
        if length is None:
            raise RuntimeError(f"an answer without a length: {status_line}")
        whole = end + 4 + length
        while len(received) < whole:
            received = self._more(received)
        if closes:
            self.close()
        return Answer(int(status_line.split(" ", 2)[1]), location, cookies)

    def _more(self, received: bytes) -> bytes:
        assert self._socket is not None
        chunk = self._socket.recv(65536)
        if not chunk:
            raise ConnectionResetError("the server closed the connection")
        return received + chunk
