"""What the options of ``provider add`` say, and which are missing."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jsmsso.cli.loopback import loopback_redirect_uri
from jsmsso.errors import ProfileMissing, UsageError
from jsmsso.profile.addresses import NotAnAddress, base_address
from jsmsso.profile.checks import default_callback
from jsmsso.profile.model import Profile
from jsmsso.profile.reading import read_profile
from jsmsso.providers.entry import Registration, new_registration, read_settings
from jsmsso.providers.locating import missing_hint, option_of, unanswered
from jsmsso.providers.types import ProviderType, Question

_ENTRY_KEYS = ("tenants", "trust_unverified_email")  # questions whose answers stand in the profile as they are
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
    answers: dict[str, str]
    """What the options answer of the type's questions."""
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
    return Adding(path, type_, given, profile, name, public_url, entry, registration, _answers_of_options(type_, given))


def _check_options(type_: ProviderType, given: Given) -> None:
    if given.client_secret and given.client_secret_stdin:
        raise UsageError("--client-secret and --client-secret-stdin cannot both be given", "Leave one of them out.")
    if given.client_secret and given.client_secret.partition(":")[0] not in ("keyring", "env", "file"):
        raise UsageError(
            "--client-secret takes a reference, never the secret itself",
            "Allowed: keyring:NAME, env:VARIABLE or file:PATH. To hand over the secret, pipe it into --client-secret-stdin.\n"
            "If that was the secret, make a new one: arguments are seen by others on this machine.",
        )
    _check_place(type_, given)


def _check_place(type_: ProviderType, given: Given) -> None:
    """Where the provider is can be said only in the ways that its type knows."""
    asked = {question.key for question in type_.questions} | set(type_.asks_for)
    takes = "--issuer or --discovery-url"
    if type_.questions:
        takes = ", ".join(option_of(question) for question in type_.questions)
    elif type_.issuer:
        takes = f"none of these: its issuer is always {type_.issuer}"
    refused = {
        "--domain": given.domain and "domain" not in asked,
        "--user-pool-id": given.user_pool_id and type_.name != "cognito",
        "--issuer": given.issuer and (type_.plain is not None or type_.issuer not in ("", given.issuer.strip())),
        "--discovery-url": given.discovery_url and (type_.plain is not None or type_.issuer),
    }
    for option, wrong in refused.items():
        if wrong:
            raise UsageError(f"{option} is not for type {type_.name}", f"This type takes {takes}.")


def is_placed(adding: Adding) -> bool:
    """Whether an issuer or an address of metadata stands in place of the type's own questions."""
    own = any(question.key == "issuer" for question in adding.type_.questions)
    return bool(adding.given.discovery_url or (adding.given.issuer and not own))


def questions_of(adding: Adding) -> tuple[Question, ...]:
    """What must be known of this provider before its metadata is read."""
    questions = adding.type_.questions
    if not is_placed(adding):
        return questions
    rest = [replace(question, only_if=None) for question in questions if question.key in _ENTRY_KEYS]
    return tuple(question for question in rest if question.key != "tenants" or "tenants" in adding.answers)


def may_ask(given: Given) -> bool:
    """Whether somebody sits there to answer."""
    return sys.stdin.isatty() and not given.client_secret_stdin


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
    answers = {question.key for question in type_.questions}
    for key, value in read_settings(pair for pair in given.settings if _key(pair) not in answers or _key(pair) in options).items():
        if key == "type" or options.get(key):
            raise UsageError(f"--set {key}=... stands beside the option that says the same", "Leave one of them out.")
        if key in options and key != "scopes":
            raise UsageError(f"--set {key}=... has an option of its own", f"Give it as --{key.replace('_', '-')}.")
        entry[key] = value
    return entry


def _answers_of_options(type_: ProviderType, given: Given) -> dict[str, str]:
    """``--set`` with a question's key, ``--domain`` and ``--issuer``: texts as they were pasted, for the question to mend."""
    answers = {"domain": given.domain, "issuer": given.issuer}
    for pair in given.settings:
        key = _key(pair)
        if key not in {question.key for question in type_.questions} - {"domain", "issuer"}:
            continue
        if key in answers:
            raise UsageError(f"--set {key} is given twice", "Leave one of them out.")
        answers[key] = pair.partition("=")[2]
        if key in _ENTRY_KEYS and answers[key].lstrip().startswith("["):  # as the profile has it
            answers[key] = ",".join(map(str, read_settings([pair])[key]))
    return {question.key: answers[question.key] for question in type_.questions if answers.get(question.key, "").strip()}


def _key(pair: str) -> str:
    return pair.partition("=")[0].strip()


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
    if may_ask(given):
        return
    unknown = unanswered(replace(adding.type_, questions=questions_of(adding)), adding.answers)
    missing = list(map(option_of, unknown))
    if "domain" in adding.type_.asks_for and not given.domain:
        missing.append("--domain")
    if "issuer" in adding.type_.asks_for and not adding.type_.questions and not is_placed(adding):
        missing.append("--issuer or --discovery-url")
    if not given.client_id:
        missing.append("--client-id")
    if not (given.client_secret or given.client_secret_stdin or needs_no_secret(adding)):
        missing.append("--client-secret or --client-secret-stdin (a public client: --set client_auth=none)")
    others = without_email_domains(adding)
    if adding.name in others:
        missing.append("--set email_domains=DOMAIN,... (or --set any_email=true): with several providers each vouches for its own")
    if missing:
        raise UsageError(f"missing: {', '.join(missing)}", missing_hint(unknown) or "On a terminal they are asked for.")
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


def needs_no_secret(adding: Adding) -> bool:
    """A public client, or one that proves itself by a key."""
    return adding.entry.get("client_auth") == "none" or bool(adding.entry.get("client_key"))
