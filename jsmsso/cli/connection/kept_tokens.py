"""Tokens that ``token get`` leaves for the other token commands: in the keyring, one entry a provider."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from jsmsso.errors import JsmssoError, SecretMissing, SecretUnavailable, UsageError
from jsmsso.oidc.settings import ClientSettings
from jsmsso.profile.secrets import MAX_SECRET, delete_secret, read_secret, write_secret

WITHOUT_KEYRING = "Tokens are kept in the keyring alone. Without it: jsmsso token get --show prints them and keeps nothing."
TOKENS = ("id_token", "access_token", "refresh_token")
_TELLING = 12  # characters of a token by which it is known again in somebody's words, which may cut it short


@dataclass(frozen=True, slots=True)
class KeptTokens:
    """What one login, or one refresh, brought, and for which client.

    ``id_claims`` are those of the first ID token, empty where nobody logged in; ``obtained`` is in seconds since the epoch.
    """

    issuer: str
    client_id: str
    access_token: str = field(repr=False)
    id_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    scope: str = ""
    id_claims: Mapping[str, Any] = field(default_factory=dict)
    obtained: int = 0

    @property
    def kinds(self) -> tuple[str, ...]:
        """Which tokens are there."""
        return tuple(name for name in TOKENS if getattr(self, name))

    def fits(self, settings: ClientSettings) -> bool:
        """Whether they are this client's; the profile may have changed since, or be another one."""
        return (self.issuer, self.client_id) == (settings.issuer, settings.client_id)

    @contextmanager
    def unspoken(self) -> Iterator[None]:
        """A block whose errors name none of the tokens, not even where a provider repeats one in its own words."""
        try:
            yield
        except JsmssoError as error:
            for name in self.kinds:
                begins = re.escape(getattr(self, name)[:_TELLING])
                error.message, error.hint = (re.sub(rf"{begins}\S*", f"({name})", text) for text in (error.message, error.hint))
            error.args = (error.message,)
            raise


def keep(provider: str, tokens: KeptTokens, *, base: Path) -> str:
    """Store them; returns the reference. Raises :class:`SecretUnavailable` where the keyring does not take them."""
    reference = reference_of(provider)
    text = json.dumps(asdict(replace(tokens, obtained=int(time.time()))))
    if len(text) > MAX_SECRET:
        raise SecretUnavailable(reference, f"the tokens are longer than the {MAX_SECRET} bytes that are kept", WITHOUT_KEYRING)
    try:
        write_secret(reference, text, base=base)
    except SecretUnavailable as error:
        raise SecretUnavailable(reference, error.message, WITHOUT_KEYRING) from None
    return reference


def recall(provider: str, *, base: Path) -> KeptTokens:
    """What was kept. Raises :class:`UsageError` where nothing was, :class:`SecretUnavailable` where the keyring does not work."""
    again = f"Get some: jsmsso token get --provider {provider}"
    try:
        text = read_secret(reference_of(provider), base=base)
    except SecretMissing:
        raise UsageError(f"no tokens of the provider {provider} are kept", again) from None
    except SecretUnavailable as error:
        raise SecretUnavailable(error.reference, error.message, WITHOUT_KEYRING) from None
    tokens = _read(text)
    if tokens is None:  # raised out here: the error in there would carry the text
        raise UsageError(f"what the keyring has at tokens/{provider} is not what token get keeps there", again)
    return tokens


def check_keyring(provider: str, *, base: Path) -> None:
    """Ask the keyring once, before anybody logs in for nothing. Raises :class:`SecretUnavailable` where it does not work."""
    try:
        recall(provider, base=base)
    except UsageError:
        pass  # it answered


def forget(provider: str) -> None:
    """Take them out of the keyring."""
    delete_secret(reference_of(provider).removeprefix("keyring:"))


def reference_of(provider: str) -> str:
    """Where the tokens of a provider are kept."""
    return f"keyring:tokens/{provider}"


def _read(text: str) -> KeptTokens | None:
    try:
        tokens = KeptTokens(**json.loads(text))
    except (ValueError, TypeError, RecursionError):
        return None
    texts = (tokens.issuer, tokens.client_id, tokens.access_token, tokens.id_token, tokens.refresh_token, tokens.scope)
    whole = isinstance(tokens.id_claims, dict) and isinstance(tokens.obtained, int) and tokens.access_token
    return tokens if whole and all(isinstance(one, str) for one in texts) else None
