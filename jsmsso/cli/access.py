"""``jsmsso access``: who may enter, tried out on a file of claims, and the rules edited in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from jsmsso.cli.render import Result, reports

if TYPE_CHECKING:
    from rich.console import Console

    from jsmsso.cli.rules.deciding import Verdict
    from jsmsso.cli.rules.editing_rules import Change
    from jsmsso.identity.access import Effect

app = typer.Typer(no_args_is_help=True, add_completion=False)

RuleArgument = Annotated[
    str, typer.Argument(metavar="RULE", help="As in the profile: everyone, '{email_domain: acme.com}' or 'email_domain: acme.com'.")
]
NumberArgument = Annotated[int, typer.Argument(metavar="N", help="The rule's number, as access list shows it.", min=1)]
PortalOption = Annotated[str, typer.Option("--portal", help="The rules of this portal, by key.", metavar="KEY", show_default=False)]
AtOption = Annotated[int | None, typer.Option("--at", help="The number that the rule gets.", metavar="N", min=1, show_default=False)]
ProviderOption = Annotated[
    str, typer.Option("--provider", help="Whose claims they are; the first provider's otherwise.", metavar="NAME", show_default=False)
]
ClaimsOption = Annotated[
    str, typer.Option("--claims", help="Claims as a JSON object; - is standard input.", metavar="FILE", show_default=False)
]


@app.callback()
def access() -> None:
    """Say who may enter, and try it out."""


@app.command("list")
@reports
def list_rules(profile: str, portal: PortalOption = "") -> Result:
    """List the rules for everyone, and those of portals."""
    from jsmsso.cli.rules.deciding import lists_of
    from jsmsso.identity.access import never_reached
    from jsmsso.profile.locating import locate_profile
    from jsmsso.profile.reading import read_profile

    read = read_profile(locate_profile(profile))
    rows = []
    for key, rules in lists_of(read, portal):
        unreached = dict(never_reached(rules))
        rows += [
            {"portal": key or None, "number": number, "effect": rule.effect, "rule": str(rule), "never_reached": number in unreached}
            for number, rule in enumerate(rules, start=1)
        ]
    return Result(data=rows, text=lambda console: _draw_rules(console, rows, any_global=bool(read.access)))


@app.command("check")
@reports
def check(profile: str, claims: ClaimsOption = "", portal: PortalOption = "", provider: ProviderOption = "") -> Result:
    """Decide about a file of claims and explain it rule by rule. Exit 1 for a denial."""
    from jsmsso.cli.connection.chosen import choose
    from jsmsso.cli.connection.claims_file import read_claims
    from jsmsso.cli.rules.deciding import judge, portal_named
    from jsmsso.errors import UsageError

    if not claims:
        raise UsageError("missing: --claims FILE", "To have a file of real ones: jsmsso test-connection --json > claims.json")
    chosen = choose(profile, provider)
    one = portal_named(chosen.profile, portal) if portal else None
    verdict = judge(chosen.profile, chosen.base, chosen.name, read_claims(claims), one)
    return Result(data=verdict.to_data(), text=lambda console: _draw_verdict(console, verdict), exit_code=0 if verdict.allowed else 1)


@app.command("allow")
@reports
def allow(
    rule: RuleArgument,
    profile: str,
    portal: PortalOption = "",
    at: AtOption = None,
    claims: ClaimsOption = "",
    provider: ProviderOption = "",
) -> Result:
    """Add a rule that lets people in: the last but one for everyone, or at --at."""
    return _add("allow", rule, profile, portal, at, claims, provider)


@app.command("deny")
@reports
def deny(
    rule: RuleArgument,
    profile: str,
    portal: PortalOption = "",
    at: AtOption = None,
    claims: ClaimsOption = "",
    provider: ProviderOption = "",
) -> Result:
    """Add a rule that keeps people out: the first, or at --at."""
    return _add("deny", rule, profile, portal, at, claims, provider)


@app.command("remove")
@reports
def remove(
    number: NumberArgument, profile: str, portal: PortalOption = "", claims: ClaimsOption = "", provider: ProviderOption = ""
) -> Result:
    """Take a rule out, by its number."""
    from jsmsso.cli.rules.editing_rules import removing

    return _change(removing(number, portal), profile, claims, provider)


def _add(effect: Effect, rule: str, profile: str, portal: str, at: int | None, claims: str, provider: str) -> Result:
    from jsmsso.cli.rules.editing_rules import adding

    return _change(adding(effect, rule, portal, at), profile, claims, provider)


def _change(change: Change, profile: str, claims: str, provider: str) -> Result:
    """Show what a change does to the given claims, or those of the last test, ask on a terminal, then write it."""
    from jsmsso.cli.asking import confirm, somebody_types
    from jsmsso.cli.rules.deciding import portal_named
    from jsmsso.cli.rules.effects import effects_of
    from jsmsso.profile.locating import locate_profile
    from jsmsso.profile.reading import read_profile

    path = locate_profile(profile)
    before = read_profile(path)
    one = portal_named(before, change.portal) if change.portal else None
    planned = change.plan(before, path)
    after_one = portal_named(planned.after, change.portal) if change.portal else None
    effects = effects_of(profile, (before, one), (planned.after, after_one), claims=claims, provider=provider)
    if effects and somebody_types() and claims != "-" and not confirm(f"{planned.sentence}?", default=True):
        return Result(data={"written": False}, text="Nothing changed.", exit_code=1)
    written = change.write(planned, path)
    data: dict[str, Any] = {
        "written": written,
        "profile": str(path),
        "portal": change.portal or None,
        "number": planned.number,
        "rule": planned.rule,
        "rules": [str(rule) for rule in planned.rules],
        "claims": effects,
    }
    text = f"{planned.sentence}: done.\nIt counts from the next start or reload (SIGHUP) of jsmsso serve."
    return Result(data=data, text=text, warnings=planned.warnings)


def _draw_rules(console: Console, rows: list[dict[str, Any]], *, any_global: bool) -> None:
    from jsmsso.cli.connection.showing import row, table

    if not any_global:
        console.print("There are no rules for everyone: every verified email may enter.")
    if not rows:
        return
    drawn = table("for", "", "rule", "")
    for one in rows:
        row(drawn, one["portal"] or "everyone", str(one["number"]), one["rule"], "never reached" if one["never_reached"] else "")
    console.print(drawn)


def _draw_verdict(console: Console, verdict: Verdict) -> None:
    from rich.text import Text

    from jsmsso.cli.connection.showing import row, table, visible

    if verdict.explained:
        drawn = table("for", "", "rule", "", "why")
        for key, one in verdict.explained:
            row(drawn, key or "everyone", str(one.number), one.rule, one.result, one.why)
        console.print(drawn)
        console.print()
    console.print(Text(visible(str(verdict)), style="green" if verdict.allowed else "red"), soft_wrap=True)
    if verdict.refused is not None and verdict.refused.hint:
        console.print(Text(f"  {verdict.refused.hint}"))
    if verdict.refused is not None and verdict.claims:
        console.print(Text(visible(f"  The claims are: {', '.join(verdict.claims)}")), soft_wrap=True)
