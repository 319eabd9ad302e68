"""Bars that count what a site gives page by page: on a terminal's standard error, and nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jsmsso.cli.render import console, progress_line

if TYPE_CHECKING:
    from jsmsso.jsm.client import Patience
    from jsmsso.jsm.paging import Progress

LONGEST_LABEL = 15  # characters; so that the bars stand below each other


class Counting:
    """Makes a bar for each thing that is counted, and tells of pauses beside them."""

    def __init__(self, bar: Callable[[str], Progress], say: Callable[[str], None]) -> None:
        self.bar = bar
        self._say = say

    @property
    def patience(self) -> Patience:
        """For a client: waits, and says so, since a minute of silence looks like a fault."""
        from jsmsso.jsm.client import Patience

        return Patience(told=lambda seconds, reason: self._say(f"{reason}; trying again in {seconds:.0f} s"))


@contextmanager
def counting() -> Iterator[Counting]:
    """While in the block bars are shown, if standard error is a terminal."""
    if not sys.stderr.isatty():
        yield Counting(lambda label: lambda count, done: None, progress_line)
        return
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(24), TextColumn("{task.fields[said]}"))
    with Progress(*columns, console=console(stderr=True)) as shown:

        def bar(label: str) -> Callable[[int, bool], None]:
            task = shown.add_task(label.ljust(LONGEST_LABEL), total=None, said="")

            def told(count: int, done: bool) -> None:
                # JSM gives no total: the bar swings until the last page says that it is.
                shown.update(
                    task, completed=count, total=(count or 1) if done else None, said=f"{count} of {count}" if done else f"{count}"
                )
                if done and not count:
                    shown.update(task, completed=1, said="none")

            return told

        yield Counting(bar, lambda line: shown.console.print(line, markup=False))
    if shown.tasks:
        print(file=sys.stderr)  # a line between the bars and what follows
