"""What stands in the audit trail, and what never does."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from tests.oidc.provider import Provider
from tests.runtime.site import Browser, Site

ONLY_ACME = [{"allow": {"email_domain": ["acme.example"]}}]


def trail(site: Site) -> list[dict[str, Any]]:
    return list(site.deployment.audit.read())


def test_a_good_login_and_its_end(make_site: Callable[..., Site], provider: Provider) -> None:
    site = make_site(provider, access=ONLY_ACME)
    browser = Browser(site)
    browser.log_in()
    browser.submit(browser.get("/logout"))
    login, logout = trail(site)
    who = {"email": "ada@acme.example", "issuer": provider.issuer, "subject": "ada", "provider": "a", "client": "192.0.2.7"}
    assert who.items() <= login.items()
    assert who.items() <= logout.items()
    assert (login["event"], login["portal"]) == ("login.ok", "HELP")
    assert login["rule"].startswith("Allowed by rule 1")
    assert (logout["event"], logout["by"]) == ("logout", "person")


@pytest.mark.parametrize(
    "claims, reason",
    [
        pytest.param({"email": "bob@elsewhere.example"}, "access_denied", id="no rule"),
        pytest.param({"email_verified": False}, "email_unverified", id="not verified"),
        pytest.param({"aud": "somebody else"}, "id_token_aud", id="an ID token for somebody else"),
    ],
)
def test_a_refused_login_names_its_reason_and_the_number_on_the_page(
    make_site: Callable[..., Site], provider: Provider, claims: dict[str, Any], reason: str
) -> None:
    site = make_site(provider, access=ONLY_ACME)
    provider.claims |= claims
    page = Browser(site).log_in()
    (line,) = trail(site)
    assert (line["event"], line["reason"], line["reference"], line["provider"]) == ("login.refused", reason, page.reference, "a")
    assert ("rule" in line) == (reason == "access_denied")


def test_a_session_that_may_not_go_on_is_a_denial(make_site: Callable[..., Site], provider: Provider) -> None:
    site = make_site(provider)
    browser = Browser(site)
    browser.log_in()
    site.reload(access=[{"deny": "everyone"}])
    page = browser.get("/portal/HELP")
    denied = trail(site)[-1]
    assert (denied["event"], denied["reason"], denied["reference"]) == ("access.denied", "access_denied", page.reference)
    assert (denied["email"], denied["subject"], denied["issuer"]) == ("ada@acme.example", "ada", provider.issuer)


def test_what_anybody_can_ask_for_without_being_known_is_not_in_it(site: Site, browser: Browser) -> None:
    for path in ("/", "/nothing", "/callback?code=x&state=y", "/callback", "/portal/HELP", "/logout", "/healthz"):
        browser.get(path)
    assert trail(site) == []


def test_no_secret_gets_into_it(make_site: Callable[..., Site], provider: Provider) -> None:
    site = make_site(provider, access=ONLY_ACME)
    Browser(site).log_in()
    provider.claims["nonce"] = "another"
    Browser(site).log_in()
    text = "".join(path.read_text() for path in site.deployment.audit.folder.iterdir())
    assert text.count("\n") == 2
    assert not [secret for secret in site.secrets if secret in text]


@pytest.mark.parametrize(("kept", "client"), [("full", "192.0.2.7"), ("truncated", "192.0.2.0/24"), ("none", None)])
def test_of_the_clients_address_as_much_as_the_profile_says(
    make_site: Callable[..., Site], provider: Provider, kept: str, client: str | None
) -> None:
    site = make_site(provider, log={"client_address": kept})
    Browser(site).log_in()
    assert trail(site)[0].get("client") == client


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_stops_nobody_and_is_said_once_a_minute(site: Site, browser: Browser) -> None:
    audit = site.deployment.audit
    audit.write("first")
    os.dup2(full := os.open("/dev/full", os.O_WRONLY), audit._file)
    os.close(full)
    assert browser.log_in().status == 303
    assert site.events("audit.lost")[0]["lost"] == 1
    assert browser.get("/portal/HELP").location.endswith("/portal/3")
    assert Browser(site).log_in().status == 303
    assert [line["event"] for line in trail(site)] == ["first", "login.ok"], "it goes on once there is space"


def test_it_is_kept_where_the_profile_says(make_site: Callable[..., Site], provider: Provider) -> None:
    site = make_site(provider, log={"audit_folder": "trail"})
    Browser(site).log_in()
    assert (site.folder / "trail").is_dir()
    assert len(trail(site)) == 1
