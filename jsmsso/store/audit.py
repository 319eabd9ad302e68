"""The audit trail: who signed in, who was refused, what was done for whom. JSON lines, a file a day (UTC), only ever added to.

In JSM all that is done for customers is the service account's, so these files are the only proof of who it was.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from jsmsso.errors import MachineFailed
from jsmsso.store.json_lines import json_line, stamp

DAY = 86400
_NAME = re.compile(r"audit-(\d{4}-\d{2}-\d{2})\.jsonl(?:\.gz)?")  # whoever compresses old days may
_BEGINNING = '{"time":"'  # of a line; inside a value its quotes would be escaped


class Audit:
    """Written by many threads of many processes: a line is one write to a file opened for appending (POSIX write, O_APPEND).

    Lines are handed to the system at once and written to the disk when it likes: they outlive the process, and the
    last seconds may be lost with the machine's power. ``on_loss(reason, lost)`` is called for each line that cannot be
    written; ``lost`` counts them since the start.
    """

    def __init__(
        self, folder: Path, *, now: Callable[[], float] = time.time, on_loss: Callable[[str, int], None] = lambda reason, lost: None
    ) -> None:
        self.folder = folder
        self.lost = 0
        self._now = now
        self._on_loss = on_loss
        self._lock = threading.Lock()
        self._day = -1
        self._file = -1
        self._torn = False

    def write(self, event: str, *, email: str = "", **fields: Any) -> bool:
        """Add a line; False when it is lost. Never raises: people get their pages whatever the disk does.

        ``event`` is a dotted name such as ``login.ok``; None and empty texts are left out. Never hand a token over.
        """
        now = self._now()
        line = json_line(stamp(now), event, {"email": email, **fields}).encode()
        with self._lock:
            try:
                if int(now // DAY) != self._day or os.fstat(self._file).st_nlink == 0:
                    self._open(now)
                if self._torn:
                    line = b"\n" + line
                self._torn = os.write(self._file, line) != len(line)
                reason = "the disk took a part of a line only" if self._torn else ""
            except OSError as error:
                self._day = -1
                reason = error.strerror or type(error).__name__
            if not reason:
                return True
            self.lost += 1
        self._on_loss(reason, self.lost)
        return False

    def check(self) -> None:
        """Make the folder. Raises :class:`MachineFailed` where it cannot be made or written to."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            reason = "" if os.access(self.folder, os.W_OK | os.X_OK) else "it is not ours to write"
        except OSError as error:
            reason = error.strerror or type(error).__name__
        if reason:
            raise MachineFailed(f"the audit trail cannot be kept in {self.folder}: {reason}", "Name another folder as log.audit_folder.")

    def about(self, email: str) -> list[dict[str, Any]]:
        """Every line about a person, oldest first, by their folded address."""
        return list(self.read(email=email))

    def read(
        self, *, since: float = 0.0, email: str = "", portal: str = "", event: str = "", skipped: Callable[[Path], None] = lambda path: None
    ) -> Iterator[dict[str, Any]]:
        """The lines that fit, oldest first. ``since``: seconds since the epoch. ``skipped`` hears of each line that cannot be read."""
        wanted = {name: value.lower() for name, value in (("email", email), ("portal", portal), ("event", event)) if value}
        first = stamp(since)
        for day, path in self._files():
            if day.isoformat() < first[:10]:
                continue
            for line in _lines(path):
                if any(value not in line.lower() for value in wanted.values()):
                    continue  # a look that spares most lines the reading
                record = _record(line)
                if record is None:
                    skipped(path)
                elif str(record.get("time", "")) >= first and all(str(record.get(k, "")).lower() == v for k, v in wanted.items()):
                    yield record

    def clean(self, keep_seconds: float) -> int:
        """Delete the files whose last line is older than that; returns how many. Raises :class:`OSError`."""
        oldest = datetime.fromtimestamp(self._now() - keep_seconds, UTC).date()
        old = [path for day, path in self._files() if day < oldest]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def close(self) -> None:
        """Let go of the file; the next line opens it again."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
            self._file = self._day = -1

    def __del__(self) -> None:
        self.close()  # a reload of the profile leaves the old one to the garbage collector

    def _open(self, now: float) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = self._day = -1
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / f"audit-{stamp(now)[:10]}.jsonl"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0), 0o600)
        self._day = int(now // DAY)

    def _files(self) -> list[tuple[date, Path]]:
        """The trail's files by day, oldest first; nothing else that lies there."""
        try:
            names = sorted(os.listdir(self.folder))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise MachineFailed(f"the audit trail in {self.folder} cannot be read: {error.strerror}") from error
        found = []
        for name in names:
            if match := _NAME.fullmatch(name):
                try:
                    found.append((date.fromisoformat(match[1]), self.folder / name))
                except ValueError:
                    continue  # no day has this number
        return found


def audit_folder(named: str | None, store_address: str | None, base: Path) -> Path:
    """Where the trail lies: ``log.audit_folder`` (relative to ``base``, the profile's folder), else ``audit`` beside the SQLite
    store's file, else in the user's state folder."""
    if named:
        return base / os.path.expanduser(named)
    parts = urlsplit(store_address or "")
    if parts.scheme == "sqlite":
        return Path(unquote(parts.path)[1:]).parent / "audit"
    from platformdirs import user_state_path

    return user_state_path("jsmsso") / "audit"


def _lines(path: Path) -> Iterator[str]:
    try:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8", errors="replace", newline="\n") as file:
            yield from (line for line in file if line.strip())
    except FileNotFoundError:
        return  # retention was quicker
    except (OSError, EOFError) as error:
        raise MachineFailed(f"the audit trail's file {path} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _record(line: str) -> dict[str, Any] | None:
    """A line's content; of a line that a full disk cut short, with another behind it, the other."""
    try:
        content = json.loads(line[line.rfind(_BEGINNING) :] if line.rfind(_BEGINNING) > 0 else line)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None
