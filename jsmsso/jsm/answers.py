"""Reading single values out of JSM's answers, which are only as tidy as the site that gives them."""

from __future__ import annotations


def text_of(value: object) -> str:
    """A text or a number as text (ids are texts on Cloud, numbers on some Data Centers); anything else is empty."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""
