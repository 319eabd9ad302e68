"""A trial as a person reads it, and as a program does. What came from outside is made visible, never obeyed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from string import ascii_letters
from typing import TYPE_CHECKING, Any

from jsmsso.identity.attributes import IdentityRules, destination

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from jsmsso.cli.connection.trial import Trial
    from jsmsso.providers.probes import Probe

MAX_SHOWN = 300  # characters of one claim; photographs have come as claims

_OF_THE_PROTOCOL = frozenset((
    "iss", "aud", "azp", "exp", "iat", "nbf", "nonce", "at_hash", "c_hash", "s_hash", "jti", "auth_time", "token_use", "origin_jti",
    "event_id", "acr", "amr", "sid", "session_state", "typ",
))  # fmt: skip
_WORDS = {"right": ("ok", "32"), "wrong": ("fail", "31"), "unknown": ("warn", "33")}


def probe_line(probe: Probe, *, colours: bool) -> str:
    """``  ok    callback         http://localhost:8400/callback is registered``."""
    word, colour = _WORDS[probe.result] if not (probe.warning and probe.error is None) else ("warn", "33")
    padded = f"{word:<5}"
    if colours:
        padded = f"\033[{colour}m{padded}\033[0m"
    return f"  {padded} {probe.name:<16} {visible(probe.detail)}"


def visible(text: str) -> str:
    """``text`` on one line of printable characters: an escape sequence is shown as ``\\x1b[31m``, never sent to the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def draw(console: Console, trial: Trial, rules: IdentityRules, next_step: str) -> None:
    """The trial in words and tables of at most 80 columns."""
    from rich.text import Text

    who = trial.customer.email if trial.customer else str(trial.authentication.claims.get("email") or trial.authentication.claims["sub"])
    console.print(Text(f"Signed in as {visible(who)}"))
    console.print()
    console.print(_claims(trial, rules))
    console.print()
    if trial.customer is not None:
        console.print(_customer(trial))
        console.print()
    colour = "green" if trial.decision.allowed else "red"
    verdict = Text(_decision(trial))
    verdict.stylize(colour, 0, len(verdict.plain) - len(verdict.plain.lstrip(ascii_letters)))
    console.print(verdict, soft_wrap=True)
    if trial.refused is not None and trial.refused.hint:
        console.print(Text(f"  {trial.refused.hint}"))
    console.print(Text(f"{'Pinned issuer' if trial.pinned else 'Issuer'} {visible(trial.issuer)}"), soft_wrap=True)
    console.print(Text(next_step))


def _decision(trial: Trial) -> str:
    return visible(str(trial.decision).replace("Denied: ", "Refused: ", 1) if trial.refused else str(trial.decision))


def to_data(trial: Trial) -> dict[str, Any]:
    """What ``--json`` prints: no token in it, nor anything that a token can be made of."""
    customer = asdict(trial.customer) if trial.customer else None
    if customer is not None:
        customer |= {"other": dict(customer["other"])}
    return {
        "provider": trial.provider,
        "type": trial.type,
        "redirect_uri": trial.redirect_uri,
        "checks": [check_data(probe) for probe in trial.probes],
        "claims": dict(trial.authentication.claims),
        "from_userinfo": sorted(_from_userinfo(trial)),
        "customer": customer,
        "refused": None
        if trial.refused is None
        else {"reason": trial.refused.reason, "message": trial.refused.message, "hint": trial.refused.hint},
        "decision": {"allowed": trial.decision.allowed, "rule": trial.decision.number or None, "reason": trial.decision.rule},
        "issuer": trial.issuer,
        "pinned": trial.pinned,
        "warnings": list(trial.warnings),
    }


def check_data(probe: Probe) -> dict[str, str]:
    """One check for ``--json``."""
    return {"check": probe.name, "result": probe.result, "verdict": probe.verdict, "detail": probe.detail, "remedy": probe.remedy}


def checks_table(probes: Sequence[Probe]) -> Table:
    """Every check with its verdict; below what is not right, the remedy."""
    from rich.text import Text

    colours = {"pass": "green", "warn": "yellow", "fail": "red", "could not tell": "yellow"}
    drawn = table("check", "result", "")
    for probe in probes:
        drawn.add_row(Text(probe.name), Text(probe.verdict, style=colours[probe.verdict]), Text(visible(probe.detail)))
        for line in probe.remedy.splitlines():
            drawn.add_row("", "", Text(f"  {visible(line)}"))
    return drawn


def _claims(trial: Trial, rules: IdentityRules) -> Table:
    claims = trial.authentication.claims
    userinfo = _from_userinfo(trial)
    drawn = table("claim", "value", "goes to")
    for name, value in claims.items():
        if name not in _OF_THE_PROTOCOL:
            goes_to = destination(name, rules)
            if name in userinfo:
                goes_to = f"{goes_to} (from userinfo)".strip()
            row(drawn, name, shown_value(value), goes_to)
    hidden = sorted(_OF_THE_PROTOCOL & set(claims))
    if hidden:
        row(drawn, "and", ", ".join(hidden), "")
    return drawn


def _customer(trial: Trial) -> Table:
    customer = trial.customer
    assert customer is not None
    drawn = table("customer", "")
    fields: Mapping[str, object] = {
        "email": customer.email,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "display_name": customer.display_name,
        "organizations": customer.organizations,
        **customer.other,
    }
    for name, value in fields.items():
        row(drawn, name, shown_value(value) or "none")
    return drawn


def shown_value(value: object) -> str:
    """A claim's value on one line: a list by its items, a mapping as JSON."""
    if isinstance(value, bool) or value is None:
        text = json.dumps(value)
    elif isinstance(value, str):
        text = value
    elif isinstance(value, list | tuple) and all(isinstance(one, str | int) for one in value):
        text = ", ".join(str(one) for one in value)
    else:
        text = json.dumps(value, ensure_ascii=False, default=str)
    text = visible(text)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def _from_userinfo(trial: Trial) -> set[str]:
    return set(trial.authentication.claims) - set(trial.authentication.id_claims)


def table(*headers: str, show_header: bool = True) -> Table:
    """A table without lines, as every list of a command looks."""
    from rich.table import Table

    drawn = Table(box=None, padding=(0, 1, 0, 2), header_style="dim", show_header=show_header)
    for header in headers:
        drawn.add_column(header, overflow="fold")
    return drawn


def row(table: Table, *cells: str) -> None:
    """Add a line; what stands in a cell is text, never markup nor an escape sequence."""
    from rich.text import Text

    table.add_row(*(Text(visible(cell)) for cell in cells))
