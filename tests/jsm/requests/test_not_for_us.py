"""What REST does only for the caller itself is never called: it would be the service account's answer, not the customer's."""

from __future__ import annotations

import re
from pathlib import Path

import jsmsso

PACKAGE = Path(jsmsso.__file__).parent
# An approval is answered, a rating given and a subscription changed by whoever calls (Atlassian: the three calls' permissions).
NEVER = re.compile(r"/(feedback|notification|approval)\b")


def test_the_service_account_never_approves_rates_or_subscribes() -> None:
    ours = [path for path in PACKAGE.rglob("*.py") if "sandbox" not in path.relative_to(PACKAGE).parts]
    assert len(ours) > 100
    assert [f"{path.relative_to(PACKAGE)}: {found[0]}" for path in ours if (found := NEVER.search(path.read_text(encoding="utf-8")))] == []
