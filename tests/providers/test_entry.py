"""What a provider's entry is made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jsmsso.errors import DiscoveryRefused, ProviderUnreachable, UsageError
from jsmsso.http_client import HttpClient
from jsmsso.providers.entry import checked, find_metadata, ordered, read_settings
from tests.providers.conftest import Play
from tests.providers.played import Said
from tests.services.oidc_provider import OidcProvider

WELL_KNOWN = "/.well-known/openid-configuration"


@pytest.mark.parametrize(
    "pair, key, value",
    [
        pytest.param("email_domains=acme.com", "email_domains", ["acme.com"], id="one text for a list"),
        pytest.param("email_domains=acme.com, acme.de", "email_domains", ["acme.com", "acme.de"], id="several with commas"),
        pytest.param("email_domains=[acme.com, acme.de]", "email_domains", ["acme.com", "acme.de"], id="a YAML list"),
        pytest.param("any_email=true", "any_email", True, id="a flag"),
        pytest.param("client_auth=none", "client_auth", "none", id="a text"),
        pytest.param("client_id=NO", "client_id", "NO", id="a text that older YAML takes for false"),
        pytest.param("callback=/callback/x=y", "callback", "/callback/x=y", id="an equals sign in the value"),
        pytest.param("endpoints.token=https://op.example/t", "endpoints", {"token": "https://op.example/t"}, id="a key in a key"),
        pytest.param("require={amr: [mfa]}", "require", {"amr": ["mfa"]}, id="a mapping"),
    ],
)
def test_a_setting_is_read_as_yaml_reads_it(pair: str, key: str, value: Any) -> None:
    assert read_settings([pair]) == {key: value}


def test_settings_below_one_key_come_together() -> None:
    pairs = ["endpoints.token=https://a.example", "endpoints.jwks=https://b.example"]
    assert read_settings(pairs) == {"endpoints": {"token": "https://a.example", "jwks": "https://b.example"}}


@pytest.mark.parametrize(
    "pairs", [["email_domains"], ["=x"], ["any_email="], ["a=[b"], ["a=1", "a=2"], ["a.b=1", "a.b=2"], ["a=1", "a.b=2"]]
)
def test_a_setting_that_cannot_be_read_is_refused(pairs: list[str]) -> None:
    with pytest.raises(UsageError):
        read_settings(pairs)


def test_a_secret_in_a_setting_is_not_repeated(tmp_path: Path) -> None:
    values = {
        "version": 1,
        "public_url": "https://sso.acme.com",
        "providers": {"a": {"type": "oidc", "issuer": "https://op.example", "client_id": "x", "client_secret": "hunter2hunter2"}},
    }
    with pytest.raises(UsageError) as refused:
        checked(values, tmp_path / "jsmsso.yaml")
    assert "providers.a.client_secret" in refused.value.message
    assert "hunter2" not in refused.value.message + refused.value.hint


def test_every_complaint_about_an_entry_comes_at_once(tmp_path: Path) -> None:
    values = {
        "version": 1,
        "public_url": "https://sso.acme.com",
        "providers": {"a": {"type": "oidc", "issuer": "https://op.example", "client_id": "x", "any_mail": True, "callback": "/cb"}},
    }
    with pytest.raises(UsageError) as refused:
        checked(values, tmp_path / "jsmsso.yaml")
    assert "providers.a.any_mail: the key is unknown" in refused.value.message
    assert "providers.a.callback" in refused.value.message
    assert "any_email" in refused.value.hint


def test_an_entry_is_written_in_the_order_of_the_reference() -> None:
    entry = {"client_id": "x", "any_email": True, "callback": "/callback", "issuer": None, "domain": "d", "type": "cognito"}
    assert list(ordered(entry)) == ["type", "domain", "client_id", "callback", "any_email"]


# Metadata --------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["", "/", WELL_KNOWN, f"{WELL_KNOWN}/"])
def test_an_issuer_may_be_pasted_with_slash_or_as_its_metadata(oidc_provider: OidcProvider, suffix: str) -> None:
    found = find_metadata(HttpClient(), f" {oidc_provider.issuer}{suffix} ", "")

    assert (found.metadata.issuer, found.discovery_url) == (oidc_provider.issuer, None)


@pytest.mark.parametrize("suffix", ["", WELL_KNOWN])
def test_the_issuer_is_taken_from_the_document_of_a_discovery_url(oidc_provider: OidcProvider, suffix: str) -> None:
    found = find_metadata(HttpClient(), "", oidc_provider.issuer + suffix)

    assert (found.metadata.issuer, found.discovery_url) == (oidc_provider.issuer, None)


def document(issuer: str, **changes: Any) -> Said:
    members = {
        "issuer": issuer,
        "authorization_endpoint": "https://op.example/a",
        "token_endpoint": "https://op.example/t",
        "jwks_uri": "https://op.example/j",
    }
    return Said(200, json.dumps(members | changes))


def test_a_final_slash_is_kept_as_the_metadata_has_it(play: Play) -> None:
    answers: dict[str, Said] = {}
    base = play(answers)
    answers[WELL_KNOWN] = document(f"{base}/")

    found = find_metadata(HttpClient(), base, "")

    assert (found.metadata.issuer, found.discovery_url) == (f"{base}/", None)


def test_a_discovery_url_elsewhere_is_kept(play: Play) -> None:
    base = play({f"/tenant{WELL_KNOWN}": document("https://op.example")})

    found = find_metadata(HttpClient(), "", f"{base}/tenant{WELL_KNOWN}?p=policy")

    assert (found.metadata.issuer, found.discovery_url) == ("https://op.example", f"{base}/tenant{WELL_KNOWN}?p=policy")


def test_the_metadata_of_another_issuer_is_refused(play: Play) -> None:
    base = play({WELL_KNOWN: document("https://other.example")})

    with pytest.raises(DiscoveryRefused, match=r"is of the issuer 'https://other\.example'"):
        find_metadata(HttpClient(), base, "")
    with pytest.raises(DiscoveryRefused, match=r"not of 'https://op\.example'"):
        find_metadata(HttpClient(), "https://op.example", base)


@pytest.mark.parametrize(
    "said, error, words",
    [
        pytest.param(Said(200, "<html>", "text/html"), ProviderUnreachable, "text/html where the metadata is due", id="HTML"),
        pytest.param(Said(404, "no"), DiscoveryRefused, "answered 404", id="nothing there"),
        pytest.param(Said(503, "no"), ProviderUnreachable, "answered 503", id="a fault"),
        pytest.param(Said(200, b"{" + b" " * 5_000_000), ProviderUnreachable, "larger than", id="5 MB"),
        pytest.param(Said(200, '{"issuer": "https://op.example"}'), DiscoveryRefused, "authorization_endpoint", id="no endpoints"),
        pytest.param(document("https://op.example", token_endpoint="http://op.example/t"), DiscoveryRefused, "not https", id="http"),
        pytest.param(
            document("https://op.example", id_token_signing_alg_values_supported=["HS256"]), DiscoveryRefused, "HS256 only", id="HMAC"
        ),
    ],
)
def test_metadata_that_cannot_be_used_is_refused(play: Play, said: Said, error: type[Exception], words: str) -> None:
    base = play({WELL_KNOWN: said})
    with pytest.raises(error, match=words):
        find_metadata(HttpClient(), "", base)


@pytest.mark.parametrize("issuer", ["http://op.example", "https://user:pw@op.example", "ftp://op.example", "https://op example"])
def test_what_is_no_address_of_a_provider_is_refused(issuer: str) -> None:
    with pytest.raises(UsageError, match="--issuer"):
        find_metadata(HttpClient(), issuer, "")
