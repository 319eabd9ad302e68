"""Where a session is kept: sealed in the browser's cookie, or in the store where it is too large for one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from jsmsso.errors import IdentityRefused, StoreUnavailable
from jsmsso.runtime.sessions import Session, Stub, content_of, is_alive, read_content, stub_of
from jsmsso.sealing import Sealer
from jsmsso.store.interface import Store

MAX_COOKIE = 3500  # characters; browsers promise 4,096 for name, value and attributes (RFC 6265 6.1)
MAX_STORED = 256 * 1024  # characters in the store
OPENED = 1024  # cookies' values that a worker need not open again: opening and reading one takes 9 of a request's 21 microseconds
REMEMBERED = 256  # large sessions that a worker keeps in memory: they never change, and end by their cookie or an ending
KIND, HINT_KIND = "session", "hint"
_COOKIE, _STORED, _HINT = "session", "stored session", "hint"


class _NotOursError(Exception):
    """A cookie's value that nobody here sealed."""


class SessionKeeping:
    """Sealed in either place. ``lifetime`` and ``idle_timeout`` are seconds."""

    def __init__(self, sealer: Sealer, store: Store, now: Callable[[], float], *, lifetime: int, idle_timeout: int) -> None:
        self._sealer = sealer
        self._store = store
        self._now = now
        self._lifetime = lifetime
        self._idle_timeout = idle_timeout
        self._lock = threading.Lock()
        self._large: OrderedDict[str, Session] = OrderedDict()
        self._content = lru_cache(maxsize=OPENED)(self._open)

    def keep(self, session: Session) -> str:
        """Keep a new session; returns the cookie's value. Raises :class:`IdentityRefused` (``too_large``) and :class:`StoreUnavailable`."""
        text = self._sealer.seal(_COOKIE, content_of(session))
        if len(text) <= MAX_COOKIE:
            return text
        stored = self._sealer.seal(_STORED, content_of(session))
        if len(stored) > MAX_STORED:
            raise IdentityRefused(
                "too_large",
                "the claims that access rules name are too large for a session",
                "Send fewer groups to this client, or name a claim with fewer values in the rules.",
                email=session.customer.email,
                claims=(*sorted(session.claims), *(["organizations"] if session.knows_organizations else [])),
            )
        self._store.put(KIND, session.id, stored.encode(), expires=session.started + self._lifetime, owner=session.customer.email)
        self._remember(session)
        return self._sealer.seal(_COOKIE, stub_of(session))

    def renew(self, session: Session) -> str:
        """The cookie's value of a session that was seen again."""
        text = self._sealer.seal(_COOKIE, content_of(session))
        return text if len(text) <= MAX_COOKIE else self._sealer.seal(_COOKIE, stub_of(session))

    def read(self, text: str) -> Session | None:
        """The session of a cookie's value, if it is ours and still alive. Raises :class:`StoreUnavailable` for one that lies there."""
        try:
            found = self._content(text)
        except _NotOursError:
            return None
        if not is_alive(found, now=self._now(), lifetime=self._lifetime, idle_timeout=self._idle_timeout):
            return None
        if isinstance(found, Session):
            return found
        whole = self._large.get(found.id) or self._stored(found.id)
        return replace(whole, seen=found.seen) if whole is not None and whole.started == found.started else None

    def forget(self, session_id: str) -> None:
        """A session ended: what the store has of it goes too, as far as the store answers."""
        if self._large.pop(session_id, None) is None:
            return
        try:
            self._store.delete(KIND, session_id)
        except StoreUnavailable:
            pass  # it expires there

    def keep_hint(self, session: Session, id_token: str) -> None:
        """Keep an ID token that is too large for its cookie, for the provider's logout. Raises :class:`StoreUnavailable`."""
        stored = self._sealer.seal(_HINT, id_token.encode()).encode()
        self._store.put(HINT_KIND, session.id, stored, expires=session.started + self._lifetime, owner=session.customer.email)

    def take_hint(self, session: Session) -> str | None:
        """The ID token that :meth:`keep_hint` kept, which is gone then; None where there is none, or the store does not answer."""
        try:
            value = self._store.get(HINT_KIND, session.id, now=self._now())
            if value is not None:
                self._store.delete(HINT_KIND, session.id)
        except StoreUnavailable:
            return None  # the session ends here all the same
        content = self._sealer.open(_HINT, value.decode("ascii", "replace")) if value is not None else None
        return content.decode() if content is not None else None

    def _open(self, text: str) -> Session | Stub:
        """What a cookie's value holds, the same for ever: it is sealed. Whether the session still lives is for the caller to ask.

        Raises what no cache keeps, so that made-up values push no real one out.
        """
        content = self._sealer.open(_COOKIE, text)
        found = read_content(content) if content is not None else None
        if found is None:
            raise _NotOursError
        return found

    def _stored(self, session_id: str) -> Session | None:
        value = self._store.get(KIND, session_id, now=self._now())
        content = self._sealer.open(_STORED, value.decode("ascii", "replace")) if value is not None else None
        found = read_content(content) if content is not None else None
        if not isinstance(found, Session):
            return None
        self._remember(found)
        return found

    def _remember(self, session: Session) -> None:
        with self._lock:
            self._large[session.id] = session
            while len(self._large) > REMEMBERED:
                self._large.popitem(last=False)
