"""Start-up: what a command costs beside a bare Typer application that does as little."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import cpu

PEERS = Path(__file__).parent / "peers"
ALLOWED = 1.3  # times the bare application


@dataclass(frozen=True, slots=True)
class Pair:
    """Medians in milliseconds of CPU, whole processes."""

    name: str
    ours: float
    bare: float

    @property
    def ratio(self) -> float:
        return self.ours / self.bare


def measure(rounds: int) -> tuple[Pair, ...]:
    """Each command and its bare counterpart, started in turns ``rounds`` times."""
    jsmsso = str(Path(sys.executable).with_name("jsmsso"))
    python = sys.executable
    two, one = str(PEERS / "typer_two_commands.py"), str(PEERS / "typer_one_line.py")
    return (
        _pair("jsmsso --help", [jsmsso, "--help"], [python, two, "--help"], rounds),
        _pair("jsmsso profile path", [jsmsso, "profile", "path"], [python, one], rounds),
    )


def _pair(name: str, ours: list[str], bare: list[str], rounds: int) -> Pair:
    taken: tuple[list[float], list[float]] = ([], [])
    env = {name: value for name, value in os.environ.items() if name != "JSMSSO_PROFILE"}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(rounds + 1):
            for times, command in zip(taken, (ours, bare), strict=True):
                spent = cpu.of_command(command, env, Path(folder))
                if turn > 0:  # the first start compiles what is not compiled yet
                    times.append(spent)
    return Pair(name, statistics.median(taken[0]), statistics.median(taken[1]))
