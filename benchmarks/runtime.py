"""The runtime's CPU per act, beside other gateways in one run: the same provider, the same load, in turns."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import acts, gateways
from benchmarks.acts import Gateway
from benchmarks.cpu import Tree
from benchmarks.wire import Connection

REDIRECT, LOGIN, SESSION = "redirect to the provider", "complete login", "request with a session"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: rounds, and how often each act is done in one."""

    rounds: int
    requests: int
    logins: int


FULL = Size(rounds=15, requests=1500, logins=400)  # many short rounds: the machine's mood changes within seconds
QUICK = Size(rounds=3, requests=600, logins=150)


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU milliseconds (user and system, all processes of the server) per act: a median, and each round's."""

    median: float
    rounds: tuple[float, ...]

    def ratio_to(self, other: Cost) -> float:
        """The median of each round's ratio, so that what slows both down counts less."""
        return statistics.median(ours / theirs for ours, theirs in zip(self.rounds, other.rounds, strict=True))


@dataclass(frozen=True, slots=True)
class Outcome:
    """``costs[act][gateway]``; ``bare[server]`` is one redirect by the server alone; ``left_out[gateway]`` the reason."""

    costs: dict[str, dict[str, Cost]]
    bare: dict[str, Cost]
    processes: dict[str, int]
    left_out: dict[str, str]


def measure(size: Size, say: Callable[[str], None]) -> Outcome:
    """All acts of all gateways that this machine has. Raises :class:`acts.WrongAnswer` when one does not do the work."""
    left_out = {name: reason for name in gateways.COMMANDS if (reason := gateways.why_not(name))}
    names = [name for name in gateways.COMMANDS if name not in left_out]
    with tempfile.TemporaryDirectory(prefix="jsmsso-bench-") as text:
        folder = Path(text)
        folder.chmod(0o755)
        with gateways.stub_provider(folder) as origin:
            with gateways.all_of(names, origin, folder) as running:
                for one in running:
                    acts.check(one)
                taken = _rounds(running, size, say)
                processes = {one.name: len(Tree(one.pid).pids) for one in running}
            bare = _bare(origin, folder, size, say)
    return Outcome({act: _costs(of) for act, of in taken.items()}, _costs(bare), processes, left_out)


def _rounds(running: tuple[Gateway, ...], size: Size, say: Callable[[str], None]) -> dict[str, dict[str, list[float]]]:
    taken: dict[str, dict[str, list[float]]] = {act: {one.name: [] for one in running} for act in (REDIRECT, LOGIN, SESSION)}
    for number in range(1, size.rounds + 1):
        for one in running[number % len(running) :] + running[: number % len(running)]:  # nobody is always the first
            say(f"round {number} of {size.rounds}: {one.name}")
            cookies = _cookies(one)
            taken[REDIRECT][one.name].append(_per_act(one, partial(acts.to_provider, one), size.requests))
            taken[LOGIN][one.name].append(_per_act(one, partial(acts.login, one), size.logins))
            taken[SESSION][one.name].append(_per_act(one, partial(acts.with_session, one, cookies), size.requests))
    return taken


def _bare(origin: str, folder: Path, size: Size, say: Callable[[str], None]) -> dict[str, list[float]]:
    """What the servers themselves take for one redirect."""
    taken = {}
    for name, command in gateways.BARE.items():
        if not gateways.why_not(name):
            say(f"bare: {name}")
            with gateways.gateway(name, command, origin, gateways.WITH_USERINFO, folder / f"bare-{name}") as one:
                taken[name] = [_per_act(one, partial(acts.bare, one), size.requests) for _ in range(3)]
    return taken


def _costs(taken: dict[str, list[float]]) -> dict[str, Cost]:
    return {name: Cost(statistics.median(times), tuple(times)) for name, times in taken.items()}


def _cookies(gateway: Gateway) -> dict[str, str]:
    connection = Connection(gateway.port)
    try:
        return acts.login(gateway, connection)
    finally:
        connection.close()


def _per_act(gateway: Gateway, act: Callable[[Connection], object], times: int) -> float:
    acts.repeat(gateway, act, max(20, times // 20))  # so that no thread or connection is opened while it is measured
    tree = Tree(gateway.pid)
    before = tree.milliseconds()
    acts.repeat(gateway, act, times)
    spent = tree.milliseconds() - before
    if set(Tree(gateway.pid).pids) != set(tree.pids):
        raise RuntimeError(f"{gateway.name} started or ended a process while it was measured")
    return spent / times
