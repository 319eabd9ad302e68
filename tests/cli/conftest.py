"""A person at a terminal, and one with tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

import pytest

from tests.cli.at_a_terminal import Spawn, at_terminal
from tests.cli.holding_tokens import PUBLIC, Holder, entry
from tests.cli.trying_out import write_profile
from tests.providers.played import between, playing
from tests.services.children import Children
from tests.services.home import Home
from tests.services.oidc_provider import OidcProvider, start_provider


@pytest.fixture
def terminal(jsmsso_home: Home) -> Spawn:
    """``terminal("provider", "add", "cognito", env={})`` -> the command in a terminal of 80 columns."""
    return partial(at_terminal, jsmsso_home)


@pytest.fixture(scope="session")
def generous(needs_node: None, session_start: Children, free_port: Callable[[], int]) -> OidcProvider:
    """A certified provider that gives refresh tokens, a new one at each use, and knows client credentials."""
    return start_provider(session_start, free_port(), refresh_tokens=True, client_credentials=True)


@pytest.fixture
def holder(generous: OidcProvider, start: Children, jsmsso_home: Home, free_port: Callable[[], int]) -> Holder:
    """Somebody with a profile about a client there."""
    port = free_port()
    client = generous.add_client([f"http://localhost:{port}/callback", PUBLIC])
    write_profile(jsmsso_home, {"idp": entry(generous.issuer, client.client_id)})
    return Holder(start, jsmsso_home, ("--port", str(port)), {"CLIENT_SECRET": client.client_secret})


@pytest.fixture
def play(free_port: Callable[[], int]) -> Iterator[Callable[..., str]]:
    """``play(answer)`` -> the address of a provider that says what the test wants."""
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(playing(answer, free_port()))


@pytest.fixture
def stand_between(play: Callable[..., str]) -> Callable[..., str]:
    """``stand_between(upstream, {"/path": Said(...)})`` -> the address of a provider that is changed so."""
    return lambda upstream, changes: play(between(upstream, changes))


@pytest.fixture
def keyrings(jsmsso_home: Home) -> str:
    """A folder with keyrings that do not do what they should."""
    (jsmsso_home.path / "tests_keyrings.py").write_text(
        """
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordSetError

class Locked(KeyringBackend):
    priority = 9
    def get_password(self, service, username): raise KeyringLocked("locked")
    def set_password(self, service, username, password): raise KeyringLocked(password)
    def delete_password(self, service, username): raise KeyringLocked("locked")

class Short(KeyringBackend):
    priority = 9
    def get_password(self, service, username): return None
    def set_password(self, service, username, password):
        if len(password) > 1280: raise PasswordSetError("too long: " + password)
    def delete_password(self, service, username): pass
"""
    )
    return str(jsmsso_home.path)
