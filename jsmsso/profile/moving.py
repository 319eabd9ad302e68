"""A profile's secrets taken to files of one folder, so that they can go to a server or a container with it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsmsso.errors import FileChanged, MachineFailed, SecretUnavailable, UsageError
from jsmsso.profile.editing import editing
from jsmsso.profile.model import Profile
from jsmsso.profile.parsing import dotted
from jsmsso.profile.secrets import Reference, delete_secret, read_secret, references_in, secret_path, write_secret


@dataclass(frozen=True, slots=True)
class Move:
    """One reference and what it becomes. ``secret`` is None where the file lies in the folder already."""

    reference: Reference
    to: str
    file: Path
    secret: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a move does. ``left`` are the references that it leaves as they are."""

    path: Path
    folder: Path
    moves: tuple[Move, ...]
    left: tuple[Reference, ...]


def plan_move(profile: Profile, path: Path, to: str, written_as: str = "") -> Plan:
    """How the secrets of the profile at ``path`` get into the folder ``to`` (``file:DIR``). Writes nothing.

    Those of a keyring and those of other files go; a variable stays where the process is started. ``written_as``
    (``file:DIR``) is the folder's name where jsmsso will run, if that is another. Raises :class:`UsageError`,
    and :class:`MachineFailed` where a secret cannot be read, the folder is not ours alone to write, or a file
    in it holds something else.
    """
    base, name = path.parent, _folder(to, "--to")
    folder = secret_path(name, base).absolute()  # a relative one would start at the profile's folder a second time
    prefix = _folder(written_as, "--as") if written_as else name
    _check_folder(folder)
    everything = list(references_in(profile))
    taken = {one.text: kept.name for one in everything if (kept := _file_of(one, base)) and _same(kept.parent, folder)}
    there = set(taken)
    moves, left = [], []
    for one in everything:
        if one.text.startswith(("env:", f"file:{prefix}/")) and one.text not in there:
            left.append(one)
            continue
        if one.text not in taken:
            taken[one.text] = _name(one.location, set(taken.values()))
        target = f"file:{prefix}/{taken[one.text]}"
        if target == one.text:
            left.append(one)
        else:
            moves.append((one, target))
    secrets = _read_all([one for one, _ in moves if one.text not in there], base)
    plan = Plan(
        path, folder, tuple(Move(one, target, folder / taken[one.text], secrets.get(one.text)) for one, target in moves), tuple(left)
    )
    _check_files(plan)
    return plan


def carry_out(plan: Plan) -> None:
    """Write the files, then the profile: at any moment every reference leads to its secret. Undone where the profile cannot be written.

    Raises what :func:`jsmsso.profile.editing.editing` and :func:`write_secret` raise.
    """
    made: list[Path] = []
    makes_folder = not plan.folder.exists()
    try:
        with editing(plan.path) as document:
            for move in plan.moves:
                _rewrite(document.data, move)
            for move in plan.moves:
                if move.secret is not None:
                    if not os.path.lexists(move.file):
                        made.append(move.file)
                    write_secret(f"file:{move.file}", move.secret, base=plan.path.parent)
    except BaseException:
        for file in made:
            file.unlink(missing_ok=True)
        if makes_folder:
            with suppress(OSError):
                plan.folder.rmdir()
        raise


def delete_moved(plan: Plan) -> Iterator[tuple[str, str]]:
    """Take the moved secrets away from where they were: each reference, and what went wrong with it (empty: nothing)."""
    for text in dict.fromkeys(move.reference.text for move in plan.moves if move.secret is not None):
        kind, _, name = text.partition(":")
        try:
            if kind == "keyring":
                delete_secret(name)
            else:
                secret_path(name, plan.path.parent).unlink()
        except SecretUnavailable as error:
            yield text, error.message
        except OSError as error:
            yield text, (error.strerror or "unknown").lower()
        else:
            yield text, ""


def _folder(reference: str, option: str) -> str:
    kind, _, name = reference.partition(":")
    name = name.rstrip("/")
    if kind != "file" or not name or not name.isprintable():
        raise UsageError(f"{option} takes file:DIR", f"For example {option} file:secrets, a folder beside the profile.")
    return name


def _check_folder(folder: Path) -> None:
    """Refuse a folder in which somebody else could put another file, or could exchange it as a whole."""
    if os.path.lexists(folder) and not folder.is_dir():
        raise UsageError(f"{folder} is no folder", "Name one, or one that is to be made.")
    if os.name != "posix":
        return
    real = folder.resolve()
    for one in (real, *real.parents):
        if not one.exists():
            continue
        found = one.stat()
        writable = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH if one == real else stat.S_IWOTH)
        if writable and (one == real or not found.st_mode & stat.S_ISVTX):
            shared = found.st_mode & stat.S_ISVTX
            hint = "Name a folder of its own in it." if shared else f"Take that away (chmod go-w {one}), or name another folder."
            raise MachineFailed(f"others may write to {one}, so no secret goes there", hint)
        if one == real and os.geteuid() not in (0, found.st_uid):
            raise MachineFailed(f"{one} belongs to another user, so no secret goes there", "Run this as its owner, or name another folder.")


def _file_of(reference: Reference, base: Path) -> Path | None:
    kind, _, name = reference.text.partition(":")
    return secret_path(name, base) if kind == "file" else None


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _name(location: tuple[str | int, ...], taken: set[str]) -> str:
    """``jsm_api_token`` for ``jsm.api_token``: a name that files, systemd, Docker and Kubernetes take alike."""
    parts = location[1:] if location[0] == "providers" else location
    first = "_".join(str(part) for part in parts if isinstance(part, str))
    number = next((part for part in reversed(parts) if isinstance(part, int)), 0)
    name = first if not number else f"{first}_{number + 1}"
    while name in taken:
        number += 1
        name = f"{first}_{number + 1}"
    return name


def _read_all(references: list[Reference], base: Path) -> dict[str, str]:
    secrets: dict[str, str] = {}
    failures: list[tuple[Reference, SecretUnavailable]] = []
    for one in references:
        if one.text in secrets:
            continue
        try:
            secrets[one.text] = read_secret(one.text, base=base)
        except SecretUnavailable as error:
            failures.append((one, error))
    if failures:
        lines = "".join(f"\n  {dotted(one.location)}: {error.message}" for one, error in failures)
        raise MachineFailed(f"nothing was moved, since not every secret can be read:{lines}", failures[0][1].hint)
    return secrets


def _check_files(plan: Plan) -> None:
    for move in plan.moves:
        if move.secret is None or not os.path.lexists(move.file):
            continue
        try:
            same = read_secret(f"file:{move.file}", base=plan.folder) == move.secret
        except SecretUnavailable:
            same = False
        if not same:
            raise MachineFailed(
                f"nothing was moved: {move.file} is there already and holds something else than {move.reference.text}",
                "Delete it if nothing needs it, or name another folder.",
            )


def _rewrite(data: Any, move: Move) -> None:
    *way, last = move.reference.location
    section = data
    try:
        for part in way:
            section = section[part]
        if not isinstance(section[last], str):  # a list of one, which stands for the one
            section, last = section[last], 0
        found = section[last]
    except (LookupError, TypeError):
        found = None
    if found != move.reference.text:
        raise FileChanged(f"{dotted(move.reference.location)} changed while this command ran; nothing was moved", "Run the command again.")
    section[last] = move.to
