"""Bytes -> plain values with the line of each, over PyYAML's event stream.

Composing the events ourselves gives what PyYAML's own loader does not: line numbers, duplicate keys,
YAML 1.2 scalars, and an end to aliases, tags and depth before anything is built of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import yaml

from jsmsso.errors import Complaint
from jsmsso.profile.redaction import NOT_REPEATED, SECRET_KEYS, shown_key
from jsmsso.profile.scalars import core_value

MAX_BYTES = 5_000_000  # design section 5: at most 5 MB
MAX_DEPTH = 32  # the model needs 8; rules may be nested by hand

Location: TypeAlias = tuple[str | int, ...]
"""Where a value stands: keys and places, such as ``("portals", 0, "key")``."""

# C0 but tab and line ends, DEL, C1, the line ends that YAML 1.1 had and 1.2 has not, and what is no character.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


class Place(NamedTuple):
    """The 1-based lines of a value's key and of the value itself, and a plain scalar's own text."""

    key_line: int
    line: int
    plain: str | None


@dataclass(slots=True)
class Document:
    """A parsed profile: plain values, the place of each, and what is wrong with the YAML itself."""

    values: Any = None
    places: dict[Location, Place] = field(default_factory=dict)
    complaints: list[Complaint] = field(default_factory=list)
    refused: set[Location] = field(default_factory=set)
    """Locations complained about already, so that the model need not complain about them again."""

    def line(self, location: Location) -> int:
        """The line of the key at ``location``, or of the nearest thing around it that exists."""
        while location and location not in self.places:
            location = location[:-1]
        place = self.places.get(location)
        return place.key_line if place else 1

    def refuse(self, location: Location, line: int, message: str, hint: str = "") -> None:
        self.complaints.append(Complaint(line, dotted(location), message, hint))
        if location:
            self.refused.add(location)


class _Stop(Exception):
    """The stream cannot be read further; the complaint is made."""


def parse(content: bytes) -> Document:
    """The values in ``content``; whatever is wrong stands in ``complaints``. Raises nothing for bad input.

    Sizes in bytes. Never repeats text of the file other than keys.
    """
    document = Document()
    text = ""
    try:
        text = _decode(content, document)
        _Composer(document, text).compose()
    except _Stop:
        pass
    except yaml.YAMLError as error:
        document.complaints.append(_syntax_complaint(error, text))
    return document


def dotted(location: Location) -> str:
    """``("portals", 0, "key")`` -> ``portals[0].key``. A key below a secret's (``{{ s3cret }}``) is not repeated."""
    text, below_secret = "", False
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            shown = NOT_REPEATED if below_secret else shown_key(part)
            text += f".{shown}" if text else shown
            below_secret = below_secret or part in SECRET_KEYS
    return text


def _decode(content: bytes, document: Document) -> str:
    if len(content) > MAX_BYTES:
        document.complaints.append(
            Complaint(1, "", "the file is larger than 5 MB", "A profile has a few kilobytes: is this the right file?")
        )
        raise _Stop
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        document.complaints.append(Complaint(line, "", "the file is not UTF-8 text", "Save it as UTF-8."))
        raise _Stop from None
    if found := _CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        document.complaints.append(Complaint(line, "", f"the character U+{ord(found[0]):04X} may not stand in the file", "Delete it."))
        raise _Stop
    return text


class _Composer:
    """Events -> values, one document, no deeper than :data:`MAX_DEPTH`."""

    def __init__(self, document: Document, text: str) -> None:
        self.document = document
        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self.events: Iterator[Any] = yaml.parse(text, Loader=loader)

    def compose(self) -> None:
        next(self.events)  # the stream's start
        event = next(self.events)
        if isinstance(event, yaml.StreamEndEvent):
            self.document.refuse((), 1, "the file is empty", "It needs at least version: 1 and public_url:.")
            return
        if event.version is not None or event.tags:
            self.document.refuse((), event.start_mark.line + 1, "a YAML directive (%) is not allowed", "Delete the line.")
        start = next(self.events)
        self.document.values = self.value(start, (), start.start_mark.line + 1)
        next(self.events)  # the document's end
        if not isinstance(event := next(self.events), yaml.StreamEndEvent):
            line = event.start_mark.line + 1
            self.document.refuse((), line, "the file has more than one YAML document", "Delete the line --- and what follows it.")

    def value(self, event: Any, location: Location, key_line: int) -> Any:
        line = event.start_mark.line + 1
        plain = event.value if isinstance(event, yaml.ScalarEvent) and event.implicit[0] else None
        self.document.places[location] = Place(key_line, line, plain)
        self.refuse_extras(event, location, line)
        if isinstance(event, yaml.MappingStartEvent):
            return self.mapping(location)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(location)
        if isinstance(event, yaml.AliasEvent):
            return None
        if plain is not None:
            return core_value(plain)
        if found := _CONTROL.search(event.value):
            self.document.refuse(location, line, f"the text holds the control character U+{ord(found[0]):04X}", "Delete the escape.")
        return event.value

    def refuse_extras(self, event: Any, location: Location, line: int) -> None:
        if isinstance(event, yaml.AliasEvent):
            self.document.refuse(location, line, "an alias (*) is not allowed", "Write the value out.")
            return
        if event.anchor is not None:
            self.document.refuse(
                location, line, "an anchor (&) is not allowed", "Write the value out where it is needed, or quote the text."
            )
        if event.tag is not None:
            self.document.refuse(location, line, "a tag (!) is not allowed", "Delete the tag, or quote the text.")
        if len(location) > MAX_DEPTH:
            self.document.refuse(location[:1], line, f"it is nested deeper than {MAX_DEPTH} levels")
            raise _Stop

    def sequence(self, location: Location) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            values.append(self.value(event, (*location, len(values)), event.start_mark.line + 1))
        return values

    def mapping(self, location: Location) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            line = event.start_mark.line + 1
            key = self.key(event, location, line)
            inner = (*location, key)
            if key in values:
                first = self.document.places[inner].key_line
                self.document.refuse(inner, line, f"the key stands twice, first in line {first}", "Delete one of them.")
                self.skip(next(self.events), location)
            else:
                values[key] = self.value(next(self.events), inner, line)
        return values

    def key(self, event: Any, location: Location, line: int) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            self.document.refuse(location, line, "a key must be a text", "Quote it if it begins with [, {, * or &.")
            self.skip(event, location)
            return ""
        self.refuse_extras(event, location, line)
        if event.implicit[0] and not isinstance(core_value(event.value), str):
            self.document.refuse((*location, event.value), line, "a key must be a text", f'Quote it: "{shown_key(event.value)}".')
        elif event.value == "<<":
            self.document.refuse((*location, event.value), line, "a merge key (<<) is not allowed", "Write the keys out.")
        elif _CONTROL.search(event.value):
            self.document.refuse(location, line, "a key holds a control character", "Delete the escape.")
        return str(event.value)

    def skip(self, event: Any, location: Location) -> None:
        """Reads over a value whose key is refused, with the same limits."""
        scratch, self.document = self.document, Document()
        try:
            self.value(event, location, 1)
        except _Stop:
            scratch.complaints += self.document.complaints
            raise
        finally:
            self.document = scratch


def _syntax_complaint(error: yaml.YAMLError, text: str) -> Complaint:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = mark.line + 1 if mark else 1
    problem = str(getattr(error, "problem", None) or "")
    if mark and text[mark.index : mark.index + 1] == "\t":
        return Complaint(line, "", "this is not YAML: a tab where spaces are due", "Indent with spaces.")
    for part, message, hint in _SYNTAX:
        if part in problem:
            return Complaint(line, "", f"this is not YAML: {message}", hint)
    return Complaint(line, "", "this is not YAML", "Look at this line and the one before it: colons, quotes, brackets, indentation.")


# libyaml's own words -> ours. Its text is never passed on: it may quote the file.
_SYNTAX = (
    ("cannot start any token", "a character that must stand in quotes", "Quote the text: @, `, % and tabs cannot begin a plain one."),
    (
        "mapping values are not allowed",
        "a second colon in one line, or a key indented too far",
        "Quote a text that holds a colon and a space.",
    ),
    ("could not find expected ':'", "a key without a colon and a space after it", "Write key: value."),
    ("did not find expected key", "the indentation does not fit the lines above", "Keys of one mapping start in the same column."),
    ("did not find expected '-' indicator", "the indentation does not fit the list above", "Items of one list start in the same column."),
    ("did not find expected ',' or", "a bracket that is not closed", "Close it, or quote the text that holds it."),
    ("unexpected end of stream", "a quote that is not closed", "Close the quote."),
    ("unknown escape character", "a backslash in double quotes", "Use single quotes."),
    ("undefined alias", "an alias (*) is not allowed", "Write the value out, or quote the text."),
    ("block sequence entries are not allowed", "a list item where none can stand", "Put - on a line of its own."),
)
