"""Customers' ways in a real browser: Chromium, a certified provider with its own pages, ``jsmsso serve`` with two workers."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from jsmsso.sandbox.local_jsm import LocalJsm
from tests.journeys.served import Served, serve, write_profile
from tests.journeys.signed_in import site_of
from tests.services.children import Children
from tests.services.home import Home
from tests.services.oidc_provider import Account, OidcProvider

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

SHOTS = os.environ.get("JSMSSO_SCREENSHOTS", "")
"""A folder for pictures of every page, for people who look at them."""


@dataclass
class Stage:
    served: Served
    provider: OidcProvider
    jsm: LocalJsm
    ada: Account

    @property
    def url(self) -> str:
        return self.served.url


@pytest.fixture
def make_stage(
    start: Children, jsmsso_home: Home, oidc_provider: OidcProvider, jsm: LocalJsm, free_port: Callable[[], int]
) -> Callable[..., Stage]:
    def make(**changed: Any) -> Stage:
        url = f"http://localhost:{free_port()}"
        client = oidc_provider.add_client([f"{url}/callback"], [f"{url}/logged-out"])
        (jsmsso_home.work / "client").write_text(client.client_secret)
        (jsmsso_home.work / "client").chmod(0o600)
        profile: dict[str, Any] = {
            "public_url": url,
            "providers": {
                "acme": {
                    "type": "oidc",
                    "issuer": oidc_provider.issuer,
                    "client_id": client.client_id,
                    "client_secret": "file:client",
                    "scopes": ["openid", "email", "profile", "groups"],
                }
            },
            "access": [{"allow": {"claim": "groups", "any_of": ["customers"]}}],
            "support": {"text": "Ask the IT desk", "email": "help@acme.example"},
            "branding": {"name": "Acme support"},
            **site_of(jsm, jsmsso_home),
        }
        write_profile(jsmsso_home, profile | changed)
        served = serve(start, jsmsso_home, url, "--workers", "2")
        return Stage(served, oidc_provider, jsm, oidc_provider.add_account(f"ada{os.urandom(4).hex()}@acme.example", given_name="Ada"))

    return make


@pytest.fixture
def stage(make_stage: Callable[..., Stage]) -> Stage:
    return make_stage()


@pytest.fixture
def page(browser_context: BrowserContext) -> Iterator[Page]:
    """A tab in which a violated policy, a script's error or a missing file fails the test."""
    complaints: list[str] = []

    def watch(one: Page) -> None:
        one.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
        one.on("pageerror", lambda error: complaints.append(str(error)))

    browser_context.on("page", watch)
    yield browser_context.new_page()
    expected = re.compile(r"Failed to load resource: the server responded with a status of (400|401|403|404|50\d)|favicon")
    assert [text for text in complaints if not expected.search(text)] == []


def sign_in(page: Page, account: Account) -> None:
    """At the provider: its login page, then its consent."""
    page.fill("input[name=email]", account.email)
    page.fill("input[name=password]", account.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Continue").click()


def shot(page: Page, name: str) -> None:
    """In daylight, at night, and on a telephone."""
    if not SHOTS:
        return
    Path(SHOTS).mkdir(parents=True, exist_ok=True)
    for look, width, scheme in (("light", 1100, "light"), ("dark", 1100, "dark"), ("narrow", 360, "light")):
        page.set_viewport_size({"width": width, "height": 720})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.screenshot(path=f"{SHOTS}/{name}-{look}.png")
    page.set_viewport_size({"width": 1100, "height": 720})
    page.emulate_media(color_scheme="light")


def test_a_customer_logs_in_lands_on_the_portal_logs_out_and_is_asked_again(stage: Stage, page: Page) -> None:
    page.goto(f"{stage.url}/portal/HELP")
    assert page.url.startswith(stage.provider.issuer)
    sign_in(page, stage.ada)
    page.wait_for_url(f"{stage.jsm.url}/servicedesk/customer/portal/*")
    assert "IT help" in page.content()

    page.goto(f"{stage.url}/portal/FAC")
    assert page.url.startswith(stage.jsm.url), "no second login"

    page.goto(f"{stage.url}/portal/HR")
    assert page.locator("h1").inner_text() == "People"
    shot(page, "hosted")
    page.goto(f"{stage.url}/")
    shot(page, "portals")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{stage.provider.issuer}/**")
    page.get_by_role("button", name="Yes, sign me out").click()
    page.wait_for_url(f"{stage.url}/logged-out")
    assert page.locator("h1").inner_text() == "You are signed out"
    shot(page, "signed-out")

    page.goto(f"{stage.url}/portal/HELP")
    assert page.locator("input[name=password]").is_visible(), "asked again"


def test_a_deep_link_is_kept_through_the_login(stage: Stage, page: Page) -> None:
    page.goto(f"{stage.url}/servicedesk/customer/portal/1/HELP-12?sda_source=mail&token=secret")
    sign_in(page, stage.ada)
    page.wait_for_url(f"{stage.jsm.url}/servicedesk/customer/portal/1/HELP-12")
    assert "secret" not in stage.served.child.output


def test_two_tabs_log_in_at_once(stage: Stage, page: Page) -> None:
    other = page.context.new_page()
    page.goto(f"{stage.url}/portal/HELP")
    other.goto(f"{stage.url}/portal/FAC")
    sign_in(page, stage.ada)
    page.wait_for_url(f"{stage.jsm.url}/**")
    other.fill("input[name=email]", stage.ada.email)
    other.fill("input[name=password]", stage.ada.password)
    other.get_by_role("button", name="Sign in").click()
    other.wait_for_url(f"{stage.jsm.url}/**")
    assert "IT help" in page.content()
    assert "Facilities" in other.content()


def remember_callbacks(page: Page, stage: Stage) -> list[str]:
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url) if urlsplit(request.url).path == "/callback" else None)
    return seen


def test_the_back_button_after_a_login_signs_nobody_in_again_and_shows_no_error(stage: Stage, page: Page) -> None:
    callbacks = remember_callbacks(page, stage)
    page.goto(f"{stage.url}/portal/HR")
    sign_in(page, stage.ada)
    page.wait_for_url(f"{stage.url}/portal/HR")
    page.go_back()
    assert "/callback" not in page.url
    page.go_forward()
    page.wait_for_url(f"{stage.url}/portal/HR")
    assert page.locator("h1").inner_text() == "People"
    assert len(callbacks) == 1


def test_a_callback_opened_again_offers_the_portal(stage: Stage, page: Page) -> None:
    callbacks = remember_callbacks(page, stage)
    page.goto(f"{stage.url}/portal/HR")
    sign_in(page, stage.ada)
    page.wait_for_url(f"{stage.url}/portal/HR")
    page.goto(callbacks[0])
    assert page.locator("h1").inner_text() == "This sign-in was used before"
    shot(page, "used")
    page.get_by_role("link", name="Go to People").click()
    page.wait_for_url(f"{stage.url}/portal/HR")


def test_of_one_callback_sent_to_both_workers_at_once_exactly_one_goes_on(stage: Stage, page: Page) -> None:
    # The browser is held up on its way back (playwright's own routes do not see redirects), and 12 others go in its place.
    caught: list[str] = []
    devtools = page.context.new_cdp_session(page)
    devtools.on("Fetch.requestPaused", lambda event: caught.append(event["request"]["url"]))
    devtools.send("Fetch.enable", {"patterns": [{"urlPattern": "*/callback?*"}]})
    page.goto(f"{stage.url}/portal/HELP")
    page.fill("input[name=email]", stage.ada.email)
    page.fill("input[name=password]", stage.ada.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Continue").click(no_wait_after=True)
    while not caught and stage.served.child.running:
        page.wait_for_timeout(20)
    cookie = "; ".join(f"{one['name']}={one['value']}" for one in page.context.cookies(stage.url))
    path = caught[0].removeprefix(stage.url)
    statuses: list[int] = []
    gate = threading.Barrier(12)

    def call() -> None:
        gate.wait()
        statuses.append(stage.served.get(path, {"Cookie": cookie, "Accept": "text/html"})[0].status)

    threads = [threading.Thread(target=call) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [303] + [400] * 11


def test_somebody_who_is_not_allowed_goes_on_with_another_account(stage: Stage, page: Page) -> None:
    bob = stage.provider.add_account(f"bob{os.urandom(4).hex()}@gmail.example", groups=())
    page.goto(f"{stage.url}/portal/HR/HR-7")
    sign_in(page, bob)
    page.wait_for_url(f"{stage.url}/callback?*")
    assert page.locator("h1").inner_text() == "This account has no access"
    assert bob.email in page.content()
    shot(page, "not-allowed")
    page.get_by_role("button", name="Sign in with another account").click()
    page.get_by_role("button", name="Yes, sign me out").click()
    page.wait_for_url(f"{stage.url}/logged-out")
    shot(page, "signed-out-for-another")
    page.get_by_role("link", name="Sign in to People").click()
    sign_in(page, stage.ada)
    page.wait_for_url(f"{stage.url}/portal/HR/HR-7")


def test_somebody_whose_email_is_not_confirmed_reads_so(stage: Stage, page: Page) -> None:
    eve = stage.provider.add_account(f"eve{os.urandom(4).hex()}@acme.example", email_verified=False)
    page.goto(f"{stage.url}/portal/HELP")
    sign_in(page, eve)
    page.wait_for_url(f"{stage.url}/callback?*")
    assert page.locator("h1").inner_text() == "Your email address is not confirmed"
    assert page.get_by_role("button", name="Sign in with another account").is_visible()
    shot(page, "not-confirmed")


def test_somebody_who_cancels_at_the_provider_can_try_again(stage: Stage, page: Page) -> None:
    page.goto(f"{stage.url}/portal/HR")
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_url(f"{stage.url}/callback?*")
    assert page.locator("h1").inner_text() == "You were not signed in"
    shot(page, "cancelled")
    page.get_by_role("link", name="Try again").click()
    sign_in(page, stage.ada)
    page.wait_for_url(f"{stage.url}/portal/HR")


def test_a_provider_that_is_down_is_told_with_the_link_kept(
    make_stage: Callable[..., Stage], page: Page, free_port: Callable[[], int]
) -> None:
    issuer = f"http://127.0.0.1:{free_port()}"
    providers = {"acme": {"type": "oidc", "issuer": issuer, "client_id": "x", "client_secret": "file:client"}}
    stage = make_stage(providers=providers)
    answer = page.goto(f"{stage.url}/portal/HELP/HELP-1")
    assert answer is not None
    assert answer.status == 502
    assert page.locator("h1").inner_text() == "The login service does not answer"
    shot(page, "provider-down")
    assert page.get_by_role("link", name="Try again").get_attribute("href") == "/portal/HELP/HELP-1"


def test_somebody_chooses_among_several_providers(make_stage: Callable[..., Stage], page: Page, jsmsso_home: Home) -> None:
    entry = {"type": "oidc", "client_id": "x", "client_secret": "file:client", "any_email": True}
    names = ("acme-customers", "contoso", "partners")
    stage = make_stage(providers={name: {**entry, "issuer": f"https://{name}.example", "callback": f"/callback/{name}"} for name in names})
    page.goto(f"{stage.url}/portal/HELP")
    assert page.get_by_role("link", name="contoso").get_attribute("href") == "/login?provider=contoso&return_to=%2Fportal%2FHELP"
    shot(page, "chooser")


def test_a_link_on_another_site_signs_nobody_out(stage: Stage, page: Page) -> None:
    page.goto(f"{stage.url}/portal/HR")
    sign_in(page, stage.ada)
    page.wait_for_url(f"{stage.url}/portal/HR")
    page.goto(f"{stage.jsm.url}/")
    page.evaluate(
        "address => { const a = document.createElement('a'); a.href = address; document.body.append(a); a.click() }", f"{stage.url}/logout"
    )
    page.wait_for_url(f"{stage.url}/logout")
    assert page.locator("h1").inner_text() == "Sign out?"
    shot(page, "sign-out")
    page.goto(f"{stage.url}/portal/HR")
    assert page.locator("h1").inner_text() == "People", "still signed in"
    page.goto(f"{stage.url}/nothing")
    shot(page, "not-found")


# How pages behave -----------------------------------------------------------------------------

CONTRAST = """() => {
  const parse = text => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
  const light = ([r, g, b]) => [r, g, b].map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => { for (let e = element; e; e = e.parentElement) {
    const colour = parse(getComputedStyle(e).backgroundColor); if (colour[3] > 0) return colour; } return [255, 255, 255, 1]; };
  const low = [];
  for (const element of document.querySelectorAll('body *')) {
    if (![...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || !element.checkVisibility()) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) low.push(`${element.tagName} ${element.textContent.trim().slice(0, 40)} ${ratio.toFixed(2)}`);
  }
  return low; }"""


def test_text_stands_out_and_nothing_is_wider_than_a_telephone(signed_in: Stage, context: BrowserContext) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": 360, "height": 700})
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        for path in ("/", "/portal/HR", "/logout", "/logged-out", "/nothing", "/callback?code=x&state=y"):
            page.goto(f"{signed_in.url}{path}")
            assert page.evaluate(CONTRAST) == [], (path, scheme)
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
    page.close()


def test_the_keyboard_reaches_everything_in_order_and_skips_to_the_content(signed_in: Stage, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{signed_in.url}/")
    reached = []
    for _ in range(7):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.innerText.trim().split('\\n').pop()"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", reached
    assert reached[0] == "Skip to content"
    assert reached[1:5] == ["Acme support", "Portals", "My requests", "Sign out"]
    page.goto(f"{signed_in.url}/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/#main")
    page.close()


def test_pages_are_the_same_without_javascript(signed_in: Stage, chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{signed_in.url}/portal/HELP")
    page.fill("input[name=email]", signed_in.ada.email)
    page.fill("input[name=password]", signed_in.ada.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{signed_in.jsm.url}/**")
    context.close()


@pytest.fixture
def context(signed_in: Stage, page: Page) -> BrowserContext:
    """The browser of somebody who is signed in."""
    page.goto(f"{signed_in.url}/portal/HR")
    sign_in(page, signed_in.ada)
    page.wait_for_url(f"{signed_in.url}/portal/HR")
    return page.context


@pytest.fixture
def signed_in(stage: Stage) -> Stage:
    return stage
