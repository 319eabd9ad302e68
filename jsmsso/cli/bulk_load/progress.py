"""How far a load is: a bar on a terminal's standard error, and nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from jsmsso.cli.bulk_load.loading import Loaded
from jsmsso.cli.render import console, progress_line


@contextmanager
def showing(total: int) -> Iterator[tuple[Callable[[Loaded], None], Callable[[str], None]]]:
    """Two functions: one hears of each row that is done with, one says a line beside the bar."""
    if not sys.stderr.isatty():
        yield (lambda loaded: None), progress_line
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(24), TextColumn("{task.fields[said]}"), TimeRemainingColumn())
    with Progress(*columns, console=console(stderr=True)) as shown:
        task = shown.add_task("", total=total, said=f"0 of {total:,}")

        def told(loaded: Loaded) -> None:
            done = loaded.rows - loaded.not_tried
            failed = f", {len(loaded.failed):,} failed" if loaded.failed else ""
            shown.update(task, completed=done, said=f"{done:,} of {total:,}{failed}")

        yield told, lambda line: shown.console.print(line, markup=False)
    print(file=sys.stderr)  # a line between the bar and what follows
