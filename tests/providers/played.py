"""Providers that misbehave: a server that says what a test wants, and one that stands between us and a real provider."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Said:
    """One answer. ``slowly``: seconds between two bytes of the body."""

    status: int = 200
    body: bytes | str = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    slowly: float = 0
    date_offset: float = 0
    """How far its ``Date`` is from the truth, in seconds."""


Answer = Callable[[str, str, Mapping[str, str], bytes], Said]


@contextmanager
def playing(answer: Answer, port: int) -> Iterator[str]:
    """Serve ``answer(method, target, headers, body)`` on 127.0.0.1; yields the base address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            said = answer(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            content = said.body.encode() if isinstance(said.body, str) else said.body
            self.send_response_only(said.status)
            sent = {"Date": formatdate(time.time() + said.date_offset, usegmt=True), "Content-Type": said.content_type}
            for name, value in {**sent, **said.headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                if not said.slowly:
                    self.wfile.write(content)
                for number in range(len(content) if said.slowly else 0):
                    self.wfile.write(content[number : number + 1])
                    self.wfile.flush()
                    time.sleep(said.slowly)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        do_POST = do_GET

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        server.server_close()


def between(upstream: str, changes: Mapping[str, Said] | None = None, *, date_offset: float = 0) -> Answer:
    """A real provider at ``upstream``, but for the paths in ``changes``; its own name is passed on in ``Host``."""

    def answer(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Said:
        path = target.partition("?")[0]
        if changes and path in changes:
            return changes[path]
        connection = HTTPConnection(urlsplit(upstream).netloc, timeout=30)
        try:
            connection.request(method, target, body, {**headers, "connection": "close"})
            came = connection.getresponse()
            content = came.read()
            kept = {n: v for n, v in came.getheaders() if n.lower() in ("location", "cache-control", "set-cookie")}
            return Said(came.status, content, came.getheader("content-type", ""), kept, date_offset=date_offset)
        finally:
            connection.close()

    return answer
