"""docs/conformance.md names tests and rows that exist, and misses none of the tests."""

from __future__ import annotations

import re
from pathlib import Path

from tests.oidc import test_id_token

HERE = Path(__file__).parent
PAGE = (HERE.parent.parent / "docs" / "conformance.md").read_text(encoding="utf-8")


def test_every_test_that_the_page_names_is_there() -> None:
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", PAGE)

    assert len(named) > 50
    assert [name for file, name in named if f"def {name}(" not in (HERE / file).read_text(encoding="utf-8")] == []


def test_every_row_that_the_page_names_is_there() -> None:
    rows = {row.id for row in test_id_token.REFUSED}
    section = PAGE.partition("\n| refused |")[2].partition("\n| accepted |")[0]
    named = {name for line in section.splitlines() for name in re.findall(r"`([^`]+)`", line.rpartition(" | ")[2]) if "::" not in name}

    assert len(named) > 25
    assert named - rows == set()
