"""``jsmsso token get``: at a certified provider, in a pipe and on a terminal, with and without a keyring."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable

import pytest

from jsmsso.sandbox.cognito import LocalCognito
from tests.cli.holding_tokens import KINDS, PUBLIC, Holder, change
from tests.cli.trying_out import ADDRESS, at_certified_provider, write_profile
from tests.jsm.at_a_terminal import at_a_terminal, rest_of
from tests.services.children import Children
from tests.services.home import Home
from tests.services.oidc_provider import OidcProvider

# Getting -----------------------------------------------------------------------------------------


def test_a_login_leaves_its_tokens_in_the_keyring_and_prints_none(holder: Holder, generous: OidcProvider) -> None:
    ran = holder.get(at_certified_provider(generous))

    kept = holder.kept()
    assert ran.code == 0, ran.stderr
    assert ran.stdout == (
        "Got from idp: ID token, access token, refresh token. Kept in the keyring (keyring:tokens/idp).\nNext: jsmsso token inspect\n"
    )
    assert (kept["issuer"], kept["id_claims"]["email"]) == (generous.issuer, generous.email)
    assert all(kept[kind] for kind in KINDS)


def test_json_is_one_document_without_any_token(holder: Holder, generous: OidcProvider) -> None:
    ran = holder.get(at_certified_provider(generous), "--json")

    assert ran.json() == {
        "provider": "idp",
        "tokens": ["id_token", "access_token", "refresh_token"],
        "scope": "openid profile email",
        "kept": "keyring:tokens/idp",
    }


def test_show_prints_the_tokens_that_are_kept(holder: Holder, generous: OidcProvider) -> None:
    ran = holder.get(at_certified_provider(generous), "--show", "--json")

    kept = holder.kept()
    assert {kind: ran.json()[kind] for kind in KINDS} == {kind: kept[kind] for kind in KINDS}


def test_show_in_words_has_each_token_on_a_line_of_its_own(holder: Holder, generous: OidcProvider) -> None:
    ran = holder.get(at_certified_provider(generous), "--show")

    lines = ran.stdout.splitlines()
    assert lines[lines.index("id_token") + 1] == holder.kept()["id_token"]
    assert lines[lines.index("refresh_token") + 1] == holder.kept()["refresh_token"]


def test_the_final_address_may_be_pasted(holder: Holder, generous: OidcProvider) -> None:
    ran = holder.get(at_certified_provider(generous), "--no-browser", "--json", pasted=True)

    assert ran.code == 0, ran.stderr
    assert ran.json()["kept"] == "keyring:tokens/idp"


def test_on_a_terminal(holder: Holder, generous: OidcProvider) -> None:
    env = holder.env
    with at_a_terminal(holder.home, "token", "get", "--no-browser", *holder.options, env=env) as child:
        child.expect(ADDRESS.replace("^", "").replace(r"\s*$", r"\r\n"))
        address = child.match[1].replace("\r", "").replace("\n", "")
        child.sendline(at_certified_provider(generous)(address))
        said = rest_of(child)

    assert child.exitstatus == 0, said
    assert "Kept in the keyring" in said
    assert holder.kept()["access_token"] not in said
    with at_a_terminal(holder.home, "token", "inspect", env=env) as child:
        said = rest_of(child)
    assert child.exitstatus == 0, said
    assert max(len(line) for line in said.splitlines()) <= 80
    assert "The kept ID token of idp, got" in said
    assert re.search(r"ok\s+signature\s+RS256, by a key of the provider", said)


def test_an_interruption_keeps_nothing(holder: Holder) -> None:
    child = holder.begin("--no-browser")
    child.wait_for(ADDRESS)

    child.signal(signal.SIGINT)

    assert child.wait() == 130
    assert "Traceback" not in child.output
    assert holder.kept() == {}


@pytest.mark.parametrize(
    "backend, words",
    [
        pytest.param("keyring.backends.fail.Keyring", "there is no keyring on this machine", id="no keyring"),
        pytest.param("tests_keyrings.Locked", "the keyring is locked", id="locked"),
    ],
)
def test_without_a_keyring_nobody_logs_in_for_nothing(holder: Holder, keyrings: str, backend: str, words: str) -> None:
    ran = holder.run("get", *holder.options, "--json", env={"PYTHON_KEYRING_BACKEND": backend, "PYTHONPATH": keyrings})

    assert ran.code == 6
    assert words in ran.json()["error"]["message"]
    assert "jsmsso token get --show prints them and keeps nothing" in ran.json()["error"]["hint"]
    assert "Open this address" not in ran.stderr


def test_a_keyring_that_takes_no_long_values_is_told_with_the_way_around(holder: Holder, generous: OidcProvider, keyrings: str) -> None:
    env = {"PYTHON_KEYRING_BACKEND": "tests_keyrings.Short", "PYTHONPATH": keyrings}

    ran = holder.get(at_certified_provider(generous), env=env)
    shown = holder.get(at_certified_provider(generous), "--show", "--json", env=env)

    assert ran.code == 6
    assert "error: the keyring failed (PasswordSetError)" in ran.stderr
    assert "jsmsso token get --show" in ran.stderr
    assert shown.code == 0
    assert "warning: the tokens are not kept: the keyring failed (PasswordSetError)" in shown.stderr
    assert shown.json()["kept"] is None
    assert shown.json()["id_token"].startswith("eyJ")


def test_an_issuer_that_is_not_pinned_is_told_before_the_login(
    cognito: LocalCognito, start: Children, jsmsso_home: Home, free_port: Callable[[], int]
) -> None:
    pool = {"type": "cognito", "domain": cognito.domain, "client_id": cognito.client_id, "client_secret": "env:CLIENT_SECRET"}
    write_profile(jsmsso_home, {"cognito": pool})
    holder = Holder(start, jsmsso_home, ("--port", str(free_port())), {"CLIENT_SECRET": cognito.client_secret})

    for command in (["get", *holder.options], ["inspect", "--stdin"]):
        ran = holder.run(*command, "--json", typed="eyJhbGciOiJub25lIn0.e30.")
        assert ran.code == 3
        assert ran.json()["error"]["hint"] == "Run: jsmsso test-connection --provider cognito"


def test_a_wrong_secret_is_told_before_the_browser(holder: Holder) -> None:
    ran = holder.run("get", *holder.options, env={"CLIENT_SECRET": "wrong"})

    assert ran.code == 4
    assert "the provider refused the client secret (invalid_client)" in ran.stderr


# The client's own ------------------------------------------------------------------------------------


def test_client_credentials_where_the_provider_allows_them(holder: Holder, generous: OidcProvider) -> None:
    client = generous.add_client([PUBLIC], grant_types=["client_credentials", "authorization_code"], scope="openid api")
    change(holder.home, client_id=client.client_id)
    holder.env["CLIENT_SECRET"] = client.client_secret

    ran = holder.run("get", "--client-credentials", "--scope", "api", "--json")
    userinfo, refresh, inspected = (holder.run(command) for command in ("userinfo", "refresh", "inspect"))
    revoked = holder.run("revoke", "--json")

    assert ran.code == 0, ran.stderr
    assert ran.json() == {"provider": "idp", "tokens": ["access_token"], "scope": "api", "kept": "keyring:tokens/idp"}
    assert (userinfo.code, "nobody is behind it" in userinfo.stderr) == (2, True)
    assert (refresh.code, "jsmsso token get --client-credentials" in refresh.stderr) == (2, True)
    assert (inspected.code, "jsmsso token inspect --access" in inspected.stderr) == (2, True)
    assert (revoked.code, revoked.json(), revoked.stderr) == (0, {"provider": "idp", "revoked": True}, "")
    assert holder.kept() == {}


def test_client_credentials_that_the_client_may_not_have(holder: Holder) -> None:
    ran = holder.run("get", "--client-credentials", "--json")

    assert ran.code == 4
    assert ran.json()["error"]["code"] == "token_request_refused"
    assert "requested grant type is not allowed for this client" in ran.json()["error"]["message"]
    assert "Allow this client the grant `client_credentials`" in ran.json()["error"]["hint"]


def test_client_credentials_need_credentials(holder: Holder) -> None:
    change(holder.home, client_secret=None)

    ran = holder.run("get", "--client-credentials")

    assert ran.code == 2
    assert "idp is a public client: it has no credentials" in ran.stderr


def test_a_scope_without_client_credentials_is_no_silent_nothing(holder: Holder) -> None:
    ran = holder.run("get", "--scope", "api")

    assert ran.code == 2
    assert "--scope goes with --client-credentials alone" in ran.stderr


@pytest.mark.parametrize(
    "arguments, words",
    [
        pytest.param(["get", "--provider", "other"], "no provider 'other'", id="a provider that is not there"),
        pytest.param(["get", "--port", "0"], "port", id="a port that is none"),
        pytest.param(["inspect", "eyJhbGciOiJub25lIn0.e30."], "", id="a token as an argument"),
    ],
)
def test_wrong_usage(holder: Holder, arguments: list[str], words: str) -> None:
    ran = holder.run(*arguments)

    assert (ran.code, words in ran.stderr) == (2, True), ran.stderr
