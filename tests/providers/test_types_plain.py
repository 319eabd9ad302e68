"""Plain OAuth 2.0: GitHub, Discord and Facebook, played on this machine as they answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from jsmsso.errors import (
    AnswerRefused,
    AuthorizationRefused,
    IdentityRefused,
    NotReady,
    ProviderUnreachable,
    TokenRequestRefused,
    UserinfoRefused,
)
from jsmsso.http_client import HttpClient
from jsmsso.oidc.authorization import AuthorizationAnswer, code_challenge
from jsmsso.providers.known import provider_type
from jsmsso.providers.locating import answers_of, locate
from jsmsso.providers.settings import without_access_rules
from jsmsso.providers.types import PlainOAuth2
from tests.providers.plain import CODE_VERIFIER, RECORDED, Played
from tests.providers.played import Said

each = pytest.mark.parametrize("name", RECORDED)


@each
def test_the_answers_lead_to_a_fixed_issuer_without_a_call(name: str) -> None:
    type_ = provider_type(name)
    assert locate(HttpClient(), type_, answers_of(type_, RECORDED[name]["given"], None)).entry == RECORDED[name]["entry"]


@each
def test_the_browser_is_sent_with_state_and_without_a_nonce(name: str, play: Callable[..., str]) -> None:
    played = Played(name, play)
    url = played.party().authorization_url(state="state-1", nonce="nonce-1", code_verifier=CODE_VERIFIER)
    query = parse_qs(urlsplit(url).query)

    assert url.startswith(played.metadata().authorization_endpoint + "?")
    assert query["state"] == ["state-1"]
    assert query["scope"] == [" ".join(played.type.default_scopes)]
    assert "nonce" not in query
    assert query.get("code_challenge") == ([code_challenge(CODE_VERIFIER)] if played.type.pkce else None)


@each
def test_a_login_makes_the_customer_from_what_the_api_says(name: str, play: Callable[..., str]) -> None:
    played = Played(name, play)
    customer = played.customer()

    expected = RECORDED[name]["customer"]
    assert {field: getattr(customer, field) for field in expected} == expected
    assert (customer.issuer, customer.subject) == (played.issuer, RECORDED[name]["subject"])


@each
def test_the_secret_goes_into_the_form_and_the_token_into_a_header(name: str, play: Callable[..., str]) -> None:
    played = Played(name, play)
    played.log_in()
    method, _, headers, form = played.seen[0]

    assert (method, form["client_secret"], form["code"], headers["accept"]) == ("POST", "s3cret", "code-1", "application/json")
    assert ("code_verifier" in form) is played.type.pkce
    token = RECORDED[name]["token_answer"]["access_token"]
    assert all("s3cret" not in target and token not in target for _, target, _, _ in played.seen)


@each
def test_an_email_that_is_not_called_verified_is_refused(name: str, play: Callable[..., str]) -> None:
    with pytest.raises(IdentityRefused) as refused:
        Played(name, play, RECORDED[name]["unverified_calls"]).customer()
    assert refused.value.reason == "email_unverified"


def test_a_verified_address_that_is_not_githubs_primary_one_does_not_count(play: Callable[..., str]) -> None:
    emails = [{"email": "ada@acme.com", "primary": False, "verified": True}]
    with pytest.raises(IdentityRefused) as refused:
        Played("github", play, {"/api/v3/user/emails": emails}).customer()
    assert refused.value.reason == "email_missing"


@each
def test_nobody_without_an_id_is_somebody(name: str, play: Callable[..., str]) -> None:
    (path, user), *_ = RECORDED[name]["calls"].items()
    for odd in (None, True, [], {"a": 1}, ""):
        with pytest.raises(UserinfoRefused):
            Played(name, play, {path: {**user, "id": odd}}).log_in()
    with pytest.raises(UserinfoRefused):
        Played(name, play, {path: [user]}).log_in()


@each
def test_an_answer_of_another_issuer_is_refused_before_its_code_is_sent(name: str, play: Callable[..., str]) -> None:
    played = Played(name, play)
    with pytest.raises(AnswerRefused) as refused:
        played.log_in(iss="https://evil.example")
    assert refused.value.reason == "wrong_issuer"
    assert played.seen == []


def test_discord_promises_its_issuer_and_an_answer_without_it_is_refused(play: Callable[..., str]) -> None:
    party = Played("discord", play).party()
    answer = AuthorizationAnswer("state", "code-1", None, "", "")
    with pytest.raises(AnswerRefused):
        party.complete(answer, nonce="n", code_verifier=CODE_VERIFIER, wants_userinfo=lambda _: False)


def test_github_may_name_its_issuer_in_the_answer(play: Callable[..., str]) -> None:
    played = Played("github", play)
    assert played.log_in(iss=played.issuer).claims["sub"] == "583231"


@each
def test_a_refusal_of_the_provider_is_said(name: str, play: Callable[..., str]) -> None:
    party = Played(name, play).party()
    iss = party.settings.issuer
    with pytest.raises(AuthorizationRefused) as refused:
        party.complete(
            AuthorizationAnswer("state", "", iss, "access_denied", ""),
            nonce="n",
            code_verifier=CODE_VERIFIER,
            wants_userinfo=lambda _: False,
        )
    assert refused.value.error == "access_denied"


@pytest.mark.parametrize(
    "name, said, error",
    [
        pytest.param(
            "github",
            Said(body='{"error": "incorrect_client_credentials", "error_description": "The client_id or client_secret is incorrect."}'),
            "invalid_client",
            id="GitHub's wrong secret comes with status 200",
        ),
        pytest.param("github", Said(body='{"error": "bad_verification_code"}'), "invalid_grant", id="GitHub's used code"),
        pytest.param("discord", Said(401, '{"error": "invalid_client"}'), "invalid_client", id="Discord's wrong secret"),
        pytest.param(
            "facebook",
            Said(400, '{"error": {"message": "Error validating client secret.", "type": "OAuthException", "code": 1, "fbtrace_id": "A"}}'),
            "OAuthException",
            id="Facebook's error is an object",
        ),
    ],
)
def test_the_token_endpoints_own_errors_are_understood(name: str, said: Said, error: str, play: Callable[..., str]) -> None:
    with pytest.raises(TokenRequestRefused) as refused:
        Played(name, play, token=said).log_in()
    assert refused.value.error == error


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(Said(body="access_token=x&token_type=bearer", content_type="application/x-www-form-urlencoded"), id="a form"),
        pytest.param(Said(502, "<h1>Bad gateway</h1>", "text/html"), id="a gateway's page"),
        pytest.param(Said(body='{"token_type": "bearer"}'), id="no token"),
        pytest.param(Said(body='{"access_token": "a\\nb", "token_type": "bearer"}'), id="a token that would end the header"),
        pytest.param(Said(body='{"access_token": "a", "token_type": "mac"}'), id="a token of another kind"),
    ],
)
def test_what_is_no_token_answer_is_no_login(said: Said, play: Callable[..., str]) -> None:
    with pytest.raises(ProviderUnreachable):
        Played("github", play, token=said).log_in()


@pytest.mark.parametrize(
    "answer, error",
    [
        pytest.param(Said(404, '{"message": "Not Found"}'), UserinfoRefused, id="the scope is missing"),
        pytest.param(Said(403, '{"message": "rate limit"}'), UserinfoRefused, id="too many calls"),
        pytest.param(Said(500, "oops"), ProviderUnreachable, id="a fault"),
        pytest.param(Said(200, "<html>", "text/html"), ProviderUnreachable, id="a page"),
        pytest.param({"email": "ada@acme.com"}, UserinfoRefused, id="an object where a list is due"),
        pytest.param(["ada@acme.com"], UserinfoRefused, id="texts where objects are due"),
    ],
)
def test_an_api_that_answers_otherwise_is_no_login(answer: Any, error: type[Exception], play: Callable[..., str]) -> None:
    with pytest.raises(error):
        Played("github", play, {"/api/v3/user/emails": answer}).log_in()


def test_discord_refreshes_and_the_person_must_be_the_same(play: Callable[..., str]) -> None:
    played = Played("discord", play)
    renewal = played.party().refresh("old", {"iss": played.issuer, "sub": "80351110224678912"})
    assert renewal.id_claims is not None
    assert renewal.id_claims["email"] == "ada@acme.com"
    with pytest.raises(UserinfoRefused):
        played.party().refresh("old", {"iss": played.issuer, "sub": "1"})


@each
def test_there_is_no_logout_there(name: str, play: Callable[..., str]) -> None:
    assert Played(name, play).party().logout_url(id_token="x") is RECORDED[name]["logout"]


@each
def test_how_somebody_logged_in_cannot_be_required(name: str, play: Callable[..., str]) -> None:
    with pytest.raises(NotReady, match="require"):
        Played(name, play).party(require={"amr": ["mfa"]})


@each
def test_anybody_can_have_an_account_so_a_rule_is_needed(name: str, play: Callable[..., str]) -> None:
    assert without_access_rules(Played(name, play).profile()) == ("one",)


@pytest.mark.parametrize(
    "host, api",
    [
        pytest.param("https://github.com", "https://api.github.com", id="GitHub"),
        pytest.param("https://acme.ghe.com", "https://api.acme.ghe.com", id="Enterprise Cloud with data residency"),
        pytest.param("https://github.acme.com", "https://github.acme.com/api/v3", id="Enterprise Server"),
        pytest.param("https://github.com.evil.example", "https://github.com.evil.example/api/v3", id="a host that only begins alike"),
    ],
)
def test_githubs_api_is_where_its_host_has_it(host: str, api: str) -> None:
    type_ = provider_type("github")
    plain = type_.plain
    assert isinstance(plain, PlainOAuth2)
    located = locate(HttpClient(), type_, answers_of(type_, {"host": host}, None))
    assert located.entry == {"issuer": f"{host}/login/oauth"}
    assert located.metadata.token_endpoint == f"{host}/login/oauth/access_token"
    assert plain.calls(located.entry["issuer"])[0] == f"{api}/user"
