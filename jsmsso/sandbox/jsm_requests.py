"""The local JSM's requests: their keys, comments and files, where they have moved to, and what a search already knows of them."""

from __future__ import annotations

import copy
import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from jsmsso.sandbox.jsm_people import LocalPerson
from jsmsso.sandbox.jsm_workflow import FIRST_STATUS, STATUSES

if TYPE_CHECKING:
    from jsmsso.sandbox.jsm_site import LocalSite

File = tuple[str, bytes, str]
"""Name, content, type."""


@dataclass(slots=True)
class LocalAttachment:
    """A file on a request; ``comment_id`` names the comment that carries it, if one does."""

    id: str
    filename: str
    content: bytes = field(repr=False)
    mime_type: str
    author_id: str
    created: datetime
    comment_id: str = ""


@dataclass(slots=True)
class LocalComment:
    """A comment. ``html``, where given, is what ``renderedBody`` says, whatever the body is."""

    id: str
    body: str
    author_id: str
    created: datetime
    public: bool = True
    html: str | None = None
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class LocalIssue:
    """An issue, a request if it has a type. ``values`` are the other fields as the platform has them, by id.

    ``history`` are the statuses it had, oldest first, with the moment each began.
    """

    id: str
    key: str
    desk_id: str
    type_id: str
    summary: str
    reporter_id: str
    created: datetime
    updated: datetime
    status: str = FIRST_STATUS
    values: dict[str, Any] = field(default_factory=dict)
    participants: list[str] = field(default_factory=list)
    organizations: list[str] = field(default_factory=list)
    approvers: list[str] = field(default_factory=list)
    comments: list[LocalComment] = field(default_factory=list)
    attachments: list[LocalAttachment] = field(default_factory=list)
    history: list[tuple[str, datetime]] = field(default_factory=list)
    creator_id: str = ""

    @property
    def category(self) -> str:
        """``new``, ``indeterminate`` or ``done``."""
        return STATUSES[self.status].category


class Requests:
    """All requests of a site. ``search_lag`` is how many seconds a search stays behind what was written."""

    def __init__(self, site: LocalSite) -> None:
        self._site = site
        self._by_id: dict[str, LocalIssue] = {}
        self._by_key: dict[str, LocalIssue] = {}
        self._last: dict[str, int] = {}
        self._before: dict[str, tuple[float, LocalIssue | None]] = {}
        self._numbers = itertools.count(10001)
        self._of_comment: dict[str, tuple[LocalIssue, LocalComment]] = {}
        self._of_attachment: dict[str, tuple[LocalIssue, LocalAttachment]] = {}
        self.temporary: dict[str, tuple[str, File]] = {}
        self.search_lag = 0.0

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[LocalIssue]:
        return iter(list(self._by_id.values()))

    def get(self, id_or_key: str) -> LocalIssue | None:
        """The request of this id or key, also of a key that it had before it moved. Case does not matter."""
        return self._by_id.get(id_or_key) or self._by_key.get(id_or_key.upper())

    def comment(self, comment_id: str) -> tuple[LocalIssue, LocalComment] | None:
        """A comment and its request."""
        return self._of_comment.get(comment_id)

    def attachment(self, attachment_id: str) -> tuple[LocalIssue, LocalAttachment] | None:
        """An attachment and its request."""
        return self._of_attachment.get(attachment_id)

    def add(
        self,
        desk: str,
        request_type: str,
        summary: str,
        *,
        reporter: LocalPerson | str,
        description: str = "",
        status: str = FIRST_STATUS,
        created: datetime | None = None,
        updated: datetime | None = None,
        participants: Sequence[LocalPerson] = (),
        organizations: Sequence[str] = (),
        approvers: Sequence[LocalPerson] = (),
        values: dict[str, Any] | None = None,
    ) -> LocalIssue:
        """A new request on ``desk`` (id or key) of the type with this id or name (empty: an issue that is no request).

        ``organizations`` are names.
        """
        with self._site.lock:
            place = self._site.directory.by_id_or_key[desk]
            type_id = next((t.id for t in place.types if request_type in (t.id, t.name)), "")
            if request_type and not type_id:
                raise KeyError(request_type)
            now = created or datetime.now(UTC)
            issue = LocalIssue(
                str(next(self._numbers)),
                self._next_key(place.key),
                place.id,
                type_id,
                summary,
                _id(reporter),
                now,
                updated or now,
                status,
                {"description": description} | (values or {}),
                [person.id for person in participants],
                [self._site.add_organization(name).id for name in organizations],
                [person.id for person in approvers],
                history=[(FIRST_STATUS, now)] + ([(status, updated or now)] if status != FIRST_STATUS else []),
                creator_id=_id(reporter),
            )
            self._written(issue, None)
            self._by_id[issue.id] = self._by_key[issue.key] = issue
            return issue

    def add_comment(
        self,
        issue: LocalIssue,
        author: LocalPerson | str,
        body: str,
        *,
        public: bool = True,
        html: str | None = None,
        files: Iterable[File] = (),
        created: datetime | None = None,
    ) -> LocalComment:
        """A comment, with files that it carries."""
        with self.writing(issue, created):
            comment = LocalComment(str(next(self._numbers)), body, _id(author), created or datetime.now(UTC), public, html)
            issue.comments.append(comment)
            self._of_comment[comment.id] = (issue, comment)
        for file in files:
            self.add_attachment(issue, author, *file, comment=comment, created=created)
        return comment

    def add_attachment(
        self,
        issue: LocalIssue,
        author: LocalPerson | str,
        filename: str,
        content: bytes,
        mime_type: str = "application/octet-stream",
        *,
        comment: LocalComment | None = None,
        created: datetime | None = None,
    ) -> LocalAttachment:
        """A file on a request, carried by a comment or by none."""
        with self.writing(issue, created):
            when, carrier = created or datetime.now(UTC), comment.id if comment else ""
            attachment = LocalAttachment(str(next(self._numbers)), filename, content, mime_type, _id(author), when, carrier)
            issue.attachments.append(attachment)
            self._of_attachment[attachment.id] = (issue, attachment)
            return attachment

    def remove_comment(self, issue: LocalIssue, comment: LocalComment) -> None:
        """Take a comment away; the files that it carried stay on the request."""
        with self.writing(issue):
            issue.comments.remove(comment)
            del self._of_comment[comment.id]
            for attachment in issue.attachments:
                if attachment.comment_id == comment.id:
                    attachment.comment_id = ""

    def move(self, issue: LocalIssue, desk: str, request_type: str = "") -> str:
        """To another desk (id or key); its old key still finds it. Returns the new key."""
        with self.writing(issue):
            place = self._site.directory.by_id_or_key[desk]
            issue.desk_id = place.id
            issue.type_id = next((t.id for t in place.types if request_type in (t.id, t.name)), "")
            issue.key = self._next_key(place.key)
            self._by_key[issue.key] = issue
            return issue.key

    def delete(self, issue: LocalIssue) -> None:
        """Gone, with its comments and files."""
        with self._site.lock:
            del self._by_id[issue.id]
            self._by_key = {key: other for key, other in self._by_key.items() if other is not issue}
            for comment in issue.comments:
                del self._of_comment[comment.id]
            for attachment in issue.attachments:
                del self._of_attachment[attachment.id]

    @contextmanager
    def writing(self, issue: LocalIssue, at: datetime | None = None) -> Iterator[None]:
        """A change to a request, at this moment or now: a search keeps what was before, for a while."""
        with self._site.lock:
            self._written(issue, issue)
            yield
            issue.updated = max(issue.updated, at) if at else datetime.now(UTC)

    def searched(self, reconciled: Iterable[str] = ()) -> Iterator[LocalIssue]:
        """All requests as a search sees them; those with the ids in ``reconciled`` as they are."""
        if not self._before:
            yield from self._by_id.values()
            return
        now, fresh = time.monotonic(), set(reconciled)
        for issue in self._by_id.values():
            until, before = self._before.get(issue.id, (0.0, None))
            if until <= now or issue.id in fresh:
                yield issue
            elif before is not None:
                yield before

    def settle(self) -> None:
        """Let searches know now all that was written."""
        with self._site.lock:
            self._before.clear()

    def _written(self, issue: LocalIssue, before: LocalIssue | None) -> None:
        if not self.search_lag:
            return
        now = time.monotonic()
        until, older = self._before.get(issue.id, (0.0, None))
        kept = older if until > now else before and _snapshot(before)
        self._before[issue.id] = (now + self.search_lag, kept)

    def _next_key(self, project: str) -> str:
        self._last[project] = self._last.get(project, 0) + 1
        return f"{project}-{self._last[project]}"


def _snapshot(issue: LocalIssue) -> LocalIssue:
    kept = copy.copy(issue)
    for name in ("values", "participants", "organizations", "approvers", "comments", "attachments", "history"):
        setattr(kept, name, copy.copy(getattr(issue, name)))
    return kept


def _id(person: LocalPerson | str) -> str:
    return person if isinstance(person, str) else person.id
