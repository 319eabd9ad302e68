"""Raising a request: a type's form, and what was sent with it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from jsmsso.errors import JsmAnswerInvalid, JsmFailed, JsmRefused, JsmUnreachable
from jsmsso.jsm.customers.matching import match
from jsmsso.jsm.customers.recording import Connection
from jsmsso.jsm.requests.attachments import safe_name, upload_temporary
from jsmsso.jsm.requests.fields import IssueFields
from jsmsso.jsm.requests.issues import IssueFacts, read_issue, search_issues
from jsmsso.jsm.requests.jql import quoted
from jsmsso.jsm.requests.requests import create_request
from jsmsso.jsm.requests.values import field_value
from jsmsso.jsm.users import find_users
from jsmsso.portal.acting import Acting
from jsmsso.portal.drafts import Draft
from jsmsso.portal.forms.names import PREFIX
from jsmsso.portal.forms.reading import Filled, NamedFile, given_values, read_form
from jsmsso.portal.forms.widgets import widgets
from jsmsso.portal.forms.words import NOBODY
from jsmsso.portal.once import Earlier, NotDoneYet, StillSending, never_set_out
from jsmsso.portal.parallel import together
from jsmsso.portal.seeing import SeenRequest
from jsmsso.portal.types import OfferedForm
from jsmsso.runtime.replies import Reply

if TYPE_CHECKING:
    from jsmsso.portal.services import Services

LOOK_SECONDS = 3.0  # for a request of which JSM did not say that it made it
MOST_LOOKED_AT = 50  # of the customer's requests since then, and of those that the search does not know yet
KEYS_AT_ONCE = 10
CLOCKS_DIFFER = 30.0  # seconds, JSM's clock and ours
LONGEST_PROBLEM = 1_000  # characters of JSM's own words


class RaisePages:
    """``GET`` and ``POST /portal/<P>/create/<TYPE>``."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._deployment = services.deployment
        self._now = services.deployment.now

    def form(self, acting: Acting, seen: SeenRequest | None) -> Reply:
        """The form of a request type, with what is kept of it."""
        type_id = acting.names["type"]
        offered, limit = together(partial(self._services.types.form, acting, type_id), partial(self._services.files.limit, acting))
        if offered is None:
            return self._services.pages.not_found(acting.visit, acting.session)
        if not offered.is_buildable:
            return self._native(acting, offered)
        draft = None if acting.visit.query == "empty=1" else self._services.drafts.restore(acting, type_id)
        return self._page(acting, offered, limit, draft=draft, is_restored=draft is not None)

    def raise_request(self, acting: Acting, seen: SeenRequest | None) -> Reply:
        """What was sent: a new request and the way to it, or the form once more with everything that was typed."""
        type_id = acting.names["type"]
        try:
            offered, limit = together(
                partial(self._services.types.form, acting, type_id, is_sent=True), partial(self._services.files.limit, acting)
            )
        except JsmFailed as error:
            return self._not_now(acting, type_id, error)
        if offered is None:
            return self._services.pages.not_found(acting.visit, acting.session)
        if not offered.is_buildable:
            return self._native(acting, offered)
        kept = self._services.drafts.kept_files(acting, type_id)
        zone = self._services.look.reader(acting).times.zone
        filled = read_form(offered.form, acting.form, zone, cloud=acting.to.site.is_cloud, file_limit=limit, kept=kept)
        try:
            values, filled = self._with_people(acting, offered, filled)
            if filled.wrong:
                return self._again(acting, offered, limit, filled, 400)
            return self._sent(acting, offered, filled, values)
        except _LimitedError as error:
            self._services.drafts.keep(acting, type_id, Draft(filled.given, filled.files, once=acting.form.one("once")))
            return error.reply
        except JsmFailed as error:
            return self._failed(acting, offered, limit, filled, error)

    def _sent(self, acting: Acting, offered: OfferedForm, filled: Filled, values: Mapping[str, Any]) -> Reply:
        files = [(file.name, file.size) for file in filled.files]
        content = json.dumps([offered.type.id, values, files], sort_keys=True)
        key = self._services.once.run(acting, acting.form.one("once"), content, partial(self._create, acting, offered, filled, values))
        self._services.drafts.forget(acting, offered.type.id)
        return self._deployment.headers.redirect(self._services.own(acting, key), acting.cookies, status=303)

    def _create(self, acting: Acting, offered: OfferedForm, filled: Filled, values: Mapping[str, Any], earlier: Earlier | None) -> str:
        """The new request's key; that of the one that an earlier attempt made, if JSM did. Raises JSM's errors."""
        if earlier is not None:
            if key := self._made_since(acting, offered, filled, values, earlier.since):
                return key
            if self._now() < earlier.at_work_until:
                raise NotDoneYet("the same request was sent a moment ago, and is not there yet")
        size = sum(file.size for file in filled.files)
        limits, organizations = self._services.limits, offered.organization_ids
        if (refusal := limits.refusal(acting, organizations, requests=1, size=size)) is not None:
            raise _LimitedError(refusal)
        to, desk, began = acting.to, acting.portal.service_desk, self._now()
        try:
            whole = {**values, **self._uploaded(acting, offered, filled.files)}
            created = create_request(to.client, to.site, desk, offered.type.id, whole, on_behalf_of=acting.account_id)
        except JsmFailed as error:
            if never_set_out(error):
                error = JsmFailed(error.message, error.hint)
            if not _may_have_worked(error):
                limits.give_back(acting, organizations, requests=1, size=size)
                raise error
            try:
                key = self._made_since(acting, offered, filled, values, began)
            except JsmFailed:
                key = ""
            if key:
                return key
            raise _LostError(error.message, error.hint) from error
        self._note(acting, offered, filled, created.id, created.key)
        return created.key

    def _uploaded(self, acting: Acting, offered: OfferedForm, files: tuple[NamedFile, ...]) -> dict[str, list[str]]:
        """The files with JSM, by the field that they belong to, one at a time."""
        field = next((one for one in offered.form.fields if one.kind == "attachment"), None)
        if not files or field is None:
            return {}
        to, desk = acting.to, acting.portal.service_desk
        try:
            return {field.id: [one for file in files for one in upload_temporary(to.client, to.site, desk, [file.outgoing])]}
        except JsmFailed as error:
            if _may_have_worked(error):  # but no request can have come of it
                raise JsmFailed(error.message, error.hint) from error
            raise

    def _made_since(self, acting: Acting, offered: OfferedForm, filled: Filled, values: Mapping[str, Any], since: float) -> str:
        """The key of a request like this one that the customer has had since then; empty where JSM has none. Raises JSM's errors.

        Cloud's search may lag by seconds behind a request that was just made: those after the last one that it knows are
        asked for by their keys, which count up.
        """
        minutes = math.ceil((self._now() - since + CLOCKS_DIFFER) / 60) + 1
        project = f"project = {quoted(acting.portal.key)}"
        jql = f'{project} AND reporter = {quoted(acting.account_id)} AND created >= "-{minutes}m" ORDER BY created DESC'
        earliest = datetime.fromtimestamp(since - CLOCKS_DIFFER, UTC)
        to = self._services.connect(LOOK_SECONDS)  # of the page's own time nothing may be left
        fields = self._services.seeing.fields(replace(acting, to=to))
        search = partial(search_issues, to.client, to.site, fields)

        def is_it(one: IssueFacts) -> bool:
            same_type = one.request_type_id == offered.type.id or not to.site.is_cloud  # Data Center names types otherwise
            same_summary = "summary" not in values or one.summary.split() == str(values["summary"]).split()
            return one.reporter_id == acting.account_id and one.created >= earliest and same_type and same_summary

        known, newest = together(partial(search, jql, limit=MOST_LOOKED_AT), partial(search, f"{project} ORDER BY key DESC", limit=1))
        found = next((one for one in known.issues if is_it(one)), None)
        if found is None:
            number = _number_of(newest.issues[0].key) if newest.issues else 0
            found = next((one for one in self._issues_after(acting, to, fields, number) if is_it(one)), None)
        if found is None:
            return ""
        self._note(acting, offered, filled, found.id, found.key)
        return found.key

    @staticmethod
    def _issues_after(acting: Acting, to: Connection, fields: IssueFields, number: int) -> Iterator[IssueFacts]:
        """The issues of the portal's project with higher numbers than this, as far as they go. A number may be left out."""
        for first in range(number + 1, number + 1 + MOST_LOOKED_AT, KEYS_AT_ONCE):
            keys = (f"{acting.portal.key}-{one}" for one in range(first, first + KEYS_AT_ONCE))
            there = [one for one in together(*(partial(read_issue, to.client, to.site, fields, key) for key in keys)) if one is not None]
            yield from (one for one in there if one.project_key == acting.portal.key)
            if not there:
                return

    def _note(self, acting: Acting, offered: OfferedForm, filled: Filled, issue_id: str, key: str) -> None:
        self._services.audit("request.created", acting, request=key, type=offered.type.name)
        self._services.recent.add(acting, issue_id)
        if any(one.kind == "attachment" for one in offered.form.fields):
            for file in filled.files:
                self._services.audit("attachment.added", acting, key, file=safe_name(file.name), size=file.size)
            try:
                self._services.files.note_raised(acting, issue_id, key)
            except JsmFailed as error:  # the request is there all the same, and must not be raised again
                self._say(acting, error)

    def _with_people(self, acting: Acting, offered: OfferedForm, filled: Filled) -> tuple[dict[str, Any], Filled]:
        """All values, those of user fields by whole addresses. Who is not there and who may not be chosen look alike."""
        values = dict(filled.values)
        if filled.wrong or not filled.people:
            return values, filled
        emails = sorted({email for found in filled.people.values() for email in found})
        ids = dict(zip(emails, together(*(partial(self._account_id, acting, email) for email in emails)), strict=True))
        wrong = {}
        for field in offered.form.fields:
            if field.id in filled.people:
                found = [ids[email] for email in filled.people[field.id]]
                if all(found):
                    values[field.id] = field_value(field, found, cloud=acting.to.site.is_cloud)
                else:
                    wrong[field.id] = NOBODY
        return values, filled.but(wrong)

    def _account_id(self, acting: Acting, email: str) -> str:
        to, jsm = acting.to, self._deployment.profile.jsm
        found = match(find_users(to.client, to.site, email, acting.portal.service_desk), email, jsm.customers.prefer if jsm else None)
        return found.users[0].id if found.kind == "one" else ""

    def _failed(self, acting: Acting, offered: OfferedForm, limit: int, filled: Filled, error: JsmFailed) -> Reply:
        """JSM did not take it: everything that was typed, beside what JSM says of it."""
        if isinstance(error, JsmRefused) and error.status == 400 and error.detail:
            said = error.detail[:LONGEST_PROBLEM]
            wrong = {one.id: said for one in offered.form.fields if said.lower().startswith(one.name.lower())}
            return self._again(acting, offered, limit, filled.but(wrong), 400, problem="" if wrong else said)
        self._say(acting, error)
        return self._again(
            acting, offered, limit, filled, 503, trouble="lost" if isinstance(error, _LostError | NotDoneYet | StillSending) else "unsent"
        )

    def _not_now(self, acting: Acting, type_id: str, error: JsmFailed) -> Reply:
        """JSM does not even say whether the customer may raise this."""
        self._say(acting, error)
        offered = self._services.types.known(acting, type_id)
        given = given_values(acting.form)
        files = tuple(NamedFile.of(file) for name, file in acting.form.files if name.startswith(PREFIX))
        if offered is not None:
            return self._again(acting, offered, self._services.most_upload, Filled(given, files=files), 503, trouble="unsent")
        is_kept = self._services.drafts.keep(acting, type_id, Draft(given, files, once=acting.form.one("once")))
        typed = () if is_kept else [text for values in given.values() for text in values if text]
        return self._services.look.page(
            acting, "create_unsent.html", 503, is_kept=is_kept, typed=typed, href=self._services.own(acting, f"create/{type_id}")
        )

    def _say(self, acting: Acting, error: JsmFailed) -> None:
        self._deployment.events.write(
            "request.not_sent",
            reason=error.code,
            detail=error.message,
            hint=error.hint,
            email=acting.customer.email,
            portal=acting.portal.key,
            path=acting.visit.path,
        )

    def _again(
        self, acting: Acting, offered: OfferedForm, limit: int, filled: Filled, status: int, *, problem: str = "", trouble: str = ""
    ) -> Reply:
        """The form with everything that was typed. It waits in a draft, too: for the back button, and as no browser chooses files again."""
        files = tuple(file for file in filled.files if file.size <= limit)
        typed = Draft(filled.given, files, once=acting.form.one("once"), is_unknown=trouble == "lost")
        draft = Draft(filled.given) if files or any(text.strip() for values in filled.given.values() for text in values) else None
        if draft and self._services.drafts.keep(acting, offered.type.id, typed):
            draft = self._services.drafts.restore(acting, offered.type.id) or draft
        lost = len(filled.files) - len(draft.files if draft else ())
        return self._page(
            acting, offered, limit, status=status, draft=draft, wrong=filled.wrong, problem=problem, trouble=trouble, lost=lost
        )

    def _page(
        self,
        acting: Acting,
        offered: OfferedForm,
        limit: int,
        *,
        status: int = 200,
        draft: Draft | None = None,
        wrong: Mapping[str, str] | None = None,
        problem: str = "",
        trouble: str = "",
        is_restored: bool = False,
        lost: int = 0,
    ) -> Reply:
        """``problem`` is JSM's own words; ``trouble``: ``unsent``, or ``lost`` where nobody knows; ``lost`` files to choose again."""
        services, type_id = self._services, offered.type.id
        reader = services.look.reader(acting)
        again = acting.form.one("once")
        said = {id_: reader.gettext(text) for id_, text in (wrong or {}).items()}
        shown = widgets(offered.form, draft.given if draft else None, said, reader.times.zone)
        return services.look.page(
            acting,
            "create.html",
            status,
            type=offered.type,
            widgets=shown,
            wrong=[(one.id, one.label, one.wrong) for one in shown if one.wrong],
            left_out=offered.form.unsupported,
            native=self._native_address(acting, offered),
            action=services.own(acting, f"create/{type_id}"),
            back=services.own(acting),
            answers=f"{services.own(acting, 'search')}?part=articles&q=" if acting.portal.knowledge_base == "all_customers" else "",
            form_token=services.token(acting, f"create/{type_id}"),
            once=again or (draft.once if draft else "") or services.once.new_key(),
            owner=services.drafts.owner(acting, type_id),
            kept=draft.boxes if draft else [],
            limit=limit,
            problem=problem,
            trouble=trouble,
            is_restored=is_restored,
            is_unknown=draft is not None and draft.is_unknown,
            is_stale=offered.is_stale,
            lost=lost or (draft.left_out if draft else 0),
        )

    def _native(self, acting: Acting, offered: OfferedForm) -> Reply:
        return self._services.look.page(
            acting, "create_native.html", type=offered.type, native=self._native_address(acting, offered), back=self._services.own(acting)
        )

    @staticmethod
    def _native_address(acting: Acting, offered: OfferedForm) -> str:
        return f"{acting.portal.url}/group/{offered.type.group_ids[0]}/create/{offered.type.id}"


class _LimitedError(Exception):
    """More than the limits let through; ``reply`` says until when."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


class _LostError(JsmUnreachable):
    """The request may have been made: JSM's answer got lost, and its search does not find it yet."""


def _number_of(key: str) -> int:
    number = key.rpartition("-")[2]
    return int(number) if number.isdecimal() else 0


def _may_have_worked(error: JsmFailed) -> bool:
    return isinstance(error, JsmUnreachable | JsmAnswerInvalid) or (isinstance(error, JsmRefused) and error.status >= 500)
