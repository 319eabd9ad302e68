"""``jsmsso secrets``: keep secrets out of the profile."""

from __future__ import annotations

from typing import Annotated

import typer

from jsmsso.cli.render import Result, reports

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Keep secrets out of the profile."""


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
