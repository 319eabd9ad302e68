"""How long a busy site asks to be left alone, remembered for everybody who calls it."""

from __future__ import annotations

import email.utils
import threading
from collections.abc import Mapping
from datetime import UTC, datetime

LONGEST_CALM = 600.0  # seconds; a site that names next year by mistake must not silence us until then


class Calm:
    """Until when nobody is to call a site that was too busy. This one is for the threads of one process.

    Whoever has several processes passes an object with these two methods that keeps the time where all of them see it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = 0.0

    def until(self) -> float:
        """Seconds since 1970; a time that is over when nobody has to wait."""
        return self._until

    def note(self, until: float) -> None:
        """Nobody is to call before ``until``; an earlier time than the one known changes nothing."""
        with self._lock:
            self._until = max(self._until, until)


def asked_pause(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that an answer asks to wait; None where it does not say.

    ``Retry-After`` is a number or a date (RFC 9110 10.2.3). Without it ``X-RateLimit-Reset`` counts, an ISO 8601
    time (Atlassian: Rate limiting).
    """
    retry_after = headers.get("Retry-After", "").strip()
    if retry_after.isdecimal():
        return float(retry_after)
    for text, read in ((retry_after, _http_date), (headers.get("X-RateLimit-Reset", "").strip(), _iso_date)):
        try:
            return max(0.0, read(text) - now)
        except (ValueError, OverflowError):
            continue
    return None


def _http_date(text: str) -> float:
    return email.utils.parsedate_to_datetime(text).timestamp()


def _iso_date(text: str) -> float:
    when = datetime.fromisoformat(text)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
