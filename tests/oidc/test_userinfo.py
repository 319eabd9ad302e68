"""UserInfo (Core 5.3): about the same person, added to the ID token's claims and never in their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jsmsso.errors import IdTokenRefused, ProviderFailed, ProviderUnreachable, UserinfoRefused
from jsmsso.oidc.relying_party import Authentication, RelyingParty
from jsmsso.oidc.userinfo import merge_claims
from tests.oidc.conftest import log_in
from tests.oidc.provider import ABSENT, CLIENT_ID, CLIENT_SECRET, Provider, Reply, compact, rsa_key

pytestmark = pytest.mark.conformance


def log_in_with_userinfo(relying_party: RelyingParty, provider: Provider) -> Authentication:
    return log_in(relying_party, provider, wants_userinfo=lambda claims: "given_name" not in claims)


def test_userinfo_adds_what_the_id_token_lacks(provider: Provider, relying_party: RelyingParty) -> None:
    authentication = log_in_with_userinfo(relying_party, provider)

    assert authentication.userinfo_fetched
    assert authentication.claims["given_name"] == "Ada"
    assert "given_name" not in authentication.id_claims
    (call,) = provider.calls_to("/userinfo")
    assert call.headers["authorization"] == f"Bearer {authentication.tokens.access_token}"
    assert call.query == ""


def test_userinfo_is_left_out_where_the_id_token_has_everything(provider: Provider, relying_party: RelyingParty) -> None:
    provider.claims["given_name"] = "Augusta"

    authentication = log_in_with_userinfo(relying_party, provider)

    assert not authentication.userinfo_fetched
    assert provider.calls_to("/userinfo") == []


def test_userinfo_is_left_out_where_there_is_no_endpoint(provider: Provider, relying_party: RelyingParty) -> None:
    provider.metadata["userinfo_endpoint"] = ABSENT

    assert "given_name" not in log_in_with_userinfo(relying_party, provider).claims


@pytest.mark.parametrize("sub", [pytest.param("eve", id="another"), pytest.param(ABSENT, id="none"), pytest.param(["ada"], id="a list"),
                                 pytest.param("Ada", id="in another case"), pytest.param("", id="empty")])  # fmt: skip
def test_userinfo_about_another_subject_is_refused(provider: Provider, relying_party: RelyingParty, sub: Any) -> None:
    provider.userinfo["sub"] = sub

    with pytest.raises(UserinfoRefused, match="another subject"):
        log_in_with_userinfo(relying_party, provider)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_access_token_names_the_scope_that_it_may_lack(provider: Provider, relying_party: RelyingParty, status: int) -> None:
    provider.replies["/userinfo"] = Reply(status, headers={"www-authenticate": 'Bearer error="insufficient_scope"'})

    with pytest.raises(UserinfoRefused) as caught:
        log_in_with_userinfo(relying_party, provider)

    assert "`openid`" in caught.value.hint


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        pytest.param(Reply(404), UserinfoRefused, id="404"),
        pytest.param(Reply(500), ProviderUnreachable, id="500"),
        pytest.param(Reply(200, "<html>"), ProviderUnreachable, id="a page"),
        pytest.param(Reply(200, ["ada"]), ProviderUnreachable, id="a list"),
        pytest.param(Reply(302, headers={"location": "http://localhost:1/x"}), ProviderUnreachable, id="a redirect to another host"),
    ],
)
def test_an_answer_that_is_no_userinfo_signs_nobody_in(
    provider: Provider, relying_party: RelyingParty, reply: Reply, error: type[ProviderFailed]
) -> None:
    provider.replies["/userinfo"] = reply

    with pytest.raises(error):
        log_in_with_userinfo(relying_party, provider)


JWT = {"content-type": "application/jwt; charset=utf-8"}


def signed(provider: Provider, **claims: Any) -> Reply:
    honest = {"iss": provider.issuer, "aud": CLIENT_ID, "sub": "ada", "given_name": "Ada"} | claims
    return Reply(200, provider.sign({name: value for name, value in honest.items() if value is not ABSENT}), JWT)


def test_a_signed_answer_is_verified(provider: Provider, relying_party: RelyingParty) -> None:
    provider.replies["/userinfo"] = signed(provider)

    assert log_in_with_userinfo(relying_party, provider).claims["given_name"] == "Ada"


SIGNED: list[Any] = [
    pytest.param(lambda p: Reply(200, p.sign({"sub": "ada"}, {"kid": "one"}, rsa_key("stranger")), JWT), "signature", id="a stranger's"),
    pytest.param(lambda _: Reply(200, compact({"alg": "none"}, {"sub": "ada"}, None, "none"), JWT), "alg", id="not signed"),
    pytest.param(
        lambda _: Reply(200, compact({"alg": "HS256"}, {"sub": "ada"}, CLIENT_SECRET.encode(), "HS256"), JWT), "alg", id="by HMAC"
    ),
    pytest.param(lambda _: Reply(200, b"\xff\xfe", JWT), "form", id="no JWT at all"),
    pytest.param(lambda p: signed(p, iss="https://evil.example"), "iss", id="another issuer's"),
    pytest.param(lambda p: signed(p, aud="another client"), "aud", id="for another client"),
    pytest.param(lambda p: signed(p, aud=["another client"]), "aud", id="for a list of other clients"),
]


@pytest.mark.parametrize(("reply", "check"), SIGNED)
def test_a_signed_answer_that_fails_a_check_is_refused(
    provider: Provider, relying_party: RelyingParty, reply: Callable[[Provider], Reply], check: str
) -> None:
    provider.replies["/userinfo"] = reply(provider)

    with pytest.raises((IdTokenRefused, UserinfoRefused), match=check):
        log_in_with_userinfo(relying_party, provider)


def test_a_signed_answer_without_issuer_and_audience_is_taken(provider: Provider, relying_party: RelyingParty) -> None:
    provider.replies["/userinfo"] = signed(provider, iss=ABSENT, aud=ABSENT)  # 5.3.2: they SHOULD be there

    assert log_in_with_userinfo(relying_party, provider).claims["given_name"] == "Ada"


def test_a_signed_answer_about_another_subject_is_refused(provider: Provider, relying_party: RelyingParty) -> None:
    provider.replies["/userinfo"] = signed(provider, sub="eve")

    with pytest.raises(UserinfoRefused, match="another subject"):
        log_in_with_userinfo(relying_party, provider)


PROTECTED = ("iss", "aud", "exp", "iat", "nbf", "nonce", "azp", "at_hash", "auth_time", "acr", "amr", "sid", "token_use", "tid")


@pytest.mark.parametrize("name", PROTECTED)
def test_what_the_login_was_never_comes_from_userinfo(name: str) -> None:
    assert name not in merge_claims({"sub": "ada"}, {"sub": "ada", name: "forged"})


EMAILS = [
    pytest.param(
        {"email": "a@x.example", "email_verified": True},
        {"email": "b@x.example", "email_verified": False},
        ("a@x.example", True),
        id="the ID token has both",
    ),
    pytest.param(
        {"email": "a@x.example", "email_verified": False},
        {"email": "a@x.example", "email_verified": True},
        ("a@x.example", False),
        id="the ID token says not verified",
    ),
    pytest.param(
        {"email": "a@x.example"},
        {"email": "a@x.example", "email_verified": True},
        ("a@x.example", True),
        id="userinfo verifies the same address",
    ),
    pytest.param(
        {"email": "a@x.example"},
        {"email": "b@x.example", "email_verified": True},
        ("a@x.example", None),
        id="userinfo verifies another address",
    ),
    pytest.param(
        {"email": "a@x.example"},
        {"email": "A@x.example", "email_verified": True},
        ("a@x.example", None),
        id="userinfo verifies another spelling",
    ),
    pytest.param({"email": "a@x.example"}, {"email_verified": True}, ("a@x.example", None), id="userinfo verifies no address at all"),
    pytest.param({}, {"email": "b@x.example", "email_verified": "true"}, ("b@x.example", "true"), id="userinfo has both"),
    pytest.param(
        {"email_verified": True},
        {"email": "b@x.example"},
        ("b@x.example", None),
        id="the ID token's flag is no flag for userinfo's address",
    ),
    pytest.param(
        {"email_verified": True},
        {"email": "b@x.example", "email_verified": False},
        ("b@x.example", False),
        id="the ID token's flag does not outdo userinfo's",
    ),
    pytest.param({"email_verified": True}, {}, (None, True), id="a flag without an address"),
]


@pytest.mark.parametrize("flag", ["email_verified", "xms_edov"])
@pytest.mark.parametrize(("id_claims", "userinfo", "expected"), EMAILS)
def test_an_email_and_its_flag_come_from_the_same_of_the_two(
    id_claims: dict[str, Any], userinfo: dict[str, Any], expected: tuple[Any, Any], flag: str
) -> None:
    def flagged(claims: dict[str, Any]) -> dict[str, Any]:
        return {flag if name == "email_verified" else name: value for name, value in claims.items()}

    merged = merge_claims(flagged(id_claims), flagged(userinfo))

    assert (merged.get("email"), merged.get(flag)) == expected


def test_userinfo_never_replaces_a_claim(provider: Provider, relying_party: RelyingParty) -> None:
    provider.claims.update({"family_name": "Lovelace", "cognito:groups": ["customers"]})
    provider.userinfo.update({"family_name": "Byron", "cognito:groups": ["admins"]})

    claims = log_in_with_userinfo(relying_party, provider).claims

    assert (claims["family_name"], claims["cognito:groups"]) == ("Lovelace", ["customers"])
