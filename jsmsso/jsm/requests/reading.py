"""Values that stand in answers about requests: times, ids in addresses, lists where a list is promised."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from jsmsso.jsm.answers import text_of

ID_AT_THE_END = re.compile(r"/([0-9]{1,20})/?$")


def time_of(value: Any) -> datetime | None:
    """A time in UTC, from a ``DateDTO`` (servicedeskapi) or an ISO 8601 text (platform); None for what is neither."""
    if isinstance(value, dict):
        millis = value.get("epochMillis")
        if isinstance(millis, int) and not isinstance(millis, bool):
            try:
                return datetime.fromtimestamp(millis / 1000, UTC)
            except (ValueError, OverflowError, OSError):
                return None
        return time_of(value.get("iso8601")) or time_of(value.get("jira"))
    if not isinstance(value, str):
        return None
    try:
        when = datetime.fromisoformat(value)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def dict_of(value: Any) -> dict[str, Any]:
    """The object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def dicts_of(value: Any) -> Iterator[dict[str, Any]]:
    """The objects in a list; none for anything else."""
    return (item for item in (value if isinstance(value, list) else ()) if isinstance(item, dict))


def linked_id(item: dict[str, Any], *links: str) -> str:
    """The number at the end of one of the addresses in ``_links``, the first that has one; nothing else of an address is used."""
    told = dict_of(item.get("_links"))
    for link in links:
        if found := ID_AT_THE_END.search(text_of(told.get(link))):
            return found[1]
    return ""
