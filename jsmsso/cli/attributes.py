"""``jsmsso attributes``: how claims become a customer, tried out on a file of claims."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jsmsso.cli.render import Result, reports

if TYPE_CHECKING:
    from rich.console import Console

    from jsmsso.identity.attributes import IdentityRules

app = typer.Typer(no_args_is_help=True, add_completion=False)

FIELD = "[a-z][a-z0-9_]{0,39}"  # as the profile's model has it
NEVER_MAPPED = ("subject", "provider", "issuer")
_OF_JMESPATH = "[|?&*("  # what is in no claim's plain name, so that an expression was meant
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
    from jsmsso.cli.connection.chosen import choose
    from jsmsso.providers.settings import identity_rules

    one = choose(profile, provider)
    read, name = one.profile, one.name
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
    from jsmsso.cli.connection.claims_file import nearest_field
    from jsmsso.identity.attributes import OWN_FIELDS, is_expression
    from jsmsso.profile.editing import editing
    from jsmsso.profile.locating import locate_profile
    from jsmsso.profile.reading import read_profile

    wanted = _assignments(assignments)
    path = locate_profile(profile)
    read_profile(path)  # what is wrong in it already is told as such
    with editing(path) as document:
        mapping = document.data.setdefault("attributes", {})
        for field, expressions in wanted.items():
            if expressions:
                mapping[field] = expressions[0] if len(expressions) == 1 else expressions
            else:
                mapping.pop(field, None)
        if not mapping:
            del document.data["attributes"]
    warnings = [
        f"{one!r} is no JMESPath, so it can only be a claim of that name"
        for expressions in wanted.values()
        for one in expressions
        if not is_expression(one) and any(c in one for c in _OF_JMESPATH)
    ]
    warnings += [
        f"{field} is a field of your own; did you mean {near}?"
        for field, expressions in wanted.items()
        if expressions and (near := nearest_field(field, OWN_FIELDS))
    ]
    return Result(
        data=[{"field": field, "expressions": expressions} for field, expressions in wanted.items()],
        text=f"Wrote {path}.\nNext: jsmsso attributes preview --claims FILE" if document.written else "Nothing changed.",
        warnings=tuple(warnings),
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

    from jsmsso.cli.connection.chosen import choose
    from jsmsso.cli.connection.claims_file import read_claims
    from jsmsso.cli.connection.showing import visible
    from jsmsso.errors import IdentityRefused, UsageError
    from jsmsso.identity.attributes import to_customer
    from jsmsso.providers.settings import identity_rules

    if not claims:
        raise UsageError("missing: --claims FILE", "To have a file of real ones: jsmsso test-connection --json > claims.json")
    given = read_claims(claims)
    one = choose(profile, provider)
    rules = identity_rules(one.profile, one.name)
    warnings = _misses(given, rules, one.profile.attributes)
    try:
        customer = to_customer({"iss": "", "sub": "", **given}, rules)
    except IdentityRefused as error:
        names = sorted(given) if error.claims else []
        refusal = {"reason": error.reason, "message": error.message, "hint": error.hint, "claims": names}
        told = (f"Refused: {error.message}", error.hint, visible(f"The claims are: {', '.join(names)}") if names else "")
        text = "\n  ".join(line for line in told if line)
        return Result(data={"customer": None, "refused": refusal}, text=text, warnings=warnings, exit_code=1)
    not_mapped = ("provider", "issuer", "subject", "organizations_complete")
    fields = {key: value for key, value in asdict(customer).items() if key not in not_mapped}
    return Result(
        data={"customer": fields, "refused": None},
        text=lambda console: _draw_customer(console, given, rules, fields),
        warnings=warnings,
    )


def _assignments(texts: list[str]) -> dict[str, list[str]]:
    import re

    from jsmsso.errors import UsageError

    wanted: dict[str, list[str]] = {}
    for text in texts:
        field, equals, expression = (part.strip() for part in text.partition("="))
        if not equals:
            raise UsageError(f"{text!r} is no FIELD=EXPRESSION", "Such as email=email or organizations='groups[].name'.")
        if not re.fullmatch(FIELD, field):
            raise UsageError(f"{field!r} is no name of a field: a to z, digits and _, at most 40, a letter first")
        if field in NEVER_MAPPED:
            raise UsageError(f"{field} is never mapped: it always is what the ID token says", "Give the field another name.")
        if not expression.isprintable():
            raise UsageError(f"the expression for {field} has control characters in it")
        wanted.setdefault(field, []).extend([expression] if expression else [])
    return wanted


def _misses(claims: Mapping[str, Any], rules: IdentityRules, mapped: Mapping[str, Any]) -> tuple[str, ...]:
    """A sentence for each field of the profile that found nothing, or nothing of use, with the claim whose name is nearest."""
    from jsmsso.cli.connection.claims_file import nearest
    from jsmsso.identity.attributes import OWN_FIELDS, evaluate

    warnings = []
    used = {one for expressions in rules.attributes.values() for one in expressions}
    free = [name for name in claims if name not in used and not name.startswith("email_verified")]
    for field, expressions in rules.attributes.items():
        found = [value for one in expressions if (value := evaluate(one, claims)) not in (None, "", [])]
        if not found:
            near = nearest(expressions, free)
            if near or field in mapped:
                what = (
                    "nothing at"
                    if any(one.startswith(f"{name}{c}") for one in expressions for name in claims for c in ".[|")
                    else "no claim"
                )
                warnings.append(f"{field}: {what} {' or '.join(expressions)}" + (f"; did you mean {near}?" if near else ""))
        elif field in OWN_FIELDS and not _holds_text(found[0]):
            warnings.append(f"{field}: {' or '.join(expressions)} leads to no text, so nothing is taken from it")
    return tuple(warnings)


def _holds_text(value: object) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(isinstance(one, str | int) and not isinstance(one, bool) for one in values)


def _draw_mapping(console: Console, rows: list[dict[str, Any]]) -> None:
    from jsmsso.cli.connection.showing import row, table

    drawn = table("field", "comes from", "written in")
    for one in rows:
        row(drawn, one["field"], ", else ".join(one["expressions"]), one["from"])
    console.print(drawn)


def _draw_customer(console: Console, claims: Mapping[str, Any], rules: IdentityRules, fields: Mapping[str, Any]) -> None:
    from jsmsso.cli.connection.claims_file import first_name
    from jsmsso.cli.connection.showing import row, shown_value, table

    goes_to = {first_name(one): field for field, expressions in rules.attributes.items() for one in expressions}
    goes_to |= {one: field for field, expressions in rules.attributes.items() for one in expressions} | {"sub": "subject"}
    drawn = table("claim", "value", "goes to")
    for name, value in claims.items():
        row(drawn, name, shown_value(value), goes_to.get(name, ""))
    console.print(drawn)
    console.print()
    drawn = table("customer", "")
    for name, value in {**fields, **fields["other"]}.items():
        if name != "other":
            row(drawn, name, shown_value(value) or "none")
    console.print(drawn)
