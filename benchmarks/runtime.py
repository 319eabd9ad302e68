"""The runtime's CPU per act, beside other gateways in one run: the same provider, the same load, in turns."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import acts, gateways
from benchmarks.acts import Gateway
from benchmarks.contenders import BARE, CONTENDERS, JSMSSO, JSMSSO_FORWARD_AUTH, Contender
from benchmarks.cpu import Tree
from benchmarks.wire import Connection

REDIRECT, LOGIN, SESSION, QUESTION = "redirect to the provider", "complete login", "request with a session", "forward auth"


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
    """``costs[act][gateway]`` of those who do that; ``bare[server]`` is one redirect by the server alone."""

    costs: dict[str, dict[str, Cost]]
    bare: dict[str, Cost]
    processes: dict[str, int]
    left_out: dict[str, str]
    """Why a gateway is not there."""


def measure(size: Size, say: Callable[[str], None]) -> Outcome:
    """All acts of all gateways that this machine has. Raises :class:`acts.WrongAnswer` when jsmsso does not do the work.

    A peer that does not start here, or does something else, is left out.
    """
    left_out: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="jsmsso-bench-") as text:
        folder = Path(text)
        folder.chmod(0o755)
        with gateways.stub_provider(folder) as origin, ExitStack() as stack:
            running: list[Gateway] = []
            for name, contender in CONTENDERS.items():
                say(f"starts: {name}")
                place = folder / str(len(running) + len(left_out))
                if reason := contender.why_not():
                    left_out[name] = reason
                    continue
                try:
                    one = stack.enter_context(_started(name, contender, origin, place))
                    acts.check(one)
                except RuntimeError as error:
                    if name in (JSMSSO, JSMSSO_FORWARD_AUTH):
                        raise
                    left_out[name] = str(error)
                else:
                    running.append(one)
            taken = _rounds(tuple(running), size, say)
            processes = {one.name: len(Tree(one.pid).pids) for one in running}
            bare = _bare(origin, folder, size, say)
    return Outcome({act: _costs(of) for act, of in taken.items()}, _costs(bare), processes, left_out)


def _started(name: str, contender: Contender, origin: str, folder: Path) -> AbstractContextManager[Gateway]:
    return gateways.gateway(
        name, contender.command, origin, contender.issuer_path, folder, processes=contender.processes, kind=contender.kind
    )


def _rounds(running: tuple[Gateway, ...], size: Size, say: Callable[[str], None]) -> dict[str, dict[str, list[float]]]:
    taken: dict[str, dict[str, list[float]]] = {act: {} for act in (REDIRECT, LOGIN, SESSION, QUESTION)}
    for number in range(1, size.rounds + 1):
        for one in running[number % len(running) :] + running[: number % len(running)]:  # nobody is always the first
            say(f"round {number} of {size.rounds}: {one.name}")
            for act, (do, times) in _acts_of(one, size).items():
                taken[act].setdefault(one.name, []).append(_per_act(one, do, times // CONTENDERS[one.name].rarer))
    return taken


def _acts_of(one: Gateway, size: Size) -> Mapping[str, tuple[Callable[[Connection], object], int]]:
    """What is measured of a gateway, and how often it does it in a round."""
    cookies = _cookies(one)
    question = {QUESTION: (partial(acts.question, one, cookies), size.requests)} if one.kind.question else {}
    if one.name == JSMSSO_FORWARD_AUTH:
        return question  # the rest is jsmsso's own
    return {
        REDIRECT: (partial(acts.to_provider, one), size.requests),
        LOGIN: (partial(acts.login, one), size.logins),
        SESSION: (partial(acts.with_session, one, cookies), size.requests),
        **question,
    }


def _bare(origin: str, folder: Path, size: Size, say: Callable[[str], None]) -> dict[str, list[float]]:
    """What the servers themselves take for one redirect."""
    taken = {}
    for name, contender in BARE.items():
        if not contender.why_not():
            say(f"bare: {name}")
            with _started(name, contender, origin, folder / f"bare-{name}") as one:
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
