"""The profile, read: a :class:`Profile`, or every complaint about it at once."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from jsmsso.errors import Complaint, ProfileInvalid, ProfileMissing
from jsmsso.profile.checks import check, default_callback
from jsmsso.profile.complaining import complaints_of
from jsmsso.profile.model import VERSION, Profile
from jsmsso.profile.parsing import MAX_BYTES, Document, dotted, parse

MAX_COMPLAINTS = 1000  # nobody reads more; a wrong file of 5 MB can give a million


def read_profile(path: Path) -> Profile:
    """The profile at ``path``. Raises :class:`ProfileMissing` or :class:`ProfileInvalid` with all complaints, by line."""
    return validate(read_bytes(path), path)


def read_bytes(path: Path) -> bytes:
    """The file's bytes, one more than :data:`MAX_BYTES` at most. Raises as :func:`read_profile` does."""
    try:
        # Opened without waiting: a named pipe without a writer would hold the command for ever.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0))) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise _unusable(path, "it is not a regular file", "Name a file by --profile.")
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        if error.errno == errno.ENOENT:
            hint = "Make one with: jsmsso provider add cognito. Or name it by --profile PATH or JSMSSO_PROFILE."
            raise ProfileMissing(f"there is no profile at {path}", hint) from None
        if error.errno == errno.EISDIR:
            raise _unusable(path, "it is a folder", f"Name the file in it: {path / 'jsmsso.yaml'}.") from None
        reason = {errno.EACCES: "no permission", errno.EPERM: "no permission"}.get(error.errno or 0, (error.strerror or "unknown").lower())
        raise _unusable(path, f"it cannot be read: {reason}", "Run it as the user who owns the file, or change its mode.") from None


def validate(content: bytes, path: Path) -> Profile:
    """The profile in ``content``; ``path`` is for the complaints only. Raises :class:`ProfileInvalid`."""
    return profile_of(parse(content), path)


def profile_of(document: Document, path: Path) -> Profile:
    """The profile in a file that is parsed already. Raises :class:`ProfileInvalid`."""
    profile, complaints = _examine(document)
    if profile is None or complaints:
        in_order = sorted(dict.fromkeys(complaints), key=lambda one: one.line)
        if (more := len(in_order) - MAX_COMPLAINTS) > 0:
            in_order[MAX_COMPLAINTS:] = [Complaint(in_order[MAX_COMPLAINTS].line, "", f"{more} more problems from here on")]
        raise ProfileInvalid(str(path), tuple(in_order))
    return profile


def _examine(document: Document) -> tuple[Profile | None, list[Complaint]]:
    complaints = list(document.complaints)
    values = document.values
    if values is None:
        if not complaints:
            complaints.append(Complaint(1, "", "the file is empty", "It needs at least version: 1 and public_url:."))
        return None, complaints
    if not isinstance(values, dict):
        return None, [*complaints, Complaint(1, "", "found no mapping; allowed: keys with values", "For example version: 1.")]
    version = values.get("version")
    if isinstance(version, int) and not isinstance(version, bool) and version > VERSION:
        # What else it holds is for a newer jsmsso to say.
        hint = "Upgrade jsmsso, for example with: pipx upgrade jsmsso."
        return None, [
            Complaint(document.line(("version",)), "version", f"found the number {version}; this jsmsso knows version {VERSION}", hint)
        ]
    for finding in check(values):
        if not any(finding.location[:length] in document.refused for length in range(1, len(finding.location) + 1)):
            complaints.append(Complaint(document.line(finding.location), dotted(finding.location), finding.message, finding.hint))
            if finding.message == "the key has no value":
                document.refused.add(finding.location)
    # The list is made inside, the errors raised outside: a ValidationError in a traceback would carry what was found.
    try:
        return Profile.model_validate(_with_callbacks(values)), complaints
    except ValidationError as error:
        findings = error.errors(include_url=False)
    return None, [*complaints, *complaints_of(findings, document, Profile)]


def _with_callbacks(values: dict[str, Any]) -> dict[str, Any]:
    providers = values.get("providers")
    if not isinstance(providers, dict):
        return values
    filled = {
        name: {"callback": default_callback(name, first=number == 0), **one} if isinstance(one, dict) else one
        for number, (name, one) in enumerate(providers.items())
    }
    return {**values, "providers": filled}


def _unusable(path: Path, message: str, hint: str) -> ProfileInvalid:
    return ProfileInvalid(str(path), (Complaint(0, "", message, hint),))
