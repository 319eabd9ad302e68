"""The good paths at a certified provider that we did not write (npm oidc-provider)."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from jsmsso.errors import TokenRequestRefused
from jsmsso.http_client import HttpClient
from jsmsso.oidc.authorization import read_answer
from jsmsso.oidc.pushed_authorization import push_authorization
from jsmsso.oidc.relying_party import Authentication, RelyingParty
from jsmsso.oidc.settings import ClientSettings
from tests.oidc.provider import REDIRECT_URI, ec_key, public_jwk, rsa_key
from tests.services.oidc_provider import OidcProvider

pytestmark = pytest.mark.conformance

LOGGED_OUT = "https://sso.acme.example/logged-out"


def party_at(
    provider: OidcProvider, *, auth_method: str = "client_secret_basic", metadata: dict[str, Any] | None = None, **more: Any
) -> RelyingParty:
    client = provider.add_client([REDIRECT_URI], [LOGGED_OUT], auth_method=auth_method, **(metadata or {}))
    given: dict[str, Any] = {
        "name": "certified",
        "issuer": provider.issuer,
        "client_id": client.client_id,
        "client_secret": client.client_secret or None,
        "redirect_uri": REDIRECT_URI,
        "scopes": ("openid", "email", "profile", "offline_access"),
        "client_auth": auth_method,
        "prompt": "consent",
        "post_logout_redirect_uri": LOGGED_OUT,
    }
    return RelyingParty(ClientSettings(**{**given, **more}), HttpClient())


def log_in(party: RelyingParty, provider: OidcProvider, *, pushed: bool = False) -> Authentication:
    state, nonce, code_verifier = (secrets.token_urlsafe(32) for _ in range(3))
    url = party.authorization_url(state=state, nonce=nonce, code_verifier=code_verifier)
    if pushed:
        url = push_authorization(HttpClient(), party.settings, party.metadata, url)
        assert set(re.findall(r"[?&](\w+)=", url)) == {"client_id", "request_uri"}
    answer = read_answer(urlsplit(through_the_pages(url, provider)).query)
    assert answer.state == state
    return party.complete(answer, nonce=nonce, code_verifier=code_verifier, wants_userinfo=lambda claims: "given_name" not in claims)


def through_the_pages(url: str, provider: OidcProvider) -> str:
    """What a person does: fills in the login page, agrees, and ends at the callback."""
    browser = requests.Session()
    answer = browser.get(url, allow_redirects=False)
    for _ in range(20):
        location = answer.headers.get("location")
        if location and location.startswith(REDIRECT_URI):
            return location
        if location:
            answer = browser.get(urljoin(answer.url, location), allow_redirects=False)
            continue
        form = re.search(r'action="(/interaction/[^"]+/(?:login|consent))"', answer.text)
        assert form, answer.text
        person = {"email": provider.email, "password": provider.password}
        answer = browser.post(urljoin(answer.url, form[1]), data=person, allow_redirects=False)
    raise AssertionError("the pages do not end")


def test_a_login_refresh_and_revocation(oidc_provider: OidcProvider) -> None:
    party = party_at(oidc_provider)

    first = log_in(party, oidc_provider)
    assert first.claims["email"] == oidc_provider.email
    assert first.claims["given_name"]

    renewed = party.refresh(first.tokens.refresh_token or "", first.id_claims)
    assert renewed.id_claims is not None
    assert renewed.id_claims["sub"] == first.claims["sub"]

    assert party.revoke(renewed.tokens.refresh_token) is True
    with pytest.raises(TokenRequestRefused, match="invalid_grant"):
        party.refresh(renewed.tokens.refresh_token, first.id_claims)


@pytest.mark.parametrize("auth_method", ["client_secret_basic", "client_secret_post", "none"])
def test_every_way_of_client_authentication(oidc_provider: OidcProvider, auth_method: str) -> None:
    assert log_in(party_at(oidc_provider, auth_method=auth_method), oidc_provider).claims["email"] == oidc_provider.email


@pytest.mark.parametrize("key", [pytest.param(rsa_key("client"), id="RSA"), pytest.param(ec_key("client"), id="P-256")])
def test_an_assertion_by_the_clients_key(oidc_provider: OidcProvider, key: Any) -> None:
    metadata: dict[str, Any] = {"jwks": {"keys": [public_jwk(key)]}}
    if key.key_type == "EC":
        metadata["token_endpoint_auth_signing_alg"] = "ES256"
    party = party_at(oidc_provider, auth_method="private_key_jwt", metadata=metadata, client_key=json.dumps(key.as_dict(private=True)))

    assert log_in(party, oidc_provider).claims["email"] == oidc_provider.email


def test_a_pushed_request(oidc_provider: OidcProvider) -> None:
    party = party_at(oidc_provider, metadata={"require_pushed_authorization_requests": True})

    assert log_in(party, oidc_provider, pushed=True).claims["email"] == oidc_provider.email


def test_userinfo_where_the_id_token_is_thin(start_oidc_provider: Any) -> None:
    provider = start_oidc_provider(claims_in_id_token=False)

    authentication = log_in(party_at(provider), provider)

    assert authentication.userinfo_fetched
    assert authentication.claims["email"] == provider.email
    assert "email" not in authentication.id_claims


def test_a_recent_login_where_max_age_asks_for_one(oidc_provider: OidcProvider) -> None:
    assert log_in(party_at(oidc_provider, max_age=300), oidc_provider).id_claims["auth_time"]


def test_the_logout_address_is_taken(oidc_provider: OidcProvider) -> None:
    party = party_at(oidc_provider, id_token_hint=True)
    id_token = log_in(party, oidc_provider).tokens.id_token

    page = requests.get(party.logout_url(id_token=id_token, state="s") or "", timeout=30)

    assert page.status_code == 200
    assert "/session/end/confirm" in page.text
    assert 'id="error"' not in page.text
