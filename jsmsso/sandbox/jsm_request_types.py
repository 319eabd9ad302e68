"""Request types as the local JSM knows them: what they are called, in which groups they stand, who may use them, their fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsmsso.sandbox.jsm_site import LocalDesk

COMMON = "Common requests"
FIELDS = "com.atlassian.jira.plugin.system.customfieldtypes"  # before the kind of a custom field that Jira brings along


@dataclass(frozen=True, slots=True)
class LocalChoice:
    """One of the values that a field takes; ``children`` for the second list of a cascading one."""

    id: str
    label: str
    children: tuple[LocalChoice, ...] = ()


@dataclass(frozen=True, slots=True)
class LocalField:
    """A field of a form. ``schema`` is Atlassian's ``jiraSchema``; one that is not ``visible`` is set by the type itself."""

    id: str
    name: str
    schema: Mapping[str, Any]
    required: bool = False
    description: str = ""
    choices: tuple[LocalChoice, ...] = ()
    defaults: tuple[LocalChoice, ...] = ()
    visible: bool = True

    @property
    def kind(self) -> str:
        """Its system name, or the last part of its custom type."""
        return str(self.schema.get("system") or self.schema.get("custom", "").rpartition(":")[2])


SUMMARY = LocalField("summary", "Summary", {"type": "string", "system": "summary"}, True, "Say in a few words what you need.")
DESCRIPTION = LocalField("description", "Description", {"type": "string", "system": "description"})
ATTACHMENT = LocalField("attachment", "Attachment", {"type": "array", "items": "attachment", "system": "attachment"})


@dataclass(frozen=True, slots=True)
class RequestTypeDraft:
    """A request type before it has an id. Without ``groups`` it is not on the portal.

    ``restricted_to`` holds the ids of those who may use it, people and organizations (``None``: everyone). ``jira_form`` is the
    name of the form that is attached to it.
    """

    name: str
    description: str = ""
    help_text: str = ""
    groups: tuple[str, ...] = (COMMON,)
    icon: str = "10516"
    fields: tuple[LocalField, ...] = (SUMMARY, DESCRIPTION, ATTACHMENT)
    can_raise_on_behalf: bool = True
    can_add_participants: bool = True
    restricted_to: frozenset[str] | None = None
    jira_form: str = ""


@dataclass(frozen=True, slots=True)
class LocalRequestType:
    """A request type of a service desk."""

    id: str
    draft: RequestTypeDraft
    desk: LocalDesk = field(repr=False)

    @property
    def name(self) -> str:
        """What customers read."""
        return self.draft.name

    def field(self, field_id: str) -> LocalField | None:
        """Its field of this id."""
        return next((one for one in self.draft.fields if one.id == field_id), None)

    def open_to(self, person_id: str, organization_ids: Iterable[str]) -> bool:
        """Whether a customer with this id, in these organizations, may use it."""
        allowed = self.draft.restricted_to
        return allowed is None or person_id in allowed or not allowed.isdisjoint(organization_ids)


def draft_of(given: str | RequestTypeDraft, desk_name: str) -> RequestTypeDraft:
    """A type given by its name alone has a form with the usual three fields."""
    return given if isinstance(given, RequestTypeDraft) else RequestTypeDraft(given, f"{given} of {desk_name}")


def custom(number: int, name: str, kind: str, type_: str = "string", items: str = "", **options: Any) -> LocalField:
    """A custom field; ``kind`` is one of Jira's own, or a whole key with a colon."""
    schema: dict[str, Any] = {"type": type_, "custom": kind if ":" in kind else f"{FIELDS}:{kind}", "customId": number}
    return LocalField(f"customfield_{number}", name, schema | ({"items": items} if items else {}), **options)


def choices(first: int, *labels: str | tuple[str, tuple[str, ...]]) -> tuple[LocalChoice, ...]:
    """Values numbered from ``first`` on; a pair is a value with its children."""
    made, number = [], first
    for label in labels:
        name, children = (label, ()) if isinstance(label, str) else label
        under = tuple(LocalChoice(str(number + 1 + place), child) for place, child in enumerate(children))
        made.append(LocalChoice(str(number), name, under))
        number += 1 + len(children)
    return tuple(made)
