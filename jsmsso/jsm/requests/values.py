"""What was filled in, as the JSON that ``requestFieldValues`` takes (Atlassian: Field input formats)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from jsmsso.jsm.requests.adf import document
from jsmsso.jsm.requests.type_form import Choice, FormField, Kind
from jsmsso.jsm.requests.wiki_markup import escaped

LONGEST_LINE = 255  # characters of a field of one line, and of a label (Jira's own limit)
LONGEST_TEXT = 32_767  # characters of any other (jira.text.field.character.limit)
DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")  # what XML, and so a backup of Jira, cannot hold

REQUIRED = "Please fill this in."
NOT_OFFERED = "Please choose one of the values offered."
NO_NUMBER = "Please enter a number, such as 3 or 2.5."
NO_DAY = "Please enter a date as YYYY-MM-DD."
NO_MOMENT = "Please enter a date and a time with its time zone."
NO_ADDRESS = "Please enter a web address that begins with https:// or http://."
NO_LABEL = "A label has no spaces in it and at most 255 characters."
TOO_LONG_LINE = "Please use one line of at most 255 characters."
TOO_LONG_TEXT = "Please use at most 32,767 characters."
UNKNOWN_KIND = "This field cannot be filled in here."


def field_value(field: FormField, given: Sequence[str], *, cloud: bool = True) -> Any:
    """The value of a field as JSM takes it; None where nothing was given, which is then left out.

    ``given`` are texts for a field of text, ids for one with choices (two for a cascading one), account ids for people
    (user names on Data Center), ``YYYY-MM-DD``, ISO 8601 with an offset, ids of temporary files. Raises ValueError with
    one of the sentences above.
    """
    filled = [text for text in given if text.strip()]
    if not filled:
        if field.required:
            raise ValueError(REQUIRED)
        return None
    if field.kind in ("user", "users"):
        people = [{"accountId" if cloud else "name": person} for person in dict.fromkeys(filled)]
        return people if field.kind == "users" else people[0]
    reader = READERS.get(field.kind)
    if reader is None:
        raise ValueError(UNKNOWN_KIND)
    return reader(field, filled)


def _line(field: FormField, given: Sequence[str]) -> str:
    text = given[0].strip()
    if len(text) > LONGEST_LINE or not text.isprintable():
        raise ValueError(TOO_LONG_LINE)
    return text


def _markup(field: FormField, given: Sequence[str]) -> str:
    markup = escaped(_text(field, given))
    if len(markup) > LONGEST_TEXT:
        raise ValueError(TOO_LONG_TEXT)
    return markup


def _text(field: FormField, given: Sequence[str]) -> str:
    text = UNPRINTABLE.sub("", re.sub(r"\r\n?", "\n", given[0]))
    if len(text) > LONGEST_TEXT:
        raise ValueError(TOO_LONG_TEXT)
    return text


def _rich(field: FormField, given: Sequence[str]) -> dict[str, Any]:
    return document(_text(field, given))


def _number(field: FormField, given: Sequence[str]) -> int | float:
    text = given[0].strip()
    if not NUMBER.fullmatch(text):
        raise ValueError(NO_NUMBER)
    number = float(text)
    return int(number) if number.is_integer() and math.fabs(number) < 2**53 else number


def _day(field: FormField, given: Sequence[str]) -> str:
    text = given[0].strip()
    try:
        if not DAY.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(NO_DAY) from None


def _moment(field: FormField, given: Sequence[str]) -> str:
    try:
        when = datetime.fromisoformat(given[0].strip())
    except ValueError:
        raise ValueError(NO_MOMENT) from None
    if when.tzinfo is None:
        raise ValueError(NO_MOMENT)
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}" + when.strftime("%z")[:5]


def _address(field: FormField, given: Sequence[str]) -> str:
    text = given[0].strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError(NO_ADDRESS) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not text.isprintable() or " " in text:
        raise ValueError(NO_ADDRESS)
    return text


def _one(field: FormField, given: Sequence[str]) -> dict[str, str]:
    return {"id": _offered(field.choices, given[0]).id}


def _several(field: FormField, given: Sequence[str]) -> list[dict[str, str]]:
    return [{"id": _offered(field.choices, value).id} for value in dict.fromkeys(given)]


def _cascading(field: FormField, given: Sequence[str]) -> dict[str, Any]:
    first = _offered(field.choices, given[0])
    if len(given) == 1:
        return {"id": first.id}
    return {"id": first.id, "child": {"id": _offered(first.children, given[1]).id}}


def _offered(choices: Sequence[Choice], value: str) -> Choice:
    for choice in choices:
        if choice.id == value:
            return choice
    raise ValueError(NOT_OFFERED)


def _labels(field: FormField, given: Sequence[str]) -> list[str]:
    labels = list(dict.fromkeys(label.strip() for label in given))
    if any(len(label) > LONGEST_LINE or len(label.split()) != 1 for label in labels):
        raise ValueError(NO_LABEL)
    return labels


def _as_given(field: FormField, given: Sequence[str]) -> list[str]:
    return list(given)


READERS: Mapping[Kind, Callable[[FormField, Sequence[str]], Any]] = {
    "text": _line,
    "textarea": _markup,
    "rich": _rich,
    "number": _number,
    "date": _day,
    "datetime": _moment,
    "url": _address,
    "choice": _one,
    "radio": _one,
    "choices": _several,
    "checkboxes": _several,
    "cascading": _cascading,
    "labels": _labels,
    "attachment": _as_given,
}
