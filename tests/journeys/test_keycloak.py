"""The whole way at a real Keycloak: its pages in Chromium, groups by a mapper, refresh with rotation, both kinds of logout."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests

from jsmsso.sandbox.local_jsm import LocalJsm
from tests.cli.holding_tokens import Holder
from tests.cli.trying_out import ADDRESS
from tests.journeys.served import Served, serve, write_profile
from tests.journeys.signed_in import is_over_within, keep_secret, site_of, statuses
from tests.services.children import Children
from tests.services.home import Home
from tests.services.keycloak import Keycloak, Person, Realm

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.conformance_keycloak


@dataclass(frozen=True)
class Stage:
    """A deployment with two workers before a realm of its own."""

    served: Served
    realm: Realm
    jsm: LocalJsm
    terminal: str

    @property
    def url(self) -> str:
        return self.served.url


@pytest.fixture
def stage(keycloak: Keycloak, start: Children, jsmsso_home: Home, jsm: LocalJsm, free_port: Callable[[], int]) -> Stage:
    url, terminal = f"http://localhost:{free_port()}", f"http://localhost:{free_port()}"
    realm = keycloak.import_realm(url, terminal=terminal)
    entry = {
        "type": "keycloak",
        "issuer": realm.issuer,
        "client_id": realm.client_id,
        "client_secret": keep_secret(jsmsso_home, "client", realm.client_secret),
    }
    profile: dict[str, Any] = {
        "public_url": url,
        "providers": {"keycloak": entry},
        "access": [{"allow": {"claim": "groups", "any_of": ["customers"]}}],
        **site_of(jsm, jsmsso_home),
    }
    write_profile(jsmsso_home, profile)
    return Stage(serve(start, jsmsso_home, url, "--workers", "2"), realm, jsm, terminal)


def sign_in(page: Page, person: Person) -> None:
    """At Keycloak's own login page."""
    page.fill("#username", person.email)
    page.fill("#password", person.password)
    page.click("#kc-login")


def test_a_customer_logs_in_at_keycloak_and_logs_out_there_too(stage: Stage, page: Page) -> None:
    page.goto(f"{stage.url}/portal/HELP")
    assert page.url.startswith(f"{stage.realm.issuer}/")
    sign_in(page, stage.realm.ada)
    page.wait_for_url(f"{stage.jsm.url}/servicedesk/customer/portal/*")
    page.goto(f"{stage.url}/portal/HR")
    assert page.locator("h1").inner_text() == "People"
    assert stage.realm.ada.email in page.content()

    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{stage.realm.issuer}/**")
    page.click("#kc-logout")
    page.wait_for_url(f"{stage.url}/logged-out")
    assert page.locator("h1").inner_text() == "You are signed out"

    page.goto(f"{stage.url}/portal/HELP")
    assert page.locator("#password").is_visible(), "asked again"


def test_groups_of_a_mapper_decide_who_may_enter(stage: Stage, page: Page) -> None:
    page.goto(f"{stage.url}/portal/HR")
    sign_in(page, stage.realm.bob)
    page.wait_for_url(f"{stage.url}/callback?**")
    assert page.locator("h1").inner_text() == "This account has no access"
    (line,) = [line for line in stage.served.log if line.get("reason") == "access_denied"]
    assert line["email"] == stage.realm.bob.email


def test_an_administrator_who_ends_the_sessions_ends_them_here(stage: Stage, page: Page) -> None:
    page.goto(f"{stage.url}/portal/HR")
    sign_in(page, stage.realm.ada)
    page.wait_for_url(f"{stage.url}/portal/HR")
    assert statuses(stage.served, page.context) == {200}
    stage.realm.end_sessions(stage.realm.ada)
    assert is_over_within(2, stage.served, page.context)
    assert [line["by"] for line in stage.served.log if line["event"] == "logout.backchannel"] == ["sid"]


def test_a_logout_in_one_browser_leaves_the_session_of_another(stage: Stage, page: Page, chromium: Browser) -> None:
    elsewhere = chromium.new_context()
    other = elsewhere.new_page()
    for one in (page, other):
        one.goto(f"{stage.url}/portal/HR")
        sign_in(one, stage.realm.ada)
        one.wait_for_url(f"{stage.url}/portal/HR")
    assert statuses(stage.served, elsewhere) == {200}

    # At Keycloak itself, in a tab beside ours: we hear of it over the back channel alone.
    tab = elsewhere.new_page()
    tab.goto(f"{stage.realm.issuer}/protocol/openid-connect/logout")
    tab.click("#kc-logout")
    tab.get_by_role("heading", name="You are logged out").wait_for()
    assert is_over_within(2, stage.served, elsewhere)
    assert statuses(stage.served, page.context) == {200}
    elsewhere.close()


def test_the_frame_in_keycloak_s_logout_page_ends_the_session_here(stage: Stage, page: Page) -> None:
    stage.realm.use_front_channel(f"{stage.url}/frontchannel-logout/keycloak")
    page.goto(f"{stage.url}/portal/HR")
    sign_in(page, stage.realm.ada)
    page.wait_for_url(f"{stage.url}/portal/HR")
    assert statuses(stage.served, page.context) == {200}

    tab = page.context.new_page()
    tab.goto(f"{stage.realm.issuer}/protocol/openid-connect/logout")
    tab.click("#kc-logout")
    tab.get_by_text("You are logging out from following apps").wait_for()
    assert is_over_within(2, stage.served, page.context)
    events = [line["event"] for line in stage.served.log if line["event"].startswith("logout")]
    assert events == ["logout.frontchannel"]


def test_tokens_are_refreshed_and_each_refresh_token_serves_once(stage: Stage, start: Children, jsmsso_home: Home, page: Page) -> None:
    holder = Holder(start, jsmsso_home, ("--port", stage.terminal.rpartition(":")[2], "--no-browser"), {})
    child = holder.begin()
    page.goto(child.wait_for(ADDRESS)[1])
    sign_in(page, stage.realm.ada)
    page.wait_for_url(f"{stage.terminal}/callback?**")
    assert child.wait() == 0, child.output

    first = holder.kept("keycloak")
    ran = holder.run("refresh", "--json")
    assert ran.code == 0, ran.stderr
    second = holder.kept("keycloak")
    assert second["refresh_token"] != first["refresh_token"]
    assert second["id_claims"]["sub"] == first["id_claims"]["sub"]
    assert holder.run("inspect").code == 0

    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    client = (stage.realm.client_id, stage.realm.client_secret)
    again = requests.post(f"{stage.realm.issuer}/protocol/openid-connect/token", form, auth=client, timeout=60)
    assert (again.status_code, json.loads(again.text)["error"]) == (400, "invalid_grant")
