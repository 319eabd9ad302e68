"""docs/providers.md says what the types know."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from jsmsso.providers.known import provider_types

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_what_the_types_make() -> None:
    ran = subprocess.run([sys.executable, DOCS / "generate_providers.py", "--check"], capture_output=True, text=True, cwd=DOCS.parent)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_every_type_has_its_section() -> None:
    page = (DOCS / "providers.md").read_text(encoding="utf-8")
    assert [name for name in provider_types() if f"\n## {name}\n" not in page] == []
