"""A home of its own for each test: folders, environment, keyring, and the installed command run in it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.services import SERVICES, warm
from tests.services.children import PATIENCE, installed_script

CLEARED = ("JSMSSO_", "AWS_", "XDG_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "COLUMNS", "FORCE_COLOR", "NO_COLOR", "BROWSER")
KEPT = ("JSMSSO_ATLASSIAN_OPENAPI", "JSMSSO_CHROMIUM", "JSMSSO_TESTS_COLD")


@dataclass(frozen=True, slots=True)
class Home:
    """``path`` is the person's home, ``work`` the folder they stand in (empty at first), ``env`` what their programs see."""

    path: Path
    work: Path
    env: dict[str, str]

    @property
    def profile(self) -> Path:
        return self.work / "jsmsso.yaml"

    @property
    def keyring(self) -> dict[str, str]:
        """What the keyring holds now, as ``{"jsmsso/NAME": secret}``."""
        kept = Path(self.env["JSMSSO_TEST_KEYRING"])
        return json.loads(kept.read_text()) if kept.exists() else {}

    def without_keyring(self) -> dict[str, str]:
        """The environment of a machine that has no usable keyring."""
        return self.env | {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended."""

    code: int
    stdout: str
    stderr: str

    def json(self) -> Any:
        """Its standard output, which must be one JSON document and nothing else."""
        return json.loads(self.stdout)


def make_home(path: Path) -> Home:
    """Folders below ``path`` and an environment that leads there, clean of what the machine's own has set."""
    work = path / "work"
    work.mkdir(parents=True)
    env = {name: value for name, value in os.environ.items() if name in KEPT or not name.upper().startswith(CLEARED)}
    env |= {
        "HOME": str(path),
        "XDG_CONFIG_HOME": str(path / "config"),
        "XDG_STATE_HOME": str(path / "state"),
        "XDG_DATA_HOME": str(path / "data"),
        "XDG_CACHE_HOME": str(path / "cache"),
        "XDG_RUNTIME_DIR": str(path / "run"),
        "PYTHON_KEYRING_BACKEND": "jsmsso_test_keyring.FileKeyring",
        "JSMSSO_TEST_KEYRING": str(path / "keyring.json"),
        "PYTHONPATH": str(SERVICES),  # for the keyring's module alone
        "PYTHONUNBUFFERED": "1",
        "TERM": "xterm-256color",
        "LC_ALL": "C.UTF-8",
    }
    return Home(path, work, env)


def run_jsmsso(home: Home, *arguments: str, typed: str = "", env: Mapping[str, str] | None = None) -> Ran:
    """Run the installed ``jsmsso`` in that home, without a terminal; ``env`` is added to its environment."""
    script, environment = installed_script("jsmsso"), home.env | dict(env or {})
    if not os.environ.get("JSMSSO_TESTS_COLD"):
        return Ran(*warm.run(script, arguments, typed=typed, env=environment, cwd=home.work, patience=PATIENCE))
    done = subprocess.run(
        [script, *arguments], input=typed, env=environment, cwd=home.work, capture_output=True, text=True, timeout=PATIENCE
    )
    return Ran(done.returncode, done.stdout, done.stderr)
