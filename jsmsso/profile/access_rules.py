"""``access:`` as it is written; ``jsmsso.identity.access`` has the rules that are decided."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from jsmsso.identity import access
from jsmsso.profile.fields import DomainPattern, EmailGlob, OneOrMany, Section, Some, Text


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
        None, description="A file with one address in a line, read again when it changed.", examples=["customers.txt"]
    )
    claim: Text | None = Field(
        None, description="A claim's literal name; one of the four keys below says which values.", examples=["cognito:groups"]
    )
    equals: Text | None = Field(None, description="With `claim`: this value.")
    any_of: Some[Text] | None = Field(None, description="With `claim`: at least one of these values.", examples=[["customers"]])
    all_of: Some[Text] | None = Field(None, description="With `claim`: every one of these values.")
    matches: Text | None = Field(None, description="With `claim`: an RE2 expression for a whole value.")
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
    def rule(self) -> access.Rule | None:
        """The rule to decide by, or nothing where its kind is not acted on yet."""
        condition = _condition(self.allow if self.allow is not None else self.deny)
        return None if condition is None else access.Rule("allow" if self.allow is not None else "deny", condition)


def decided(rules: tuple[AccessRule, ...]) -> tuple[access.Rule, ...]:
    """The rules in the order of the file. Where one is not acted on yet, nobody gets past it: it and all after it deny."""
    made: list[access.Rule] = []
    for written in rules:
        if (rule := written.rule) is None:
            return (*made, access.Rule("deny", access.Everyone()))
        made.append(rule)
    return tuple(made)


def _condition(written: Condition | Literal["everyone"] | None) -> access.Condition | None:
    if written == "everyone":
        return access.Everyone()
    if not isinstance(written, Condition):
        return None
    if written.email is not None:
        return access.Email(written.email)
    if written.email_domain is not None:
        return access.EmailDomain(written.email_domain)
    if written.claim is not None and written.any_of is not None:
        return access.Claim(written.claim, written.any_of)
    return None


Condition.model_rebuild()
