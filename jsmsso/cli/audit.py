"""``jsmsso audit``: who signed in, who was refused, what was done for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from jsmsso.cli.render import Result, reports

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(add_completion=False)

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_COLUMNS = ("time", "event", "email", "portal")  # the rest of a line stands behind or below them
_LONG = ("issuer", "subject")  # shown by --json alone


def _option(name: str, help_: str, metavar: str) -> Any:
    return typer.Option(name, help=help_, metavar=metavar, show_default=False)


@app.command()
@reports
def audit(
    profile: str,
    email: Annotated[str, _option("--email", "What is there about this person.", "E")] = "",
    since: Annotated[str, _option("--since", "Not older than that: 2h, 3d, a date, or a date and time (UTC).", "T")] = "",
    portal: Annotated[str, _option("--portal", "What was done at this portal, by key.", "KEY")] = "",
    event: Annotated[str, _option("--event", "Events of this name, such as login.refused.", "NAME")] = "",
) -> Result:
    """Show the audit trail of this machine, newest last."""
    from jsmsso.profile.locating import locate_profile
    from jsmsso.profile.reading import read_profile
    from jsmsso.store.audit import Audit, audit_folder

    path = locate_profile(profile)
    read = read_profile(path)
    trail = Audit(audit_folder(read.log.audit_folder, read.store.url if read.store else None, path.parent))
    skipped: list[Any] = []
    found = list(trail.read(since=_since(since), email=_folded(email), portal=portal, event=event, skipped=skipped.append))
    found.sort(key=lambda record: str(record.get("time", "")))  # the workers' lines come nearly in order
    warnings = (f"{len(skipped)} lines in {trail.folder} could not be read",) if skipped else ()
    if not found:
        empty = f"Nothing{' that fits' if email or since or portal or event else ''} is in {trail.folder}."
        return Result(data=found, text=empty, warnings=warnings)
    return Result(data=found, text=lambda console: _draw(console, found), warnings=warnings)


def _since(text: str) -> float:
    """Seconds since the epoch: ``2h`` is two hours ago; a date begins at midnight, UTC. Raises :class:`UsageError`."""
    import time
    from datetime import UTC, datetime

    from jsmsso.errors import UsageError

    if not text:
        return 0.0
    if text[-1] in _UNITS and text[:-1].isascii() and text[:-1].isdecimal() and len(text) < 10:
        return max(0.0, time.time() - int(text[:-1]) * _UNITS[text[-1]])
    try:
        when = datetime.fromisoformat(text)
        return max(0.0, (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        raise UsageError(f"--since {text!r} is no time", "Such as 2h, 3d, 2026-11-01 or 2026-11-01T08:00.") from None


def _folded(email: str) -> str:
    """The address as the trail has it. Raises :class:`UsageError`."""
    from jsmsso.errors import UsageError
    from jsmsso.identity.email_address import NotAnEmailAddress, fold_email

    try:
        return fold_email(email) if email else ""
    except NotAnEmailAddress as error:
        raise UsageError(f"--email {email!r} is no address: {error}") from None


def _draw(console: Console, found: list[dict[str, Any]]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    from jsmsso.cli.connection.showing import visible

    lines = [[visible(str(record.get(name, ""))) for name in _COLUMNS] for record in found]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line, record in zip(lines, found, strict=True):
        line[0] = line[0][:19].replace("T", " ")
        head = "  ".join(cell.ljust(width) for cell, width in zip(line, (19, *widths[1:]), strict=True)).rstrip()
        more = ", ".join(f"{name}: {visible(str(value))}" for name, value in record.items() if name not in (*_COLUMNS, *_LONG))
        if len(head) + 2 + len(more) <= console.width:
            console.print(Text(head), Text(f" {more}", style="dim"), soft_wrap=True)
            continue
        console.print(Text(head), soft_wrap=True)
        console.print(Padding(Text(more, style="dim"), (0, 0, 0, 4), expand=False))
