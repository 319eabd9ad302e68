"""The internet as far as providers are recorded: a proxy behind which every host answers from tests/data/providers."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme

from tests.providers.recorded import Recording


@dataclass(frozen=True, slots=True)
class Internet:
    """What a profile says to reach it."""

    proxy: str
    ca_bundle: Path
    asked: list[str]
    """The addresses that were asked for, in turn."""

    @property
    def http(self) -> dict[str, str]:
        return {"proxy": self.proxy, "ca_bundle": str(self.ca_bundle)}


@contextmanager
def internet(documents: Mapping[str, Any], port: int, folder: Path) -> Iterator[Internet]:
    """Serve ``documents`` by their https addresses, each with a certificate of its own host; 404 elsewhere."""
    authority = trustme.CA()
    bundle = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    asked: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            host = self.path.partition(":")[0]
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert(host).configure_cert(context)
            self.send_response_only(200)
            self.end_headers()
            with context.wrap_socket(self.connection, server_side=True) as secure, secure.makefile("rb") as lines:
                target = lines.readline().split()[1].decode()
                while lines.readline().strip():
                    pass
                asked.append(f"https://{host}{target}")
                document = documents.get(asked[-1])
                body = json.dumps(document if document is not None else {"error": "not_found"}).encode()
                status = "404 Not Found" if document is None else "200 OK"
                head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                secure.sendall(head.encode() + body)
            self.close_connection = True

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Proxy)
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield Internet(f"http://127.0.0.1:{port}", bundle, asked)
    finally:
        server.shutdown()
        server.server_close()


def served_by(recording: Recording) -> dict[str, Any]:
    """A recorded provider's documents by their addresses."""
    return dict(recording.get("serves", {}))
