"""``jsmsso sessions``: end sessions on every worker and machine."""

from __future__ import annotations

from typing import Annotated

import typer

from jsmsso.cli.render import Result, reports

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def sessions() -> None:
    """End sessions."""


@app.command()
@reports
def revoke(
    profile: str,
    email: Annotated[str, typer.Option("--email", help="Those of this address.", metavar="E", show_default=False)] = "",
    everybody: Annotated[bool, typer.Option("--all", help="Everybody's.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --all: do not ask.")] = False,
) -> Result:
    """End sessions within two seconds, on every worker. Whoever had one may log in again."""
    from jsmsso.cli.people.opening import asked, folded, open_books
    from jsmsso.cli.people.shutting_out import end_all_sessions, end_sessions_of
    from jsmsso.errors import UsageError

    if bool(email) == everybody:
        raise UsageError("one of --email and --all is needed", "For example: jsmsso sessions revoke --email ada@acme.com")
    address = folded(email) if email else ""
    books = open_books(profile)
    if address:
        return end_sessions_of(books, address)
    if not yes and not asked("End everybody's sessions?"):
        return Result({"revoked": None, "email": None}, "No session was ended.", exit_code=1)
    return end_all_sessions(books)
