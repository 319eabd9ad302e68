"""Where a login leads back to: a path on our own host that the gate serves, or nothing."""

from __future__ import annotations

import re

# Only what our own addresses consist of: no scheme, no host, no backslash, no dot segment, no encoding to be undone.
_OWN_PATH = re.compile(r"/(?:[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*/?)?(?:\?[A-Za-z0-9_.~=&%+-]*)?")
_PREFIXES = ("/portal/", "/servicedesk/customer/")
MAX_LENGTH = 512  # characters


def own_path(text: str, base_path: str = "") -> str:
    """``text`` without the base path if it is a path of a portal of ours, else ``/``."""
    below = text.removeprefix(base_path) if base_path and text.startswith(base_path + "/") else text
    for path in (below, text):
        if len(path) <= MAX_LENGTH and path.startswith(_PREFIXES) and _OWN_PATH.fullmatch(path):
            return path
    return "/"
