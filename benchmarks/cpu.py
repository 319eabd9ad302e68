"""CPU time, user and system: of a command from start to end, and of a server with all its processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


def of_command(command: Sequence[str], env: Mapping[str, str] | None = None, cwd: Path | None = None) -> float:
    """Milliseconds that a command takes, its output thrown away. Raises RuntimeError when it fails."""
    process = subprocess.Popen(command, env=env, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return (usage.ru_utime + usage.ru_stime) * 1000


class Tree:
    """A server's processes: the one that was started and all its descendants, by what /proc says of parents."""

    def __init__(self, pid: int) -> None:
        self.pids = descendants(pid)

    def milliseconds(self) -> float:
        """CPU time since they started. Raises RuntimeError when one of them has ended, as its time would be missing."""
        try:
            return sum(time.clock_gettime(_cpu_clock(pid)) for pid in self.pids) * 1000
        except OSError:
            raise RuntimeError("a process of the server ended while it was measured") from None


def descendants(pid: int) -> tuple[int, ...]:
    """``pid`` and every process below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue  # it ended meanwhile
            parent = int(stat[stat.rindex(")") + 2 :].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return tuple(found)


def can_measure_servers() -> bool:
    """Whether this system tells the CPU time of another process the way we ask for it."""
    return sys.platform == "linux"


def _cpu_clock(pid: int) -> int:
    """clock_getcpuclockid(3) of a process, as Linux numbers it: to the nanosecond, where /proc/PID/stat has ticks of 10 ms."""
    return (~pid << 3) | 2
