"""The loopback address on which a command receives a provider's answer (RFC 8252 7.3 and 8)."""

from __future__ import annotations

import errno
import hashlib
import html
import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from jsmsso.errors import PortTaken

DEFAULT_PORT = 8400
PATH = "/callback"
_SILENT_SECONDS = 10  # after which a connection that says nothing is closed
_STYLE = "body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto;padding:0 1rem;color-scheme:light dark}"
_STYLE_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")


def loopback_redirect_uri(port: int = DEFAULT_PORT) -> str:
    """``http://localhost:8400/callback``. The name, not 127.0.0.1: Cognito's console takes http for localhost alone."""
    return f"http://localhost:{port}{PATH}"


@dataclass(frozen=True, slots=True)
class Page:
    """What the browser is shown; ``text`` has one sentence or two."""

    status: int
    title: str
    text: str


DONE = Page(200, "Signed in at the provider", "You can close this window. The terminal has the result.")


@contextmanager
def listening(port: int, receive: Callable[[str], Page]) -> Iterator[None]:
    """Answer on 127.0.0.1 and ::1 while the block runs; ``receive`` gets each query that comes to the callback.

    It is called in threads of the listener, for one query at a time, and says which page to show; when the
    block is left, a page that is due is still shown. Only
    requests for our own host are answered, so that no page elsewhere can reach in by a name that it
    points here. Raises :class:`PortTaken`.
    """
    answering = threading.Lock()
    servers = _bind(port, receive, answering)
    try:
        for server in servers:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield
    finally:
        answering.acquire(timeout=2)
        for server in servers:
            server.shutdown()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a browser's idle connection must not hold the command's end
    request_queue_size = 32

    def __init__(
        self, address: tuple[str, int], family: socket.AddressFamily, receive: Callable[[str], Page], answering: threading.Lock
    ) -> None:
        self.address_family = family
        self.receive = receive
        self.answering = answering
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        # Not http.server's own: that asks the resolver for the machine's name.
        socket.socket.setsockopt(self.socket, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a browser that went away is no news


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _SILENT_SECONDS
    server_version = "jsmsso"
    sys_version = ""

    def do_GET(self) -> None:
        port = self.server.server_address[1]
        if self.headers.get_all("host") != [f"localhost:{port}"]:
            return self._show(Page(421, "Not here", "This address answers by its own name only."))
        try:
            parts = urlsplit(self.path)
        except ValueError:
            return self._show(Page(400, "Not here", "That is no address."))
        if "prefetch" in self.headers.get("sec-purpose", "") + self.headers.get("purpose", ""):
            return self._show(Page(503, "Not yet", "A page that is fetched ahead is no answer."))
        if parts.path != PATH:
            return self._show(Page(404, "Not here", f"jsmsso is waiting for a login at {PATH}."))
        with self.server.answering:
            return self._show(self.server.receive(parts.query))

    def _show(self, page: Page) -> None:
        body = _html(page).encode()
        self.send_response(page.status)
        for name, value in {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Length": str(len(body)),
            "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'; base-uri 'none'",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
            "Connection": "close",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base's own name
        pass  # its lines hold the query, and with it the code


def _html(page: Page) -> str:
    title, text = html.escape(page.title), html.escape(page.text)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main><h1>{title}</h1><p>{text}</p></main></body></html>"
    )


def _bind(port: int, receive: Callable[[str], Page], answering: threading.Lock) -> list[_Server]:
    servers: list[_Server] = []
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            servers.append(_Server((host, port), family, receive, answering))
        except OSError as error:
            if family == socket.AF_INET6 and error.errno != errno.EADDRINUSE and servers:
                continue  # a machine without IPv6
            for server in servers:
                server.server_close()
            reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be listened on: {(error.strerror or '').lower()}"
            raise PortTaken(
                f"port {port} {reason}",
                f"Name another with --port, and register http://localhost:PORT{PATH} for it at the provider.",
            ) from None
    return servers
