"""A customer's words and files on their way into a request, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Literal

from jsmsso.errors import JsmAnswerInvalid, JsmFailed, JsmRefused, JsmUnreachable
from jsmsso.jsm.requests.attachments import safe_name, upload_temporary
from jsmsso.jsm.requests.comments import Comment, add_comment, add_comment_with_files, public_comments, set_author
from jsmsso.jsm.requests.requests import make_transition, transitions
from jsmsso.portal.acting import Acting
from jsmsso.portal.authors import Authors
from jsmsso.portal.comment_text import LONGEST, SENT, WROTE, body, tidy
from jsmsso.portal.forms.reading import NamedFile
from jsmsso.portal.once import Earlier, NotDoneYet, never_set_out
from jsmsso.portal.seeing import SeenRequest
from jsmsso.runtime.replies import Reply

if TYPE_CHECKING:
    from jsmsso.portal.services import Services

MOST_FILES = 20  # of one comment
CLOCKS_DIFFER = 30.0  # seconds, JSM's clock and ours
LOOK_SECONDS = 3.0  # for a comment of which JSM did not say that it made it
AFTERWARDS_SECONDS = 5.0  # for what follows a comment

Problem = Literal["empty", "long", "many_files", "no_files", "large_file", "empty_file"]


class LimitedError(Exception):
    """More than the limits let through; ``reply`` says until when."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Sent:
    """What a form sent."""

    text: str
    files: tuple[NamedFile, ...]

    @classmethod
    def of(cls, acting: Acting, kept: Sequence[NamedFile] = ()) -> Sent:
        """The field ``text``, the files of ``files``, and those that were ``kept`` since they were sent before."""
        sent = (NamedFile.of(file) for name, file in acting.form.files if name == "files")
        return cls(tidy(acting.form.one("text")), (*kept, *sent))

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    def body(self, acting: Acting) -> str:
        """The comment that JSM is given."""
        customer = acting.customer
        return body(self.text, customer.display_name, customer.email, wrote=WROTE if self.text else SENT)

    @property
    def content(self) -> str:
        """What tells it from anything else that is sent."""
        return "\n".join([self.text, *(f"{file.name} {file.digest}" for file in self.files)])


class Answering:
    """Comments of the service account whose author is kept beside them."""

    def __init__(self, services: Services, authors: Authors) -> None:
        self._services = services
        self._authors = authors
        self._deployment = services.deployment
        self._now = services.deployment.now

    def problem(self, acting: Acting, sent: Sent) -> Problem | None:
        """What is wrong with it, before anything is sent. Raises JSM's errors."""
        if not sent.text and not sent.files:
            return "empty"
        if len(sent.body(acting)) > LONGEST:
            return "long"
        if len(sent.files) > MOST_FILES:
            return "many_files"
        limit = self._services.files.limit(acting) if sent.files else 0
        if sent.files and not limit:
            return "no_files"
        if any(file.size > limit for file in sent.files):
            return "large_file"
        return "empty_file" if any(not file.size for file in sent.files) else None

    def without_unsound(self, acting: Acting, sent: Sent) -> Sent:
        """The same without the files that cannot be sent. Raises JSM's errors."""
        limit = self._services.files.limit(acting)
        return replace(sent, files=tuple(file for file in sent.files if 0 < file.size <= limit)[:MOST_FILES])

    def send(self, acting: Acting, seen: SeenRequest, sent: Sent) -> str:
        """The comment's id, the same for a second click. Raises :class:`LimitedError` and JSM's errors."""
        content = f"{seen.facts.id}\n{sent.content}"
        return self._services.once.run(acting, acting.form.one("once"), content, partial(self._comment, acting, seen, sent))

    @staticmethod
    def may_have_worked(error: JsmFailed) -> bool:
        """Whether nobody knows what came of it."""
        return isinstance(error, JsmUnreachable | JsmAnswerInvalid) or (isinstance(error, JsmRefused) and error.status >= 500)

    def _comment(self, acting: Acting, seen: SeenRequest, sent: Sent, earlier: Earlier | None) -> str:
        if earlier is not None:
            if (made := self._made_since(acting, seen, sent, earlier.since)) is not None:
                self._afterwards(acting, seen, sent, made)
                return made.id
            if self._now() < earlier.at_work_until:
                raise NotDoneYet("the same comment was sent a moment ago, and is not there yet")
        limits, count = self._services.limits, {"comments": 1, "size": sent.size}
        if (refusal := limits.refusal(acting, seen.organization_ids, **count)) is not None:
            raise LimitedError(refusal)
        began = self._now()
        try:
            uploaded = self._uploaded(acting, sent.files)
            comment = self._added(acting, seen, sent, uploaded)
        except JsmFailed as error:
            if never_set_out(error):
                error = JsmFailed(error.message, error.hint)
            if not self.may_have_worked(error):
                limits.give_back(acting, seen.organization_ids, **count)
                raise error
            found = self._looked_for(acting, seen, sent, began)
            if found is None:
                raise JsmUnreachable(error.message, error.hint) from error
            comment = found
        self._afterwards(acting, seen, sent, comment)
        return comment.id

    def _uploaded(self, acting: Acting, files: tuple[NamedFile, ...]) -> list[str]:
        """The files with JSM, one at a time."""
        to, desk = acting.to, acting.portal.service_desk
        try:
            return [one for file in files for one in upload_temporary(to.client, to.site, desk, [file.outgoing])]
        except JsmUnreachable as error:
            raise JsmFailed(error.message, error.hint) from error  # no comment can have come of it

    @staticmethod
    def _added(acting: Acting, seen: SeenRequest, sent: Sent, uploaded: list[str]) -> Comment:
        to, key, text = acting.to, seen.facts.key, sent.body(acting)
        if not uploaded:
            return add_comment(to.client, to.site, key, text)
        comment, _ = add_comment_with_files(to.client, to.site, key, text, uploaded)
        return comment

    def _looked_for(self, acting: Acting, seen: SeenRequest, sent: Sent, since: float) -> Comment | None:
        try:
            return self._made_since(acting, seen, sent, since)
        except JsmFailed:
            return None

    def _made_since(self, acting: Acting, seen: SeenRequest, sent: Sent, since: float) -> Comment | None:
        """The comment that an attempt made whose answer got lost: ours, these words, since then, and nobody's yet."""
        to = self._services.connect(LOOK_SECONDS)  # of the page's own time nothing may be left
        earliest = datetime.fromtimestamp(since - CLOCKS_DIFFER, UTC)
        text, our_id = sent.body(acting), self._services.seeing.our_id(acting)
        found = [one for one in public_comments(to.client, to.site, seen.facts.key) if one.created >= earliest and one.author_id == our_id]
        fitting = [one for one in found if one.body.strip() == text or (sent.files and one.body.startswith(text))]
        taken = self._authors.of(acting, (one.id for one in fitting))
        return next((one for one in fitting if one.id not in taken), None)

    def _afterwards(self, acting: Acting, seen: SeenRequest, sent: Sent, comment: Comment) -> None:
        """What belongs to a comment that is there. Where it fails the comment stays, and the log says what it lacks."""
        services, key = self._services, seen.facts.key
        to = services.connect(AFTERWARDS_SECONDS)
        if sent.text:
            services.audit("comment.added", acting, key, comment=comment.id)
        for file in sent.files:
            services.audit("attachment.added", acting, key, comment=comment.id, file=safe_name(file.name), size=file.size)
        try:
            set_author(to.client, to.site, comment.id, acting.account_id)
            self._authors.learn(comment.id, acting.account_id)
        except JsmFailed as error:
            self._say("comment.without_author", acting, error)
        if (wanted := acting.portal.on_customer_comment) is not None:
            try:
                for one in transitions(to.client, to.site, key):
                    if one.name == wanted.transition:
                        make_transition(to.client, to.site, key, one.id)
                        services.audit("transition.done", acting, key, transition=one.name, comment=comment.id)
                        break
            except JsmFailed as error:
                self._say("comment.without_transition", acting, error)

    def _say(self, event: str, acting: Acting, error: JsmFailed) -> None:
        self._deployment.events.write(
            event, reason=error.code, detail=error.message, hint=error.hint, email=acting.customer.email, path=acting.visit.path
        )
