"""A request: what stands in it, and what a customer may do with it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from jsmsso.errors import JsmFailed
from jsmsso.identity.email_address import NotAnEmailAddress
from jsmsso.jsm.requests.attachments import attachments
from jsmsso.jsm.requests.comments import public_comments
from jsmsso.jsm.requests.requests import make_transition
from jsmsso.portal.acting import Acting
from jsmsso.portal.answering import Answering, LimitedError, Sent
from jsmsso.portal.authors import Authors
from jsmsso.portal.drafts import Draft, form_id_of
from jsmsso.portal.once import Earlier
from jsmsso.portal.parallel import together
from jsmsso.portal.request_view import RequestView
from jsmsso.portal.seeing import SeenRequest
from jsmsso.portal.sharing import Sharing
from jsmsso.portal.timeline import Timeline
from jsmsso.runtime.replies import NOTHING, Reply

if TYPE_CHECKING:
    from jsmsso.portal.services import Services

LONGEST_NUMBER = 19  # digits of an id
PARTS = {"comment": "comment", "attach": "attachment"}  # of a request's page, by the names of their routes


class RequestPages:
    """Handlers of the routes that name a request. All are given the request that was looked at; none loads another."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._deployment = services.deployment
        authors = Authors(services)
        self._timeline = Timeline(services, authors)
        self._sharing = Sharing(services)
        self._answering = Answering(services, authors)
        self._view = RequestView(services, self._timeline, self._sharing)

    def show(self, acting: Acting, seen: SeenRequest | None) -> Reply:
        """``GET /portal/<P>/<KEY>``."""
        request = _given(seen)
        try:
            return self._view.page(acting, request)
        except JsmFailed as error:
            return self._view.remembered(acting, error)

    def not_seen(self, acting: Acting, name: str, error: JsmFailed) -> Reply:
        """JSM does not say whether the customer may see it: nothing of it is loaded, and what they typed themselves is kept.

        Raises the error where there is no better page than one that says so.
        """
        self._services.shown.deny_after(acting, acting.names["key"], error)
        if name == "request":
            return self._view.remembered(acting, error)
        if name in ("comment", "attach"):
            form_id = form_id_of(f"{acting.names['key']}/{PARTS[name]}", acting.names)
            self._say(acting, error)
            return self._unsent(
                acting, form_id, Sent.of(acting, self._services.drafts.kept_files(acting, form_id)), error, is_unknown=False
            )
        raise error

    def updates(self, acting: Acting, seen: SeenRequest | None) -> Reply:
        """``GET .../updates?after=<id>``: the comments after one, as a part of the page; nothing where there are none."""
        request = _given(seen)
        after = _number(acting.visit.query.removeprefix("after="))
        client, site, key = acting.to.client, acting.to.site, request.facts.key
        comments, files, our_id = together(
            partial(public_comments, client, site, key),
            partial(attachments, client, site, key),
            partial(self._services.seeing.our_id, acting),
        )
        visible = self._services.files.visible(acting, request, comments, files)
        fresh = [one for one in comments if _number(one.id) > after]
        entries = self._timeline.comments(acting, request, our_id, fresh, visible)
        body = self._services.look.fragment(acting, "request_entries.html", entries=entries)
        return self._deployment.headers.content(200, body, "text/html; charset=utf-8", NOTHING, extra=acting.cookies)

    def comment(self, acting: Acting, seen: SeenRequest | None) -> Reply:
        """``POST .../comment``: words, and files with them."""
        return self._sent(acting, _given(seen), "comment")

    def attach(self, acting: Acting, seen: SeenRequest | None) -> Reply:
        """``POST .../attachment``: files, and words with them."""
        return self._sent(acting, _given(seen), "attach")

    def transition(self, acting: Acting, seen: SeenRequest | None) -> Reply:
        """``POST .../transition``: one of those that the profile gives to customers."""
        request, wanted = _given(seen), acting.form.one("transition")
        if not acting.portal.customer_transitions:
            return self._services.pages.not_found(acting.visit, acting.session)
        act = partial(self._made, acting, request, wanted)
        if self._services.once.run(acting, acting.form.one("once"), f"transition {request.facts.id} {wanted}", act) == "done":
            return self._back(acting, request)
        return self._view.page(acting, request, 409, problem="transition")

    def share(self, acting: Acting, seen: SeenRequest | None) -> Reply:
        """``POST .../share``: one more organization or address, or one less. The answer tells nobody who is there."""
        request, form, mode = _given(seen), acting.form, acting.portal.sharing
        if mode == "none":
            return self._services.pages.not_found(acting.visit, acting.session)
        if remove := form.one("remove"):
            self._sharing.take_back(acting, request, remove)
            return self._back(acting, request, "unshared")
        # Each organization or address that is tried may send mails: the same brake as for comments.
        if (refusal := self._services.limits.refusal(acting, request.organization_ids, comments=1)) is not None:
            self._services.drafts.keep(acting, f"{request.facts.key}/share", Draft({"address": (form.one("address"),)}))
            return refusal
        if form.one("address") and mode == "typed_addresses":
            try:
                self._sharing.with_address(acting, request, form.one("address"))
            except NotAnEmailAddress:
                return self._view.page(acting, request, 400, problem="address", address=form.one("address"), has_drafts=False)
        elif form.one("organization"):
            self._sharing.with_organization(acting, request, form.one("organization"))
        self._services.recent.add(acting, request.facts.id)
        return self._back(acting, request, "shared")

    def _sent(self, acting: Acting, seen: SeenRequest, name: str) -> Reply:
        drafts, form_id = self._services.drafts, f"{seen.facts.key}/{PARTS[name]}"
        if acting.form.one("discard"):
            drafts.forget(acting, form_id)
            return self._back(acting, seen)
        sent = Sent.of(acting, drafts.kept_files(acting, form_id))
        try:
            if (problem := self._answering.problem(acting, sent)) is not None:
                if sent.files:  # a browser does not choose them again by itself
                    drafts.keep(acting, form_id, _draft(acting, self._answering.without_unsound(acting, sent)))
                return self._view.page(acting, seen, 400, problem=problem, text=sent.text, has_drafts=bool(sent.files))
            comment_id = self._answering.send(acting, seen, sent)
        except LimitedError as error:
            drafts.keep(acting, form_id, _draft(acting, sent))
            return error.reply
        except JsmFailed as error:
            self._say(acting, error)
            return self._unsent(acting, form_id, sent, error, is_unknown=self._answering.may_have_worked(error))
        drafts.forget(acting, form_id)
        self._services.recent.add(acting, seen.facts.id)
        return self._back(acting, seen, place=f"#comment-{comment_id}")

    def _made(self, acting: Acting, seen: SeenRequest, wanted: str, earlier: Earlier | None) -> str:
        """``done``, also where an earlier attempt did it."""
        to, key = acting.to, seen.facts.key
        found = next((one for one in self._view.transitions(acting, key) if one.id == wanted), None)
        if found is None:
            return "done" if earlier else "impossible"
        try:
            make_transition(to.client, to.site, key, found.id)
        except JsmFailed as error:
            if getattr(error, "status", 0) in (400, 403, 404, 409):
                return "impossible"
            raise
        self._services.audit("transition.done", acting, key, transition=found.name)
        self._services.recent.add(acting, seen.facts.id)
        return "done"

    def _unsent(self, acting: Acting, form_id: str, sent: Sent, error: JsmFailed, *, is_unknown: bool) -> Reply:
        """JSM did not take it: words and files are kept, and on the page, ready to be sent again with the same key."""
        key = acting.names["key"]
        drafts = self._services.drafts
        draft = None
        if drafts.keep(acting, form_id, replace(_draft(acting, sent), is_unknown=is_unknown)):
            draft = drafts.restore(acting, form_id)
        return self._services.look.page(
            acting,
            "request_unsent.html",
            503,
            key=key,
            here=self._services.own(acting, key),
            action=self._services.own(acting, form_id),
            text=sent.text,
            kept=draft.boxes if draft else [],
            lost=len(sent.files) - len(draft.files if draft else ()),
            is_unknown=is_unknown,
            once=acting.form.one("once"),
            owner=drafts.owner(acting, key),
            form_token=self._services.token(acting, form_id),
        )

    def _say(self, acting: Acting, error: JsmFailed) -> None:
        self._deployment.events.write(
            "comment.not_sent",
            reason=error.code,
            detail=error.message,
            hint=error.hint,
            email=acting.customer.email,
            path=acting.visit.path,
        )

    def _back(self, acting: Acting, seen: SeenRequest, done: str = "", place: str = "") -> Reply:
        address = self._services.own(acting, seen.facts.key) + (f"?done={done}" if done else "") + place
        return self._deployment.headers.redirect(address, acting.cookies, status=303)


def _draft(acting: Acting, sent: Sent) -> Draft:
    return Draft({"text": (sent.text,)} if sent.text else {}, sent.files, once=acting.form.one("once"))


def _given(seen: SeenRequest | None) -> SeenRequest:
    assert seen is not None  # HostedPortals: a route about a request is not called without it
    return seen


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER else 0
