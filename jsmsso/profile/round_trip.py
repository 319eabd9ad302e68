"""The profile's text, changed in place: ruamel.yaml for what changed, the file's own lines for all the rest.

ruamel.yaml keeps comments, order and quotes, but writes lists, brackets and long lines in its own way.
So its output is used only where the content changed: what it would have written without the change is
compared with what it writes with it, and that difference is applied to the file's lines.
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.emitter import Emitter
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.scalarstring import PlainScalarString
from ruamel.yaml.tag import Tag
from yaml.resolver import Resolver

from jsmsso.profile import setting_aside
from jsmsso.profile.parsing import parse
from jsmsso.profile.scalars import STR, core_tag
from jsmsso.profile.setting_aside import Run, SetAside, put_back

_BOM = "\ufeff"


class CoreResolver(VersionedResolver):
    """YAML 1.2's core schema, as reading has it."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        if kind is ScalarNode and implicit[0]:
            return _tag(core_tag(value))
        return super().resolve(kind, value, (False, False))


class _Constructor(RoundTripConstructor):
    """Remembers of a plain text that it was plain."""

    def construct_scalar(self, node: Any) -> Any:
        value = super().construct_scalar(node)
        return PlainScalarString(value) if type(value) is str and node.style in (None, "") else value


class _Emitter(Emitter):
    """Begins every item, and every key but an item's first, on a line of its own.

    ruamel.yaml 0.19 forgets to, once, after a first item in brackets that has a comment before and behind it.
    """

    def expect_block_mapping_key(self, first: Any = False) -> None:
        if not first:
            self.no_newline = False
        super().expect_block_mapping_key(first)

    def expect_block_sequence_item(self, first: bool = False) -> None:
        if not first:
            self.no_newline = False
        super().expect_block_sequence_item(first)


class _Representer(RoundTripRepresenter):
    """Writes what is new as the file's own examples do: quotes where needed, short lists in brackets."""


# What every YAML reader takes for the same plain text, and inside brackets.
_PLAIN = re.compile(r"[\w/.](?:[\w ._/:@+?=&%~-]*[\w/._@+=~-])?")
_PLAIN_IN_BRACKETS = re.compile(r"[\w/.](?:[\w ._/@+-]*[\w/._@+-])?")


def _represent_text(representer: Any, text: str) -> Any:
    return representer.represent_scalar(STR, text, style=None if _is_plain(text) else '"')


def _is_plain(text: str) -> bool:
    # Quoted also where only a YAML 1.1 reader would not take it for text (NO): other tools read the file too.
    return bool(_PLAIN.fullmatch(text)) and ": " not in text and core_tag(text) == STR and not _is_other_in_yaml_1_1(text)


def scalar_text(text: str) -> str:
    """A text as it is written behind a key; a JSON text is a double-quoted one of YAML (YAML 1.2, 1.3)."""
    return text if _is_plain(text) else json.dumps(text, ensure_ascii=False)


def _entry_lines(entry: Mapping[str, str]) -> Iterator[str]:
    """A list's entry as ruamel.yaml writes it."""
    for number, (key, text) in enumerate(entry.items()):
        yield f"{'  ' if number else '- '}{key}: {scalar_text(text)}\n"


def _represent_list(representer: Any, values: list[Any]) -> Any:
    short = all(isinstance(one, str) and _PLAIN_IN_BRACKETS.fullmatch(one) for one in values) and len(", ".join(values)) <= 60
    return representer.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=short)


_Representer.add_representer(str, _represent_text)
_Representer.add_representer(list, _represent_list)


class RoundTrip:
    """A file's ``data`` with its comments, and its text once ``data`` is changed."""

    def __init__(self, text: str, aside: SetAside | None = None) -> None:
        """``text`` has been parsed without complaint before; it may be empty. What is set aside of it is not in ``data``."""
        self._crlf, self._bom = "\r\n" in text, text.startswith(_BOM)
        self._runs = dict(aside.runs) if aside else {}
        self._before = aside.text if aside else plain_lines(text)
        self._engine = _engine(self._before)
        loaded = self._engine.load(self._before)
        self.data: CommentedMap = CommentedMap() if loaded is None else loaded
        self._unchanged = self._write()

    def text(self) -> str | None:
        """The changed text, whose unchanged parts are the file's own lines; None where nothing changed."""
        changed = self._write()
        if changed == self._unchanged:
            return None
        after = _merge(self._unchanged, self._before, changed) if self._before.strip() else changed
        after = put_back(after, self._runs) if self._runs else after
        return (_BOM if self._bom else "") + (after.replace("\n", "\r\n") if self._crlf else after)

    def extend(self, values: Any, new: Sequence[Mapping[str, str]]) -> None:
        """New entries at the end of a list of ``data``; one item stands for many of them, which are quicker written here."""
        if len(new) < setting_aside.MANY:
            values.extend(new)
            return
        stand_in = setting_aside.stand_in_name()
        self._runs[stand_in] = Run([line for entry in new for line in _entry_lines(entry)], 0)
        values.append({setting_aside.STAND_IN: stand_in})

    def _write(self) -> str:
        stream = io.StringIO()
        self._engine.dump(self.data, stream)
        return stream.getvalue()


def plain_lines(text: str) -> str:
    """The text as editing sees it: no byte order mark, and one character at the end of a line."""
    return text.removeprefix(_BOM).replace("\r\n", "\n")


def _engine(like: str) -> YAML:
    """A reader and writer that indents lists as ``like`` does, else by two spaces."""
    engine = YAML(typ="rt")
    engine.Resolver = CoreResolver
    engine.Constructor = _Constructor
    engine.Emitter = _Emitter
    engine.Representer = _Representer
    engine.preserve_quotes = True
    engine.width = 1_000_000  # never folds a line
    engine.allow_duplicate_keys = False
    mapping = re.search(r"^[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\n( +)[^\s#-]", like, re.MULTILINE)
    listed = re.search(r"^( *)[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\n(?:[ \t]*(?:#[^\n]*)?\n)*(\1 *)- ", like, re.MULTILINE)
    offset = len(listed[2]) - len(listed[1]) if listed else 2
    engine.indent(mapping=len(mapping[1]) if mapping else 2, sequence=offset + 2, offset=offset)
    return engine


def _merge(base: str, ours: str, theirs: str) -> str:
    """``ours`` with the changes that lead from ``base`` to ``theirs``; ``theirs`` where that does not come out right."""
    merged = _apply(base.splitlines(keepends=True), ours.splitlines(keepends=True), theirs.splitlines(keepends=True))
    return merged if _same(merged, theirs) else theirs


def _apply(base: list[str], ours: list[str], theirs: list[str]) -> str:
    place = _places(base, ours)
    lines: list[str] = []
    done = 0  # lines of ours that are dealt with
    for first, last, new_first, new_last in _hunks(base, theirs, place):
        start = place[first - 1] + 1 if first else 0
        here = first if first in place else first - 1
        shift = _indent(ours[place[here]]) - _indent(base[here]) if 0 <= here < len(base) and here in place else 0
        new = [_shifted(line, shift) for line in theirs[new_first:new_last]]
        lost = Counter(_comments(ours[start : place[last]])) - Counter(_comments(base[first:last]))
        indent = " " * _indent(new[0]) if new else ""
        lines += [*ours[done:start], *(f"{indent}{comment}\n" for comment in lost.elements()), *new]
        done = place[last]
    return "".join(lines + ours[done:])


def _places(base: list[str], ours: list[str]) -> dict[int, int]:
    """Where each line of base stands in ours, whatever its spaces; the end of one at the end of the other."""
    place = {len(base): len(ours)}
    bare_base, bare_ours = (["".join(line.split()) for line in lines] for lines in (base, ours))
    for first, last, our_first, our_last in _differences(bare_base, bare_ours, place):
        # As many lines written otherwise (FALSE for false) are the same lines.
        if last - first == our_last - our_first:
            place.update(zip(range(first, last), range(our_first, our_last), strict=True))
    return place


def _hunks(base: list[str], theirs: list[str], place: dict[int, int]) -> list[tuple[int, int, int, int]]:
    """Changed ranges of base and theirs, each grown until the lines around it stand in ours too."""
    hunks: list[tuple[int, int, int, int]] = []
    for first, last, new_first, new_last in _differences(base, theirs):
        # ruamel.yaml drops with a key the comments around it, which may be about what follows.
        while last > first and _is_dropped(base[last - 1], theirs[new_first:new_last]):
            last -= 1
        while first < last and _is_dropped(base[first], theirs[new_first:new_last]):
            first += 1
        while first and first - 1 not in place:
            first, new_first = first - 1, new_first - 1
        while last not in place:
            last, new_last = last + 1, new_last + 1
        if hunks and first <= hunks[-1][1]:
            before, grown, new_before, _ = hunks.pop()
            first, new_first = before, new_before
            last, new_last = max(last, grown), new_last + max(0, grown - last)
        hunks.append((first, last, new_first, new_last))
    return hunks


def _is_dropped(line: str, new: list[str]) -> bool:
    return line.lstrip()[:1] in ("#", "") and line not in new


def _differences(one: list[str], other: list[str], same: dict[int, int] | None = None) -> Iterator[tuple[int, int, int, int]]:
    """Ranges in which two lists of lines differ; what is equal goes into ``same``. Equal ends cost next to nothing."""
    shorter = min(len(one), len(other))
    head = next((n for n in range(shorter) if one[n] != other[n]), shorter)
    tail = next((n for n in range(shorter - head) if one[-1 - n] != other[-1 - n]), shorter - head)
    if same is not None:
        same.update((n, n) for n in range(head))
        same.update((len(one) - n, len(other) - n) for n in range(1, tail + 1))
    middle = SequenceMatcher(None, one[head : len(one) - tail], other[head : len(other) - tail])
    for operation, first, last, other_first, other_last in middle.get_opcodes():
        if operation != "equal":
            yield first + head, last + head, other_first + head, other_last + head
        elif same is not None:
            same.update(zip(range(first + head, last + head), range(other_first + head, other_last + head), strict=True))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _shifted(line: str, by: int) -> str:
    return " " * max(0, _indent(line) + by) + line.lstrip(" ") if line.strip() else line


def _comments(lines: list[str]) -> list[str]:
    """The comments in ``lines``; ruamel.yaml forgets those inside brackets."""
    without_quotes = (re.sub(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'", "", line) for line in lines)
    return [found[1].rstrip() for line in without_quotes if (found := re.search(r"(?:^|\s)(#.*)", line))]


def _same(one: str, other: str) -> bool:
    parsed, due = parse(one.encode()), parse(other.encode())
    return not parsed.complaints and parsed.values == due.values


@lru_cache(maxsize=1024)
def _is_other_in_yaml_1_1(text: str) -> bool:
    resolver: Any = Resolver()
    return bool(resolver.resolve(yaml.ScalarNode, text, (True, False)) != STR)


@lru_cache(maxsize=16)
def _tag(name: str) -> Tag:
    return Tag(suffix=name)
