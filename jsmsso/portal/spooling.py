"""Files of a form on their way in: on disk beyond a small size, and no more of them than may be sent on."""

from __future__ import annotations

from tempfile import SpooledTemporaryFile

IN_MEMORY = 256 * 1024  # bytes of a file; the rest of a larger one lies in TMPDIR meanwhile


class Room:
    """What a form's files may take: ``file`` bytes each and ``form`` bytes together. Makes werkzeug's streams."""

    def __init__(self, file: int, form: int) -> None:
        self.file = file
        self.form = self.left = form
        self._streams: list[Spooled] = []

    def stream(
        self, total_content_length: int | None, content_type: str | None, filename: str | None, content_length: int | None = None
    ) -> Spooled:
        """werkzeug's ``stream_factory``."""
        self._streams.append(Spooled(self, self.file))
        return self._streams[-1]

    def close(self) -> None:
        """Let go of all of it: the form cannot be read."""
        for one in self._streams:
            one.close()


class Spooled(SpooledTemporaryFile[bytes]):
    """A file as far as there is room for it. ``sent`` counts what came; of one that is too large nothing is kept.

    The sender is heard to the end all the same: a browser shows no answer that comes before its form is sent.
    """

    def __init__(self, room: Room, most: int) -> None:
        super().__init__(max_size=IN_MEMORY)
        self._room = room
        self._most = most
        self.sent = 0
        self.is_kept = True

    def write(self, content: bytes) -> int:  # type: ignore[override]
        self.sent += len(content)
        if self.is_kept and self.sent <= self._most and len(content) <= self._room.left:
            self._room.left -= len(content)
            return super().write(content)
        if self.is_kept:
            self.is_kept = False
            self._room.left += self.tell()
            self.seek(0)
            self.truncate()
        return len(content)
