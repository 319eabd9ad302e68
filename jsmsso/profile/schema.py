"""The profile's JSON Schema, for editors that complete YAML by one."""

from __future__ import annotations

from typing import Any

from jsmsso.profile.fields import Lasting, in_words
from jsmsso.profile.model import Profile

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """The schema of a profile as it is written (not as it is held): JSON Schema 2020-12."""
    schema = Profile.model_json_schema(mode="validation")
    return {"$schema": DIALECT, "title": "jsmsso.yaml", **_tidied({**schema, "title": ""})}


def _tidied(node: Any) -> Any:
    """Without null (a key without a value is refused), the defaults that said so, and titles that repeat the key."""
    if isinstance(node, list):
        return [_tidied(one) for one in node]
    if not isinstance(node, dict):
        return node
    tidy = {key: _tidied(value) for key, value in node.items() if not (key == "title" and isinstance(value, str))}
    tidy = {key: value for key, value in tidy.items() if not (key == "default" and value is None)}
    if isinstance(tidy.get("default"), int) and tidy.get("pattern") == Lasting.PATTERN:
        tidy["default"] = in_words(tidy["default"])
    if isinstance(tidy.get("description"), str):
        tidy["description"] = tidy["description"].replace("``", "`")
    if "patternProperties" in tidy:
        tidy.setdefault("additionalProperties", False)
    choices = tidy.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        left = [one for one in choices if one != {"type": "null"}]
        del tidy["anyOf"]
        tidy = {**left[0], **tidy} if len(left) == 1 else {"anyOf": left, **tidy}
    return tidy
