"""What a customer filled in: read, judged field by field, and made into what JSM takes. No input makes an exception out of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from hashlib import file_digest
from io import BytesIO
from typing import IO, Any

from werkzeug.datastructures import FileStorage

from jsmsso.http_uploads import OutgoingFile
from jsmsso.identity.email_address import NotAnEmailAddress, fold_email
from jsmsso.jsm.requests.type_form import FormField, TypeForm
from jsmsso.jsm.requests.values import field_value
from jsmsso.portal.acting import Form
from jsmsso.portal.forms.names import PREFIX, input_name
from jsmsso.portal.forms.words import (
    FILE_TOO_LARGE,
    NO_EMAIL,
    NO_FILES,
    NO_MOMENT,
    ONE_PERSON,
    REQUIRED,
    TOO_MANY_FILES,
    TOO_MANY_PEOPLE,
)

MOST_VALUES = 500  # of one field
MOST_PEOPLE = 10  # of one field: each is looked for
MOST_FILES = 30
BETWEEN_CHILDREN = "/"  # of a cascading field's two ids

_DECIMAL_COMMA = re.compile(r"([+-]?[0-9]+),([0-9]{1,2}|[0-9]{4,})")
_BETWEEN_PEOPLE = re.compile(r"[\s,;]+")


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file of a form, and how many bytes it has."""

    name: str
    mime_type: str
    size: int
    content: FileStorage | bytes

    @classmethod
    def of(cls, file: FileStorage) -> NamedFile:
        """A file as a browser sent it; ``size`` is all that was sent, also where it was too much to be kept."""
        file.stream.seek(0, 2)
        return cls(file.filename or "", file.mimetype or "", getattr(file.stream, "sent", None) or file.stream.tell(), file)

    def read(self) -> bytes:
        """All of it."""
        return self.opened().read()

    def opened(self) -> IO[bytes]:
        """It, from its start."""
        if isinstance(self.content, bytes):
            return BytesIO(self.content)
        self.content.stream.seek(0)
        return self.content.stream

    @property
    def outgoing(self) -> OutgoingFile:
        """It on its way to JSM."""
        return OutgoingFile(self.name, self.mime_type, self.size, self.opened)

    @property
    def digest(self) -> str:
        """What tells its content from others (SHA-256)."""
        return file_digest(self.opened(), "sha256").hexdigest()  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it was filled in. ``given`` is what was typed, for showing it again; ``wrong`` says by field id what is amiss.

    ``values`` are JSM's, without people and files; ``people`` the folded addresses of each user field.
    """

    given: Mapping[str, tuple[str, ...]]
    values: Mapping[str, Any] = field(default_factory=dict)
    people: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    files: tuple[NamedFile, ...] = ()
    wrong: Mapping[str, str] = field(default_factory=dict)

    def but(self, wrong: Mapping[str, str]) -> Filled:
        """The same with more that is wrong."""
        return replace(self, wrong={**self.wrong, **wrong})


def given_values(form: Form) -> dict[str, tuple[str, ...]]:
    """What was typed, by the inputs' names; of our own inputs nothing."""
    return {name.removeprefix(PREFIX): tuple(values[:MOST_VALUES]) for name, values in form.values.items() if name.startswith(PREFIX)}


def read_form(type_form: TypeForm, form: Form, zone: tzinfo, *, cloud: bool, file_limit: int, kept: Sequence[NamedFile] = ()) -> Filled:
    """Each field of the type, and nothing else that was sent.

    ``zone`` is that in which dates with times were typed; ``file_limit`` the bytes a file may have (0: none are taken);
    ``kept`` files that were sent before.
    """
    given = given_values(form)
    values: dict[str, Any] = {}
    people: dict[str, tuple[str, ...]] = {}
    wrong: dict[str, str] = {}
    files: tuple[NamedFile, ...] = ()
    for one in type_form.fields:
        if one.kind == "unsupported":
            continue
        try:
            if one.kind == "attachment":
                if not files:
                    files = (*kept, *_files(form, one))
                    _judge_files(one, files, file_limit)
            elif one.kind in ("user", "users"):
                people[one.id] = _addresses(one, given.get(one.id, ()))
            else:
                value = field_value(one, _in_jsm_words(one, given.get(one.id, ()), zone), cloud=cloud)
                if value is not None:
                    values[one.id] = value
        except ValueError as error:
            wrong[one.id] = str(error)
    return Filled(given, values, {id_: found for id_, found in people.items() if found}, files, wrong)


def _in_jsm_words(one: FormField, given: Sequence[str], zone: tzinfo) -> Sequence[str]:
    """What an input holds, as :func:`field_value` takes it. Raises ValueError."""
    filled = [text for text in given if text.strip()]
    if not filled:
        return ()
    match one.kind:
        case "cascading":
            return filled[0].split(BETWEEN_CHILDREN, 1)
        case "labels":
            return [label for text in filled for label in text.split()][:MOST_VALUES]
        case "datetime":
            return (_with_zone(filled[0].strip(), zone),)
        case "number":
            text = filled[0].strip()
            comma = _DECIMAL_COMMA.fullmatch(text)  # one thousand with a comma stays unreadable: it might be one
            return (f"{comma[1]}.{comma[2]}" if comma else text,)
    return filled


def _with_zone(text: str, zone: tzinfo) -> str:
    try:
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=zone)).isoformat()
    except (ValueError, OverflowError):
        raise ValueError(NO_MOMENT) from None


def _addresses(one: FormField, given: Sequence[str]) -> tuple[str, ...]:
    """Whole addresses, folded. Raises ValueError."""
    texts = [text for value in given[:MOST_PEOPLE] for text in _BETWEEN_PEOPLE.split(value) if text]
    if not texts and one.required:
        raise ValueError(REQUIRED)
    if one.kind == "user" and len(texts) > 1:
        raise ValueError(ONE_PERSON)
    if len(texts) > MOST_PEOPLE:
        raise ValueError(TOO_MANY_PEOPLE)
    try:
        return tuple(dict.fromkeys(map(fold_email, texts)))
    except NotAnEmailAddress:
        raise ValueError(NO_EMAIL) from None


def _files(form: Form, one: FormField) -> list[NamedFile]:
    return [NamedFile.of(file) for name, file in form.files if name == input_name(one) and file.filename]


def _judge_files(one: FormField, files: Sequence[NamedFile], limit: int) -> None:
    if not files:
        if one.required:
            raise ValueError(REQUIRED)
        return
    if not limit:
        raise ValueError(NO_FILES)
    if len(files) > MOST_FILES:
        raise ValueError(TOO_MANY_FILES)
    if any(file.size > limit for file in files):
        raise ValueError(FILE_TOO_LARGE)
