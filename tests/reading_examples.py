"""The examples read by their own programs' rules: command lines, the Dockerfile, which secrets a profile expects."""

from __future__ import annotations

import re
from typing import Any

import typer

from jsmsso.cli.app import app
from jsmsso.profile.model import Profile
from jsmsso.profile.secrets import references
from tests.services import REPOSITORY

EXAMPLES = REPOSITORY / "examples"
DOCKERFILE = EXAMPLES / "docker" / "Dockerfile"


def parsed(arguments: list[str]) -> dict[str, Any]:
    """A command line as the real command reads it. Raises what it would complain with."""
    root: Any = typer.main.get_command(app)
    context = root.make_context("jsmsso", list(arguments))
    while hasattr(context.command, "resolve_command"):
        name, command, rest = context.command.resolve_command(context, [*context._protected_args, *context.args])
        context = command.make_context(name, rest, parent=context)
    return {**context.find_root().params, **context.params}


def secrets_below(profile: Profile, folder: str) -> set[str]:
    """The names of the files that a profile expects; all of its secrets must lie there."""
    assert all(one.startswith(f"file:{folder}/") for one in references(profile)), references(profile)
    return {one.removeprefix(f"file:{folder}/") for one in references(profile)}


def instructions(stage: int) -> list[tuple[str, str]]:
    """The instructions of a stage of the Dockerfile, such as ``("USER", "10001:10001")``."""
    stages = re.split(r"(?m)^(?=FROM )", re.sub(r"(?m)^#.*\n", "", DOCKERFILE.read_text()))[1:]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in stages[stage].splitlines() if line)]


def one(word: str) -> str:
    """The value of the only instruction of that name in the image itself."""
    (value,) = [rest for name, rest in instructions(1) if name == word]
    return value
