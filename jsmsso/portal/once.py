"""What a customer sends is done once: after a double click, the back button, or an answer that got lost on its way from JSM.

JSM has no idempotency keys. Each form carries a hidden one of ours; what came of it is remembered for an hour.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from jsmsso.errors import JsmFailed, JsmRefused, JsmUnreachable, StoreUnavailable, WireFailed
from jsmsso.portal.acting import Acting

if TYPE_CHECKING:
    from jsmsso.portal.services import Services

KIND = "once"
KEPT_SECONDS = 3600.0
AT_WORK_SECONDS = 30.0  # for which JSM may be at something still whose answer nobody waited for
LEASE_SECONDS = 90.0  # longer than a form that was sent may take
WAIT_SECONDS = 2.5  # how long the second of two clicks waits for what comes of the first, and holds a thread
LOOK_SECONDS = 1.0  # the longest look at whether somebody is at it
PAUSE = 0.1  # seconds between two looks
LONGEST_KEY = 64  # characters
KEY = rf"[A-Za-z0-9_-]{{1,{LONGEST_KEY}}}"  # in an address


class UnderWay(Exception):
    """The first of two clicks takes longer than the second one waits. What comes of ``key`` can be asked for later."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class StillSending(JsmUnreachable):
    """The same, where the second form says something else than the first."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """``unsent``: nothing came of it, or nobody knows of it; ``unknown``: an attempt ended of which JSM said nothing."""

    state: Literal["done", "under_way", "unknown", "unsent"]
    result: str = ""


@dataclass(frozen=True, slots=True)
class Earlier:
    """Attempts of which nobody knows what came (seconds since the epoch): when the first began, and until when JSM may be at the last."""

    since: float
    at_work_until: float


@dataclass(frozen=True, slots=True)
class _Known:
    """What became of a key. ``since``: when an attempt began of which nobody knows what came; 0.0 where there is none."""

    content: str = ""
    result: str = ""
    since: float = 0.0
    until: float = 0.0


class NotDoneYet(JsmUnreachable):
    """An earlier attempt has left no trace, and JSM may be at it still: nothing was sent this time."""


def never_set_out(error: JsmFailed) -> bool:
    """Whether there was no connection to JSM, so that it cannot have done anything."""
    return isinstance(error.__cause__, WireFailed) and error.__cause__.kind in ("resolve", "connect")


def may_be_at_work(error: JsmFailed) -> bool:
    """Whether nobody waited for JSM's answer to the end: it may do what it was asked to yet."""
    while isinstance(error.__cause__, JsmFailed):
        error = error.__cause__
    if isinstance(error, JsmRefused):
        return error.status in (502, 504)
    return isinstance(error.__cause__, WireFailed) and error.__cause__.kind == "timeout"


class Once:
    """In the store: the second click may meet another worker."""

    def __init__(self, services: Services) -> None:
        self._deployment = services.deployment
        self._store = services.deployment.store
        self._now = services.deployment.now

    @staticmethod
    def new_key() -> str:
        """For the hidden field of a form, each time that it is shown."""
        return secrets.token_urlsafe(16)

    def run(self, acting: Acting, key: str, content: str, act: Callable[[Earlier | None], str]) -> str:
        """What ``act`` returns, or returned an hour ago at most for this customer's ``key`` with the same ``content``.

        ``act`` is given the earlier attempts whose outcome nobody knows, if there are any: then look in JSM before doing it
        again, and do not do it again while JSM may be at it. The outcome is unknown after :class:`JsmUnreachable` and after
        the death of a worker; any other error of ``act`` means that nothing was done. The content tells a second
        click from a form that was opened again by the back button and changed. One click waits for the other; raises
        :class:`UnderWay` or :class:`StillSending` where that takes too long, and what ``act`` raises.
        """
        if not key or len(key) > LONGEST_KEY or not key.isascii():
            return act(None)
        name = _name(acting, key)
        digest = sha256(content.encode("utf-8", "replace")).hexdigest()
        token = secrets.token_hex(8)
        try:
            if not self._hold(name, token):
                if re.fullmatch(KEY, key) and self._known(name).content == digest:
                    raise UnderWay(key)
                raise StillSending("the same form is still being sent", "Look at your requests before sending it again.")
            known = self._known(name)
        except StoreUnavailable as error:
            self._deployment.go_on_without_store(error)
            return act(None)
        try:
            if known.result and known.content == digest:
                return known.result
            return self._act(acting, name, digest, known, act)
        finally:
            self._free(name, token)

    def outcome(self, acting: Acting, key: str) -> Outcome:
        """What has become of this customer's ``key`` by now. Raises :class:`StoreUnavailable`."""
        name, token = _name(acting, key), secrets.token_hex(8)
        known = self._known(name)
        if not known.result and known.since:
            now = self._now()
            if not self._store.lease(KIND, name, token, now=now, until=now + LOOK_SECONDS):
                return Outcome("under_way")
            self._free(name, token)
            known = self._known(name)  # it may have ended between the two
        if known.result:
            return Outcome("done", known.result)
        return Outcome("unknown" if known.since else "unsent")

    def _act(self, acting: Acting, name: str, digest: str, known: _Known, act: Callable[[Earlier | None], str]) -> str:
        began = known.since or self._now()
        self._keep(acting, name, _Known(digest, since=began, until=self._now() + AT_WORK_SECONDS))  # in case this worker dies
        try:
            result = act(Earlier(known.since, known.until) if known.since else None)
        except NotDoneYet:
            self._keep(acting, name, _Known(digest, since=began, until=known.until))
            raise
        except JsmUnreachable as error:
            until = self._now() + AT_WORK_SECONDS if may_be_at_work(error) else 0.0
            self._keep(acting, name, _Known(digest, since=began, until=until))
            raise
        except BaseException:
            self._keep(acting, name, _Known(digest, since=known.since, until=known.until))
            raise
        self._keep(acting, name, _Known(digest, result))
        return result

    def _hold(self, name: str, token: str) -> bool:
        """Whether nobody else is at it, at the latest after a while."""
        ends = time.monotonic() + WAIT_SECONDS
        while not self._store.lease(KIND, name, token, now=(now := self._now()), until=now + LEASE_SECONDS):
            if time.monotonic() >= ends:
                return False
            time.sleep(PAUSE)
        return True

    def _free(self, name: str, token: str) -> None:
        try:
            self._store.free(KIND, name, token)
        except StoreUnavailable:
            pass  # it ends by itself

    def _known(self, name: str) -> _Known:
        value = self._store.get(KIND, name, now=self._now())
        return _Known(**json.loads(value)) if value is not None else _Known()

    def _keep(self, acting: Acting, name: str, known: _Known) -> None:
        whole = {"content": known.content, "result": known.result, "since": known.since, "until": known.until}
        value = json.dumps(whole).encode()
        # What may have arrived may lie in a draft, to be sent again.
        seconds = max(KEPT_SECONDS, self._deployment.profile.retention.drafts) if known.since else KEPT_SECONDS
        try:
            self._store.put(KIND, name, value, expires=self._now() + seconds, owner=acting.customer.email)
        except StoreUnavailable as error:
            self._deployment.go_on_without_store(error)


def _name(acting: Acting, key: str) -> str:
    return sha256(f"{acting.account_id} {acting.portal.id} {key}".encode()).hexdigest()
