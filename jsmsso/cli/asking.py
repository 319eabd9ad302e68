"""Questions on a terminal. They stand on standard error, also where standard output goes into a file."""

from __future__ import annotations

import os
import sys

import typer


def somebody_types() -> bool:
    """Whether standard input is a terminal that is ours to read: in the background, reading it would stop the process."""
    if not sys.stdin.isatty():
        return False
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (AttributeError, OSError):  # Windows; a terminal that is nobody's
        return True


def ask(question: str) -> str:
    """A line that the person types, without its end; empty for Enter alone. Ctrl-C and Ctrl-D end the command (130)."""
    if sys.stdout.isatty():
        return str(typer.prompt(question, default="", show_default=False, err=True))
    # typer.prompt would write the last character of the question into the file.
    print(f"{question}: ", end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        raise typer.Abort
    return line.rstrip("\r\n")


def ask_unseen(question: str) -> str:
    """A secret, typed without showing it; empty for Enter alone."""
    import getpass

    try:
        return getpass.getpass(f"{question}: ").strip()
    except EOFError:
        raise typer.Abort from None


def confirm(question: str, *, default: bool) -> bool:
    """Yes or no; ``default`` for Enter alone."""
    while True:
        answer = ask(f"{question} {'[Y/n]' if default else '[y/N]'}").strip().lower()
        if answer in ("", "y", "yes", "n", "no"):
            return answer.startswith("y") if answer else default
