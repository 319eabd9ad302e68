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
    email: str = ""
    """Whose request it is, as forward auth says."""


class Connection:
    """Opened at the first request, and again when the server has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def get(self, path: str, cookies: Mapping[str, str] | None = None, more: str = "") -> Answer:
        """A page load as a browser asks for it. ``more``: lines of further headers."""
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nAccept: text/html\r\n"
        if cookies:
            request += "Cookie: " + "; ".join(f"{name}={value}" for name, value in cookies.items()) + "\r\n"
        sent = f"{request}{more}\r\n".encode()
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
        headers: dict[str, str] = {}
        cookies: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            if name.lower() == "set-cookie":
                cookie, content = _cookie(value)
                cookies[cookie] = content
            else:
                headers[name.lower()] = value.strip()
        self._read_body(received, end + 4, headers)
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(int(status_line.split(" ", 2)[1]), headers.get("location", ""), cookies, headers.get("x-auth-request-email", ""))

    def _read_body(self, received: bytes, begin: int, headers: Mapping[str, str]) -> None:
        if "transfer-encoding" in headers:  # pages that say no, never what is measured
            while not received.endswith(b"\r\n0\r\n\r\n"):
                received = self._more(received)
            return
        whole = begin + int(headers.get("content-length", 0))
        while len(received) < whole:
            received = self._more(received)

    def _more(self, received: bytes) -> bytes:
        assert self._socket is not None
        chunk = self._socket.recv(65536)
        if not chunk:
            raise ConnectionResetError("the server closed the connection")
        return received + chunk


def _cookie(line: str) -> tuple[str, str]:
    """Name and value; an empty value where it is taken away."""
    cookie, _, attributes = line.strip().partition(";")
    name, _, value = cookie.partition("=")
    gone = "max-age=0" in attributes.lower() or "01 jan 1970" in attributes.lower()
    return name, "" if gone else value.strip('"')
