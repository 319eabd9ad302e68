"""The form of a request type: its fields, and how each can be filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from jsmsso.errors import JsmAnswerInvalid
from jsmsso.jsm.answers import in_path, text_of
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.requests.reading import dict_of, dicts_of
from jsmsso.jsm.service_desks import NEEDS
from jsmsso.jsm.site import Site

Kind = Literal[
    "text",
    "textarea",
    "rich",
    "number",
    "date",
    "datetime",
    "choice",
    "choices",
    "cascading",
    "checkboxes",
    "radio",
    "user",
    "users",
    "attachment",
    "labels",
    "url",
    "unsupported",
]
JIRAS_OWN = "com.atlassian.jira.plugin.system.customfieldtypes:"
RICH_TEXT = frozenset({"description", "environment", "textarea"})
TEXTS: Mapping[str, Kind] = {"textfield": "text", "url": "url", "summary": "text"}
SINGLE: Mapping[str, Kind] = {"number": "number", "date": "date", "datetime": "datetime", "user": "user", "option-with-child": "cascading"}
SEVERAL: Mapping[str, Kind] = {
    "string": "labels",
    "user": "users",
    "attachment": "attachment",
    "option": "choices",
    "component": "choices",
    "version": "choices",
}
SHOWN_AS: Mapping[str, Kind] = {"radiobuttons": "radio", "multicheckboxes": "checkboxes"}
NEEDS_CHOICES: frozenset[Kind] = frozenset({"choice", "choices", "cascading", "checkboxes", "radio"})
DEEPEST = 3  # lists in lists; a cascading field has two


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that a field takes; ``children`` are those of a second list, which belong to this one."""

    id: str
    label: str
    children: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form. ``system`` is Jira's name of a field of its own (``summary``), ``custom`` the type of any other.

    ``default`` holds ids for a field with choices, texts for others. ``description`` is what customers read below the name.
    ``rich`` is a text that goes as an Atlassian document, ``textarea`` one that goes as wiki markup.
    """

    id: str
    name: str
    description: str
    required: bool
    kind: Kind
    choices: tuple[Choice, ...]
    default: tuple[str, ...]
    system: str
    custom: str


@dataclass(frozen=True, slots=True)
class TypeForm:
    """A request type's fields in their order, and what our account may do with it."""

    fields: tuple[FormField, ...]
    can_raise_on_behalf: bool
    can_add_participants: bool

    @property
    def unsupported(self) -> tuple[FormField, ...]:
        """The fields that cannot be filled in here."""
        return tuple(field for field in self.fields if field.kind == "unsupported")


def type_form(client: JsmClient, site: Site, desk_id: str, type_id: str) -> TypeForm:
    """The fields that customers see (Atlassian: ``GET .../requesttype/<id>/field``); hidden ones are the type's own business."""
    path = f"/rest/servicedeskapi/servicedesk/{in_path(desk_id)}/requesttype/{in_path(type_id)}/field"
    answer = dict_of(client.get(path, needs=NEEDS))
    if not isinstance(answer.get("requestTypeFields"), list):
        raise JsmAnswerInvalid(f"JSM's answer to {path} has no fields", "Is jsm.url the address of a Jira site?")
    told = [item for item in dicts_of(answer["requestTypeFields"]) if text_of(item.get("fieldId")) and item.get("visible") is not False]
    return TypeForm(
        tuple(_field(item, site) for item in told),
        answer.get("canRaiseOnBehalfOf") is True,
        answer.get("canAddRequestParticipants") is True,
    )


def _field(item: dict[str, Any], site: Site) -> FormField:
    schema = dict_of(item.get("jiraSchema"))
    offered = _choices(item.get("validValues"), DEEPEST)
    field_id = text_of(item.get("fieldId"))
    return FormField(
        id=field_id,
        name=text_of(item.get("name")) or field_id,
        description=text_of(item.get("description")),
        required=item.get("required") is True,
        kind=_kind(schema, offered, site),
        choices=offered,
        default=tuple(filter(None, (text_of(value.get("value")) for value in _nested(item.get("defaultValues"))))),
        system=text_of(schema.get("system")),
        custom=text_of(schema.get("custom")),
    )


def _choices(values: Any, depth: int) -> tuple[Choice, ...]:
    if not depth:
        return ()
    return tuple(
        Choice(value, text_of(item.get("label")) or value, _choices(item.get("children"), depth - 1))
        for item in dicts_of(values)
        if (value := text_of(item.get("value")))
    )


def _nested(values: Any) -> list[dict[str, Any]]:
    """The default values; that of a cascading field has the second one within the first."""
    found: list[dict[str, Any]] = []
    for item in dicts_of(values):
        found += [item, *dicts_of(item.get("children"))]
    return found


def _kind(schema: Mapping[str, Any], offered: tuple[Choice, ...], site: Site) -> Kind:
    """How the field is filled in. What is not known for certain is not guessed at: a wrong value would be lost, or worse, kept."""
    type_, items, system, custom = (text_of(schema.get(name)) for name in ("type", "items", "system", "custom"))
    name = system or (custom.removeprefix(JIRAS_OWN) if custom.startswith(JIRAS_OWN) else "")
    kind: Kind
    if type_ == "string" and not offered:
        kind = ("rich" if site.is_cloud else "textarea") if name in RICH_TEXT else TEXTS.get(name, "unsupported")
    elif type_ in ("string", "option", "priority"):
        kind = SHOWN_AS.get(name, "choice") if name else "unsupported"
    elif type_ == "array":
        kind = SHOWN_AS.get(name, SEVERAL.get(items, "unsupported"))
        if kind in ("labels", "attachment") and kind not in (name, "attachment"):
            kind = "unsupported"
    else:
        kind = SINGLE.get(type_, "unsupported")
    return "unsupported" if kind in NEEDS_CHOICES and not offered else kind
