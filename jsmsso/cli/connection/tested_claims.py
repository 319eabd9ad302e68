"""The claims of the last ``test-connection``: in the keyring, one entry a provider, for ``jsmsso access`` to try rules out on."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jsmsso.errors import SecretMissing, SecretUnavailable
from jsmsso.identity.email_address import NotAnEmailAddress, fold_email
from jsmsso.profile.model import Profile
from jsmsso.profile.secrets import MAX_SECRET, delete_secret, keyring_usable, read_secret, write_secret

KEPT_SECONDS = 30 * 86400  # then a person's groups tell nothing any more, and what was kept of them goes


@dataclass(frozen=True, slots=True)
class Tested:
    """``claims`` of a login at ``provider``, ``at`` seconds since the epoch."""

    provider: str
    at: int
    claims: Mapping[str, Any]

    def __str__(self) -> str:
        return f"the claims of the last test-connection ({self.provider}, {datetime.fromtimestamp(self.at, UTC):%Y-%m-%d %H:%M} UTC)"


def remember(profile: Profile, name: str, claims: Mapping[str, Any], *, base: Path) -> bool:
    """Keep them in place of earlier ones, which go in any case; whether there is a keyring that took them."""
    text = json.dumps({"client_id": profile.providers[name].client_id, "at": int(time.time()), "claims": dict(claims)})
    try:
        if len(text) <= MAX_SECRET and keyring_usable():
            write_secret(_reference(name), text, base=base)
            return True
    except SecretUnavailable:
        pass
    forget(name)
    return False


def last_tested(profile: Profile, names: Iterable[str], *, base: Path) -> Tested | None:
    """The newest that are kept of one of these providers; None where there are none, or the keyring does not work."""
    if not keyring_usable():  # asked first, since it never prompts
        return None
    kept = [one for name in names if (one := _recall(profile, name, base)) is not None]
    return max(kept, key=lambda one: one.at, default=None)


def forget(name: str) -> None:
    """Take them out of the keyring, where they are there."""
    if keyring_usable():
        with suppress(SecretUnavailable):
            delete_secret(_reference(name).removeprefix("keyring:"))


def names_about(profile: Profile, email: str, *, base: Path) -> list[str]:
    """The providers of which the kept claims are those of a folded address, in whichever claim it stands."""
    if not keyring_usable():
        return []
    kept = {name: _recall(profile, name, base) for name in profile.providers}
    return [name for name, one in kept.items() if one is not None and any(_is(value, email) for value in one.claims.values())]


def _recall(profile: Profile, name: str, base: Path) -> Tested | None:
    try:
        read = json.loads(read_secret(_reference(name), base=base))
        tested = Tested(name, int(read["at"]), dict(read["claims"]))
        client_id = read["client_id"]
    except (SecretMissing, SecretUnavailable):
        return None
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None  # not what remember wrote
    if abs(time.time() - tested.at) > KEPT_SECONDS:  # a date to come is none of ours either
        forget(name)
        return None
    return tested if client_id == profile.providers[name].client_id else None


def _is(value: object, email: str) -> bool:
    try:
        return isinstance(value, str) and fold_email(value) == email
    except NotAnEmailAddress:
        return False


def _reference(name: str) -> str:
    return f"keyring:claims/{name}"
