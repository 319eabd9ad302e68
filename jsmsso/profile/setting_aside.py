"""Entries of a long list that stay as they are, set aside while the rest of the file is edited.

ruamel.yaml takes two milliseconds for an entry of ``portals:``, so ten seconds for five thousand. Those that nobody
changes it does not see: one item stands for each run of them, and their own lines come back afterwards.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from jsmsso.profile.parsing import Document

MANY = 100  # entries to be set aside; fewer are read as fast as they are cut out


@dataclass(frozen=True, slots=True)
class SetAside:
    """The shortened ``text``, where in its list each entry that is left stands, and the lines that each stand-in is for."""

    text: str
    place: Mapping[int, int]
    runs: Mapping[str, list[str]]
    indent: int

    def put_back(self, text: str) -> str:
        """``text``, which came of the shortened one, with the lines that were set aside."""
        lines: list[str] = []
        for line in text.splitlines(keepends=True):
            run = self.runs.get(line.strip().removeprefix("- "))
            lines += [line] if run is None else _moved(run, len(line) - len(line.lstrip(" ")) - self.indent)
        return "".join(lines)


def set_aside(text: str, document: Document, key: str, needed: Collection[int]) -> SetAside | None:
    """``text`` without the entries of the list ``key`` that are not ``needed``; None where that is not worth it, or not safe.

    ``text`` has been parsed into ``document``, and has ``\\n`` at its lines' ends. Safe is a list whose entries begin on
    lines of their own, with a dash. The first entry and the last stay: they show how the list is written and where it ends.
    """
    values = document.values.get(key) if isinstance(document.values, dict) else None
    if not isinstance(values, list) or len(values) - len(needed) < MANY or "\r" in text:
        return None
    lines = text.splitlines(keepends=True)
    starts = [document.places[key, index].line - 1 for index in range(len(values))]
    dashes = {_dash(lines[start]) for start in starts}
    indent = dashes.pop()
    if dashes or indent is None or len(set(starts)) < len(starts):
        return None
    near = {index + step for index in needed for step in (-1, 0, 1)}  # comments between two entries belong to either
    left = sorted({0, len(values) - 1, *near} & set(range(len(values))))
    name = f"set-aside-{secrets.token_hex(8)}"
    starts.append(len(lines))  # what follows the list stays with its last entry
    shortened, runs, place = lines[: starts[0]], dict[str, list[str]](), dict[int, int]()
    for index, following in zip(left, [*left[1:], len(values)], strict=True):
        place[index] = len(place) + len(runs)
        shortened += lines[starts[index] : starts[index + 1]]
        if following > index + 1:
            stand_in = f"{name}-{len(runs)}"
            runs[stand_in] = lines[starts[index + 1] : starts[following]]
            shortened.append(f"{' ' * indent}- {stand_in}\n")
    return SetAside("".join(shortened), place, runs, indent)


def _dash(line: str) -> int | None:
    """The column of the dash that a line begins with; None where it does not, or nothing follows it on the line."""
    found = re.match(r"( *)- +[^\s#]", line)
    return len(found[1]) if found else None


def _moved(lines: list[str], by: int) -> list[str]:
    if not by:
        return lines
    return [" " * max(0, len(line) - len(line.lstrip(" ")) + by) + line.lstrip(" ") if line.strip() else line for line in lines]
