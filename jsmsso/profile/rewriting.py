"""Texts of the profile replaced in the lines they stand in, without reading the rest of the file for editing."""

from __future__ import annotations

import re
from collections.abc import Mapping

from jsmsso.profile.parsing import Document, Location
from jsmsso.profile.round_trip import scalar_text

_QUOTED = r"\"[^\"\\]*\"|'[^']*'"
_PLAIN = r"[^\s\"'\[\]{},&*!|>%@`#-][^#]*?"


class Rewriting:
    """The lines of a file that has been parsed into ``document``, some of them rewritten."""

    def __init__(self, text: str, document: Document) -> None:
        self._lines = text.splitlines(keepends=True)
        self._document = document
        self._usable = "\r" not in text.replace("\r\n", "")  # YAML counts a lone one as a line end

    @property
    def text(self) -> str:
        """The file as it is now."""
        return "".join(self._lines)

    def replace(self, mapping: Location, changes: Mapping[str, tuple[str, str]]) -> bool:
        """Give keys of the mapping at a location other texts: key -> what it is, what it is to be. All of them, or none.

        Whether that was done: only a text that stands on one line with its key, and nothing but a comment behind it, can be.
        """
        fresh = {}
        for key, (old, new) in changes.items():
            place = self._document.places.get((*mapping, key))
            if place is None or place.key_line != place.line or not self._usable:
                return False
            line = _rewritten(self._lines[place.line - 1], key, old, new)
            if line is None:
                return False
            fresh[place.line - 1] = line
        if len(fresh) < len(changes):
            return False
        for number, line in fresh.items():
            self._lines[number] = line
        return True


def _rewritten(line: str, key: str, old: str, new: str) -> str | None:
    found = re.fullmatch(rf"(\s*(?:- +)?{re.escape(key)}: +)({_QUOTED}|{_PLAIN})(\s*(?:\s#.*)?)", line, re.DOTALL)
    if found is None:
        return None
    token = found[2]
    said = token[1:-1] if token[0] in "\"'" else token
    return f"{found[1]}{scalar_text(new)}{found[3]}" if said == old else None
