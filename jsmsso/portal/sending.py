"""A form that is still on its way to JSM: a page that looks again by itself, and leads to what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from jsmsso.portal.acting import Acting
from jsmsso.portal.seeing import SeenRequest
from jsmsso.runtime.replies import Reply

if TYPE_CHECKING:
    from jsmsso.portal.services import Services

LOOK_AGAIN_SECONDS = 3


class SendingPages:
    """Asks our own store alone, and holds no thread while it waits: the browser does (its header ``Refresh``)."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def request(self, acting: Acting, seen: SeenRequest | None) -> Reply:
        """``GET .../sending/<once>``: of a new request."""
        own = self._services.own
        return self._page(acting, lambda key: own(acting, key), self._services.deployment.own("/requests"))

    def answer(self, acting: Acting, seen: SeenRequest | None) -> Reply:
        """``GET .../<KEY>/sending/<once>``: of a comment, or a transition."""
        assert seen is not None
        here = self._services.own(acting, seen.facts.key)
        return self._page(acting, lambda comment: f"{here}#comment-{comment}" if comment.isdecimal() else here, here)

    def _page(self, acting: Acting, place_of: Callable[[str], str], back: str) -> Reply:
        outcome = self._services.once.outcome(acting, acting.names["once"])
        if outcome.state == "done":
            return self._services.deployment.headers.redirect(place_of(outcome.result), acting.cookies, status=303)
        reply = self._services.look.page(acting, "sending.html", at="requests", state=outcome.state, back=back)
        if outcome.state == "under_way":
            reply.headers.append(("Refresh", str(LOOK_AGAIN_SECONDS)))
        return reply
