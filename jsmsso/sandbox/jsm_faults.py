"""Faults on demand: the ways in which a real site, or what stands before it, misbehaves."""

from __future__ import annotations

import contextlib
import json
import math
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from werkzeug.wrappers import Request, Response

Kind = Literal[
    "status",
    "busy",
    "login_page",
    "proxy_page",
    "no_json",
    "too_large",
    "cut",
    "lost",
    "dropped",
    "slow",
    "repeat",
    "never_last",
    "never_ends",
    "empty",
]

LOGIN_PAGE = "<!doctype html><html><head><title>Log in with Atlassian account</title></head><body><form>...</form></body></html>"
PROXY_PAGE = "<html><head><title>403 Forbidden</title></head><body><h1>Blocked by the proxy</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Fault:
    """One misbehaviour: of which paths, after how many good answers, and how often (``times=None``: for ever).

    ``method`` keeps it to calls with that method. ``busy`` is Atlassian's 429 with all its headers: come back in ``seconds``,
    for this ``reason``. ``lost`` does what was asked and then drops the connection without an answer, ``dropped`` drops it
    before anything was done. ``repeat`` gives the first page again and again, ``never_last`` says after the real last page that there is
    more and then gives empty pages, ``never_ends`` makes up new items without end, ``empty`` gives a page
    without items that is not the last, ``cut`` closes the connection half-way through the body.
    """

    kind: Kind
    path: str = "/rest/"
    after: int = 0
    times: int | None = None
    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    body: str = ""
    method: str = ""
    reason: str = "jira-burst-based"


class Faults:
    """The faults that are on. Safe to change while requests are answered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._on: list[tuple[Fault, list[int]]] = []

    def add(self, fault: Fault) -> None:
        """Switch a fault on."""
        with self._lock:
            self._on.append((fault, [0]))

    def clear(self) -> None:
        """Switch all of them off."""
        with self._lock:
            self._on.clear()

    def of(self, path: str, method: str = "GET") -> Fault | None:
        """The fault that this request meets, if any; counts it."""
        with self._lock:
            for fault, seen in self._on:
                if not path.startswith(fault.path) or fault.method not in ("", method):
                    continue
                seen[0] += 1
                late_enough = seen[0] > fault.after
                if late_enough and (fault.times is None or seen[0] <= fault.after + fault.times):
                    return fault
        return None


def spoil(fault: Fault, request: Request, answer: Callable[[Request], Response]) -> Response:
    """The answer to ``request`` with the fault in it."""
    match fault.kind:
        case "status":
            return Response(
                fault.body, fault.status, headers=dict(fault.headers), mimetype="application/json" if fault.body else "text/plain"
            )
        case "busy":
            return _busy(fault)
        case "lost":
            return answer(request)  # nobody gets it
        case "dropped":
            return Response(status=503)  # nobody gets this one either
        case "login_page":
            return Response(LOGIN_PAGE, 200, mimetype="text/html")
        case "proxy_page":
            return Response(PROXY_PAGE, fault.status, mimetype="text/html")
        case "no_json":
            return Response('{"size": 3, "values": [', 200, mimetype="application/json")
        case "too_large":
            return Response(json.dumps({"values": ["x" * 5_000_000]}), 200, mimetype="application/json")
        case "cut":
            response = Response(b'{"size": 3, ', 200, mimetype="application/json", headers={"Connection": "close"})
            response.headers["Content-Length"] = "1000"
            response.automatically_set_content_length = False
            return response
        case "slow":
            time.sleep(fault.seconds)
            return answer(request)
    return _change_page(fault.kind, request, answer)


def hang_up(request: Request) -> None:
    """Drop the connection that ``request`` came by, so that whatever is answered is lost."""
    connection: socket.socket = request.environ["werkzeug.socket"]
    with contextlib.suppress(OSError):  # the other side may be gone already
        connection.shutdown(socket.SHUT_RDWR)


def _busy(fault: Fault) -> Response:
    """429 as Atlassian gives it (Atlassian: Rate limiting)."""
    until = datetime.now(UTC) + timedelta(seconds=fault.seconds)
    headers = {"Retry-After": str(math.ceil(fault.seconds)), "X-RateLimit-Reset": until.strftime("%Y-%m-%dT%H:%MZ")}
    body = json.dumps({"errorMessages": ["Rate limit exceeded."], "errors": {}})
    return Response(body, 429, headers={**headers, "RateLimit-Reason": fault.reason, **fault.headers}, mimetype="application/json")


def _change_page(kind: Kind, request: Request, answer: Callable[[Request], Response]) -> Response:
    response = answer(request)
    page: dict[str, Any] | None = response.get_json(silent=True)
    if page is None or "values" not in page:
        return response
    if kind == "repeat":
        request.environ["QUERY_STRING"] = ""
        page = answer(Request(request.environ)).get_json() | {"isLastPage": False, "start": page["start"]}
    elif kind == "never_last":
        page["isLastPage"] = False
    elif kind == "empty":
        page |= {"values": [], "size": 0, "isLastPage": False}
    elif kind == "never_ends":
        number = page["start"] + 1_000_000
        page |= {"values": [{"id": str(number + n), "name": "x"} for n in range(10)], "size": 10, "isLastPage": False}
    response.set_data(json.dumps(page))
    return response
