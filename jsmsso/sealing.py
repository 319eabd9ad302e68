"""Sealed texts for cookies and records: AES-256-GCM, one key per purpose, secrets that rotate."""

from __future__ import annotations

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = b"\x01"
NONCE_BYTES = 12  # NIST SP 800-38D 5.2.1.1; random, so one key may seal 2**32 texts: see docs on rotating session.secret
OVERHEAD_BYTES = len(VERSION) + NONCE_BYTES + 16  # and the tag
MIN_SECRET_BYTES = 32


class Sealer:
    """Seals with the first secret, opens with any of them: put a new one first, drop the old one a lifetime later.

    ``secrets`` are texts of at least 32 bytes; ``context`` binds what is sealed to one deployment (its
    ``public_url``), so that a cookie of another one never opens here.
    """

    def __init__(self, secrets: Sequence[str], context: str) -> None:
        if not secrets or any(len(secret.encode()) < MIN_SECRET_BYTES for secret in secrets):
            raise ValueError(f"a secret needs at least {MIN_SECRET_BYTES} bytes")
        self._secrets = [secret.encode() for secret in secrets]
        self._context = context.encode()
        self._keys: dict[str, tuple[bytes, list[AESGCM]]] = {}

    def seal(self, purpose: str, content: bytes) -> str:
        """``content`` as URL-safe text of 4/3 times its length plus 39 characters, without padding."""
        associated, keys = self._keys.get(purpose) or self._derive(purpose)
        nonce = os.urandom(NONCE_BYTES)
        return _encoded(VERSION + nonce + keys[0].encrypt(nonce, content, associated)).decode("ascii")

    def open(self, purpose: str, text: str) -> bytes | None:
        """What was sealed under this purpose, or None for anything else: altered, foreign, garbage."""
        try:
            encoded = text.encode("ascii")
            sealed = urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4))
        except ValueError:
            return None
        # Python's base64 skips what is no letter of it and drops odd bits: only the one right spelling opens.
        if len(sealed) < OVERHEAD_BYTES or sealed[:1] != VERSION or _encoded(sealed) != encoded:
            return None
        associated, keys = self._keys.get(purpose) or self._derive(purpose)
        nonce, ciphertext = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        for key in keys:
            try:
                return key.decrypt(nonce, ciphertext, associated)
            except InvalidTag:
                continue
        return None

    def _derive(self, purpose: str) -> tuple[bytes, list[AESGCM]]:
        associated = VERSION + purpose.encode() + b"\x00" + self._context
        keys = [AESGCM(HKDF(SHA256(), 32, salt=None, info=b"jsmsso " + purpose.encode()).derive(secret)) for secret in self._secrets]
        self._keys[purpose] = associated, keys
        return associated, keys


def _encoded(sealed: bytes) -> bytes:
    return urlsafe_b64encode(sealed).rstrip(b"=")
