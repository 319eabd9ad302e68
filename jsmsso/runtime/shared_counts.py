"""Numbers that each worker counts for itself and the parent adds up: a file of doubles in memory for each process.

prometheus-client's own way over several processes costs a worker 13 MB and a microsecond for each count
(docs/decisions/006-counters-of-our-own.md); this costs a third of that and no import.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from secrets import token_hex

Key = tuple[str, ...]
"""A metric's name and its labels' values."""

_LENGTH = struct.Struct("<Q")
_SUFFIX = ".counts"


class Counts:
    """The numbers of one process, by their place among ``keys``. Without ``folder`` nobody else sees them.

    Used by many threads; a reader in another process may see a number a moment late, never half of one, as a double
    is written at once where it is aligned.
    """

    def __init__(self, keys: Sequence[Key], folder: Path | None = None) -> None:
        self._lock = threading.Lock()
        if folder is None:
            self._numbers = memoryview(bytearray(8 * len(keys))).cast("d")
            return
        header = json.dumps(keys, separators=(",", ":")).encode()
        header += b" " * (-len(header) % 8)
        fresh = folder / f"{os.getpid()}.{token_hex(4)}"
        descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, _LENGTH.pack(len(header)) + header)
            os.truncate(descriptor, _LENGTH.size + len(header) + 8 * len(keys))
            mapped = mmap.mmap(descriptor, 0)
        finally:
            os.close(descriptor)
        self._numbers = memoryview(mapped)[_LENGTH.size + len(header) :].cast("d")
        os.rename(fresh, f"{fresh}{_SUFFIX}")  # the parent reads whole files only

    def add(self, place: int, amount: float = 1.0) -> None:
        """Count ``amount`` more."""
        with self._lock:  # the interpreter may switch threads between reading and writing
            self._numbers[place] += amount

    def set(self, place: int, number: float) -> None:
        """Note a number that is no sum, such as a time."""
        self._numbers[place] = number

    def get(self, place: int) -> float:
        """What this process counted."""
        return self._numbers[place]


class Totals:
    """All processes' numbers together, of those that ended too. For the parent."""

    def __init__(self, folder: Path, join: Callable[[Key, float, float], float]) -> None:
        self._folder = folder
        self._join = join
        self._ended: dict[Key, float] = {}
        self._lock = threading.Lock()

    def read(self) -> dict[Key, float]:
        """The numbers by their keys. ``join(key, one, another)`` says what two processes' numbers make."""
        with self._lock:
            totals = dict(self._ended)
            for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
                alive = _is_alive(int(path.name.partition(".")[0]))
                numbers = _numbers_in(path)
                for into in (totals,) if alive else (totals, self._ended):
                    for key, number in numbers.items():
                        into[key] = self._join(key, into[key], number) if key in into else number
                if not alive:
                    path.unlink(missing_ok=True)
            return totals


def _numbers_in(path: Path) -> dict[Key, float]:
    content = path.read_bytes()
    begin = _LENGTH.size + _LENGTH.unpack_from(content)[0]
    keys = json.loads(content[_LENGTH.size : begin])
    return dict(zip(map(tuple, keys), struct.unpack_from(f"={len(keys)}d", content, begin), strict=True))


def _is_alive(pid: int) -> bool:
    """Whether there is such a process; asked before its numbers are read, so that none is lost."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
