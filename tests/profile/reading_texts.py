"""Profiles written down in tests: read, or refused with what the administrator would be told."""

from __future__ import annotations

from pathlib import Path

from jsmsso.errors import Complaint, ProfileInvalid
from jsmsso.profile.model import Profile
from jsmsso.profile.reading import validate

HEAD = "version: 1\npublic_url: https://sso.acme.com\n"
OIDC = "{type: oidc, issuer: https://login.acme.com, client_id: x"


def profile(text: str, *, head: str = HEAD) -> Profile:
    """The profile that ``text`` is below the two keys which every profile has."""
    return validate((head + text).encode(), Path("jsmsso.yaml"))


def complaints(text: str | bytes, *, head: str = HEAD) -> tuple[Complaint, ...]:
    """What is said about a profile; empty for a valid one."""
    content = text if isinstance(text, bytes) else (head + text).encode()
    try:
        validate(content, Path("jsmsso.yaml"))
    except ProfileInvalid as error:
        return error.complaints
    return ()


def provider(rest: str) -> str:
    """One provider named p; ``rest`` is further keys in flow style."""
    return f"providers:\n  p: {OIDC}, {rest}}}\n"
