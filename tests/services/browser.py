"""The browser that tests drive: the system's Chromium through playwright, never one that playwright downloads."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

ARGUMENTS = [
    "--no-sandbox",  # CI runs as root, where Chromium's own does not start
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ON_MACOS = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


@lru_cache
def find_chromium() -> str:
    """The path of one that runs, or empty; ``JSMSSO_CHROMIUM`` names one in an unusual place."""
    named = os.environ.get("JSMSSO_CHROMIUM", "")
    found = [named] if named else [path for name in NAMES if (path := shutil.which(name))] + [str(ON_MACOS)]
    return next((path for path in found if _runs(path)), "")


def _runs(path: str) -> bool:
    """Ubuntu's ``chromium-browser`` is a script that, without snap, only says that it needs snap."""
    try:
        return subprocess.run([path, "--version"], capture_output=True).returncode == 0
    except OSError:
        return False
