"""`python -m benchmarks [PART ...] [--quick] [--json FILE]`; without a part, all of them."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks import access, id_token, portal, portal_files, portals, runtime, startup
from benchmarks.contenders import JSMSSO, JSMSSO_FORWARD_AUTH
from benchmarks.cpu import can_measure_servers

ACTS = {runtime.REDIRECT: "redirect", runtime.LOGIN: "login", runtime.SESSION: "session", runtime.QUESTION: "forward auth"}
OURS = (JSMSSO, JSMSSO_FORWARD_AUTH)
PARTS = ("startup", "runtime", "id-token", "access", "portals", "portal")


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure jsmsso; docs/performance.md explains the numbers.")
    options.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (default: all)")
    options.add_argument("--quick", action="store_true", help="few rounds: to see that it works, not what it costs")
    options.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers, each round's too, as JSON")
    asked = options.parse_args()
    if unknown := [part for part in asked.parts if part not in PARTS]:
        options.error(f"no part {unknown[0]!r}: {', '.join(PARTS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # no server of ours outlives us
    console = Console(highlight=False)
    document: dict[str, Any] = {"python": platform.python_version(), "processors": os.cpu_count(), "quick": asked.quick}
    for part in asked.parts or PARTS:
        document[part] = _measure(part, asked.quick, console)
    if asked.json:
        asked.json.write_text(json.dumps(document, indent=2) + "\n")
    return 0


def _measure(part: str, quick: bool, console: Console) -> Any:
    match part:
        case "startup":
            pairs = startup.measure(5 if quick else 21)
            console.print(_startup_table(pairs))
            return [asdict(pair) | {"ratio": pair.ratio} for pair in pairs]
        case "id-token":
            found = id_token.measure(5 if quick else 21)
            console.print(_id_token_table(found))
            return asdict(found) | {"ratio": found.ratio}
        case "access":
            decisions = access.measure(5 if quick else 21)
            console.print(_access_table(decisions))
            return asdict(decisions)
        case "portal":
            pages = portal.measure(5 if quick else 41, 500 if quick else portal.REQUESTS)
            console.print(_portal_table(pages))
            memory = portal_files.measure() if sys.platform == "linux" else None
            if memory is not None:
                console.print(_files_table(memory))
            return {"pages": [asdict(page) for page in pages], "files": asdict(memory) if memory is not None else None}
        case "portals":
            runs = portals.measure(0.05 if quick else 0.2)
            console.print(_portals_table(runs))
            return [asdict(run) | {"waited": run.waited, "ratio": run.ratio} for run in runs]
    if not can_measure_servers():
        console.print("runtime: left out, as only Linux tells the CPU time of a server's processes")
        return None
    with console.status("") as status:
        outcome = runtime.measure(runtime.QUICK if quick else runtime.FULL, status.update)
    console.print(_runtime_table(outcome))
    for name, reason in outcome.left_out.items():
        console.print(f"left out: {name}, as {reason}")
    console.print("processes: " + ", ".join(f"{name} {number}" for name, number in outcome.processes.items()))
    ratios = {act: {peer: _ratio(outcome, act, peer) for peer in costs if peer not in OURS} for act, costs in outcome.costs.items()}
    return asdict(outcome) | {"ratios": ratios, "question_to_session": _question_to_session(outcome)}


def _startup_table(pairs: tuple[startup.Pair, ...]) -> Table:
    table = _table("Start-up: CPU of the whole process, ms", "", "jsmsso", "bare Typer", "ratio", "at most")
    for pair in pairs:
        table.add_row(pair.name, f"{pair.ours:.0f}", f"{pair.bare:.0f}", f"{pair.ratio:.2f}", f"{startup.ALLOWED}")
    return table


def _runtime_table(outcome: runtime.Outcome) -> Table:
    table = _table("Runtime: CPU of all of the server's processes per act, ms", "", *ACTS.values())
    for name in outcome.processes:
        table.add_row(name, *(f"{cost.median:.3f}" if (cost := outcome.costs[act].get(name)) else "" for act in ACTS))
    table.add_section()
    for peer in outcome.processes:
        if peer not in OURS:
            ratios = (f"{_ratio(outcome, act, peer):.2f}" if peer in outcome.costs[act] else "" for act in ACTS)
            table.add_row(f"jsmsso to {peer}", *ratios)
    table.add_row("jsmsso's forward auth to its session", "", "", "", f"{_question_to_session(outcome):.2f}")
    table.add_section()
    for server, cost in outcome.bare.items():
        table.add_row(f"{server} alone, without a login", f"{cost.median:.3f}")
    return table


def _ratio(outcome: runtime.Outcome, act: str, peer: str) -> float:
    ours = JSMSSO_FORWARD_AUTH if act == runtime.QUESTION else JSMSSO
    return outcome.costs[act][ours].ratio_to(outcome.costs[act][peer])


def _question_to_session(outcome: runtime.Outcome) -> float:
    return outcome.costs[runtime.QUESTION][JSMSSO_FORWARD_AUTH].ratio_to(outcome.costs[runtime.SESSION][JSMSSO])


def _id_token_table(found: id_token.Comparison) -> Table:
    table = _table("One RS256 ID token: CPU, microseconds", "", "jsmsso", "joserfc", "ratio", "at most")
    table.add_row(
        "jsmsso: every check; joserfc: its decode", f"{found.ours:.0f}", f"{found.joserfc:.0f}", f"{found.ratio:.2f}", f"{id_token.ALLOWED}"
    )
    return table


def _access_table(decisions: access.Decisions) -> Table:
    table = _table("One access decision by a rule that looks and does not fit: CPU, microseconds", "", "taken")
    for name, taken in decisions.kinds.items():
        more = f": {access.LISTED:,} addresses, read in {decisions.read:.0f} ms" if name == "email_in" else ""
        table.add_row(f"{name}{more}", f"{taken:.2f}")
    table.add_row("all of these rules, one after the other", f"{decisions.together:.1f}")
    return table


def _portal_table(pages: tuple[portal.Page, ...]) -> Table:
    title = f"Hosted portal: our CPU a page, ms; at most {portal.ALLOWED:.0f}"
    table = _table(title, "", "ms", "calls to JSM")
    for page in pages:
        table.add_row(page.name, f"{page.milliseconds:.1f}", f"{page.calls}")
    return table


def _files_table(memory: portal_files.Memory) -> Table:
    table = _table(f"Hosted portal: a worker's memory, MB, while {memory.size / 1e6:.0f} MB pass through", "", "most")
    for name, most in (("in use, before", memory.in_use), ("up", memory.upload), ("down", memory.download)):
        table.add_row(name, f"{most:.0f}")
    return table


def _portals_table(runs: tuple[portals.Run, ...]) -> Table:
    title = f"portals sync, {runs[0].latency:g} s a page: seconds and MB; {portals.MANY:,} desks at most {portals.ALLOWED}"
    table = _table(title, "desks", "pages", "theirs", "taken", "ratio", "memory")
    for run in runs:
        row = (f"{run.pages}", f"{run.waited:.1f}", f"{run.taken:.1f}", f"{run.ratio:.2f}", f"{run.memory / 1e6:.0f}")
        table.add_row(f"{run.desks:,}, {run.name}", *row)
    return table


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, width=78, show_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right" if heading else "left", min_width=8 if heading else None, overflow="fold")
    return table


if __name__ == "__main__":
    sys.exit(main())
