"""Tokens that ``token get`` leaves for the other token commands: in the keyring, one entry a provider."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from jsmsso.errors import SecretUnavailable, UsageError
from jsmsso.profile.secrets import read_secret, write_secret


@dataclass(frozen=True, slots=True)
class KeptTokens:
    """What one login, or one refresh, brought. ``id_claims`` are those of the first ID token; ``obtained`` seconds since the epoch."""

    access_token: str = field(repr=False)
    id_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    scope: str | None = None
    id_claims: Mapping[str, Any] = field(default_factory=dict)
    obtained: int = 0

    @property
    def kinds(self) -> tuple[str, ...]:
        """Which tokens are there."""
        return tuple(name for name in ("id_token", "access_token", "refresh_token") if getattr(self, name))


def keep(provider: str, tokens: KeptTokens, *, base: Path) -> str:
    """Store them; returns the reference. Raises :class:`SecretUnavailable` where there is no usable keyring."""
    reference = _reference(provider)
    write_secret(reference, json.dumps(asdict(tokens) | {"obtained": int(time.time())}), base=base)
    return reference


def recall(provider: str, *, base: Path) -> KeptTokens:
    """What was kept. Raises :class:`UsageError` where nothing was."""
    try:
        return KeptTokens(**json.loads(read_secret(_reference(provider), base=base)))
    except (SecretUnavailable, ValueError, TypeError) as error:
        raise UsageError(f"no tokens of the provider {provider} are kept", f"Get some: jsmsso token get --provider {provider}") from error


def forget(provider: str) -> None:
    """Take them out of the keyring."""
    import keyring
    from keyring.errors import KeyringError

    from jsmsso.profile.secrets import SERVICE

    try:
        keyring.delete_password(SERVICE, _reference(provider).removeprefix("keyring:"))
    except KeyringError as error:
        raise SecretUnavailable(_reference(provider), "the keyring does not let the tokens go", "Delete the entry by hand.") from error


def _reference(provider: str) -> str:
    return f"keyring:tokens/{provider}"
