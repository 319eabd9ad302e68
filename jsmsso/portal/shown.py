"""What a customer was shown of a request a moment ago, for while JSM cannot be asked.

A record lies sealed in the store for ten minutes, under the session that it was shown in: whoever was revoked, forgotten or
signed out has none. It is gone as soon as JSM says that they may not see the request, whichever worker is told so.
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
from jsmsso.portal.shared_records import change
from jsmsso.portal.timeline import Entry, File

if TYPE_CHECKING:
    from jsmsso.portal.services import Services

KIND = "shown"
SHOWN_SECONDS = 600.0
PLACES = 16  # requests of one session; two that fall onto one place take turns
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

    def keep(self, acting: Acting, key: str, page: ShownRequest) -> None:
        """Keep what JSM was asked for at ``page.at``, unless something newer is known."""
        text = _text(page)
        while len(text) > LARGEST and page.entries:
            page = replace(page, entries=page.entries[-(len(page.entries) // 2) :] if len(page.entries) > 1 else (), is_cut=True)
            text = _text(page)
        if len(text) <= LARGEST:
            self._put(acting, key, page.at.timestamp(), text)

    def deny(self, acting: Acting, key: str) -> None:
        """JSM said that the customer may not see the request: what is kept goes, and what is under way will not be kept."""
        self._put(acting, key, self._now(), "")

    def get(self, acting: Acting, key: str) -> ShownRequest | None:
        """What this customer was shown of it in this session in the last ten minutes."""
        try:
            value = self._store.get(KIND, _name(acting, key), now=self._now())
        except StoreUnavailable:
            return None
        whose, at, text = self._opened(value)
        if whose != _whose(acting, key) or not text or not at <= self._now() < at + SHOWN_SECONDS:
            return None
        return _read(text)

    def _put(self, acting: Acting, key: str, at: float, text: str) -> None:
        if not acting.session.id:
            return
        content = json.dumps([_whose(acting, key), at, text]).encode("utf-8", "replace")

        def newer(old: bytes | None) -> bytes | None:
            _, known_at, known = self._opened(old)
            if known_at > at or (known_at == at and not known and text):
                return None
            return self._sealer.seal(_PURPOSE, content).encode()

        now = self._now()
        try:
            change(self._store, KIND, _name(acting, key), newer, now=now, expires=now + SHOWN_SECONDS, owner=acting.customer.email)
        except StoreUnavailable:
            pass

    def _opened(self, value: bytes | None) -> tuple[str, float, str]:
        """Whose it is, from when, and the page; an empty page says that they may not see it."""
        content = self._sealer.open(_PURPOSE, value.decode("ascii", "replace")) if value is not None else None
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
