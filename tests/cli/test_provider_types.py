"""``jsmsso provider add`` for every type there is: without a terminal, and by its questions on one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.at_a_terminal import Spawn, ended
from tests.providers.internet import Internet, internet, served_by
from tests.providers.recorded import CLIENT_ID, recordings, type_name
from tests.services.home import Home, Ran

Jsmsso = Callable[..., Ran]
Online = Callable[[str], Internet]

RECORDED = recordings(plain=False) | recordings(plain=True)
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
CLIENT = ("--client-id", CLIENT_ID, "--client-secret", "env:SECRET")


@pytest.fixture
def online(jsmsso_home: Home, free_port: Callable[[], int], tmp_path: Path) -> Iterator[Online]:
    """``online("okta")``: what that recording has is on the internet, and a profile without providers says how to get there."""
    with ExitStack() as stack:

        def start(name: str, **keys: Any) -> Internet:
            there = stack.enter_context(internet(served_by(RECORDED[name]), free_port(), tmp_path))
            profile = {"version": 1, "public_url": "https://sso.acme.com", "http": there.http, **keys}
            jsmsso_home.profile.write_text(json.dumps(profile))
            return there

        yield start


def entry(home: Home, name: str) -> dict[str, Any]:
    return dict(yaml.safe_load(home.profile.read_text())["providers"][name])


def options(given: dict[str, str]) -> list[str]:
    """A recording's answers as options."""
    own = ("domain", "issuer")
    return [part for key, text in given.items() for part in ([f"--{key}", text] if key in own else ["--set", f"{key}={text}"])]


@pytest.mark.parametrize("name", RECORDED)
def test_any_type_is_added_without_a_terminal(name: str, online: Online, jsmsso: Jsmsso, jsmsso_home: Home) -> None:
    online(name)
    recording, type_ = RECORDED[name], type_name(name, RECORDED[name])

    ran = jsmsso("provider", "add", type_, *options(recording["given"]), *CLIENT, env={"SECRET": "s"})

    assert ran.code == 0, ran.stderr
    written = entry(jsmsso_home, type_)
    assert written == {"type": type_, "client_id": CLIENT_ID, "client_secret": "env:SECRET", "callback": "/callback"} | recording["entry"]
    assert "https://sso.acme.com/callback" in ran.stdout
    assert f"Pinned issuer {recording['entry']['issuer']}\n" in ran.stdout


@pytest.mark.parametrize(
    "type_, missing",
    [
        pytest.param("entra", ["--set tenant=..."], id="entra"),
        pytest.param("okta", ["--domain"], id="okta"),
        pytest.param("ping", ["--issuer"], id="ping"),
        pytest.param("keycloak", ["--set address=...", "--set realm=..."], id="keycloak"),
        pytest.param("adfs", ["--set host=...", "--set trust_unverified_email=..."], id="adfs"),
        pytest.param("facebook", ["--set trust_unverified_email=..."], id="facebook"),
        pytest.param("google", [], id="google"),
    ],
)
def test_what_a_type_needs_is_named_at_once(type_: str, missing: list[str], jsmsso: Jsmsso, jsmsso_home: Home) -> None:
    ran = jsmsso("provider", "add", type_)

    assert ran.code == 2
    expected = [*missing, "--client-id", "--client-secret or --client-secret-stdin (a public client: --set client_auth=none)"]
    assert f"error: missing: {', '.join(expected)}\n" in ran.stderr
    assert not jsmsso_home.profile.exists()


@pytest.mark.parametrize(
    "arguments, words",
    [
        pytest.param(["entra", "--domain", "acme.com"], "--domain is not for type entra", id="a domain where a tenant is asked"),
        pytest.param(["entra", "--set", "tenant=acme"], "'acme' is no tenant", id="no tenant"),
        pytest.param(["entra", "--set", f"tenant={TENANT}", "--set", "tenant=a"], "tenant is given twice", id="twice"),
        pytest.param(["entra", "--set", f"tenant={TENANT}", "--set", f"tenants={TENANT}"], "has no meaning here", id="tenants of one"),
        pytest.param(["google", "--issuer", "https://evil.example"], "--issuer is not for type google", id="another Google"),
        pytest.param(["github", "--issuer", "https://github.com"], "--issuer is not for type github", id="an issuer of plain OAuth 2.0"),
        pytest.param(["okta", "--set", "domain=acme.okta.com"], "has an option of its own", id="a question with an option"),
        pytest.param(["keycloak", "--set", "realm=x", "--set", "adress=id.acme.com"], "--set address=...", id="a misspelt question"),
    ],
)
def test_an_answer_that_is_none_is_wrong_usage(arguments: list[str], words: str, jsmsso: Jsmsso, jsmsso_home: Home) -> None:
    ran = jsmsso("provider", "add", *arguments, *CLIENT, env={"SECRET": "s"})

    assert ran.code == 2, ran.stderr
    assert words in ran.stderr
    assert not jsmsso_home.profile.exists()


def test_a_typed_issuer_stands_in_place_of_the_questions(online: Online, jsmsso: Jsmsso, jsmsso_home: Home) -> None:
    online("okta-custom-server")
    issuer = RECORDED["okta-custom-server"]["entry"]["issuer"]

    assert jsmsso("provider", "add", "okta", "--issuer", issuer, *CLIENT, env={"SECRET": "s"}).code == 0
    assert entry(jsmsso_home, "okta")["issuer"] == issuer


def test_a_typed_issuer_for_several_tenants_needs_them(online: Online, jsmsso: Jsmsso, jsmsso_home: Home) -> None:
    online("entra-several-tenants")
    add = ("provider", "add", "entra", "--issuer", "https://login.microsoftonline.com/organizations/v2.0", *CLIENT)

    assert jsmsso(*add, env={"SECRET": "s"}).code == 4
    assert jsmsso(*add, "--set", f"tenants=[{TENANT}]", env={"SECRET": "s"}).code == 0
    assert entry(jsmsso_home, "entra")["tenants"] == [TENANT]


def test_a_client_with_a_key_needs_no_secret(online: Online, jsmsso: Jsmsso, jsmsso_home: Home) -> None:
    online("gluu")
    key = ("--set", "client_auth=private_key_jwt", "--set", "client_key=file:idp.pem")
    ran = jsmsso("provider", "add", "gluu", *options(RECORDED["gluu"]["given"]), "--client-id", "x", *key)

    assert ran.code == 0, ran.stderr
    assert "idp.pem" in ran.stderr, "it is not there yet"
    assert entry(jsmsso_home, "gluu")["client_key"] == "file:idp.pem"
    assert "client_secret" not in entry(jsmsso_home, "gluu")


def test_metadata_that_is_not_there_is_no_provider(online: Online, jsmsso: Jsmsso, jsmsso_home: Home) -> None:
    online("keycloak")
    answers = ("--set", "address=https://id.acme.com", "--set", "realm=custommers")
    ran = jsmsso("provider", "add", "keycloak", *answers, *CLIENT, env={"SECRET": "s"})

    assert ran.code == 4
    assert "https://id.acme.com/realms/custommers/.well-known/openid-configuration answered 404" in ran.stderr
    assert "providers" not in yaml.safe_load(jsmsso_home.profile.read_text())


@pytest.mark.parametrize(
    "name, given, words",
    [
        pytest.param("entra", [], "The optional claim xms_edov says so", id="Entra"),
        pytest.param("entra-external-b2c", [], "B2C sends emails", id="B2C"),
        pytest.param("onelogin", [], "OneLogin sends no email_verified", id="OneLogin"),
    ],
)
def test_where_no_address_may_be_verified_the_setting_is_named(
    name: str, given: list[str], words: str, online: Online, jsmsso: Jsmsso, jsmsso_home: Home
) -> None:
    recording = RECORDED[name]
    rest = {key: text for key, text in recording["given"].items() if key != "trust_unverified_email"}
    add = ("provider", "add", type_name(name, recording), *options(rest), *CLIENT)
    online(name)
    ran = jsmsso(*add, env={"SECRET": "s"})
    assert f"warning: trust_unverified_email names no domain. {words}" in ran.stderr

    online(name)
    ran = jsmsso(*add, "--set", "trust_unverified_email=Acme.com, acme.de", env={"SECRET": "s"})
    assert "trust_unverified_email" not in ran.stderr
    assert entry(jsmsso_home, type_name(name, recording))["trust_unverified_email"] == ["acme.com", "acme.de"]


@pytest.mark.parametrize("name", ["google", "github", "discord", "facebook", "slack", "gitlab", "linkedin"])
def test_where_anybody_can_sign_up_the_missing_rule_is_said(name: str, online: Online, jsmsso: Jsmsso) -> None:
    add = ("provider", "add", name, *options(RECORDED[name]["given"]), *CLIENT)
    online(name)
    ran = jsmsso(*add, env={"SECRET": "s"})
    assert "no access rule says who may enter: jsmsso serve refuses that" in ran.stderr
    assert "access: [{allow: everyone}]" in ran.stderr

    online(name, access=[{"allow": {"email_domain": ["acme.com"]}}])
    assert "warning" not in jsmsso(*add, env={"SECRET": "s"}).stderr


@pytest.mark.parametrize("name", ["github", "slack", "facebook"])
def test_where_no_loopback_address_can_be_registered_none_is_printed(name: str, online: Online, jsmsso: Jsmsso) -> None:
    online(name)
    register = jsmsso("provider", "add", name, *options(RECORDED[name]["given"]), *CLIENT, "--json", env={"SECRET": "s"}).json()["register"]
    assert (register["callback_urls"], register["sign_out_urls"]) == (["https://sso.acme.com/callback"], [])


# On a terminal --------------------------------------------------------------------------------


def answer(command: Any, *pairs: tuple[str, str]) -> None:
    for question, text in pairs:
        command.expect_exact(f"{question}: ")
        command.sendline(text)


def test_the_wizard_mends_what_was_pasted_for_entra(online: Online, terminal: Spawn, jsmsso_home: Home) -> None:
    online("entra")
    command = terminal("provider", "add", "entra", "--client-secret", "env:SECRET", env={"SECRET": "s"})
    tenant = "Directory (tenant) ID [App registrations > your app > Overview]"
    answer(command, (tenant, "acme"))
    command.expect_exact("'acme' is no tenant. Copy the Directory (tenant) ID")
    answer(command, (tenant, ""))
    command.expect_exact("it is needed")
    answer(
        command,
        (tenant, f" https://login.microsoftonline.com/{TENANT.upper()}/oauth2/v2.0/token "),
        ("Email domains only these tenants give out (may be empty)", "@Acme.com"),
        ("Client ID", "client-1"),
    )
    code, screen = ended(command)

    assert code == 0, screen
    assert screen.replace("\r\n", "\n").startswith(
        "Paste these at Entra ID (App registrations > your app > Authentication, platform Web):\n"
    )
    assert entry(jsmsso_home, "entra") == {
        "type": "entra",
        "issuer": f"https://login.microsoftonline.com/{TENANT}/v2.0",
        "client_id": "client-1",
        "client_secret": "env:SECRET",
        "callback": "/callback",
        "trust_unverified_email": ["acme.com"],
    }


def test_the_wizard_asks_for_the_tenants_where_entra_serves_several(online: Online, terminal: Spawn, jsmsso_home: Home) -> None:
    online("entra-several-tenants")
    command = terminal("provider", "add", "entra", *CLIENT, env={"SECRET": "s"})
    answer(
        command,
        ("Overview]", "organizations"),
        ("Ids of the tenants whose people may sign in (with commas)", TENANT),
        ("Email domains only these tenants give out (may be empty)", ""),
    )
    code, screen = ended(command)

    assert code == 0, screen
    assert entry(jsmsso_home, "entra")["tenants"] == [TENANT]
    assert "warning" in screen


def test_the_wizard_asks_again_for_a_realm_that_is_not_there(online: Online, terminal: Spawn, jsmsso_home: Home) -> None:
    online("keycloak")
    command = terminal("provider", "add", "keycloak", *CLIENT, env={"SECRET": "s"})
    address, realm = "Address of Keycloak", "Realm [top left of the admin console]"
    answer(command, (address, "id.acme.com"), (realm, "Customers"))
    command.expect_exact("answered 404")
    answer(command, (address, "https://id.acme.com/admin/master/console/#/customers"), (realm, "customers"))
    command.expect_exact("Found https://id.acme.com/realms/customers")
    code, screen = ended(command)

    assert code == 0, screen
    assert entry(jsmsso_home, "keycloak")["issuer"] == "https://id.acme.com/realms/customers"


@pytest.mark.parametrize(
    "typed, issuer",
    [
        pytest.param("", "https://github.com/login/oauth", id="Enter"),
        pytest.param("github.acme.com/login", "https://github.acme.com/login/oauth", id="Enterprise Server"),
    ],
)
def test_the_wizard_for_github_knows_its_host(typed: str, issuer: str, online: Online, terminal: Spawn, jsmsso_home: Home) -> None:
    there = online("github")
    command = terminal("provider", "add", "github", *CLIENT, env={"SECRET": "s"})
    answer(command, ("Host (Enter for github.com)", typed))
    code, screen = ended(command)

    assert code == 0, screen
    assert entry(jsmsso_home, "github")["issuer"] == issuer
    assert there.asked == []
    assert "anybody can make an account at GitHub" in screen
