"""Files of requests and icons, fetched by us and handed out as downloads: never as something that a browser would run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from jsmsso.errors import JsmAnswerInvalid, JsmFailed, JsmRefused, StoreUnavailable
from jsmsso.jsm.client import OpenFile
from jsmsso.jsm.requests.attachments import Attachment, attachment_limit, attachments, icon, open_attachment, safe_name, thumbnail
from jsmsso.jsm.requests.comments import Comment, public_comments
from jsmsso.portal.acting import Acting
from jsmsso.portal.caching import Cache
from jsmsso.portal.downloads import WHOLE, Download, check_length
from jsmsso.portal.parallel import together
from jsmsso.portal.pictures import ANYTHING, picture_type
from jsmsso.portal.seeing import SeenRequest
from jsmsso.portal.shared_records import change
from jsmsso.runtime.replies import Header, Reply

if TYPE_CHECKING:
    from jsmsso.jsm.customers.recording import Connection
    from jsmsso.portal.services import Services

POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
KIND = "attachment"  # records of the store: the files that jsmsso put onto a request when it was raised
VISIBLE_SECONDS = 60.0  # how long a page's files stay known, so that each picture on it costs no further look
ICON_SECONDS = 24 * 3600.0
LIMIT_SECONDS = 3600.0
LIMIT_WAIT_SECONDS = 2.0
NOTE_SECONDS = 5.0  # for a look at what was just raised
LARGEST_ICON = 200_000  # bytes
T = TypeVar("T")


class FilePages:
    """One per worker."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._deployment = services.deployment
        now = services.deployment.now
        self._visible: Cache[Mapping[str, Attachment]] = Cache(now, max_age=VISIBLE_SECONDS, max_stale=0.0)
        self._icons: Cache[tuple[bytes, str]] = Cache(now, max_age=ICON_SECONDS, max_stale=30 * ICON_SECONDS, most=500)
        self._limit: Cache[int] = Cache(now, max_age=LIMIT_SECONDS, max_stale=24 * LIMIT_SECONDS)

    def attachment(self, acting: Acting, seen: SeenRequest | None) -> Reply:
        """``GET .../attachment/<id>``: the file, to be saved. A large one is passed on as it comes.

        Raises :class:`Crowded` and JSM's errors.
        """
        assert seen is not None
        one = self._one(acting, seen)
        opened = self._fetched(partial(open_attachment, acting.to.client, acting.to.site, one.id)) if one is not None else None
        if one is None or opened is None:
            return self._not_there(acting, seen)
        size = one.size if opened.size is None else opened.size
        extra = (*acting.cookies, ("Content-Disposition", disposition(one.filename)))
        if size <= WHOLE:
            content = self._whole(acting, opened, size)
            reply = self._handed_out(content, picture_type(content) or ANYTHING, extra)
        else:
            reply = self._passed_on(acting, opened, size, extra)
        self._services.audit("attachment.downloaded", acting, seen.facts.key, file=safe_name(one.filename), id=one.id, size=size)
        return reply

    def thumbnail(self, acting: Acting, seen: SeenRequest | None) -> Reply:
        """``GET .../thumbnail/<id>``: a small picture of an attached one."""
        assert seen is not None
        one = self._one(acting, seen)
        content = self._fetched(partial(thumbnail, acting.to.client, acting.to.site, one.id)) if one is not None else None
        kind = picture_type(content) if content is not None else ""
        if content is None or not kind:
            return self._not_there(acting, seen)
        return self._handed_out(content, kind, (*acting.cookies, ("Content-Disposition", 'attachment; filename="thumbnail"')))

    def icon(self, acting: Acting, seen: SeenRequest | None) -> Reply:
        """``GET .../icon/<TYPE>``: the picture of a request type that this customer may use; ours where JSM's cannot be shown."""
        offered = self._services.types.for_customer(acting).type(acting.names["type"])
        if offered is None or not offered.icon_id:
            return self._services.pages.not_found(acting.visit, acting.session)
        to = acting.to
        return self.picture_of_type(offered.icon_id, partial(icon, to.client, to.site, offered.icon_id))

    def picture_of_type(self, icon_id: str, fetch: Callable[[], tuple[bytes, str]]) -> Reply:
        """The picture itself, the same for everybody: ``fetch`` is called where it is not known. Raises JSM's errors."""
        content, _ = self._icons.get(icon_id, fetch).value
        kind = picture_type(content)
        if not kind or len(content) > LARGEST_ICON:  # an SVG may bring a script along
            return self._deployment.headers.redirect(self._services.pages.assets.request_icon)
        extra = (("Content-Disposition", 'attachment; filename="icon"'),)
        return self._deployment.headers.content(200, content, kind, POLICY, extra=extra, cache="private, max-age=86400")

    def visible(
        self, acting: Acting, seen: SeenRequest, comments: Iterable[Comment], files: Iterable[Attachment]
    ) -> Mapping[str, Attachment]:
        """Those that may be shown, by id: a public comment carries it, the reporter sent it, or it was raised with the request here."""
        carried = {one for comment in comments for one in comment.attachment_ids}
        ours = self._raised_with(seen.facts.id)
        shown = {one.id: one for one in files if one.id in carried or _is_by(one, seen) or one.id in ours}
        return self._visible.put((seen.facts.id, acting.portal.id), shown)

    def limit(self, acting: Acting) -> int:
        """Bytes that a file may have; 0 where the site takes none. Raises JSM's errors."""
        return self._asked_limit(acting.to)

    def limit_while_reading(self) -> int:
        """The same for a form that is still on its way in; where JSM does not say it in time, what we take ourselves."""
        try:
            return self._asked_limit(self._services.connect(LIMIT_WAIT_SECONDS))
        except JsmFailed:
            return self._services.most_upload

    def _asked_limit(self, to: Connection) -> int:
        return min(self._limit.get("limit", partial(attachment_limit, to.client, to.site)).value, self._services.most_upload)

    def note_raised(self, acting: Acting, issue_id: str, key: str) -> None:
        """Remember the files of a request that was just raised here: JSM does not say of them that customers may see them.

        Where that fails they are not shown here, and the log says so.
        """
        deployment = self._deployment
        now = deployment.now()
        to = self._services.connect(NOTE_SECONDS)
        try:
            our_id = self._services.seeing.our_id(acting)
            ids = [one.id for one in attachments(to.client, to.site, key) if one.author_id == our_id]
            if not ids:
                return
            change(
                deployment.store,
                KIND,
                issue_id,
                lambda old: json.dumps(ids).encode(),
                now=now,
                expires=now + deployment.profile.retention.accounts,
                owner=acting.customer.email,
            )
        except (JsmFailed, StoreUnavailable) as error:
            deployment.events.write("request.files_unknown", reason=error.code, detail=error.message, hint=error.hint, request=key)

    def _raised_with(self, issue_id: str) -> frozenset[str]:
        try:
            known = self._deployment.store.get(KIND, issue_id, now=self._deployment.now())
        except StoreUnavailable as error:
            self._deployment.go_on_without_store(error)
            return frozenset()
        return frozenset(json.loads(known)) if known is not None else frozenset()

    def _one(self, acting: Acting, seen: SeenRequest) -> Attachment | None:
        """The attachment that the address names, if it is of this request and may be shown."""
        key, wanted, look = (seen.facts.id, acting.portal.id), acting.names["attachment"], partial(self._looked_up, acting, seen)
        one = self._visible.get(key, look).value.get(wanted)
        if one is not None:
            return one
        self._visible.forget(key)  # another worker may have put it there a moment ago
        return self._visible.get(key, look).value.get(wanted)

    def _looked_up(self, acting: Acting, seen: SeenRequest) -> Mapping[str, Attachment]:
        to, key = acting.to, seen.facts.key
        comments, files = together(partial(public_comments, to.client, to.site, key), partial(attachments, to.client, to.site, key))
        return self.visible(acting, seen, comments, files)

    def _whole(self, acting: Acting, opened: OpenFile, size: int) -> bytes:
        try:
            with closing(opened):
                content = opened.whole(WHOLE)
            check_length(len(content), size)
        except JsmFailed as error:
            self._cut(acting, error)
            raise
        return content

    def _passed_on(self, acting: Acting, opened: OpenFile, size: int, extra: tuple[Header, ...]) -> Reply:
        transfers, who = self._services.transfers, acting.who
        if size > self._services.most_upload:
            opened.close()
            raise JsmAnswerInvalid(f"an attachment is too large to be passed on: {size} bytes")
        try:
            transfers.take(who)
        except BaseException:
            opened.close()
            raise
        download = Download(opened, size, partial(transfers.give_back, who), partial(self._cut, acting))
        return self._deployment.headers.stream(download, size, download.content_type or ANYTHING, POLICY, extra=extra)

    def _cut(self, acting: Acting, error: JsmFailed) -> None:
        """A file did not come to the end that was promised, of which its reader is told by an end of the connection, or by a page."""
        self._deployment.events.write("attachment.cut", reason=error.code, detail=error.message, path=acting.visit.path)

    @staticmethod
    def _fetched(fetch: Callable[[], T]) -> T | None:
        try:
            return fetch()
        except JsmRefused as error:
            if error.status in (403, 404):
                return None
            raise

    def _not_there(self, acting: Acting, seen: SeenRequest) -> Reply:
        self._services.audit("access.denied", acting, seen.facts.key, attachment=acting.names["attachment"])
        return self._services.pages.not_found(acting.visit, acting.session)

    def _handed_out(self, content: bytes, kind: str, extra: Iterable[Header]) -> Reply:
        return self._deployment.headers.content(200, content, kind, POLICY, extra=tuple(extra))


def _is_by(one: Attachment, seen: SeenRequest) -> bool:
    """Whether the reporter sent it. A request may have no reporter, and a file no author: that is no match."""
    return bool(one.author_id) and one.author_id == seen.facts.reporter_id


def disposition(filename: str) -> str:
    """``Content-Disposition`` for a download of this name (RFC 6266 4, RFC 8187)."""
    name = safe_name(filename)
    plain = "".join(c if c.isascii() and c.isprintable() and c not in "%;" else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
