"""docs/conformance.md names tests and rows that exist, and misses none of the tests."""

from __future__ import annotations

import re
from pathlib import Path

from tests.oidc import test_id_token

TESTS = Path(__file__).parent.parent
PAGE = (TESTS.parent / "docs" / "conformance.md").read_text(encoding="utf-8")


def test_every_test_that_the_page_names_is_there() -> None:
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", PAGE)

    assert len(named) > 70
    assert [(file, name) for file, name in named if not is_there(file, name)] == []


def is_there(file: str, name: str) -> bool:
    """In any file of that name: some behaviours are tested in one room and once more in a whole journey."""
    return any(f"def {name}(" in path.read_text(encoding="utf-8") for path in TESTS.glob(f"*/{file}"))


def test_every_row_that_the_page_names_is_there() -> None:
    rows = {row.id for row in test_id_token.REFUSED}
    section = PAGE.partition("\n| refused |")[2].partition("\n| accepted |")[0]
    named = {name for line in section.splitlines() for name in re.findall(r"`([^`]+)`", line.rpartition(" | ")[2]) if "::" not in name}

    assert len(named) > 25
    assert named - rows == set()
