"""A local JSM whose every call is judged by Atlassian's documents, where these are at hand, before the test ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jsmsso.http_client import HttpClient
from jsmsso.jsm.authentication import ApiToken, Authentication, PersonalAccessToken
from jsmsso.jsm.client import JsmClient, Patience
from jsmsso.jsm.site import Site
from jsmsso.sandbox.jsm_site import LocalDesk, LocalSite, default_desks
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.atlassian_documents import complaints, missing_documents


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
