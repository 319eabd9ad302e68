"""Somebody signs out at the provider, in another tab: the session here ends on both workers, though no browser told it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from jsmsso.sandbox.local_jsm import LocalJsm
from tests.journeys.served import Served, serve, write_profile
from tests.journeys.signed_in import is_over_within, keep_secret, site_of, statuses
from tests.services.children import Children
from tests.services.home import Home
from tests.services.oidc_provider import Account, OidcProvider

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


pytestmark = pytest.mark.conformance


@dataclass(frozen=True)
class Stage:
    served: Served
    provider: OidcProvider
    ada: Account


@pytest.fixture
def make_stage(
    start: Children, jsmsso_home: Home, oidc_provider: OidcProvider, jsm: LocalJsm, free_port: Callable[[], int]
) -> Callable[..., Stage]:
    """A deployment with two workers whose client asked for logout tokens, with a session's id or without."""

    def make(*, session_required: bool) -> Stage:
        url = f"http://localhost:{free_port()}"
        client = oidc_provider.add_client(
            [f"{url}/callback"],
            [f"{url}/logged-out"],
            backchannel_logout_uri=f"{url}/backchannel-logout/acme",
            backchannel_logout_session_required=session_required,
        )
        entry: dict[str, Any] = {"type": "oidc", "issuer": oidc_provider.issuer, "client_id": client.client_id}
        entry["client_secret"] = keep_secret(jsmsso_home, "client", client.client_secret)
        write_profile(jsmsso_home, {"public_url": url, "providers": {"acme": entry}, **site_of(jsm, jsmsso_home)})
        ada = oidc_provider.add_account(f"ada{os.urandom(4).hex()}@acme.example", given_name="Ada")
        return Stage(serve(start, jsmsso_home, url, "--workers", "2"), oidc_provider, ada)

    return make


def sign_in(page: Page, stage: Stage) -> None:
    page.goto(f"{stage.served.url}/portal/HR")
    page.fill("input[name=email]", stage.ada.email)
    page.fill("input[name=password]", stage.ada.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{stage.served.url}/portal/HR")


def sign_out_at_the_provider(page: Page, stage: Stage) -> None:
    """In a tab beside ours, at the provider's own address."""
    tab = page.context.new_page()
    tab.goto(f"{stage.provider.issuer}/session/end")
    tab.get_by_role("button", name="Yes, sign me out").click()
    tab.get_by_text("You are signed out of the provider.").wait_for()


def test_a_logout_at_the_provider_ends_the_session_here_on_both_workers(make_stage: Callable[..., Stage], page: Page) -> None:
    stage = make_stage(session_required=True)
    sign_in(page, stage)
    assert statuses(stage.served, page.context) == {200}

    sign_out_at_the_provider(page, stage)
    assert is_over_within(2, stage.served, page.context)
    page.goto(f"{stage.served.url}/portal/HR")
    assert page.locator("input[name=password]").is_visible(), "asked again"
    (line,) = [line for line in stage.served.log if line["event"] == "logout.backchannel"]
    assert (line["provider"], line["by"], line["subject"]) == ("acme", "sid", stage.ada.sub)


def test_a_logout_that_names_the_session_leaves_the_other_browsers(make_stage: Callable[..., Stage], page: Page, chromium: Browser) -> None:
    stage = make_stage(session_required=True)
    elsewhere = chromium.new_context()
    other = elsewhere.new_page()
    sign_in(page, stage)
    sign_in(other, stage)
    sign_out_at_the_provider(other, stage)
    assert is_over_within(2, stage.served, elsewhere)
    assert statuses(stage.served, page.context) == {200}
    elsewhere.close()


def test_a_logout_that_names_the_person_alone_ends_all_of_their_sessions(
    make_stage: Callable[..., Stage], page: Page, chromium: Browser
) -> None:
    stage = make_stage(session_required=False)
    elsewhere = chromium.new_context()
    other = elsewhere.new_page()
    sign_in(page, stage)
    sign_in(other, stage)
    sign_out_at_the_provider(other, stage)
    assert is_over_within(2, stage.served, elsewhere)
    assert statuses(stage.served, page.context) == {302}
    elsewhere.close()


def test_who_signs_in_again_after_a_logout_elsewhere_is_signed_in(make_stage: Callable[..., Stage], page: Page) -> None:
    stage = make_stage(session_required=False)
    sign_in(page, stage)
    sign_out_at_the_provider(page, stage)
    assert is_over_within(2, stage.served, page.context)
    page.goto(f"{stage.served.url}/portal/HR")
    page.fill("input[name=email]", stage.ada.email)
    page.fill("input[name=password]", stage.ada.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{stage.served.url}/portal/HR")
    assert statuses(stage.served, page.context) == {200}
