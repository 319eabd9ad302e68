"""``jsmsso customers``: what is known of people here and in JSM, and what an operator does about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from jsmsso.cli.render import Result, reports

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(no_args_is_help=True, add_completion=False)

EmailArgument = Annotated[str, typer.Argument(metavar="EMAIL", help="The customer's address.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.callback()
def customers() -> None:
    """Show, link, load, export and shut out customers."""


@app.command()
@reports
def sync(
    profile: str,
    file: Annotated[
        str, typer.Option("--file", help="A CSV file with a column email; - is standard input.", metavar="FILE.csv", show_default=False)
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look and say what would change; write nothing.")] = False,
) -> Result:
    """Write many customers to JSM before their first login.

    The file's first line names its columns: email, and if wanted first_name,
    last_name, display_name, organizations and portals (several separated by
    semicolons). After a crash run it again: what is done is passed over.
    Exit 5 if a row failed.
    """
    from jsmsso.cli.bulk_load.command import sync
    from jsmsso.cli.bulk_load.csv_file import read_csv
    from jsmsso.cli.people.opening import open_books
    from jsmsso.errors import UsageError

    if not file:
        raise UsageError("missing: --file FILE.csv", "Its first line names the columns; email is the one that is needed.")
    books = open_books(profile)
    keys = [portal.key for portal in books.profile.portals if not portal.gone]
    return sync(books, lambda: read_csv(file, keys), file, dry_run=dry_run)


@app.command()
@reports
def show(email: EmailArgument, profile: str) -> Result:
    """Show what is remembered of an address, and what JSM has. Exit 1 if a login would be refused."""
    from jsmsso.cli.people.looking import find_out
    from jsmsso.cli.people.opening import folded, open_books
    from jsmsso.cli.people.showing import draw

    address = folded(email)
    books = open_books(profile)
    known = find_out(books, address)

    def shown(console: Console) -> None:
        draw(console, known, books.profile)

    return Result(known.data(), shown, exit_code=known.exit_code)


@app.command()
@reports
def link(
    email: EmailArgument,
    profile: str,
    account_id: Annotated[str, typer.Argument(metavar="[ACCOUNT_ID]", help="The account in JSM.", show_default=False)] = "",
    remove: Annotated[bool, typer.Option("--remove", help="Take the link away again.")] = False,
) -> Result:
    """Say which JSM account an address has, where JSM hides it or has two."""
    from jsmsso.cli.people.linking import link, unlink
    from jsmsso.cli.people.opening import folded, open_books
    from jsmsso.errors import UsageError

    address = folded(email)
    if remove and account_id:
        raise UsageError("--remove takes the address alone", f"jsmsso customers link {address} --remove")
    if not remove and not account_id:
        raise UsageError("missing: ACCOUNT_ID", "It stands in the address of the person's page in Atlassian's administration.")
    books = open_books(profile)
    return unlink(books, address) if remove else link(books, address, account_id)


@app.command()
@reports
def failed(
    profile: str,
    retry: Annotated[bool, typer.Option("--retry", help="Let everything that waits be tried now.")] = False,
) -> Result:
    """List what waits to be written to JSM, and why. Exit 1 if something was tried in vain."""
    from jsmsso.cli.people.opening import open_books
    from jsmsso.cli.people.waiting import list_waiting, retry_now

    books = open_books(profile)
    return retry_now(books) if retry else list_waiting(books)


@app.command()
@reports
def revoke(email: EmailArgument, profile: str) -> Result:
    """End an address's sessions and let it in no more, and say what is to do elsewhere."""
    from jsmsso.cli.people.opening import folded, open_books
    from jsmsso.cli.people.shutting_out import revoke

    address = folded(email)
    return revoke(open_books(profile), address)


@app.command()
@reports
def restore(email: EmailArgument, profile: str) -> Result:
    """Let an address in again that was revoked."""
    from jsmsso.cli.people.opening import folded, open_books
    from jsmsso.cli.people.shutting_out import restore

    address = folded(email)
    return restore(open_books(profile), address)


@app.command()
@reports
def export(email: EmailArgument, profile: str) -> Result:
    """Print all that is kept about an address, as one JSON document."""
    from jsmsso.cli.people.keeping import export
    from jsmsso.cli.people.opening import folded, open_books
    from jsmsso.cli.render import print_json

    address = folded(email)
    found = export(open_books(profile), address)
    return Result(found.data, lambda console: print_json(found.data))


@app.command()
@reports
def forget(email: EmailArgument, profile: str, yes: YesOption = False) -> Result:
    """Delete all that is kept about an address, and say what stays where."""
    from jsmsso.cli.people.keeping import forget
    from jsmsso.cli.people.opening import asked, folded, open_books

    address = folded(email)
    books = open_books(profile)
    if not yes and not asked(f"Forget all that is kept about {address}?"):
        return Result({"email": address, "forgotten": None}, "Nothing was forgotten.", exit_code=1)
    return forget(books, address)
