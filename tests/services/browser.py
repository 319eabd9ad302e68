"""The browser that tests drive: the system's Chromium through playwright, never one that playwright downloads."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from functools import lru_cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Locator

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


def then_loaded(act: Callable[..., None]) -> Callable[..., None]:
    """``Locator.click`` or ``.press``, done when the page that it leads to, if any, is read to its end.

    Playwright's own are done with the first bytes of that page, and what is read at once, as ``count()`` and
    ``all_inner_texts()`` read, may then find half of it.
    """

    @wraps(act)
    def acted(locator: Locator, *args: Any, **options: Any) -> None:
        act(locator, *args, **options)
        if not options.get("no_wait_after") and not locator.page.is_closed():
            locator.page.wait_for_load_state("domcontentloaded")

    return acted
