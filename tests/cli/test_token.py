"""``jsmsso token refresh, userinfo, revoke`` at a certified provider, a Cognito and others."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from jsmsso.sandbox.cognito import LocalCognito, log_in
from tests.cli.holding_tokens import KINDS, PUBLIC, Holder, change, entry, keep
from tests.cli.trying_out import at_certified_provider, write_profile
from tests.oidc.provider import ABSENT, CLIENT_ID, CLIENT_SECRET, Provider, public_jwk, rsa_key, running
from tests.providers.plain import CODE, Played
from tests.providers.played import Said
from tests.services.children import Children
from tests.services.home import Home
from tests.services.oidc_provider import OidcProvider

# Refreshing ------------------------------------------------------------------------------------------


def test_a_refresh_brings_new_tokens_and_keeps_them(holder: Holder, generous: OidcProvider) -> None:
    holder.get(at_certified_provider(generous))
    before = holder.kept()

    ran = holder.run("refresh")
    after = holder.kept()
    again = holder.run("refresh", "--json")

    assert ran.code == 0, ran.stderr
    assert "The refresh token is a new one." in ran.stdout
    # An ID token of the same second is the same.
    assert {after[kind] == before[kind] for kind in ("access_token", "refresh_token")} == {False}
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
