"""What ``jsm connect`` found, for a person and for a program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsmsso.jsm.account import Account
from jsmsso.jsm.connection import Way
from jsmsso.jsm.missing import Missing
from jsmsso.jsm.permissions import DESK_ABILITIES, Abilities

if TYPE_CHECKING:
    from rich.console import Console

MOST_ROWS = 20  # of service desks; more are drawn in groups that may do the same
WORDS = {True: ("yes", "green"), False: ("no", "red"), None: ("?", "yellow")}


@dataclass(frozen=True, slots=True)
class Admin:
    """The second account, which creates customers only: ``account`` is None where its token could not be tried."""

    api_token: str
    account: Account | None
    create_accounts: bool | None
    trouble: str

    @property
    def problem(self) -> str:
        """Why it is of no use; empty where it may create accounts, or JSM does not tell."""
        return self.trouble or ("its account may not create accounts" if self.create_accounts is False else "")

    def data(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "api_token": self.api_token,
            "account": _account(self.account) if self.account else None,
            "create_accounts": self.create_accounts,
            "problem": self.problem,
        }


@dataclass(frozen=True, slots=True)
class Connection:
    """What ``connect`` found and wrote."""

    path: Path
    way: Way
    api_token: str
    expires: date | None
    abilities: Abilities
    missing: tuple[Missing, ...]
    written: bool
    admin: Admin | None

    def data(self) -> dict[str, Any]:
        """For ``--json``: ``may`` and ``create_accounts`` are true, false, or null for "could not tell"."""
        return {
            "url": self.way.site.base_url,
            "kind": self.way.site.kind,
            "cloud_id": self.way.cloud_id or None,
            "account": _account(self.way.account),
            "api_token": self.api_token,
            "api_token_expires": self.expires,
            "service_desks": [
                {"id": desk.desk.id, "key": desk.desk.key, "name": desk.desk.name, "may": dict(desk.may)} for desk in self.abilities.desks
            ],
            "create_accounts": self.abilities.create_accounts,
            "admin": self.admin.data() if self.admin else None,
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

        site = self.way.site
        console.print(Text(f"Connected to {site.base_url} ({site.kind}) as {_named_account(self.way.account)}"))
        if self.way.cloud_id:
            console.print(Text("Its token has scopes: calls go through Atlassian's gateway (jsm.cloud_id)."))
        if self.abilities.desks:
            console.print()
            console.print(self._table())
        console.print()
        word, colour = WORDS[self.abilities.create_accounts]
        console.print(Text.assemble("  create accounts  ", (word, colour)))
        if self.admin is not None and self.admin.account is not None:
            word, colour = WORDS[self.admin.create_accounts]
            console.print(Text.assemble(f"  create accounts as {_named_account(self.admin.account)}  ", (word, colour)))
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


def _account(account: Account) -> dict[str, str]:
    return {"id": account.id, "name": account.display_name, "email": account.email}


def _named_account(account: Account) -> str:
    return f"{account.display_name} <{account.email}>" if account.email else account.display_name


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
