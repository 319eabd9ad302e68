"""``jsmsso test-connection``: log in at a provider for real and show every step."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from jsmsso.cli.render import Result, progress_line, reports

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from jsmsso.cli.connection.trial import Trial
    from jsmsso.profile.model import Profile
    from jsmsso.providers.probes import Probe

app = typer.Typer(add_completion=False)


@app.command("test-connection")
@reports
def connection(
    profile: str,
    provider: Annotated[str, typer.Option(help="Which provider; the first one otherwise.", metavar="NAME", show_default=False)] = "",
    all_: Annotated[bool, typer.Option("--all", help="Every provider, but only the checks that need no login.")] = False,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address, and also take the final address pasted back (over SSH).")
    ] = False,
    port: Annotated[int, typer.Option(help="Listen there; register http://localhost:PORT/callback for it.", min=1, max=65535)] = 8400,
    timeout: Annotated[int, typer.Option(help="How many seconds to wait for the login.", min=1, max=3600)] = 180,
) -> Result:
    """Log in at a provider for real and show every step: checks, claims, customer, access decision."""
    from jsmsso.cli.asking import somebody_types
    from jsmsso.cli.connection.tested_claims import remember
    from jsmsso.cli.connection.trial import Terminal, try_provider
    from jsmsso.cli.loopback import loopback_redirect_uri
    from jsmsso.profile.locating import locate_profile
    from jsmsso.profile.reading import read_profile

    path = locate_profile(profile)
    read = read_profile(path)
    names = _names(read, provider, all_)
    if all_:
        return _all(read, path, names, loopback_redirect_uri(port))
    terminal = Terminal(_show_probe, progress_line, not no_browser, no_browser or somebody_types())
    progress_line("Before the browser")
    trial = try_provider(read, path, names[0], port=port, seconds=timeout, terminal=terminal)
    if remember(read, names[0], trial.authentication.claims, base=path.parent):
        progress_line("\nThe claims stay in the keyring for 30 days: jsmsso access allow, deny and remove show what they change for them.")
    return _result(trial, read)


def _names(profile: Profile, provider: str, all_: bool) -> list[str]:
    from jsmsso.errors import NotReady, UsageError

    names = list(profile.providers)
    if not names:
        raise NotReady("the profile has no provider yet", "Add one with: jsmsso provider add cognito")
    if all_ and provider:
        raise UsageError("--all and --provider cannot both be given", "Leave one of them out.")
    if provider and provider not in names:
        raise UsageError(f"the profile has no provider {provider!r}", f"There is: {', '.join(names)}.")
    return names if all_ else [provider or names[0]]


def _show_probe(probe: Probe) -> None:
    from jsmsso.cli.connection.showing import probe_line

    progress_line(probe_line(probe, colours=sys.stderr.isatty() and "NO_COLOR" not in os.environ))


def _result(trial: Trial, profile: Profile) -> Result:
    from jsmsso.cli.connection.showing import draw, to_data
    from jsmsso.providers.settings import identity_rules

    next_step = _next_step(trial, profile)
    return Result(
        data=to_data(trial) | {"next": next_step.removeprefix("Next: ")},
        text=lambda console: draw(console, trial, identity_rules(profile, trial.provider), next_step),
        warnings=trial.warnings,
        exit_code=0 if trial.decision.allowed else 1,
    )


def _next_step(trial: Trial, profile: Profile) -> str:
    if trial.refused is not None:
        return "Next: put that right, then run jsmsso test-connection again"
    if not trial.decision.allowed:
        return "Next: change access: in the profile if this person should enter"
    if profile.jsm is None:
        return "Next: jsmsso jsm connect"
    return "Next: jsmsso serve" if profile.portals else "Next: jsmsso portals sync"


def _all(profile: Profile, path: Path, names: list[str], redirect_uri: str) -> Result:
    """What can be told of every provider without a login; the exit code is that of the worst check."""
    from jsmsso.cli.connection.checks import check_alone
    from jsmsso.cli.connection.showing import check_data, checks_table

    checked = {}
    for name in names:
        progress_line(f"Checking {name} ...")
        checked[name] = check_alone(profile, path, name, redirect_uri=redirect_uri)
    errors = [probe.error for probes in checked.values() for probe in probes if probe.error is not None]
    rest = "" if errors else "\nNext: jsmsso test-connection --provider NAME, which also logs in"

    def draw(console: Console) -> None:
        for name, probes in checked.items():
            console.print()
            console.print(f"Provider {name} ({profile.providers[name].type})", style="bold", markup=False)
            console.print(checks_table(probes))
        if rest:
            console.print(rest, markup=False)

    return Result(
        data=[
            {"provider": name, "type": profile.providers[name].type, "checks": [check_data(probe) for probe in probes]}
            for name, probes in checked.items()
        ],
        text=draw,
        exit_code=max((error.exit_code for error in errors), default=0),
    )
