"""Access decisions: what a rule of each kind costs that looks and does not fit, and a file of 10,000 addresses.

A worker remembers a decision with the session it was made of, except where a list of addresses has a say; this is what
the first one costs, and each one with a list.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jsmsso.identity.access import (
    AllOf,
    AnyOf,
    ByProvider,
    Claim,
    ClaimAllOf,
    ClaimEquals,
    ClaimMatches,
    Condition,
    Email,
    EmailDomain,
    EmailIn,
    Everyone,
    Organization,
    Rule,
    decide,
)
from jsmsso.identity.customer import Customer
from jsmsso.profile.address_lists import with_lists

LISTED = 10_000
GROUPS = 50  # of the person; a company's people are in dozens
CALLS = 2_000  # a round

ADA = Customer("login", "https://login.acme.com", "sub-1", "ada@acme.com", "Ada", "Lovelace", "Ada Lovelace", organizations=("Acme",))
CLAIMS = {"groups": [f"team-{number}" for number in range(GROUPS)], "department": "IT", "custom:customer_number": "A-4711"}
CONDITIONS: dict[str, Condition] = {
    "email": Email(("*@contractor.acme.com", "eve@acme.com")),
    "email_domain": EmailDomain(("partner.example", "*.acme.com")),
    "email_in": EmailIn("addresses.txt"),
    "claim, any_of": Claim("groups", ("customers", "partners")),
    "claim, equals": ClaimEquals("department", "HR"),
    "claim, all_of": ClaimAllOf("groups", ("team-1", "customers")),
    "claim, matches": ClaimMatches("custom:customer_number", "B-[0-9]+"),
    "organization": Organization(("Initech", "Globex")),
    "provider": ByProvider(("another",)),
    "all": AllOf((EmailDomain(("acme.com",)), Claim("groups", ("customers",)))),
    "any": AnyOf((EmailDomain(("partner.example",)), Claim("groups", ("customers",)))),
}


@dataclass(frozen=True, slots=True)
class Decisions:
    """Medians in microseconds of CPU for one decision: ``kinds`` of one rule and `deny: everyone` behind it, ``together`` of all."""

    kinds: dict[str, float]
    together: float
    read: float
    """Milliseconds to read the file of addresses."""


def measure(rounds: int) -> Decisions:
    """Every kind in turns, so that a busy machine meets all."""
    with tempfile.TemporaryDirectory(prefix="jsmsso-bench-") as text:
        folder = Path(text)
        (folder / "addresses.txt").write_text("".join(f"person{number}@partner{number % 40}.example\n" for number in range(LISTED)))
        begun = time.process_time()
        rules = {name: with_lists([Rule("allow", one)], folder) for name, one in CONDITIONS.items()}
        read = (time.process_time() - begun) * 1000
        everyone = Rule("deny", Everyone())
        all_rules = (*(rule for one in rules.values() for rule in one), everyone)
        tries = {name: _decision((*one, everyone)) for name, one in rules.items()} | {"": _decision(all_rules)}
        taken: dict[str, list[float]] = {name: [] for name in tries}
        for _ in range(rounds):
            for name, decide_once in tries.items():
                taken[name].append(_microseconds(decide_once))
    medians = {name: statistics.median(times) for name, times in taken.items()}
    return Decisions({name: medians[name] for name in CONDITIONS}, medians[""], read)


def _decision(rules: tuple[Rule, ...]) -> Callable[[], object]:
    assert decide(rules, ADA, CLAIMS).number == len(rules)
    return lambda: decide(rules, ADA, CLAIMS)


def _microseconds(decide_once: Callable[[], object]) -> float:
    start = time.process_time_ns()
    for _ in range(CALLS):
        decide_once()
    return (time.process_time_ns() - start) / 1000 / CALLS
