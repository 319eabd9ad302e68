"""The local JSM's knowledge base: its articles, a search, and an article as a page (``/rest/servicedeskapi``)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LocalArticle:
    """An article; ``html`` is its body as Confluence renders it. On the desks with these keys, or on all."""

    id: str
    title: str
    excerpt: str
    html: str
    desks: frozenset[str] = frozenset()
