"""docs/store.md names every table and every kind of record, and its commands exist."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from jsmsso.store.sqlite_schema import TABLES
from tests.services import REPOSITORY
from tests.services.home import Ran

PAGE = (REPOSITORY / "docs" / "store.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("|")]


@pytest.mark.parametrize("table", TABLES)
def test_each_table_says_what_why_how_long_and_how_it_is_deleted(table: str) -> None:
    assert [row for row in ROWS if f"`{table}`" in row and row.count("|") == 6]


def test_each_kind_of_record_is_named() -> None:
    kinds = set()
    for file in (REPOSITORY / "jsmsso").rglob("*.py"):
        if file.parent.name != "store":
            for found in re.finditer(r"^(?:[A-Z]+_)?KIND(?:, (?:[A-Z]+_)?KIND)* = (.+)$", file.read_text(), re.MULTILINE):
                kinds |= set(re.findall(r'"([a-z]+)"', found[1]))

    assert {"session", "hint", "refresh"} <= kinds
    assert [kind for kind in kinds if f"of kind `{kind}`" not in PAGE] == []


@pytest.mark.parametrize("command", sorted({" ".join(found) for found in re.findall(r"jsmsso (store|customers|sessions) ([a-z]+)", PAGE)}))
def test_each_command_is_there(jsmsso: Callable[..., Ran], command: str) -> None:
    assert jsmsso(*command.split(), "--help").code == 0
