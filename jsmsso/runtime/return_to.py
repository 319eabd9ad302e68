"""Where a login leads back to: a path on our own host that the gate serves or forward auth lets through, or nothing."""

from __future__ import annotations

import re
from urllib.parse import unquote

from jsmsso.runtime.site_paths import readable_path

# Only what our own addresses consist of: no scheme, no host, no backslash, no dot segment, no encoding to be undone.
_OWN_PATH = re.compile(r"/(?:[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*/?)?(?:\?[A-Za-z0-9_.~=&%+-]*)?")
_PREFIXES = ("/portal/", "/servicedesk/customer/")
MAX_LENGTH = 512  # characters

SITE = "~"  # stands before a path that is the protected site's, not ours; no address of either begins with it
_SITE_QUERY = re.compile(r"(?:[A-Za-z0-9_.~=&+,:/?@!$'()*;-]|%[0-9A-Fa-f]{2})*")
# Atlassian's mails and Jira's own login take these in an address, and no credential goes through ours.
_CREDENTIALS = frozenset(("token", "jwt", "sda_source", "os_username", "os_password", "atl_token"))


def own_path(text: str, base_path: str = "", *, site: bool = False) -> str:
    """``text`` without the base path if it is a path of a portal of ours, else ``/``.

    With ``site`` (forward auth protects the rest of this host) a path outside the base path is kept too, with
    :data:`SITE` before it.
    """
    below = text.removeprefix(base_path) if base_path and text.startswith(base_path + "/") else text
    if site and base_path and below is text and text != "/" and not text.startswith("/portal/"):
        return site_path(text, base_path)
    for path in (below, text):
        is_ours = path.startswith(_PREFIXES) or path.partition("?")[0] == "/requests"
        if len(path) <= MAX_LENGTH and is_ours and _OWN_PATH.fullmatch(path):
            return path
    return "/"


def site_path(text: str, base_path: str) -> str:
    """A path of the protected site with :data:`SITE` before it; its query without credentials, or none if it is odd; else ``/``."""
    raw_path, _, query = text.partition("?")
    path = readable_path(raw_path) if len(raw_path) <= MAX_LENGTH else None
    if path is None or path == base_path or path.startswith(base_path + "/"):
        return "/"
    if not _SITE_QUERY.fullmatch(query) or len(text) > MAX_LENGTH:
        return SITE + raw_path
    kept = "&".join(pair for pair in query.split("&") if unquote(pair.partition("=")[0]).lower() not in _CREDENTIALS)
    return f"{SITE}{raw_path}?{kept}" if kept else SITE + raw_path
