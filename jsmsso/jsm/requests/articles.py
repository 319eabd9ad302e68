"""The knowledge base of a service desk, searched with our account's rights: it may bring what a customer may not read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jsmsso.errors import JsmRefused
from jsmsso.jsm.answers import in_path, text_of
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.requests.reading import ID_AT_THE_END, dict_of, dicts_of
from jsmsso.jsm.site import Site

NEEDS = "access to the service desk and to its knowledge base in Confluence"
MOST_FOUND = 10
VIEW = "/rest/servicedeskapi/knowledgebase/article/view"
NO_KNOWLEDGE_BASE = frozenset({403, 404, 405, 412})


@dataclass(frozen=True, slots=True)
class Article:
    """What a search found. ``id`` is Confluence's page, ``space`` its space's key; ``excerpt`` may have HTML (not to be trusted)."""

    id: str
    space: str
    title: str
    excerpt: str


def articles(client: JsmClient, site: Site, desk_id: str, query: str) -> tuple[Article, ...]:
    """The first ten that fit (Atlassian: ``GET .../servicedesk/<id>/knowledgebase/article``); none without a knowledge base."""
    path = f"/rest/servicedeskapi/servicedesk/{in_path(desk_id)}/knowledgebase/article"
    question: dict[str, str | int] = {"query": query, "highlight": "false", "start": 0, "limit": MOST_FOUND}
    try:
        answer = client.get(path, question, needs=NEEDS, experimental=True)
    except JsmRefused as error:
        if error.status in NO_KNOWLEDGE_BASE:
            return ()
        raise
    return tuple(_articles(dict_of(answer).get("values")))[:MOST_FOUND]


def article_html(client: JsmClient, site: Site, article_id: str) -> str:
    """The page that a portal would show in a frame, as HTML that is not to be trusted."""
    return client.file(f"{VIEW}/{in_path(article_id)}", needs=NEEDS).content.decode("utf-8", "replace")


def _articles(told: Any) -> Iterator[Article]:
    for item in dicts_of(told):
        source = dict_of(item.get("source"))
        article_id = text_of(source.get("pageId"))
        if not article_id and (found := ID_AT_THE_END.search(text_of(dict_of(item.get("content")).get("iframeSrc")))):
            article_id = found[1]
        title = text_of(item.get("title"))
        if title and article_id.isascii() and article_id.isdecimal():
            yield Article(article_id, text_of(source.get("spaceKey")), title, text_of(item.get("excerpt")))
