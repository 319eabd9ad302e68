"""The names that inputs have on a page."""

from __future__ import annotations

from jsmsso.jsm.requests.type_form import FormField

PREFIX = "f-"  # no field of JSM can be taken for one of our own, such as the token


def input_name(field: FormField) -> str:
    """The name and the id of a field's input."""
    return f"{PREFIX}{field.id}"
