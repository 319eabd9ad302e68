"""What may be shown of a value that was refused. A profile holds no secrets, but a mistaken one may."""

from __future__ import annotations

import re

MAX_SHOWN = 60  # characters; longer texts say nothing more in a terminal of 80 columns

NOT_REPEATED = "(a key not repeated here)"

SECRET_KEYS = frozenset(
    {"client_secret", "client_key", "api_token", "admin_api_token", "secret", "password", "token", "certificate", "key"}
)
"""The model's keys that take a reference to a secret."""

_SECRET_WORD = re.compile(r"secret|token|passw|pwd|api_?key|credential|private", re.IGNORECASE)
_USER_INFO = re.compile(r"//[^/?#]*@")
# What generated secrets look like: a long run of letters and digits. Issuers, addresses and names have none.
_GENERATED = re.compile(r"(?=[A-Za-z0-9+=_~-]*[0-9][A-Za-z0-9+=_~-]*[0-9])(?=[0-9+=_~-]*[A-Za-z])[A-Za-z0-9+=_~-]{22,}")


def may_be_secret(text: str) -> bool:
    """Whether ``text`` is better not repeated: it names a secret, holds a user, or looks generated."""
    return bool(_SECRET_WORD.search(text) or _USER_INFO.search(text) or _GENERATED.search(text))


def shown_key(key: str) -> str:
    """A key as it may stand in a complaint."""
    known_word = re.fullmatch(r"[a-z_]{1,40}", key)
    if not known_word and may_be_secret(key):
        return NOT_REPEATED
    return key if len(key) <= MAX_SHOWN else key[: MAX_SHOWN - 1] + "…"


def shown(value: object) -> str:
    """``the text "x"``, ``the number 3``, ``a list``: what was found, as far as it may be repeated."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}" if -(10**15) < value < 10**15 else "a number"
    if isinstance(value, str):
        if may_be_secret(value):
            return "a text (not repeated here)"
        printable = "".join(c if c.isprintable() else "?" for c in value)
        return f'"{printable}"' if len(printable) <= MAX_SHOWN else f'"{printable[: MAX_SHOWN - 1]}…"'
    return "nothing" if value is None else "a list" if isinstance(value, list | tuple) else "a mapping"
