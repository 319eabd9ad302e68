"""``provider add`` writes: secrets first, then the profile, so that no reference leads nowhere."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jsmsso.cli.adding_provider.options import DEFAULT_PUBLIC_URL, Adding
from jsmsso.cli.render import Result
from jsmsso.errors import SecretUnavailable, UsageError
from jsmsso.profile.parsing import parse
from jsmsso.profile.reading import read_bytes
from jsmsso.profile.secrets import read_secret, write_secret
from jsmsso.providers.entry import checked, ordered

SESSION_SECRET = "session/secret"  # noqa: S105  its name in the keyring
SESSION_SECRET_BYTES = 32


def write(adding: Adding) -> str | None:
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


def _changed(data: Any, adding: Adding, entry: dict[str, Any], session_secret: str | None, mapping: Callable[..., Any]) -> Any:
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


def result(adding: Adding, session_secret: str | None) -> Result:
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
