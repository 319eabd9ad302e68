"""``customers sync``: rows from a source, written to JSM or looked at, and what came of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from jsmsso.cli.bulk_load.loading import Loaded, load
from jsmsso.cli.bulk_load.planning import Planner
from jsmsso.cli.bulk_load.progress import showing
from jsmsso.cli.bulk_load.rows import Done, Row
from jsmsso.cli.bulk_load.writing import Writer
from jsmsso.cli.people.opening import AUDIT_LOST, Books, now
from jsmsso.cli.render import Result
from jsmsso.errors import NotReady
from jsmsso.jsm.calm import Calm
from jsmsso.jsm.client import Patience
from jsmsso.jsm.customers.shared_calm import SharedCalm
from jsmsso.profile.model import Customers

if TYPE_CHECKING:
    from rich.console import Console

MOST_SHOWN = 50  # rows on a terminal; --json has all of them
EXIT_FAILED = 5


def sync(books: Books, read: Callable[[], list[Row]], source: str, *, dry_run: bool) -> Result:
    """Write the rows that ``read`` gives to JSM; with ``dry_run`` only look. Exit code 5 where one failed or was not tried."""
    settings = _settings(books)
    rows = read()
    warnings = list(_unused(rows, settings))
    stop = threading.Event()
    with showing(len(rows)) as (told, say):
        patience = Patience(
            now=now,
            sleep=lambda seconds: _sleep(stop, seconds),
            told=lambda seconds, reason: say(f"{reason}; trying again in {seconds:.0f} s"),
        )
        # Looking writes nothing at all, not even when the site asked for a pause.
        to = books.connect(patience, Calm() if dry_run else SharedCalm(books.store, now))
        act: Callable[[Row], Done] = Planner(books, to) if dry_run else Writer(books, to)
        loaded = load(rows, act, told=told, stop=stop, keeps_changes=dry_run)
    if books.audit.lost:
        warnings.append(AUDIT_LOST.format(folder=books.audit.folder))
    keys = {portal.service_desk: portal.key for portal in books.profile.portals}
    failed = bool(loaded.failed or loaded.stopped)
    return Result(
        _data(loaded, source, keys, dry_run=dry_run),
        lambda console: _draw(console, loaded, keys, dry_run=dry_run),
        tuple(warnings),
        EXIT_FAILED if failed else 0,
    )


def _settings(books: Books) -> Customers:
    settings = books.customers
    if books.profile.jsm is None:
        raise NotReady("the profile names no JSM site", "Run: jsmsso jsm connect")
    if settings.by != "rest":
        raise NotReady(f"jsm.customers.by: {settings.by} is not acted on yet", "Use rest.")
    if not (settings.create or settings.add_to_service_desk or settings.organizations != "off"):
        raise NotReady(
            "the profile asks to write nothing about customers",
            "Set what is wanted of jsm.customers.create, add_to_service_desk and organizations.",
        )
    return settings


def _unused(rows: Iterable[Row], settings: Customers) -> Iterable[str]:
    if settings.organizations == "off" and any(row.organizations for row in rows):
        yield "the organizations are not written: jsm.customers.organizations is off"
    if not settings.add_to_service_desk and any(row.portals for row in rows):
        yield "nobody is added to the portals: jsm.customers.add_to_service_desk is off"


def _sleep(stop: threading.Event, seconds: float) -> None:
    stop.wait(seconds)


def _data(loaded: Loaded, source: str, keys: dict[str, str], *, dry_run: bool) -> dict[str, Any]:
    data: dict[str, Any] = {
        "source": source,
        "dry_run": dry_run,
        "rows": loaded.rows,
        "done": loaded.count,
        "created": loaded.created,
        "done_before": loaded.before,
        "not_tried": loaded.not_tried,
        "stopped": loaded.stopped or None,
        "failed": [
            {"line": one.row.line, "email": one.row.email, "reason": one.reason, "message": one.message, "hint": one.hint}
            for one in sorted(loaded.failed, key=lambda one: one.row.line)
        ],
    }
    if dry_run:
        data["changes"] = [
            {
                "line": one.row.line,
                "email": one.row.email,
                "account_id": one.account_id or None,
                "create": one.created,
                "portals": [keys.get(desk, desk) for desk in one.desks],
                "join": list(one.joins),
                "leave": list(one.leaves),
                "create_organizations": list(one.new),
            }
            for one in _in_order(loaded)
        ]
    return data


def _in_order(loaded: Loaded) -> list[Done]:
    return sorted(loaded.changes, key=lambda one: one.row.line)


def _draw(console: Console, loaded: Loaded, keys: dict[str, str], *, dry_run: bool) -> None:
    from rich.text import Text

    from jsmsso.cli.connection.showing import row, table

    if loaded.changes:
        drawn = table("line", "address", "would be")
        for one in _in_order(loaded)[:MOST_SHOWN]:
            row(drawn, str(one.row.line), one.row.email, _change(one, keys))
        console.print(drawn)
        _more(console, len(loaded.changes))
        console.print()
    if loaded.failed:
        drawn = table("line", "address", "failed", "because")
        for failed in sorted(loaded.failed, key=lambda one: one.row.line)[:MOST_SHOWN]:
            row(drawn, str(failed.row.line), failed.row.email, failed.reason, failed.message)
        console.print(drawn)
        _more(console, len(loaded.failed))
        for hint in {failed.reason: failed.hint for failed in reversed(loaded.failed) if failed.hint}.values():
            console.print(Text(f"  {hint}"), soft_wrap=True)
        console.print()
    if loaded.stopped:
        console.print(Text(f"Stopped: {loaded.stopped}", style="red"), soft_wrap=True)
    console.print(Text(_counts(loaded, dry_run=dry_run)), soft_wrap=True)
    if dry_run and loaded.created:
        console.print(Text("Where JSM has an account that hides its address, creating it fails: link it then."))
    if (loaded.failed or loaded.stopped) and not dry_run:
        console.print(Text("Run it again when that is mended: what is done is passed over."))


def _change(one: Done, keys: dict[str, str]) -> str:
    parts = ["created"] if one.created else []
    if one.desks:
        parts.append(f"added to {', '.join(keys.get(desk, desk) for desk in one.desks)}")
    if one.joins:
        names = (f"{name} (new)" if name in one.new else name for name in one.joins)
        parts.append(f"put into {', '.join(names)}")
    if one.leaves:
        parts.append(f"taken out of {', '.join(one.leaves)}")
    return ", ".join(parts)


def _more(console: Console, count: int) -> None:
    if count > MOST_SHOWN:
        console.print(f"  and {count - MOST_SHOWN:,} more; --json has all of them")


def _counts(loaded: Loaded, *, dry_run: bool) -> str:
    changes = (
        f"{len(loaded.changes):,} to change, {loaded.created:,} of them to create"
        if dry_run
        else f"{loaded.count:,} done, {loaded.created:,} of them created"
    )
    told = [f"{loaded.rows:,} customers: {changes}"]
    if loaded.before:
        told.append(f"{loaded.before:,} done before")
    if loaded.failed:
        told.append(f"{len(loaded.failed):,} {'would fail' if dry_run else 'failed'}")
    if loaded.not_tried:
        told.append(f"{loaded.not_tried:,} not tried")
    return ", ".join(told) + ("; nothing was written." if dry_run else ".")
