"""The log: one line an event, JSON or for people, on standard error. Never a token, a secret, a code, a cookie or a query."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

MAX_VALUE = 500  # characters of one value


class EventLog:
    """Written by many threads; a line is one write."""

    def __init__(self, format: Literal["json", "human"], stream: TextIO | None = None, now: Callable[[], float] = time.time) -> None:  # noqa: A002
        self._as_json = format == "json"
        self._stream = stream
        self._now = now
        self._lock = threading.Lock()

    def write(self, event: str, **fields: Any) -> None:
        """``event`` is a dotted name such as ``login.refused``; None and empty texts are left out."""
        stamp = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        given = {name: _shown(value) for name, value in fields.items() if value is not None and value != ""}
        if self._as_json:
            line = json.dumps({"time": stamp, "event": event, **given}, ensure_ascii=False, separators=(",", ":"))
        else:
            line = f"{stamp} {event} " + " ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in given.items())
        stream = self._stream or sys.stderr
        try:
            with self._lock:
                stream.write(line + "\n")
                stream.flush()
        except (OSError, ValueError):
            pass  # whoever read the log is gone; people still get their pages


def _shown(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_shown(one) for one in value[:50]]
    text = str(value)[:MAX_VALUE]
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
