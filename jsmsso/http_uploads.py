"""Files as ``multipart/form-data`` (RFC 7578), gone through piece by piece: none of them is ever in memory whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from urllib3.fields import RequestField
from urllib3.filepost import choose_boundary

from jsmsso.http_exchange import NoWholeAnswer

PIECE = 65536  # bytes


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """``size`` bytes from the start of what ``open`` gives, which may be called again and is not closed here."""

    name: str
    mime_type: str
    size: int
    open: Callable[[], IO[bytes]]


class FileForm:
    """A form with files alone, each as ``field``. A request's body that may be gone through more than once."""

    def __init__(self, field: str, files: Sequence[OutgoingFile]) -> None:
        boundary = choose_boundary()
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._parts = [(f"--{boundary}\r\n{_head(field, file)}".encode(), file) for file in files]
        self._end = f"--{boundary}--\r\n".encode()
        self.size = sum(len(head) + file.size + 2 for head, file in self._parts) + len(self._end)

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[bytes]:
        for head, file in self._parts:
            yield head
            source, left = file.open(), file.size
            while left:
                piece = source.read(min(PIECE, left))
                if not piece:
                    raise NoWholeAnswer("the request cannot be sent: a file is shorter than it was")
                left -= len(piece)
                yield piece
            yield b"\r\n"
        yield self._end


def _head(field: str, file: OutgoingFile) -> str:
    part = RequestField(field, b"", filename=file.name)
    part.make_multipart(content_type=file.mime_type)
    return part.render_headers()
