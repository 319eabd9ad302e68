"""A field of JSM as what a page shows: a kind of input, what stands in it, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from jsmsso.jsm.requests.type_form import Choice, FormField, TypeForm
from jsmsso.portal.forms.names import input_name
from jsmsso.portal.forms.reading import BETWEEN_CHILDREN

MOST_BOXES = 20  # choices that are shown as checkboxes; more of them as a list
LINES: Mapping[str, str] = {"text": "text", "number": "text", "url": "url", "user": "email", "users": "text", "labels": "text"}


@dataclass(frozen=True, slots=True)
class Option:
    """One of the values to choose from. ``options`` are those of a second list below it."""

    value: str
    label: str
    is_chosen: bool
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Widget:
    """``shape``: line, area, day, moment, select, list, boxes, radios or files. ``type`` is a line's ``type``.

    ``hint`` is the field's own description; ``wrong`` a sentence of ours, or one of JSM's.
    """

    id: str
    label: str
    shape: str
    kind: str
    required: bool
    hint: str
    wrong: str = ""
    type: str = ""
    value: str = ""
    options: tuple[Option, ...] = ()


def widgets(form: TypeForm, given: Mapping[str, Sequence[str]] | None, wrong: Mapping[str, str], zone: tzinfo) -> tuple[Widget, ...]:
    """The fields that can be filled in, in JSM's order. ``given`` is what was typed before; None shows the defaults.

    ``zone`` is that in which dates with times are shown.
    """
    fields = [one for one in form.fields if one.kind != "unsupported"]
    return tuple(_widget(one, _shown(one, zone) if given is None else given.get(one.id, ()), wrong.get(one.id, "")) for one in fields)


def _shown(one: FormField, zone: tzinfo) -> Sequence[str]:
    """The defaults, as inputs have them."""
    if not one.default or one.kind in ("user", "users", "attachment"):
        return ()
    try:
        match one.kind:
            case "date":
                return (date.fromisoformat(one.default[0][:10]).isoformat(),)
            case "datetime":
                return (datetime.fromisoformat(one.default[0]).astimezone(zone).strftime("%Y-%m-%dT%H:%M"),)
    except (ValueError, OverflowError):
        return ()
    if one.kind == "cascading":
        return (BETWEEN_CHILDREN.join(one.default[:2]),)
    return (" ".join(one.default),) if one.kind == "labels" else one.default


def _widget(one: FormField, given: Sequence[str], wrong: str) -> Widget:
    def widget(shape: str, type_: str = "", value: str = "", options: tuple[Option, ...] = ()) -> Widget:
        return Widget(input_name(one), one.name, shape, one.kind, one.required, one.description, wrong, type_, value, options)

    first = given[0] if given else ""
    chosen = frozenset(given)
    match one.kind:
        case "textarea" | "rich":
            return widget("area", value=first)
        case "date":
            return widget("day", "date", first)
        case "datetime":
            return widget("moment", "datetime-local", first)
        case "choice":
            return widget("select", options=_options(one.choices, chosen))
        case "cascading":
            return widget("select", options=_cascade(one.choices, chosen))
        case "radio":
            return widget("radios", options=_options(one.choices, chosen))
        case "choices" | "checkboxes":
            return widget("boxes" if len(one.choices) <= MOST_BOXES else "list", options=_options(one.choices, chosen))
        case "attachment":
            return widget("files")
    return widget("line", LINES[one.kind], first)


def _options(choices: Sequence[Choice], chosen: frozenset[str]) -> tuple[Option, ...]:
    return tuple(Option(one.id, one.label, one.id in chosen) for one in choices)


def _cascade(choices: Sequence[Choice], chosen: frozenset[str]) -> tuple[Option, ...]:
    """One list for both of a field's lists, so that it works without a script: ``Berlin`` alone, or a place within it."""
    return tuple(
        Option(
            one.id,
            one.label,
            one.id in chosen,
            tuple(
                Option(value, f"{one.label} / {child.label}", value in chosen)
                for child in one.children
                for value in (f"{one.id}{BETWEEN_CHILDREN}{child.id}",)
            ),
        )
        for one in choices
    )
