"""``provider add``: options and a person's answers become an entry in the profile."""

from __future__ import annotations

import re
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import typer

from jsmsso.cli.loopback import loopback_redirect_uri
from jsmsso.cli.render import Result, progress_line
from jsmsso.errors import JsmssoError, ProfileMissing, SecretUnavailable, UsageError
from jsmsso.http_client import HttpClient
from jsmsso.profile.addresses import NotAnAddress, base_address
from jsmsso.profile.checks import default_callback
from jsmsso.profile.model import Profile
from jsmsso.profile.parsing import parse
from jsmsso.profile.reading import read_bytes, read_profile
from jsmsso.profile.secrets import MAX_SECRET, keyring_usable, read_secret, write_secret
from jsmsso.providers import cognito
from jsmsso.providers.entry import Registration, checked, find_metadata, new_registration, ordered, read_settings
from jsmsso.providers.settings import http_client
from jsmsso.providers.types import ProviderType

DEFAULT_PUBLIC_URL = "http://localhost:8080"
SESSION_SECRET = "session/secret"  # noqa: S105  its name in the keyring
SESSION_SECRET_BYTES = 32

T = TypeVar("T")


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
class _Adding:
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


def add_provider(path: Path, type_: ProviderType, given: Given, *, as_json: bool) -> Result:
    """Add a provider to the profile at ``path``, which is made where there is none."""
    adding = _begin(path, type_, given)
    # Before the first question: the addresses are needed to make the client that the questions ask about.
    print("\n".join(adding.registration.lines(type_)) + "\n", file=sys.stderr if as_json else sys.stdout, flush=True)
    _refuse_missing(adding)
    http = http_client(adding.profile, path) if adding.profile else HttpClient()
    if type_.name == "cognito":
        _ask_cognito(adding, http)
    else:
        _ask_oidc(adding, http)
    adding.entry["client_id"] = given.client_id.strip() or _ask("Client ID", _filled)
    adding.place = _place(adding)
    _ask_secret(adding)
    _ask_email_domains(adding)
    session_secret = _write(adding)
    return _result(adding, session_secret)


def _begin(path: Path, type_: ProviderType, given: Given) -> _Adding:
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
    return _Adding(path, type_, given, profile, name, public_url, entry, registration)


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


def _refuse_missing(adding: _Adding) -> None:
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
    if not (given.client_secret or given.client_secret_stdin or _is_public(adding)):
        missing.append("--client-secret or --client-secret-stdin (a public client: --set client_auth=none)")
    others = _without_email_domains(adding)
    if adding.name in others:
        missing.append("--set email_domains=DOMAIN,... (or --set any_email=true): with several providers each vouches for its own")
    if missing:
        raise UsageError(f"missing: {', '.join(missing)}", "On a terminal they are asked for.")
    if others:
        raise UsageError(
            f"with several providers each vouches only for its own addresses, and {', '.join(others)} has no email_domains yet",
            f"Write providers.{others[0]}.email_domains: [acme.com] into the profile (or any_email: true), then run this again.",
        )


# The questions -------------------------------------------------------------------------------


def _ask_cognito(adding: _Adding, http: HttpClient) -> None:
    given, entry = adding.given, adding.entry
    domain = cognito.mend_domain(given.domain) if given.domain else _ask("Domain [Branding > Domain]", cognito.mend_domain)
    entry["domain"] = domain
    entry["discovery_url"] = given.discovery_url.strip() or None
    if given.user_pool_id:
        cognito.issuers_of_pool(given.user_pool_id.strip())
        entry["user_pool_id"] = given.user_pool_id.strip()
    if given.issuer:
        entry["issuer"] = given.issuer.strip()
    elif given.user_pool_id:
        progress_line("Looking for the pool's issuer ...")
        entry["issuer"] = cognito.find_issuer(http, domain, entry["user_pool_id"], entry["discovery_url"])
        if entry["issuer"] is None:
            adding.warnings.append("the pool's metadata cannot be reached, so no issuer is pinned yet: jsmsso test-connection does it")


def _ask_oidc(adding: _Adding, http: HttpClient) -> None:
    given, entry = adding.given, adding.entry
    if given.issuer or given.discovery_url:
        found = find_metadata(http, given.issuer, given.discovery_url)
    else:
        found = _ask("Issuer (or the address of its metadata)", lambda text: find_metadata(http, _filled(text), ""))
    metadata = found.metadata
    progress_line(f"Found {metadata.issuer}")
    progress_line(f"  logins at  {metadata.authorization_endpoint}")
    progress_line(f"  tokens at  {metadata.token_endpoint}\n")
    entry["issuer"], entry["discovery_url"] = metadata.issuer, found.discovery_url


def _place(adding: _Adding) -> str:
    """Where new secrets go: the keyring, else (asked on a terminal) files beside the profile, else nowhere."""
    needs_client_secret = not adding.given.client_secret and not _is_public(adding)
    if adding.profile is not None and not needs_client_secret:
        return ""
    if keyring_usable():
        return "keyring:"
    question = f"There is no usable keyring. Keep secrets as files in {adding.path.parent / 'secrets'} (mode 0600)?"
    if sys.stdin.isatty() and typer.confirm(question, default=True, err=True):
        return "file:secrets/"
    if needs_client_secret:
        variable = re.sub("[^A-Z0-9]", "_", f"JSMSSO_{adding.name}_CLIENT_SECRET".upper())
        raise SecretUnavailable(
            f"keyring:{adding.name}/client_secret",
            "there is no usable keyring to keep the client secret in",
            f"Say where it is instead: --client-secret env:{variable}, or --client-secret file:PATH of a file that only you can read.",
        )
    return ""


def _ask_secret(adding: _Adding) -> None:
    given, entry = adding.given, adding.entry
    if given.client_secret:
        entry["client_secret"] = given.client_secret
        try:
            read_secret(given.client_secret, base=adding.path.parent)
        except SecretUnavailable as error:
            adding.warnings.append(f"{error.message}. {error.hint}")
        return
    if _is_public(adding):
        return
    if given.client_secret_stdin:
        secret = _from_stdin()
    else:
        where = "the keyring" if adding.place == "keyring:" else "a file"
        secret = str(
            typer.prompt(f"Client secret (typed unseen, goes to {where})", default="", show_default=False, hide_input=True, err=True)
        )
        secret = secret.strip()
        if not secret:
            progress_line("No secret: this is a public client.")
            return
    reference = f"{adding.place}{adding.name}/client_secret"
    entry["client_secret"], adding.client_secret = reference, secret
    try:
        if read_secret(reference, base=adding.path.parent) != secret:
            adding.warnings.append(f"{reference} held another secret before; it is replaced")
    except SecretUnavailable:
        pass


def _from_stdin() -> str:
    try:
        secret = sys.stdin.buffer.read(MAX_SECRET + 1).decode().strip()
    except UnicodeDecodeError:
        secret = ""
    if not secret or "\n" in secret:
        raise UsageError(
            "standard input has no client secret: one line of text is due",
            "For example: jsmsso provider add ... --client-secret-stdin < secret.txt. A public client: --set client_auth=none.",
        )
    return secret


def _ask_email_domains(adding: _Adding) -> None:
    for name in _without_email_domains(adding):
        answer = _ask(f"Email domains that {name} alone may vouch for (with commas; * for any)", _domains)
        if name != adding.name:
            adding.of_others[name] = answer
        elif answer == ["*"]:
            adding.entry["any_email"] = True
        else:
            adding.entry["email_domains"] = answer


def _domains(text: str) -> list[str]:
    from jsmsso.identity.email_address import NotAnEmailAddress, fold_domain

    names = [part.strip().removeprefix("@") for part in text.split(",") if part.strip()]
    if names == ["*"]:
        return names
    try:
        return [fold_domain(name) for name in names] or [_filled("")]
    except NotAnEmailAddress:
        raise UsageError("that is no domain such as acme.com") from None


def _without_email_domains(adding: _Adding) -> list[str]:
    """The providers that need ``email_domains`` and have none, once this one is there."""
    if adding.profile is None or not adding.profile.providers:
        return []
    others = [name for name, one in adding.profile.providers.items() if one.email_domains is None and not one.any_email]
    own = [] if adding.entry.get("email_domains") or adding.entry.get("any_email") is True else [adding.name]
    return own + others


def _is_public(adding: _Adding) -> bool:
    return adding.entry.get("client_auth") == "none"


def _filled(text: str) -> str:
    if not text.strip():
        raise UsageError("it is needed")
    return text.strip()


def _ask(question: str, read: Callable[[str], T]) -> T:
    """An answer that ``read`` takes; what it refuses is said, and asked again."""
    while True:
        answer = str(typer.prompt(question, default="", show_default=False, err=True))
        try:
            return read(answer)
        except JsmssoError as error:
            progress_line(f"  {error.message}" + (f". {error.hint}" if error.hint else ""))


# Writing -------------------------------------------------------------------------------------


def _write(adding: _Adding) -> str | None:
    """Secrets first, then the profile, so that no reference leads nowhere; returns a new profile's session secret reference."""
    from ruamel.yaml.comments import CommentedMap

    from jsmsso.profile.editing import editing

    entry = ordered(adding.entry)
    session_secret = f"{adding.place}{SESSION_SECRET}" if adding.profile is None and adding.place else None
    before = {} if adding.profile is None else parse(read_bytes(adding.path)).values
    checked(_changed(dict(before), adding, entry, session_secret, dict), adding.path)
    adding.path.parent.mkdir(parents=True, exist_ok=True)
    if adding.client_secret is not None:
        write_secret(str(entry["client_secret"]), adding.client_secret, base=adding.path.parent)
    if session_secret is not None:
        _keep_session_secret(session_secret, adding.path.parent)
    with editing(adding.path, create=adding.profile is None) as document:
        if adding.name in (document.data.get("providers") or {}):
            raise UsageError(f"the profile has a provider {adding.name} already", "It came while the questions were asked. Run this again.")
        _changed(document.data, adding, entry, session_secret, CommentedMap)
    return session_secret


def _changed(data: Any, adding: _Adding, entry: dict[str, Any], session_secret: str | None, mapping: Callable[..., Any]) -> Any:
    """``data``, a profile's mapping, with the provider in it."""
    data.setdefault("version", 1)
    if adding.profile is None or adding.profile.public_url != adding.public_url:
        data["public_url"] = adding.public_url
    providers = data.get("providers")
    if not providers:
        providers = data["providers"] = mapping()
    providers[adding.name] = mapping(entry)
    for name, domains in adding.of_others.items():
        providers[name].update({"any_email": True} if domains == ["*"] else {"email_domains": domains})
    if session_secret is not None:
        data["session"] = mapping({"secret": session_secret})
    return data


def _keep_session_secret(reference: str, base: Path) -> None:
    try:
        read_secret(reference, base=base)  # another profile of this user has made it: replacing it would end its sessions
    except SecretUnavailable:
        write_secret(reference, secrets.token_urlsafe(SESSION_SECRET_BYTES), base=base)


def _result(adding: _Adding, session_secret: str | None) -> Result:
    entry, created = adding.entry, adding.profile is None
    is_default = created or not adding.profile or not adding.profile.providers
    next_step = "jsmsso test-connection" + ("" if is_default else f" --provider {adding.name}")
    lines = [f"{'Made' if created else 'Wrote'} {adding.path} with provider {adding.name}." if created
             else f"Wrote provider {adding.name} to {adding.path}."]  # fmt: skip
    if entry.get("issuer"):
        lines.append(f"Pinned issuer {entry['issuer']}")
    lines.append(f"Next: {next_step}")
    if created and not adding.given.public_url:
        adding.warnings.append(f"public_url is {DEFAULT_PUBLIC_URL}, for trying out: set the address that customers will use")
    if created and session_secret is None:
        adding.warnings.append(
            "session.secret is not set, as there is no keyring to keep it in. Before serving on a public address write\n"
            "  session: {secret: env:JSMSSO_SESSION_SECRET} into the profile, and set that variable to 32 random bytes or more\n"
            "  (openssl rand -base64 32)"
        )
    data = {
        "name": adding.name,
        "type": adding.type_.name,
        "profile": str(adding.path),
        "created": created,
        "public_url": adding.public_url,
        "domain": entry.get("domain"),
        "issuer": entry.get("issuer"),
        "client_id": entry["client_id"],
        "client_secret": entry.get("client_secret"),
        "session_secret": session_secret,
        "register": adding.registration.data(),
        "next": next_step,
    }
    return Result(data=data, text="\n".join(["", *lines]) if sys.stdin.isatty() else "\n".join(lines), warnings=tuple(adding.warnings))
