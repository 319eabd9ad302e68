"""The files that ``email_in`` names: one address, or ``*@`` and a domain, a line; read again when they change."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jsmsso.errors import NotReady
from jsmsso.identity.access import AllOf, AnyOf, Condition, EmailIn, Rule
from jsmsso.identity.conditions import Fit
from jsmsso.identity.email_address import NotAnEmailAddress, fold_domain, fold_email

MAX_BYTES = 20_000_000  # some 700,000 addresses
LOOK_SECONDS = 1.0  # between two looks at whether a file changed: on a network's disk a look is slow
_MAX_COMPLAINTS = 5
_COMMENT = re.compile(r"(?:^|\s)#")  # elsewhere a # may stand in an address

Say = Callable[[str, str], None]
"""Told of a file that changed: its name in the profile, and why it could not be read again (empty: it was)."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Folded addresses, and domains at which everybody is meant."""

    emails: frozenset[str]
    domains: frozenset[str]

    def __contains__(self, email: str) -> bool:
        return email in self.emails or email.rpartition("@")[2] in self.domains


class AddressList:
    """One file, looked at again at most once a second. Where it cannot be read again, what was read last still counts.

    Raises :class:`NotReady` when it cannot be read at first, with the lines that are no addresses.
    """

    def __init__(self, name: str, folder: Path, *, say: Say | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._path = name, folder / name
        self._say, self._clock = say, clock
        self._mark, self._addresses = _read(name, self._path)
        self._next = clock() + LOOK_SECONDS

    def holds(self, email: str) -> Fit:
        """Whether a folded address stands in the file, or its domain does."""
        if self._clock() >= self._next:
            self._look()
        return email in self._addresses

    def _look(self) -> None:
        self._next = self._clock() + LOOK_SECONDS
        try:
            mark = _mark(os.stat(self._path))
        except OSError:
            mark = ()
        if mark == self._mark:
            return
        # Set before reading: a file that stays wrong is complained about once.
        self._mark = mark
        said = ""
        try:
            self._mark, self._addresses = _read(self._name, self._path)
        except NotReady as error:
            said = error.message
        if self._say is not None:
            self._say(self._name, said)


def with_lists(
    rules: Iterable[Rule], folder: Path, *, say: Say | None = None, known: dict[str, AddressList] | None = None
) -> tuple[Rule, ...]:
    """``rules`` that can look into the files they name, relative to the profile's ``folder``.

    ``known`` keeps the lists, so that several rules share one. Raises :class:`NotReady` for a file that cannot be read.
    """
    known = {} if known is None else known

    def open_(condition: Condition) -> Condition:
        match condition:
            case EmailIn(file):
                if file not in known:
                    known[file] = AddressList(file, folder, say=say)
                return replace(condition, holds=known[file].holds)
            case AnyOf(conditions) | AllOf(conditions):
                return replace(condition, conditions=tuple(map(open_, conditions)))
        return condition

    return tuple(replace(rule, condition=open_(rule.condition)) for rule in rules)


def _read(name: str, path: Path) -> tuple[tuple[int, ...], Addresses]:
    try:
        # Opened without waiting: a named pipe without a writer would hold the server for ever.
        with open(path, "rb", opener=lambda file, flags: os.open(file, flags | getattr(os, "O_NONBLOCK", 0))) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise _unreadable(name, "it is no regular file")
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(name, (getattr(error, "strerror", "") or "no such name").lower()) from None
    if len(content) > MAX_BYTES:
        raise _unreadable(name, f"it is larger than {MAX_BYTES // 1_000_000} MB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _unreadable(name, "it is not UTF-8 text") from None
    return _mark(status), _parse(name, text.splitlines())


def _parse(name: str, lines: Sequence[str]) -> Addresses:
    emails, domains, wrong = set(), set(), []
    for number, line in enumerate(lines, start=1):
        entry = _COMMENT.split(line, maxsplit=1)[0].strip()
        if not entry:
            continue
        try:
            if entry.startswith("*@"):
                domains.add(fold_domain(entry[2:]))
            else:
                emails.add(fold_email(_without_star(entry)))
        except NotAnEmailAddress as error:
            wrong.append(f"line {number}: {error}")
    if wrong:
        more = f"\n  and {len(wrong) - _MAX_COMPLAINTS} more" if len(wrong) > _MAX_COMPLAINTS else ""
        raise NotReady(
            f"email_in: {name} has lines that are no addresses:\n  " + "\n  ".join(wrong[:_MAX_COMPLAINTS]) + more,
            "One address, or *@ and a domain, a line; # begins a comment.",
        )
    return Addresses(frozenset(emails), frozenset(domains))


def _without_star(entry: str) -> str:
    if "*" in entry:
        raise NotAnEmailAddress("a * stands only for everybody at a domain: *@acme.com")
    return entry


def _mark(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_dev)


def _unreadable(name: str, reason: str) -> NotReady:
    return NotReady(f"email_in: {name} cannot be read: {reason}", "Its name is relative to the profile's folder.")
