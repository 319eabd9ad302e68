"""Ending sessions: ours at the provider (RP-Initiated Logout), the provider's here (Back-Channel Logout)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from jsmsso.errors import LogoutTokenRefused, ProviderUnreachable
from jsmsso.oidc.relying_party import RelyingParty
from tests.oidc.conftest import log_in
from tests.oidc.provider import ABSENT, CLIENT_ID, CLIENT_SECRET, NOW, Provider, Reply, compact, present, rsa_key

pytestmark = pytest.mark.conformance

LOGGED_OUT = "https://sso.acme.example/logged-out"


def query_of(url: str | None) -> dict[str, str]:
    assert url is not None
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query, strict_parsing=True).items()}


LOGOUTS = [
    pytest.param({}, {"client_id": CLIENT_ID, "post_logout_redirect_uri": LOGGED_OUT, "state": "s"}, id="the standard's"),
    pytest.param(
        {"id_token_hint": True},
        {"client_id": CLIENT_ID, "post_logout_redirect_uri": LOGGED_OUT, "state": "s", "id_token_hint": "a.b.c"},
        id="where the provider needs the ID token",
    ),
    pytest.param({"logout_style": "cognito"}, {"client_id": CLIENT_ID, "logout_uri": LOGGED_OUT}, id="Cognito's, which knows no state"),
    pytest.param(
        {"logout_style": "cognito", "id_token_hint": True}, {"client_id": CLIENT_ID, "logout_uri": LOGGED_OUT}, id="never at Cognito"
    ),
]


@pytest.mark.parametrize(("settings", "query"), LOGOUTS)
def test_the_logout_address_says_what_the_provider_takes(
    provider: Provider, relying_party_of: Callable[..., RelyingParty], settings: dict[str, Any], query: dict[str, str]
) -> None:
    url = relying_party_of(provider, **settings).logout_url(id_token="a.b.c", state="s")

    assert url is not None
    assert url.startswith(f"{provider.address}/logout?")
    assert query_of(url) == query


def test_without_state_and_id_token_neither_is_sent(provider: Provider, relying_party_of: Callable[..., RelyingParty]) -> None:
    assert query_of(relying_party_of(provider, id_token_hint=True).logout_url()) == {
        "client_id": CLIENT_ID,
        "post_logout_redirect_uri": LOGGED_OUT,
    }


def test_an_endpoint_with_a_query_of_its_own_keeps_it(provider: Provider, relying_party: RelyingParty) -> None:
    provider.metadata["end_session_endpoint"] += "?tenant=a"

    assert query_of(relying_party.logout_url())["tenant"] == "a"


@pytest.mark.parametrize("style", ["rp_initiated", "cognito"])
def test_where_the_provider_has_no_logout_there_is_no_address(
    provider: Provider, relying_party_of: Callable[..., RelyingParty], style: str
) -> None:
    provider.metadata["end_session_endpoint"] = ABSENT

    assert relying_party_of(provider, logout_style=style).logout_url() is None


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        pytest.param({"logout_style": "bare"}, "{address}/logout", id="Salesforce's, which takes nothing"),
        pytest.param(
            {"logout_template": "{issuer}/v2/logout?client_id={client_id}&returnTo={return_to}"},
            "{address}/v2/logout?client_id=portal%20client&returnTo=https%3A%2F%2Fsso.acme.example%2Flogged-out",
            id="Auth0's older one",
        ),
    ],
)
def test_a_logout_of_a_providers_own(
    provider: Provider, relying_party_of: Callable[..., RelyingParty], settings: dict[str, Any], url: str
) -> None:
    if "logout_template" in settings:
        provider.metadata["end_session_endpoint"] = ABSENT

    assert relying_party_of(provider, **settings).logout_url(id_token="a.b.c", state="s") == url.format(address=provider.address)


def test_a_local_logout_leaves_the_provider_alone(provider: Provider, relying_party_of: Callable[..., RelyingParty]) -> None:
    assert relying_party_of(provider, logout_style="local").logout_url() is None


# Back-channel -----------------------------------------------------------------------------------

EVENT = "http://schemas.openid.net/event/backchannel-logout"


def logout_token(provider: Provider, header: dict[str, Any] | None = None, **bent: Any) -> str:
    honest = {
        "iss": provider.issuer,
        "sub": "ada",
        "aud": CLIENT_ID,
        "iat": NOW,
        "exp": NOW + 120,
        "jti": "j1",
        "sid": "s1",
        "events": {EVENT: {}},
    }
    return provider.sign(present(honest | bent), {"typ": "logout+jwt"} | (header or {}))


def test_a_logout_token_names_the_session_that_ends(provider: Provider, relying_party: RelyingParty) -> None:
    ended = relying_party.logged_out(logout_token(provider))

    assert (ended.issuer, ended.sub, ended.sid, ended.jti) == (provider.issuer, "ada", "s1", "j1")
    assert ended.expires == NOW + 120 + 60  # remembered until no clock within the skew would take it again


ACCEPTED = [
    pytest.param({}, {"sid": ABSENT}, id="a subject alone"),
    pytest.param({}, {"sub": ABSENT}, id="a session alone"),
    pytest.param({"typ": ABSENT}, {}, id="no typ"),
    pytest.param({"typ": "JWT"}, {}, id="typ JWT, from before logout+jwt"),
    pytest.param({"typ": "application/Logout+JWT"}, {}, id="the long form of typ"),
    pytest.param({}, {"events": {EVENT: {"more": 1}, "https://other.example": {}}}, id="another event beside"),
    pytest.param({}, {"aud": [CLIENT_ID]}, id="a list of one audience"),
    pytest.param({}, {"iat": NOW + 60}, id="issued at the skew's end"),
]


@pytest.mark.parametrize(("header", "bent"), ACCEPTED)
def test_a_logout_token_that_passes_every_check_counts(
    provider: Provider, relying_party: RelyingParty, header: dict[str, Any], bent: dict[str, Any]
) -> None:
    assert relying_party.logged_out(logout_token(provider, header, **bent)).jti == "j1"


REFUSED = [
    pytest.param({"typ": "at+jwt"}, {}, "typ", id="an access token's typ"),
    pytest.param({"typ": ["logout+jwt"]}, {}, "typ", id="a list as typ"),
    pytest.param({}, {"iss": "https://evil.example"}, "iss", id="another issuer"),
    pytest.param({}, {"iss": ABSENT}, "iss", id="no issuer"),
    pytest.param({}, {"aud": "another client"}, "aud", id="another audience"),
    pytest.param({}, {"aud": ABSENT}, "aud", id="no audience"),
    pytest.param({}, {"iat": ABSENT}, "iat", id="no time of issue"),
    pytest.param({}, {"iat": NOW + 61}, "iat", id="issued in the future"),
    pytest.param({}, {"exp": ABSENT}, "exp", id="no expiry"),
    pytest.param({}, {"exp": NOW - 60}, "exp", id="expired"),
    pytest.param({}, {"jti": ABSENT}, "jti", id="no id"),
    pytest.param({}, {"jti": 7}, "jti", id="a number as id"),
    pytest.param({}, {"jti": "j" * 256}, "jti", id="an id longer than 255"),
    pytest.param({}, {"events": ABSENT}, "events", id="no events"),
    pytest.param({}, {"events": {}}, "events", id="no event"),
    pytest.param({}, {"events": {"https://other.example": {}}}, "events", id="another event"),
    pytest.param({}, {"events": {EVENT: True}}, "events", id="an event that is no object"),
    pytest.param({}, {"events": [EVENT]}, "events", id="a list of events"),
    pytest.param({}, {"nonce": "n"}, "nonce", id="a nonce, as an ID token has"),
    pytest.param({}, {"nonce": None}, "nonce", id="a nonce that is null"),
    pytest.param({}, {"sub": ABSENT, "sid": ABSENT}, "sub", id="neither subject nor session"),
    pytest.param({}, {"sub": ""}, "sub", id="an empty subject"),
    pytest.param({}, {"sid": ["s1"]}, "sid", id="a list of sessions"),
    pytest.param({}, {"sid": None}, "sid", id="a session that is null"),
    pytest.param({"crit": ["x"]}, {}, "crit", id="a critical extension"),
]


@pytest.mark.parametrize(("header", "bent", "check"), REFUSED)
def test_a_logout_token_that_fails_a_check_ends_nothing(
    provider: Provider, relying_party: RelyingParty, header: dict[str, Any], bent: dict[str, Any], check: str
) -> None:
    with pytest.raises(LogoutTokenRefused) as caught:
        relying_party.logged_out(logout_token(provider, header, **bent))

    assert caught.value.check == check
    assert "logout token" in caught.value.message


FORGED: list[Any] = [
    pytest.param(lambda p: compact({"alg": "none", "typ": "logout+jwt"}, honest(p), None, "none"), "alg", id="alg none"),
    pytest.param(
        lambda p: compact({"alg": "HS256"}, honest(p), CLIENT_SECRET.encode(), "HS256"), "alg", id="an HMAC with the client secret"
    ),
    pytest.param(lambda p: p.sign(honest(p), {"kid": "one"}, rsa_key("stranger")), "signature", id="a stranger's signature"),
    pytest.param(lambda p: p.sign(honest(p), {"kid": "stranger"}, rsa_key("stranger")), "key", id="a stranger's key"),
    pytest.param(lambda _: "", "form", id="nothing"),
    pytest.param(lambda _: "a.b.c", "form", id="three parts of nothing"),
]


def honest(provider: Provider) -> dict[str, Any]:
    return {"iss": provider.issuer, "sub": "ada", "aud": CLIENT_ID, "iat": NOW, "exp": NOW + 120, "jti": "j1", "events": {EVENT: {}}}


@pytest.mark.parametrize(("forge", "check"), FORGED)
def test_a_forged_logout_token_ends_nothing(
    provider: Provider, relying_party: RelyingParty, forge: Callable[[Provider], str], check: str
) -> None:
    with pytest.raises(LogoutTokenRefused) as caught:
        relying_party.logged_out(forge(provider))

    assert caught.value.check == check


def test_an_id_token_is_no_logout_token(provider: Provider, relying_party: RelyingParty) -> None:
    id_token = log_in(relying_party, provider).tokens.id_token

    with pytest.raises(LogoutTokenRefused):
        relying_party.logged_out(id_token)


def test_a_logout_token_waits_for_nothing_but_says_when_the_keys_are_unknown(provider: Provider, relying_party: RelyingParty) -> None:
    provider.replies["/jwks"] = Reply(503)

    with pytest.raises(ProviderUnreachable):
        relying_party.logged_out(logout_token(provider))
