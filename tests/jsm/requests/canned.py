"""A site that gives the answers that a test makes up, for what no tidy site would say."""

from __future__ import annotations

import json
from typing import Any

import requests

from jsmsso.jsm.client import JsmClient, Patience
from jsmsso.jsm.site import Site

CLOUD = Site("Cloud", "https://acme.example")
DATA_CENTER = Site("Data Center", "https://acme.example")


class CannedSession(requests.Session):
    """Answers every call with the same JSON, and remembers what was asked."""

    def __init__(self, answer: Any, status: int = 200) -> None:
        super().__init__()
        self.answer = answer
        self.status = status
        self.asked: list[tuple[str, str]] = []

    def request(self, method: str | bytes, url: str | bytes, *_: Any, **__: Any) -> requests.Response:
        self.asked.append((str(method), str(url)))
        response = requests.Response()
        response.status_code = self.status
        response._content = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        return response


def answering(answer: Any, status: int = 200) -> JsmClient:
    """Our client before such a site; it never waits."""
    return JsmClient(CannedSession(answer, status), CLOUD.base_url, None, Patience(sleep=lambda seconds: None))


def page_of(*values: Any) -> dict[str, Any]:
    """A last page with these values."""
    return {"start": 0, "limit": 100, "size": len(values), "isLastPage": True, "values": list(values)}
