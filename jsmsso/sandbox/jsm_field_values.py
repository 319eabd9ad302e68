"""Values of fields: what the local JSM takes in a new request, and how it shows them afterwards."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from jsmsso.sandbox.jsm_call import Call
from jsmsso.sandbox.jsm_markup import markup_of_document
from jsmsso.sandbox.jsm_request_types import LocalChoice, LocalField, LocalRequestType

LONGEST_LINE = 255  # characters of a summary and of a text field of one line (Jira's own limit)
LONGEST_TEXT = 32_767  # characters of a long text
RICH = frozenset({"description", "textarea", "environment"})
ONE_OF = frozenset({"select", "radiobuttons", "priority", "cascadingselect"})
SOME_OF = frozenset({"multiselect", "multicheckboxes", "components"})


class WrongValue(Exception):
    """A field cannot have this value; the message says why."""


def stored_values(call: Call, request_type: LocalRequestType, sent: Mapping[str, Any], *, documents: bool) -> dict[str, Any]:
    """What is kept of the fields that were sent. Raises :class:`WrongValue` for the first that is wrong or missing.

    With ``documents`` rich text has to be in Atlassian's document format, else it has to be text.
    """
    kept: dict[str, Any] = {}
    for name in sent:
        field = request_type.field(name)
        if field is None or not field.visible:
            raise WrongValue(f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown.")
    for field in request_type.draft.fields:
        if not field.visible:
            kept[field.id] = field.defaults[0].label if field.defaults else None
            continue
        value = sent.get(field.id)
        if value is None or value in ("", [], {}):
            if field.required:
                raise WrongValue(f"{field.name} is required.")
            continue
        kept[field.id] = _stored(call, field, value, documents)
    return kept


def _stored(call: Call, field: LocalField, value: Any, documents: bool) -> Any:
    kind, type_ = field.kind, field.schema["type"]
    if kind in RICH:
        return _rich(field, value, documents)
    if kind in ONE_OF:
        return _choice(field, value)
    if kind in SOME_OF:
        return [_choice(field, one) for one in _list(field, value)]
    if kind == "labels":
        return [_label(field, one) for one in _list(field, value)]
    if kind == "attachment":
        return _list(field, value)
    if type_ == "user":
        return _user(call, field, value)
    if type_ == "array" and field.schema.get("items") == "user":
        return [_user(call, field, one) for one in _list(field, value)]
    if type_ == "number":
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise WrongValue(f"{field.name}: Operation value must be a number")
        return value
    if type_ in ("date", "datetime"):
        return _moment(field, value, type_)
    if type_ != "string":
        return value
    return _line(field, value, kind)


def _rich(field: LocalField, value: Any, documents: bool) -> str:
    if documents:
        if (
            not isinstance(value, dict)
            or value.get("type") != "doc"
            or value.get("version") != 1
            or not isinstance(value.get("content"), list)
        ):
            raise WrongValue(f"{field.name}: Operation value must be an Atlassian Document (see the Atlassian Document Format)")
        return _short_enough(field, markup_of_document(value), LONGEST_TEXT)
    if not isinstance(value, str):
        raise WrongValue(f"{field.name}: Operation value must be a string")
    return _short_enough(field, value, LONGEST_TEXT)


def _line(field: LocalField, value: Any, kind: str) -> str:
    if not isinstance(value, str):
        raise WrongValue(f"{field.name}: Operation value must be a string")
    if "\n" in value and kind in ("summary", "textfield"):
        raise WrongValue(f"The {field.name.lower()} is invalid because it contains newline characters.")
    if kind == "url" and not re.match(r"[a-z][a-z0-9+.-]*://\S+$", value, re.IGNORECASE):
        raise WrongValue(f"{field.name}: Not a valid URL")
    return _short_enough(field, value, LONGEST_LINE)


def _short_enough(field: LocalField, text: str, most: int) -> str:
    if len(text) > most:
        raise WrongValue(f"{field.name} can't exceed {most} characters.")
    return text


def _list(field: LocalField, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise WrongValue(f"{field.name}: data was not an array")
    return value


def _label(field: LocalField, value: Any) -> str:
    if not isinstance(value, str) or not value or re.search(r"\s", value):
        raise WrongValue(f"{field.name}: The label '{value}' contains spaces which is invalid.")
    return value


def _moment(field: LocalField, value: Any, type_: str) -> str:
    try:
        if type_ == "date":
            if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
                raise ValueError
            date.fromisoformat(value)
        else:
            datetime.strptime(str(value), "%Y-%m-%dT%H:%M:%S.%f%z")
    except ValueError:
        shape = "yyyy-MM-dd" if type_ == "date" else "yyyy-MM-dd'T'HH:mm:ss.SSSZ"
        raise WrongValue(f"{field.name}: Error parsing date string: {value}. Use the format {shape}") from None
    return str(value)


def _choice(field: LocalField, value: Any) -> dict[str, Any]:
    """``{"id": ...}``, or by its text: ``{"value": ...}`` for custom fields, ``{"name": ...}`` for those of Jira."""
    found = _one_of(field, value, field.choices)
    stored: dict[str, Any] = {"id": found.id, "label": found.label}
    if isinstance(value, dict) and value.get("child") is not None:
        child = _one_of(field, value["child"], found.children)
        stored["child"] = {"id": child.id, "label": child.label}
    return stored


def _one_of(field: LocalField, value: Any, choices: tuple[LocalChoice, ...]) -> LocalChoice:
    by_text = "value" if "custom" in field.schema else "name"
    if not isinstance(value, dict) or not ("id" in value or by_text in value):
        raise WrongValue(f"{field.name}: Could not find valid 'id' or '{by_text}' in the Parent Option object.")
    for choice in choices:
        if value.get("id") == choice.id or ("id" not in value and value.get(by_text) == choice.label):
            return choice
    raise WrongValue(f"{field.name}: Option id '{value.get('id', value.get(by_text))}' is not valid")


def _user(call: Call, field: LocalField, value: Any) -> dict[str, Any]:
    key = "accountId" if call.site.is_cloud else "name"
    person_id = (value.get(key) or value.get("id")) if isinstance(value, dict) else None
    if not isinstance(person_id, str) or call.site.people.known(person_id) is None:
        raise WrongValue(f"{field.name}: Specified user does not exist or you do not have required permissions")
    return {"person": person_id}


def shown_value(call: Call, field: LocalField, value: Any) -> Any:
    """A stored value as an answer shows it, of ``/rest/servicedeskapi`` and of the platform alike."""
    if isinstance(value, list):
        return [shown_value(call, field, one) for one in value]
    if not isinstance(value, dict):
        return value
    if "person" in value:
        return call.somebody(value["person"])
    own = f"{call.base_url}/rest/api/2/customFieldOption/{value['id']}"
    shown = {"self": own, "id": value["id"], ("value" if "custom" in field.schema else "name"): value["label"]}
    if "child" in value:
        shown["child"] = shown_value(call, field, value["child"])
    return shown
