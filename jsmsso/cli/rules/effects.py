"""What a change of the rules does to one person: of given claims, or of the last that were tested."""

from __future__ import annotations

from typing import Any

from jsmsso.cli.connection.chosen import Chosen, choose
from jsmsso.cli.connection.claims_file import read_claims
from jsmsso.cli.connection.tested_claims import last_tested
from jsmsso.cli.render import progress_line
from jsmsso.cli.rules.deciding import judge
from jsmsso.errors import JsmssoError
from jsmsso.profile.locating import locate_profile
from jsmsso.profile.model import Portal, Profile
from jsmsso.profile.secrets import keyring_usable

Rules = tuple[Profile, Portal | None]


def effects_of(profile: str, before: Rules, after: Rules, *, claims: str, provider: str) -> dict[str, Any] | None:
    """Show both decisions on standard error and return them; None, with what to run, where there are no claims.

    ``claims`` is a file's name; without one those of the last ``test-connection`` count. They never keep a change from being made.
    """
    if claims:
        return _shown(choose(profile, provider), before, after, read_claims(claims), "")
    path = locate_profile(profile)
    names = [provider] if provider else [before[1].provider] if before[1] and before[1].provider else list(before[0].providers)
    tested = last_tested(before[0], [name for name in names if name in before[0].providers], base=path.parent)
    try:
        if tested is not None:
            return _shown(Chosen(before[0], path, tested.provider), before, after, tested.claims, f"For {tested}:\n")
    except JsmssoError as error:
        progress_line(f"What it changes for {tested} cannot be told: {error.message}")
        return None
    named = f" --provider {names[0]}" if len(names) == 1 and len(before[0].providers) > 1 else ""
    command = f"jsmsso test-connection{named}"
    if keyring_usable():
        progress_line(f"To see what a rule changes for a person, log in as them first: {command} (or give --claims FILE)")
    else:  # where test-connection leaves nothing
        progress_line(f"To see what a rule changes for a person: {command} --json > FILE, then --claims FILE")
    return None


def _shown(chosen: Chosen, before: Rules, after: Rules, claims: Any, head: str) -> dict[str, Any]:
    was, becomes = (judge(read, chosen.base, chosen.name, claims, portal) for read, portal in (before, after))
    progress_line(f"{head}before  {was}\nafter   {becomes}")
    return {"before": was.to_data(), "after": becomes.to_data()}
