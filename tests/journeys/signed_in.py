"""Whether a browser's session counts, asked of every worker."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from jsmsso.sandbox.local_jsm import LocalJsm
from tests.journeys.served import Served
from tests.runtime.site import PAGE_LOAD
from tests.services.home import Home

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

ENOUGH = 60
"""Requests on connections of their own, eight at a time: all workers get some of them."""


def portals_of(jsm: LocalJsm) -> list[dict[str, Any]]:
    """The site's portals as a profile lists them; ``HR`` is shown here, the others lead to Atlassian's pages."""
    return [
        {
            "id": desk.portal_id,
            "key": desk.key,
            "service_desk": desk.id,
            "name": desk.name,
            "url": f"{jsm.url}/servicedesk/customer/portal/{desk.portal_id}",
            "mode": "hosted" if desk.key == "HR" else "redirect",
        }
        for desk in jsm.site.desks
    ]


def site_of(jsm: LocalJsm, home: Home) -> dict[str, Any]:
    """The site in a profile, with its portals; whoever signs in and has no account there gets one."""
    keep_secret(home, "jsm_token", jsm.account.token)
    customers = {"create": True, "add_to_service_desk": True}
    site = {"url": jsm.url, "email": jsm.account.email, "api_token": "file:jsm_token", "customers": customers}
    return {"jsm": site, "portals": portals_of(jsm)}


def keep_secret(home: Home, name: str, text: str) -> str:
    """A file of the profile's folder that only its owner reads; returns the reference to it."""
    path = home.work / name
    path.write_text(text)
    path.chmod(0o600)
    return f"file:{name}"


def statuses(served: Served, context: BrowserContext) -> set[int]:
    """What all workers answer at ``/portal/HR`` to this browser's cookies: 200 signed in, 302 to the provider."""
    cookie = "; ".join(f"{one['name']}={one['value']}" for one in context.cookies(served.url))
    headers = {**PAGE_LOAD, "Cookie": cookie}
    with ThreadPoolExecutor(8) as threads:
        return set(threads.map(lambda _: served.get("/portal/HR", headers)[0].status, range(ENOUGH)))


def is_over_within(seconds: float, served: Served, context: BrowserContext) -> bool:
    """Whether, so long after now, no worker takes the session any more."""
    time.sleep(seconds)
    return statuses(served, context) == {302}
