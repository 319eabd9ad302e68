"""A local JSM whose every call is judged by Atlassian's documents, where these are at hand, before the test ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from jsmsso.http_client import HttpClient
from jsmsso.jsm.authentication import ApiToken, Authentication, PersonalAccessToken
from jsmsso.jsm.client import JsmClient, Patience
from jsmsso.jsm.site import Site
from jsmsso.sandbox.jsm_site import LocalAccount, LocalDesk, LocalSite, Role, default_desks
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.atlassian_documents import complaints, missing_documents

ROLES: tuple[Role, ...] = ("administrator", "project_administrator", "agent", "customer", "none")
EVERY_ROLE = tuple(LocalAccount(f"{role}@example.com", role, role.replace("_", " ").title(), role=role) for role in ROLES)
"""An account of each role; its token is the role's name."""


def ask(
    jsm: LocalJsm, method: str, path: str, body: Any = None, *, token: str = "", opt_in: bool = True, base: str = ""
) -> requests.Response:
    """A bare call, as the account with this token (the first one, where none is given), with a JSON body."""
    account = next((a for a in jsm.site.accounts if a.token == token), jsm.account)
    headers = {"X-ExperimentalApi": "opt-in"} if opt_in else {}
    if not jsm.site.is_cloud:
        headers["Authorization"] = f"Bearer {token or account.token}"
    auth = (account.email, token or account.token) if jsm.site.is_cloud else None
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, (base or jsm.url) + path, json=body, headers=headers, auth=auth, timeout=30)


@contextmanager
def checked_jsm(*, desks: int | tuple[LocalDesk, ...] = 3, data_center: bool = False, **options: Any) -> Iterator[LocalJsm]:
    """A running site; ``options`` are those of :class:`LocalSite`."""
    deployment = "Server" if data_center else "Cloud"
    all_desks = default_desks(desks, deployment=deployment) if isinstance(desks, int) else desks
    with LocalJsm(LocalSite(deployment, all_desks, **options)) as jsm:
        yield jsm
    if not missing_documents():
        assert complaints(jsm.seen) == []


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.time = 1_790_000_000.0
        self.pauses: list[float] = []
        self.reasons: list[str] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds

    @property
    def patience(self) -> Patience:
        return Patience(lambda: self.time, self.sleep, lambda seconds, reason: self.reasons.append(reason))


def client_of(jsm: LocalJsm, clock: Clock | None = None, authentication: Authentication | None = None, deadline: float = 10.0) -> JsmClient:
    """Our client, logged in as the site's first account."""
    account = jsm.account
    usual = ApiToken(account.email, account.token) if jsm.site.deployment == "Cloud" else PersonalAccessToken(account.token)
    return JsmClient(HttpClient().session(deadline=deadline), jsm.url, authentication or usual, (clock or Clock()).patience)


def site_of(jsm: LocalJsm) -> Site:
    """What our client takes the site for."""
    return Site("Cloud" if jsm.site.deployment == "Cloud" else "Data Center", jsm.url)
