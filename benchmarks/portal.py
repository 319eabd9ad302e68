"""The hosted portal's pages: our own CPU per page, with a local JSM beside it whose work does not count."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median

from jsmsso.sandbox.jsm_articles import EXAMPLES
from jsmsso.sandbox.jsm_site import LocalSite
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.oidc.provider import running
from tests.portal.hosted_site import SERVICE_ACCOUNT, HostedSite
from tests.portal.served_here import BEGAN, some_requests
from tests.runtime.site import Browser

ALLOWED = 20.0  # milliseconds
REQUESTS = 5_000  # of the customer whose lists are measured


@dataclass(frozen=True, slots=True)
class Page:
    """CPU milliseconds of our threads, the median of all rounds; ``calls`` to JSM that each took."""

    name: str
    milliseconds: float
    calls: int


def measure(rounds: int, requests: int = REQUESTS) -> tuple[Page, ...]:
    """Each page again and again, as a customer sees it who was there before."""
    with _site(requests) as (hosted, browser, addresses):
        return tuple(_page(hosted, browser, name, address, rounds) for name, address in addresses.items())


def _page(hosted: HostedSite, browser: Browser, name: str, address: str, rounds: int) -> Page:
    taken = []
    for number in range(rounds + 3):
        hosted.site.clock.advance(1)  # the budget of one customer is two pages a second
        before, cpu = len(hosted.jsm.seen), _milliseconds()
        answer = browser.get(address)
        cpu = _milliseconds() - cpu
        if answer.status != 200:
            raise RuntimeError(f"{address}: {answer.status}")
        if number >= 3:  # templates are compiled, connections open
            taken.append(cpu)
    return Page(name, median(taken), len(hosted.jsm.seen) - before)


def _milliseconds() -> float:
    """What this thread and those that call JSM for it have used up. The local JSM's threads have other names."""
    ours = [one for one in threading.enumerate() if one.name.startswith("jsmsso-jsm") and one.ident]
    return (time.thread_time() + sum(time.clock_gettime(time.pthread_getcpuclockid(one.ident)) for one in ours if one.ident)) * 1000


@contextmanager
def _site(requests: int) -> Iterator[tuple[HostedSite, Browser, dict[str, str]]]:
    with tempfile.TemporaryDirectory() as folder, running() as provider, LocalJsm(LocalSite(accounts=(SERVICE_ACCOUNT,))) as jsm:
        hosted = HostedSite(Path(folder), provider, jsm, help={"knowledge_base": "all_customers"})
        jsm.site.articles = list(EXAMPLES)
        issue = some_requests(hosted)
        for number in range(requests):
            when = BEGAN - timedelta(days=100, minutes=number)
            jsm.site.requests.add("HELP", "Get IT help", f"Number {number}", reporter=hosted.ann, created=when)
        browser = hosted.signed_in(hosted.ann, zoneinfo="Europe/Berlin")
        addresses = {
            "home": "/portal/HELP",
            "search, with articles": "/portal/HELP/search?q=monitor",
            "my requests": "/requests",
            "my requests, older": browser.get("/requests").link("Older"),
            "my organization's": "/requests?whose=organization",
            "a request": f"/portal/HELP/{issue.key}",
            "a form": "/portal/HELP/create/103",
        }
        yield hosted, browser, addresses
        hosted.site.close()
