"""pydantic's findings -> complaints with the line, the key, what was found and what is allowed."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from jsmsso.errors import Complaint
from jsmsso.profile.parsing import Document, Location, dotted
from jsmsso.profile.redaction import may_be_secret, shown
from jsmsso.profile.scalars import core_value


def complaints_of(errors: Iterable[ErrorDetails], document: Document, model: type[BaseModel]) -> Iterator[Complaint]:
    """One complaint for each finding; none below a place that the parser refused already."""
    for error in errors:
        location = _in_file(error["loc"], document.values, is_missing=error["type"] == "missing")
        emptied = error["type"] == "too_short" and error["input"]  # its items were refused one by one
        if not emptied and not _refused_already(location, document):
            message, hint = _sentence(error, location, document, model)
            yield Complaint(document.line(location), dotted(location), message, hint)


def _in_file(found: Location, values: Any, *, is_missing: bool) -> Location:
    """pydantic's location without what only pydantic knows (the tags of a choice, the mark of a key).

    ``is_missing``: its last part is a key that is not there.
    """
    location: list[str | int] = []
    for number, part in enumerate(found):
        if _holds(values, part):
            values = values[part]
            location.append(part)
        elif is_missing and number + 1 == len(found):
            location.append(part)
    return tuple(location)


def _holds(values: Any, part: str | int) -> bool:
    if isinstance(values, list):
        return isinstance(part, int) and part < len(values)
    return isinstance(values, Mapping) and part in values


def _refused_already(location: Location, document: Document) -> bool:
    return any(location[:length] in document.refused for length in range(len(location) + 1))


def _sentence(error: ErrorDetails, location: Location, document: Document, model: type[BaseModel]) -> tuple[str, str]:
    """Message and hint. pydantic's own sentences are never used: they may repeat what was found."""
    kind, value, context = error["type"], error["input"], error.get("ctx") or {}
    found = f"found {shown(value)}"
    if kind == "refused":
        return str(context["message"]), str(context["hint"])
    if kind == "missing":
        return "the key is missing", _example(location, model)
    if kind == "extra_forbidden":
        return "the key is unknown", _nearest(location, model)
    if kind == "string_type":
        return _text_is_due(value, location, document)
    if kind == "literal_error":
        allowed = str(context["expected"]).replace(" or ", ", ").replace("'", "")
        return f"{found}; allowed: {allowed}", _near_choice(value, allowed)
    if kind == "tuple_type" and isinstance(value, str) and len(value) < 40 and not may_be_secret(value):
        return f"{found}; allowed: a list", f"Write it as [{value}]."
    message, hint = _PLAIN.get(kind, ("{found}, which is not allowed here", ""))
    return message.format(found=found, **context), hint or _example(location, model)


# pydantic's name for a finding -> message and hint.
_PLAIN = {
    "bool_type": ("{found}; allowed: true, false", ""),
    "int_type": ("{found}; allowed: a whole number", ""),
    "tuple_type": ("{found}; allowed: a list", "Each item on a line of its own after -, or all in [ ]."),
    "model_type": ("{found}; allowed: a mapping", "Write its keys on lines of their own, indented."),
    "dict_type": ("{found}; allowed: a mapping", "Write its keys on lines of their own, indented."),
    "too_short": ("the list is empty", "Give it an item or delete the key."),
    "string_too_short": ("the text is empty", "Give it a value or delete the key."),
    "string_too_long": ("the text is longer than {max_length} characters", ""),
    "greater_than_equal": ("{found}; allowed: {ge} or more", ""),
    "less_than_equal": ("{found}; allowed: {le} or less", ""),
}


def _text_is_due(value: Any, location: Location, document: Document) -> tuple[str, str]:
    place = document.places.get(location)
    if isinstance(value, bool | int | float) and place and place.plain is not None:
        if may_be_secret(place.plain):
            return "found a number; allowed: a text", "Quote it."
        written = place.plain if len(place.plain) < 60 else "..."
        return f"found {shown(value)}; allowed: a text", f'Quote it: "{written}".'
    return f"found {shown(value)}; allowed: a text", ""


def _near_choice(value: Any, allowed: str) -> str:
    near = difflib.get_close_matches(value, allowed.split(", "), n=1) if isinstance(value, str) else []
    return f"Did you mean {near[0]}?" if near else ""


def _nearest(location: Location, model: type[BaseModel]) -> str:
    key = str(location[-1]) if location else ""
    here = _keys_at(model, location[:-1])
    if near := difflib.get_close_matches(key.lower().replace("-", "_"), here, n=1, cutoff=0.6):
        return f"Did you mean {near[0]}?"
    elsewhere = [path for path in _all_keys(model) if path.rpartition(".")[2] == key]
    if len(elsewhere) == 1:
        return f"There is {elsewhere[0]}."
    return f"Allowed here: {', '.join(here)}." if 0 < len(here) <= 12 else ""


def _example(location: Location, model: type[BaseModel]) -> str:
    section = _sections(model, location[:-1]).get(str(location[-1])) if location else None
    examples = section.examples if section else None
    if not examples or not isinstance(examples[0], str | int):
        return ""
    example = examples[0] if core_value(str(examples[0])) == examples[0] else f'"{examples[0]}"'
    return f"For example {location[-1]}: {example}"


def _keys_at(model: type[BaseModel], location: Location) -> list[str]:
    return list(_sections(model, location))


def _sections(model: type[BaseModel], location: Location) -> dict[str, Any]:
    """The fields that may stand in the mapping at ``location``."""
    at: list[Any] = [model]
    for part in location:
        at = [inner for annotation in at for inner in _inside(annotation, part)]
    return {name: info for annotation in at if _is_model(annotation) for name, info in annotation.model_fields.items()}


def _inside(annotation: Any, part: str | int) -> Iterator[Any]:
    if _is_model(annotation):
        if part in annotation.model_fields:
            yield from choices(annotation.model_fields[part].annotation)
    elif get_origin(annotation) is dict:
        yield from choices(get_args(annotation)[1])
    elif get_origin(annotation) is tuple:
        yield from choices(get_args(annotation)[0])


def choices(annotation: Any) -> Iterator[Any]:
    """What an annotation may be, without ``Annotated`` and unions."""
    if get_origin(annotation) is Annotated:
        yield from choices(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, types.UnionType):
        for one in get_args(annotation):
            yield from choices(one)
    else:
        yield annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _all_keys(model: type[BaseModel]) -> Iterator[str]:
    """Dotted paths of the keys in sections of the first level, such as ``session.lifetime``."""
    for name, info in model.model_fields.items():
        yield name
        for annotation in choices(info.annotation):
            if _is_model(annotation):
                yield from (f"{name}.{inner}" for inner in annotation.model_fields)
