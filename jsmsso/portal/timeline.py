"""What happened with a request, oldest first: how it was raised, public comments with their files, and its statuses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Literal

from markupsafe import Markup, escape

from jsmsso.jsm.requests.attachments import Attachment, safe_name
from jsmsso.jsm.requests.comments import Comment
from jsmsso.jsm.requests.requests import RequestDetails
from jsmsso.jsm.requests.statuses import PastStatus
from jsmsso.portal.acting import Acting
from jsmsso.portal.authors import Authors
from jsmsso.portal.comment_text import words_of
from jsmsso.portal.people import shown_name
from jsmsso.portal.sanitizing import sanitized
from jsmsso.portal.seeing import SeenRequest

if TYPE_CHECKING:
    from jsmsso.portal.services import Services

# Where Jira's pages have an attachment: REST, and the addresses from before it.
_PICTURE = re.compile(r"/(?:attachment|thumbnail|attachment/content|attachment/thumbnail)/([0-9]{1,19})(?:[/?#]|$)")


NOTHING = Markup()


@dataclass(frozen=True, slots=True)
class File:
    """An attachment that may be shown; ``thumbnail`` is empty for what is no picture."""

    id: str
    name: str
    size: int
    href: str
    thumbnail: str


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened. ``who`` is empty where nobody is named; ``html`` is safe to show."""

    kind: Literal["raised", "comment", "status"]
    when: datetime
    id: str = ""
    who: str = ""
    is_mine: bool = False
    html: Markup = NOTHING
    files: tuple[File, ...] = ()
    status: str = ""


class Timeline:
    """Makes entries of what JSM says. Who wrote a comment of ours tells its property alone, never its text."""

    def __init__(self, services: Services, authors: Authors) -> None:
        self._services = services
        self._authors = authors

    def comments(
        self, acting: Acting, seen: SeenRequest, our_id: str, comments: Sequence[Comment], visible: Mapping[str, Attachment]
    ) -> list[Entry]:
        """The comments. Raises JSM's errors where a comment of ours is not known yet."""
        authors = self._authors.of(acting, (one.id for one in comments if our_id and one.author_id == our_id))
        picture = partial(self._picture, acting, seen.facts.key, visible)
        entries = []
        for one in comments:
            author = authors.get(one.id, "")
            mine = (author or one.author_id) == acting.account_id
            html = _lines(words_of(one.body)) if author else Markup(sanitized(one.html, picture)) if one.html else _lines(one.body)  # noqa: S704
            files = tuple(self.file(acting, seen.facts.key, visible[id_]) for id_ in one.attachment_ids if id_ in visible)
            who = shown_name(self._authors.name(author) if author else one.author_name)
            entries.append(Entry("comment", one.created, one.id, who, mine, html, files))
        return entries

    def whole(
        self,
        acting: Acting,
        seen: SeenRequest,
        details: RequestDetails,
        comments: Sequence[Entry],
        statuses: Sequence[PastStatus],
        visible: Mapping[str, Attachment],
    ) -> list[Entry]:
        """Everything. The first status is the one that it was raised with, which is no event."""
        carried = {file.id for entry in comments for file in entry.files}
        loose = tuple(self.file(acting, seen.facts.key, one) for one in visible.values() if one.id not in carried)
        picture = partial(self._picture, acting, seen.facts.key, visible)
        told = Markup().join(Markup(sanitized(value, picture)) for _, _, value, is_html in details.fields if is_html)  # noqa: S704
        mine = details.reporter_id == acting.account_id
        raised = Entry("raised", details.created, who=shown_name(details.reporter_name), is_mine=mine, html=told, files=loose)
        events = [Entry("status", one.since, status=one.name) for one in statuses[1:]]
        return [raised, *sorted((*comments, *events), key=lambda entry: entry.when)]

    def file(self, acting: Acting, key: str, one: Attachment) -> File:
        """An attachment's name, and where it is here."""
        own = self._services.own
        thumbnail = own(acting, f"{key}/thumbnail/{one.id}") if one.mime_type in PICTURES else ""
        return File(one.id, safe_name(one.filename), one.size, own(acting, f"{key}/attachment/{one.id}"), thumbnail)

    def _picture(self, acting: Acting, key: str, visible: Mapping[str, Attachment], src: str) -> str:
        """Our address of a picture in a text, where it is an attachment that may be shown; whose host it names is all the same."""
        found = _PICTURE.search(src)
        one = visible.get(found[1]) if found else next((one for one in visible.values() if one.filename == src), None)
        return self._services.own(acting, f"{key}/attachment/{one.id}") if one is not None else ""


PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


def _lines(text: str) -> Markup:
    """Plain words as paragraphs."""
    parts = (Markup("<br>").join(escape(line) for line in part.split("\n")) for part in re.split(r"\n{2,}", text.strip()) if part)
    return Markup().join(Markup("<p>{}</p>").format(part) for part in parts)
