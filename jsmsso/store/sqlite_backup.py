"""A copy of the store's file that is whole, made while workers go on writing."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from secrets import token_hex

from jsmsso.errors import MachineFailed, UsageError
from jsmsso.store.sqlite_file import not_there, unavailable


def back_up(path: Path, target: Path, *, force: bool = False) -> int:
    """Copy the store at ``path`` to the one file ``target``, for its owner alone to read; how many bytes it has.

    The copy is of one moment, is checked before it gets its name, and replaces an earlier one only with ``force``.
    Raises :class:`UsageError`, :class:`StoreUnavailable` for a store that cannot be read, :class:`MachineFailed` for a
    copy that cannot be written. SQLite: Online Backup API.
    """
    _refuse(path, target, force=force)
    unfinished = target.with_name(f".{target.name}.{token_hex(4)}")
    try:
        try:
            os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise MachineFailed(f"cannot write to {target.parent}: {error.strerror}", "Choose another place.") from error
        _copy(path, unfinished)
        try:
            _give_name(unfinished, target, force=force)
        except OSError as error:
            raise MachineFailed(f"cannot write {target}: {error.strerror}", "Choose another place.") from error
        return target.stat().st_size
    finally:
        for left in (unfinished, *(unfinished.with_name(unfinished.name + end) for end in ("-journal", "-wal", "-shm"))):
            with suppress(FileNotFoundError):
                left.unlink()


def _refuse(path: Path, target: Path, *, force: bool) -> None:
    if not path.exists():
        raise not_there(path)
    if target.is_dir():
        raise UsageError(f"{target} is a folder", "Name the file to write.")
    if target.exists() and not force:
        raise UsageError(f"{target} is there already", "Choose another name, or replace it with --force.")
    own = [path.with_name(path.name + end).resolve() for end in ("", "-wal", "-shm")]
    if target.resolve() in own:
        raise UsageError(f"{target} is the store itself", "Name another file.")


def _copy(path: Path, unfinished: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(unfinished)) as copy,
        ):
            source.backup(copy)  # all in one step: in WAL mode it holds no writer back
            copy.execute("PRAGMA journal_mode = DELETE")  # so that it is one file
            found = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if found != "ok":
                raise unavailable(path, sqlite3.DatabaseError(f"its copy is damaged: {found}"))
    except sqlite3.Error as error:
        raise unavailable(path, error) from error


def _give_name(unfinished: Path, target: Path, *, force: bool) -> None:
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    if force:
        unfinished.replace(target)
    else:
        os.link(unfinished, target)  # fails where somebody else took the name in the meantime
    folder = os.open(target.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
