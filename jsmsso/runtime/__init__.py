"""The WSGI application: gate, login, logout, sessions, health, pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def create_application(profile_path: str = "") -> WsgiApplication:
    """A plain WSGI application for any server: reads the profile (as the command line finds it) and its secrets.

    Use it behind gunicorn, mod_wsgi or the like: ``gunicorn 'jsmsso.runtime:create_application()'``. Raises what
    ``jsmsso serve`` would refuse to start with.
    """
    from jsmsso.runtime.preparing import prepare

    return prepare(profile_path).application()
