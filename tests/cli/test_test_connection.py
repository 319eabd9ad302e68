"""``jsmsso test-connection``: what it shows when all is well, and what it says for each thing that is not."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import yaml
from joserfc.jwk import RSAKey

from jsmsso.sandbox.cognito import AppClient, LocalCognito, log_in
from tests.cli.trying_out import ADDRESS, LogIn, at_certified_provider, begin, run, try_out, write_profile
from tests.providers.plain import CODE, Played
from tests.providers.played import Said, between, playing
from tests.services.children import Children
from tests.services.home import Home, run_jsmsso
from tests.services.oidc_provider import OidcProvider

PUBLIC = "http://localhost:8080/callback"


class Cognito:
    """A client of the local Cognito, a port for the listener, and a profile about both."""

    def __init__(self, running: LocalCognito, port: int) -> None:
        self.running = running
        self.port = port
        self.callback = f"http://localhost:{port}/callback"
        self.client = running.add_client([self.callback, PUBLIC], ["http://localhost:8080/logged-out"])

    def entry(self, client: AppClient | None = None, **keys: Any) -> dict[str, Any]:
        client = client or self.client
        return {
            "type": "cognito",
            "domain": self.running.domain,
            "client_id": client.client_id,
            "client_secret": "env:CLIENT_SECRET",
            "discovery_url": self.running.discovery_url,
            **keys,
        }

    @property
    def env(self) -> dict[str, str]:
        return {"CLIENT_SECRET": self.client.client_secret}

    @property
    def options(self) -> tuple[str, str]:
        return "--port", str(self.port)

    def as_(self, email: str = "", password: str = "") -> LogIn:
        return partial(log_in, email=email or self.running.email, password=password or self.running.password)


@pytest.fixture
def pool(cognito: LocalCognito, free_port: Callable[[], int]) -> Cognito:
    return Cognito(cognito, free_port())


@pytest.fixture
def stand_between(free_port: Callable[[], int]) -> Iterator[Callable[..., str]]:
    """``stand_between(upstream, {"/path": Said(...)}, date_offset=...)`` -> the address of a provider that is changed so."""
    with ExitStack() as stack:

        def start(upstream: str, changes: dict[str, Said] | None = None, *, date_offset: float = 0) -> str:
            return stack.enter_context(playing(between(upstream, changes, date_offset=date_offset), free_port()))

        yield start


@pytest.fixture
def play(free_port: Callable[[], int]) -> Iterator[Callable[..., str]]:
    """``play(answer)`` -> the address of a provider that says what the test wants."""
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(playing(answer, free_port()))


# All is well -----------------------------------------------------------------------------------


def test_a_login_shows_claims_customer_and_decision_and_pins_the_issuer(pool: Cognito, start: Children, jsmsso_home: Home) -> None:
    access = [{"deny": {"email": "*@contractor.acme.com"}}, {"allow": {"claim": "cognito:groups", "any_of": ["customers"]}}]
    write_profile(jsmsso_home, {"cognito": pool.entry()}, access=access, attributes={"organizations": "cognito:groups"})

    ran = try_out(start, jsmsso_home, pool.as_(), *pool.options, env=pool.env)

    assert ran.code == 0, ran.stderr
    lines = [line.split() for line in ran.stdout.splitlines()]
    assert ["email", "ada@acme.com", "email"] in lines
    assert ["given_name", "Ada", "first_name"] in lines
    assert ["cognito:groups", "customers", "organizations"] in lines
    assert ["display_name", "Ada", "Lovelace"] in lines
    assert "Allowed by rule 2: allow claim cognito:groups any of customers" in ran.stdout
    assert f"Pinned issuer {pool.running.issuer}" in ran.stdout
    assert ran.stdout.endswith("Next: jsmsso jsm connect\n")
    assert "ok    callback         " + pool.callback + " is registered" in ran.stderr
    assert yaml.safe_load(jsmsso_home.profile.read_text())["providers"]["cognito"]["issuer"] == pool.running.issuer


def test_the_issuer_once_pinned_is_what_the_next_login_is_held_to(pool: Cognito, start: Children, jsmsso_home: Home) -> None:
    write_profile(jsmsso_home, {"cognito": pool.entry(issuer=pool.running.issuer)})
    before = jsmsso_home.profile.read_bytes()

    ran = try_out(start, jsmsso_home, pool.as_(), *pool.options, "--json", env=pool.env)

    document = ran.json()
    assert ran.code == 0
    assert (document["issuer"], document["pinned"]) == (pool.running.issuer, False)
    assert {check["check"]: check["result"] for check in document["checks"]} == {
        "discovery": "right",
        "keys": "right",
        "client id": "right",
        "callback": "right",
        "public callback": "right",
        "scopes": "right",
        "client secret": "right",
        "clock": "right",
        "sign-out URL": "right",
    }
    assert jsmsso_home.profile.read_bytes() == before


def test_json_is_one_document_without_any_token(pool: Cognito, start: Children, jsmsso_home: Home) -> None:
    write_profile(jsmsso_home, {"cognito": pool.entry()}, access=[{"allow": {"email_domain": ["acme.com"]}}])

    ran = try_out(start, jsmsso_home, pool.as_(), *pool.options, "--json", env=pool.env)

    document = ran.json()
    assert document["customer"]["email"] == "ada@acme.com"
    assert document["customer"]["first_name"] == "Ada"
    assert document["claims"]["cognito:groups"] == ["customers"]
    assert document["decision"] == {"allowed": True, "rule": 1, "reason": "allow email domain acme.com"}
    assert document["pinned"] is True
    assert "eyJ" not in ran.stdout + ran.stderr  # how every JWT begins
    assert pool.client.client_secret not in ran.stdout + ran.stderr


def test_what_was_tested_shows_what_a_rule_changes_until_the_provider_is_removed(pool: Cognito, start: Children, jsmsso_home: Home) -> None:
    write_profile(jsmsso_home, {"cognito": pool.entry()}, access=[{"allow": {"email_domain": ["acme.com"]}}])
    tried = try_out(start, jsmsso_home, pool.as_(), *pool.options, env=pool.env)
    assert "The claims stay in the keyring for 30 days" in tried.stderr
    assert "eyJ" not in str(jsmsso_home.keyring), "claims, and no token"

    ran = run_jsmsso(jsmsso_home, "access", "deny", "{claim: cognito:groups, any_of: [customers]}")
    assert "before  ada@acme.com: Allowed by rule 1: allow email domain acme.com" in ran.stderr
    assert "after   ada@acme.com: Denied by rule 1: deny claim cognito:groups any of customers" in ran.stderr

    run_jsmsso(jsmsso_home, "provider", "remove", "cognito", "--yes")
    assert jsmsso_home.keyring == {}


def test_the_final_address_may_be_pasted(pool: Cognito, start: Children, jsmsso_home: Home) -> None:
    write_profile(jsmsso_home, {"cognito": pool.entry()})
    child = begin(start, jsmsso_home, *pool.options, "--no-browser", env=pool.env)
    final = log_in(child.wait_for(ADDRESS)[1], pool.running.email, pool.running.password)

    child.write("what is this?\nhttp://localhost:8080/elsewhere?code=1\n")
    child.wait_for("That is not the final address")
    child.write(f"{pool.callback}?code=1&state=other\n")
    child.wait_for("belongs to another login")
    child.write(f'  "{final}"  \n')

    assert child.wait() == 0, child.output
    assert "Signed in as ada@acme.com" in child.stdout


def test_with_the_public_callback_alone_the_address_is_pasted(pool: Cognito, start: Children, jsmsso_home: Home) -> None:
    client = pool.running.add_client([PUBLIC], ["http://localhost:8080/logged-out"])
    write_profile(jsmsso_home, {"cognito": pool.entry(client)})

    ran = try_out(start, jsmsso_home, pool.as_(), *pool.options, env={"CLIENT_SECRET": client.client_secret}, pasted=True)

    assert ran.code == 0, ran.stderr
    assert f"{pool.callback} is not registered; using {PUBLIC}" in ran.stderr
    assert "paste the address that the browser ends at" in ran.stderr


def test_an_input_that_ends_before_the_address_was_pasted_says_so(pool: Cognito, start: Children, jsmsso_home: Home) -> None:
    client = pool.running.add_client([PUBLIC])
    write_profile(jsmsso_home, {"cognito": pool.entry(client)})
    child = begin(start, jsmsso_home, *pool.options, env={"CLIENT_SECRET": client.client_secret})
    child.wait_for(ADDRESS)

    child.write("", close=True)

    assert child.wait() == 2
    assert "standard input ended before the final address was pasted" in child.stderr


def test_where_the_listener_waits_an_input_that_ends_is_no_matter(pool: Cognito, start: Children, jsmsso_home: Home) -> None:
    write_profile(jsmsso_home, {"cognito": pool.entry()})
    child = begin(start, jsmsso_home, *pool.options, "--no-browser", env=pool.env)
    address = child.wait_for(ADDRESS)[1]
    child.write("", close=True)

    assert requests.get(log_in(address, pool.running.email, pool.running.password), timeout=30).status_code == 200
    assert child.wait() == 0


def test_a_public_client_needs_no_secret(pool: Cognito, start: Children, jsmsso_home: Home) -> None:
    client = pool.running.add_client([pool.callback, PUBLIC], secret=False)
    entry = pool.entry(client)
    del entry["client_secret"]
    write_profile(jsmsso_home, {"cognito": entry})

    ran = try_out(start, jsmsso_home, pool.as_(), *pool.options)

    assert ran.code == 0, ran.stderr
    assert "public client" in ran.stderr


def test_userinfo_adds_what_the_id_token_lacks(
    start_oidc_provider: Callable[..., OidcProvider], start: Children, jsmsso_home: Home, free_port: Callable[[], int]
) -> None:
    provider = start_oidc_provider(claims_in_id_token=False)
    port = free_port()
    client = provider.add_client([f"http://localhost:{port}/callback", PUBLIC])
    entry = {"type": "oidc", "issuer": provider.issuer, "client_id": client.client_id, "client_secret": "env:CLIENT_SECRET"}
    write_profile(jsmsso_home, {"idp": entry})

    ran = try_out(start, jsmsso_home, at_certified_provider(provider), "--port", str(port), env={"CLIENT_SECRET": client.client_secret})

    assert ran.code == 0, ran.stderr
    lines = [line.split() for line in ran.stdout.splitlines()]
    assert ["email", provider.email, "email", "(from", "userinfo)"] in lines
    assert "Allowed: no rules are set" in ran.stdout


def test_every_provider_is_checked_without_a_login_and_the_worst_counts(
    pool: Cognito, start: Children, jsmsso_home: Home, free_port: Callable[[], int]
) -> None:
    gone = {"type": "oidc", "issuer": f"http://127.0.0.1:{free_port()}", "client_id": "x", "email_domains": ["acme.de"]}
    keyless = gone | {"email_domains": ["acme.fr"], "client_secret": "env:NOT_THERE"}
    cognito = pool.entry(any_email=True, callback="/callback", issuer=pool.running.issuer)
    write_profile(jsmsso_home, {"gone": gone | {"callback": "/callback/gone"}, "cognito": cognito, "keyless": keyless})

    ran = run(start, jsmsso_home, *pool.options, "--all", "--json", env=pool.env)

    assert ran.code == 6
    by_name = {one["provider"]: {check["check"]: check for check in one["checks"]} for one in ran.json()}
    assert list(by_name) == ["gone", "cognito", "keyless"]
    assert by_name["gone"]["connection"]["verdict"] == "fail"
    assert "the provider cannot be reached" in by_name["gone"]["connection"]["detail"]
    assert "`issuer` is right" in by_name["gone"]["connection"]["remedy"]
    assert {check["verdict"] for check in by_name["cognito"].values()} == {"pass"}
    assert {"discovery", "keys", "client id", "callback", "scopes", "client secret", "clock"} <= set(by_name["cognito"])
    assert by_name["keyless"]["secrets"]["verdict"] == "fail"
    assert "code_challenge" not in ran.stderr, "nobody is asked to log in"


def test_the_checks_of_all_providers_are_a_table_with_remedies(pool: Cognito, start: Children, jsmsso_home: Home) -> None:
    other = pool.running.add_client([pool.callback])
    one = pool.entry(issuer=pool.running.issuer, any_email=True, callback="/callback")
    two = pool.entry(other, issuer=pool.running.issuer, any_email=True, callback="/callback/two", scopes=["openid", "groups"])
    write_profile(jsmsso_home, {"one": one, "two": two})

    ran = run(start, jsmsso_home, *pool.options, "--all", env=pool.env | {"COLUMNS": "80"})

    assert ran.code == 4
    lines = [" ".join(line.split()) for line in ran.stdout.splitlines()]
    assert "Provider one (cognito)" in lines
    assert "client id pass" in " ".join(lines)
    assert "scopes fail the scope groups is not allowed" in lines
    assert any(line.startswith("public callback warn http://localhost:8080/callback/two is not") for line in lines), ran.stdout
    assert "take it out of `scopes`" in " ".join(lines)
    assert max(map(len, ran.stdout.splitlines())) <= 80
    assert jsmsso_home.profile.read_text().count("issuer") == 2


# Other types -----------------------------------------------------------------------------------


def at_github(address: str) -> str:
    """The browser's way through GitHub, which sends everybody who logs in back."""
    query = parse_qs(urlsplit(address).query)
    return f"{query['redirect_uri'][0]}?code={CODE}&state={query['state'][0]}"


def test_github_is_tried_with_its_one_callback(play: Callable[..., str], start: Children, jsmsso_home: Home) -> None:
    github = Played("github", play, no_code=Said(body='{"error": "bad_verification_code"}'))
    entry = {"type": "github", "issuer": github.issuer, "client_id": "x", "client_secret": "env:CLIENT_SECRET"}
    write_profile(jsmsso_home, {"github": entry}, access=[{"allow": {"email_domain": ["acme.com"]}}])

    ran = try_out(start, jsmsso_home, at_github, env={"CLIENT_SECRET": "s"}, pasted=True)

    assert ran.code == 0, ran.stderr
    lines = [line.split() for line in ran.stdout.splitlines()]
    assert ["email", "ada@acme.com", "email"] in lines
    assert "Allowed by rule 1" in ran.stdout
    assert "ok    client secret    accepted by the token endpoint" in ran.stderr
    assert "warn  callback         could not tell; the login will show it" in ran.stderr
    assert "discovery" not in ran.stderr
    assert "keys" not in ran.stderr
    form = next(form for method, _, _, form in github.seen if form.get("code") == CODE)
    assert form["redirect_uri"] == PUBLIC


def test_githubs_wrong_secret_is_told_before_the_browser(play: Callable[..., str], start: Children, jsmsso_home: Home) -> None:
    github = Played("github", play, no_code=Said(body='{"error": "incorrect_client_credentials"}'))
    entry = {"type": "github", "issuer": github.issuer, "client_id": "x", "client_secret": "env:CLIENT_SECRET"}
    write_profile(jsmsso_home, {"github": entry})

    ran = run(start, jsmsso_home, env={"CLIENT_SECRET": "s"})

    assert ran.code == 4
    assert "GitHub refused the client secret (invalid_client)" in ran.stderr
    assert "Developer settings > OAuth Apps > your app > Client secrets" in ran.stderr


def test_a_clients_key_is_read_by_its_reference(
    oidc_provider: OidcProvider, start: Children, jsmsso_home: Home, free_port: Callable[[], int]
) -> None:
    port = free_port()
    key = RSAKey.generate_key(2048, private=True)
    jwks = {"keys": [key.as_dict(private=False)]}
    entry, _ = certified(oidc_provider, port, auth_method="private_key_jwt", jwks=jwks)
    del entry["client_secret"]
    write_profile(jsmsso_home, {"idp": entry | {"client_auth": "private_key_jwt", "client_key": "env:CLIENT_KEY"}})
    env = {"CLIENT_KEY": json.dumps(key.as_dict(private=True))}

    ran = try_out(start, jsmsso_home, at_certified_provider(oidc_provider), "--port", str(port), env=env)

    assert ran.code == 0, ran.stderr
    assert "ok    client key       accepted by the token endpoint" in ran.stderr


def test_groups_that_did_not_fit_are_warned_about_and_a_deny_by_them_denies(
    oidc_provider: OidcProvider, start: Children, jsmsso_home: Home, free_port: Callable[[], int]
) -> None:
    port = free_port()
    entry, env = certified(oidc_provider, port)
    account = oidc_provider.add_account(f"many-{port}@acme.com", groups=(), hasgroups=True)
    access = [{"deny": {"claim": "groups", "any_of": ["contractors"]}}, {"allow": "everyone"}]
    entry |= {"type": "entra", "scopes": ["openid", "email", "groups"], "trust_unverified_email": ["acme.com"]}
    write_profile(jsmsso_home, {"idp": entry}, access=access)
    log_in_as = at_certified_provider(oidc_provider, account.email, account.password)

    ran = try_out(start, jsmsso_home, log_in_as, "--port", str(port), env=env)

    assert "warning: the provider left out values of the claim groups" in ran.stderr
    assert 'choose "Groups assigned to the application"' in ran.stderr
    assert (ran.code, "Denied by rule 1" in ran.stdout) == (1, True)


# The person would be refused --------------------------------------------------------------------


def test_an_address_that_is_not_verified_names_the_settings(pool: Cognito, start: Children, jsmsso_home: Home) -> None:
    pool.running.add_user(f"eve-{pool.port}@acme.com", "Demo-12345678", email_verified=False)
    write_profile(jsmsso_home, {"cognito": pool.entry()})

    ran = try_out(start, jsmsso_home, pool.as_(f"eve-{pool.port}@acme.com", "Demo-12345678"), *pool.options, env=pool.env)

    assert ran.code == 1
    assert f"Refused: the provider does not say that eve-{pool.port}@acme.com is verified" in ran.stdout
    assert "map email_verified in the pool" in ran.stdout
    assert "trust_unverified_email" in ran.stdout
    assert f"Pinned issuer {pool.running.issuer}" in ran.stdout, "the connection itself is right"


def test_a_denial_names_the_rule_and_exits_with_one(pool: Cognito, start: Children, jsmsso_home: Home) -> None:
    access = [{"allow": {"claim": "department", "any_of": ["it"]}}, {"deny": {"email_domain": ["acme.com"]}}]
    write_profile(jsmsso_home, {"cognito": pool.entry()}, access=access)

    ran = try_out(start, jsmsso_home, pool.as_(), *pool.options, "--json", env=pool.env)

    assert ran.code == 1
    assert ran.json()["decision"] == {"allowed": False, "rule": 2, "reason": "deny email domain acme.com"}
    assert "the claim department, which was not sent" in ran.json()["warnings"][0]
    assert "warning: an access rule looks at the claim department" in ran.stderr


def test_an_address_of_a_foreign_domain_is_refused_by_email_domains(pool: Cognito, start: Children, jsmsso_home: Home) -> None:
    write_profile(jsmsso_home, {"cognito": pool.entry(email_domains=["acme.de"])})

    ran = try_out(start, jsmsso_home, pool.as_(), *pool.options, "--json", env=pool.env)

    document = ran.json()
    assert ran.code == 1
    assert (document["customer"], document["refused"]["reason"]) == (None, "email_domain")
    assert document["decision"]["allowed"] is False


def test_claims_cannot_write_to_the_terminal(
    oidc_provider: OidcProvider, start: Children, jsmsso_home: Home, free_port: Callable[[], int]
) -> None:
    port = free_port()
    account = oidc_provider.add_account(f"mallory-{port}@acme.com", given_name="\x1b[2J[red]Mal\u202elory", family_name="a\nb")
    client = oidc_provider.add_client([f"http://localhost:{port}/callback", PUBLIC])
    entry = {"type": "oidc", "issuer": oidc_provider.issuer, "client_id": client.client_id, "client_secret": "env:CLIENT_SECRET"}
    write_profile(jsmsso_home, {"idp": entry})

    ran = try_out(
        start,
        jsmsso_home,
        at_certified_provider(oidc_provider, account.email, account.password),
        "--port",
        str(port),
        env={"CLIENT_SECRET": client.client_secret},
    )

    assert ran.code == 0, ran.stderr
    assert "\\x1b[2J[red]Mal\\u202elory" in ran.stdout
    assert "a\\nb" in ran.stdout
    assert "\x1b" not in ran.stdout + ran.stderr


# What can be wrong, each with its message -----------------------------------------------------


def certified(oidc_provider: OidcProvider, port: int, **metadata: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """A profile's entry for a client of the certified provider, and its secret."""
    client = oidc_provider.add_client([f"http://localhost:{port}/callback", PUBLIC], **metadata)
    entry = {"type": "oidc", "issuer": oidc_provider.issuer, "client_id": client.client_id, "client_secret": "env:CLIENT_SECRET"}
    return entry, {"CLIENT_SECRET": client.client_secret}


def test_a_wrong_secret_is_told_before_the_browser(
    oidc_provider: OidcProvider, start: Children, jsmsso_home: Home, free_port: Callable[[], int]
) -> None:
    port = free_port()
    entry, _ = certified(oidc_provider, port)
    write_profile(jsmsso_home, {"idp": entry})

    ran = run(start, jsmsso_home, "--port", str(port), env={"CLIENT_SECRET": "wrong"})

    assert ran.code == 4
    assert "fail  client secret    refused by the token endpoint" in ran.stderr
    assert "error: the provider refused the client secret (invalid_client)" in ran.stderr
    assert f"It accepts the client id {entry['client_id']}, so the secret is the likely cause" in ran.stderr
    assert "Open this address" not in ran.stderr


def test_a_wrong_secret_that_shows_only_in_the_login_is_told_the_same_way(pool: Cognito, start: Children, jsmsso_home: Home) -> None:
    write_profile(jsmsso_home, {"cognito": pool.entry()})

    ran = try_out(start, jsmsso_home, pool.as_(), *pool.options, env={"CLIENT_SECRET": "wrong"})

    assert ran.code == 4
    assert "Cognito refused the client secret (invalid_client)" in ran.stderr
    assert "Copy it again from App clients > your client > Client secret" in ran.stderr
    assert "issuer" not in json.loads(jsmsso_home.profile.read_text())["providers"]["cognito"]


def test_a_wrong_client_id(pool: Cognito, start: Children, jsmsso_home: Home) -> None:
    write_profile(jsmsso_home, {"cognito": pool.entry(client_id="4bq2example")})

    ran = run(start, jsmsso_home, *pool.options, env=pool.env)

    assert ran.code == 4
    assert "the provider does not know the client id 4bq2example" in ran.stderr
    assert "providers.cognito.client_id" in ran.stderr


def test_a_domain_that_leads_nowhere(pool: Cognito, start: Children, jsmsso_home: Home, free_port: Callable[[], int]) -> None:
    write_profile(jsmsso_home, {"cognito": pool.entry(domain=f"http://127.0.0.1:{free_port()}")})

    ran = run(start, jsmsso_home, *pool.options, "--json", env=pool.env)

    assert ran.code == 4
    error = ran.json()["error"]
    assert error["code"] == "provider_unreachable"
    assert "no connection" in error["message"]
    assert "`domain` is right: Branding > Domain" in error["hint"]


def test_a_domain_of_something_else(pool: Cognito, start: Children, jsmsso_home: Home, stand_between: Callable[..., str]) -> None:
    web_site = Said(404, "<h1>Not found</h1>", "text/html")
    base = stand_between(pool.running.base_url, {"/oauth2/authorize": web_site, "/oauth2/token": web_site})
    write_profile(jsmsso_home, {"cognito": pool.entry(domain=base)})

    ran = run(start, jsmsso_home, *pool.options, env=pool.env)

    assert ran.code == 4
    assert "answered 404 with text/html where a token endpoint is due" in ran.stderr
    assert "`domain`" in ran.stderr


def test_a_domain_of_another_pool(pool: Cognito, start: Children, jsmsso_home: Home, stand_between: Callable[..., str]) -> None:
    # Everything answers, but the pool's own metadata names another host than the domain in the profile.
    base = stand_between(pool.running.base_url)
    write_profile(jsmsso_home, {"cognito": pool.entry(domain=base)})

    ran = try_out(start, jsmsso_home, pool.as_(), *pool.options, env=pool.env)

    assert ran.code == 4
    assert "which is not on the domain" in ran.stderr
    assert "issuer" not in json.loads(jsmsso_home.profile.read_text())["providers"]["cognito"]


def test_a_callback_that_is_not_registered(pool: Cognito, start: Children, jsmsso_home: Home) -> None:
    client = pool.running.add_client(["https://elsewhere.example/callback"])
    write_profile(jsmsso_home, {"cognito": pool.entry(client)})

    ran = run(start, jsmsso_home, *pool.options, env={"CLIENT_SECRET": client.client_secret})

    assert ran.code == 4
    assert f"the callback {pool.callback} is not registered at the provider" in ran.stderr
    assert "Login pages > Edit > Allowed callback URLs" in ran.stderr


def test_a_public_callback_that_is_not_registered_is_warned_about(pool: Cognito, start: Children, jsmsso_home: Home) -> None:
    client = pool.running.add_client([pool.callback])
    write_profile(jsmsso_home, {"cognito": pool.entry(client)})

    ran = try_out(start, jsmsso_home, pool.as_(), *pool.options, env={"CLIENT_SECRET": client.client_secret})

    assert ran.code == 0
    assert f"warning: the public callback {PUBLIC} is not registered" in ran.stderr


def test_a_scope_that_the_client_does_not_allow(pool: Cognito, start: Children, jsmsso_home: Home) -> None:
    write_profile(jsmsso_home, {"cognito": pool.entry(scopes=["openid", "email", "groups"])})

    ran = run(start, jsmsso_home, *pool.options, "--json", env=pool.env)

    assert ran.code == 4
    assert ran.json()["error"]["message"] == "the client does not allow the scope groups"
    assert "take it out of `scopes`" in ran.json()["error"]["hint"]


def test_openid_missing_from_the_profiles_scopes(pool: Cognito, start: Children, jsmsso_home: Home) -> None:
    write_profile(jsmsso_home, {"cognito": pool.entry(scopes=["email"])})

    ran = run(start, jsmsso_home, *pool.options, env=pool.env)

    assert ran.code == 3
    assert "providers.cognito.scopes: openid is missing, and without it there is no ID token" in ran.stderr


def test_openid_that_the_client_does_not_allow(pool: Cognito, start: Children, jsmsso_home: Home) -> None:
    client = pool.running.add_client([pool.callback, PUBLIC], scopes=("email", "profile"))
    write_profile(jsmsso_home, {"cognito": pool.entry(client)})

    ran = run(start, jsmsso_home, *pool.options, env={"CLIENT_SECRET": client.client_secret})

    assert ran.code == 4
    assert "the client does not allow the scope openid" in ran.stderr
    assert "without openid there is no ID token" in ran.stderr


@pytest.mark.parametrize(
    "offset, words",
    [
        pytest.param(-120, "this machine's clock is 120 s ahead of the provider's, and 60 s are allowed", id="ahead"),
        pytest.param(200, "this machine's clock is 200 s behind the provider's, and 60 s are allowed", id="behind"),
    ],
)
def test_a_clock_that_is_off_is_told_in_seconds(
    pool: Cognito, start: Children, jsmsso_home: Home, stand_between: Callable[..., str], offset: int, words: str
) -> None:
    base = stand_between(pool.running.base_url, date_offset=offset)
    write_profile(jsmsso_home, {"cognito": pool.entry(domain=base)})

    ran = run(start, jsmsso_home, *pool.options, env=pool.env)

    assert ran.code == 1
    around = [words.replace(str(abs(offset)), str(abs(offset) + by)) for by in (-2, -1, 0, 1, 2)]
    assert any(one in ran.stderr for one in around), ran.stderr
    assert "NTP" in ran.stderr


def test_a_clock_that_is_a_little_off_is_warned_about(
    pool: Cognito, start: Children, jsmsso_home: Home, stand_between: Callable[..., str]
) -> None:
    base = stand_between(pool.running.base_url, date_offset=45)
    write_profile(
        jsmsso_home, {"cognito": pool.entry(domain=base, discovery_url=pool.running.discovery_url.replace(pool.running.base_url, base))}
    )

    ran = try_out(start, jsmsso_home, pool.as_(), *pool.options, env=pool.env)

    assert ran.code == 0, ran.stderr
    assert "warning: this machine's clock is 4" in ran.stderr


@pytest.mark.parametrize(
    "said, words",
    [
        pytest.param(Said(200, "<html>Please wait", "text/html"), "answered 200 with text/html where the metadata is due", id="HTML"),
        pytest.param(Said(200, b"{" + b" " * 5_000_000), "the answer is larger than 1000000 bytes", id="5 MB"),
        pytest.param(Said(503, "down", "text/plain"), "answered 503", id="a fault of its own"),
        pytest.param(Said(404, "{}"), "answered 404", id="another issuer's address"),
        pytest.param(Said(200, '{"issuer": "https://other.example"}'), "names the issuer 'https://other.example'", id="another issuer"),
        pytest.param(Said(200, "x" * 100, slowly=1), "no whole answer in time", id="slow"),
    ],
)
def test_a_provider_whose_metadata_cannot_be_used(
    oidc_provider: OidcProvider,
    start: Children,
    jsmsso_home: Home,
    free_port: Callable[[], int],
    stand_between: Callable[..., str],
    said: Said,
    words: str,
) -> None:
    addresses = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
    base = stand_between(oidc_provider.issuer, dict.fromkeys(addresses, said))
    entry = {"type": "oidc", "issuer": base, "client_id": "x", "client_secret": "env:CLIENT_SECRET"}
    write_profile(jsmsso_home, {"idp": entry})

    ran = run(start, jsmsso_home, "--port", str(free_port()), env={"CLIENT_SECRET": "s"})

    assert ran.code == 4
    assert words in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_jwks_without_the_tokens_key(
    oidc_provider: OidcProvider, start: Children, jsmsso_home: Home, free_port: Callable[[], int], stand_between: Callable[..., str]
) -> None:
    keys = requests.get(f"{oidc_provider.issuer}/jwks", timeout=30).json()
    other = {**keys["keys"][0], "kid": "another"}
    base = stand_between(oidc_provider.issuer, {"/jwks": Said(200, json.dumps({"keys": [other]}))})
    port = free_port()
    entry, env = certified(oidc_provider, port)
    write_profile(jsmsso_home, {"idp": entry | {"endpoints": {"jwks": f"{base}/jwks"}}})

    ran = try_out(start, jsmsso_home, at_certified_provider(oidc_provider), "--port", str(port), env=env)

    assert ran.code == 4
    assert "the ID token was refused: key" in ran.stderr
    assert "which its JWKS does not have" in ran.stderr


def test_a_provider_that_says_no_is_quoted(
    oidc_provider: OidcProvider, start: Children, jsmsso_home: Home, free_port: Callable[[], int]
) -> None:
    port = free_port()
    entry, env = certified(oidc_provider, port)
    write_profile(jsmsso_home, {"idp": entry})

    def cancel(address: str) -> str:
        query = parse_qs(urlsplit(address).query)
        answer = f"error=access_denied&error_description=Not+today&state={query['state'][0]}&iss={oidc_provider.issuer}"
        return f"{query['redirect_uri'][0]}?{answer}"

    ran = try_out(start, jsmsso_home, cancel, "--port", str(port), env=env)

    assert ran.code == 4
    assert "the provider refused the login (access_denied: Not today)" in ran.stderr


def test_an_answer_that_names_another_issuer_is_refused_before_its_code_is_sent(
    oidc_provider: OidcProvider, start: Children, jsmsso_home: Home, free_port: Callable[[], int]
) -> None:
    port = free_port()
    entry, env = certified(oidc_provider, port)
    write_profile(jsmsso_home, {"idp": entry})

    def mixed_up(address: str) -> str:
        query = parse_qs(urlsplit(address).query)
        return f"{query['redirect_uri'][0]}?code=stolen&state={query['state'][0]}&iss=https://evil.example"

    ran = try_out(start, jsmsso_home, mixed_up, "--port", str(port), "--json", env=env)

    assert ran.code == 4
    assert ran.json()["error"]["code"] == "answer_refused"
    assert "another issuer" in ran.json()["error"]["message"]


# This machine, this command --------------------------------------------------------------------


def test_a_secret_that_is_not_there(pool: Cognito, start: Children, jsmsso_home: Home) -> None:
    write_profile(jsmsso_home, {"cognito": pool.entry(client_secret="keyring:cognito/client_secret")})

    ran = run(start, jsmsso_home, *pool.options)

    assert ran.code == 6
    assert "jsmsso secrets set cognito/client_secret" in ran.stderr


def test_a_port_that_is_taken(pool: Cognito, start: Children, jsmsso_home: Home) -> None:
    write_profile(jsmsso_home, {"cognito": pool.entry()})
    first = begin(start, jsmsso_home, *pool.options, env=pool.env)
    first.wait_for(ADDRESS)

    ran = run(start, jsmsso_home, *pool.options, env=pool.env)

    assert ran.code == 6
    assert f"port {pool.port} is in use" in ran.stderr
    assert "--port" in ran.stderr


def test_no_answer_in_time(pool: Cognito, start: Children, jsmsso_home: Home) -> None:
    write_profile(jsmsso_home, {"cognito": pool.entry()})

    ran = run(start, jsmsso_home, *pool.options, "--timeout", "1", "--json", env=pool.env)

    assert ran.code == 4
    assert ran.json()["error"]["message"] == "no answer came within 1 s"


def test_an_interruption_ends_it_without_a_traceback(pool: Cognito, start: Children, jsmsso_home: Home) -> None:
    write_profile(jsmsso_home, {"cognito": pool.entry()})
    child = begin(start, jsmsso_home, *pool.options, "--no-browser", env=pool.env)
    child.wait_for(ADDRESS)

    child.signal(signal.SIGINT)

    assert child.wait() == 130
    assert "Traceback" not in child.output


@pytest.mark.parametrize(
    "arguments, code, words",
    [
        pytest.param(["--provider", "other"], 2, "no provider 'other'", id="a provider that is not there"),
        pytest.param(["--all", "--provider", "cognito"], 2, "cannot both be given", id="all and one"),
        pytest.param(["--port", "0"], 2, "port", id="a port that is none"),
        pytest.param(["--timeout", "0"], 2, "timeout", id="no time"),
    ],
)
def test_wrong_usage(jsmsso: Any, jsmsso_home: Home, pool: Cognito, arguments: list[str], code: int, words: str) -> None:
    write_profile(jsmsso_home, {"cognito": pool.entry()})

    ran = jsmsso("test-connection", *arguments)

    assert (ran.code, words in ran.stderr) == (code, True), ran.stderr


def test_without_a_provider_it_says_how_to_add_one(jsmsso: Any, jsmsso_home: Home) -> None:
    missing = jsmsso("test-connection", "--json")
    jsmsso_home.profile.write_text("version: 1\npublic_url: http://localhost:8080\n")
    empty = jsmsso("test-connection", "--json")

    assert (missing.code, missing.json()["error"]["code"]) == (3, "profile_missing")
    assert (empty.code, empty.json()["error"]["code"]) == (3, "not_ready")
    assert "jsmsso provider add cognito" in empty.json()["error"]["hint"]
