"""A login under way: sealed in a small cookie of its own, bound to one browser, good for ten minutes and once."""

from __future__ import annotations

import hashlib
import os
import struct
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from jsmsso.sealing import Sealer

LOGIN_SECONDS = 600
MAX_NAMES = 212  # bytes of provider and return_to together: sealed and with its name the cookie has at most 400
TAG_LENGTH = 4
_PURPOSE = "login"
_HEAD = struct.Struct(">32sI")


@dataclass(frozen=True, slots=True)
class Login:
    """One trip to a provider. ``state``, ``nonce`` and ``code_verifier`` all come from one random seed.

    The state's first character is the number of the cookie that holds the login, the next four tell which
    portal it is for; the rest, 256 bits, is what nobody can guess.
    """

    seed: bytes = field(repr=False)
    slot: int
    tag: str
    provider: str
    return_to: str
    started: int

    @property
    def state(self) -> str:
        return f"{self.slot}{self.tag}{self._derive(b'state')}"

    @property
    def nonce(self) -> str:
        return self._derive(b"nonce")

    @property
    def code_verifier(self) -> str:
        """43 characters (RFC 7636 4.1)."""
        return self._derive(b"code_verifier")

    def _derive(self, purpose: bytes) -> str:
        return urlsafe_b64encode(hashlib.sha256(self.seed + purpose).digest()).rstrip(b"=").decode("ascii")


def fits(provider: str, return_to: str) -> bool:
    """Whether a login's cookie can hold both."""
    return len(provider) + len(return_to.encode()) <= MAX_NAMES


def begin(provider: str, return_to: str, portal: str, slot: int, now: float) -> Login:
    """A new login for a path of ours; ``portal`` is its portal's id, or empty."""
    return Login(os.urandom(32), slot, portal_tag(portal), provider, return_to, int(now))


@lru_cache(maxsize=1024)
def portal_tag(portal: str) -> str:
    """Four characters that stand for a portal in a state. No secret: they only choose among our own portals."""
    return urlsafe_b64encode(hashlib.sha256(b"portal " + portal.encode()).digest()[:3]).decode("ascii")


def seal(login: Login, sealer: Sealer) -> str:
    """The cookie's value."""
    content = _HEAD.pack(login.seed, login.started) + f"{login.slot}{login.tag}{login.provider}\n{login.return_to}".encode()
    return sealer.seal(_PURPOSE, content)


def unseal(text: str, sealer: Sealer) -> Login | None:
    """The login in a cookie's value; None for anything that is not one of ours."""
    content = sealer.open(_PURPOSE, text)
    if content is None:
        return None
    try:
        seed, started = _HEAD.unpack_from(content)
        rest = content[_HEAD.size :].decode()
        provider, _, return_to = rest[1 + TAG_LENGTH :].partition("\n")
        return Login(seed, int(rest[0]), rest[1 : 1 + TAG_LENGTH], provider, return_to, started)
    except (ValueError, IndexError, struct.error):
        return None  # sealed by another version of ours


def free_slot(cookies: Mapping[str, str], names: tuple[str, ...], sealer: Sealer) -> int:
    """The cookie for a new login: one that is free, by chance so that tabs opened at once rarely meet; else the oldest's."""
    free = [slot for slot, name in enumerate(names) if name not in cookies]
    if free:
        return free[os.urandom(1)[0] % len(free)]
    started = [(login.started if (login := unseal(cookies[name], sealer)) else 0) for name in names]
    return started.index(min(started))


def state_parts(state: str) -> tuple[int, str] | None:
    """A state's cookie number and portal tag, or None for a text that is no state of ours."""
    if len(state) != 1 + TAG_LENGTH + 43 or not state.isascii() or not "0" <= state[0] <= "4":
        return None
    return int(state[0]), state[1 : 1 + TAG_LENGTH]


def state_hash(state: str) -> bytes:
    """What the store keeps of a login."""
    return hashlib.sha256(state.encode()).digest()
