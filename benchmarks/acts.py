"""The acts that a gateway is measured by, and the checks that every one of them is done right."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from benchmarks.stub_provider import CLIENT_ID, PERSON
from benchmarks.wire import Answer, Connection

NATIVE_PORTAL = "https://acme.atlassian.net/servicedesk/customer/portal/3"
LINK = "/portal/HELP"
REDIRECTS = (302, 303)
CONCURRENCY = 8  # connections that are busy at once

_STATE, _NONCE = re.compile(r"[?&]state=([^&]+)"), re.compile(r"[?&]nonce=([^&]+)")


class WrongAnswer(RuntimeError):
    """A gateway did not do the work; what it was measured at would mean nothing."""


@dataclass(frozen=True, slots=True)
class Kind:
    """In what gateways differ. Addresses begin with ``base``."""

    base: str = ""
    callback: str = "/callback"
    lets_in: Literal["redirect", "200"] = "redirect"
    """A redirect to the native portal, or an answer of its own in the place of one that it would fetch."""
    question: str = ""
    """The address of forward auth, where it has one."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """What stands between a browser and the portal, listening on a port, with its processes' root."""

    name: str
    port: int
    pid: int
    authorization_endpoint: str
    kind: Kind = field(default_factory=Kind)

    @property
    def link(self) -> str:
        return self.kind.base + LINK

    @property
    def callback(self) -> str:
        return self.kind.base + self.kind.callback

    def lets_in(self, answer: Answer) -> bool:
        """Whether this answer to the portal link is the portal."""
        if self.kind.lets_in == "redirect":
            return answer.status in REDIRECTS and answer.location == NATIVE_PORTAL
        return answer.status == 200


def to_provider(gateway: Gateway, connection: Connection) -> Answer:
    """*redirect to the provider*: the portal link without a session, and what lies between it and the provider."""
    answer = connection.get(gateway.link)
    if answer.status in REDIRECTS and answer.location.startswith("/"):  # its own login page, which shows nothing
        answer = connection.get(answer.location)
    if answer.status not in REDIRECTS or not answer.location.startswith(gateway.authorization_endpoint + "?"):
        raise WrongAnswer(f"{gateway.name}: the portal link answered {answer.status} {answer.location!r}, no redirect to the provider")
    return answer


def login(gateway: Gateway, connection: Connection) -> dict[str, str]:
    """*complete login*: the portal link, and the callback with the provider's answer. Returns the browser's cookies."""
    answer = to_provider(gateway, connection)
    cookies = {name: value for name, value in answer.cookies.items() if value}
    state, nonce = _STATE.search(answer.location), _NONCE.search(answer.location)
    if not cookies or state is None or nonce is None:
        raise WrongAnswer(f"{gateway.name}: no login was begun: {answer.location}")
    answer = connection.get(f"{gateway.callback}?code={nonce[1]}&state={state[1]}", cookies)
    path = urlsplit(answer.location).path
    cookies = {name: value for name, value in (cookies | dict(answer.cookies)).items() if value}
    if answer.status not in REDIRECTS or path != gateway.link or not any(answer.cookies.values()):
        raise WrongAnswer(f"{gateway.name}: the callback answered {answer.status} {answer.location!r}, no login")
    return cookies


def with_session(gateway: Gateway, cookies: Mapping[str, str], connection: Connection) -> None:
    """*request with a session*: the portal link leads on to the native portal."""
    answer = connection.get(gateway.link, cookies)
    if not gateway.lets_in(answer):
        raise WrongAnswer(f"{gateway.name}: a session was answered {answer.status} {answer.location!r}, not the portal")


def question(gateway: Gateway, cookies: Mapping[str, str], connection: Connection) -> None:
    """*forward auth*: a proxy asks whether a request to the portal may pass, and whose it is."""
    answer = _ask(gateway, cookies, connection)
    if not 200 <= answer.status < 300 or answer.email != PERSON["email"]:
        raise WrongAnswer(f"{gateway.name}: a session in forward auth was answered {answer.status} for {answer.email!r}")


def bare(gateway: Gateway, connection: Connection) -> None:
    """One redirect without any login, for context."""
    answer = connection.get("/bare")
    if answer.status not in REDIRECTS or answer.location != NATIVE_PORTAL:
        raise WrongAnswer(f"{gateway.name}: {answer.status} {answer.location!r}")


def check(gateway: Gateway) -> None:
    """The same work is done by all: PKCE, state, nonce, one browser, a checked session. Raises :class:`WrongAnswer`."""
    connection = Connection(gateway.port)
    try:
        asked = to_provider(gateway, connection)
        query = {name: values[0] for name, values in parse_qs(urlsplit(asked.location).query).items()}
        expected = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": f"http://127.0.0.1:{gateway.port}{gateway.callback}",
            "code_challenge_method": "S256",
        }
        wrong = {name: query.get(name) for name, value in expected.items() if query.get(name) != value}
        absent = [name for name in ("state", "nonce", "code_challenge") if not query.get(name)]
        if wrong or absent or set(query.get("scope", "").split()) != {"openid", "profile", "email"}:
            raise WrongAnswer(f"{gateway.name} asks the provider for something else: {wrong} {absent} {query.get('scope')}")
        cookies = login(gateway, connection)
        with_session(gateway, cookies, connection)
        _refuses(gateway, connection, "another browser's answer", f"{gateway.callback}?code={query['nonce']}&state={query['state']}", {})
        mixed = f"{gateway.callback}?code=another-nonce&state={query['state']}"
        _refuses(gateway, connection, "an ID token of another login", mixed, {n: v for n, v in asked.cookies.items() if v})
        forged = {name: value[:-8] + ("A" * 8 if value[-8:] != "A" * 8 else "B" * 8) for name, value in cookies.items()}
        if gateway.lets_in(connection.get(gateway.link, forged)):
            raise WrongAnswer(f"{gateway.name} takes a forged session")
        if gateway.kind.question:
            question(gateway, cookies, connection)
            if any(_ask(gateway, others, connection).status < 400 for others in ({}, forged)):
                raise WrongAnswer(f"{gateway.name} lets anybody pass in forward auth")
    finally:
        connection.close()


def repeat(gateway: Gateway, act: Callable[[Connection], object], times: int) -> None:
    """``act`` that often, over :data:`CONCURRENCY` connections at once. Raises the first thing that goes wrong."""
    left = iter(range(times))
    failures: list[Exception] = []

    def run() -> None:
        connection = Connection(gateway.port)
        try:
            while not failures and next(left, None) is not None:  # next() of a range is atomic
                act(connection)
        except Exception as error:  # any of them makes the measurement void; told by the thread that waits
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, daemon=True) for _ in range(CONCURRENCY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def _refuses(gateway: Gateway, connection: Connection, what: str, path: str, cookies: Mapping[str, str]) -> None:
    answer = connection.get(path, cookies)
    after = {name: value for name, value in (dict(cookies) | dict(answer.cookies)).items() if value}
    if gateway.lets_in(connection.get(gateway.link, after)):
        raise WrongAnswer(f"{gateway.name} takes {what}")


def _ask(gateway: Gateway, cookies: Mapping[str, str], connection: Connection) -> Answer:
    url = f"http://127.0.0.1:{gateway.port}{urlsplit(NATIVE_PORTAL).path}"
    return connection.get(gateway.kind.base + gateway.kind.question, cookies, f"X-Original-URL: {url}\r\n")
