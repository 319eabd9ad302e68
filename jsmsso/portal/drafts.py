"""What a customer typed, kept for them alone where it could not be sent: their session had ended, or JSM took nothing.

A draft lies sealed in the store under its customer (issuer and subject), portal and request type for ``retention.drafts``.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from jsmsso.errors import StoreUnavailable
from jsmsso.portal.acting import Acting, Form
from jsmsso.portal.forms.names import PREFIX
from jsmsso.portal.forms.reading import NamedFile, given_values
from jsmsso.profile.model import Portal
from jsmsso.runtime.replies import Reply
from jsmsso.runtime.targets import Target
from jsmsso.runtime.visit import Visit

if TYPE_CHECKING:
    from jsmsso.portal.services import Services

KIND = "draft"
OWNER_FIELD = "owner"
KEPT_FIELD = "kept"
OPEN_SECONDS = 3 * 86400  # how long after it was shown a form may still be sent without a session
MOST_TEXT = 512 * 1024  # bytes of all texts
MOST_FILES = 5 * 1024 * 1024  # bytes of all files: a store is no place for more
LONGEST_OWNER = 4096  # characters of the sealed field
_OWNER, _DRAFT = "draft owner", "draft"


@dataclass(frozen=True, slots=True)
class Draft:
    """``given`` as the inputs had it, by field id. ``left_out``: how many files were too large to be kept."""

    given: Mapping[str, tuple[str, ...]]
    files: tuple[NamedFile, ...] = ()
    left_out: int = 0


class Drafts:
    """Reads and writes them; a store that does not answer keeps nothing, and the page says so."""

    def __init__(self, services: Services) -> None:
        self._deployment = services.deployment
        self._store = services.deployment.store
        self._sealer = services.deployment.sealer
        self._now = services.deployment.now
        self._seconds = services.deployment.profile.retention.drafts

    def owner(self, acting: Acting, type_id: str) -> str:
        """The hidden field that says whose form it is, for the day that it is sent without a session."""
        customer = acting.customer
        content = [int(self._now()), customer.issuer, customer.subject, customer.email, acting.portal.id, type_id]
        return self._sealer.seal(_OWNER, json.dumps(content).encode())

    def keep_and_log_in(self, visit: Visit, portal: Portal, target: Target, names: Mapping[str, str], form: Form) -> Reply:
        """A form that came without a session: what can be kept is kept, and the browser goes to log in and back to the form."""
        if visit.is_from_our_pages:
            self.keep_of_owner(portal, names["type"], form)
        return self._deployment.headers.redirect(self._deployment.own(target.own_path), status=303)

    def keep_of_owner(self, portal: Portal, type_id: str, form: Form, *, issuer: str = "", subject: str = "") -> bool:
        """Whether the form was one of ours for somebody (with ``subject``: for them), and is kept for whom it was shown to."""
        sealed = form.one(OWNER_FIELD)
        content = self._sealer.open(_OWNER, sealed) if len(sealed) <= LONGEST_OWNER else None
        if content is None:
            return False
        shown, its_issuer, its_subject, email, portal_id, its_type = json.loads(content)
        if (portal_id, its_type) != (portal.id, type_id) or self._now() > shown + OPEN_SECONDS:
            return False
        if subject and (issuer, subject) != (its_issuer, its_subject):
            return False
        before = self._read(_name(its_issuer, its_subject, portal, type_id)) if form.values.get(KEPT_FIELD) else None
        files = (*_sent_files(form), *_still_kept(form, before))
        return self._keep(its_issuer, its_subject, email, portal, type_id, given_values(form), files)

    def keep(self, acting: Acting, type_id: str, given: Mapping[str, Sequence[str]], files: Sequence[NamedFile]) -> bool:
        """Keep what this customer typed, and as many files as there is room for. False where the store does not answer."""
        customer = acting.customer
        return self._keep(customer.issuer, customer.subject, customer.email, acting.portal, type_id, given, files)

    def restore(self, acting: Acting, type_id: str) -> Draft | None:
        """What is kept of this customer's for this form."""
        return self._read(_name(acting.customer.issuer, acting.customer.subject, acting.portal, type_id))

    def kept_files(self, acting: Acting) -> tuple[NamedFile, ...]:
        """The files of the draft that the form still names."""
        if not acting.form.values.get(KEPT_FIELD):
            return ()
        return _still_kept(acting.form, self.restore(acting, acting.names["type"]))

    def forget(self, acting: Acting, type_id: str) -> None:
        """It was sent."""
        try:
            self._store.delete(KIND, _name(acting.customer.issuer, acting.customer.subject, acting.portal, type_id))
        except StoreUnavailable:
            pass  # it expires

    def _keep(
        self,
        issuer: str,
        subject: str,
        email: str,
        portal: Portal,
        type_id: str,
        given: Mapping[str, Sequence[str]],
        files: Sequence[NamedFile],
    ) -> bool:
        texts = {name: list(values) for name, values in given.items()}
        if len(json.dumps(texts)) > MOST_TEXT:
            return False
        kept, left_out, room = [], 0, MOST_FILES
        for file in files:
            if file.size > room:
                left_out += 1
                continue
            room -= file.size
            kept.append([file.name, file.mime_type, base64.b64encode(file.read()).decode()])
        name = _name(issuer, subject, portal, type_id)
        content = {"for": name, "given": texts, "files": kept, "left_out": left_out}
        sealed = self._sealer.seal(_DRAFT, json.dumps(content).encode("utf-8", "replace"))
        try:
            self._store.put(KIND, name, sealed.encode(), expires=self._now() + self._seconds, owner=email)
        except StoreUnavailable:
            return False
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
        files = tuple(_file(*one) for one in read["files"])
        return Draft({name: tuple(values) for name, values in read["given"].items()}, files, read["left_out"])


def _name(issuer: str, subject: str, portal: Portal, type_id: str) -> str:
    return sha256(json.dumps([issuer, subject, portal.id, type_id]).encode()).hexdigest()


def _file(name: str, mime_type: str, encoded: str) -> NamedFile:
    content = base64.b64decode(encoded)
    return NamedFile(name, mime_type, len(content), content)


def _sent_files(form: Form) -> tuple[NamedFile, ...]:
    return tuple(NamedFile.of(file) for name, file in form.files if name.startswith(PREFIX))


def _still_kept(form: Form, draft: Draft | None) -> tuple[NamedFile, ...]:
    """The files whose boxes are still ticked; each box has the file's place and its name."""
    wanted = frozenset(form.values.get(KEPT_FIELD, ()))
    return tuple(file for place, file in enumerate(draft.files if draft else ()) if f"{place} {file.name}" in wanted)
