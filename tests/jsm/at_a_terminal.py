"""The installed command in a pseudo-terminal, 80 columns wide, as a person has it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pexpect

from tests.services.children import PATIENCE, installed_script
from tests.services.home import Home

CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]")


@contextmanager
def at_a_terminal(home: Home, *arguments: str, env: dict[str, str] | None = None) -> Iterator[pexpect.spawn]:
    """A running ``jsmsso``; ended with the block."""
    child = pexpect.spawn(
        str(installed_script("jsmsso")),
        list(arguments),
        env={**home.env, **(env or {})},
        cwd=str(home.work),
        dimensions=(40, 80),
        encoding="utf-8",
        timeout=PATIENCE,
        use_poll=True,
    )
    try:
        yield child
    finally:
        child.close(force=True)


def rest_of(child: pexpect.spawn) -> str:
    """What it still says until it ends, without colours and cursor movements."""
    child.expect(pexpect.EOF)
    child.wait()
    return CONTROLS.sub("", str(child.before)).replace("\r\n", "\n").replace("\r", "\n")
