"""Customers from a CSV file: read and judged whole, before anything is written."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Collection, Iterator
from difflib import get_close_matches

from jsmsso.cli.bulk_load.rows import Row, RowsInvalid
from jsmsso.errors import Complaint, UsageError
from jsmsso.identity.email_address import NotAnEmailAddress, fold_email
from jsmsso.jsm.customers.organization_names import LONGEST, MOST

MAX_BYTES = 100_000_000  # far more than the customers of any site
COLUMNS = ("email", "first_name", "last_name", "display_name", "organizations", "portals")
SEPARATORS = (",", ";", "\t")
ENCODING_HINT = "Save it as UTF-8: in Excel choose the type CSV UTF-8."
HEADER_HINT = f"The first line names the columns, of which email is needed: {','.join(COLUMNS)}"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_csv(file: str, portals: Collection[str]) -> list[Row]:
    """The customers in ``file`` (``-``: standard input); ``portals`` are the keys that may be named.

    UTF-8, with a byte order mark or without; separated by commas, semicolons (Excel in many countries) or tabs, as the first
    line tells. Raises :class:`RowsInvalid` with every complaint, :class:`UsageError` where it cannot be read.
    """
    name = "standard input" if file == "-" else file
    text = _decoded(_content(file, name), name)
    skipped = 0
    if text[:4].lower() == "sep=":  # what Excel writes to say which separator it means
        _, _, text = text.partition("\n")
        skipped = 1
    separator = _separator(text)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    reading = _Reading(portals, separator)
    try:
        header = next(lines, [])
        columns = _columns(header, 1 + skipped)
        before = lines.line_num
        for fields in lines:
            reading.take(before + 1 + skipped, dict(zip(columns, fields, strict=False)), len(fields) - len(columns))
            before = lines.line_num
    except csv.Error as error:
        reading.complain(lines.line_num + skipped, "", f"it is no CSV from here on: {error}", "Is a quotation mark open?")
    except RowsInvalid as error:
        raise RowsInvalid(name, list(error.complaints), HEADER_HINT) from None
    if not reading.rows and not reading.complaints:
        reading.complain(0, "", "there is no customer in it")
    if reading.complaints:
        raise RowsInvalid(name, reading.complaints)
    return reading.rows


def _content(file: str, name: str) -> bytes:
    try:
        if file == "-":
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with open(file, "rb") as opened:
                content = opened.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a null in it
        reason = (getattr(error, "strerror", "") or "no such name").lower()
        raise UsageError(f"{name} cannot be read: {reason}") from None
    if len(content) > MAX_BYTES:
        raise UsageError(f"{name} is larger than {MAX_BYTES:,} bytes", "Split it.")
    return content


def _decoded(content: bytes, name: str) -> str:
    if content.startswith(UTF_16):
        raise RowsInvalid(name, [Complaint(1, "", "it is UTF-16, not UTF-8")], ENCODING_HINT)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        complaint = Complaint(line, "", f"it is not UTF-8: found the byte {content[error.start]:02x}")
        raise RowsInvalid(name, [complaint], ENCODING_HINT) from None


def _separator(text: str) -> str:
    """The one that stands in the first line most often; a comma where none does."""
    first = text.partition("\n")[0]
    return max(SEPARATORS, key=lambda one: (first.count(one), one == ","))


def _columns(header: list[str], line: int) -> list[str]:
    names = [name.strip().lower().replace(" ", "_") for name in header]
    complaints = []
    for number, name in enumerate(names):
        if name not in COLUMNS:
            near = get_close_matches(name, COLUMNS, n=1)
            hint = f"Did you mean {near[0]}?" if near else "Delete the column."
            complaints.append(Complaint(line, "", f"found the column {header[number]!r}; allowed: {', '.join(COLUMNS)}", hint))
        elif name in names[:number]:
            complaints.append(Complaint(line, "", f"the column {name} is there twice"))
    if "email" not in names:
        complaints.append(Complaint(line, "", "the column email is missing"))
    if complaints:
        raise RowsInvalid("", complaints)
    return names


class _Reading:
    """The rows so far, and what is wrong with them."""

    def __init__(self, portals: Collection[str], separator: str) -> None:
        self.rows: list[Row] = []
        self.complaints: list[Complaint] = []
        self._portals = portals
        self._separator = separator
        self._lines: dict[str, int] = {}

    def complain(self, line: int, key: str, message: str, hint: str = "") -> None:
        self.complaints.append(Complaint(line, key, message, hint))

    def take(self, line: int, fields: dict[str, str], surplus: int) -> None:
        """Judge a line; one without anything in it is passed over."""
        fields = {name: value.strip() for name, value in fields.items()}
        if surplus <= 0 and not any(fields.values()):
            return
        count = len(self.complaints)
        if surplus > 0:
            hint = f"A value with a {self._separator!r} in it must stand in quotation marks." if self._separator != "\t" else ""
            self.complain(line, "", "it has more fields than the first line names columns", hint)
            return
        email = self._email(line, fields["email"])
        for name in ("first_name", "last_name", "display_name"):
            self._name(line, name, fields.get(name, ""))
        organizations = _several(fields["organizations"]) if "organizations" in fields else None
        portals = _several(fields.get("portals", ""))
        for each in organizations or ():
            self._name(line, "organizations", each)
        if organizations and len(organizations) > MOST:
            self.complain(line, "organizations", f"found {len(organizations)}; at most {MOST} are taken")
        for each in portals:
            if each not in self._portals:
                self.complain(line, "portals", f"the profile has no portal {each!r}", self._near(each))
        if count == len(self.complaints):
            whole = " ".join(filter(None, (fields.get("first_name"), fields.get("last_name"))))
            self.rows.append(Row(line, email, fields.get("display_name") or whole or email, organizations, portals))

    def _email(self, line: int, text: str) -> str:
        try:
            email = fold_email(text)
        except NotAnEmailAddress as error:
            self.complain(line, "email", f"found {text[:80]!r}: {error}" if text else "it is empty")
            return ""
        if email in self._lines:
            self.complain(line, "email", f"{email} stands in line {self._lines[email]} already")
        self._lines.setdefault(email, line)
        return email

    def _name(self, line: int, key: str, text: str) -> None:
        if not text.isprintable():
            self.complain(line, key, "found a line end or another character that cannot be shown")
        elif len(text) > LONGEST:
            self.complain(line, key, f"found {len(text)} characters; at most {LONGEST} are taken")

    def _near(self, key: str) -> str:
        near = get_close_matches(key.upper(), self._portals, n=1)
        return f"Did you mean {near[0]}?" if near else "Its keys: jsmsso portals list"


def _several(text: str) -> tuple[str, ...]:
    """The parts between semicolons, each once."""
    return tuple(dict.fromkeys(_parts(text)))


def _parts(text: str) -> Iterator[str]:
    return (part for one in text.split(";") if (part := one.strip()))
