"""``test-connection`` as a person runs it: the printed address is opened, a login made, the answer handed over."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests

from tests.services.children import Child, Children, installed_script
from tests.services.home import Home, Ran
from tests.services.oidc_provider import OidcProvider

LogIn = Callable[[str], str]
ADDRESS = r"^(https?://\S+[?&]code_challenge=\S+)\s*$"


def write_profile(home: Home, providers: dict[str, dict[str, Any]], **keys: Any) -> Path:
    """A profile with these providers; secrets are given as ``env:`` references by the caller."""
    home.profile.write_text(json.dumps({"version": 1, "public_url": "http://localhost:8080", "providers": providers, **keys}))
    return home.profile


def begin(start: Children, home: Home, *arguments: str, env: dict[str, str] | None = None) -> Child:
    """The command, running."""
    return start([installed_script("jsmsso"), "test-connection", *arguments], env=home.env | (env or {}), cwd=home.work)


def try_out(start: Children, home: Home, log_in: LogIn, *arguments: str, env: dict[str, str] | None = None, pasted: bool = False) -> Ran:
    """Run it, log in with ``log_in`` (address -> final address), hand the answer over, and wait for the end."""
    child = begin(start, home, *arguments, env=env)
    final = log_in(child.wait_for(ADDRESS)[1])
    if pasted:
        child.write(final + "\n")
    else:
        page = requests.get(final, timeout=30)
        assert page.status_code == 200, page.text
    return Ran(child.wait(), child.stdout, child.stderr)


def run(start: Children, home: Home, *arguments: str, env: dict[str, str] | None = None) -> Ran:
    """Run it where it ends before any login."""
    child = begin(start, home, *arguments, env=env)
    return Ran(child.wait(), child.stdout, child.stderr)


def at_certified_provider(provider: OidcProvider, email: str = "", password: str = "") -> LogIn:
    """Logs in at npm oidc-provider by its forms, without a browser."""

    def log_in(address: str) -> str:
        session = requests.Session()
        location, form = address, None
        for _ in range(12):
            answer = session.request("POST" if form is not None else "GET", location, data=form, allow_redirects=False, timeout=30)
            form = None
            if "location" in answer.headers:
                location = urljoin(location, answer.headers["location"])
                if not location.startswith(provider.issuer):
                    return location
                continue
            action = re.search(r'action="(/interaction/[^"]+/(login|consent))"', answer.text)
            assert action, answer.text
            location = urljoin(location, action[1])
            form = {"email": email or provider.email, "password": password or provider.password} if action[2] == "login" else {}
        raise AssertionError(f"no end at {location}")

    return log_in
