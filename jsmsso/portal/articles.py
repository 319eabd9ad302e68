"""The knowledge base, where the profile says that every article of it is meant for every customer."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from markupsafe import Markup

from jsmsso.errors import JsmFailed, JsmRefused
from jsmsso.jsm.requests.articles import Article, article_html, articles
from jsmsso.portal.acting import Acting, Stranger
from jsmsso.portal.caching import Cache
from jsmsso.portal.sanitizing import sanitized, text_in
from jsmsso.portal.shown import cannot_be_asked
from jsmsso.portal.types import AsksForStrangers
from jsmsso.profile.model import Portal

if TYPE_CHECKING:
    from jsmsso.portal.services import Services

SHORTEST = 3  # characters worth a search
LONGEST_WORDS = 200  # characters of one
LONGEST_EXCERPT = 300  # characters
STRANGERS_SECONDS = 300.0  # what one of them was shown is good for the others


@dataclass(frozen=True, slots=True)
class FoundArticle:
    """An article, and where it is shown here."""

    title: str
    excerpt: str
    href: str


class Articles:
    """Only for portals with ``knowledge_base: all_customers``: JSM searches with the service account's rights."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._sealer = services.deployment.sealer
        now = services.deployment.now
        self._searches: Cache[tuple[Article, ...]] = Cache(now, max_age=STRANGERS_SECONDS, most=500)
        self._texts: Cache[Markup] = Cache(now, max_age=STRANGERS_SECONDS, most=50)

    def found(self, acting: Acting, words: str) -> tuple[FoundArticle, ...] | None:
        """Those that fit; empty where the portal has no open knowledge base. None: they cannot be searched just now."""
        if acting.portal.knowledge_base != "all_customers" or len(words) < SHORTEST:
            return ()
        try:
            return self._shown(acting, articles(acting.to.client, acting.to.site, acting.portal.service_desk, words))
        except JsmFailed as error:
            return _none_found(error)

    def found_by_stranger(self, stranger: Stranger, words: str, ask: AsksForStrangers) -> tuple[FoundArticle, ...] | None:
        """The same for strangers, from memory where anybody of them searched for these words a moment ago."""
        desk, words = stranger.portal.service_desk, " ".join(words.casefold().split())
        if stranger.portal.knowledge_base != "all_customers" or len(words) < SHORTEST:
            return ()
        try:
            told = self._searches.get((desk, words), lambda: ask(lambda to: tuple(articles(to.client, to.site, desk, words))))
        except JsmFailed as error:
            return _none_found(error)
        return self._shown(stranger, told.value)

    def read(self, acting: Acting, article_id: str, of: str) -> tuple[str, Markup] | None:
        """Title and text of an article whose address :meth:`found` made; None for any other. Raises JSM's errors.

        The seal is what keeps other pages of Confluence out: the service account may read more than a knowledge base.
        """
        title = self._title(acting.portal, article_id, of)
        return (title, _safe(article_html(acting.to.client, acting.to.site, article_id))) if title is not None else None

    def read_by_stranger(self, stranger: Stranger, article_id: str, of: str, ask: AsksForStrangers) -> tuple[str, Markup] | None:
        """The same for strangers, from memory where one of them read it a moment ago."""
        title = self._title(stranger.portal, article_id, of)
        if title is None:
            return None
        text = self._texts.get(article_id, lambda: ask(lambda to: _safe(article_html(to.client, to.site, article_id))))
        return title, text.value

    def _title(self, portal: Portal, article_id: str, of: str) -> str | None:
        content = self._sealer.open("article", of) if of and portal.knowledge_base == "all_customers" else None
        if content is None:
            return None
        portal_id, found_id, title = json.loads(content)
        return str(title) if (portal_id, found_id) == (portal.id, article_id) else None

    def _shown(self, acting: Acting | Stranger, told: Iterable[Article]) -> tuple[FoundArticle, ...]:
        return tuple(
            FoundArticle(one.title, text_in(one.excerpt)[:LONGEST_EXCERPT], self._address(acting, one.id, one.title)) for one in told
        )

    def _address(self, acting: Acting | Stranger, article_id: str, title: str) -> str:
        of = self._sealer.seal("article", json.dumps([acting.portal.id, article_id, title]).encode())
        return self._services.own(acting, f"article/{article_id}") + "?" + urlencode({"of": of})


def _safe(html: str) -> Markup:
    return Markup(sanitized(html))  # noqa: S704  # rebuilt from an allow-list


def _none_found(error: JsmFailed) -> tuple[FoundArticle, ...] | None:
    """A no is for good (a site without a knowledge base); other trouble passes, so that trying again is worth while."""
    return () if isinstance(error, JsmRefused) and not cannot_be_asked(error) else None
