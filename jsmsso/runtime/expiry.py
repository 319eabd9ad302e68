"""What ends on a known day: tokens by what the profile says, certificates by what they say themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Literal

from jsmsso.errors import SecretUnavailable
from jsmsso.jsm.token_expiry import WARNED_FROM, expiry_warning
from jsmsso.profile.model import Profile
from jsmsso.profile.secrets import read_secret

DAY = 86400.0
CERTIFICATE_WARNED_FROM = 14  # days; what renews itself does so at a third of its life, which is 30 days before its end


@dataclass(frozen=True, slots=True)
class Expiry:
    """``name`` is ``jsm``, ``scim``, ``tls``, ``saml`` or ``saml_next``; ``at`` seconds since the epoch (a token's: the day's end, UTC)."""

    kind: Literal["token", "certificate"]
    name: str
    at: float

    @property
    def day(self) -> date:
        """The last day on which it is good."""
        return datetime.fromtimestamp(self.at - 1, UTC).date()

    def warning(self, now: float) -> str:
        """A sentence when it is time to act, else empty."""
        today = datetime.fromtimestamp(now, UTC).date()
        if self.name == "jsm":
            return expiry_warning(self.day, today)
        days = (self.day - today).days
        if days > (WARNED_FROM if self.kind == "token" else CERTIFICATE_WARNED_FROM):
            return ""
        what = {"scim": "the SCIM token", "tls": "the certificate of --tls-cert", "saml": "saml.certificate"}.get(self.name, "saml.next")
        return f"{what} ended on {self.day}: make a new one" if now >= self.at else f"{what} ends on {self.day}: make a new one before"


def expiries(profile: Profile, base: Path, tls_certificate: Path | None = None) -> tuple[Expiry, ...]:
    """All that is known; ``base`` is the profile's folder. What cannot be read has no end here: others say so."""
    found = [
        Expiry("token", name, datetime.combine(day, time(), UTC).timestamp() + DAY)
        for name, day in (
            ("jsm", profile.jsm.api_token_expires if profile.jsm else None),
            ("scim", profile.scim.token_expires if profile.scim else None),
        )
        if day is not None
    ]
    texts = [("tls", _text(tls_certificate))] if tls_certificate else []
    if profile.saml:
        pairs = [("saml", profile.saml), *([("saml_next", profile.saml.next)] if profile.saml.next else [])]
        texts += [(name, _secret(pair.certificate, base)) for name, pair in pairs]
    for name, pem in texts:
        if pem and (end := _end_of(pem)) is not None:
            found.append(Expiry("certificate", name, end))
    return tuple(found)


def _text(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _secret(reference: str, base: Path) -> bytes:
    try:
        return read_secret(reference, base=base).encode()
    except SecretUnavailable:
        return b""


def _end_of(pem: bytes) -> float | None:
    """When the first certificate ends, which is the server's own."""
    from cryptography.x509 import load_pem_x509_certificate

    try:
        return load_pem_x509_certificate(pem).not_valid_after_utc.timestamp()
    except ValueError:
        return None
