"""The provider that misbehaves on demand, a relying party for it, and clocks that tests turn."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jsmsso.http_client import HttpClient
from jsmsso.oidc.authorization import read_answer
from jsmsso.oidc.relying_party import Authentication, RelyingParty
from jsmsso.oidc.settings import ClientSettings
from tests.oidc.provider import CLIENT_ID, CLIENT_SECRET, NOW, REDIRECT_URI, Provider, running


class Clock:
    """Seconds that stand still until a test moves them."""

    def __init__(self, start: float) -> None:
        self.seconds = start

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as one:
        yield one


@pytest.fixture
def another_provider() -> Iterator[Provider]:
    with running() as another:
        yield another


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
def relying_party_of(clock: Clock) -> Callable[..., RelyingParty]:
    """``relying_party_of(provider, scopes=..., ...)``: one whose clocks the test turns."""

    def make(provider: Provider, **changed: Any) -> RelyingParty:
        return RelyingParty(settings_for(provider, **changed), HttpClient(), now=lambda: NOW + clock() - 1000.0, clock=clock)

    return make


@pytest.fixture
def relying_party(provider: Provider, relying_party_of: Callable[..., RelyingParty]) -> RelyingParty:
    return relying_party_of(provider)


def settings_for(provider: Provider, **changed: Any) -> ClientSettings:
    given: dict[str, Any] = {
        "name": "acme",
        "issuer": provider.issuer,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uri": REDIRECT_URI,
        "scopes": ("openid", "email"),
        "post_logout_redirect_uri": "https://sso.acme.example/logged-out",
    }
    return ClientSettings(**{**given, **changed})


def log_in(
    relying_party: RelyingParty, provider: Provider, *, wants_userinfo: Callable[[Any], bool] = lambda _: False, **asked: Any
) -> Authentication:
    """A whole login: to the provider, back with its answer, and what the relying party makes of it."""
    state, nonce, code_verifier = (secrets.token_urlsafe(32) for _ in range(3))
    url = relying_party.authorization_url(state=state, nonce=nonce, code_verifier=code_verifier, **asked)
    answer = read_answer(provider.follow(url))
    return relying_party.complete(answer, nonce=nonce, code_verifier=code_verifier, wants_userinfo=wants_userinfo)
