"""What a customer was shown of a request a moment ago, for while JSM cannot be asked.

A record lies sealed in the store for ten minutes, under the session that it was shown in: whoever was revoked, forgotten or
signed out has none. As soon as JSM says to one of a customer's sessions that they may not see the request, none of them is
shown it from memory, on any worker: that lies in the store under their account in JSM, until all that was kept before is gone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

from markupsafe import Markup

from jsmsso.errors import JsmFailed, JsmRefused, JsmUnreachable, StoreUnavailable
from jsmsso.portal.acting import Acting
from jsmsso.portal.timeline import Entry, File

if TYPE_CHECKING:
    from jsmsso.portal.services import Services

KIND, NO_KIND = "shown", "not_shown"
SHOWN_SECONDS = 600.0
NO_SECONDS = SHOWN_SECONDS + 60  # as clocks of machines differ
PLACES = 16  # requests of one session; two that fall onto one place take turns
NO_PLACES = 256  # of one customer, whatever they ask for; a no counts for all requests that fall onto its place
MOST_UNTOLD = 10_000  # of a worker
LARGEST = 128 * 1024  # bytes of one; older entries are left out of a larger one
_PURPOSE = "shown request"


@dataclass(frozen=True, slots=True)
class ShownRequest:
    """A page without its forms. ``is_cut``: there were older entries."""

    at: datetime
    summary: str
    type_name: str
    status: str
    status_category: str
    created: datetime
    fields: Sequence[tuple[str, str]]
    entries: Sequence[Entry]
    is_cut: bool = False


def cannot_be_asked(error: JsmFailed) -> bool:
    """Whether JSM gave no answer at all, or only that it has no time. Anything else is an answer, and may be a no."""
    if isinstance(error, JsmRefused):
        return error.status == 429 or error.status >= 500
    return isinstance(error, JsmUnreachable)


class Shown:
    """Reads and writes them. A store that does not answer keeps nothing and gives nothing."""

    def __init__(self, services: Services) -> None:
        self._store = services.deployment.store
        self._sealer = services.deployment.sealer
        self._now = services.deployment.now
        self._untold: dict[str, float] = {}  # what JSM said no to, and when, of which the store was not told yet

    def keep(self, acting: Acting, key: str, page: ShownRequest) -> None:
        """Keep what JSM was asked for at ``page.at``."""
        self._tell()
        text = _text(page)
        while len(text) > LARGEST and page.entries:
            page = replace(page, entries=page.entries[-(len(page.entries) // 2) :] if len(page.entries) > 1 else (), is_cut=True)
            text = _text(page)
        if len(text) > LARGEST or not acting.session.id:
            return
        content = json.dumps([_whose(acting, key), page.at.timestamp(), text]).encode("utf-8", "replace")
        sealed, owner = self._sealer.seal(_PURPOSE, content).encode(), acting.customer.email
        try:
            self._store.put(KIND, _name(acting, key), sealed, expires=self._now() + SHOWN_SECONDS, owner=owner)
        except StoreUnavailable:
            pass

    def deny(self, acting: Acting, key: str) -> None:
        """JSM said that the customer may not see the request: what is kept goes, and what is under way will not be shown either.

        A store that does not answer is told as soon as it does and this worker has to do with it; until then this worker knows.
        """
        if len(self._untold) < MOST_UNTOLD:
            self._untold[_no_name(acting, key)] = self._now()
        self._tell()
        try:
            self._store.delete(KIND, _name(acting, key))
        except StoreUnavailable:
            pass

    def deny_after(self, acting: Acting, key: str, error: JsmFailed) -> None:
        """The same where the error is JSM's no."""
        if isinstance(error, JsmRefused) and error.status in (403, 404):
            self.deny(acting, key)

    def get(self, acting: Acting, key: str) -> ShownRequest | None:
        """What this customer was shown of it in this session in the last ten minutes."""
        self._tell()
        no, now = _no_name(acting, key), self._now()
        if no in self._untold or len(self._untold) >= MOST_UNTOLD:
            return None
        try:
            value = self._store.get(KIND, _name(acting, key), now=now)
            if value is None or self._store.get(NO_KIND, no, now=now) is not None:
                return None
        except StoreUnavailable:
            return None
        whose, at, text = self._opened(value)
        if whose != _whose(acting, key) or not at <= now < at + SHOWN_SECONDS:
            return None
        return _read(text)

    def _tell(self) -> None:
        """Tell the store what it was not told yet."""
        for no, at in list(self._untold.items()):
            now = self._now()
            if now < at + NO_SECONDS:
                try:
                    self._store.put(NO_KIND, no, b"no", expires=now + NO_SECONDS)
                except StoreUnavailable:
                    return
            self._untold.pop(no, None)

    def _opened(self, value: bytes) -> tuple[str, float, str]:
        """Whose it is, from when, and the page."""
        content = self._sealer.open(_PURPOSE, value.decode("ascii", "replace"))
        if content is None:
            return "", 0.0, ""
        whose, at, text = json.loads(content)
        return whose, at, text


def _whose(acting: Acting, key: str) -> str:
    customer = acting.customer
    parts = [acting.session.id, customer.issuer, customer.subject, acting.account_id, acting.portal.id, key]
    return sha256(json.dumps(parts).encode()).hexdigest()


def _name(acting: Acting, key: str) -> str:
    """One of the session's places."""
    place = sha256(f"{acting.portal.id} {key}".encode()).digest()[0] % PLACES
    return f"{sha256(acting.session.id.encode()).hexdigest()} {place}"


def _no_name(acting: Acting, key: str) -> str:
    """One of the places of the account, which is what JSM said no to: a person may have several logins."""
    place = sha256(key.encode()).digest()[0] % NO_PLACES
    return f"{sha256(acting.account_id.encode()).hexdigest()} {place}"


def _text(page: ShownRequest) -> str:
    entries = [
        [one.kind, one.when.isoformat(), one.id, one.who, one.is_mine, str(one.html), one.status, [[f.name, f.size] for f in one.files]]
        for one in page.entries
    ]
    head = [page.at.isoformat(), page.summary, page.type_name, page.status, page.status_category, page.created.isoformat()]
    return json.dumps([*head, list(page.fields), entries, page.is_cut])


def _read(text: str) -> ShownRequest:
    at, summary, type_name, status, category, created, fields, entries, is_cut = json.loads(text)
    return ShownRequest(
        datetime.fromisoformat(at),
        summary,
        type_name,
        status,
        category,
        datetime.fromisoformat(created),
        [(label, value) for label, value in fields],
        [_entry(*one) for one in entries],
        is_cut,
    )


def _entry(
    kind: Literal["raised", "comment", "status"], when: str, id_: str, who: str, is_mine: bool, html: str, status: str, files: list[Any]
) -> Entry:
    """Its text was made safe before it was sealed. Its files have no address: JSM has them."""
    named = tuple(File("", name, size, "", "") for name, size in files)
    return Entry(kind, datetime.fromisoformat(when), id_, who, is_mine, Markup(html), named, status)  # noqa: S704
