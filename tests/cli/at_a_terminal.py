"""A command in a terminal, and what stood on its screen."""

from __future__ import annotations

from collections.abc import Callable

import pexpect

from tests.services.children import PATIENCE, installed_script
from tests.services.home import Home

Spawn = Callable[..., pexpect.spawn]


def at_terminal(home: Home, *arguments: str, env: dict[str, str] | None = None) -> pexpect.spawn:
    """``jsmsso`` in a terminal of 80 columns; see :func:`ended`."""
    command = pexpect.spawn(
        str(installed_script("jsmsso")),
        list(arguments),
        env=home.env | (env or {}),
        cwd=str(home.work),
        encoding="utf-8",
        dimensions=(40, 80),
        timeout=PATIENCE,
        use_poll=True,
    )
    command.logfile_read = Transcript()
    return command


class Transcript:
    """All that stood on the screen."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


def ended(command: pexpect.spawn) -> tuple[int, str]:
    """Its exit code and its screen, once it has ended."""
    command.expect(pexpect.EOF)
    command.close()
    return command.exitstatus, command.logfile_read.text
