"""One line of JSON an event, for the log and the audit trail: whatever a value holds, it stays in its line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

MAX_VALUE = 500  # characters of one value
MAX_VALUES = 50  # of a list

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def stamp(seconds: float) -> str:
    """A time (seconds since the epoch) as ``2027-01-15T08:00:00.500Z``."""
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat(timespec='milliseconds')[:-6]}Z"


def json_line(time: str, event: str, fields: Mapping[str, Any]) -> str:
    """The line, with its end. None and empty texts are left out."""
    return _encode({"time": time, "event": event, **kept(fields)}) + "\n"


def kept(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that hold something, each as it may be shown."""
    return {name: _shown(value) for name, value in fields.items() if value is not None and value != ""}


def _shown(value: Any) -> Any:
    if type(value) is str and len(value) <= MAX_VALUE and value.isprintable():
        return value  # nearly all of them
    if isinstance(value, (bool, int, float)):  # a union of types here takes three times as long
        return value
    if isinstance(value, (list, tuple)):
        return [_shown(one) for one in value[:MAX_VALUES]]
    text = str(value)[:MAX_VALUE]
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
