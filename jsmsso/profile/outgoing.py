"""Out into the network, as the profile says."""

from __future__ import annotations

from pathlib import Path

from jsmsso.http_client import HttpClient, HttpSettings
from jsmsso.profile.model import Profile


def http_client(profile: Profile, path: Path) -> HttpClient:
    """As the ``http:`` of the profile at ``path`` says."""
    http = profile.http
    return HttpClient(HttpSettings(http.proxy, http.no_proxy, ca_bundle(profile, path)))


def ca_bundle(profile: Profile, path: Path) -> str | None:
    """The file of certificate authorities to trust alone, relative to the profile's folder; None where it names none."""
    return str(path.parent / profile.http.ca_bundle) if profile.http.ca_bundle else None
