#!/usr/bin/env python3
"""Pictures of every page for the documentation, over the local JSM: .venv/bin/python docs/screenshots.py [NAME ...]"""

from __future__ import annotations

import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import sync_playwright

from jsmsso.sandbox.jsm_articles import EXAMPLES
from jsmsso.sandbox.jsm_faults import Fault
from tests.oidc.provider import Reply
from tests.portal.hosted_site import HostedSite
from tests.portal.served_here import BEGAN, cookies_of, served, some_requests
from tests.runtime.site import Browser as Visitor
from tests.services.browser import ARGUMENTS, find_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

IMAGES = Path(__file__).parent / "images"
MOST_BYTES = 100_000  # of a picture
PORTAL = {
    "knowledge_base": "all_customers",
    "sharing": "typed_addresses",
    "show_sla": ["Time to first response"],
    "customer_transitions": ["Resolve this issue"],
}


class Photographer:
    """A browser at a site, and where its pictures go."""

    def __init__(self, hosted: HostedSite, browser: Browser, wanted: set[str]) -> None:
        self.hosted = hosted
        self.issue = some_requests(hosted)
        self._browser = browser
        self._wanted = wanted
        self._cookies = cookies_of(hosted.signed_in(hosted.ann, zoneinfo="Europe/Berlin"))

    def shoot(
        self,
        name: str,
        address: str,
        act: Callable[[Page], None] = lambda page: None,
        *,
        width: int = 1000,
        height: int = 720,
        signed_in: bool = True,
        cookies: list[dict[str, Any]] | None = None,
        **options: Any,
    ) -> None:
        """A picture of the page at ``address``, after ``act``."""
        if self._wanted and name not in self._wanted:
            return
        context = self._browser.new_context(
            base_url=self.hosted.site.public_url, viewport={"width": width, "height": height}, reduced_motion="reduce", **options
        )
        if signed_in:
            context.add_cookies(cookies or self._cookies)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(address, wait_until="networkidle")
        act(page)
        path = IMAGES / f"{name}.png"
        page.screenshot(path=path)
        context.close()
        size = path.stat().st_size
        print(f"{name}: {size // 1000} kB")
        if size > MOST_BYTES:
            sys.exit(f"{path} is larger than {MOST_BYTES // 1000} kB")


def take(camera: Photographer) -> None:
    """Every page, in the order in which a customer meets them."""
    hosted, key = camera.hosted, camera.issue.key
    camera.shoot("sign-in", "/", signed_in=False, height=520)
    camera.shoot("portals", "/", height=420)
    camera.shoot("portal", "/portal/HELP", height=900)
    camera.shoot("portal-dark", "/portal/HELP", height=900, color_scheme="dark", locale="de")
    camera.shoot("portal-japanese", "/portal/HELP", height=900, locale="ja")
    camera.shoot("portal-narrow", "/portal/HELP", width=390, height=844)
    camera.shoot("search", "/portal/HELP", _type_monitor, height=620)
    camera.shoot("article", "/portal/HELP/search?q=monitor", lambda page: page.get_by_role("link", name="A monitor").click(), height=480)
    camera.shoot("form", "/portal/HELP/create/103", height=1100)
    camera.shoot("form-errors", "/portal/HELP/create/103", _send, height=900)
    camera.shoot("requests", "/requests?state=all", height=560)
    camera.shoot("request", f"/portal/HELP/{key}", width=900, height=760)
    camera.shoot("request-narrow", f"/portal/HELP/{key}", width=390, height=844)
    camera.shoot("not-found", "/portal/HELP/HELP-99999", height=460)

    def cut_off(page: Page) -> None:
        hosted.jsm.break_with(Fault("status", "/rest/", status=503))
        page.get_by_label("Summary").fill("My laptop was stolen on the train")
        page.get_by_label("Needed by").fill("2027-02-01")
        _send(page)

    camera.shoot("jsm-down-form", "/portal/HELP/create/103", cut_off, height=900)
    hosted.jsm.break_with(Fault("status", "/rest/", status=503))
    camera.shoot("jsm-down", "/requests?state=all", height=560)
    camera.shoot("request-from-memory", f"/portal/HELP/{key}", width=900, height=760)
    hosted.jsm.faults.clear()
    camera.shoot("too-old", "/portal/HELP/create/103", _send_a_form_of_another, height=460)
    _show_an_account_in_the_making(camera)
    hosted.site.reload(portals=[dict(one, gone=one["key"] == "HELP") for one in hosted.site.changed["portals"]])
    camera.shoot("portal-gone", "/portal/HELP", height=460)
    hosted.site.reload(access=[{"allow": {"email_domain": "globex.example"}}])
    camera.shoot("not-allowed", "/portal/HELP", height=520)
    hosted.site.reload(portals=[one | ({"visibility": "public"} if one["key"] == "HELP" else {}) for one in hosted.site.changed["portals"]])
    camera.shoot("portal-public", "/portal/HELP", signed_in=False, height=620)
    hosted.site.reload()
    hosted.provider.replies["/.well-known/openid-configuration"] = Reply(503)
    hosted.site.reload()
    camera.shoot("provider-down", "/login", signed_in=False, height=480)


def _show_an_account_in_the_making(camera: Photographer) -> None:
    """Of a customer whom JSM takes in with a 202, and is not done with."""
    hosted = camera.hosted
    hosted.site.reload(jsm=hosted.site.changed["jsm"] | {"customers": {"create": True, "add_to_service_desk": True}})
    hosted.jsm.site.accounts = tuple(replace(one, role="administrator") for one in hosted.jsm.site.accounts)
    hosted.jsm.site.slow_account_creation = 3600  # seconds
    hosted.provider.claims |= {"sub": "sub-new", "email": "new@acme.example", "name": "Noa New", "email_verified": True}
    hosted.provider.userinfo["sub"] = "sub-new"
    newcomer = Visitor(hosted.site)
    newcomer.log_in("/portal/HELP")
    camera.shoot("account-being-made", "/portal/HELP", height=460, cookies=cookies_of(newcomer))
    hosted.site.reload()


def _type_monitor(page: Page) -> None:
    page.get_by_role("searchbox").press_sequentially("monitor")
    page.locator("#answers h3").wait_for()


def _send(page: Page) -> None:
    page.get_by_role("button", name="Send request").click()
    page.wait_for_selector("#wrong")


def _send_a_form_of_another(page: Page) -> None:
    page.evaluate("document.querySelector('main input[name=token]').value = 'x'")
    page.get_by_role("button", name="Send request").click()
    page.wait_for_selector("h1")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def main() -> int:
    IMAGES.mkdir(exist_ok=True)
    path = find_chromium()
    if not path:
        print("There is no Chromium here (Debian: apt-get install chromium).", file=sys.stderr)
        return 1
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder), _free_port(), help=PORTAL) as hosted,
        sync_playwright() as playwright,
    ):
        hosted.jsm.site.articles = list(EXAMPLES)
        hosted.request(hosted.ann, "Keyboard with another layout", created=BEGAN - timedelta(days=20), status="Closed")
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        take(Photographer(hosted, browser, set(sys.argv[1:])))
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
