"""A person at a terminal."""

from __future__ import annotations

from functools import partial

import pytest

from tests.cli.at_a_terminal import Spawn, at_terminal
from tests.services.home import Home


@pytest.fixture
def terminal(jsmsso_home: Home) -> Spawn:
    """``terminal("provider", "add", "cognito", env={})`` -> the command in a terminal of 80 columns."""
    return partial(at_terminal, jsmsso_home)
