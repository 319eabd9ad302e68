"""Times as a customer reads them: in their zone and language, near ones in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_skeleton, format_timedelta

from jsmsso.portal.languages import N_

NOW_SECONDS = 60
LONGEST_NAME = 64  # characters of a zone's name; the longest there is has 32
FORMATS = {"en": "en_GB"}  # 21 Nov 2026, 14:05: read alike on both sides of the ocean


@lru_cache(maxsize=512)
def zone_named(name: object) -> ZoneInfo | None:
    """The zone of an IANA name; None for anything that is none (OpenID Connect Core 5.1, ``zoneinfo``)."""
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return None


@dataclass(frozen=True, slots=True)
class Times:
    """For one page. ``text`` translates; ``is_guess``: nobody told us the zone, and the browser knows it better."""

    zone: tzinfo
    language: str
    now: datetime
    text: Callable[[str], str]
    is_guess: bool = False

    def exact(self, when: datetime) -> str:
        """``21 Nov 2026, 14:05 CET``."""
        local = when.astimezone(self.zone)
        return f"{self._format('yMMMd', local)}, {self._format('Hm', local)} {self.zone_name(local)}"

    def moment(self, when: datetime) -> str:
        """``today, 09:12``, ``21 Nov, 14:05``: as in a conversation."""
        local = when.astimezone(self.zone)
        return f"{self._day(local)}, {self._format('Hm', local)}"

    def ago(self, when: datetime) -> str:
        """``2 hours ago``, ``yesterday``, ``3 Nov``: as in a list."""
        past = self.now - when
        if past.total_seconds() < NOW_SECONDS:
            return self.text(N_("just now"))
        if self._days_ago(when.astimezone(self.zone)) == 0:
            return format_timedelta(-past, add_direction=True, threshold=1.0, locale=_locale(self.language))
        return self._day(when.astimezone(self.zone))

    def clock(self, when: datetime) -> str:
        """``14:32``; with its day where that is another."""
        local = when.astimezone(self.zone)
        return self._format("Hm", local) if self._days_ago(local) == 0 else self.moment(when)

    def zone_name(self, when: datetime | None = None) -> str:
        """``CET``; ``UTC-03`` for a zone without letters of its own."""
        name = (when or self.now).astimezone(self.zone).tzname() or "UTC"
        return name if name[:1].isalpha() else f"UTC{name}"

    def zone_all_year(self) -> str:
        """``Europe/Berlin``: right for a moment in any season; ``UTC`` where no zone is set."""
        return self.zone.key if isinstance(self.zone, ZoneInfo) else self.zone_name()

    def _day(self, local: datetime) -> str:
        days = self._days_ago(local)
        if days == 0:
            return self.text(N_("today"))
        if days == 1:
            return self.text(N_("yesterday"))
        return self._format("MMMd" if local.year == self.now.astimezone(self.zone).year else "yMMMd", local)

    def _days_ago(self, local: datetime) -> int:
        return (self.now.astimezone(self.zone).date() - local.date()).days

    def _format(self, skeleton: str, local: datetime) -> str:
        return format_skeleton(skeleton, local, tzinfo=self.zone, locale=_locale(self.language))


@lru_cache(maxsize=16)
def _locale(language: str) -> Locale:
    return Locale.parse(FORMATS.get(language, language))
