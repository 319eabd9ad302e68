"""What a customer typed, kept for them alone where it could not be sent: their session had ended, or JSM took nothing.

A draft lies sealed in the store under its customer (issuer and subject), portal and form for ``retention.drafts``. A form
is named by its request type's id, or by the request and the part of its page: ``HELP-12/comment``.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from jsmsso.errors import StoreUnavailable
from jsmsso.portal.acting import Acting, Form
from jsmsso.portal.forms.names import PREFIX
from jsmsso.portal.forms.reading import NamedFile, given_values
from jsmsso.profile.model import Portal

if TYPE_CHECKING:
    from jsmsso.portal.services import Services

KIND = "draft"
OWNER_FIELD = "owner"
KEPT_FIELD = "kept"
ONCE_FIELD = "once"
OF_REQUESTS = ("comment", "attachment", "share")  # parts of a request's page in which something is typed or chosen
TYPED_IN_REQUESTS = ("text", "address")
OPEN_SECONDS = 3 * 86400  # how long after it was shown a form may still be sent without a session
MOST_TEXT = 512 * 1024  # bytes of all texts
MOST_FILES = 5 * 1024 * 1024  # bytes of all files: a store is no place for more
LONGEST_OWNER = 4096  # characters of the sealed field
LONGEST_ONCE = 64  # characters; longer ones are not ours
_OWNER, _DRAFT = "draft owner", "draft"


@dataclass(frozen=True, slots=True)
class Draft:
    """``given`` as the inputs had it, by field id. ``left_out``: how many files were too large to be kept.

    ``once`` is the form's key, so that sending it after all is the same attempt; ``is_unknown``: JSM may have taken that one.
    """

    given: Mapping[str, tuple[str, ...]]
    files: tuple[NamedFile, ...] = ()
    left_out: int = 0
    once: str = ""
    is_unknown: bool = False

    def one(self, name: str) -> str:
        """The first value of a field; empty where it is not there."""
        return next(iter(self.given.get(name, ())), "")

    @property
    def boxes(self) -> list[tuple[str, str, int]]:
        """Value, name and size in bytes of each file's box in a form."""
        return [(f"{place} {file.name}", file.name, file.size) for place, file in enumerate(self.files)]


def form_id_of(rest: str, names: Mapping[str, str]) -> str:
    """What is kept of a form that is sent to ``rest`` below a portal is kept under this; empty where nobody types anything."""
    if "type" in names:
        return names["type"]
    return rest if "key" in names and rest.rpartition("/")[2] in OF_REQUESTS else ""


class Drafts:
    """Reads and writes them; a store that does not answer keeps nothing, and the page says so."""

    def __init__(self, services: Services) -> None:
        self._deployment = services.deployment
        self._store = services.deployment.store
        self._sealer = services.deployment.sealer
        self._now = services.deployment.now
        self._seconds = services.deployment.profile.retention.drafts

    def owner(self, acting: Acting, place: str) -> str:
        """The hidden field that says whose form it is, for the day that it is sent without a session.

        ``place`` is the request type's id, or the key of the request whose page it is on.
        """
        customer = acting.customer
        content = [int(self._now()), customer.issuer, customer.subject, customer.email, acting.portal.id, place]
        return self._sealer.seal(_OWNER, json.dumps(content).encode())

    def keep_of_owner(self, portal: Portal, form_id: str, form: Form, *, issuer: str = "", subject: str = "") -> bool:
        """Whether the form was one of ours for somebody (with ``subject``: for them), and is kept for whom it was shown to."""
        sealed = form.one(OWNER_FIELD)
        content = self._sealer.open(_OWNER, sealed) if len(sealed) <= LONGEST_OWNER else None
        if content is None:
            return False
        shown, its_issuer, its_subject, email, portal_id, place = json.loads(content)
        if (portal_id, place) != (portal.id, form_id.partition("/")[0]) or self._now() > shown + OPEN_SECONDS:
            return False
        if subject and (issuer, subject) != (its_issuer, its_subject):
            return False
        before = self._read(_name(its_issuer, its_subject, portal, form_id)) if form.values.get(KEPT_FIELD) else None
        files = (*_sent_files(form_id, form), *_still_kept(form, before))
        draft = Draft(_given(form_id, form), files, once=form.one(ONCE_FIELD))
        return self._keep(its_issuer, its_subject, email, portal, form_id, draft)

    def keep(self, acting: Acting, form_id: str, draft: Draft) -> bool:
        """Keep what this customer typed, and as many files as there is room for. False where the store does not answer."""
        customer = acting.customer
        return self._keep(customer.issuer, customer.subject, customer.email, acting.portal, form_id, draft)

    def restore(self, acting: Acting, form_id: str) -> Draft | None:
        """What is kept of this customer's for this form."""
        return self._read(_name(acting.customer.issuer, acting.customer.subject, acting.portal, form_id))

    def kept_files(self, acting: Acting, form_id: str) -> tuple[NamedFile, ...]:
        """The files of the draft that the form still names."""
        if not acting.form.values.get(KEPT_FIELD):
            return ()
        return _still_kept(acting.form, self.restore(acting, form_id))

    def forget(self, acting: Acting, form_id: str) -> None:
        """It was sent, or is not wanted."""
        try:
            self._store.delete(KIND, _name(acting.customer.issuer, acting.customer.subject, acting.portal, form_id))
        except StoreUnavailable:
            pass  # it expires

    def _keep(self, issuer: str, subject: str, email: str, portal: Portal, form_id: str, draft: Draft) -> bool:
        texts = {name: list(values) for name, values in draft.given.items()}
        if len(json.dumps(texts)) > MOST_TEXT or not (draft.files or any(text.strip() for values in texts.values() for text in values)):
            return False
        kept, left_out, room = [], 0, MOST_FILES
        for file in draft.files:
            content = file.read() if file.size <= room else b""
            if len(content) != file.size:  # too large for here, or cut off while it was read
                left_out += 1
                continue
            room -= file.size
            kept.append([file.name, file.mime_type, base64.b64encode(content).decode()])
        name = _name(issuer, subject, portal, form_id)
        before = None if draft.is_unknown or not draft.once else self._read(name)
        is_unknown = draft.is_unknown or (before is not None and before.is_unknown and before.once == draft.once)
        whole = {
            "for": name,
            "given": texts,
            "files": kept,
            "left_out": left_out,
            "once": draft.once[:LONGEST_ONCE],
            "unknown": is_unknown,
        }
        sealed = self._sealer.seal(_DRAFT, json.dumps(whole).encode("utf-8", "replace"))
        try:
            self._store.put(KIND, name, sealed.encode(), expires=self._now() + self._seconds, owner=email)
        except StoreUnavailable:
            return False
        self._deployment.audit.write(
            "draft.kept", email=email, issuer=issuer, subject=subject, portal=portal.key, form=form_id, files=len(kept)
        )
        return True

    def _read(self, name: str) -> Draft | None:
        try:
            value = self._store.get(KIND, name, now=self._now())
        except StoreUnavailable:
            return None
        content = self._sealer.open(_DRAFT, value.decode("ascii", "replace")) if value is not None else None
        read: dict[str, Any] = json.loads(content) if content is not None else {}
        if read.get("for") != name:  # nobody gets another's by a record that was moved
            return None
        given = {name: tuple(values) for name, values in read["given"].items()}
        files = tuple(_file(*one) for one in read["files"])
        return Draft(given, files, read["left_out"], read.get("once", ""), read.get("unknown", False))


def _name(issuer: str, subject: str, portal: Portal, form_id: str) -> str:
    return sha256(json.dumps([issuer, subject, portal.id, form_id]).encode()).hexdigest()


def _file(name: str, mime_type: str, encoded: str) -> NamedFile:
    content = base64.b64decode(encoded)
    return NamedFile(name, mime_type, len(content), content)


def _given(form_id: str, form: Form) -> Mapping[str, tuple[str, ...]]:
    if "/" not in form_id:
        return given_values(form)
    return {name: (form.one(name),) for name in TYPED_IN_REQUESTS if form.one(name).strip()}


def _sent_files(form_id: str, form: Form) -> tuple[NamedFile, ...]:
    of_request = "/" in form_id
    return tuple(NamedFile.of(file) for name, file in form.files if (name == "files" if of_request else name.startswith(PREFIX)))


def _still_kept(form: Form, draft: Draft | None) -> tuple[NamedFile, ...]:
    """The files whose boxes are still ticked; each box has the file's place and its name."""
    wanted = frozenset(form.values.get(KEPT_FIELD, ()))
    if draft is None:
        return ()
    return tuple(file for file, (value, _, _) in zip(draft.files, draft.boxes, strict=True) if value in wanted)
