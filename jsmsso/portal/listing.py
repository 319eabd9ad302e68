"""A portal's home and search, articles, and the lists of requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from jsmsso.errors import JsmFailed, JsmRefused
from jsmsso.jsm.organizations import organizations_of
from jsmsso.jsm.requests.issues import IssueFacts, IssuePage, search_issues
from jsmsso.portal.acting import Acting
from jsmsso.portal.articles import LONGEST_WORDS, Articles
from jsmsso.portal.caching import Cache
from jsmsso.portal.look import is_waiting
from jsmsso.portal.pagination import Place, opened, sealed
from jsmsso.portal.parallel import together
from jsmsso.portal.people import shown_name
from jsmsso.portal.queries import STATES, own_requests, shared_requests
from jsmsso.portal.seeing import SeenRequest, may_see
from jsmsso.portal.types import Offered
from jsmsso.profile.model import Portal
from jsmsso.runtime.replies import Reply
from jsmsso.runtime.targets import REQUEST_KEY

if TYPE_CHECKING:
    from jsmsso.portal.services import Services

ROWS = 20  # of a list
LATEST = 5  # on a portal's home
STALE_SECONDS = 3600.0  # a customer's own list, while JSM does not answer
WITHOUT_APPROVALS_SECONDS = 3600.0  # until a site that refused the function `approver` is asked for it again


@dataclass(frozen=True, slots=True)
class Row:
    """A request in a list. ``raised_by`` is the name of whoever raised it, where others may read one."""

    facts: IssueFacts
    portal: Portal
    href: str
    raised_by: str = ""
    is_mine: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a list is asked for, as its address says."""

    state: str
    whose: str
    words: str
    page: str

    @property
    def bound(self) -> str:
        return f"{self.state} {self.whose} {self.words}"


@dataclass(frozen=True, slots=True)
class _Found:
    """A page of issues, where the next one is, and the customer's organizations as of this moment."""

    page: IssuePage
    place: Place
    organization_ids: frozenset[str]
    at: datetime


class ListPages:
    """``home``, ``search`` and ``article`` of a portal, and ``requests`` of all of them."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._deployment = services.deployment
        self._articles = Articles(services)
        self._own: Cache[_Found] = Cache(services.deployment.now, max_age=0.0, max_stale=STALE_SECONDS)
        self._refuses_approver: Cache[bool] = Cache(services.deployment.now, max_age=WITHOUT_APPROVALS_SECONDS)

    def home(self, acting: Acting, seen: SeenRequest | None = None) -> Reply:
        """The request types that the customer may use, and their latest requests here."""
        words = acting.visit.parameters.get("q", "").strip()[:LONGEST_WORDS]
        if words:
            return self._search(acting, words)
        offered, (rows, at) = together(partial(self._services.types.for_customer, acting), partial(self._latest, acting))
        return self._home(acting, offered, rows=rows, listed_at=at)

    def search(self, acting: Acting, seen: SeenRequest | None = None) -> Reply:
        """Request types, and articles where every customer may read them. ``part=articles``: those alone, for our script."""
        query = acting.visit.parameters
        words = query.get("q", "").strip()[:LONGEST_WORDS]
        if query.get("part") == "articles":
            body = self._services.look.fragment(acting, "articles.html", articles=self._articles.found(acting, words), words=words)
            return self._deployment.headers.content(
                200, body, "text/html; charset=utf-8", self._services.pages.policy(), extra=acting.cookies
            )
        return self._search(acting, words) if words else self.home(acting)

    def article(self, acting: Acting, seen: SeenRequest | None = None) -> Reply:
        """An article that a search of this portal's found."""
        shown = self._articles.read(acting, acting.names["article"], acting.visit.parameters.get("of", ""))
        if shown is None:
            return self._services.pages.not_found(acting.visit, acting.session)
        title, html = shown
        return self._services.look.page(acting, "article.html", title=title, html=html, home=self._services.own(acting))

    def requests(self, acting: Acting, portals: Sequence[Portal]) -> Reply:
        """The customer's requests at these portals, or those of their organizations. ``acting.portal`` is one of them."""
        query = acting.visit.parameters
        asked = _Asked(
            state=query.get("state", "") if query.get("state") in STATES else "open",
            whose="organization" if query.get("whose") == "organization" else "mine",
            words=query.get("q", "").strip()[:LONGEST_WORDS],
            page=query.get("page", ""),
        )
        by_key = {portal.key: portal for portal in portals}
        if (key := _key_in(asked.words)) and (portal := by_key.get(key.rpartition("-")[0])) is not None:
            # Its own page says whether there is such a request, to this customer.
            return self._deployment.headers.redirect(self._deployment.own(f"/portal/{portal.key}/{key}"), acting.cookies)
        found, is_stale = self._listed(acting, by_key, asked)
        rows = self._rows(acting, found, by_key)
        older = found.place.older(found.page.next_token) if found.page.next_token else None
        return self._services.look.page(
            acting,
            "requests.html",
            at="requests",
            rows=rows,
            asked=asked,
            several=len(portals) > 1,
            says_who=asked.whose == "organization",
            states=[(state, self._address(asked, state=state)) for state in STATES],
            mine=self._address(asked, whose="mine"),
            organization=self._address(asked, whose="organization"),
            newer=self._page_address(acting, asked, found.place.newer()) if found.place.tokens else "",
            newest=self._address(asked) if len(found.place.tokens) > 1 else "",
            older=self._page_address(acting, asked, older) if older is not None else "",
            stale_since=found.at if is_stale else None,
        )

    def _search(self, acting: Acting, words: str) -> Reply:
        offered, articles = together(partial(self._services.types.for_customer, acting), partial(self._articles.found, acting, words))
        return self._home(acting, offered.fitting(words), words=words, articles=articles)

    def _home(self, acting: Acting, offered: Offered, **values: Any) -> Reply:
        own = partial(self._services.own, acting)
        common: dict[str, Any] = {
            "groups": offered.groups,
            "search": own("search"),
            "home": own(),
            "own_in": own,
            "rows": None,
            "words": "",
            "articles": (),
        }
        has_articles = acting.portal.knowledge_base == "all_customers"
        whole = common | {"is_stale": offered.is_stale, "has_articles": has_articles, "lists": self._deployment.own("/requests")}
        return self._services.look.page(acting, "home.html", **(whole | values))

    def _latest(self, acting: Acting) -> tuple[list[Row] | None, datetime | None]:
        """The customer's latest requests here, what waits for them first; None where JSM does not tell. The time of an old answer."""
        by_key = {acting.portal.key: acting.portal}
        try:
            found, is_stale = self._mine(acting, by_key, _Asked("all", "mine", "", ""), LATEST)
        except JsmFailed:
            return None, None
        rows = self._rows(acting, found, by_key)
        return sorted(rows, key=lambda row: not is_waiting(row.facts.status)), found.at if is_stale else None

    def _listed(self, acting: Acting, by_key: dict[str, Portal], asked: _Asked) -> tuple[_Found, bool]:
        """What was found, and whether it is old. Whose organizations somebody is in is never answered from memory."""
        if asked.whose == "mine":
            return self._mine(acting, by_key, asked, ROWS)
        client, site = acting.to.client, acting.to.site
        fields, organizations = together(
            partial(self._services.seeing.fields, acting), partial(organizations_of, client, site, acting.account_id)
        )
        ids = [one.id for one in organizations]
        jql = shared_requests(fields, ids, by_key, asked.state, asked.words)
        return self._found(acting, asked, jql, frozenset(ids), ROWS), False

    def _mine(self, acting: Acting, by_key: dict[str, Portal], asked: _Asked, limit: int) -> tuple[_Found, bool]:
        def ask() -> _Found:
            fields = self._services.seeing.fields(acting)
            to_approve = bool(fields.approvals) and not self._refuses_approver.get(acting.account_id, lambda: False).value
            find = partial(own_requests, fields, acting.account_id, by_key, asked.state, asked.words)
            try:
                return self._found(acting, asked, find(to_approve=to_approve), frozenset(), limit)
            except JsmRefused as error:
                if error.status != 400 or not to_approve:
                    raise
            # A site without the function refuses the whole question: what they raised and take part in is there all the same.
            found = self._found(acting, asked, find(to_approve=False), frozenset(), limit)
            self._refuses_approver.put(acting.account_id, True)
            return found

        cached = self._own.get((acting.account_id, tuple(by_key), asked, limit), ask)
        return cached.value, cached.is_stale

    def _found(self, acting: Acting, asked: _Asked, jql: str, organization_ids: frozenset[str], limit: int) -> _Found:
        at = datetime.fromtimestamp(self._deployment.now(), UTC)
        place = opened(self._deployment.sealer, asked.page, f"{acting.account_id} {asked.bound}") or Place(
            reconcile=self._services.recent.ids(acting.account_id)
        )
        if not jql:
            return _Found(IssuePage((), ""), Place(), organization_ids, at)
        search = partial(search_issues, acting.to.client, acting.to.site, self._services.seeing.fields(acting), jql, limit=limit)
        try:
            page = search(page_token=place.token, reconcile=place.reconcile)
        except JsmRefused as error:
            if error.status != 400 or not place.tokens:
                raise
            place = Place(reconcile=self._services.recent.ids(acting.account_id))  # a token that JSM forgot: from the start
            page = search(reconcile=place.reconcile)
        return _Found(page, place, organization_ids, at)

    def _rows(self, acting: Acting, found: _Found, by_key: dict[str, Portal]) -> list[Row]:
        """Those that the customer may see, looked at one by one: the query is no proof."""
        return [
            Row(
                facts,
                by_key[facts.project_key],
                self._deployment.own(f"/portal/{facts.project_key}/{facts.key}"),
                shown_name(facts.reporter_name),
                facts.reporter_id == acting.account_id,
            )
            for facts in found.page.issues
            if facts.project_key in by_key and may_see(facts, acting.account_id, found.organization_ids)
        ]

    def _address(self, asked: _Asked, *, state: str = "", whose: str = "", page: str = "") -> str:
        query = {"state": state or asked.state, "whose": whose or asked.whose, "q": asked.words, "page": page}
        query = {name: value for name, value in query.items() if value and (name, value) not in (("state", "open"), ("whose", "mine"))}
        path = self._deployment.own("/requests")
        return f"{path}?{urlencode(query)}" if query else path

    def _page_address(self, acting: Acting, asked: _Asked, place: Place) -> str:
        page = sealed(self._deployment.sealer, place, f"{acting.account_id} {asked.bound}") if place.tokens else ""
        return self._address(asked, page=page)


def _key_in(words: str) -> str:
    """The key that somebody typed, in whatever case, with brackets or a sign around it, or at the end of a link; else empty."""
    is_link = words.lower().startswith(("https://", "http://"))
    last = words.partition("#")[0].partition("?")[0].rpartition("/")[2] if is_link else words
    key = last.strip(" #()[]\"'.,:;").upper()
    return key if REQUEST_KEY.fullmatch(key) else ""
