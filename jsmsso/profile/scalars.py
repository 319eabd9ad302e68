"""What a plain YAML scalar means: the core schema of YAML 1.2.2 (10.3.2), nothing more.

Reading (PyYAML) and editing (ruamel.yaml) both ask these expressions, because neither library keeps to
the core schema by itself: PyYAML reads ``NO`` as false, ``12:30`` as 750 and ``2027-05-01`` as a date,
ruamel.yaml reads ``1_000`` as 1000 and the date as a date too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

Scalar: TypeAlias = str | bool | int | float | None

NULL = "tag:yaml.org,2002:null"
BOOL = "tag:yaml.org,2002:bool"
INT = "tag:yaml.org,2002:int"
FLOAT = "tag:yaml.org,2002:float"
STR = "tag:yaml.org,2002:str"

CORE_SCHEMA: tuple[tuple[str, re.Pattern[str], Callable[[str], Scalar]], ...] = (
    (NULL, re.compile(r"null|Null|NULL|~|"), lambda text: None),
    (BOOL, re.compile(r"true|True|TRUE|false|False|FALSE"), lambda text: text[0] in "tT"),
    (INT, re.compile(r"[-+]?[0-9]{1,4000}"), int),  # Python converts at most 4,300 digits
    (INT, re.compile(r"0o[0-7]+"), lambda text: int(text, 0)),
    (INT, re.compile(r"0x[0-9a-fA-F]+"), lambda text: int(text, 0)),
    (FLOAT, re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (FLOAT, re.compile(r"[-+]?\.(inf|Inf|INF)"), lambda text: float(text.replace(".", "", 1))),
    (FLOAT, re.compile(r"\.(nan|NaN|NAN)"), lambda text: float("nan")),
)


def core_tag(text: str) -> str:
    """The tag that a plain scalar of this text has in the core schema."""
    return next((tag for tag, pattern, _ in CORE_SCHEMA if pattern.fullmatch(text)), STR)


def core_value(text: str) -> Scalar:
    """The value that a plain scalar of this text has in the core schema."""
    return next((make(text) for _, pattern, make in CORE_SCHEMA if pattern.fullmatch(text)), text)
