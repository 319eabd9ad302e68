"""What the options of ``provider add`` say, and which are missing."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsmsso.cli.loopback import loopback_redirect_uri
from jsmsso.errors import ProfileMissing, UsageError
from jsmsso.profile.addresses import NotAnAddress, base_address
from jsmsso.profile.checks import default_callback
from jsmsso.profile.model import Profile
from jsmsso.profile.reading import read_profile
from jsmsso.providers.entry import Registration, new_registration, read_settings
from jsmsso.providers.types import ProviderType

DEFAULT_PUBLIC_URL = "http://localhost:8080"


@dataclass(frozen=True, slots=True)
class Given:
    """The options of ``provider add``; empty where not given."""

    name: str
    domain: str
    issuer: str
    discovery_url: str
    client_id: str
    client_secret: str
    client_secret_stdin: bool
    user_pool_id: str
    scopes: tuple[str, ...]
    public_url: str
    settings: tuple[str, ...]


@dataclass(slots=True)
class Adding:
    """What is known so far."""

    path: Path
    type_: ProviderType
    given: Given
    profile: Profile | None
    """None where there is no profile yet."""
    name: str
    public_url: str
    entry: dict[str, Any]
    registration: Registration
    place: str = ""
    """``keyring:`` or ``file:secrets/``, before a secret's name; empty where no secret can be kept."""
    client_secret: str | None = None
    """To be kept; None where a reference was given or there is none."""
    of_others: dict[str, list[str]] = field(default_factory=dict)
    """``email_domains`` for providers that have none yet."""
    warnings: list[str] = field(default_factory=list)


def begin(path: Path, type_: ProviderType, given: Given) -> Adding:
    try:
        profile = read_profile(path)
    except ProfileMissing:
        profile = None
    name = given.name or type_.name
    if not re.fullmatch("[a-z0-9][a-z0-9_-]{0,39}", name):
        raise UsageError("--name takes a to z, digits, - and _, at most 40 characters", "It stands in the callback's address.")
    if profile and name in profile.providers:
        raise UsageError(
            f"the profile has a provider {name} already", f"Give this one another name: --name. Or first: jsmsso provider remove {name}"
        )
    _check_options(type_, given)
    entry = _entry_of_options(type_, given)
    entry.setdefault("callback", default_callback(name, first=not (profile and profile.providers)))
    public_url = _public_url(profile, given)
    registration = new_registration(public_url, name, type_, entry, loopback_redirect_uri())
    return Adding(path, type_, given, profile, name, public_url, entry, registration)


def _check_options(type_: ProviderType, given: Given) -> None:
    if given.client_secret and given.client_secret_stdin:
        raise UsageError("--client-secret and --client-secret-stdin cannot both be given", "Leave one of them out.")
    if given.client_secret and given.client_secret.partition(":")[0] not in ("keyring", "env", "file"):
        raise UsageError(
            "--client-secret takes a reference, never the secret itself",
            "Allowed: keyring:NAME, env:VARIABLE or file:PATH. To hand over the secret, pipe it into --client-secret-stdin.\n"
            "If that was the secret, make a new one: arguments are seen by others on this machine.",
        )
    if type_.name != "cognito":
        for option, value in (("--domain", given.domain), ("--user-pool-id", given.user_pool_id)):
            if value:
                raise UsageError(f"{option} is for type cognito", "This type takes --issuer or --discovery-url.")


def _entry_of_options(type_: ProviderType, given: Given) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": type_.name}
    if given.scopes:
        entry["scopes"] = list(dict.fromkeys(scope for text in given.scopes for scope in text.replace(",", " ").split()))
    options = {
        "domain": given.domain,
        "issuer": given.issuer,
        "discovery_url": given.discovery_url,
        "client_id": given.client_id,
        "client_secret": given.client_secret or given.client_secret_stdin,
        "user_pool_id": given.user_pool_id,
        "scopes": given.scopes,
    }
    for key, value in read_settings(given.settings).items():
        if key == "type" or options.get(key):
            raise UsageError(f"--set {key}=... stands beside the option that says the same", "Leave one of them out.")
        if key in options and key != "scopes":
            raise UsageError(f"--set {key}=... has an option of its own", f"Give it as --{key.replace('_', '-')}.")
        entry[key] = value
    return entry


def _public_url(profile: Profile | None, given: Given) -> str:
    if not given.public_url:
        return profile.public_url if profile else DEFAULT_PUBLIC_URL
    try:
        public_url = base_address(given.public_url.strip())
    except NotAnAddress as error:
        raise UsageError(f"--public-url: {error.message}", error.hint) from None
    if profile and profile.providers and profile.public_url != public_url:
        raise UsageError(
            f"the profile's public_url is {profile.public_url}, and other providers are registered with it",
            "Change public_url in the profile, and the addresses at every provider.",
        )
    return public_url


def refuse_missing(adding: Adding) -> None:
    """Without a terminal nothing is asked: every option that is missing, at once."""
    given = adding.given
    if sys.stdin.isatty() and not given.client_secret_stdin:
        return
    missing = []
    if "domain" in adding.type_.asks_for and not given.domain:
        missing.append("--domain")
    if "issuer" in adding.type_.asks_for and not (given.issuer or given.discovery_url):
        missing.append("--issuer or --discovery-url")
    if not given.client_id:
        missing.append("--client-id")
    if not (given.client_secret or given.client_secret_stdin or is_public(adding)):
        missing.append("--client-secret or --client-secret-stdin (a public client: --set client_auth=none)")
    others = without_email_domains(adding)
    if adding.name in others:
        missing.append("--set email_domains=DOMAIN,... (or --set any_email=true): with several providers each vouches for its own")
    if missing:
        raise UsageError(f"missing: {', '.join(missing)}", "On a terminal they are asked for.")
    if others:
        raise UsageError(
            f"with several providers each vouches only for its own addresses, and {', '.join(others)} has no email_domains yet",
            f"Write providers.{others[0]}.email_domains: [acme.com] into the profile (or any_email: true), then run this again.",
        )


def without_email_domains(adding: Adding) -> list[str]:
    """The providers that need ``email_domains`` and have none, once this one is there."""
    if adding.profile is None or not adding.profile.providers:
        return []
    others = [name for name, one in adding.profile.providers.items() if one.email_domains is None and not one.any_email]
    own = [] if adding.entry.get("email_domains") or adding.entry.get("any_email") is True else [adding.name]
    return own + others


def is_public(adding: Adding) -> bool:
    return adding.entry.get("client_auth") == "none"
