"""A request's page: as JSM tells it now, or as the customer was shown it a moment ago."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from jsmsso.errors import JsmFailed
from jsmsso.jsm.requests.attachments import attachments
from jsmsso.jsm.requests.comments import public_comments
from jsmsso.jsm.requests.requests import RequestDetails, Transition, participants, request_details, slas, transitions
from jsmsso.jsm.requests.statuses import status_history
from jsmsso.portal.acting import Acting
from jsmsso.portal.answering import Problem
from jsmsso.portal.drafts import OF_REQUESTS, Draft
from jsmsso.portal.parallel import together
from jsmsso.portal.seeing import SeenRequest
from jsmsso.portal.sharing import LOOK, Sharing
from jsmsso.portal.shown import ShownRequest, cannot_be_asked
from jsmsso.portal.timeline import Timeline
from jsmsso.runtime.replies import Reply

if TYPE_CHECKING:
    from jsmsso.portal.services import Services

T = TypeVar("T")

# What a redirect after a form says once on the page: in its address, as one of these words.
DONE = frozenset({"shared", "unshared"})


class RequestView:
    """Makes it for whoever may see the request, and with what they may do to it."""

    def __init__(self, services: Services, timeline: Timeline, sharing: Sharing) -> None:
        self._services = services
        self._timeline = timeline
        self._sharing = sharing

    def page(
        self,
        acting: Acting,
        seen: SeenRequest,
        status: int = 200,
        *,
        problem: Problem | str = "",
        text: str = "",
        address: str = "",
        has_drafts: bool = True,
    ) -> Reply:
        """The whole page; everything that it is made of is asked for side by side. ``has_drafts``: with what is kept of its forms."""
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
            asked["transitions"] = _or(partial(self.transitions, acting, key), [])
        if portal.show_sla:
            asked["slas"] = _or(partial(slas, client, site, key), ())
        typed = {part: partial(self._typed, acting, f"{key}/{part}") for part in OF_REQUESTS}
        told = dict(zip((*asked, *typed), together(*asked.values(), *typed.values()), strict=True))
        if told["details"] is None:
            services.shown.deny(acting, key)
            return services.pages.not_found(acting.visit, acting.session)
        details = self._without_hidden(acting, told["details"], told.get("shown"))
        visible = services.files.visible(acting, seen, told["comments"], told["files"])
        comments = self._timeline.comments(acting, seen, told["our_id"], told["comments"], visible)
        done = acting.visit.query.removeprefix("done=")
        fields = [(label, value) for _, label, value, is_html in details.fields if not is_html and value != facts.summary]
        entries = self._timeline.whole(acting, seen, details, comments, told["statuses"], visible)
        type_name, kind = details.type_name, details.status_category
        services.shown.keep(
            acting,
            key,
            ShownRequest(
                datetime.fromtimestamp(seen.asked_at, UTC), facts.summary, type_name, details.status, kind, details.created, fields, entries
            ),
        )
        once = services.once.new_key()
        draft, files_draft, share_draft = (told[part] if has_drafts else None for part in OF_REQUESTS)
        return services.look.page(
            acting,
            "request.html",
            status,
            at="requests",
            key=key,
            summary=facts.summary,
            details=details,
            fields=fields,
            entries=entries,
            slas=[one for one in told.get("slas", ()) if one.name in portal.show_sla],
            transitions=told.get("transitions", ()),
            rows=self._sharing.rows(acting, seen, told.get("participants", ())),
            organizations=self._sharing.organizations(acting, seen),
            look=LOOK if self._sharing.is_to_look(acting) else "",
            has_looked=acting.visit.query == LOOK,
            limit=told["limit"],
            once=once,
            owner=services.drafts.owner(acting, key),
            draft=draft,
            files_draft=files_draft,
            comment_once=(draft.once if draft else "") or once,
            files_once=(files_draft.once if files_draft else "") or f"{once}-files",
            here=services.own(acting, key),
            tokens={rest: services.token(acting, f"{key}/{rest}") for rest in ("comment", "attachment", "transition", "share")},
            problem=problem,
            text=text or (draft.one("text") if draft else ""),
            address=address or (share_draft.one("address") if share_draft else ""),
            done=done if done in DONE else "",
        )

    def remembered(self, acting: Acting, error: JsmFailed) -> Reply:
        """What this customer was shown of it a moment ago, while JSM cannot be asked. Raises the error where there is nothing."""
        services, key = self._services, acting.names["key"]
        page = services.shown.get(acting, key) if cannot_be_asked(error) else None
        if page is None:
            raise error
        services.deployment.events.write(
            "request.from_memory", reason=error.code, detail=error.message, email=acting.customer.email, path=acting.visit.path
        )
        services.audit("request.from_memory", acting, key, shown_at=page.at.isoformat(timespec="seconds"))
        return services.look.page(
            acting,
            "request_remembered.html",
            at="requests",
            key=key,
            page=page,
            entries=page.entries,
            here=services.own(acting, key),
            is_kept=services.drafts.restore(acting, f"{key}/comment") is not None,
            once=services.once.new_key(),
            owner=services.drafts.owner(acting, key),
            form_token=services.token(acting, f"{key}/comment"),
        )

    def transitions(self, acting: Acting, key: str) -> list[Transition]:
        """What the profile gives to customers of what the service account could do."""
        given = acting.portal.customer_transitions
        return [one for one in transitions(acting.to.client, acting.to.site, key) if one.name in given] if given else []

    def _without_hidden(self, acting: Acting, details: RequestDetails, shown: frozenset[str] | None) -> RequestDetails:
        """The fields of the type's form alone: our account is told what the type sets by itself, too.

        Data Center names types in an issue otherwise than on a portal, so that its form can only be asked for now.
        """
        if shown is None:
            shown = self._services.types.shown_fields(acting, details.type_id)
        return replace(details, fields=tuple(one for one in details.fields if one[0] in shown))

    def _typed(self, acting: Acting, form_id: str) -> Draft | None:
        """What is kept for this customer of a form on this page. An address is given back once: there is no other way to leave it out."""
        draft = self._services.drafts.restore(acting, form_id)
        if draft is not None and form_id.endswith("/share"):
            self._services.drafts.forget(acting, form_id)
        return draft


def _or(ask: Callable[[], T], otherwise: T | Sequence[Any]) -> Callable[[], Any]:
    """What the page can do without: it is left out where JSM does not tell it."""

    def asked() -> Any:
        try:
            return ask()
        except JsmFailed:
            return otherwise

    return asked
