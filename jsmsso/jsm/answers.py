"""Reading single values out of JSM's answers, which are only as tidy as the site that gives them."""

from __future__ import annotations

import re

from jsmsso.errors import JsmAnswerInvalid

PLAIN_ID = re.compile("[A-Za-z0-9_-]{1,128}")


def text_of(value: object) -> str:
    """A text or a number as text (ids are texts on Cloud, numbers on some Data Centers); anything else is empty."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def in_path(an_id: str) -> str:
    """The id, which may stand in an address as it is: one that would lead elsewhere raises :class:`JsmAnswerInvalid`."""
    if not PLAIN_ID.fullmatch(an_id):
        raise JsmAnswerInvalid(f"JSM gives an id that no address can have in it: {an_id[:40]!r}")
    return an_id
