"""``access:`` as it is written; ``jsmsso.identity.access`` has the rules that are decided."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from jsmsso.identity import access
from jsmsso.identity.conditions import compiled
from jsmsso.profile.fields import DomainPattern, EmailGlob, OneOrMany, Section, Some, Text, refused


def _expression(text: str) -> str:
    """An RE2 expression, as it stands."""
    try:
        compiled(text)
    except ValueError as error:
        raise refused(
            f"found an expression that RE2 does not take: {error}", "For example gold|platinum; a whole value must match."
        ) from None
    return text


Expression = Annotated[Text, AfterValidator(_expression)]


class Condition(Section):
    """What a rule looks at: one kind, or several under ``any`` or ``all``."""

    email: OneOrMany[EmailGlob] | None = Field(
        None, description="Addresses; `*` stands for any characters but `@`.", examples=["*@contractor.acme.com"]
    )
    email_domain: OneOrMany[DomainPattern] | None = Field(
        None,
        description="Domains of addresses; `*.acme.com` stands for the subdomains of acme.com and not for itself.",
        examples=[["acme.com"]],
    )
    email_in: Text | None = Field(
        None,
        description="A file with one address, or `*@` and a domain, in a line; relative to this file, read again when it changed.",
        examples=["customers.txt"],
    )
    claim: Text | None = Field(
        None, description="A claim's literal name; one of the four keys below says which values.", examples=["cognito:groups"]
    )
    equals: Text | None = Field(None, description="With `claim`: this value and no other.")
    any_of: Some[Text] | None = Field(None, description="With `claim`: at least one of these values.", examples=[["customers"]])
    all_of: Some[Text] | None = Field(None, description="With `claim`: every one of these values.")
    matches: Expression | None = Field(None, description="With `claim`: an RE2 expression for a whole value of at most 1,024 characters.")
    organization: OneOrMany[Text] | None = Field(None, description="Organizations, as `attributes.organizations` maps them.")
    provider: OneOrMany[Text] | None = Field(None, description="Names of providers in this file.")
    any: Some[AnyCondition] | None = Field(None, description="At least one of these conditions.")
    all: Some[AnyCondition] | None = Field(None, description="Every one of these conditions.")


def _kind(value: Any) -> str:
    return "everyone" if isinstance(value, str) else "condition"


AnyCondition = Annotated[
    Annotated[Literal["everyone"], Tag("everyone")] | Annotated[Condition, Tag("condition")],
    Discriminator(_kind),
]
KINDS = ("email", "email_domain", "email_in", "claim", "organization", "provider", "any", "all")
CLAIM_VALUES = ("equals", "any_of", "all_of", "matches")


class AccessRule(Section):
    """One line of ``access:``: either ``allow`` or ``deny``."""

    allow: AnyCondition | None = Field(None, description="Let in whom the condition fits.")
    deny: AnyCondition | None = Field(None, description="Keep out whom the condition fits.")

    @property
    def rule(self) -> access.Rule:
        """The rule to decide by."""
        effect: access.Effect = "allow" if self.allow is not None else "deny"
        return access.Rule(effect, condition_of(self.allow if self.allow is not None else self.deny))


def decided(rules: tuple[AccessRule, ...]) -> tuple[access.Rule, ...]:
    """The rules in the order of the file."""
    return tuple(written.rule for written in rules)


def condition_of(written: Condition | Literal["everyone"] | None) -> access.Condition:
    """The condition to decide by. Raises :class:`ValueError` for one that ``jsmsso.profile.checks`` would not let pass."""
    if written == "everyone":
        return access.Everyone()
    if isinstance(written, Condition):
        for kind, make in _KINDS:
            if (value := getattr(written, kind)) is not None:
                return make(written, value)
    raise ValueError("a condition of no kind")


def _of_claim(written: Condition, name: str) -> access.Condition:
    if written.equals is not None:
        return access.ClaimEquals(name, written.equals)
    if written.any_of is not None:
        return access.Claim(name, written.any_of)
    if written.all_of is not None:
        return access.ClaimAllOf(name, written.all_of)
    if written.matches is not None:
        return access.ClaimMatches(name, written.matches)
    raise ValueError("a claim without values")


_KINDS: tuple[tuple[str, Callable[[Condition, Any], access.Condition]], ...] = (
    ("email", lambda _, globs: access.Email(globs)),
    ("email_domain", lambda _, domains: access.EmailDomain(domains)),
    ("email_in", lambda _, file: access.EmailIn(file)),
    ("claim", _of_claim),
    ("organization", lambda _, names: access.Organization(names)),
    ("provider", lambda _, names: access.ByProvider(names)),
    ("any", lambda _, conditions: access.AnyOf(tuple(map(condition_of, conditions)))),
    ("all", lambda _, conditions: access.AllOf(tuple(map(condition_of, conditions)))),
)

Condition.model_rebuild()
