"""``session.recheck``: the provider is asked again and again whether an account still exists, by its refresh token."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from jsmsso.errors import ProviderFailed, StoreUnavailable, TokenRequestRefused, TooBusy
from jsmsso.oidc.relying_party import Claims
from jsmsso.providers.relying_party import Party
from jsmsso.runtime.endings import Endings
from jsmsso.runtime.places import Places
from jsmsso.runtime.sessions import Session
from jsmsso.sealing import Sealer
from jsmsso.store.interface import Store
from jsmsso.store.records import Ending

KIND = "refresh"
LEASE_SECONDS = 30.0  # longer than a refresh may take
RETRY_SECONDS = 60.0  # until a provider that did not answer is asked again
REMEMBERED = 20_000
_PURPOSE = "refresh token"


class Say(Protocol):
    """Writes a line of the log."""

    def __call__(self, event: str, **fields: object) -> None: ...


class Rechecks:
    """One per worker. Refresh tokens lie sealed in the store until their session's end, and nowhere else.

    What the store has is the time of the last check and the token of the moment: of all workers the one that holds
    the lease refreshes, and the others go on with the session meanwhile. ``every`` and ``lifetime`` are seconds.
    """

    def __init__(
        self,
        store: Store,
        endings: Endings,
        sealer: Sealer,
        parties: Mapping[str, Party],
        places: Places,
        *,
        every: int,
        lifetime: int,
        now: Callable[[], float],
        say: Say,
    ) -> None:
        self._store = store
        self._endings = endings
        self._sealer = sealer
        self._parties = parties
        self._places = places
        self._every = every
        self._lifetime = lifetime
        self._now = now
        self._say = say
        self._owner = secrets.token_hex(8)
        self._lock = threading.Lock()
        self._good_until: dict[str, float] = {}

    def begin(self, session: Session, refresh_token: str | None, id_claims: Claims) -> None:
        """Keep a new session's refresh token. Without one the session is good until the first check. Raises :class:`StoreUnavailable`."""
        self._note(session.id, session.started + self._every)
        if refresh_token is None:
            self._say("recheck.impossible", provider=session.customer.provider, email=session.customer.email, detail=NOTHING_TO_ASK_WITH)
            return
        # Not auth_time: nothing of the new token is used, and a provider that counts a refresh as a login knows the account all the same.
        first = {name: id_claims[name] for name in ("iss", "sub", "aud", "azp", "nonce") if name in id_claims}
        self._put(session, _sealed(self._sealer, session.started, refresh_token, first))

    def is_good(self, session: Session) -> bool:
        """Whether the session may go on. Raises :class:`StoreUnavailable`."""
        now = self._now()
        if now < self._good_until.get(session.id, session.started + self._every):
            return True
        value = self._store.get(KIND, session.id, now=now)
        read = _opened(self._sealer, value) if value is not None else None
        if value is None or read is None:
            return False
        checked_at, refresh_token, first = read
        if now < checked_at + self._every:
            self._note(session.id, checked_at + self._every)
            return True
        if not self._store.lease(KIND, session.id, self._owner, now=now, until=now + LEASE_SECONDS):
            return True  # another worker asks at this moment
        try:
            return self._refresh(session, value, refresh_token, first)
        finally:
            self._store.free(KIND, session.id, self._owner)

    def end(self, session: Session) -> None:
        """A session ended: its token goes, here and at the provider, as far as they answer."""
        self._good_until.pop(session.id, None)
        try:
            value = self._store.get(KIND, session.id, now=self._now())
            self._store.delete(KIND, session.id)
        except StoreUnavailable:
            return  # it expires there
        party = self._parties.get(session.customer.provider)
        read = _opened(self._sealer, value) if value is not None else None
        if party is None or read is None:
            return
        threading.Thread(target=_revoke, args=(party, read[1]), name="jsmsso-revoke", daemon=True).start()

    def _refresh(self, session: Session, value: bytes, refresh_token: str, first: Claims) -> bool:
        customer = session.customer
        party = self._parties.get(customer.provider)
        if party is None:
            return False
        try:
            with self._places.one(customer.provider):
                renewal = party.refresh(refresh_token, first)
        except TokenRequestRefused as error:
            if error.error in ("invalid_grant", "invalid_token"):
                self._endings.end(Ending.for_good("session", "", session.id, self._now()))
                self._store.delete(KIND, session.id)
                self._say("session.revoked", provider=customer.provider, email=customer.email, reason="recheck", detail=error.message)
                return False
            return self._later(session, error)
        except (ProviderFailed, TooBusy) as error:
            return self._later(session, error)
        now = self._now()
        fresh = _sealed(self._sealer, int(now), renewal.tokens.refresh_token or refresh_token, first)
        self._store.replace(KIND, session.id, value, fresh, expires=session.started + self._lifetime)
        self._note(session.id, now + self._every)
        return True

    def _later(self, session: Session, error: ProviderFailed | TooBusy) -> bool:
        """A provider that is down ends nobody's session: the idle time and the lifetime still do."""
        self._note(session.id, self._now() + RETRY_SECONDS)
        self._say("recheck.failed", provider=session.customer.provider, reason=error.code, detail=error.message, hint=error.hint)
        return True

    def _put(self, session: Session, value: bytes) -> None:
        self._store.put(KIND, session.id, value, expires=session.started + self._lifetime, owner=session.customer.email)

    def _note(self, session_id: str, good_until: float) -> None:
        with self._lock:
            if len(self._good_until) >= REMEMBERED:
                self._good_until.clear()
            self._good_until[session_id] = good_until


NOTHING_TO_ASK_WITH = (
    "the provider gave no refresh token, so the person signs in again at the first check; it may want the scope offline_access"
)


def _sealed(sealer: Sealer, checked_at: int, refresh_token: str, first: Claims) -> bytes:
    return sealer.seal(_PURPOSE, json.dumps([checked_at, refresh_token, dict(first)]).encode()).encode()


def _opened(sealer: Sealer, value: bytes) -> tuple[int, str, Claims] | None:
    content = sealer.open(_PURPOSE, value.decode("ascii", "replace"))
    if content is None:
        return None
    checked_at, refresh_token, first = json.loads(content)
    return checked_at, refresh_token, first


def _revoke(party: Party, refresh_token: str) -> None:
    try:
        party.revoke(refresh_token)
    except ProviderFailed:
        pass  # whoever signed out is signed out here
