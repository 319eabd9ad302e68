"""``jsmsso provider``: in a pipe, where nothing is asked, and on a terminal, where what is missing is."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest
import yaml

from jsmsso.providers.known import provider_types
from jsmsso.sandbox.cognito import LocalCognito
from tests.cli.at_a_terminal import Transcript, ended
from tests.services.children import PATIENCE, installed_script
from tests.services.home import Home, Ran
from tests.services.oidc_provider import OidcProvider

Jsmsso = Callable[..., Ran]

DOMAIN = "acme.auth.eu-west-1.amazoncognito.com"
COGNITO = ("provider", "add", "cognito", "--domain", DOMAIN, "--client-id", "4bq2example")
NO_KEYRING = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
ADDRESSES = """\
Paste these at Cognito (App client > Login pages > Edit):
  Allowed callback URLs  http://localhost:8080/callback
                         http://localhost:8400/callback   for test-connection
  Allowed sign-out URLs  http://localhost:8080/logged-out
  Grant type, scopes     Authorization code; openid, profile, email
"""


def written(home: Home) -> dict[str, Any]:
    return dict(yaml.safe_load(home.profile.read_text()))


# Adding, in a pipe -----------------------------------------------------------------------------


def test_a_first_provider_makes_the_profile_and_a_session_secret(jsmsso: Jsmsso, jsmsso_home: Home) -> None:
    ran = jsmsso(*COGNITO, "--client-secret-stdin", typed="s3cret\n")

    assert ran.code == 0, ran.stderr
    assert ran.stdout.startswith(ADDRESSES)
    assert ran.stdout.endswith("Made jsmsso.yaml with provider cognito.\nNext: jsmsso test-connection\n")
    assert written(jsmsso_home) == {
        "version": 1,
        "public_url": "http://localhost:8080",
        "providers": {
            "cognito": {
                "type": "cognito",
                "domain": DOMAIN,
                "client_id": "4bq2example",
                "client_secret": "keyring:cognito/client_secret",
                "callback": "/callback",
            }
        },
        "session": {"secret": "keyring:session/secret"},
    }
    assert jsmsso_home.keyring["jsmsso/cognito/client_secret"] == "s3cret"
    assert len(jsmsso_home.keyring["jsmsso/session/secret"]) >= 43  # 32 bytes in base64
    assert "s3cret" not in ran.stdout + ran.stderr + jsmsso_home.profile.read_text()
    assert jsmsso("profile", "check").code == 0


def test_json_is_the_document_alone_and_has_the_addresses(jsmsso: Jsmsso, jsmsso_home: Home) -> None:
    ran = jsmsso(*COGNITO, "--client-secret", "env:CLIENT_SECRET", "--public-url", "https://SSO.acme.com/", "--json")

    document = ran.json()
    assert ADDRESSES.splitlines()[0] in ran.stderr
    assert document["register"] == {
        "callback_urls": ["https://sso.acme.com/callback", "http://localhost:8400/callback"],
        "sign_out_urls": ["https://sso.acme.com/logged-out"],
        "grant_type": "authorization_code",
        "scopes": ["openid", "profile", "email"],
    }
    assert document["client_secret"] == "env:CLIENT_SECRET"
    assert (document["created"], document["next"]) == (True, "jsmsso test-connection")
    assert written(jsmsso_home)["public_url"] == "https://sso.acme.com"
    assert "CLIENT_SECRET is not set" in ran.stderr


def test_every_missing_option_is_named_at_once_after_the_addresses(jsmsso: Jsmsso, jsmsso_home: Home) -> None:
    ran = jsmsso("provider", "add", "cognito")

    assert ran.code == 2
    assert ran.stdout == ADDRESSES + "\n"
    for option in ("--domain", "--client-id", "--client-secret or --client-secret-stdin", "--set client_auth=none"):
        assert option in ran.stderr
    assert not jsmsso_home.profile.exists()

    assert "--issuer or --discovery-url" in jsmsso("provider", "add", "oidc", "--json").json()["error"]["message"]


def test_the_issuer_of_a_pool_is_found_and_pinned(jsmsso: Jsmsso, jsmsso_home: Home, cognito: LocalCognito) -> None:
    ran = jsmsso(
        "provider", "add", "cognito", "--domain", f"{cognito.domain}/", "--client-id", "x", "--set", "client_auth=none",
        "--user-pool-id", cognito.user_pool_id, "--discovery-url", cognito.discovery_url,
    )  # fmt: skip

    assert ran.code == 0, ran.stderr
    assert f"Pinned issuer {cognito.issuer}" in ran.stdout
    entry = written(jsmsso_home)["providers"]["cognito"]
    assert (entry["domain"], entry["issuer"]) == (cognito.domain, cognito.issuer)
    assert list(entry) == ["type", "domain", "issuer", "client_id", "callback", "user_pool_id", "discovery_url", "client_auth"]


def test_a_pool_of_another_domain_is_not_added(jsmsso: Jsmsso, jsmsso_home: Home, cognito: LocalCognito) -> None:
    ran = jsmsso(
        *COGNITO, "--client-secret-stdin", "--user-pool-id", cognito.user_pool_id, "--discovery-url", cognito.discovery_url, typed="s"
    )

    assert ran.code == 4
    assert f"not on the domain {DOMAIN}" in ran.stderr
    assert not jsmsso_home.profile.exists()
    assert jsmsso_home.keyring == {}


def test_a_pool_that_cannot_be_asked_is_left_to_test_connection(jsmsso: Jsmsso, jsmsso_home: Home, free_port: Callable[[], int]) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/.well-known/openid-configuration"
    ran = jsmsso(*COGNITO, "--client-secret-stdin", "--user-pool-id", "eu-west-1_a1B2c3D4e", "--discovery-url", nowhere, typed="s")

    assert ran.code == 0
    assert "no issuer is pinned yet: jsmsso test-connection does it" in ran.stderr
    assert "issuer" not in written(jsmsso_home)["providers"]["cognito"]


def test_a_typed_issuer_is_taken_as_it_is(jsmsso: Jsmsso, jsmsso_home: Home) -> None:
    issuer = "https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_a1B2"
    ran = jsmsso(*COGNITO, "--client-secret-stdin", "--issuer", issuer, typed="s")

    assert ran.code == 0, ran.stderr
    assert written(jsmsso_home)["providers"]["cognito"]["issuer"] == issuer


@pytest.mark.parametrize(
    "arguments, words",
    [
        pytest.param([*COGNITO[:3], "--domain", "acme", "--client-id", "x"], "is no whole domain", id="a prefix alone"),
        pytest.param([*COGNITO, "--user-pool-id", "pool"], "no user pool id", id="no pool id"),
        pytest.param([*COGNITO, "--issuer", "http://acme.com"], "http:// is taken for loopback", id="an issuer without TLS"),
        pytest.param([*COGNITO, "--name", "My Pool"], "--name takes", id="a name with a space"),
        pytest.param([*COGNITO, "--public-url", "sso.acme.com"], "--public-url", id="a public URL without a scheme"),
        pytest.param([*COGNITO, "--set", "any_mail=true"], "any_mail: the key is unknown", id="an unknown key"),
        pytest.param([*COGNITO, "--set", "client_id=y"], "option that says the same", id="a key that has an option"),
        pytest.param([*COGNITO, "--set", "user_pool_id=y"], "has an option of its own", id="a key whose option is not given"),
        pytest.param([*COGNITO, "--set", "type=oidc"], "option that says the same", id="the type"),
        pytest.param([*COGNITO, "--scope", "email"], "openid is missing", id="scopes without openid"),
        pytest.param(["provider", "add", "cognitto"], "no provider type 'cognitto'", id="a mistyped type"),
        pytest.param(["provider", "add", "oidc", "--domain", "x.example"], "--domain is not for type oidc", id="a domain for oidc"),
    ],
)
def test_wrong_options_are_wrong_usage_and_nothing_is_written(jsmsso: Jsmsso, jsmsso_home: Home, arguments: list[str], words: str) -> None:
    ran = jsmsso(*arguments, "--client-secret-stdin", typed="s3cret")

    assert ran.code == 2, ran.stderr
    assert words in ran.stderr
    assert not jsmsso_home.profile.exists()
    assert jsmsso_home.keyring == {}


def test_a_secret_as_an_argument_is_refused_without_repeating_it(jsmsso: Jsmsso) -> None:
    ran = jsmsso(*COGNITO, "--client-secret", "hunter2")

    assert ran.code == 2
    assert "takes a reference, never the secret itself" in ran.stderr
    assert "hunter2" not in ran.stdout + ran.stderr


@pytest.mark.parametrize("typed", ["", "\n", "two\nlines\n"])
def test_an_empty_standard_input_is_no_secret(jsmsso: Jsmsso, jsmsso_home: Home, typed: str) -> None:
    ran = jsmsso(*COGNITO, "--client-secret-stdin", typed=typed)

    assert ran.code == 2
    assert "standard input has no client secret" in ran.stderr
    assert not jsmsso_home.profile.exists()


def test_a_name_that_is_there_is_refused(jsmsso: Jsmsso, jsmsso_home: Home) -> None:
    jsmsso(*COGNITO, "--client-secret-stdin", typed="first")
    before = jsmsso_home.profile.read_bytes()

    ran = jsmsso(*COGNITO, "--client-secret-stdin", typed="second")

    assert ran.code == 2
    assert "--name" in ran.stderr
    assert "jsmsso provider remove cognito" in ran.stderr
    assert jsmsso_home.profile.read_bytes() == before
    assert jsmsso_home.keyring["jsmsso/cognito/client_secret"] == "first"


def test_a_secret_that_another_profile_kept_is_replaced_and_said(jsmsso: Jsmsso, jsmsso_home: Home) -> None:
    jsmsso(*COGNITO, "--client-secret-stdin", typed="first")
    session_secret = jsmsso_home.keyring["jsmsso/session/secret"]

    ran = jsmsso(*COGNITO, "--client-secret-stdin", "--profile", "other.yaml", typed="second")

    assert ran.code == 0
    assert "held another secret before; it is replaced" in ran.stderr
    assert jsmsso_home.keyring["jsmsso/session/secret"] == session_secret


def test_comments_of_the_profile_are_kept(jsmsso: Jsmsso, jsmsso_home: Home) -> None:
    text = "# ours\nversion: 1  # of the form\npublic_url: https://sso.acme.com\n\nsupport: {text: Ask IT}  # they know\n"
    jsmsso_home.profile.write_text(text)

    ran = jsmsso(*COGNITO, "--client-secret", "env:X")

    assert ran.code == 0, ran.stderr
    after = jsmsso_home.profile.read_text()
    assert all(line in after for line in text.splitlines())
    assert written(jsmsso_home)["providers"]["cognito"]["client_secret"] == "env:X"
    assert "session" not in written(jsmsso_home), "an existing profile's sessions are its own business"


# Several providers ----------------------------------------------------------------------------


def test_a_second_provider_has_a_callback_of_its_own_and_needs_email_domains(
    jsmsso: Jsmsso, jsmsso_home: Home, oidc_provider: OidcProvider
) -> None:
    jsmsso(*COGNITO, "--client-secret", "env:X", "--set", "email_domains=acme.com")
    second = (
        "provider",
        "add",
        "oidc",
        "--name",
        "partner",
        "--issuer",
        oidc_provider.issuer,
        "--client-id",
        "x",
        "--client-secret",
        "env:Y",
    )

    refused = jsmsso(*second)
    assert refused.code == 2
    assert "http://localhost:8080/callback/partner" in refused.stdout
    assert "--set email_domains=DOMAIN" in refused.stderr

    taken = jsmsso(*second, "--set", "email_domains=ACME.com")
    assert taken.code == 2
    assert "acme.com stands in the list of cognito already" in taken.stderr

    added = jsmsso(*second, "--set", "email_domains=partner.example,partner.org")
    assert added.code == 0, added.stderr
    assert added.stdout.endswith("Next: jsmsso test-connection --provider partner\n")
    entry = written(jsmsso_home)["providers"]["partner"]
    assert (entry["callback"], entry["email_domains"]) == ("/callback/partner", ["partner.example", "partner.org"])


def test_a_first_provider_without_email_domains_is_named_when_a_second_comes(jsmsso: Jsmsso, oidc_provider: OidcProvider) -> None:
    jsmsso(*COGNITO, "--client-secret", "env:X")
    ran = jsmsso("provider", "add", "oidc", "--issuer", oidc_provider.issuer, "--client-id", "x", "--client-secret", "env:Y",
                 "--set", "any_email=true")  # fmt: skip

    assert ran.code == 2
    assert "cognito has no email_domains yet" in ran.stderr
    assert "providers.cognito.email_domains: [acme.com]" in ran.stderr


@pytest.mark.parametrize("option", ["--issuer", "--discovery-url"])
def test_any_provider_is_added_by_issuer_or_discovery_url(
    jsmsso: Jsmsso, jsmsso_home: Home, oidc_provider: OidcProvider, option: str
) -> None:
    ran = jsmsso("provider", "add", "oidc", option, oidc_provider.discovery_url, "--client-id", "x", "--client-secret", "env:X")

    assert ran.code == 0, ran.stderr
    assert f"Pinned issuer {oidc_provider.issuer}" in ran.stdout
    assert f"tokens at  {oidc_provider.issuer}/token" in ran.stderr
    assert written(jsmsso_home)["providers"]["oidc"] == {
        "type": "oidc",
        "issuer": oidc_provider.issuer,
        "client_id": "x",
        "client_secret": "env:X",
        "callback": "/callback",
    }


def test_a_provider_that_does_not_answer_is_not_added(jsmsso: Jsmsso, jsmsso_home: Home, free_port: Callable[[], int]) -> None:
    ran = jsmsso("provider", "add", "oidc", "--issuer", f"http://127.0.0.1:{free_port()}", "--client-id", "x", "--client-secret", "env:X")

    assert ran.code == 4
    assert "the provider cannot be reached" in ran.stderr
    assert not jsmsso_home.profile.exists()


# Without a keyring ----------------------------------------------------------------------------


def test_without_a_keyring_a_referenced_secret_is_enough(jsmsso: Jsmsso, jsmsso_home: Home) -> None:
    ran = jsmsso(*COGNITO, "--client-secret", "env:CLIENT_SECRET", "--json", env=NO_KEYRING)

    assert ran.code == 0, ran.stderr
    assert ran.json()["session_secret"] is None
    assert "session" not in written(jsmsso_home)
    assert "session: {secret: env:JSMSSO_SESSION_SECRET}" in ran.stderr


def test_without_a_keyring_a_secret_has_nowhere_to_go(jsmsso: Jsmsso, jsmsso_home: Home) -> None:
    ran = jsmsso(*COGNITO, "--client-secret-stdin", typed="s3cret", env=NO_KEYRING)

    assert ran.code == 6
    assert "--client-secret env:JSMSSO_COGNITO_CLIENT_SECRET" in ran.stderr
    assert not jsmsso_home.profile.exists()


# List, show, remove, types ---------------------------------------------------------------------


def two_providers(home: Home, **keys: Any) -> Path:
    home.profile.write_text(
        yaml.safe_dump(
            {
                "version": 1,
                "public_url": "https://sso.acme.com",
                "providers": {
                    "cognito": {
                        "type": "cognito", "domain": DOMAIN, "client_id": "4bq2example",
                        "client_secret": "keyring:cognito/client_secret", "email_domains": ["acme.com"],
                    },
                    "partner": {"type": "oidc", "issuer": "https://op.example", "client_id": "x", "any_email": True},
                },
                **keys,
            },
            sort_keys=False,
        )
    )  # fmt: skip
    return home.profile


def test_the_providers_are_listed(jsmsso: Jsmsso, jsmsso_home: Home) -> None:
    two_providers(jsmsso_home)

    rows = jsmsso("provider", "list", "--json").json()

    assert [(row["name"], row["type"], row["default"], row["callback"]) for row in rows] == [
        ("cognito", "cognito", True, "https://sso.acme.com/callback"),
        ("partner", "oidc", False, "https://sso.acme.com/callback/partner"),
    ]
    text = jsmsso("provider", "list").stdout
    assert ["partner", "oidc", "https://op.example", "x", "https://sso.acme.com/callback/partner"] in map(str.split, text.splitlines())
    assert DOMAIN in text


def test_a_profile_without_providers_lists_none(jsmsso: Jsmsso, jsmsso_home: Home) -> None:
    jsmsso_home.profile.write_text("version: 1\npublic_url: http://localhost:8080\n")

    assert jsmsso("provider", "list", "--json").json() == []
    assert "jsmsso provider add cognito" in jsmsso("provider", "list").stdout


def test_one_is_shown_with_its_addresses_and_without_its_secret(jsmsso: Jsmsso, jsmsso_home: Home) -> None:
    jsmsso(*COGNITO, "--client-secret-stdin", typed="s3cret")

    document = jsmsso("provider", "show", "cognito", "--json").json()
    text = jsmsso("provider", "show", "cognito").stdout

    assert document["client_secret"] == "keyring:cognito/client_secret"
    assert document["register"]["callback_urls"][0] == "http://localhost:8080/callback"
    assert ADDRESSES in text
    assert "not known yet: jsmsso test-connection" in text
    assert "s3cret" not in text + str(document)


def test_a_provider_that_is_not_there_is_answered_with_the_nearest(jsmsso: Jsmsso, jsmsso_home: Home) -> None:
    two_providers(jsmsso_home)
    ran = jsmsso("provider", "show", "partner1")

    assert ran.code == 2
    assert "Did you mean partner?" in ran.stderr


def test_removing_needs_a_yes_and_names_what_changes(jsmsso: Jsmsso, jsmsso_home: Home) -> None:
    two_providers(jsmsso_home)
    assert jsmsso("provider", "remove", "cognito").code == 2
    assert "cognito" in written(jsmsso_home)["providers"]

    ran = jsmsso("provider", "remove", "cognito", "--yes")

    assert ran.code == 0, ran.stderr
    assert "Its secret stays in the keyring: service jsmsso, name cognito/client_secret." in ran.stdout
    assert "cognito was the default provider; now it is partner" in ran.stderr
    assert list(written(jsmsso_home)["providers"]) == ["partner"]
    # Its callback is registered at the provider: becoming the first must not change it.
    assert jsmsso("provider", "list", "--json").json()[0]["callback"] == "https://sso.acme.com/callback/partner"


def test_the_only_provider_may_be_removed(jsmsso: Jsmsso, jsmsso_home: Home) -> None:
    jsmsso(*COGNITO, "--client-secret", "env:X")
    ran = jsmsso("provider", "remove", "cognito", "--yes", "--json")

    assert ran.code == 0
    assert ran.json() == {"name": "cognito", "removed": True, "profile": "jsmsso.yaml", "client_secret": "env:X", "default": None}
    assert "nobody can log in" in ran.stderr
    assert jsmsso("provider", "list", "--json").json() == []


def test_a_provider_that_a_portal_uses_stays(jsmsso: Jsmsso, jsmsso_home: Home) -> None:
    portal = {"id": "3", "key": "HELP", "service_desk": "3", "name": "IT", "url": "https://acme.atlassian.net/p/3", "mode": "redirect"}
    two_providers(jsmsso_home, portals=[portal | {"provider": "partner"}])

    ran = jsmsso("provider", "remove", "partner", "--yes")

    assert ran.code == 2
    assert "the customers of HELP log in at partner" in ran.stderr
    assert "partner" in written(jsmsso_home)["providers"]


def test_a_provider_that_an_access_rule_names_stays(jsmsso: Jsmsso, jsmsso_home: Home) -> None:
    two_providers(jsmsso_home, access=[{"allow": {"provider": "partner"}}])

    ran = jsmsso("provider", "remove", "partner", "--yes")

    assert ran.code == 2
    assert "access[0].allow.provider" in ran.stderr
    assert "partner" in written(jsmsso_home)["providers"]


def test_the_types_need_no_profile(jsmsso: Jsmsso) -> None:
    rows = jsmsso("provider", "types", "--json").json()

    assert [row["type"] for row in rows] == list(provider_types())
    assert (rows[0]["type"], len(rows)) == ("cognito", 21)
    assert all(set(row) == {"type", "name", "documentation"} for row in rows)
    assert "AWS Cognito" in jsmsso("provider", "types").stdout


# On a terminal --------------------------------------------------------------------------------


def test_the_wizard_asks_for_what_is_missing_and_shows_no_secret(
    terminal: Callable[..., pexpect.spawn], jsmsso_home: Home, cognito: LocalCognito
) -> None:
    command = terminal("provider", "add", "cognito")
    command.expect_exact("Domain [Branding > Domain]: ")
    before = command.before.replace("\r\n", "\n")
    assert before.startswith(ADDRESSES), "the addresses are needed to make the client that the questions ask about"
    command.sendline("acme")
    command.expect_exact("is no whole domain")
    command.expect_exact("Domain [Branding > Domain]: ")
    command.sendline(f"{cognito.domain}/".upper().replace("HTTP", "http"))
    command.expect_exact("Client ID: ")
    command.sendline("")
    command.expect_exact("it is needed")
    command.expect_exact("Client ID: ")
    command.sendline(cognito.client_id)
    command.expect_exact("Client secret (typed unseen, goes to the keyring): ")
    command.waitnoecho()
    command.sendline(cognito.client_secret)
    code, screen = ended(command)

    assert code == 0
    assert "Made jsmsso.yaml with provider cognito." in screen
    assert "Next: jsmsso test-connection" in screen
    assert cognito.client_secret not in screen
    assert max(len(line) for line in before.splitlines()) <= 80
    assert jsmsso_home.keyring["jsmsso/cognito/client_secret"] == cognito.client_secret
    assert written(jsmsso_home)["providers"]["cognito"]["domain"] == cognito.domain


def test_an_empty_secret_makes_a_public_client(terminal: Callable[..., pexpect.spawn], jsmsso_home: Home) -> None:
    command = terminal("provider", "add", "cognito", "--domain", DOMAIN, "--client-id", "x")
    command.expect_exact("Client secret")
    command.waitnoecho()
    command.sendline("")
    code, screen = ended(command)

    assert code == 0
    assert "this is a public client" in screen
    assert "client_secret" not in written(jsmsso_home)["providers"]["cognito"]


@pytest.mark.parametrize("question", ["Domain", "Client secret"])
def test_an_interruption_leaves_nothing_behind(terminal: Callable[..., pexpect.spawn], jsmsso_home: Home, question: str) -> None:
    given = ["--domain", DOMAIN, "--client-id", "x"] if question == "Client secret" else []
    command = terminal("provider", "add", "cognito", *given)
    command.expect_exact(question)
    command.sendintr()
    code, screen = ended(command)

    assert code == 130
    assert "Traceback" not in screen
    assert not jsmsso_home.profile.exists()
    assert jsmsso_home.keyring == {}


def test_without_a_keyring_files_beside_the_profile_are_offered(terminal: Callable[..., pexpect.spawn], jsmsso_home: Home) -> None:
    command = terminal("provider", "add", "cognito", "--domain", DOMAIN, "--client-id", "x", env=NO_KEYRING)
    command.expect_exact("There is no usable keyring.")
    command.sendline("y")
    command.expect_exact("goes to a file")
    command.waitnoecho()
    command.sendline("s3cret")
    code, _ = ended(command)

    assert code == 0
    kept = jsmsso_home.work / "secrets" / "cognito" / "client_secret"
    assert kept.read_text() == "s3cret"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert written(jsmsso_home)["providers"]["cognito"]["client_secret"] == "file:secrets/cognito/client_secret"
    assert written(jsmsso_home)["session"]["secret"] == "file:secrets/session/secret"
    assert os.stat(jsmsso_home.work / "secrets" / "session" / "secret").st_size >= 43


def test_declining_the_files_names_the_option(terminal: Callable[..., pexpect.spawn], jsmsso_home: Home) -> None:
    command = terminal("provider", "add", "cognito", "--domain", DOMAIN, "--client-id", "x", env=NO_KEYRING)
    command.expect_exact("[Y/n]")
    command.sendline("n")
    code, screen = ended(command)

    assert code == 6
    assert "--client-secret env:JSMSSO_COGNITO_CLIENT_SECRET" in screen
    assert not jsmsso_home.profile.exists()


def test_a_second_provider_asks_which_domains_each_vouches_for(
    terminal: Callable[..., pexpect.spawn], jsmsso: Jsmsso, jsmsso_home: Home, oidc_provider: OidcProvider
) -> None:
    jsmsso(*COGNITO, "--client-secret", "env:X")
    command = terminal("provider", "add", "oidc", "--client-id", "x", "--client-secret", "env:Y")
    command.expect_exact("Issuer (or the address of its metadata): ")
    command.sendline("http://127.0.0.1:9")
    command.expect_exact("cannot be reached")
    command.expect_exact("Issuer (or the address of its metadata): ")
    command.sendline(oidc_provider.discovery_url)
    command.expect_exact("Email domains that oidc alone may vouch for")
    command.sendline("not a domain")
    command.expect_exact("that is no domain")
    command.sendline("Partner.example, partner.org")
    command.expect_exact("Email domains that cognito alone may vouch for")
    command.sendline("*")
    code, screen = ended(command)

    assert code == 0, screen
    providers = written(jsmsso_home)["providers"]
    assert providers["oidc"]["email_domains"] == ["partner.example", "partner.org"]
    assert providers["cognito"]["any_email"] is True


def test_with_json_a_terminals_questions_stay_off_standard_output(jsmsso_home: Home) -> None:
    command = pexpect.spawn(
        "/bin/sh",
        ["-c", f"{installed_script('jsmsso')} provider add cognito --json > out.json"],
        env=jsmsso_home.env,
        cwd=str(jsmsso_home.work),
        encoding="utf-8",
        timeout=PATIENCE,
        use_poll=True,
    )
    command.logfile_read = Transcript()
    command.expect_exact("Domain [Branding > Domain]: ")
    command.sendline(DOMAIN)
    command.expect_exact("Client ID: ")
    command.sendline("x")
    command.expect_exact("Client secret")
    command.waitnoecho()
    command.sendline("s")
    code, _ = ended(command)

    assert code == 0
    assert json.loads(out := (jsmsso_home.work / "out.json").read_text())["client_id"] == "x"
    assert out.startswith("{"), "the document and nothing else"


def test_removing_asks_on_a_terminal(terminal: Callable[..., pexpect.spawn], jsmsso_home: Home) -> None:
    two_providers(jsmsso_home)
    command = terminal("provider", "remove", "partner")
    command.expect_exact("Remove the provider partner from jsmsso.yaml? [y/N]: ")
    command.sendline("n")
    code, screen = ended(command)
    assert (code, "Nothing was removed." in screen) == (1, True)

    command = terminal("provider", "remove", "partner")
    command.expect_exact("[y/N]: ")
    command.sendline("y")
    assert ended(command)[0] == 0
    assert list(written(jsmsso_home)["providers"]) == ["cognito"]
