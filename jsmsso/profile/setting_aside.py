"""Entries of a long list that stay as they are, set aside while the rest of the file is edited.

ruamel.yaml takes two milliseconds for an entry of ``portals:``, so ten seconds for five thousand. Those that nobody
changes it does not see: one item stands for each run of them, and their own lines come back afterwards.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from jsmsso.profile.parsing import Document

STAND_IN = "set-aside"  # the one key of an item that stands for others
MANY = 100  # entries; fewer are read and written as fast as they are cut out


@dataclass(frozen=True, slots=True)
class SetAside:
    """The shortened ``text``, where in its list each entry that is left stands, and what each stand-in is for."""

    text: str
    place: Mapping[int, int]
    runs: Mapping[str, Run]


class Run(NamedTuple):
    """Lines that one item stands for, the first of them with its dash behind ``indent`` spaces."""

    lines: list[str]
    indent: int


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
    starts.append(len(lines))  # what follows the list stays with its last entry
    shortened, runs, place = lines[: starts[0]], dict[str, Run](), dict[int, int]()
    for index, following in zip(left, [*left[1:], len(values)], strict=True):
        place[index] = len(place) + len(runs)
        shortened += lines[starts[index] : starts[index + 1]]
        if following > index + 1:
            stand_in = stand_in_name()
            runs[stand_in] = Run(lines[starts[index + 1] : starts[following]], indent)
            shortened.append(f"{' ' * indent}- {STAND_IN}: {stand_in}\n")
    return SetAside("".join(shortened), place, runs)


def stand_in_name() -> str:
    """A text that no profile has in it already, and that no YAML takes for a number."""
    return f"x{secrets.token_hex(16)}"


def put_back(text: str, runs: Mapping[str, Run]) -> str:
    """``text`` with the lines that its stand-ins are for."""
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        run = runs.get(line.strip().removeprefix(f"- {STAND_IN}: "))
        lines += [line] if run is None else _moved(run.lines, len(line) - len(line.lstrip(" ")) - run.indent)
    return "".join(lines)


def _dash(line: str) -> int | None:
    """The column of the dash that a line begins with; None where it does not, or nothing follows it on the line."""
    found = re.match(r"( *)- +[^\s#]", line)
    return len(found[1]) if found else None


def _moved(lines: list[str], by: int) -> list[str]:
    if not by:
        return lines
    return [" " * max(0, len(line) - len(line.lstrip(" ")) + by) + line.lstrip(" ") if line.strip() else line for line in lines]
