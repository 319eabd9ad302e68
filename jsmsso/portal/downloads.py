"""Large files on their way through us to a browser: a piece at a time, and let go of as soon as nobody takes them any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

from jsmsso.errors import JsmFailed
from jsmsso.jsm.client import OpenFile
from jsmsso.portal.pictures import LONGEST_BEGINNING, picture_type
from jsmsso.runtime.replies import Stream

WHOLE = 1024 * 1024  # bytes of a file that is handed over in one piece: no thread waits for who reads it slowly


class Download:
    """The body of an answer of ``size`` bytes. ``ended`` is called once, when all of it was sent or it was closed.

    A file that comes to less ends early, which a browser tells by its length; ``failed`` is told why.
    """

    def __init__(self, opened: OpenFile, size: int, ended: Callable[[], None], failed: Callable[[JsmFailed | None], None]) -> None:
        """Reads as much as tells a picture. Raises JSM's errors, and is closed then."""
        self._opened = opened
        self._coming = iter(opened)
        self._left = size
        self._ended = ended
        self._failed = failed
        self._is_closed = False
        self._begun = b""
        try:
            while len(self._begun) < LONGEST_BEGINNING and (piece := next(self._coming, b"")):
                self._begun += piece
        except BaseException:
            self.close()
            raise
        self.content_type = picture_type(self._begun)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece, self._begun = self._begun, b""
        try:
            piece = piece or (next(self._coming, b"") if self._left and not self._is_closed else b"")
        except JsmFailed as error:
            self._end(error)
        piece = piece[: self._left]
        self._left -= len(piece)
        if not piece:
            self._end(None)
        return piece

    def close(self) -> None:
        """Nobody takes any more of it."""
        if not self._is_closed:
            self._is_closed = True
            self._opened.close()
            self._ended()

    def _end(self, error: JsmFailed | None) -> None:
        if self._left and not self._is_closed:
            self._failed(error)
        self.close()
        raise StopIteration


class Held:
    """A body that is still being sent, and its customer's place among a worker's threads until then."""

    def __init__(self, stream: Stream, held: ExitStack) -> None:
        self._stream = stream
        self._held = held

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        """It is sent, or nobody takes any more of it."""
        with self._held:
            self._stream.close()
