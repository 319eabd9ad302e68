"""The log: one line an event, JSON or for people, on standard error. Never a token, a secret, a code, a cookie or a query."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Literal, TextIO

from jsmsso.store.json_lines import json_line, kept, stamp


class EventLog:
    """Written by many threads; a line is one write."""

    def __init__(self, format: Literal["json", "human"], stream: TextIO | None = None, now: Callable[[], float] = time.time) -> None:  # noqa: A002
        self._as_json = format == "json"
        self._stream = stream
        self._now = now
        self._lock = threading.Lock()

    def write(self, event: str, **fields: Any) -> None:
        """``event`` is a dotted name such as ``login.refused``; None and empty texts are left out."""
        at = stamp(self._now())
        if self._as_json:
            line = json_line(at, event, fields)
        else:
            said = " ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in kept(fields).items())
            line = f"{at} {event} {said}\n"
        stream = self._stream or sys.stderr
        try:
            with self._lock:
                stream.write(line)
                stream.flush()
        except (OSError, ValueError):
            pass  # whoever read the log is gone; people still get their pages
