"""``jsmsso serve`` as a process, for journeys through it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.services.children import Child, Children, installed_script
from tests.services.home import Home

SESSION_SECRET = "the session secret of these journeys, longer than 32 bytes"


@dataclass
class Served:
    """A running server and where it answers."""

    child: Child
    url: str
    profile: Path

    def get(self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> tuple[HTTPResponse, str]:
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            connection.request(method, path, headers=dict(headers or {}))
            answer = connection.getresponse()
            return answer, answer.read().decode()
        finally:
            connection.close()

    @property
    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.child.stderr.splitlines() if line.startswith("{")]

    def workers(self) -> list[int]:
        """The processes of its workers (Linux)."""
        return [int(pid) for pid in Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children").read_text().split()]


def write_profile(home: Home, profile: Mapping[str, Any]) -> Path:
    """The profile as JSON, which is YAML; its session secret and store lie beside it."""
    (home.work / "session").write_text(SESSION_SECRET)
    (home.work / "session").chmod(0o600)
    defaults = {"version": 1, "session": {"secret": "file:session"}, "store": f"sqlite:///{home.work / 'state.db'}"}
    home.profile.write_text(json.dumps(defaults | dict(profile)))
    return home.profile


def serve(start: Children, home: Home, url: str, *options: str, env: Mapping[str, str] | None = None) -> Served:
    """Start it and wait until a worker answers."""
    child = start(
        [installed_script("jsmsso"), "serve", *options],
        env=home.env | dict(env or {}),
        cwd=home.work,
        ready=r'"event":"serving"|Z serving ',
    )
    served = Served(child, url, home.profile)
    if url.startswith("http:"):
        wait_until_answering(served)
    return served


def wait_until_answering(served: Served) -> None:
    while served.child.running:
        try:
            if served.get(f"{urlsplit(served.url).path}/healthz")[0].status == 200:
                return
        except OSError:
            continue
    raise AssertionError(f"it ended: {served.child.output}")


def references(text: str) -> list[str]:
    return re.findall(r"<strong>([0-9A-Z]{4}-[0-9A-Z]{4})</strong>", text)
