"""Sessions that ended before their time, known to every worker within a second."""

from __future__ import annotations

import threading
from collections.abc import Callable

from jsmsso.errors import StoreUnavailable
from jsmsso.runtime.sessions import Session
from jsmsso.store.interface import Store
from jsmsso.store.records import Ending
from jsmsso.store.watching import DOWN_AFTER_SECONDS

POLL_SECONDS = 1.0
CLOCK_STEPS_SECONDS = 300.0  # by which a clock may be set back while it is served
OLD_SECONDS = 1.5  # what is known counts for so long; an ending holds on every worker within two seconds


class Endings:
    """What the store says of ended sessions, read at most once a second by whichever request comes first.

    A session is looked up by its own id, by the provider's ``sid``, by its subject, by its address, and among
    all sessions: five looks into a dictionary. In memory is only what is younger than ``lifetime`` (seconds), since no older
    session lives; the store has the others, for a profile whose sessions last longer.
    """

    def __init__(self, store: Store, now: Callable[[], float], on_silence: Callable[[StoreUnavailable], None], *, lifetime: float) -> None:
        """``on_silence`` is told when the store has not said for ten seconds which sessions ended; it may raise."""
        self._store = store
        self._now = now
        self._kept_seconds = lifetime + CLOCK_STEPS_SECONDS
        self._on_silence = on_silence
        self._lock = threading.Lock()
        self._number = 0
        self._read_at = float("-inf")
        self._answered_at = float("-inf")
        self._silence: StoreUnavailable | None = None
        self._ended: dict[tuple[str, str, str], Ending] = {}

    def has_ended(self, session: Session) -> bool:
        """Whether somebody ended this session. While the store does not answer, what was read before counts, if that is allowed."""
        if self._now() >= self._read_at + POLL_SECONDS:
            self._read()
        if self._silence is not None:
            self._on_silence(self._silence)
        if not self._ended:
            return False
        issuer = session.customer.issuer
        keys = (
            ("session", "", session.id),
            ("sid", issuer, session.sid),
            ("sub", issuer, session.customer.subject),
            ("email", "", session.customer.email),
            ("all", "", ""),
        )
        return any((ending := self._ended.get(key)) is not None and session.started <= ending.at for key in keys)

    def end(self, ending: Ending) -> None:
        """End sessions on every worker; here at once. Raises :class:`StoreUnavailable`."""
        self._store.end(ending, now=self._now())
        self._note(ending)

    def end_once(self, ending: Ending, jti_hash: bytes, *, expires: float) -> bool:
        """The same for a logout token; False where it came before. Raises :class:`StoreUnavailable`, and then it may come again."""
        is_first = self._store.end_once(ending, jti_hash, now=self._now(), expires=expires)
        if is_first:
            self._note(ending)
        return is_first

    def _read(self) -> None:
        # Another request that reads already is waited for where what is known is older than we promise: after a start, and after
        # a moment without requests.
        is_out_of_date = self._silence is None and self._now() >= self._answered_at + OLD_SECONDS
        if not self._lock.acquire(blocking=is_out_of_date):
            return
        try:
            if self._now() < self._read_at + POLL_SECONDS:
                return
            self._number, found = self._store.endings_after(self._number, since=self._now() - self._kept_seconds)
            for ending in found:
                self._note(ending)
            now = self._read_at = self._answered_at = self._now()
            self._silence = None
            for key in [key for key, ending in self._ended.items() if ending.at < now - self._kept_seconds]:
                del self._ended[key]
        except StoreUnavailable as error:
            now = self._read_at = self._now()
            self._silence = error if now >= self._answered_at + DOWN_AFTER_SECONDS else None
        finally:
            self._lock.release()

    def _note(self, ending: Ending) -> None:
        key = (ending.kind, ending.issuer, ending.value)
        known = self._ended.get(key)
        if known is None or known.at < ending.at:
            self._ended[key] = ending
