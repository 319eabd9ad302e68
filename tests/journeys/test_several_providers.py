"""Two providers, each with its own pages, and one deployment: who gets where, in a real browser."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jsmsso.sandbox.local_jsm import LocalJsm
from tests.journeys.served import Served, serve, write_profile
from tests.journeys.signed_in import keep_secret, site_of
from tests.services.children import Children
from tests.services.home import Home
from tests.services.oidc_provider import Account, OidcProvider

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page

pytestmark = pytest.mark.conformance

SHOTS = os.environ.get("JSMSSO_SCREENSHOTS", "")
"""A folder for pictures of every page, for people who look at them."""


@dataclass(frozen=True)
class Stage:
    """Ada is acme's, Grace is contoso's; each provider vouches for its own domain alone."""

    served: Served
    acme: OidcProvider
    contoso: OidcProvider
    ada: Account
    grace: Account
    jsm: LocalJsm

    @property
    def url(self) -> str:
        return self.served.url


@pytest.fixture
def make_stage(
    start: Children,
    jsmsso_home: Home,
    oidc_provider: OidcProvider,
    start_oidc_provider: Callable[..., OidcProvider],
    jsm: LocalJsm,
    free_port: Callable[[], int],
) -> Callable[..., Stage]:
    def make(portals: Callable[[list[dict[str, Any]]], None] = lambda _: None, **login: str) -> Stage:
        url = f"http://localhost:{free_port()}"
        at = {"acme": oidc_provider, "contoso": start_oidc_provider()}
        entries = {}
        for name, provider in at.items():
            callback = f"/callback/{name}"
            client = provider.add_client([f"{url}{callback}"], [f"{url}/logged-out"])
            entries[name] = {
                "type": "oidc",
                "issuer": provider.issuer,
                "client_id": client.client_id,
                "client_secret": keep_secret(jsmsso_home, f"{name}-secret", client.client_secret),
                "callback": callback,
                "email_domains": [f"{name}.example"],
            }
        site = site_of(jsm, jsmsso_home)
        portals(site["portals"])
        support = {"text": "Ask the IT desk", "email": "help@acme.example"}
        branding = {"name": "Acme support"}
        profile = {"public_url": url, "providers": entries, **site, "login": login, "support": support, "branding": branding}
        write_profile(jsmsso_home, profile)
        served = serve(start, jsmsso_home, url, "--workers", "2")
        tail = os.urandom(4).hex()
        ada = at["acme"].add_account(f"ada{tail}@acme.example", given_name="Ada", family_name="Byron")
        grace = at["contoso"].add_account(f"grace{tail}@contoso.example")
        return Stage(served, at["acme"], at["contoso"], ada, grace, jsm)

    return make


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    """A tab in which a violated policy or a missing file of ours fails the test; the others are at 127.0.0.1."""
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "//localhost:" in message.location.get("url", ""):
            complaints.append(message.text)

    page.on("console", note)
    yield page
    expected = re.compile(r"the server responded with a status of (400|403)")
    assert [text for text in complaints if not expected.search(text)] == []


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


def sign_in(page: Page, account: Account) -> None:
    """At a provider: its login page, then its consent."""
    page.fill("input[name=email]", account.email)
    page.fill("input[name=password]", account.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Continue").click()


def sign_out(page: Page, stage: Stage) -> None:
    page.goto(f"{stage.url}/")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Yes, sign me out").click()
    page.wait_for_url(f"{stage.url}/logged-out")


def test_somebody_chooses_once_and_is_remembered_until_they_want_another_way(make_stage: Callable[..., Stage], page: Page) -> None:
    stage = make_stage()
    page.goto(f"{stage.url}/portal/HR")
    assert page.locator("h1").inner_text() == "Sign in to People"
    assert [link.inner_text() for link in page.locator(".stack a.button").all()] == ["acme", "contoso"]
    shot(page, "chooser")
    page.get_by_role("link", name="contoso").click()
    assert page.url.startswith(stage.contoso.issuer)
    sign_in(page, stage.grace)
    page.wait_for_url(f"{stage.url}/portal/HR")
    assert "Signed in with contoso." in page.content()

    sign_out(page, stage)
    page.goto(f"{stage.url}/portal/HR")
    assert page.url.startswith(stage.contoso.issuer), "remembered"

    page.goto(f"{stage.url}/")
    assert page.get_by_role("link", name="Sign in with contoso").is_visible()
    shot(page, "remembered")
    page.get_by_role("link", name="Another way to sign in").click()
    page.get_by_role("link", name="acme").click()
    assert page.url.startswith(stage.acme.issuer)
    sign_in(page, stage.ada)
    page.wait_for_url(f"{stage.url}/")
    sign_out(page, stage)
    page.goto(f"{stage.url}/portal/HR")
    assert page.url.startswith(stage.acme.issuer), "the other one is remembered now"


def test_after_a_logout_another_way_is_offered(make_stage: Callable[..., Stage], page: Page) -> None:
    stage = make_stage()
    page.goto(f"{stage.url}/portal/HR?provider=acme")
    sign_in(page, stage.ada)
    page.wait_for_url(f"{stage.url}/portal/HR")
    sign_out(page, stage)
    shot(page, "signed-out")
    page.get_by_role("link", name="Another way to sign in").click()
    assert page.get_by_role("link", name="contoso").is_visible()
    shot(page, "all-ways")


def test_the_typed_address_leads_to_its_company_s_provider_and_is_filled_in_there(make_stage: Callable[..., Stage], page: Page) -> None:
    stage = make_stage(mode="ask_address")
    page.goto(f"{stage.url}/portal/HR")
    shot(page, "address")
    page.get_by_label("Your email address").fill("grace at contoso")
    page.get_by_role("button", name="Continue").click()
    assert "whole email address" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("Your email address").input_value() == "grace at contoso", "what was typed is still there"
    shot(page, "address-wrong")
    page.get_by_label("Your email address").fill(f" {stage.grace.email.upper()} ")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{stage.contoso.issuer}/**")
    assert page.locator("input[name=email]").input_value() == stage.grace.email
    sign_in(page, stage.grace)
    page.wait_for_url(f"{stage.url}/portal/HR")


def test_an_address_of_nobody_s_gets_every_way_to_choose_from(make_stage: Callable[..., Stage], page: Page) -> None:
    stage = make_stage(mode="ask_address", fallback="native")
    page.goto(f"{stage.url}/portal/HR")
    page.get_by_label("Your email address").fill("eve@unknown.example")
    page.get_by_role("button", name="Continue").click()
    assert [link.inner_text() for link in page.locator(".stack a.button").all()] == ["acme", "contoso"]
    shot(page, "address-unknown")
    page.get_by_role("link", name="Sign in at Atlassian").click()
    page.wait_for_url(f"{stage.jsm.url}/servicedesk/customer/**")
    assert "Log in" in page.title() or page.locator("h1").inner_text() == "Log in"


def test_instant_goes_straight_to_the_first_provider(make_stage: Callable[..., Stage], page: Page) -> None:
    stage = make_stage(mode="instant")
    page.goto(f"{stage.url}/portal/HR")
    assert page.url.startswith(stage.acme.issuer)
    page.goto(f"{stage.url}/")
    page.get_by_role("link", name="Another way to sign in").click()
    page.get_by_role("link", name="contoso").click()
    assert page.url.startswith(stage.contoso.issuer)


def test_a_portal_with_a_provider_of_its_own_takes_no_session_of_another(make_stage: Callable[..., Stage], page: Page) -> None:
    def contoso_s(portals: list[dict[str, Any]]) -> None:
        next(portal for portal in portals if portal["key"] == "HR")["provider"] = "contoso"

    stage = make_stage(contoso_s)
    page.goto(f"{stage.url}/portal/FAC?provider=acme")
    sign_in(page, stage.ada)
    page.wait_for_url(f"{stage.jsm.url}/**")
    page.goto(f"{stage.url}/portal/HR")
    assert page.url.startswith(stage.contoso.issuer), "without a question, though this browser's choice was the other"
    sign_in(page, stage.grace)
    page.wait_for_url(f"{stage.url}/portal/HR")


def test_one_company_s_provider_cannot_sign_in_another_s_people(make_stage: Callable[..., Stage], page: Page) -> None:
    stage = make_stage()
    mallory = stage.contoso.add_account(stage.ada.email, given_name="Mallory")
    page.goto(f"{stage.url}/portal/HR?provider=contoso")
    sign_in(page, mallory)
    page.wait_for_url(f"{stage.url}/callback/contoso?**")
    assert "does not speak for this address" in page.content()
    shot(page, "not-its-domain")
    page.goto(f"{stage.url}/portal/HR")
    assert page.locator("h1").inner_text() == "Sign in to People", "nobody is signed in"
    assert [line["reason"] for line in stage.served.log if line["event"] == "login.refused"] == ["email_domain"]
