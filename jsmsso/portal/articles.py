"""The knowledge base, where the profile says that every article of it is meant for every customer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from markupsafe import Markup

from jsmsso.errors import JsmFailed
from jsmsso.jsm.requests.articles import article_html, articles
from jsmsso.portal.acting import Acting
from jsmsso.portal.sanitizing import sanitized, text_in

if TYPE_CHECKING:
    from jsmsso.portal.services import Services

SHORTEST = 3  # characters worth a search
LONGEST_EXCERPT = 300  # characters


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

    def found(self, acting: Acting, words: str) -> tuple[FoundArticle, ...]:
        """Those that fit; none where the portal has no open knowledge base, or JSM does not answer: they are an extra."""
        if acting.portal.knowledge_base != "all_customers" or len(words) < SHORTEST:
            return ()
        try:
            told = articles(acting.to.client, acting.to.site, acting.portal.service_desk, words)
        except JsmFailed:
            return ()
        return tuple(
            FoundArticle(one.title, text_in(one.excerpt)[:LONGEST_EXCERPT], self._address(acting, one.id, one.title)) for one in told
        )

    def read(self, acting: Acting, article_id: str, of: str) -> tuple[str, Markup] | None:
        """Title and text of an article whose address :meth:`found` made; None for any other. Raises JSM's errors.

        The seal is what keeps other pages of Confluence out: the service account may read more than a knowledge base.
        """
        content = self._sealer.open("article", of) if of and acting.portal.knowledge_base == "all_customers" else None
        if content is None:
            return None
        portal_id, found_id, title = json.loads(content)
        if (portal_id, found_id) != (acting.portal.id, article_id):
            return None
        return title, Markup(sanitized(article_html(acting.to.client, acting.to.site, article_id)))  # noqa: S704  # rebuilt from an allow-list

    def _address(self, acting: Acting, article_id: str, title: str) -> str:
        of = self._sealer.seal("article", json.dumps([acting.portal.id, article_id, title]).encode())
        return self._services.own(acting, f"article/{article_id}") + "?" + urlencode({"of": of})
