"""The sites and browsers of tests/runtime, and a real server for what only a server can show."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys.served import Served, serve, write_profile
from tests.oidc.provider import CLIENT_ID, CLIENT_SECRET, Provider, running
from tests.runtime.conftest import another_provider, browser, make_site, provider, site
from tests.runtime.site import portal
from tests.services.home import make_home

if TYPE_CHECKING:
    from tests.services.children import Children

__all__ = ["another_provider", "browser", "make_site", "provider", "site"]


@dataclass
class Server:
    """``jsmsso serve`` on loopback, whose every answer and line of the log is looked at."""

    served: Served
    port: int
    provider: Provider

    def connect(self, seconds: float = 30) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=seconds)

    def raw(self, request: bytes, seconds: float = 30) -> bytes:
        """All that it answers to these bytes until it closes, or until nothing comes for so long."""
        with self.connect(seconds) as connection:
            found = b""
            try:
                connection.sendall(request)
                while chunk := connection.recv(65536):
                    found += chunk
            except (TimeoutError, ConnectionError):
                pass
            return found

    def ask(self, line: str, headers: str = "", body: bytes = b"") -> tuple[int, str, bytes]:
        """Status, head and body of one answer to one request; status 0 where the connection was closed without one."""
        request = f"{line}\r\nHost: localhost\r\n{headers}Connection: close\r\n\r\n".encode("latin-1") + body
        return parsed(self.raw(request))

    def is_well(self) -> bool:
        """Whether it answers, and has said nothing of a fault."""
        assert self.served.get("/healthz")[0].status == 200
        output = self.served.child.output
        assert "Traceback" not in output
        assert '"fault"' not in output
        assert '"worker.died"' not in output
        assert CLIENT_SECRET not in output
        return all(json.loads(line)["event"] for line in self.served.child.stderr.splitlines() if line.startswith("{"))


def parsed(answer: bytes) -> tuple[int, str, bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    found = re.match(rb"HTTP/1\.[01] (\d{3}) ", head)
    assert found or not answer, answer[:200]
    return (int(found[1]) if found else 0), head.decode("latin-1"), body


@pytest.fixture(scope="module")
def server(session_start: Children, free_port: Callable[[], int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One worker, so that what holds a worker up shows; an address chooses the provider, so that ``/login`` takes a form."""
    home = make_home(tmp_path_factory.mktemp("server"))
    (home.work / "client").write_text(CLIENT_SECRET)
    (home.work / "client").chmod(0o600)
    with running() as one:
        entry: dict[str, Any] = {
            "type": "oidc", "issuer": one.issuer, "client_id": CLIENT_ID, "client_secret": "file:client", "scopes": ["openid", "email"],
            "any_email": True,
        }  # fmt: skip
        port = free_port()
        url = f"http://localhost:{port}"
        write_profile(
            home,
            {
                "public_url": url,
                "providers": {"a": entry, "b": entry | {"client_id": "another"}},
                "login": {"mode": "ask_address"},
                "trusted_proxies": ["127.0.0.1"],
                "forward_auth": {"other_paths": "deny"},
                "portals": [portal("3", "HELP", "IT help"), portal("4", "HR", "People")],
            },
        )
        served = serve(session_start, home, url, "--workers", "1")
        yield Server(served, port, one)
        served.child.stop()
