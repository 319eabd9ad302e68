"""``jsmsso secrets``: keep secrets out of the profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from jsmsso.cli.render import Result, reports

if TYPE_CHECKING:
    from rich.console import Console

    from jsmsso.profile.moving import Plan

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Keep secrets out of the profile."""


@app.command("list")
@reports
def list_(profile: str) -> Result:
    """List every reference of the profile and whether its secret is there; exit code 1 if one is not. Never shows a secret."""
    from jsmsso.profile.locating import locate_profile
    from jsmsso.profile.parsing import dotted
    from jsmsso.profile.reading import read_profile
    from jsmsso.profile.secrets import references_in, state_of

    path = locate_profile(profile)
    found = [(one, state_of(one, base=path.parent)) for one in references_in(read_profile(path))]
    rows = [
        {"key": dotted(one.location), "reference": one.text, "state": state.word, "detail": state.detail, "hint": state.hint}
        for one, state in found
    ]
    if not rows:
        return Result(data=[], text="The profile refers to no secret yet.\nNext: jsmsso provider add cognito")
    lacking = any(state.word in ("missing", "unreadable") for _, state in found)
    return Result(data=rows, text=lambda console: _draw_list(console, rows), exit_code=1 if lacking else 0)


def _draw_list(console: Console, rows: list[dict[str, str]]) -> None:
    from rich.text import Text

    from jsmsso.cli.connection.showing import row, table

    drawn = table("state", "reference", "key")
    for one in rows:
        row(drawn, one["state"], one["reference"], one["key"])
    console.print(drawn)
    wrong = [one for one in rows if one["detail"]]
    if wrong:
        console.print()
    for one in wrong:
        console.print(Text(f"{one['key']}: {one['detail']}"), soft_wrap=True)
        for line in one["hint"].splitlines():
            console.print(Text(f"  {line}"), soft_wrap=True)


@app.command("set")
@reports
def set_(
    name: Annotated[
        str, typer.Argument(help="The NAME of keyring:NAME, such as cognito/client_secret; or a whole file:PATH.", metavar="NAME")
    ],
    profile: str,
) -> Result:
    """Store a secret in the keyring: typed unseen on a terminal, else read from standard input.

    With file:PATH it goes into a file of mode 0600 instead; a relative PATH starts at the profile's folder.
    """
    from jsmsso.profile.locating import locate_profile
    from jsmsso.profile.secrets import write_secret

    reference = name if name.startswith(("keyring:", "file:", "env:")) else f"keyring:{name}"
    write_secret(reference, _typed_or_piped(), base=locate_profile(profile).parent)
    return Result(data={"reference": reference}, text=f"Stored. In the profile it is written {reference}")


def _typed_or_piped() -> str:
    import sys

    from jsmsso.errors import UsageError
    from jsmsso.profile.secrets import MAX_SECRET

    if sys.stdin.isatty():
        from jsmsso.cli.asking import ask_unseen

        return ask_unseen("Secret (typed unseen)")
    piped = sys.stdin.buffer.read(MAX_SECRET + 3)  # and a line end, which is no part of it
    try:
        return piped.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        failed = UsageError("the secret is not UTF-8 text", "Encode random bytes, for example with base64.")
    raise failed


@app.command()
@reports
def move(
    profile: str,
    to: Annotated[str, typer.Option(help="The folder, beside the profile or anywhere.", metavar="file:DIR", show_default=False)],
    as_: Annotated[
        str, typer.Option("--as", help="Its name where jsmsso will run, if that is another.", metavar="file:DIR", show_default=False)
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, show what would change, write nothing.")] = False,
    delete: Annotated[bool, typer.Option("--delete", help="Afterwards delete them where they were.")] = False,
) -> Result:
    """Take the secrets from keyring and files into one folder (files 0600), and rewrite the profile's references.

    For a server or a container, which have no keyring. Variables (env:) stay where they are.
    """
    from jsmsso.profile.locating import locate_profile
    from jsmsso.profile.moving import carry_out, delete_moved, plan_move
    from jsmsso.profile.reading import read_profile

    path = locate_profile(profile)
    plan = plan_move(read_profile(path), path, to, as_)
    deleted: list[str] = []
    warnings: list[str] = []
    if plan.moves and not dry_run:
        carry_out(plan)
        for reference, problem in delete_moved(plan) if delete else ():
            if problem:
                warnings.append(f"{reference} was moved but not deleted: {problem}")
            else:
                deleted.append(reference)
    data = _moved(plan, deleted, dry_run=dry_run)
    return Result(data, lambda console: _draw_move(console, plan, data), tuple(warnings), exit_code=1 if warnings else 0)


def _moved(plan: Plan, deleted: list[str], *, dry_run: bool) -> dict[str, Any]:
    from jsmsso.profile.parsing import dotted

    return {
        "profile": str(plan.path),
        "folder": str(plan.folder),
        "moved": [
            {"key": dotted(one.reference.location), "from": one.reference.text, "to": one.to, "file": str(one.file)} for one in plan.moves
        ],
        "left": [{"key": dotted(one.location), "reference": one.text} for one in plan.left],
        "deleted": deleted,
        "dry_run": dry_run,
    }


def _draw_move(console: Console, plan: Plan, data: dict[str, Any]) -> None:
    from rich.text import Text

    from jsmsso.cli.connection.showing import row, table

    def say(line: str) -> None:
        console.print(Text(line), soft_wrap=True)

    if not plan.moves:
        say("Nothing to move.")
    else:
        drawn = table("was", "would be" if data["dry_run"] else "is now")
        for was, to in dict.fromkeys((one["from"], one["to"]) for one in data["moved"]):
            row(drawn, was, to)
        console.print(drawn)
        console.print()
    for one in data["left"]:
        if one["reference"].startswith("env:"):
            say(f"{one['key']} stays {one['reference']}: set it where jsmsso will be started.")
    if data["dry_run"] or not plan.moves:
        return
    files = {one.file for one in plan.moves if one.secret is not None}
    say(f"Wrote {len(files)} {'file' if len(files) == 1 else 'files'} to {plan.folder} and the references to {plan.path}.")
    kept = [
        text for text in dict.fromkeys(one.reference.text for one in plan.moves if one.secret is not None) if text not in data["deleted"]
    ]
    if kept:
        say(f"The old ones stay: {', '.join(kept)}.")
