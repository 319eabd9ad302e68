"""What is known of an address, as a person reads it in 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsmsso.cli.connection.showing import row, table, visible
from jsmsso.cli.people.looking import Found, Known, Login, Person
from jsmsso.cli.people.opening import moment
from jsmsso.errors import JsmFailed, NotReady
from jsmsso.profile.model import Profile

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WHY = {
    "linked": "an operator linked it",
    "remembered": "remembered from the last login",
    "subject_changed": "of an earlier login with this address at the same provider",
    "written_before": "written before the first login",
    "address": "JSM shows the address on it",
    "kept": "the one they had: the new address has none",
}
KINDS = {"portal_only": "portal only", "atlassian": "Atlassian", "": "?"}


def draw(console: Console, known: Known, profile: Profile) -> None:
    """The verdict first, then what it stands on."""
    from rich.text import Text

    console.print(Text(known.email))
    if known.barred is not None:
        console.print(Text(f"  revoked on {moment(known.barred)}; let in again by: jsmsso customers restore {known.email}", style="red"))
    for one in known.logins:
        console.print(Text(f"  {_verdict(one, known)}", style="red" if one.refused else ""), soft_wrap=True)
        for line in one.refused.hint.splitlines() if one.refused else ():
            console.print(Text(f"    {line}"), soft_wrap=True)
    keys = {portal.service_desk: portal.key for portal in profile.portals}
    console.print(Text("\nRemembered" if known.people or known.link else "\nNothing is remembered of this address."))
    if known.link is not None:
        console.print(Text(f"  linked to {known.link.account_id} on {moment(known.link.at)} by {known.link.by}"))
    for person in known.people:
        console.print(_person(person, keys))
    if known.found is None:
        error = known.unanswered
        asked = "JSM did not tell" if isinstance(error, JsmFailed) else "JSM was not asked"
        console.print(Text(f"\n{asked}: {error.message}" if error else f"\n{asked}."), soft_wrap=True)
    elif not known.found:
        console.print(Text("\nIn JSM: its search brings no account for this address."))
    else:
        console.print(Text("\nIn JSM"))
        console.print(_accounts(known.found))


def _verdict(login: Login, known: Known) -> str:
    who = f"at {login.provider}" + (f" as {login.subject}" if login.subject else "")
    if login.refused is not None:
        return visible(f"A login {who} is refused: {login.refused.reason}: {login.refused.message}")
    if login.look is None:
        is_asked = known.unanswered is not None and not isinstance(known.unanswered, NotReady)
        return visible(f"A login {who} " + ("would ask JSM, which cannot be asked now." if is_asked else "asks JSM for nothing."))
    gone = "; the one taken so far is gone" if login.look.is_gone else ""
    if login.look.why == "create":
        return visible(f"A login {who} creates an account{gone}; it is refused where JSM has one that hides its address.")
    if login.look.why == "none":
        return visible(f"A login {who} finds no account{gone}, and goes on without one.")
    return visible(f"A login {who} takes {login.look.account_id}: {WHY[login.look.why]}{gone}.")


def _person(person: Person, keys: dict[str, str]) -> Table:
    account, write = person.account, person.write
    drawn = table("", "", show_header=False)
    if person.written_before:
        row(drawn, "person", "none yet: written to JSM before a first login" if account.account_id else "has logged in since")
    else:
        row(drawn, "person", f"{account.subject} of {account.issuer} ({account.provider})")
    row(drawn, "account", account.account_id or "none")
    if account.making_since is not None:
        row(drawn, "", f"JSM does not know it yet, since {moment(account.making_since)}")
    if account.desks:
        row(drawn, "desks", ", ".join(keys.get(desk, desk) for desk in account.desks))
    if person.memberships:
        row(drawn, "put by us into", ", ".join(one.organization for one in person.memberships))
    if write is not None:
        tries = f"{write.attempts} attempts, last: {write.reason}: {write.error}" if write.attempts else "not tried yet"
        row(drawn, "waits", f"since {moment(write.created)}; {tries}")
    row(drawn, "last seen", moment(account.last_seen))
    return drawn


def _accounts(found: tuple[Found, ...]) -> Table:
    drawn = table("account", "address", "kind", "name", "organizations")
    for one in found:
        told = "?" if one.organizations is None else ", ".join(one.organizations)
        kind = KINDS[one.user.kind] + ("" if one.user.active else ", deactivated")
        row(drawn, one.user.id, one.user.email or "hidden", kind, one.user.display_name, told if one.fits == "address" else "")
    return drawn
