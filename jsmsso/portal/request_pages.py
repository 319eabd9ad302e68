"""A request: what stands in it, and what a customer may do with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from jsmsso.errors import JsmFailed
from jsmsso.identity.email_address import NotAnEmailAddress
from jsmsso.jsm.requests.attachments import attachments
from jsmsso.jsm.requests.comments import public_comments
from jsmsso.jsm.requests.requests import RequestDetails, Transition, make_transition, participants, request_details, slas, transitions
from jsmsso.jsm.requests.statuses import status_history
from jsmsso.portal.acting import Acting
from jsmsso.portal.answering import Answering, LimitedError, Problem, Sent
from jsmsso.portal.authors import Authors
from jsmsso.portal.parallel import together
from jsmsso.portal.seeing import SeenRequest
from jsmsso.portal.sharing import LOOK, Sharing
from jsmsso.portal.timeline import Timeline
from jsmsso.runtime.replies import NOTHING, Reply

if TYPE_CHECKING:
    from jsmsso.portal.services import Services

LONGEST_NUMBER = 19  # digits of an id
T = TypeVar("T")

# What a redirect after a form says once on the page: in its address, as one of these words.
DONE = frozenset({"shared", "unshared"})


class RequestPages:
    """Handlers of the routes that name a request. All are given the request that was looked at; none loads another."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._deployment = services.deployment
        authors = Authors(services)
        self._timeline = Timeline(services, authors)
        self._sharing = Sharing(services)
        self._answering = Answering(services, authors)

    def show(self, acting: Acting, seen: SeenRequest | None) -> Reply:
        """``GET /portal/<P>/<KEY>``."""
        return self._page(acting, _given(seen))

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
        return self._sent(acting, _given(seen))

    def attach(self, acting: Acting, seen: SeenRequest | None) -> Reply:
        """``POST .../attachment``: files, and words with them."""
        return self._sent(acting, _given(seen))

    def transition(self, acting: Acting, seen: SeenRequest | None) -> Reply:
        """``POST .../transition``: one of those that the profile gives to customers."""
        request, wanted = _given(seen), acting.form.one("transition")
        if not acting.portal.customer_transitions:
            return self._services.pages.not_found(acting.visit, acting.session)
        act = partial(self._made, acting, request, wanted)
        if self._services.once.run(acting, acting.form.one("once"), f"transition {request.facts.id} {wanted}", act) == "done":
            return self._back(acting, request)
        return self._page(acting, request, 409, problem="transition")

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
            return refusal
        if form.one("address") and mode == "typed_addresses":
            try:
                self._sharing.with_address(acting, request, form.one("address"))
            except NotAnEmailAddress:
                return self._page(acting, request, 400, problem="address", address=form.one("address"))
        elif form.one("organization"):
            self._sharing.with_organization(acting, request, form.one("organization"))
        self._services.recent.add(acting, request.facts.id)
        return self._back(acting, request, "shared")

    def unseen(self, acting: Acting, error: JsmFailed) -> Reply:
        """A comment on what JSM does not let us look at just now: the words are kept, of the request nothing is shown."""
        return self._unsent(acting, acting.names["key"], Sent.of(acting), error, is_unknown=False)

    def _sent(self, acting: Acting, seen: SeenRequest) -> Reply:
        sent = Sent.of(acting)
        try:
            if (problem := self._answering.problem(acting, sent)) is not None:
                return self._page(acting, seen, 400, problem=problem, text=sent.text)
            comment_id = self._answering.send(acting, seen, sent)
        except LimitedError as error:
            return error.reply
        except JsmFailed as error:
            return self._unsent(acting, seen.facts.key, sent, error, is_unknown=self._answering.may_have_worked(error))
        self._services.recent.add(acting, seen.facts.id)
        return self._back(acting, seen, place=f"#comment-{comment_id}")

    def _made(self, acting: Acting, seen: SeenRequest, wanted: str, since: float) -> str:
        """``done``, also where an attempt at ``since`` did it."""
        to, key = acting.to, seen.facts.key
        found = next((one for one in self._transitions(acting, key) if one.id == wanted), None)
        if found is None:
            return "done" if since else "impossible"
        try:
            make_transition(to.client, to.site, key, found.id)
        except JsmFailed as error:
            if getattr(error, "status", 0) in (400, 403, 404, 409):
                return "impossible"
            raise
        self._services.audit("transition.done", acting, key, transition=found.name)
        self._services.recent.add(acting, seen.facts.id)
        return "done"

    def _transitions(self, acting: Acting, key: str) -> list[Transition]:
        """What the profile gives to customers of what the service account could do."""
        given = acting.portal.customer_transitions
        return [one for one in transitions(acting.to.client, acting.to.site, key) if one.name in given] if given else []

    def _page(
        self, acting: Acting, seen: SeenRequest, status: int = 200, *, problem: Problem | str = "", text: str = "", address: str = ""
    ) -> Reply:
        """The whole page; everything that it is made of is asked for side by side."""
        services, facts = self._services, seen.facts
        client, site, key, portal = acting.to.client, acting.to.site, facts.key, acting.portal
        asked: dict[str, Callable[[], Any]] = {
            "details": partial(request_details, client, site, key),
            "comments": partial(public_comments, client, site, key),
            "files": partial(attachments, client, site, key),
            "our_id": partial(services.seeing.our_id, acting),
            "statuses": _or(partial(status_history, client, site, key), ()),
            "limit": _or(partial(services.files.limit, acting), 0),
        }
        if facts.participant_ids:
            asked["participants"] = _or(partial(participants, client, site, key), ())
        if facts.request_type_id.isdecimal():
            asked["shown"] = partial(services.types.shown_fields, acting, facts.request_type_id)
        if portal.customer_transitions:
            asked["transitions"] = _or(partial(self._transitions, acting, key), [])
        if portal.show_sla:
            asked["slas"] = _or(partial(slas, client, site, key), ())
        told = dict(zip(asked, together(*asked.values()), strict=True))
        if told["details"] is None:
            return services.pages.not_found(acting.visit, acting.session)
        details = self._without_hidden(acting, told["details"], told.get("shown"))
        visible = services.files.visible(acting, seen, told["comments"], told["files"])
        comments = self._timeline.comments(acting, seen, told["our_id"], told["comments"], visible)
        done = acting.visit.query.removeprefix("done=")
        return services.look.page(
            acting,
            "request.html",
            status,
            at="requests",
            key=key,
            summary=facts.summary,
            details=details,
            fields=[(label, value) for _, label, value, is_html in details.fields if not is_html and value != facts.summary],
            entries=self._timeline.whole(acting, seen, details, comments, told["statuses"], visible),
            slas=[one for one in told.get("slas", ()) if one.name in portal.show_sla],
            transitions=told.get("transitions", ()),
            rows=self._sharing.rows(acting, seen, told.get("participants", ())),
            organizations=self._sharing.organizations(acting, seen),
            look=LOOK if self._sharing.is_to_look(acting) else "",
            has_looked=acting.visit.query == LOOK,
            limit=told["limit"],
            once=services.once.new_key(),
            here=services.own(acting, key),
            tokens={rest: services.token(acting, f"{key}/{rest}") for rest in ("comment", "attachment", "transition", "share")},
            problem=problem,
            text=text,
            address=address,
            done=done if done in DONE else "",
        )

    def _without_hidden(self, acting: Acting, details: RequestDetails, shown: frozenset[str] | None) -> RequestDetails:
        """The fields of the type's form alone: our account is told what the type sets by itself, too.

        Data Center names types in an issue otherwise than on a portal, so that its form can only be asked for now.
        """
        if shown is None:
            shown = self._services.types.shown_fields(acting, details.type_id)
        return replace(details, fields=tuple(one for one in details.fields if one[0] in shown))

    def _unsent(self, acting: Acting, key: str, sent: Sent, error: JsmFailed, *, is_unknown: bool) -> Reply:
        """JSM did not take it: the words are kept on the page, ready to be sent again with the same key."""
        self._deployment.events.write(
            "comment.not_sent",
            reason=error.code,
            detail=error.message,
            hint=error.hint,
            email=acting.customer.email,
            path=acting.visit.path,
        )
        return self._services.look.page(
            acting,
            "request_unsent.html",
            503,
            key=key,
            here=self._services.own(acting, key),
            text=sent.text,
            files=len(sent.files),
            is_unknown=is_unknown,
            once=acting.form.one("once"),
            form_token=self._services.token(acting, f"{key}/comment"),
        )

    def _back(self, acting: Acting, seen: SeenRequest, done: str = "", place: str = "") -> Reply:
        address = self._services.own(acting, seen.facts.key) + (f"?done={done}" if done else "") + place
        return self._deployment.headers.redirect(address, acting.cookies, status=303)


def _given(seen: SeenRequest | None) -> SeenRequest:
    assert seen is not None  # HostedPortals: a route about a request is not called without it
    return seen


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER else 0


def _or(ask: Callable[[], T], otherwise: T | Sequence[Any]) -> Callable[[], Any]:
    """What the page can do without: it is left out where JSM does not tell it."""

    def asked() -> Any:
        try:
            return ask()
        except JsmFailed:
            return otherwise

    return asked
