"""Other people's words in JQL. Nothing but these two functions puts a value into a query."""

from __future__ import annotations

import re
import unicodedata

LONGEST_WORDS = 200  # characters; nobody types more into a search field, and JQL is to stay short
LUCENE_SPECIAL = re.compile(r'[+\-&|!(){}\[\]^~*?\\:/"\'<>=@#$%`;,.\s\x00-\x1f]+')


def quoted(text: str) -> str:
    """The text as a JQL string that has exactly this value, for ``=`` and ``in`` (Atlassian: JQL, reserved characters)."""
    return '"' + "".join(_escaped(c) for c in text) + '"'


def quoted_words(text: str) -> str:
    """The words of a text as a JQL string for ``~``; an empty text (no JQL) where there is no word in it.

    For ``~`` the string's value is a query of its own (Lucene's): its operators are left out, as they are not in the
    index either, and its words AND, OR and NOT are made lower case, in which they are words like any other.
    """
    words = LUCENE_SPECIAL.sub(" ", text[:LONGEST_WORDS]).strip()
    return quoted(" ".join(word.lower() if word in ("AND", "OR", "NOT", "TO") else word for word in words.split())) if words else ""


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
        return f"\\u{ord(character):04x}"
    return character
