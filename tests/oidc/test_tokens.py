"""The token endpoint: client authentication, good and bad answers, refresh, revocation."""

from __future__ import annotations

import json
import time
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest

from jsmsso.errors import IdTokenRefused, NotReady, ProviderFailed, ProviderUnreachable, TokenRequestRefused
from jsmsso.oidc.relying_party import RelyingParty
from tests.oidc.conftest import Clock, log_in
from tests.oidc.provider import ABSENT, CLIENT_ID, CLIENT_SECRET, NOW, Provider, Reply, ec_key, ed_key, header_of, payload_of, rsa_key

pytestmark = pytest.mark.conformance

ALL = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
PUBLIC = {"client_secret": None}


def pem(key: Any) -> str:
    return str(key.as_pem(private=True).decode())


def jwk(key: Any) -> str:
    return json.dumps(key.as_dict(private=True))


KEYED = {"client_secret": None, "client_key": pem(rsa_key("client"))}
CHOICES = [
    pytest.param(ALL, {}, "client_secret_basic", id="basic before post"),
    pytest.param(ABSENT, {}, "client_secret_basic", id="basic where nothing is listed"),
    pytest.param(["client_secret_post"], {}, "client_secret_post", id="post where it alone is listed"),
    pytest.param(ALL, {"client_auth": "client_secret_post"}, "client_secret_post", id="post where the profile says so"),
    pytest.param(ALL, PUBLIC, "none", id="none without a secret"),
    pytest.param(ALL, KEYED, "private_key_jwt", id="a key without a secret"),
    pytest.param(["client_secret_basic"], KEYED, "private_key_jwt", id="a key without a secret though it is not listed"),
    pytest.param(ALL, {"client_key": pem(rsa_key("client"))}, "private_key_jwt", id="a key beside a secret where it is listed"),
    pytest.param(["client_secret_post"], {"client_key": pem(rsa_key("client"))}, "client_secret_post", id="a key that is not listed"),
]


@pytest.mark.parametrize(("listed", "settings", "method"), CHOICES)
def test_the_client_proves_itself_as_the_metadata_or_the_profile_says(
    provider: Provider, relying_party_of: Callable[..., RelyingParty], listed: Any, settings: dict[str, Any], method: str
) -> None:
    provider.metadata["token_endpoint_auth_methods_supported"] = listed
    provider.client_key = rsa_key("client")
    if settings.get("client_secret", "") is None:
        provider.client_secret = None

    assert log_in(relying_party_of(provider, **settings), provider).claims["sub"] == "ada"

    (call,) = provider.calls_to("/token")
    assert ("authorization" in call.headers) == (method == "client_secret_basic")
    assert ("client_secret" in call.form) == (method == "client_secret_post")
    assert ("client_assertion" in call.form) == (method == "private_key_jwt")
    assert ("client_id" in call.form) == (method != "client_secret_basic")


def test_the_secret_is_form_encoded_before_it_becomes_basic(provider: Provider, relying_party: RelyingParty) -> None:
    log_in(relying_party, provider)

    (call,) = provider.calls_to("/token")
    sent = b64decode(call.headers["authorization"].removeprefix("Basic ")).decode()
    assert sent == "portal+client:s3cret%3A%25%2F%C3%BC%2B+%3D%26"  # RFC 6749 2.3.1 and its appendix B
    assert call.query == ""


KEYS = [
    pytest.param(rsa_key("client"), pem, "RS256", id="RSA as PEM"),
    pytest.param(rsa_key("client"), jwk, "RS256", id="RSA as JWK"),
    pytest.param(ec_key("client"), pem, "ES256", id="P-256 as PEM"),
    pytest.param(ec_key("client", "P-384"), jwk, "ES384", id="P-384 as JWK"),
    pytest.param(ec_key("client", "P-521"), pem, "ES512", id="P-521 as PEM"),
    pytest.param(ed_key("client"), pem, "EdDSA", id="Ed25519 as PEM"),
    pytest.param(ed_key("client"), jwk, "EdDSA", id="Ed25519 as JWK"),
]


@pytest.mark.parametrize(("key", "written", "alg"), KEYS)
def test_a_key_signs_an_assertion_for_the_issuer_alone(
    provider: Provider, relying_party_of: Callable[..., RelyingParty], key: Any, written: Callable[[Any], str], alg: str
) -> None:
    provider.client_secret, provider.client_key = None, key
    party = relying_party_of(provider, client_secret=None, client_auth="private_key_jwt", client_key=written(key))

    for _ in range(2):
        log_in(party, provider)

    first, second = (call.form["client_assertion"] for call in provider.calls_to("/token"))
    claims = payload_of(first)
    assert claims["aud"] == provider.issuer  # a string; no token endpoint beside it (CVE-2025-27370)
    assert claims["iss"] == claims["sub"] == CLIENT_ID
    assert 0 < claims["exp"] - time.time() <= 60
    assert claims["jti"] != payload_of(second)["jti"]
    assert header_of(first) == {"alg": alg, "typ": "JWT"} | ({"kid": "client"} if written is jwk else {})


def test_the_assertions_algorithm_is_one_that_the_provider_takes(provider: Provider, relying_party_of: Callable[..., RelyingParty]) -> None:
    provider.client_secret, provider.client_key = None, rsa_key("client")
    provider.metadata["token_endpoint_auth_signing_alg_values_supported"] = ["HS256", "ES256", "PS256"]

    log_in(relying_party_of(provider, **KEYED), provider)

    assert header_of(provider.calls_to("/token")[0].form["client_assertion"])["alg"] == "PS256"


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("", id="nothing"),
        pytest.param("secret", id="some text"),
        pytest.param("{", id="half a JWK"),
        pytest.param('{"kty": "oct", "k": "AAAA"}', id="a secret as JWK"),
        pytest.param(rsa_key("k").as_pem(private=False).decode(), id="a public key"),
        pytest.param(json.dumps(rsa_key("k").as_dict(private=False)), id="a public JWK"),
        pytest.param(pem(rsa_key("short", 1024)), id="an RSA key under 2,048 bits"),
        pytest.param(pem(ed_key("x", "X25519")), id="a key that cannot sign"),
        pytest.param(rsa_key("k").as_pem(private=True, password="pw").decode(), id="a key with a password"),
    ],
)
@pytest.mark.filterwarnings("ignore:Key size")
def test_a_client_key_that_cannot_sign_is_refused_at_the_start(
    provider: Provider, relying_party_of: Callable[..., RelyingParty], key: str
) -> None:
    with pytest.raises(NotReady) as caught:
        relying_party_of(provider, client_secret=None, client_key=key)

    assert not key or key not in str(caught.value)


# Answers -----------------------------------------------------------------------------------------


ANSWERS = [
    pytest.param(Reply(400, {"error": "invalid_grant"}), "invalid_grant", id="a used code"),
    pytest.param(Reply(401, {"error": "invalid_client"}), "invalid_client", id="a wrong secret"),
    pytest.param(Reply(400, {"error": "invalid_client"}), "invalid_client", id="a wrong secret at Cognito"),
    pytest.param(Reply(400, {"error": "unauthorized_client"}), "unauthorized_client", id="a grant that is not allowed"),
    pytest.param(Reply(200, {"error": "bad_verification_code"}), "bad_verification_code", id="an error with status 200"),
    pytest.param(Reply(400, {}), "status 400", id="an error without a name"),
    pytest.param(Reply(400, {"error": ["a"]}), "status 400", id="an error that is a list"),
    pytest.param(Reply(405, {"message": "no"}), "status 405", id="405"),
]


@pytest.mark.parametrize(("reply", "error"), ANSWERS)
def test_a_refused_code_says_why(provider: Provider, relying_party: RelyingParty, reply: Reply, error: str) -> None:
    provider.replies["/token"] = reply

    with pytest.raises(TokenRequestRefused) as caught:
        log_in(relying_party, provider)

    assert caught.value.error == error
    assert caught.value.hint
    assert CLIENT_SECRET not in f"{caught.value} {caught.value.hint}"


USELESS = [
    pytest.param(Reply(200, "<html>"), id="a page"),
    pytest.param(Reply(403, "<html>"), id="a firewall's page"),
    pytest.param(Reply(200, [1]), id="a list"),
    pytest.param(Reply(200, b""), id="nothing"),
    pytest.param(Reply(502, {"error": "x"}), id="502"),
    pytest.param(Reply(307, headers={"location": "https://evil.example/"}), id="a redirect, which is never followed with a code"),
]


@pytest.mark.parametrize("reply", USELESS)
def test_an_answer_that_is_no_token_answer_says_so(provider: Provider, relying_party: RelyingParty, reply: Reply) -> None:
    provider.replies["/token"] = reply

    with pytest.raises(ProviderUnreachable):
        log_in(relying_party, provider)


BENT = [
    pytest.param({"access_token": ABSENT}, ProviderUnreachable, id="no access token"),
    pytest.param({"access_token": 7}, ProviderUnreachable, id="a number as access token"),
    pytest.param({"id_token": ["a"]}, ProviderUnreachable, id="a list as ID token"),
    pytest.param({"token_type": "mac"}, ProviderUnreachable, id="another kind of token"),
    pytest.param({"token_type": ["Bearer"]}, ProviderUnreachable, id="a list of kinds"),
    pytest.param({"id_token": ABSENT}, TokenRequestRefused, id="no ID token"),
    pytest.param({"id_token": None}, TokenRequestRefused, id="null as ID token"),
    pytest.param({"id_token": ""}, IdTokenRefused, id="an empty ID token"),
    pytest.param({"access_token": "another\ud800"}, IdTokenRefused, id="half a character in the access token"),
]


@pytest.mark.parametrize(("bent", "error"), BENT)
def test_tokens_of_a_wrong_form_sign_nobody_in(
    provider: Provider, relying_party: RelyingParty, bent: dict[str, Any], error: type[Exception]
) -> None:
    provider.token_answer = bent

    with pytest.raises(error):
        log_in(relying_party, provider)


@pytest.mark.parametrize("bent", [{"token_type": "bearer"}, {"token_type": ABSENT}, {"refresh_token": 7}, {"scope": ["a"]}])
def test_what_providers_get_a_little_wrong_is_forgiven(provider: Provider, relying_party: RelyingParty, bent: dict[str, Any]) -> None:
    provider.token_answer = bent

    assert log_in(relying_party, provider).claims["sub"] == "ada"


def test_a_code_that_was_stolen_is_worthless_without_its_verifier(provider: Provider, relying_party: RelyingParty) -> None:
    from jsmsso.oidc.authorization import read_answer

    answer = read_answer(provider.follow(relying_party.authorization_url(state="s", nonce="n", code_verifier="v" * 43)))

    with pytest.raises(TokenRequestRefused, match="invalid_grant"):
        relying_party.complete(answer, nonce="n", code_verifier="w" * 43, wants_userinfo=lambda _: False)


def test_one_login_calls_the_token_endpoint_once_and_userinfo_only_when_it_is_wanted(
    provider: Provider, relying_party: RelyingParty
) -> None:
    log_in(relying_party, provider)
    log_in(relying_party, provider, wants_userinfo=lambda _: True)

    assert [len(provider.calls_to(path)) for path in ("/token", "/userinfo")] == [2, 1]


def test_tokens_never_show_themselves(provider: Provider, relying_party: RelyingParty) -> None:
    authentication = log_in(relying_party, provider)

    for token in (authentication.tokens.id_token, authentication.tokens.access_token, authentication.tokens.refresh_token):
        assert token
        assert token not in repr(authentication)


# Refresh -----------------------------------------------------------------------------------------


def test_a_refresh_with_rotation_gives_the_next_token(provider: Provider, relying_party: RelyingParty) -> None:
    first = log_in(relying_party, provider)
    used = first.tokens.refresh_token or ""

    renewed = relying_party.refresh(used, first.id_claims)

    assert renewed.tokens.refresh_token != used
    assert renewed.id_claims is not None
    assert renewed.id_claims["sub"] == "ada"
    again = relying_party.refresh(renewed.tokens.refresh_token, first.id_claims)
    assert again.tokens.access_token != renewed.tokens.access_token
    with pytest.raises(TokenRequestRefused, match="invalid_grant"):
        relying_party.refresh(used, first.id_claims)


def test_a_refresh_without_rotation_keeps_the_token(provider: Provider, relying_party: RelyingParty) -> None:
    first = log_in(relying_party, provider)
    provider.rotates_refresh_tokens = False

    assert relying_party.refresh(first.tokens.refresh_token or "", first.id_claims).tokens.refresh_token == first.tokens.refresh_token


def test_a_refresh_without_an_id_token_is_one_too(provider: Provider, relying_party: RelyingParty) -> None:
    first = log_in(relying_party, provider)
    provider.token_answer = {"id_token": ABSENT}

    assert relying_party.refresh(first.tokens.refresh_token or "", first.id_claims).id_claims is None


REFRESHED = [
    pytest.param({"iss": "https://evil.example"}, "iss", id="another issuer"),
    pytest.param({"sub": "eve"}, "sub", id="another subject"),
    pytest.param({"aud": [CLIENT_ID, "more"], "azp": CLIENT_ID}, "aud", id="another audience"),
    pytest.param({"aud": "another client"}, "aud", id="a foreign audience"),
    pytest.param({"auth_time": NOW - 1}, "auth_time", id="another time of login"),
    pytest.param({"nonce": "another"}, "nonce", id="another nonce"),
    pytest.param({"iat": ABSENT}, "iat", id="no time of issue"),
    pytest.param({"exp": NOW - 100}, "exp", id="expired"),
    pytest.param({"at_hash": "AAAA"}, "at_hash", id="another token's hash"),
    pytest.param({"token_use": "access"}, "token_use", id="an access token in its place"),
]


@pytest.mark.parametrize(("bent", "check"), REFRESHED)
def test_a_refreshed_id_token_must_be_about_the_same_login(
    provider: Provider, relying_party: RelyingParty, bent: dict[str, Any], check: str
) -> None:
    first = log_in(relying_party, provider)
    provider.claims = bent

    with pytest.raises(IdTokenRefused) as caught:
        relying_party.refresh(first.tokens.refresh_token or "", first.id_claims)

    assert caught.value.check == check


def test_a_refreshed_id_token_by_a_stranger_is_refused(provider: Provider, relying_party: RelyingParty) -> None:
    first = log_in(relying_party, provider)
    provider.mint = lambda claims: provider.sign(claims, {"kid": "one"}, rsa_key("stranger"))

    with pytest.raises(IdTokenRefused, match="signature"):
        relying_party.refresh(first.tokens.refresh_token or "", first.id_claims)


def test_a_refresh_later_is_about_the_first_login_still(provider: Provider, relying_party: RelyingParty, clock: Clock) -> None:
    first = log_in(relying_party, provider)
    clock.advance(3000)
    provider.claims = {"iat": NOW + 3000, "exp": NOW + 3300}

    assert relying_party.refresh(first.tokens.refresh_token or "", first.id_claims).id_claims["auth_time"] == NOW - 5  # type: ignore[index]


# Revocation --------------------------------------------------------------------------------------


def test_a_token_is_revoked_with_the_clients_proof(provider: Provider, relying_party: RelyingParty) -> None:
    assert relying_party.revoke("a/b+c") is True

    (call,) = provider.calls_to("/revoke")
    assert call.form == {"token": "a/b+c", "token_type_hint": "refresh_token"}
    assert call.headers["authorization"].startswith("Basic ")


def test_where_there_is_no_revocation_endpoint_nothing_is_called(provider: Provider, relying_party: RelyingParty) -> None:
    provider.metadata["revocation_endpoint"] = ABSENT

    assert relying_party.revoke("token") is False


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        pytest.param(Reply(400, {"error": "unsupported_token_type"}), TokenRequestRefused, id="a token that cannot be revoked"),
        pytest.param(Reply(401, {"error": "invalid_client"}), TokenRequestRefused, id="a wrong secret"),
        pytest.param(Reply(404, "<html>"), ProviderUnreachable, id="a page"),
        pytest.param(Reply(503), ProviderUnreachable, id="503"),
    ],
)
def test_a_failed_revocation_says_why(provider: Provider, relying_party: RelyingParty, reply: Reply, error: type[ProviderFailed]) -> None:
    provider.replies["/revoke"] = reply

    with pytest.raises(error) as caught:
        relying_party.revoke("t0ken-text")

    assert "t0ken-text" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("reply", [Reply(200), Reply(200, "<html>"), Reply(204)])
def test_whatever_a_good_revocation_says_counts(provider: Provider, relying_party: RelyingParty, reply: Reply) -> None:
    provider.replies["/revoke"] = reply

    assert relying_party.revoke("token") is True
