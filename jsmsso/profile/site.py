"""``jsm:`` and ``portals:``: the Jira Service Management site and what customers open there."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from jsmsso.identity.access import Rule
from jsmsso.identity.conditions import caught_groups
from jsmsso.profile.access_rules import AccessRule, Expression, decided
from jsmsso.profile.fields import (
    Address,
    BaseAddress,
    Day,
    Domain,
    EmailAddress,
    Flag,
    Id,
    Many,
    Matching,
    OneOrMany,
    SecretReference,
    Section,
    Some,
    Text,
    refused,
)  # fmt: skip


class OrganizationTransform(Section):
    """How a value of the mapped claim becomes an organization's name."""

    matches: Expression = Field(description="An RE2 expression that fits the whole value.", examples=["customer-(.*)"])
    to: Annotated[Text, Matching(r"([^\\]|\\[0-9])+", r"a text in which \1 stands for what the first parentheses caught")] = Field(
        description=r"The organization's name; `\1` stands for what the first parentheses caught.", examples=[r"\1"]
    )

    @model_validator(mode="after")
    def _names_caught_groups(self) -> OrganizationTransform:
        groups = caught_groups(self.matches)
        highest = max((int(number) for number in re.findall(r"\\([0-9])", self.to)), default=0)
        if highest > groups:
            raise refused(f"to: found \\{highest}; the expression has {groups or 'no'} pair{'' if groups == 1 else 's'} of parentheses")
        return self


class Customers(Section):
    """What is written to JSM about a customer at a login."""

    create: Flag = Field(False, description="Create an account for a customer who has none.")
    add_to_service_desk: Flag = Field(False, description="Add the customer to the portal's service desk.")
    organizations: Literal["off", "add", "sync"] = Field(
        "off", description="Put the customer into the mapped organizations; `sync` also takes out what we put in."
    )
    create_organizations: Flag = Field(False, description="Create an organization that JSM does not have.")
    organizations_by_domain: dict[Domain, OneOrMany[Text]] = Field(
        {}, description="Email domains -> organizations that everybody with such an address is put into."
    )
    organizations_always: Many[Text] = Field((), description="Organizations that every customer is put into.")
    organizations_transform: Many[OrganizationTransform] = Field(
        (), description="How values of `attributes.organizations` become names; the first that fits counts, and what none fits is left out."
    )
    required: Flag = Field(False, description="Refuse a login whose customer could not be written, instead of trying again later.")
    prefer: Literal["portal_only", "atlassian"] | None = Field(None, description="Which account counts where one address has two.")
    by: Literal["rest", "scim"] = Field("rest", description="How accounts are written.")

    @property
    def are_written(self) -> bool:
        """Whether a login asks anything of JSM."""
        return self.create or self.add_to_service_desk or self.required or self.organizations != "off"


class Jsm(Section):
    """The site and the service account."""

    url: BaseAddress = Field(description="The Cloud site, or a Data Center base URL.", examples=["https://acme.atlassian.net"])
    email: EmailAddress | None = Field(None, description="The service account's address; Cloud only.", examples=["sso-bot@acme.com"])
    api_token: SecretReference = Field(
        description="Its API token (Cloud) or personal access token (Data Center).", examples=["keyring:jsm/api_token"]
    )
    api_token_expires: Day | None = Field(
        None, description="The day on which the token ends; warned about 30, 7 and 1 days before.", examples=["2027-05-01"]
    )
    customers: Customers = Field(Customers(), description="What is written to JSM about customers.")
    cloud_id: Annotated[Text, Matching("[A-Za-z0-9-]{1,64}", "the site's cloud id")] | None = Field(
        None, description="The site's cloud id, for scoped tokens."
    )
    admin_api_token: SecretReference | None = Field(None, description="A second token, used for creating customers only.")
    admin_email: EmailAddress | None = Field(
        None, description="The address of the account that `admin_api_token` belongs to, where it is not `email`; Cloud only."
    )


class SomeRequestTypes(Section):
    """Request types, for everybody or for some customers. What is left out stands for all; at least one is there."""

    name: OneOrMany[Text] | None = Field(None, description="Request types by name.")
    group: OneOrMany[Text] | None = Field(None, description="Groups of request types, as the portal shows them.", examples=["Equipment"])
    organization: OneOrMany[Text] | None = Field(None, description="Only for customers in one of these organizations of JSM.")

    @model_validator(mode="after")
    def _says_something(self) -> SomeRequestTypes:
        if self.name is None and self.group is None and self.organization is None:
            raise refused("found nothing in it; allowed: name, group, organization")
        return self


def _is_name(value: Any) -> str:
    return "name" if isinstance(value, str) else "some"


AnyRequestTypes = Annotated[Annotated[Text, Tag("name")] | Annotated[SomeRequestTypes, Tag("some")], Discriminator(_is_name)]


class RequestTypes(Section):
    """Which of a portal's request types are offered: those of an item of `allow`, where it is there, and of none of `deny`."""

    allow: Some[AnyRequestTypes] | None = Field(None, description="Only these request types, by name or as below.")
    deny: Some[AnyRequestTypes] | None = Field(None, description="Not these request types, by name or as below.")


class OnCustomerComment(Section):
    """What follows a customer's comment."""

    transition: Text = Field(description="The transition to make, by name.")


ProjectKey = Annotated[Text, Matching("[A-Za-z][A-Za-z0-9_-]{0,254}", "a letter, then letters, digits and _")]


class Portal(Section):
    """One service desk's portal. The first six keys come from ``portals sync``."""

    id: Id = Field(description="The portal's number, as its address has it.", examples=["3"])
    key: ProjectKey = Field(description="The project's key.", examples=["HELP"])
    service_desk: Id = Field(description="The service desk's number.", examples=["3"])
    name: Text = Field(description="What customers read.", examples=["IT help"])
    url: Address = Field(description="The native portal.", examples=["https://acme.atlassian.net/servicedesk/customer/portal/3"])
    mode: Literal["hosted", "redirect", "native"] = Field(
        description="What the portal link opens: our own pages, the native portal, or the native one through Guard."
    )
    gone: Flag = Field(False, description="Set by `portals sync` when the service desk is no longer there.")
    visibility: Literal["default", "private", "public", "jira"] = Field(
        "default",
        description="Who may open it: `default`, whom the rules for everyone let in; `private`, whom its own let in too, with at least one"
        " of each; `public`, anybody, without a login (hosted: to look; raising a request asks for one); `jira`, whom JSM knows there.",
    )
    access: Some[AccessRule] | None = Field(None, description="Rules of this portal, which narrow the global ones.")
    provider: Text | None = Field(None, description="The provider that its customers log in at.")
    request_types: RequestTypes | None = Field(None, description="Which request types are offered.")
    show_sla: Many[Text] = Field((), description="Service level agreements that customers see, by name.")
    customer_transitions: Many[Text] = Field((), description="Transitions that customers may make, by name.")
    on_customer_comment: OnCustomerComment | None = Field(None, description="What follows a customer's comment.")
    sharing: Literal["none", "own_organizations", "typed_addresses"] = Field(
        "own_organizations", description="With whom customers may share a request."
    )
    knowledge_base: Literal["off", "all_customers"] = Field(
        "off", description="`all_customers` says that every article there is meant for every customer."
    )

    @property
    def leads_strangers_on(self) -> bool:
        """Whether its link leads anybody on to the native portal, where Jira decides alone."""
        return self.visibility == "public" and self.mode == "redirect"

    @property
    def is_shown_to_strangers(self) -> bool:
        """Whether anybody may read its page here; whatever is somebody's own still asks for a login."""
        return self.visibility == "public" and self.mode == "hosted"

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The portal's own rules, which a customer must pass too, whatever the visibility."""
        return decided(self.access or ())
