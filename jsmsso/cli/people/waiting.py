"""``customers failed``: what waits to be written to JSM, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jsmsso.cli.connection.showing import row, table
from jsmsso.cli.people.looking import write_data
from jsmsso.cli.people.opening import Books, moment, now
from jsmsso.cli.render import Result
from jsmsso.jsm.customers.wanted import from_content
from jsmsso.store.records import Write

if TYPE_CHECKING:
    from rich.console import Console

MOST = 1_000_000  # of those that are tried again: more than a queue ever holds
MAKING = "making"  # JSM does not know a fresh account yet, which takes up to a minute and is no failure


def list_waiting(books: Books) -> Result:
    """Everything that waits, oldest first; exit code 1 where something was tried in vain."""
    writes = books.store.writes()
    failing = [one for one in writes if one.attempts and one.reason != MAKING]
    count = books.store.count_writes()
    data = {"waiting": count.waiting, "failing": len(failing), "writes": [_data(one) for one in writes]}

    def draw(console: Console) -> None:
        from rich.text import Text

        if failing:
            console.print(_drawn(failing))
            console.print()
        more = f"; the first {len(writes):,} were looked at" if count.waiting > len(writes) else ""
        console.print(Text(f"{count.waiting:,} waiting, {len(failing):,} of them tried in vain{more}."))
        if failing:
            console.print(Text("Each is tried again by itself while jsmsso serve runs. At once: jsmsso customers failed --retry"))

    return Result(data, draw, exit_code=1 if failing else 0)


def retry_now(books: Books) -> Result:
    """Make all that waits due now; ``serve`` takes it up within seconds."""
    writes = books.store.writes(limit=MOST)
    for one in writes:
        at = now()
        books.store.put_write(one.issuer, one.subject, one.provider, one.email, one.content, now=at, due=at)
    text = f"{len(writes):,} due now: jsmsso serve tries them within seconds." if writes else "Nothing waits."
    return Result({"due": len(writes)}, text)


def _data(write: Write) -> dict[str, Any]:
    wanted = from_content(write.content)
    organizations = None if wanted is None or wanted.organizations is None else list(wanted.organizations)
    return write_data(write) | {"service_desks": list(wanted.desks) if wanted else [], "organizations": organizations}


def _drawn(writes: list[Write]) -> Any:
    drawn = table("address", "reason", "tried", "next try", "JSM said")
    for one in writes:
        row(drawn, one.email, one.reason, str(one.attempts), moment(max(one.due, one.lease_until)), one.error)
    return drawn
