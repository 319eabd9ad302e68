"""What anybody may read of a public portal: its request types, and its knowledge base where that is for everybody.

Strangers have no account. Nothing is asked of JSM for them that it would answer for somebody else, and what they are shown
comes from memory where it can: it is the same for all of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from jsmsso.errors import JsmFailed
from jsmsso.jsm.customers.recording import Connection
from jsmsso.jsm.requests.attachments import icon
from jsmsso.portal.acting import PAGE_SECONDS, Stranger
from jsmsso.portal.articles import LONGEST_WORDS, Articles
from jsmsso.portal.budget import Budget
from jsmsso.portal.limits import network_of
from jsmsso.portal.types import AsksForStrangers, Offered
from jsmsso.runtime.return_to import own_path

if TYPE_CHECKING:
    from jsmsso.portal.services import Services
    from jsmsso.runtime.replies import Reply

QUESTIONS_A_MINUTE = 120  # of one client's address, in one worker
ALL_QUESTIONS_A_MINUTE = 600  # of all strangers, in one worker: customers have the same JSM
AT_ONCE = 6  # of a worker's sixteen threads; the others are for customers, however slow JSM is
WAIT_SECONDS = 5  # for Retry-After
SAY_SECONDS = 60.0  # between two lines of the log
T = TypeVar("T")


class TooManyQuestions(JsmFailed):
    """JSM is not asked: too much was asked of it for strangers already. ``who``: ``address``, ``strangers`` or ``threads``."""

    code = "too_many_questions"

    def __init__(self, who: str, message: str) -> None:
        super().__init__(message, "It passes by itself.")
        self.who = who


class StrangerPages:
    """Answers the routes that are for anybody. One per worker."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._deployment = services.deployment
        self._articles = Articles(services)
        self._brake = Brake(services)
        self._handlers: Mapping[str, Callable[[Stranger], Reply]] = {
            "home": self._search,
            "search": self._search,
            "icon": self._icon,
            "article": self._article,
        }

    def reply(self, stranger: Stranger, name: str) -> Reply:
        """The page of the route ``name``."""
        pages = self._services.pages
        try:
            return self._handlers[name](stranger)
        except TooManyQuestions as error:
            reply = pages.too_many_calls(stranger.visit, None, stranger.portal, stranger.path, reason=error.message)
            reply.headers.append(("Retry-After", str(WAIT_SECONDS)))
            return reply
        except JsmFailed as error:
            return pages.jsm_failed(stranger.visit, error, None, stranger.portal, stranger.path)

    def _search(self, stranger: Stranger) -> Reply:
        """The portal's home, or what there is on some words. ``part=articles``: those alone, for our script."""
        query = stranger.visit.parameters
        words = query.get("q", "").strip()[:LONGEST_WORDS]
        ask = self._brake.asking(stranger)
        look = self._services.look
        if query.get("part") == "articles":
            found = self._articles.found_by_stranger(stranger, words, ask)
            body = look.fragment_for_stranger(stranger, "articles.html", articles=found, words=words)
            return self._deployment.headers.content(200, body, "text/html; charset=utf-8", self._services.pages.policy())
        offered = self._services.types.for_strangers(stranger.portal, ask)
        own = partial(self._services.own, stranger)
        return self._page(
            stranger,
            "home.html",
            {"q": words} if words else {},
            groups=(offered.fitting(words) if words else offered).groups,
            is_stale=offered.is_stale,
            words=words,
            articles=self._articles.found_by_stranger(stranger, words, ask),
            has_articles=stranger.portal.knowledge_base == "all_customers",
            search=own("search"),
            home=own(),
            own_in=own,
        )

    def _icon(self, stranger: Stranger) -> Reply:
        """The picture of a request type that strangers are shown."""
        ask = self._brake.asking(stranger)
        offered: Offered = self._services.types.for_strangers(stranger.portal, ask)
        found = offered.type(stranger.names["type"])
        if found is None or not found.icon_id:
            return self._services.pages.not_found(stranger.visit, None)
        icon_id = found.icon_id
        try:
            return self._services.files.picture_of_type(icon_id, lambda: ask(lambda to: icon(to.client, to.site, icon_id)))
        except TooManyQuestions:
            return self._deployment.headers.redirect(self._services.pages.assets.request_icon)  # the page is none the worse for it

    def _article(self, stranger: Stranger) -> Reply:
        """An article that a search of this portal's found."""
        of = stranger.visit.parameters.get("of", "")
        shown = self._articles.read_by_stranger(stranger, stranger.names["article"], of, self._brake.asking(stranger))
        if shown is None:
            return self._services.pages.not_found(stranger.visit, None)
        title, html = shown
        return self._page(stranger, "article.html", {"of": of}, title=title, html=html, home=self._services.own(stranger))

    def _page(self, stranger: Stranger, template: str, query: Mapping[str, str], **values: Any) -> Reply:
        """``query``: the part of the address that a login must lead back to."""
        here = f"{stranger.path}?{urlencode(query)}" if query else stranger.path
        back = here if own_path(here) == here else f"/portal/{stranger.portal.key}"
        named = stranger.visit.parameters.get("provider", "")  # a link may say at which provider its reader logs in
        log_in = self._services.pages.login_address(named, back)
        return self._services.look.page_for_stranger(stranger, template, log_in, **values)


class Brake:
    """How much strangers may make us ask JSM: each address, all of them together, and at the same time."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._deployment = services.deployment
        now = services.deployment.now
        self._of_address = Budget(now, QUESTIONS_A_MINUTE)
        self._of_all = Budget(now, ALL_QUESTIONS_A_MINUTE)
        self._threads = threading.BoundedSemaphore(AT_ONCE)
        self._said = float("-inf")

    def asking(self, stranger: Stranger) -> AsksForStrangers:
        """What puts this page's questions; all of them together have :data:`PAGE_SECONDS`."""
        known: list[Connection] = []

        def ask(question: Callable[[Connection], T], /) -> T:
            self._take(stranger)
            if not self._threads.acquire(blocking=False):
                raise TooManyQuestions("threads", f"{AT_ONCE} strangers wait for JSM already")
            try:
                if not known:
                    known.append(self._services.connect(PAGE_SECONDS))
                return question(known[0])
            finally:
                self._threads.release()

        return ask

    def _take(self, stranger: Stranger) -> None:
        network = network_of(self._deployment.proxies.client_of(stranger.visit.environ))
        if not self._of_address.takes(network):
            raise self._limited(stranger, TooManyQuestions("address", "the budget of the client's address is used up"))
        # The less is left for all, the less must an address have asked: a few busy ones cannot use it up for those who come anew.
        if self._of_address.left(network) < 1 - 2 * self._of_all.left("") or not self._of_all.takes(""):
            raise self._limited(stranger, TooManyQuestions("strangers", "the budget of all strangers is used up"))

    def _limited(self, stranger: Stranger, error: TooManyQuestions) -> TooManyQuestions:
        now = self._deployment.now()
        if now >= self._said + SAY_SECONDS:
            self._said = now
            client = self._deployment.client_of(stranger.visit)
            self._deployment.events.write("strangers.limited", who=error.who, portal=stranger.portal.key, client=client)
        return error
