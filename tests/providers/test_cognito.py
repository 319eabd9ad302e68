"""Cognito: a domain as people paste it, and which issuer may be pinned."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest

from jsmsso.errors import DiscoveryRefused, ProviderUnreachable, UsageError
from jsmsso.http_client import HttpClient
from jsmsso.providers.cognito import ISSUER, endpoints, find_issuer, issuer_from_id_token, issuers_of_pool, mend_domain
from jsmsso.sandbox.cognito import LocalCognito
from tests.providers.conftest import Play
from tests.providers.played import Said

POOL = "eu-west-1_a1B2c3D4e"
DOMAIN = "acme.auth.eu-west-1.amazoncognito.com"


@pytest.mark.parametrize(
    "pasted, mended",
    [
        pytest.param(DOMAIN, DOMAIN, id="as it is"),
        pytest.param(f"https://{DOMAIN}", DOMAIN, id="with its scheme"),
        pytest.param(f"  HTTPS://{DOMAIN.upper()}/ \n", DOMAIN, id="in capitals, with slash and spaces"),
        pytest.param(f"http://{DOMAIN}", DOMAIN, id="with http, which Cognito does not speak"),
        pytest.param(f"{DOMAIN}:443", DOMAIN, id="with https's own port"),
        pytest.param("login.bücher.example", "login.xn--bcher-kva.example", id="a custom domain with an umlaut"),
        pytest.param("http://127.0.0.1:4599/", "http://127.0.0.1:4599", id="MiniStack keeps scheme and port"),
        pytest.param("http://LOCALHOST:4599", "http://localhost:4599", id="localhost"),
        pytest.param("http://[::1]:4599", "http://[::1]:4599", id="IPv6 loopback"),
        pytest.param("127.0.0.1:4599", "http://127.0.0.1:4599", id="loopback without a scheme"),
    ],
)
def test_a_pasted_domain_is_mended(pasted: str, mended: str) -> None:
    assert mend_domain(pasted) == mended


@pytest.mark.parametrize(
    "pasted",
    ["", "acme", f"https://{DOMAIN}/oauth2/authorize", f"https://user:secret@{DOMAIN}", f"{DOMAIN}?x=1", f"{DOMAIN}:8443", "a b.example",
     "https://[::1", "https://acme..example"],
)  # fmt: skip
def test_what_is_no_domain_is_refused(pasted: str) -> None:
    with pytest.raises(UsageError):
        mend_domain(pasted)


def test_the_endpoints_stand_on_the_domain() -> None:
    assert endpoints(DOMAIN)["token_endpoint"] == f"https://{DOMAIN}/oauth2/token"
    assert endpoints("http://127.0.0.1:4599")["userinfo_endpoint"] == "http://127.0.0.1:4599/oauth2/userInfo"


def test_a_pool_has_two_shapes_of_issuer() -> None:
    assert issuers_of_pool(POOL) == (
        f"https://cognito-idp.eu-west-1.amazonaws.com/{POOL}",
        f"https://issuer-cognito-idp.eu-west-1.amazonaws.com/{POOL}",
    )
    with pytest.raises(UsageError, match="no user pool id"):
        issuers_of_pool("eu-west-1")


@pytest.mark.parametrize(
    "issuer",
    [
        "https://cognito-idp.eu-west-1.amazonaws.com/us-east-1_a1B2c3D4e",
        "https://cognito-idp.eu-west-1.amazonaws.com.evil.example/eu-west-1_a1B2c3D4e",
        "https://evil.example/cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a1B2c3D4e",
        "http://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a1B2c3D4e",
        "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a1B2c3D4e/",
        "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a1B2c3D4e\n",
    ],
)
def test_an_issuer_of_another_shape_is_none(issuer: str) -> None:
    assert ISSUER.fullmatch(issuer) is None


def test_the_issuer_of_a_pool_is_found_at_its_discovery_address(cognito: LocalCognito) -> None:
    found = find_issuer(HttpClient(), cognito.domain, cognito.user_pool_id, cognito.discovery_url)

    assert found == cognito.issuer


def test_a_pool_of_another_domain_is_refused(cognito: LocalCognito) -> None:
    with pytest.raises(DiscoveryRefused, match=r"not on the domain login\.acme\.com") as refused:
        find_issuer(HttpClient(), "login.acme.com", cognito.user_pool_id, cognito.discovery_url)
    assert "Branding > Domain" in refused.value.hint


def test_the_metadata_of_another_pool_is_refused(cognito: LocalCognito) -> None:
    with pytest.raises(DiscoveryRefused, match="not of the pool eu-west-1_Another"):
        find_issuer(HttpClient(), cognito.domain, "eu-west-1_Another", cognito.discovery_url)


def test_where_nothing_answers_nothing_is_found(free_port: Callable[[], int]) -> None:
    assert find_issuer(HttpClient(), DOMAIN, POOL, f"http://127.0.0.1:{free_port()}/.well-known/openid-configuration") is None


# The issuer of a login -------------------------------------------------------------------------


def id_token(issuer: Any) -> str:
    """Signed by nobody: who reads the issuer of it does not trust it yet."""
    parts = ({"alg": "RS256"}, {"iss": issuer}, "signature")
    return ".".join(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)


def test_the_issuer_of_a_login_is_taken_when_its_metadata_names_the_domain(cognito: LocalCognito) -> None:
    found = issuer_from_id_token(HttpClient(), id_token(cognito.issuer), cognito.domain, cognito.discovery_url)

    assert found == cognito.issuer


@pytest.mark.parametrize(
    "issuer, domain, words",
    [
        pytest.param("https://evil.example/pool", DOMAIN, "none of a Cognito pool's", id="no pool's"),
        pytest.param(None, DOMAIN, "none of a Cognito pool's", id="none at all"),
        pytest.param(["x"], DOMAIN, "none of a Cognito pool's", id="no text"),
        pytest.param("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Xy", DOMAIN, "the domain in eu-west-1", id="another region"),
    ],
)
def test_an_issuer_that_cannot_be_the_domains_is_refused_before_anything_is_fetched(issuer: Any, domain: str, words: str) -> None:
    with pytest.raises(DiscoveryRefused, match=words):
        issuer_from_id_token(HttpClient(), id_token(issuer), domain)


def test_somebody_elses_pool_behind_the_domain_is_refused(cognito: LocalCognito, play: Play) -> None:
    # A token endpoint that hands out tokens of another pool: that pool's own metadata does not name our domain.
    ours = play({})
    with pytest.raises(DiscoveryRefused, match="which is not on the domain"):
        issuer_from_id_token(HttpClient(), id_token(cognito.issuer), ours, cognito.discovery_url)


def test_metadata_that_names_another_issuer_than_the_login_is_refused(cognito: LocalCognito) -> None:
    other = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Another"
    with pytest.raises(DiscoveryRefused, match="the ID token"):
        issuer_from_id_token(HttpClient(), id_token(other), cognito.domain, cognito.discovery_url)


def test_metadata_that_is_html_is_no_metadata(play: Play) -> None:
    base = play({"/d": Said(200, "<html>", "text/html")})
    with pytest.raises(ProviderUnreachable, match="text/html where the metadata is due"):
        issuer_from_id_token(HttpClient(), id_token(issuers_of_pool(POOL)[0]), base, f"{base}/d")
