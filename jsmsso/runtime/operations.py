"""For operators, on an address of its own in the parent: ``/metrics``, ``/healthz``, and ``/readyz`` with every check.

Never on the public address. What it shows is about the server, not about people; still it belongs on loopback or a
network that only operators reach.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from jsmsso.errors import PortTaken
from jsmsso.runtime.exposition import exposition
from jsmsso.runtime.instance import Instance, readiness

CLIENT_SECONDS = 10.0  # what a slow client gets for its request and for taking the answer
AT_ONCE = 8  # connections; more are closed unanswered
JSON = "application/json; charset=utf-8"

Answer = tuple[int, bytes, str]


class Operations:
    """Takes the port at once; answers from :meth:`start` to :meth:`stop`. Raises :class:`PortTaken`."""

    def __init__(self, host: str, port: int) -> None:
        try:
            self._server = _Server(host, port)
        except OSError as error:
            raise PortTaken(
                f"cannot listen on {host}:{port} for operators: {error.strerror}", "Choose another with --ops-bind HOST:PORT."
            ) from error
        os.register_at_fork(after_in_child=self._server.socket.close)  # a worker that lives on would hold the port

    def start(self, instance: Instance) -> None:
        """Answer, in threads of the parent."""

        def answer(path: str, accept: str) -> Answer:
            with instance.quiet:
                try:
                    return _answer(instance, path, accept)
                except Exception as error:  # the edge: the server that customers use goes on
                    instance.deployment.events.write("fault", where="operations", reason=type(error).__name__)
                    return 500, b'{"error": "a fault in jsmsso; the log has it"}\n', JSON

        self._server.answer = answer
        threading.Thread(target=self._server.serve_forever, name="jsmsso-operations", daemon=True).start()
        self._server.is_running = True

    def stop(self) -> None:
        """Let go of the port."""
        if self._server.is_running:
            self._server.shutdown()
        self._server.server_close()


def _answer(instance: Instance, path: str, accept: str) -> Answer:
    match path.partition("?")[0]:
        case "/metrics":
            body, content_type = exposition(instance, accept)
            return 200, body, content_type
        case "/readyz":
            status, document = readiness(instance)
            return status, json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n", JSON
        case "/healthz":
            return 200, b'{"status": "ok"}\n', JSON
    return 404, b'{"error": "not found: /metrics, /healthz and /readyz are here"}\n', JSON


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.answer: Callable[[str, str], Answer] = lambda path, accept: (503, b'{"status": "starting"}\n', JSON)
        self.is_running = False
        self._places = threading.BoundedSemaphore(AT_ONCE)
        super().__init__((host, port), _Request)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Request(BaseHTTPRequestHandler):
    server: _Server
    timeout = CLIENT_SECONDS
    server_version = "jsmsso"
    sys_version = ""

    def do_GET(self) -> None:
        status, body, content_type = self.server.answer(self.path, self.headers.get("Accept", ""))
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: a scrape every few seconds is no event."""
