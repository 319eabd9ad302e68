"""``jsmsso profile``: check it, print its schema, or say where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from jsmsso.cli.render import Result, reports
from jsmsso.profile.locating import locate_profile

if TYPE_CHECKING:
    from pathlib import Path

    from jsmsso.profile.model import Profile
    from jsmsso.profile.readiness import Notes

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Check the profile, print its schema or its path."""


@app.command("check")
@reports
def check(profile: str) -> Result:
    """Check the profile; prints what it holds, or everything that is wrong with it (exit code 3).

    Also says what `jsmsso serve` would refuse, which does not make the profile invalid.
    """
    from jsmsso.profile.readiness import serving_notes
    from jsmsso.profile.reading import read_profile
    from jsmsso.profile.secrets import readable_by_others

    path = locate_profile(profile)
    read = read_profile(path)
    notes = serving_notes(read)
    open_files = readable_by_others(read, base=path.parent)
    return Result(
        data=_document(path, read, notes, open_files),
        text=_table(path, read),
        warnings=(*(f"serve refuses: {note}" for note in notes.refused), *notes.named, *open_files),
    )


@app.command("schema")
@reports
def schema() -> Result:
    """Print the profile's JSON Schema, for editors that complete YAML by one."""
    import json

    from jsmsso.profile.schema import json_schema

    document = json_schema()
    return Result(data=document, text=json.dumps(document, indent=2, ensure_ascii=False))


@app.command("path")
@reports
def path(profile: str) -> Result:
    """Print the path of the profile in use, or the one that a new profile would get."""
    located = str(locate_profile(profile))
    return Result(data={"path": located}, text=located)


def _document(path: Path, profile: Profile, notes: Notes, open_files: tuple[str, ...]) -> dict[str, Any]:
    return {
        "path": str(path),
        "valid": True,
        "providers": list(profile.providers),
        "rules": len(profile.access or ()),
        "jsm": profile.jsm.url if profile.jsm else None,
        "portals": [portal.key for portal in profile.portals],
        "complaints": [],
        "refused": list(notes.refused),
        "named": list(notes.named),
        "warnings": list(open_files),
    }


def _table(path: Path, profile: Profile) -> str:
    keys = [portal.key for portal in profile.portals]
    more = f" and {len(keys) - 6} more" if len(keys) > 6 else ""
    providers = ", ".join(f"{name} ({provider.type})" for name, provider in profile.providers.items())
    rules = len(profile.access or ())
    rows = (
        ("public_url", profile.public_url),
        ("providers", providers or "none"),
        ("access", f"{rules} {'rule' if rules == 1 else 'rules'}" if rules else "no rules: every verified email"),
        ("jsm", profile.jsm.url if profile.jsm else "none"),
        ("portals", f"{len(keys)}: {', '.join(keys[:6])}{more}" if keys else "none"),
    )
    return "\n".join([f"{path} is valid.", "", *(f"  {key:<12}{value}" for key, value in rows)])
