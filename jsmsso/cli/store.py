"""``jsmsso store``: copy what must outlive a request, and see whether it is sound."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jsmsso.cli.render import Result, reports

if TYPE_CHECKING:
    from rich.console import Console

    from jsmsso.profile.model import Profile
    from jsmsso.store.records import Inspection

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Back up the store, and check it."""


@app.command("backup")
@reports
def backup(
    profile: str,
    path: Annotated[Path, typer.Argument(help="The file to write.", show_default=False)],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> Result:
    """Copy a SQLite store to one file, also while it is served. Redis has backups of its own (exit code 2)."""
    from jsmsso.errors import UsageError
    from jsmsso.store.opening import redis_address, sqlite_path
    from jsmsso.store.sqlite_backup import back_up

    read, _ = _profile(profile)
    if redis_address(read.store):
        raise UsageError(
            "the store is in Redis, which has backups of its own", "Copy its dump.rdb or append-only file; see docs/store.md on Redis."
        )
    source = sqlite_path(read.store)
    size = back_up(source, path, force=force)
    return Result(data={"store": str(source), "backup": str(path), "bytes": size}, text=f"Copied {source} to {path} ({size:,} bytes).")


@app.command("check")
@reports
def check(profile: str) -> Result:
    """Check the store and count what is in it; exit code 1 when something is wrong with it, 6 when it does not answer."""
    read, path = _profile(profile)
    found = _inspect(read, path)
    return Result(
        data=asdict(found),
        text=lambda console: _draw(console, found),
        warnings=found.warnings,
        exit_code=1 if found.problems else 0,
    )


def _profile(name: str) -> tuple[Profile, Path]:
    from jsmsso.profile.locating import locate_profile
    from jsmsso.profile.reading import read_profile

    path = locate_profile(name)
    return read_profile(path), path


def _inspect(profile: Profile, path: Path) -> Inspection:
    from jsmsso.profile.outgoing import ca_bundle
    from jsmsso.profile.secrets import read_secret
    from jsmsso.store.opening import open_store, redis_address, sqlite_path
    from jsmsso.store.sqlite_upkeep import inspect_file

    if not redis_address(profile.store):
        return inspect_file(sqlite_path(profile.store))
    reference = profile.store.password if profile.store else None
    password = read_secret(reference, base=path.parent) if reference else None
    store = open_store(profile.store, password=password, namespace=profile.public_url, ca_bundle=ca_bundle(profile, path))
    try:
        store.check()
        return store.inspect()
    finally:
        store.close()


def _draw(console: Console, found: Inspection) -> None:
    from rich.text import Text

    from jsmsso.cli.connection.showing import row, table

    console.print(Text(f"{found.kind} store: {found.place}"), soft_wrap=True)
    facts = {"version": found.version, **found.facts}
    console.print(
        Text("  ".join(f"{name.replace('_', ' ')}: {_shown(value)}" for name, value in facts.items() if value != "")), soft_wrap=True
    )
    console.print()
    drawn = table("table", "rows")
    for name, rows in found.rows.items():
        row(drawn, name, f"{rows:,}")
    console.print(drawn)
    console.print()
    for problem in found.problems:
        console.print(Text(f"Problem: {problem}"), soft_wrap=True)
    if not found.problems:
        console.print("Sound.")


def _shown(value: str | int | bool) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else f"{value:,}" if isinstance(value, int) else value
