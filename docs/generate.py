"""Writes docs/profile.md from the profile's model; ``--check`` only compares (exit code 1 on a difference)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from jsmsso.profile.access_rules import Condition
from jsmsso.profile.complaining import choices
from jsmsso.profile.fields import Lasting, in_words, secret_reference
from jsmsso.profile.model import Profile

TARGET = Path(__file__).with_name("profile.md")

HEAD = """# The profile

<!-- Written by docs/generate.py from jsmsso/profile: change the descriptions there. -->

`jsmsso.yaml` is the single source of truth. It is looked for in this order: `--profile PATH`, `$JSMSSO_PROFILE`,
`./jsmsso.yaml`, the user's configuration folder. `jsmsso profile check` reads it and says everything that is wrong with it;
`jsmsso profile schema` prints its JSON Schema. `examples/` has a small one, one for Data Center, and one with every key.

It is YAML 1.2: `NO` is a text and `yes` is too; only `true` and `false` are not. A number where a text is due must be
quoted. Duplicate keys, anchors, aliases and tags are refused. A key without a value is refused: give it one or delete it.

**A secret never stands in it.** Where one is needed there is a reference:

| reference | the secret is |
|---|---|
| `keyring:NAME` | in the keyring of the user who runs jsmsso; `jsmsso secrets set NAME` puts it there |
| `env:VARIABLE` | in that environment variable |
| `file:PATH` | in that file (mode 0600, one final line end is not part of it); a relative path starts at the profile's folder |

`jsmsso secrets list` says whether each is there; `jsmsso secrets move` takes them to files for a server ([how](deployment.md)).

**Addresses** begin with `https://`; `http://` is taken for loopback addresses only (`localhost`, `127.0.0.0/8`, `::1`).
**Lengths of time** are a whole number and a unit: `60s`, `15m`, `8h`, `90d`.
"""


def main() -> int:
    text = "\n".join([HEAD, *_section(Profile, "", set())]).rstrip() + "\n"
    if "--check" in sys.argv:
        if TARGET.read_text(encoding="utf-8") == text:
            return 0
        print("docs/profile.md is not what docs/generate.py writes: run it", file=sys.stderr)
        return 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


def _section(model: type[BaseModel], path: str, described: set[type[BaseModel]]) -> Iterator[str]:
    described.add(model)
    title = f"`{path}`" if path else "All keys"
    yield f"## {title}\n"
    yield f"{_prose(model.__doc__ or '')}\n" if path else ""
    yield "| key | value | without it | what it is |\n|---|---|---|---|"
    for name, info in model.model_fields.items():
        yield f"| `{name}` | {_value(info)} | {_default(info)} | {_cell(info.description or '')}{_example(info)} |"
    yield ""
    for name, info in model.model_fields.items():
        for inner, suffix in _models(info.annotation):
            if inner not in described:
                yield from _section(inner, f"{path}.{name}{suffix}".lstrip("."), described)


def _models(annotation: Any) -> Iterator[tuple[type[BaseModel], str]]:
    for one in choices(annotation):
        if get_origin(one) is dict:
            yield from ((model, f".NAME{suffix}") for model, suffix in _models(get_args(one)[1]))
        elif get_origin(one) is tuple:
            yield from ((model, f"[]{suffix}") for model, suffix in _models(get_args(one)[0]) if model is not Condition)
        elif isinstance(one, type) and issubclass(one, BaseModel):
            yield one, ""


def _value(info: FieldInfo) -> str:
    for one in (*info.metadata, *_metadata(info.annotation)):
        if isinstance(one, Lasting):
            return f"{one.least} to {one.most}"
        if getattr(one, "func", None) is secret_reference:
            return "reference"
    return " or ".join(dict.fromkeys(_kind(one) for one in choices(info.annotation) if one is not type(None)))


def _metadata(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Annotated:
        yield from get_args(annotation)[1:]
    for one in get_args(annotation):
        yield from _metadata(one)


def _kind(one: Any) -> str:
    if get_origin(one) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(one))
    if get_origin(one) is tuple:
        kinds = " or ".join(dict.fromkeys(_kind(inner) for inner in choices(get_args(one)[0])))
        return f"list of {kinds}" if "`" in kinds else "list"
    if get_origin(one) is dict or (isinstance(one, type) and issubclass(one, BaseModel)):
        return "mapping"
    return {str: "text", bool: "`true`, `false`", int: "number"}.get(one, "date" if getattr(one, "__name__", "") == "date" else "text")


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "**needed**"
    default = info.default
    if any(isinstance(one, Lasting) for one in (*info.metadata, *_metadata(info.annotation))) and isinstance(default, int):
        return f"`{in_words(default)}`"
    if default is None or default in ((), {}) or isinstance(default, BaseModel):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _example(info: FieldInfo) -> str:
    if not info.examples:
        return ""
    example = info.examples[0]
    text = f"[{', '.join(example)}]" if isinstance(example, list) else str(example)
    return f" For example `{text}`."


def _prose(text: str) -> str:
    return " ".join(text.split()).replace("``", "`")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
