"""What a file is, by its first bytes: nobody's word for it is taken."""

from __future__ import annotations

ANYTHING = "application/octet-stream"
LONGEST_BEGINNING = 12  # bytes that tell a picture
_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def picture_type(content: bytes) -> str:
    """The type of a PNG, JPEG, GIF or WebP picture; empty for anything else, SVG among it, which can hold scripts."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for beginning, kind in _BEGINNINGS if content.startswith(beginning)), "")
