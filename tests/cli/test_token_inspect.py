"""``jsmsso token inspect``: what it says of tokens that are right, and of each way in which one is not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cli.trying_out import write_profile
from tests.jsm.at_a_terminal import at_a_terminal, rest_of
from tests.oidc.provider import ABSENT, CLIENT_ID, Provider, compact, present, public_jwk, rsa_key, running
from tests.services.children import Children, installed_script
from tests.services.home import Home, Ran, run_jsmsso

Inspect = Callable[..., Ran]


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as one:
        yield one


@pytest.fixture
def inspect(provider: Provider, jsmsso_home: Home) -> Inspect:
    """``inspect(token, "--json")``: the command with that on standard input. No output may hold a signed token."""
    profile(jsmsso_home, provider)

    def run(token: str, *arguments: str) -> Ran:
        ran = run_jsmsso(jsmsso_home, "token", "inspect", *arguments, typed=token)
        assert "Traceback" not in ran.stderr
        assert len(token) < 40 or token.strip() not in ran.stdout + ran.stderr
        return ran

    return run


def profile(home: Home, provider: Provider, *, attributes: dict[str, Any] | None = None, access: Any = None, **keys: Any) -> None:
    # The secret's reference leads nowhere: inspect never needs it.
    entry = {"type": "oidc", "issuer": provider.issuer, "client_id": CLIENT_ID, "client_secret": "env:NOT_SET", **keys}
    more = {name: value for name, value in {"attributes": attributes, "access": access}.items() if value}
    write_profile(home, {"idp": entry}, **more)


def id_claims(provider: Provider, **changed: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {
        "iss": provider.issuer,
        "sub": "ada",
        "aud": CLIENT_ID,
        "iat": now - 60,
        "exp": now + 3600,
        "auth_time": now - 7200,
        "nonce": "n",
        "email": "ada@acme.com",
        "email_verified": True,
    }
    return present(claims | changed)


def checks(ran: Ran) -> dict[str, str]:
    return {one["check"]: one["result"] for one in ran.json()["checks"]}


def detail(ran: Ran, check: str) -> str:
    return str(next(one["detail"] for one in ran.json()["checks"] if one["check"] == check))


# What is right -------------------------------------------------------------------------------------


def test_a_good_id_token_is_explained_claim_by_claim_with_times_in_words(provider: Provider, inspect: Inspect, jsmsso_home: Home) -> None:
    rules = [{"allow": {"claim": "groups", "any_of": ["customers"]}}]
    profile(jsmsso_home, provider, attributes={"organizations": "groups"}, access=rules)

    ran = inspect(provider.sign(id_claims(provider, groups=["customers", "it"])))

    assert ran.code == 0, ran.stdout
    lines = [" ".join(line.split()) for line in ran.stdout.splitlines()]
    assert lines[0] == "The token on standard input, taken for an ID token of idp"
    assert "ok kind an ID token" in lines
    assert "ok signature RS256, by a key of the provider" in lines
    assert f"ok audience {CLIENT_ID}" in lines
    assert "ok times ends in 60 min" in lines
    assert "ok email ada@acme.com, which counts as verified" in lines
    assert any(line.startswith("exp ") and line.endswith("UTC (in 60 min) it ends") for line in lines)
    assert any(line.startswith("auth_time ") and line.endswith("UTC (2 h ago) the person logged in") for line in lines)
    assert "email ada@acme.com the customer's email" in lines
    assert "email_verified true the provider vouches for the address" in lines
    assert "groups customers, it the customer's organizations; an access rule looks at it" in lines


def test_json_has_the_checks_and_the_claims(provider: Provider, inspect: Inspect) -> None:
    claims = id_claims(provider)

    ran = inspect(provider.sign(claims), "--json")

    document = ran.json()
    assert (document["provider"], document["from"], document["kind"]) == ("idp", "standard input", "id")
    assert document["claims"] == claims
    assert document["header"]["alg"] == "RS256"
    assert set(checks(ran).values()) == {"right"}
    explained = {one["claim"]: one for one in document["explained"]}
    assert explained["exp"]["value"].endswith("(in 60 min)")


@pytest.mark.parametrize(
    "wrapped",
    [
        pytest.param("{}", id="alone"),
        pytest.param("  {}\r\n\n", id="with space around"),
        pytest.param("Bearer {}\n", id="as a header has it"),
        pytest.param('"{}"\n', id="in quotes"),
        pytest.param(
            '\ufeff{{"provider": "idp", "access_token": "opaque", "id_token": "{}"}}', id="in what token get --show --json prints"
        ),
    ],
)
def test_a_token_is_taken_as_it_comes(provider: Provider, inspect: Inspect, wrapped: str) -> None:
    ran = inspect(wrapped.format(provider.sign(id_claims(provider))), "--stdin", "--json")

    assert (ran.code, ran.json()["kind"]) == (0, "id")


def test_a_client_with_a_key_needs_it_for_nothing_here(provider: Provider, inspect: Inspect, jsmsso_home: Home) -> None:
    profile(jsmsso_home, provider, client_auth="private_key_jwt", client_key="file:gone.pem")

    assert inspect(provider.sign(id_claims(provider)), "--json").code == 0


def test_an_access_token_of_cognitos_kind(provider: Provider, inspect: Inspect) -> None:
    claims = id_claims(provider, aud=ABSENT, nonce=ABSENT, email=ABSENT, email_verified=ABSENT, token_use="access", client_id=CLIENT_ID)

    ran = inspect(provider.sign(claims), "--access", "--json")

    assert ran.code == 0
    assert checks(ran) == dict.fromkeys(("kind", "signature", "issuer", "client", "times"), "right")


def test_an_access_token_for_an_api_may_name_any_audience(provider: Provider, inspect: Inspect) -> None:
    claims = id_claims(provider, aud="https://api.acme.com", nonce=ABSENT, scope="read", azp=CLIENT_ID)
    nameless = id_claims(provider, aud="https://api.acme.com", nonce=ABSENT, scope="read")

    named, unnamed = (inspect(provider.sign(one, {"typ": "at+jwt"}), "--access", "--json") for one in (claims, nameless))

    assert checks(named)["client"] == "right"
    assert (unnamed.code, checks(unnamed)["client"]) == (0, "unknown")


# What is wrong -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed, check, words",
    [
        pytest.param({"exp": 1_600_000_000}, "times", " days ago; 60 s are allowed", id="expired"),
        pytest.param({"iat": 4_000_000_000}, "times", "iat: expected in the past", id="made tomorrow"),
        pytest.param({"exp": ABSENT}, "times", "exp: expected a time in seconds, found none", id="without an end"),
        pytest.param({"exp": "soon"}, "times", "exp: expected a time in seconds, found str", id="an end that is a word"),
        pytest.param(
            {"iss": "https://evil.example"}, "issuer", "made by 'https://evil.example', the profile's provider is", id="another issuer"
        ),
        pytest.param({"iss": ABSENT}, "issuer", "made by None", id="no issuer"),
        pytest.param({"aud": "another"}, "audience", "aud: expected portal client, found 'another'", id="another client"),
        pytest.param({"aud": [CLIENT_ID, "another"]}, "audience", "azp: expected portal client", id="two audiences without azp"),
        pytest.param(
            {"token_use": "access"}, "kind", "an access token, where an ID token is due: it does not say who", id="an access token"
        ),
        pytest.param({"typ": "Refresh"}, "kind", "a refresh token, where an ID token is due", id="a refresh token"),
        pytest.param({"events": {}}, "kind", "a logout token, where an ID token is due", id="a logout token"),
        pytest.param({"email_verified": False}, "email", "does not say that ada@acme.com is verified", id="an unverified address"),
        pytest.param({"email": "ada@@acme.com"}, "email", "not one that is taken", id="a malformed address"),
        pytest.param({"sub": ""}, "sub", "expected 1 to 255 printable characters", id="no subject"),
        pytest.param({"nonce": ["n"]}, "nonce", "expected a text, found list", id="a list for a text"),
    ],
)
def test_each_fault_is_told_and_exits_with_one(
    provider: Provider, inspect: Inspect, changed: dict[str, Any], check: str, words: str
) -> None:
    ran = inspect(provider.sign(id_claims(provider, **changed)), "--json")

    assert ran.code == 1
    assert checks(ran)[check] == "wrong"
    assert words in detail(ran, check)


@pytest.mark.parametrize(
    "forged, words",
    [
        pytest.param(lambda p: compact({"alg": "none"}, id_claims(p), None, "none"), "alg: expected RS256, found 'none'", id="alg none"),
        pytest.param(
            lambda p: p.sign(id_claims(p), key=rsa_key("one-of-ours")), "key: expected a key of the provider", id="a key of its own"
        ),
        pytest.param(
            lambda p: compact({"alg": "RS256", "kid": "one"}, id_claims(p), rsa_key("evil"), "RS256"),
            "signature: expected",
            id="a stolen kid",
        ),
        pytest.param(lambda p: p.sign(id_claims(p)).rpartition(".")[0] + ".", "signature: expected", id="stripped"),
        pytest.param(
            lambda p: compact({"alg": "HS256"}, id_claims(p), json.dumps(public_jwk(rsa_key("one"))).encode(), "HS256"),
            "alg: expected RS256",
            id="an HMAC with the public key",
        ),
        pytest.param(lambda p: p.sign(id_claims(p), {"crit": ["x"]}), "crit: expected no critical extension", id="crit"),
    ],
)
def test_a_forged_signature_is_told(provider: Provider, inspect: Inspect, forged: Callable[[Provider], str], words: str) -> None:
    ran = inspect(forged(provider), "--json")

    assert (ran.code, checks(ran)["signature"]) == (1, "wrong")
    assert words in detail(ran, "signature")


def test_what_a_login_would_refuse_by_the_profile_is_wrong_here_too(provider: Provider, inspect: Inspect, jsmsso_home: Home) -> None:
    profile(jsmsso_home, provider, email_domains=["acme.de"])

    ran = inspect(provider.sign(id_claims(provider)), "--json")

    assert ran.code == 1
    assert detail(ran, "email") == "the provider idp may not vouch for addresses at acme.com"


def test_an_id_token_given_as_an_access_token(provider: Provider, inspect: Inspect) -> None:
    ran = inspect(provider.sign(id_claims(provider)), "--access", "--json")

    assert (ran.code, detail(ran, "kind")) == (1, "an ID token, where an access token is due: no API takes it")


# What cannot be told ----------------------------------------------------------------------------------


def test_an_email_that_only_userinfo_has_is_no_fault(provider: Provider, inspect: Inspect) -> None:
    ran = inspect(provider.sign(id_claims(provider, email=ABSENT, email_verified=ABSENT)), "--json")

    assert (ran.code, checks(ran)["email"]) == (0, "unknown")
    assert "userinfo may" in detail(ran, "email")


def test_groups_that_were_left_out_are_told(provider: Provider, inspect: Inspect) -> None:
    ran = inspect(provider.sign(id_claims(provider, _claim_names={"groups": "src1"})), "--json")

    assert (ran.code, checks(ran)["groups"]) == (0, "unknown")


def test_a_provider_that_is_down_leaves_the_signature_open(
    provider: Provider, inspect: Inspect, jsmsso_home: Home, free_port: Callable[[], int]
) -> None:
    token = provider.sign(id_claims(provider, iss=(gone := f"http://127.0.0.1:{free_port()}")))
    provider.issuer = gone
    profile(jsmsso_home, provider)

    ran = inspect(token, "--json")

    assert (ran.code, checks(ran)["signature"], checks(ran)["issuer"]) == (0, "unknown", "right")
    assert detail(ran, "signature").startswith("could not tell:")


def test_an_opaque_access_token_can_be_read_by_the_provider_alone(provider: Provider, inspect: Inspect) -> None:
    access, id_token = inspect("s3cr3t-opaque", "--access", "--json"), inspect("s3cr3t-opaque", "--json")

    assert (access.code, access.json()["claims"], checks(access)) == (0, None, {"form": "unknown"})
    assert (id_token.code, detail(id_token, "form")) == (1, "no JWT, and so no ID token")
    assert "s3cr3t" not in access.stdout + id_token.stdout


def test_an_encrypted_token_is_called_so(inspect: Inspect) -> None:
    ran = inspect("eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.aaaa.bbbb.cccc.dddd", "--json")

    assert (ran.code, detail(ran, "form").startswith("encrypted (a JWE)")) == (1, True)


# What is no token --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content, words",
    [
        pytest.param(b"", "there is no token on standard input", id="nothing"),
        pytest.param(b" \n\n", "there is no token on standard input", id="space"),
        pytest.param(b"\x00\xff\xfe\x80" * 50, "it is not one line of text", id="binary"),
        pytest.param(b"a" * 1_000_000, "there is more on standard input than a token", id="1 MB"),
        pytest.param(b"one\ntwo\n", "it is not one line of text", id="two lines"),
        pytest.param(b"\x1b[31mred", "it is not one line of text", id="an escape sequence"),
        pytest.param(b'{"access_token": "a"}', "a document without id_token", id="a document without one"),
        pytest.param(b"{" * 5000, "a document without id_token", id="a document that is none"),
    ],
)
def test_what_can_be_no_token_is_wrong_usage(inspect: Inspect, jsmsso_home: Home, content: bytes, words: str) -> None:
    command = [installed_script("jsmsso"), "token", "inspect", "--stdin", "--json"]

    done = subprocess.run(command, input=content, capture_output=True, env=jsmsso_home.env, cwd=jsmsso_home.work, timeout=60)

    assert done.returncode == 2
    assert words in json.loads(done.stdout)["error"]["message"]
    assert done.stderr == b""


def test_a_token_that_no_login_would_read_is_told(provider: Provider, inspect: Inspect) -> None:
    ran = inspect(provider.sign(id_claims(provider, photograph="x" * 70_000)), "--json")

    assert (ran.code, checks(ran)) == (1, {"form": "wrong"})
    assert "at most 65536 characters are read" in detail(ran, "form")


def test_claims_cannot_write_to_the_terminal(provider: Provider, inspect: Inspect) -> None:
    odd = {"name": "\x1b[2J[red]\u202e\ud800\x9b2J", "\x1b]0;title\x07": {"a": "\x1b"}, "iss": "\x1b[31m"}
    token = provider.sign(id_claims(provider, **odd), {"kid": "\x1b[31m"})

    words, document = inspect(token), inspect(token, "--json")

    assert (words.code, document.code) == (1, 1)
    for said in (words.stdout, document.stdout):
        assert not [c for c in said if not c.isprintable() and c != "\n"]
    assert "\\x1b[2J[red]\\u202e\\ud800\\x9b2J" in words.stdout
    assert document.json()["claims"]["name"] == odd["name"]


@pytest.mark.parametrize("value", [True, "tomorrow", 1e300, -5, None, [1], 4_000_000_000_000])
def test_a_time_that_is_none_is_shown_as_it_is(provider: Provider, inspect: Inspect, value: object) -> None:
    ran = inspect(provider.sign(id_claims(provider, updated_at=value)), "--json")

    assert ran.code == 0
    assert "UTC" not in next(one["value"] for one in ran.json()["explained"] if one["claim"] == "updated_at")


# Where it comes from -----------------------------------------------------------------------------------


def test_a_pipe_that_somebody_only_left_open_is_not_waited_for(inspect: Inspect, start: Children, jsmsso_home: Home) -> None:
    child = start([installed_script("jsmsso"), "token", "inspect"], env=jsmsso_home.env, cwd=jsmsso_home.work)

    assert child.wait() == 2
    assert "no tokens of the provider idp are kept" in child.stderr


def test_with_stdin_it_is_waited_for(provider: Provider, inspect: Inspect, start: Children, jsmsso_home: Home) -> None:
    child = start([installed_script("jsmsso"), "token", "inspect", "--stdin"], env=jsmsso_home.env, cwd=jsmsso_home.work)
    time.sleep(2.5)
    assert child.running

    child.write(provider.sign(id_claims(provider)), close=True)

    assert child.wait() == 0


def test_an_interruption_while_it_waits_is_no_fault(inspect: Inspect, start: Children, jsmsso_home: Home) -> None:
    child = start([installed_script("jsmsso"), "token", "inspect", "--stdin"], env=jsmsso_home.env, cwd=jsmsso_home.work)
    time.sleep(2.5)

    child.signal(signal.SIGINT)

    assert (child.wait(), child.output.strip()) == (130, "")


def test_without_any_standard_input_it_is_the_kept_one(inspect: Inspect, jsmsso_home: Home) -> None:
    command = [str(installed_script("jsmsso")), "token", "inspect"]

    done = subprocess.run(
        ["sh", "-c", '"$0" "$@" <&-', *command], capture_output=True, text=True, env=jsmsso_home.env, cwd=jsmsso_home.work, timeout=60
    )

    assert done.returncode == 2
    assert "no tokens of the provider idp are kept" in done.stderr


def test_on_a_terminal_it_fits_80_columns(provider: Provider, inspect: Inspect, jsmsso_home: Home) -> None:
    kept = {"issuer": provider.issuer, "client_id": CLIENT_ID, "access_token": "opaque"}
    kept |= {"id_token": provider.sign(id_claims(provider, long="x" * 500)), "obtained": int(time.time()) - 200}
    (jsmsso_home.path / "keyring.json").write_text(json.dumps({"jsmsso/tokens/idp": json.dumps(kept)}))

    with at_a_terminal(jsmsso_home, "token", "inspect") as child:
        said = rest_of(child)

    assert child.exitstatus == 0, said
    assert said.startswith("The kept ID token of idp, got 3 min ago\n")
    assert max(len(line) for line in said.splitlines()) <= 80
    assert os.linesep.join(said.splitlines()).count("…") == 1, "a long value ends with three points"
