"""The profile, edited in place: comments, order, mode and owner stay, and the file is never half written."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ruamel.yaml.comments import CommentedMap

from jsmsso.errors import FileChanged, MachineFailed, ProfileInvalid
from jsmsso.profile.model import Profile
from jsmsso.profile.parsing import Document, Location, parse
from jsmsso.profile.reading import profile_of, read_bytes, validate
from jsmsso.profile.rewriting import Rewriting
from jsmsso.profile.round_trip import RoundTrip, plain_lines
from jsmsso.profile.setting_aside import set_aside

T = TypeVar("T")

LOCK_PATIENCE = 5.0  # seconds: another command holds the lock for well under one


class Editing:
    """A profile being edited: change ``data`` in place. ``written`` says afterwards whether the file changed."""

    def __init__(self, path: Path, before: bytes) -> None:
        """``before`` is the file's content, empty for a new one. Raises :class:`ProfileInvalid` where it is no YAML."""
        self.written = False
        self._path = path
        self._parsed = parse(before)
        if before.strip() and self._parsed.complaints:
            raise ProfileInvalid(str(path), tuple(self._parsed.complaints))
        self._text = before.decode()
        self._rewriting: Rewriting | None = None
        self._file: RoundTrip | None = None

    @property
    def data(self) -> CommentedMap:
        """The file's content with its comments."""
        return self._opened().data

    @property
    def profile(self) -> Profile:
        """The profile as it stands in the file. Raises :class:`ProfileInvalid`."""
        return profile_of(self._parsed, self._path)

    def replace(self, mapping: Location, changes: Mapping[str, tuple[str, str]]) -> bool:
        """Give keys of a mapping other texts, in their lines; False where they are not written so that this can be done.

        Key -> what it is and what it is to be. To be asked for before ``entries`` and ``data`` are.
        """
        self._rewriting = self._rewriting or Rewriting(self._text, self._parsed)
        return self._file is None and self._rewriting.replace(mapping, changes)

    def entries(self, key: str, needed: Collection[int]) -> Entries:
        """The list under ``key``, of which only the entries ``needed`` will be changed: the others are left alone, which is quick.

        To be asked for before ``data`` is; that has, afterwards, stand-ins for some of the others.
        """
        text = self._now()
        aside = set_aside(plain_lines(text), self._parsed, key, needed) if self._file is None else None
        if aside is not None:
            self._file = RoundTrip(text, aside)
        return Entries(self.data[key], aside.place if aside else None)

    def extend(self, values: Any, new: Sequence[Mapping[str, str]]) -> None:
        """New entries at the end of a list of ``data``; many of them stand there as one item afterwards."""
        self._opened().extend(values, new)

    def _opened(self) -> RoundTrip:
        if self._file is None:
            self._file = RoundTrip(self._now())
        return self._file

    def _now(self) -> str:
        return self._rewriting.text if self._rewriting else self._text

    def finish(self) -> str | None:
        """The text as it is now; None where nothing changed. What it was read from is let go: it is large where the file is."""
        file, text = self._file, self._now()
        self._file, self._rewriting, self._parsed = None, None, Document()
        edited = file.text() if file is not None else None
        return edited if edited is not None else (text if text != self._text else None)


@dataclass(frozen=True, slots=True)
class Entries:
    """A list of the profile, whose entries are counted as they stand in the file."""

    values: Any
    place: Mapping[int, int] | None

    def __getitem__(self, index: int) -> Any:
        return self.values[self.place[index] if self.place is not None else index]

    def remove(self, indexes: Iterable[int]) -> None:
        """Delete these entries."""
        for index in sorted(indexes, reverse=True):
            del self.values[self.place[index] if self.place is not None else index]


@contextmanager
def editing(path: Path, create: bool = False) -> Iterator[Editing]:
    """The profile at ``path`` to be changed; written when the block is left without an error.

    The result is checked as reading does, and nothing is written where it fails or where nothing changed.
    A symbolic link is followed to its target. With ``create`` a missing file (and its folder) is made.

    Raises :class:`ProfileMissing`, :class:`ProfileInvalid`, :class:`FileChanged` (somebody else wrote it
    meanwhile) and :class:`MachineFailed` (locked, no permission, disk full); after each the old file is whole.
    """
    target = Path(os.path.realpath(path))
    if create:
        _machine(lambda: target.parent.mkdir(parents=True, exist_ok=True), path)
    missing = not os.path.lexists(target)
    if missing and not create:
        read_bytes(path)  # says that there is none
    with _locked(target, path):
        before = b"" if not target.exists() and create else read_bytes(target)
        edited = Editing(path, before)
        yield edited
        if (text := edited.finish()) is None:
            return
        after = text.encode()
        validate(after, path)
        if (target.exists() and read_bytes(target) != before) or (before and not target.exists()):
            raise FileChanged(f"{path} changed while this command ran; nothing was written", "Run the command again.")
        _machine(lambda: _replace(target, after), path)
        edited.written = True


@contextmanager
def _locked(target: Path, path: Path) -> Iterator[None]:
    """One editor at a time on this machine, by a file that stands beside the profile only while it is held."""
    lock = target.with_name(f".{target.name}.lock")
    descriptor = _machine(lambda: _acquire(lock), path)
    try:
        yield
    finally:
        try:
            lock.unlink(missing_ok=True)
        finally:
            os.close(descriptor)


def _acquire(lock: Path) -> int:
    import fcntl

    deadline = time.monotonic() + LOCK_PATIENCE
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Its last holder may have deleted it between our two calls; then the lock is on nothing.
            if os.fstat(descriptor).st_ino == os.stat(lock).st_ino:
                return descriptor
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise MachineFailed("another command is editing the profile", f"Wait for it to end; the lock is held on {lock}.") from None
            time.sleep(0.02)
        except FileNotFoundError:
            pass
        os.close(descriptor)


def _replace(target: Path, content: bytes) -> None:
    """Write beside, make it durable, then rename: whoever reads sees the old file or the new one."""
    fresh = target.with_name(f".{target.name}.new")  # one name: the lock is ours, and a crash leaves one file at most
    try:
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        with open(descriptor, "wb") as file:
            if target.exists():
                _keep_owner_and_mode(target, file.fileno())
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, target)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _keep_owner_and_mode(target: Path, descriptor: int) -> None:
    old, new = target.stat(), os.fstat(descriptor)
    if not os.access(target, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        raise PermissionError(errno.EACCES, "Permission denied")
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        try:
            os.fchown(descriptor, old.st_uid, old.st_gid)
        except PermissionError:
            raise MachineFailed(
                f"{target} belongs to another user or group, which this command cannot keep", "Run it as the owner of the file."
            ) from None
    for name in os.listxattr(target) if hasattr(os, "listxattr") else ():
        try:
            os.setxattr(descriptor, name, os.getxattr(target, name))  # access lists among them
        except OSError:
            continue
    os.fchmod(descriptor, old.st_mode & 0o7777)


def _machine(act: Callable[[], T], path: Path) -> T:
    try:
        return act()
    except OSError as error:
        hints = {
            errno.EACCES: "Its folder must be writable for you: the file is replaced as a whole. Run it as the owner.",
            errno.EROFS: "The file system is read-only.",
            errno.ENOSPC: "Make room on the disk.",
            errno.EBUSY: "The file is a mount of its own; mount its folder instead.",
        }
        reason = (error.strerror or "unknown").lower()
        raise MachineFailed(f"{path} cannot be written: {reason}", hints.get(error.errno or 0, "")) from None
