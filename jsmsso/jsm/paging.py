"""Pages of servicedeskapi: ``start``, ``limit``, ``size``, ``isLastPage``, ``values`` (Atlassian: Pagination)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jsmsso.errors import JsmAnswerInvalid
from jsmsso.jsm.answers import text_of
from jsmsso.jsm.client import JsmClient

ASKED_LIMIT = 100  # Atlassian's default of the calls we page; the server may give less
MOST_PAGES = 5_000  # 250,000 items at 50 a page: more than any site has, and an end to a site that never says so

Progress = Callable[[int, bool], None]
"""Told after each page: items so far, and whether that was all."""

IdOf = Callable[[dict[str, Any]], str]
"""What tells an item from the others; empty where it has nothing of the kind."""


def id_of(item: dict[str, Any]) -> str:
    """The ``id`` that most items have."""
    return text_of(item.get("id"))


def each_item(
    client: JsmClient,
    path: str,
    parameters: Mapping[str, str | int] | None = None,
    *,
    identity: IdOf = id_of,
    needs: str = "",
    experimental: bool = False,
    progress: Progress = lambda count, done: None,
    most_pages: int = MOST_PAGES,
) -> Iterator[dict[str, Any]]:
    """Every item of a paged call, once. Raises :class:`JsmAnswerInvalid` for pages that repeat or never end."""
    start, limit, count = 0, ASKED_LIMIT, 0
    seen: set[str] = set()
    for _ in range(most_pages):
        page = client.get(path, {**(parameters or {}), "start": start, "limit": limit}, needs=needs, experimental=experimental)
        values, last = _values(page, path, start, limit, identity)
        fresh = {identity(item): item for item in values if identity(item) not in seen}
        if values and not fresh:
            raise _endless(path, "gives the same page again and again")
        seen.update(fresh)
        count += len(fresh)
        progress(count, last)
        yield from fresh.values()
        if last:
            return
        if not values:
            raise _endless(path, "gives an empty page and says that it is not the last")
        start += len(values)
        limit = _real_limit(page, limit)
    raise _endless(path, f"gave {most_pages} pages and never said that one is the last")


def _values(page: Any, path: str, start: int, limit: int, identity: IdOf) -> tuple[list[dict[str, Any]], bool]:
    values = page.get("values") if isinstance(page, dict) else None
    if not isinstance(values, list) or not all(isinstance(item, dict) and identity(item) for item in values):
        raise JsmAnswerInvalid(f"JSM's answer to {path} is no page of items with an id", "Is jsm.url the address of a Jira site?")
    if page.get("start", start) != start:
        raise _endless(path, f"answers from item {page['start']} when asked from item {start}")
    last = page.get("isLastPage")
    if isinstance(last, bool):
        return values, last
    return values, len(values) < _real_limit(page, limit)


def _real_limit(page: dict[str, Any], asked: int) -> int:
    """The limit that the server really used; it may lower ours."""
    given = page.get("limit")
    return given if isinstance(given, int) and 0 < given <= asked else asked


def _endless(path: str, what: str) -> JsmAnswerInvalid:
    return JsmAnswerInvalid(f"JSM's paging cannot be trusted: {path} {what}", "Nothing was changed. Try again; report it if it stays so.")
