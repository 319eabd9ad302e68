"""``jsmsso attributes``: how claims become a customer, tried out on a file of claims."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jsmsso.cli.render import Result, reports

if TYPE_CHECKING:
    from rich.console import Console

    from jsmsso.identity.attributes import IdentityRules
    from jsmsso.profile.model import Profile

app = typer.Typer(no_args_is_help=True, add_completion=False)

MAX_CLAIMS = 1_000_000  # bytes of a file of claims
ProviderOption = Annotated[
    str, typer.Option("--provider", help="Which provider; the first one otherwise.", metavar="NAME", show_default=False)
]


@app.callback()
def attributes() -> None:
    """Map claims to the customer's fields, and try it out."""


@app.command("show")
@reports
def show_attributes(profile: str, provider: ProviderOption = "") -> Result:
    """Show each field, the claims it comes from, and where that is written."""
    read, name = _profile_and_provider(profile, provider)
    from jsmsso.providers.settings import identity_rules

    rows = [
        {"field": field, "expressions": list(expressions), "from": "profile" if field in read.attributes else "the provider's type"}
        for field, expressions in identity_rules(read, name).attributes.items()
    ]
    return Result(data=rows, text=lambda console: _draw_mapping(console, rows))


@app.command("set")
@reports
def set_attributes(
    profile: str,
    assignments: Annotated[
        list[str],
        typer.Argument(metavar="FIELD=EXPRESSION...", help="A field twice: tried in this order. FIELD= alone takes the field out."),
    ],
) -> Result:
    """Map fields: a claim's name, else a JMESPath over the claims."""
    from jsmsso.identity.attributes import is_expression
    from jsmsso.profile.editing import editing
    from jsmsso.profile.locating import locate_profile

    wanted = _assignments(assignments)
    path = locate_profile(profile)
    with editing(path) as document:
        mapping = document.data.setdefault("attributes", {})
        for field, expressions in wanted.items():
            if expressions:
                mapping[field] = expressions[0] if len(expressions) == 1 else expressions
            else:
                mapping.pop(field, None)
        if not mapping:
            del document.data["attributes"]
    odd = [one for expressions in wanted.values() for one in expressions if not is_expression(one)]
    return Result(
        data=[{"field": field, "expressions": expressions} for field, expressions in wanted.items()],
        text=f"Wrote {path}.\nNext: jsmsso attributes preview --claims FILE" if document.written else "Nothing changed.",
        warnings=tuple(f"{one!r} is no JMESPath, so it can only be a claim of that name" for one in odd),
    )


@app.command("preview")
@reports
def preview(
    profile: str,
    claims: Annotated[str, typer.Option(help="Claims as a JSON object; - is standard input.", metavar="FILE", show_default=False)] = "",
    provider: ProviderOption = "",
) -> Result:
    """Show the customer that a file of claims makes, and what is missing. Exit 1 when they make none."""
    from dataclasses import asdict

    from jsmsso.errors import IdentityRefused, UsageError
    from jsmsso.identity.attributes import to_customer
    from jsmsso.providers.settings import identity_rules

    if not claims:
        raise UsageError("missing: --claims FILE", "jsmsso test-connection --json prints real ones, under claims.")
    given = _read_claims(claims)
    read, name = _profile_and_provider(profile, provider)
    rules = identity_rules(read, name)
    warnings = _near_misses(given, rules)
    try:
        customer = to_customer({"iss": "", "sub": "", **given}, rules)
    except IdentityRefused as error:
        refusal = {"reason": error.reason, "message": error.message, "hint": error.hint}
        text = f"Refused: {error.message}\n  {error.hint}".rstrip()
        return Result(data={"customer": None, "refused": refusal}, text=text, warnings=warnings, exit_code=1)
    fields = {key: value for key, value in asdict(customer).items() if key not in ("provider", "issuer", "subject")}
    return Result(
        data={"customer": fields, "refused": None},
        text=lambda console: _draw_customer(console, given, rules, fields),
        warnings=warnings,
    )


def _profile_and_provider(profile: str, provider: str) -> tuple[Profile, str]:
    from jsmsso.errors import NotReady, UsageError
    from jsmsso.profile.locating import locate_profile
    from jsmsso.profile.reading import read_profile

    read = read_profile(locate_profile(profile))
    if not read.providers:
        raise NotReady("the profile has no provider yet", "Add one with: jsmsso provider add cognito")
    if provider and provider not in read.providers:
        raise UsageError(f"the profile has no provider {provider!r}", f"There is: {', '.join(read.providers)}.")
    return read, provider or next(iter(read.providers))


def _assignments(texts: list[str]) -> dict[str, list[str]]:
    from jsmsso.errors import UsageError

    wanted: dict[str, list[str]] = {}
    for text in texts:
        field, equals, expression = text.partition("=")
        if not equals or not field.strip():
            raise UsageError(f"{text!r} is no FIELD=EXPRESSION", "Such as email=email or organizations='groups[].name'.")
        wanted.setdefault(field.strip(), []).extend([expression.strip()] if expression.strip() else [])
    return wanted


def _read_claims(file: str) -> dict[str, Any]:
    import json
    import sys
    from pathlib import Path

    from jsmsso.errors import UsageError

    try:
        raw = sys.stdin.buffer.read(MAX_CLAIMS + 1) if file == "-" else Path(file).read_bytes()[: MAX_CLAIMS + 1]
    except OSError as error:
        raise UsageError(f"the claims in {file} cannot be read: {error.strerror}") from error
    if len(raw) > MAX_CLAIMS:
        raise UsageError(f"the claims in {file} are larger than {MAX_CLAIMS} bytes")
    try:
        read = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the claims in {file} are no JSON", "One object, such as the payload of an ID token.") from error
    if isinstance(read, dict) and isinstance(read.get("claims"), dict):
        read = read["claims"]  # what test-connection --json printed
    if not isinstance(read, dict):
        raise UsageError(f"the claims in {file} are no JSON object")
    return read


def _near_misses(claims: Mapping[str, Any], rules: IdentityRules) -> tuple[str, ...]:
    """A sentence for each field that found nothing, with the claim whose name is nearest."""
    from difflib import get_close_matches

    from jsmsso.identity.attributes import evaluate

    warnings = []
    for field, expressions in rules.attributes.items():
        if any(evaluate(expression, claims) not in (None, "", []) for expression in expressions):
            continue
        near = [match for one in expressions for match in get_close_matches(one, list(claims), n=1, cutoff=0.7) if match not in expressions]
        warnings.append(f"{field}: no claim {' or '.join(expressions)}" + (f"; did you mean {near[0]}?" if near else ""))
    return tuple(warnings)


def _draw_mapping(console: Console, rows: list[dict[str, Any]]) -> None:
    from jsmsso.cli.connection.showing import row, table

    drawn = table("field", "comes from", "written in")
    for one in rows:
        row(drawn, one["field"], ", else ".join(one["expressions"]), one["from"])
    console.print(drawn)


def _draw_customer(console: Console, claims: Mapping[str, Any], rules: IdentityRules, fields: Mapping[str, Any]) -> None:
    from jsmsso.cli.connection.showing import row, shown_value, table
    from jsmsso.identity.attributes import destination

    drawn = table("claim", "value", "goes to")
    for name, value in claims.items():
        row(drawn, name, shown_value(value), destination(name, rules))
    console.print(drawn)
    console.print()
    drawn = table("customer", "")
    for name, value in {**fields, **fields["other"]}.items():
        if name != "other":
            row(drawn, name, shown_value(value) or "none")
    console.print(drawn)
