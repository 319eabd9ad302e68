"""Small pictures that the local JSM draws itself: icons of request types, thumbnails."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from functools import cache

SIZE = 48  # pixels, the largest in which request types have theirs
SVG_ICON = "10599"
"""An icon that is SVG, with a script in it: what an administrator of the site could have uploaded."""

BLUE, RED, GREEN, VIOLET, GREY = (38, 99, 235), (201, 55, 44), (34, 130, 93), (110, 93, 198), (98, 111, 134)


def _ring(x: float, y: float) -> bool:
    return 0.3 < x * x + y * y < 0.62


def _triangle(x: float, y: float) -> bool:
    return -0.7 < y < 0.6 and abs(x) < (y + 0.7) * 0.6 and not (abs(x) < 0.09 and -0.3 < y < 0.35)


def _lock(x: float, y: float) -> bool:
    return (abs(x) < 0.55 and 0 < y < 0.65) or (0.14 < x * x + (y + 0.1) ** 2 < 0.3 and y < 0)


def _screen(x: float, y: float) -> bool:
    frame = abs(x) < 0.6 and -0.55 < y < 0.25 and not (abs(x) < 0.46 and -0.41 < y < 0.11)
    return frame or (abs(x) < 0.75 and 0.38 < y < 0.52)


def _phone(x: float, y: float) -> bool:
    return abs(x) < 0.4 and abs(y) < 0.72 and not (abs(x) < 0.26 and -0.58 < y < 0.4)


ICONS: dict[str, tuple[Callable[[float, float], bool], tuple[int, int, int]]] = {
    "10516": (_ring, BLUE),
    "10517": (_triangle, RED),
    "10518": (_lock, GREEN),
    "10519": (_screen, VIOLET),
    "10520": (_phone, GREY),
}


def icon(avatar_id: str) -> tuple[bytes, str] | None:
    """The picture of a request type and its type."""
    if avatar_id == SVG_ICON:
        return b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><circle r="9"/></svg>', "image/svg+xml"
    return (_drawn(avatar_id), "image/png") if avatar_id in ICONS else None


def thumbnail_of(mime_type: str, *, default: bool = False) -> bytes | None:
    """A small picture for a picture; of anything else the default one, or none."""
    is_picture = mime_type in ("image/png", "image/jpeg", "image/gif")
    return _drawn("10519" if is_picture else "10516") if is_picture or default else None


@cache
def _drawn(name: str) -> bytes:
    """White on a square of one colour, each point mixed from four."""
    shape, colour = ICONS[name]
    rows = []
    for row in range(SIZE):
        line = bytearray([0])
        for column in range(SIZE):
            parts = sum(
                shape((column + dx) / SIZE * 2.4 - 1.2, (row + dy) / SIZE * 2.4 - 1.2) for dx in (0.25, 0.75) for dy in (0.25, 0.75)
            )
            line += bytes(round(part + (255 - part) * parts / 4) for part in colour)
        rows.append(bytes(line))
    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(b"".join(rows))) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
