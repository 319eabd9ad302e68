"""What ``jsm connect`` found, for a person and for a program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsmsso.jsm.account import Account
from jsmsso.jsm.missing import Missing
from jsmsso.jsm.permissions import DESK_ABILITIES, Abilities
from jsmsso.jsm.site import Site

if TYPE_CHECKING:
    from rich.console import Console

MOST_ROWS = 20  # of service desks; more are drawn in groups that may do the same
WORDS = {True: ("yes", "green"), False: ("no", "red"), None: ("?", "yellow")}


@dataclass(frozen=True, slots=True)
class Connection:
    """What ``connect`` found and wrote."""

    path: Path
    site: Site
    account: Account
    api_token: str
    expires: date | None
    abilities: Abilities
    missing: tuple[Missing, ...]
    written: bool

    def data(self) -> dict[str, Any]:
        """For ``--json``: ``may`` and ``create_accounts`` are true, false, or null for "could not tell"."""
        return {
            "url": self.site.base_url,
            "kind": self.site.kind,
            "account": {"id": self.account.id, "name": self.account.display_name, "email": self.account.email},
            "api_token": self.api_token,
            "api_token_expires": self.expires,
            "service_desks": [
                {"id": desk.desk.id, "key": desk.desk.key, "name": desk.desk.name, "may": dict(desk.may)} for desk in self.abilities.desks
            ],
            "create_accounts": self.abilities.create_accounts,
            "missing": [
                {
                    "ability": missing.ability.name,
                    "denied": missing.denied,
                    "service_desks": list(missing.desks),
                    "permission": missing.ability.permission,
                    "stays_off": missing.ability.without,
                    "needed": not missing.unneeded,
                }
                for missing in self.missing
            ],
            "profile": str(self.path),
            "written": self.written,
        }

    def draw(self, console: Console) -> None:
        """For a person."""
        from rich.text import Text

        account = f"{self.account.display_name} <{self.account.email}>" if self.account.email else self.account.display_name
        console.print(Text(f"Connected to {self.site.base_url} ({self.site.kind}) as {account}"))
        if self.abilities.desks:
            console.print()
            console.print(self._table())
        console.print()
        word, colour = WORDS[self.abilities.create_accounts]
        console.print(Text.assemble("  create accounts  ", (word, colour)))
        for missing in self.missing:
            console.print()
            _draw_missing(console, missing)
        console.print()
        ends = f", ends on {self.expires}" if self.expires else ""
        console.print(Text(f"Token: {self.api_token}{ends}"))
        console.print(Text(f"Wrote jsm to {self.path}." if self.written else f"{self.path} says so already."))
        console.print("Next: jsmsso portals sync")

    def _table(self) -> Any:
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("  service desk", overflow="fold")
        for heading in ("list", "raise", "comment", "customers", "organizations"):
            table.add_column(heading, no_wrap=True)
        for label, may in self._rows():
            table.add_row(Text(f"  {label}"), *(Text(*WORDS[may[ability.name]]) for ability in DESK_ABILITIES))
        return table

    def _rows(self) -> list[tuple[str, Any]]:
        desks = self.abilities.desks
        if len(desks) <= MOST_ROWS:
            return [(f"{desk.desk.key}  {desk.desk.name}", desk.may) for desk in desks]
        alike: dict[tuple[bool | None, ...], list[Any]] = {}
        for desk in desks:
            alike.setdefault(tuple(desk.may.values()), []).append(desk)
        return [(_named([desk.desk.key for desk in group]), group[0].may) for group in alike.values()]


def _draw_missing(console: Console, missing: Missing) -> None:
    import textwrap

    from rich.text import Text

    on = f" on {_named(missing.desks)}" if missing.desks else ""
    word, colour = ("no", "red") if missing.denied else ("could not tell", "yellow")
    console.print(Text.assemble((f"  {word}", colour), f"  {missing.ability.label}{on}"))
    lines = [f"takes: {missing.ability.permission}", f"without it: {missing.ability.without}"]
    if missing.unneeded:
        lines.append(f"not needed now: {missing.unneeded}")
    for line in lines:
        console.print(Text(textwrap.fill(line, 78, initial_indent=" " * 6, subsequent_indent=" " * 8)))


def _named(keys: Sequence[str]) -> str:
    first, more = ", ".join(keys[:4]), len(keys) - 4
    return f"{first} and {more:,} more" if more > 0 else first
