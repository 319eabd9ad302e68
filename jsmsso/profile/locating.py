"""Which file is the profile. Standard library only: `jsmsso profile path` has to start at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path

VARIABLE = "JSMSSO_PROFILE"
FILE_NAME = "jsmsso.yaml"


def locate_profile(option: str = "") -> Path:
    """The profile in use, or the one that a new profile would get; it need not exist.

    In this order: ``option`` (``--profile``), ``$JSMSSO_PROFILE``, ``./jsmsso.yaml`` where it exists, the
    one in the user's configuration folder where it exists, else ``./jsmsso.yaml``. A leading ``~`` is
    the user's home. The path is returned as named: relative paths stay relative.
    """
    named = option or os.environ.get(VARIABLE, "")
    if named:
        return Path(os.path.expanduser(named))
    here = Path(FILE_NAME)
    if os.path.lexists(here):
        return here
    theirs = configuration_folder() / FILE_NAME
    return theirs if os.path.lexists(theirs) else here


def configuration_folder() -> Path:
    """The user's folder for jsmsso's configuration, which need not exist."""
    if sys.platform in ("win32", "darwin"):
        import platformdirs

        return platformdirs.user_config_path("jsmsso", appauthor=False)
    # XDG Base Directory Specification: a relative path in the variable is to be ignored.
    named = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(named) if os.path.isabs(named) else Path(os.path.expanduser("~/.config"))) / "jsmsso"
