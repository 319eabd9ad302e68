"""The site's address as a person pastes it: with a page of it, a query, without a scheme."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from jsmsso.errors import JsmAnswerInvalid, JsmRefused, UsageError
from jsmsso.http_client import HttpClient
from jsmsso.jsm.client import PLAIN, Patience
from jsmsso.jsm.connection import recognize
from jsmsso.jsm.gateway import HOST as GATEWAY
from jsmsso.jsm.site import Site
from jsmsso.profile.addresses import NotAnAddress, base_address, is_loopback

PAGES = re.compile(r"/(servicedesk|browse|projects|secure|rest|issues|plugins|wiki|login\.jsp)(/.*)?$")
MOST_FOLDERS = 4  # of a path that may be a context path; a longer one is a page's


def find_site(pasted: str, http: HttpClient, patience: Patience = PLAIN) -> Site:
    """The site that a pasted address belongs to: the longest beginning of its path at which Jira answers.

    Raises :class:`UsageError` for what is no address, and JSM's errors for the last place asked.
    """
    candidates = _candidates(pasted)
    for url in candidates[:-1]:
        try:
            return recognize(url, http, patience)
        except JsmAnswerInvalid:
            continue
        except JsmRefused as error:
            if error.status != 404:
                raise
    return recognize(candidates[-1], http, patience)


def _candidates(pasted: str) -> list[str]:
    text = pasted.strip()
    if "://" not in text:
        host = re.split(r"[:/?#]", text, maxsplit=1)[0]
        text = f"{'http' if is_loopback(host) else 'https'}://{text}"
    scheme, _, rest = re.split(r"[?#]", text, maxsplit=1)[0].partition("://")
    try:
        host_end = len(scheme) + 3 + len(rest.partition("/")[0])
        path = PAGES.sub("", text[host_end : len(scheme) + 3 + len(rest)].rstrip("/"))
        folders = path.split("/")[1 : MOST_FOLDERS + 1]
        origin = base_address(text[:host_end])
        if urlsplit(origin).hostname == GATEWAY:
            raise UsageError(
                "that is the address of Atlassian's gateway, not of a site",
                "Give the site's own address (https://NAME.atlassian.net): jsmsso finds the gateway where a token needs it.",
            )
        return [base_address(origin + "".join(f"/{folder}" for folder in folders[:count])) for count in range(len(folders), -1, -1)]
    except NotAnAddress as error:
        raise UsageError(f"--url is no site's address: {error.message}", error.hint or "For example https://acme.atlassian.net.") from None
