"""docs/tokens.md, docs/attributes.md and docs/access.md: their commands exist, and their examples come out as they say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from jsmsso.identity.attributes import IdentityRules, to_customer
from tests.services import REPOSITORY
from tests.services.home import Ran

PAGES = [REPOSITORY / "docs" / name for name in ("tokens.md", "attributes.md", "access.md")]
COMMAND = re.compile(r"jsmsso ((?:token|attributes) [a-z]+|test-connection)([^`\n]*)")


@pytest.mark.parametrize("command", sorted({found[1] for page in PAGES for found in COMMAND.finditer(page.read_text())}))
def test_each_command_and_option_is_there(jsmsso: Callable[..., Ran], command: str) -> None:
    said = jsmsso(*command.split(), "--help", env={"COLUMNS": "200"})

    used = {option for page in PAGES for found in COMMAND.finditer(page.read_text()) if found[1] == command
            for option in re.findall(r"(?<= )--[a-z-]+", found[2])}  # fmt: skip
    assert said.code == 0, said.stderr
    assert not [option for option in used if option not in said.stdout]


def test_each_example_of_an_expression_gives_what_the_page_says() -> None:
    page = PAGES[1].read_text()
    claims = json.loads(page[page.index("    {\n") : page.index("    }\n") + 5])
    examples = re.findall(r"^\| `(.+)` \| (.+) \|$", page.partition("| expression |")[2], re.MULTILINE)

    assert len(examples) == 6
    for expression, gives in examples:
        rules = IdentityRules("idp", {"email": ("email",), "organizations": (expression,)})
        organizations = to_customer({"iss": "", "sub": "", **claims}, rules).organizations
        assert ", ".join(organizations) == gives
