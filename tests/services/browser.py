"""The browser that tests drive: the system's Chromium through playwright, never one that playwright downloads."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

ARGUMENTS = [
    "--no-sandbox",  # CI runs as root, where Chromium's own does not start
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ON_MACOS = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def find_chromium() -> str:
    """Its path, or empty; ``JSMSSO_CHROMIUM`` names one in an unusual place."""
    named = os.environ.get("JSMSSO_CHROMIUM", "")
    found = named or next((path for name in NAMES if (path := shutil.which(name))), "")
    return found or (str(ON_MACOS) if ON_MACOS.exists() else "")
