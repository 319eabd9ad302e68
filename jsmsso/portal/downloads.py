"""Large files on their way through us to a browser: a piece at a time, and let go of as soon as nobody takes them any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

from jsmsso.errors import JsmAnswerInvalid, JsmFailed
from jsmsso.jsm.client import OpenFile
from jsmsso.portal.pictures import LONGEST_BEGINNING, picture_type
from jsmsso.runtime.replies import Stream

WHOLE = 1024 * 1024  # bytes of a file that is handed over in one piece: no thread waits for who reads it slowly


class Download:
    """The body of an answer of ``size`` bytes. ``ended`` is called once, when all of it was sent or it was closed.

    The last piece is handed over only when the file has ended with just so many bytes: of any other one less comes than was
    promised, for which a server breaks the connection off, so that a browser never takes it for whole. ``failed`` is told why.
    """

    def __init__(self, opened: OpenFile, size: int, ended: Callable[[], None], failed: Callable[[JsmFailed], None]) -> None:
        """Reads as much as tells a picture. Raises JSM's errors, and is closed then."""
        self._opened = opened
        self._size = size
        self._ended = ended
        self._failed = failed
        self._is_closed = False
        begun, coming = b"", iter(opened)
        try:
            while len(begun) < LONGEST_BEGINNING and (piece := next(coming, b"")):
                begun += piece
        except BaseException:
            self.close()
            raise
        self.content_type = picture_type(begun)
        self._pieces: Iterator[bytes] = self._checked(begun, coming)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = next(self._pieces, b"")
        if not piece:
            self.close()
            raise StopIteration
        return piece

    def close(self) -> None:
        """Nobody takes any more of it."""
        if not self._is_closed:
            self._is_closed = True
            self._pieces = iter(())  # it holds us: a circle that only the garbage collector would end
            self._opened.close()
            self._ended()

    def _checked(self, last: bytes, coming: Iterator[bytes]) -> Iterator[bytes]:
        came = len(last)
        try:
            for piece in coming:
                came += len(piece)
                if came > self._size:
                    break
                yield last
                last = piece
            check_length(came, self._size)
        except JsmFailed as error:
            if not self._is_closed:
                self._failed(error)
            return
        yield last


def check_length(came: int, promised: int) -> None:
    """Raises :class:`JsmAnswerInvalid` for a file that has more or fewer bytes than JSM said."""
    if came != promised:
        than = "longer" if came > promised else "shorter"
        raise JsmAnswerInvalid(f"the file is {than} than the {promised} bytes that JSM says", "Look at it in Jira: does it open there?")


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
