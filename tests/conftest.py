"""Fixtures for every room: a person's home, programs that end with the test, and the real services.

Session scope means once per xdist worker. A service that cannot run here skips its tests with the reason.
"""

from __future__ import annotations

import gc
import os
import random
import socket
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from jsmsso.sandbox.cognito import LocalCognito, local_cognito
from tests.services import SERVICES
from tests.services.browser import ARGUMENTS, find_chromium, then_loaded
from tests.services.children import Children, children
from tests.services.home import Home, Ran, make_home, run_jsmsso
from tests.services.keycloak import Keycloak, missing_for_keycloak, start_keycloak
from tests.services.oidc_provider import OidcProvider, missing_for_node, start_provider
from tests.services.redis_server import RedisServer, missing_for_redis, start_redis

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

settings.register_profile("jsmsso", deadline=None, database=None)  # no time limits, no folder of examples
settings.load_profile("jsmsso")

if str(SERVICES) not in sys.path:
    sys.path.append(str(SERVICES))  # the test keyring's module, by the name that children know too


@pytest.fixture(scope="module", autouse=True)
def _nothing_lies_open() -> Iterator[None]:
    """Stores and servers that refer to themselves keep their files open until a collection, which may be long in coming."""
    yield
    gc.collect()


# Below the ports that the kernel gives to outgoing connections, so that none of those takes ours before we listen.
PORTS = range(15_000, 32_000)
_given: set[int] = set()


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """A function that returns another free port of 127.0.0.1 and ::1 at each call."""

    def find() -> int:
        while True:
            port = random.choice(PORTS)
            if port not in _given and _is_free(port):
                _given.add(port)
                return port

    return find


def _is_free(port: int) -> bool:
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family) as probe:
                probe.bind((address, port))
        except OSError as error:
            if family == socket.AF_INET or error.errno not in (97, 99, 47, 49):  # no IPv6 here (Linux, macOS) is no fault
                return False
    return True


@pytest.fixture
def start() -> Iterator[Children]:
    """``start(command, env=, cwd=, ready=, stdin=)`` runs a program until the test ends; see ``Child`` for what it can say."""
    with children() as started:
        yield started


@pytest.fixture(scope="session")
def session_start() -> Iterator[Children]:
    """The same, until the test session ends."""
    with children() as started:
        yield started


@pytest.fixture
def jsmsso_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A person's home: HOME, XDG folders, a keyring in a file, no proxy and no profile; this process stands in it too.

    Children get it by ``env=jsmsso_home.env`` and ``cwd=jsmsso_home.work``.
    """
    home = make_home(tmp_path / "home")
    for name in [name for name in os.environ if name not in home.env]:
        monkeypatch.delenv(name)
    for name, value in home.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(home.work)
    return home


@pytest.fixture
def jsmsso(jsmsso_home: Home) -> Callable[..., Ran]:
    """``jsmsso("provider", "list", "--json", typed="", env={})`` runs the installed command and returns what it said."""

    def run(*arguments: str, typed: str = "", env: dict[str, str] | None = None) -> Ran:
        return run_jsmsso(jsmsso_home, *arguments, typed=typed, env=env)

    return run


@pytest.fixture(scope="session")
def cognito() -> Iterator[LocalCognito]:
    """A running Cognito (MiniStack). Its own client has the usual loopback addresses; ``add_client`` makes one for yours."""
    with local_cognito(
        ["http://localhost:8080/callback", "http://localhost:8400/callback"],
        ["http://localhost:8080/logged-out"],
    ) as running:
        yield running


@pytest.fixture(scope="session")
def needs_node() -> None:
    """Skips where npm's parts cannot run."""
    if missing := missing_for_node():
        pytest.skip(missing)


@pytest.fixture(scope="session")
def oidc_provider(needs_node: None, session_start: Children, free_port: Callable[[], int]) -> OidcProvider:
    """A certified OpenID Provider with its pages; ``add_client`` and ``add_account`` make what a test needs."""
    return start_provider(session_start, free_port())


@pytest.fixture
def start_oidc_provider(needs_node: None, start: Children, free_port: Callable[[], int]) -> Callable[..., OidcProvider]:
    """``start_oidc_provider(claims_in_id_token=False, iss_in_answer=False, ttl={...})`` runs one of its own for the test."""

    def run(*, port: int = 0, **options: Any) -> OidcProvider:
        return start_provider(start, port or free_port(), **options)

    return run


@pytest.fixture(scope="session")
def keycloak(session_start: Children, free_port: Callable[[], int]) -> Keycloak:
    """A real Keycloak; ``import_realm`` makes what a test needs. Only for tests marked ``conformance_keycloak``: it starts slowly."""
    if missing := missing_for_keycloak():
        pytest.skip(missing)
    return start_keycloak(session_start, free_port(), free_port())


@pytest.fixture(scope="session")
def redis_server(session_start: Children, free_port: Callable[[], int], tmp_path_factory: pytest.TempPathFactory) -> RedisServer:
    """A real Redis that all tests of a worker share, each under a namespace of its own. It keeps nothing on disk."""
    if missing := missing_for_redis():
        pytest.skip(missing)
    return start_redis(session_start, free_port(), tmp_path_factory.mktemp("redis"))


@pytest.fixture
def start_redis_server(start: Children, free_port: Callable[[], int], tmp_path: Path) -> Callable[..., RedisServer]:
    """``start_redis_server("--requirepass", "...")`` runs one for the test alone, which may stop it and start it again."""
    if missing := missing_for_redis():
        pytest.skip(missing)

    def run(*options: str, port: int = 0) -> RedisServer:
        number = port or free_port()
        return start_redis(start, number, tmp_path / f"redis-{number}", *options)

    return run


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, headless, driven by playwright."""
    path = find_chromium()
    if not path:
        pytest.skip("no Chromium here (Debian: apt-get install chromium; or name one in JSMSSO_CHROMIUM)")
    from playwright.sync_api import Locator, sync_playwright

    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        for name in ("click", "press"):
            patch.setattr(Locator, name, then_loaded(getattr(Locator, name)))
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def browser_context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser without cookies, as in a private window."""
    context = chromium.new_context(locale="en-GB")
    yield context
    context.close()


@pytest.fixture
def page(browser_context: BrowserContext) -> Page:
    """Its first tab."""
    return browser_context.new_page()
