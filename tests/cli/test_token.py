"""``jsmsso token get, refresh, userinfo, revoke`` at a certified provider and at a Cognito."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from jsmsso.sandbox.cognito import LocalCognito, log_in
from tests.cli.holding_tokens import KINDS, Holder
from tests.cli.trying_out import ADDRESS, at_certified_provider, write_profile
from tests.jsm.at_a_terminal import at_a_terminal, rest_of
from tests.oidc.provider import ABSENT, CLIENT_ID, CLIENT_SECRET, Provider, public_jwk, rsa_key, running
from tests.providers.plain import CODE, Played
from tests.providers.played import Said, between, playing
from tests.services.children import Children
from tests.services.home import Home
from tests.services.oidc_provider import OidcProvider, start_provider

PUBLIC = "http://localhost:8080/callback"


@pytest.fixture(scope="module")
def generous(needs_node: None, session_start: Children, free_port: Callable[[], int]) -> OidcProvider:
    """A certified provider that gives refresh tokens, a new one at each use, and knows client credentials."""
    return start_provider(session_start, free_port(), refresh_tokens=True, client_credentials=True)


@pytest.fixture
def holder(generous: OidcProvider, start: Children, jsmsso_home: Home, free_port: Callable[[], int]) -> Holder:
    """Somebody with a profile about a client there."""
    port = free_port()
    client = generous.add_client([f"http://localhost:{port}/callback", PUBLIC])
    write_profile(jsmsso_home, {"idp": entry(generous.issuer, client.client_id)})
    return Holder(start, jsmsso_home, ("--port", str(port)), {"CLIENT_SECRET": client.client_secret})


@pytest.fixture
def play(free_port: Callable[[], int]) -> Iterator[Callable[..., str]]:
    """``play(answer)`` -> the address of a provider that says what the test wants."""
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(playing(answer, free_port()))


@pytest.fixture
def stand_between(play: Callable[..., str]) -> Callable[..., str]:
    """``stand_between(upstream, {"/path": Said(...)})`` -> the address of a provider that is changed so."""
    return lambda upstream, changes: play(between(upstream, changes))


def entry(issuer: str, client_id: str, **keys: Any) -> dict[str, Any]:
    return {"type": "oidc", "issuer": issuer, "client_id": client_id, "client_secret": "env:CLIENT_SECRET", **keys}


def change(home: Home, **keys: Any) -> None:
    """Write other keys into the provider's entry; None takes one out."""
    document = json.loads(home.profile.read_text())
    changed = document["providers"]["idp"] | keys
    document["providers"]["idp"] = {key: value for key, value in changed.items() if value is not None}
    home.profile.write_text(json.dumps(document))


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


@pytest.fixture
def keyrings(jsmsso_home: Home) -> str:
    """A folder with keyrings that do not do what they should."""
    (jsmsso_home.path / "tests_keyrings.py").write_text(
        """
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordSetError

class Locked(KeyringBackend):
    priority = 9
    def get_password(self, service, username): raise KeyringLocked("locked")
    def set_password(self, service, username, password): raise KeyringLocked(password)
    def delete_password(self, service, username): raise KeyringLocked("locked")

class Short(KeyringBackend):
    priority = 9
    def get_password(self, service, username): return None
    def set_password(self, service, username, password):
        if len(password) > 1280: raise PasswordSetError("too long: " + password)
    def delete_password(self, service, username): pass
"""
    )
    return str(jsmsso_home.path)


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


# Refreshing ------------------------------------------------------------------------------------------


def test_a_refresh_brings_new_tokens_and_keeps_them(holder: Holder, generous: OidcProvider) -> None:
    holder.get(at_certified_provider(generous))
    before = holder.kept()

    ran = holder.run("refresh")
    after = holder.kept()
    again = holder.run("refresh", "--json")

    assert ran.code == 0, ran.stderr
    assert "The refresh token is a new one." in ran.stdout
    assert {after[kind] == before[kind] for kind in KINDS} == {False}
    assert after["id_claims"] == before["id_claims"]
    assert again.code == 0, "the rotated one is what the next refresh uses"


def test_a_refresh_token_that_was_revoked_asks_for_a_login(holder: Holder, generous: OidcProvider) -> None:
    holder.get(at_certified_provider(generous))
    kept = holder.kept()
    auth = (kept["client_id"], holder.env["CLIENT_SECRET"])
    assert requests.post(f"{generous.issuer}/token/revocation", {"token": kept["refresh_token"]}, auth=auth, timeout=30).status_code == 200

    ran = holder.run("refresh", "--json")

    error = ran.json()["error"]
    assert ran.code == 4
    assert error["message"].startswith("the provider no longer takes the refresh token (invalid_grant")
    assert error["hint"].endswith("Log in again: jsmsso token get --provider idp")


def test_a_provider_that_repeats_the_token_in_its_error_does_not_get_it_printed(
    holder: Holder, generous: OidcProvider, stand_between: Callable[..., str]
) -> None:
    holder.get(at_certified_provider(generous))
    refresh_token, access_token = holder.kept()["refresh_token"], holder.kept()["access_token"]
    refusal = {"error": "invalid_request", "error_description": f"no such token: {refresh_token} or {access_token}"}
    base = stand_between(generous.issuer, {path: Said(400, json.dumps(refusal)) for path in ("/token", "/token/revocation")})
    change(holder.home, endpoints={"token": f"{base}/token", "revocation": f"{base}/token/revocation"})

    for command in ("refresh", "revoke"):
        ran = holder.run(command)
        assert ran.code == 4
        assert "no such token: (refresh_token) or (access_token)" in ran.stderr


def test_a_provider_that_gives_no_refresh_token(
    oidc_provider: OidcProvider, start: Children, jsmsso_home: Home, free_port: Callable[[], int]
) -> None:
    port = free_port()
    client = oidc_provider.add_client([f"http://localhost:{port}/callback", PUBLIC])
    write_profile(jsmsso_home, {"idp": entry(oidc_provider.issuer, client.client_id)})
    holder = Holder(start, jsmsso_home, ("--port", str(port)), {"CLIENT_SECRET": client.client_secret})
    holder.get(at_certified_provider(oidc_provider))

    ran = holder.run("refresh")

    assert ran.code == 2
    assert "the provider idp gave no refresh token" in ran.stderr
    assert "offline_access" in ran.stderr


def test_tokens_of_another_client_are_sent_nowhere(holder: Holder, generous: OidcProvider) -> None:
    holder.get(at_certified_provider(generous))
    own = holder.kept()["client_id"]
    change(holder.home, client_id="another")

    for command in ("refresh", "userinfo"):
        ran = holder.run(command)
        assert ran.code == 2
        assert f"the kept tokens are of the client {own} at {generous.issuer}" in ran.stderr
    revoked = holder.run("revoke", "--json")

    assert (revoked.code, revoked.json()["revoked"]) == (0, False)
    assert f"nothing was taken back at the provider: the tokens are of the client {own}" in revoked.stderr
    assert holder.kept() == {}


# Userinfo and revocation --------------------------------------------------------------------------------


def test_userinfo_says_who_it_is(holder: Holder, generous: OidcProvider) -> None:
    holder.get(at_certified_provider(generous))

    ran, document = holder.run("userinfo"), holder.run("userinfo", "--json").json()

    assert ["email", generous.email] in [line.split() for line in ran.stdout.splitlines()]
    assert document == {
        "sub": holder.kept()["id_claims"]["sub"],
        "email": generous.email,
        "email_verified": True,
        "name": "Grace Hopper",
        "given_name": "Grace",
        "family_name": "Hopper",
    }


def test_userinfo_with_a_token_that_has_ended_says_refresh(holder: Holder, generous: OidcProvider) -> None:
    holder.get(at_certified_provider(generous))
    auth = (holder.kept()["client_id"], holder.env["CLIENT_SECRET"])
    requests.post(f"{generous.issuer}/token/revocation", {"token": holder.kept()["access_token"]}, auth=auth, timeout=30)

    ran = holder.run("userinfo")

    assert ran.code == 4
    assert "/me answered 401" in ran.stderr
    assert "The access token has ended (jsmsso token refresh --provider idp). Or it lacks the scope `openid`" in ran.stderr


def test_revoke_takes_the_refresh_token_back_and_forgets_everything(holder: Holder, generous: OidcProvider) -> None:
    holder.get(at_certified_provider(generous))
    kept = holder.kept()

    ran = holder.run("revoke")

    form = {"grant_type": "refresh_token", "refresh_token": kept["refresh_token"]}
    auth = (kept["client_id"], holder.env["CLIENT_SECRET"])
    assert ran.code == 0, ran.stderr
    assert "The provider took the refresh token of idp back." in ran.stdout
    assert requests.post(f"{generous.issuer}/token", form, auth=auth, timeout=30).json()["error"] == "invalid_grant"
    assert holder.kept() == {}


def test_a_provider_that_takes_back_no_access_tokens(holder: Holder, generous: OidcProvider, stand_between: Callable[..., str]) -> None:
    holder.get(at_certified_provider(generous))
    keep(holder, refresh_token="")
    base = stand_between(generous.issuer, {"/token/revocation": Said(400, '{"error": "unsupported_token_type"}')})
    change(holder.home, endpoints={"revocation": f"{base}/token/revocation"})

    ran = holder.run("revoke")

    assert ran.code == 0
    assert "warning: nothing was taken back at the provider: it takes refresh tokens alone, and gave none" in ran.stderr
    assert holder.kept() == {}


def test_a_revocation_that_fails_forgets_nothing(holder: Holder, generous: OidcProvider, free_port: Callable[[], int]) -> None:
    holder.get(at_certified_provider(generous))
    change(holder.home, endpoints={"revocation": f"http://127.0.0.1:{free_port()}/gone"})

    ran = holder.run("revoke")

    assert ran.code == 4
    assert holder.kept()["refresh_token"]


def keep(holder: Holder, **members: Any) -> None:
    """Change what the keyring holds."""
    keyring = holder.home.keyring
    keyring["jsmsso/tokens/idp"] = json.dumps(holder.kept() | members)
    (holder.home.path / "keyring.json").write_text(json.dumps(keyring))


# A Cognito ---------------------------------------------------------------------------------------------


def test_the_whole_way_at_a_cognito(cognito: LocalCognito, start: Children, jsmsso_home: Home, free_port: Callable[[], int]) -> None:
    port = free_port()
    client = cognito.add_client([f"http://localhost:{port}/callback", PUBLIC], ["http://localhost:8080/logged-out"])
    pool = {
        "type": "cognito",
        "domain": cognito.domain,
        "issuer": cognito.issuer,
        "discovery_url": cognito.discovery_url,
        "client_id": client.client_id,
        "client_secret": "env:CLIENT_SECRET",
    }
    write_profile(jsmsso_home, {"cognito": pool})
    holder = Holder(start, jsmsso_home, ("--port", str(port)), {"CLIENT_SECRET": client.client_secret})

    got = holder.get(partial(log_in, email=cognito.email, password=cognito.password), "--json")
    holder.kept("cognito")
    id_token, access_token = holder.run("inspect", "--json"), holder.run("inspect", "--access", "--json")
    userinfo = holder.run("userinfo", "--json")
    time.sleep(1.1)  # auth_time has whole seconds
    refreshed = holder.run("refresh", "--json")
    swapped = holder.run("inspect", "--json", typed=holder.kept("cognito")["access_token"])
    revoked = holder.run("revoke", "--json")

    assert got.code == 0, got.stderr
    checks = {one["check"]: one["result"] for one in id_token.json()["checks"]}
    assert (id_token.code, checks) == (0, dict.fromkeys(("kind", "signature", "issuer", "audience", "times", "email"), "right"))
    checks = {one["check"]: one["result"] for one in access_token.json()["checks"]}
    assert (access_token.code, checks) == (0, dict.fromkeys(("kind", "signature", "issuer", "client", "times"), "right"))
    assert "aud" not in access_token.json()["claims"]
    assert userinfo.json()["email"] == cognito.email
    # This Cognito calls the refresh a login of its own, which the real one does not (Core 12.2 forbids it).
    assert refreshed.code == 4
    assert refreshed.json()["error"]["message"].startswith("the ID token was refused: auth_time: expected")
    assert refreshed.json()["error"]["hint"] == "Nothing new is kept. To start anew: jsmsso token get --provider cognito"
    assert swapped.code == 1
    assert swapped.json()["checks"][0]["detail"].startswith("an access token, where an ID token is due: it does not say who logged in")
    assert (revoked.code, revoked.json()["revoked"]) == (0, False)
    assert "it has no revocation endpoint" in revoked.stderr
    assert holder.kept("cognito") == {}


# Other clients and types ----------------------------------------------------------------------------------


def test_a_client_that_proves_itself_with_a_key(holder: Holder, generous: OidcProvider) -> None:
    key = rsa_key("of-the-client")
    (holder.home.work / "client.pem").write_bytes(key.as_pem(private=True))
    port = holder.options[1]
    client = generous.add_client(
        [f"http://localhost:{port}/callback", PUBLIC], auth_method="private_key_jwt", jwks={"keys": [public_jwk(key)]}
    )
    change(holder.home, client_id=client.client_id, client_secret=None, client_auth="private_key_jwt", client_key="file:client.pem")

    got, refreshed = holder.get(at_certified_provider(generous)), holder.run("refresh")
    (holder.home.work / "client.pem").unlink()
    inspected, userinfo, revoked = (holder.run(command) for command in ("inspect", "userinfo", "revoke"))

    assert (got.code, refreshed.code) == (0, 0), got.stderr + refreshed.stderr
    assert (inspected.code, userinfo.code) == (0, 0), "neither needs the key"
    assert (revoked.code, "file:client.pem" in revoked.stderr or "client.pem does not exist" in revoked.stderr) == (6, True)


def test_github_has_an_access_token_alone(play: Callable[..., str], start: Children, jsmsso_home: Home) -> None:
    github = Played("github", play, no_code=Said(body='{"error": "bad_verification_code"}'))
    write_profile(jsmsso_home, {"idp": entry(github.issuer, "x", type="github")}, access=[{"allow": "everyone"}])
    holder = Holder(start, jsmsso_home, (), {"CLIENT_SECRET": "of-the-client-at-github"})

    def at_github(address: str) -> str:
        query = parse_qs(urlsplit(address).query)
        return f"{query['redirect_uri'][0]}?code={CODE}&state={query['state'][0]}"

    got = holder.get(at_github, pasted=True)
    inspected, userinfo, refreshed, revoked = (holder.run(command) for command in ("inspect", "userinfo", "refresh", "revoke"))

    assert got.code == 0, got.stderr
    assert got.stdout.startswith("Got from idp: access token.")
    assert (inspected.code, "the type github has no ID tokens" in inspected.stderr) == (2, True)
    assert (userinfo.code, ["email", "ada@acme.com"] in [line.split() for line in userinfo.stdout.splitlines()]) == (0, True)
    assert (refreshed.code, "gave no refresh token" in refreshed.stderr) == (2, True)
    assert (revoked.code, "it has no revocation endpoint" in revoked.stderr) == (0, True)


def test_a_refresh_that_brings_neither_id_token_nor_refresh_token_keeps_the_old_ones(start: Children, jsmsso_home: Home) -> None:
    with running() as provider:
        holder = holding(provider, start, jsmsso_home)
        provider.rotates_refresh_tokens = False
        provider.token_answer = {"id_token": ABSENT}

        ran = holder.run("refresh")

    assert ran.code == 0, ran.stderr
    assert "The refresh token is still the same. No ID token came with them: the kept one is still that of the login." in ran.stdout
    assert (holder.kept()["refresh_token"], holder.kept()["id_token"]) == ("the-refresh-token-of-the-login", "the-id-token-of-the-login")
    assert holder.kept()["access_token"] != "the-access-token-of-the-login"


def test_a_refresh_that_is_about_somebody_else_is_refused_and_keeps_what_was(start: Children, jsmsso_home: Home) -> None:
    with running() as provider:
        holder = holding(provider, start, jsmsso_home)
        now = int(time.time())
        provider.claims = {"sub": "eve", "iat": now, "exp": now + 300, "auth_time": ABSENT}

        ran = holder.run("refresh", "--json")

    assert ran.code == 4
    assert ran.json()["error"]["message"].startswith("the ID token was refused: sub: expected 'ada', as at the login, found 'eve'")
    assert holder.kept()["access_token"] == "the-access-token-of-the-login"


def holding(provider: Provider, start: Children, home: Home) -> Holder:
    """Somebody who logged in at a provider that can be bent."""
    write_profile(home, {"idp": entry(provider.issuer, CLIENT_ID)})
    tokens = {kind: f"the-{kind.replace('_', '-')}-of-the-login" for kind in KINDS}
    claims = {"iss": provider.issuer, "sub": "ada", "aud": CLIENT_ID}
    kept = {"issuer": provider.issuer, "client_id": CLIENT_ID, **tokens, "id_claims": claims, "obtained": 1}
    (home.path / "keyring.json").write_text(json.dumps({"jsmsso/tokens/idp": json.dumps(kept)}))
    provider._refresh_tokens[tokens["refresh_token"]] = tokens["access_token"]
    return Holder(start, home, (), {"CLIENT_SECRET": CLIENT_SECRET})


# Nothing there, and what is odd --------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["refresh", "inspect", "userinfo", "revoke"])
def test_where_nothing_is_kept_each_command_says_how_to_get_some(holder: Holder, command: str) -> None:
    ran = holder.run(command, "--json")

    assert ran.code == 2
    assert ran.json()["error"] == {
        "code": "usage",
        "message": "no tokens of the provider idp are kept",
        "hint": "Get some: jsmsso token get --provider idp",
    }


@pytest.mark.parametrize("command", ["refresh", "inspect", "userinfo", "revoke"])
def test_a_locked_keyring_is_not_called_empty(holder: Holder, keyrings: str, command: str) -> None:
    ran = holder.run(command, "--json", env={"PYTHON_KEYRING_BACKEND": "tests_keyrings.Locked", "PYTHONPATH": keyrings})

    assert (ran.code, ran.json()["error"]["message"]) == (6, "the keyring is locked")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("secret-of-another-kind", id="no JSON"),
        pytest.param("[1]", id="a list"),
        pytest.param('{"issuer": "i", "client_id": "c", "access_token": 5}', id="a number for a token"),
        pytest.param('{"issuer": "i", "client_id": "c", "access_token": "a", "more": 1}', id="a member of a later version"),
        pytest.param('{"issuer": "i", "client_id": "c", "access_token": "a", "id_claims": []}', id="claims that are a list"),
    ],
)
def test_an_entry_of_another_kind_is_told_and_not_repeated(holder: Holder, text: str) -> None:
    (holder.home.path / "keyring.json").write_text(json.dumps({"jsmsso/tokens/idp": text}))

    ran = holder.run("refresh")

    assert ran.code == 2
    assert "what the keyring has at tokens/idp is not what token get keeps there" in ran.stderr
    assert text not in ran.stderr


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
