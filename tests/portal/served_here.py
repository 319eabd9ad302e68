"""A hosted site at a loopback address, with something in it, for browsers that are real."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from jsmsso.sandbox.jsm_requests import LocalIssue
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import checked_jsm
from tests.oidc.provider import NOW, running
from tests.portal.hosted_site import SERVICE_ACCOUNT, HostedSite
from tests.runtime.site import Browser

BEGAN = datetime.fromtimestamp(NOW, UTC)
BRANDING = {"name": "Acme support", "time_zone": "Europe/Berlin"}
SUPPORT = {"text": "Need help?", "email": "help@acme.example"}


class _Silent(WSGIRequestHandler):
    def log_request(self, *parts: Any) -> None:
        """Requests are what tests assert, not what they print."""


@contextmanager
def served(folder: Path, port: int, *, prepare: Callable[[LocalJsm], None] = lambda jsm: None, **options: Any) -> Iterator[HostedSite]:
    """``options`` are the portal HELP's keys as ``help`` and other keys of the profile, as in :class:`HostedSite`."""
    with running() as provider, checked_jsm(accounts=(SERVICE_ACCOUNT,)) as jsm:
        prepare(jsm)
        changed = {"branding": BRANDING, "support": SUPPORT} | options.pop("changed", {})
        hosted = HostedSite(folder, provider, jsm, changed=changed, public_url=f"http://127.0.0.1:{port}", **options)

        def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            return hosted.site.application(environ, start_response)  # which a reload replaces

        server = make_server("127.0.0.1", port, application, threaded=True, request_handler=_Silent)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield hosted
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            hosted.site.close()


def cookies_of(browser: Browser) -> list[dict[str, Any]]:
    """The cookies of somebody who signed in, as playwright takes them."""
    return [{"name": name, "value": value, "url": browser.site.public_url} for name, value in browser.cookies.items()]


def some_requests(hosted: HostedSite) -> LocalIssue:
    """Requests as a customer of some weeks has them, Ann's; returns the one with a conversation."""
    requests, ann, agent = hosted.jsm.site.requests, hosted.ann, hosted.agent
    for summary, status, days in (
        ("New headset", "Resolved", 73),
        ("Access to the finance share", "In progress", 1),
        ("Der Drucker im zweiten Obergeschoss druckt seit der Umstellung nur noch Überweisungsträgerformulare", "Waiting for support", 5),
        ("الشاشة لا تعمل بعد التحديث", "Waiting for support", 9),
    ):
        when = BEGAN - timedelta(days=days)
        hosted.request(ann, summary, status=status, created=when - timedelta(days=1), updated=when)
    when = BEGAN - timedelta(days=2, hours=1)
    issue = hosted.request(ann, "Monitor flickers after the update", created=when, updated=when, organizations=["Acme"])
    requests.add_comment(
        issue, ann, "Since the update this morning the left screen goes black every few minutes.", created=when,
        files=[("flicker.mp4", b"\x00" * 4_200_000, "video/mp4")],
    )  # fmt: skip
    requests.add_comment(issue, agent, "It is the cable, the customer must not know.", public=False, created=BEGAN - timedelta(hours=3))
    requests.add_comment(
        issue, agent, "Does it also happen with another cable?\n\nPlease try the one in the drawer and tell us.",
        html="<p>Does it also happen with <b>another cable</b>?</p><p>Please try the one in the drawer and tell us.</p>",
        created=BEGAN - timedelta(hours=2),
    )  # fmt: skip
    issue.status, issue.updated = "Waiting for customer", BEGAN - timedelta(hours=2)
    issue.history.append((issue.status, issue.updated))
    return issue
