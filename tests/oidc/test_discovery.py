"""The provider's metadata: whose it is, and which addresses may stand in it (OpenID Connect Discovery, RFC 8414)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jsmsso.errors import DiscoveryRefused, IdTokenRefused, ProviderFailed, ProviderUnreachable
from jsmsso.http_client import HttpClient
from jsmsso.oidc.discovery import discovery_address, fetch_metadata, oauth_discovery_address, read_metadata
from jsmsso.oidc.relying_party import RelyingParty
from tests.oidc.conftest import Clock, log_in
from tests.oidc.provider import ABSENT, Provider, Reply, running

pytestmark = pytest.mark.conformance

WELL_KNOWN = "/.well-known/openid-configuration"
REQUIRED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
OPTIONAL = ("userinfo_endpoint", "end_session_endpoint", "revocation_endpoint", "pushed_authorization_request_endpoint")


@pytest.mark.parametrize(
    "issuer",
    [
        pytest.param("https://evil.example", id="another"),
        pytest.param("{issuer}/", id="a slash more"),
        pytest.param(ABSENT, id="none"),
        pytest.param(["{issuer}"], id="a list"),
        pytest.param("{issuer}?", id="with an empty query"),
    ],
)
def test_metadata_of_another_issuer_is_refused(provider: Provider, relying_party: RelyingParty, issuer: Any) -> None:
    provider.metadata["issuer"] = issuer.format(issuer=provider.issuer) if isinstance(issuer, str) else issuer

    with pytest.raises(DiscoveryRefused, match="issuer"):
        relying_party.authorization_url(state="s", nonce="n", code_verifier="v" * 43)


def test_an_issuer_with_a_final_slash_is_taken_to_the_letter(provider: Provider, relying_party_of: Callable[..., RelyingParty]) -> None:
    slashed = f"{provider.issuer}/"
    provider.metadata["issuer"] = provider.claims["iss"] = provider.answer["iss"] = slashed

    assert log_in(relying_party_of(provider, issuer=slashed), provider).claims["iss"] == slashed


ADDRESSES = [
    pytest.param("http://op.example/x", id="http off loopback"),
    pytest.param("ftp://op.example/x", id="ftp"),
    pytest.param("javascript:alert(1)", id="a script"),
    pytest.param("//op.example/x", id="no scheme"),
    pytest.param("/x", id="a path"),
    pytest.param("https://", id="no host"),
    pytest.param("https://user:pw@op.example/x", id="with a user"),
    pytest.param("https://op.example/x#y", id="with a fragment"),
    pytest.param("https://op.example:port/x", id="a port that is no number"),
    pytest.param("https://[op/x", id="half an IPv6 address"),
    pytest.param("https://op.example/x\r\nset-cookie: a=b", id="with a line break"),
    pytest.param("https://op.example/x y", id="with a space"),
    pytest.param("https://öp.example/x", id="letters beyond ASCII"),
    pytest.param("", id="empty"),
    pytest.param(7, id="a number"),
    pytest.param(["https://op.example/x"], id="a list"),
]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("member", REQUIRED + OPTIONAL)
def test_an_endpoint_that_is_no_plain_https_address_is_refused(provider: Provider, member: str, address: Any) -> None:
    with pytest.raises(DiscoveryRefused, match=member):
        read_metadata({**provider.metadata, member: address})


@pytest.mark.parametrize("member", REQUIRED)
def test_an_endpoint_that_a_login_needs_must_be_there(provider: Provider, member: str) -> None:
    with pytest.raises(DiscoveryRefused, match=member):
        read_metadata({**provider.metadata, member: None})


@pytest.mark.parametrize("member", OPTIONAL)
def test_an_endpoint_that_a_login_does_without_may_be_missing(provider: Provider, member: str) -> None:
    assert getattr(read_metadata({**provider.metadata, member: None}), member) is None


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "[::1]:8080", "localhost", "op.localhost"])
def test_plain_http_is_taken_on_loopback(provider: Provider, host: str) -> None:
    assert read_metadata({**provider.metadata, "token_endpoint": f"http://{host}/token"}).token_endpoint == f"http://{host}/token"


ANSWERS = [
    pytest.param(Reply(404), DiscoveryRefused, id="404"),
    pytest.param(Reply(400, "<html>"), DiscoveryRefused, id="Cognito's domain answers 400 with a page"),
    pytest.param(Reply(500), ProviderUnreachable, id="500"),
    pytest.param(Reply(200, "<html>"), ProviderUnreachable, id="a page"),
    pytest.param(Reply(200, b""), ProviderUnreachable, id="nothing"),
    pytest.param(Reply(200, [1]), ProviderUnreachable, id="a list"),
    pytest.param(Reply(200, b'{"issuer": NaN}'), ProviderUnreachable, id="NaN"),
    pytest.param(Reply(200, b" " * 1_000_001), ProviderUnreachable, id="a megabyte and one byte"),
    pytest.param(Reply(302, headers={"location": "https://evil.example/"}), ProviderUnreachable, id="a redirect to another host"),
    pytest.param(Reply(302, headers={"location": "//localhost/x"}), ProviderUnreachable, id="a redirect to another name of the host"),
    pytest.param(Reply(302, headers={"location": WELL_KNOWN}), ProviderUnreachable, id="a redirect in a circle"),
]


@pytest.mark.parametrize(("reply", "error"), ANSWERS)
def test_an_answer_that_is_no_metadata_says_so(
    provider: Provider, relying_party: RelyingParty, reply: Reply, error: type[ProviderFailed]
) -> None:
    provider.replies[WELL_KNOWN] = reply

    with pytest.raises(error) as caught:
        relying_party.metadata  # noqa: B018

    assert caught.value.hint or "redirect" in caught.value.message or "larger" in caught.value.message


def test_a_redirect_on_the_same_host_is_followed(provider: Provider, relying_party: RelyingParty) -> None:
    provider.replies[WELL_KNOWN] = Reply(302, headers={"location": "/elsewhere"})
    provider.replies["/elsewhere"] = Reply(200, provider.metadata)

    assert relying_party.metadata.issuer == provider.issuer


def test_a_huge_foreign_issuer_is_cut_in_the_message(provider: Provider, relying_party: RelyingParty) -> None:
    provider.metadata["issuer"] = "https://evil.example/" + "x" * 100_000

    with pytest.raises(DiscoveryRefused) as caught:
        relying_party.metadata  # noqa: B018

    assert len(caught.value.message) < 600


@pytest.mark.parametrize(
    ("issuer", "oidc", "oauth"),
    [
        pytest.param(
            "https://op.example", "https://op.example/.well-known/openid-configuration",
            "https://op.example/.well-known/oauth-authorization-server", id="no path",
        ),
        pytest.param(
            "https://op.example/", "https://op.example/.well-known/openid-configuration",
            "https://op.example/.well-known/oauth-authorization-server", id="a final slash",
        ),
        pytest.param(
            "https://op.example/realms/a", "https://op.example/realms/a/.well-known/openid-configuration",
            "https://op.example/.well-known/oauth-authorization-server/realms/a", id="a path",
        ),
    ],
)  # fmt: skip
def test_where_an_issuers_metadata_lies(issuer: str, oidc: str, oauth: str) -> None:
    assert (discovery_address(issuer), oauth_discovery_address(issuer)) == (oidc, oauth)


@pytest.fixture
def with_a_path() -> Iterator[Provider]:
    with running("/realms/a") as one:
        yield one


def test_metadata_at_the_oauth_location_is_found(with_a_path: Provider, relying_party_of: Callable[..., RelyingParty]) -> None:
    with_a_path.replies["/realms/a/.well-known/openid-configuration"] = Reply(404)
    with_a_path.replies["/.well-known/oauth-authorization-server/realms/a"] = Reply(200, with_a_path.metadata)

    assert log_in(relying_party_of(with_a_path), with_a_path).claims["sub"] == "ada"


def test_metadata_at_the_oauth_location_must_name_the_issuer_too(
    with_a_path: Provider, relying_party_of: Callable[..., RelyingParty]
) -> None:
    with_a_path.replies["/realms/a/.well-known/openid-configuration"] = Reply(404)
    with_a_path.replies["/.well-known/oauth-authorization-server/realms/a"] = Reply(
        200, {**with_a_path.metadata, "issuer": with_a_path.address}
    )

    with pytest.raises(DiscoveryRefused, match="issuer"):
        relying_party_of(with_a_path).metadata  # noqa: B018


def test_where_neither_location_has_metadata_the_first_one_is_named(provider: Provider, relying_party: RelyingParty) -> None:
    provider.replies[WELL_KNOWN] = Reply(404)

    with pytest.raises(DiscoveryRefused, match=WELL_KNOWN):
        relying_party.metadata  # noqa: B018


def test_metadata_elsewhere_must_still_be_the_issuers(provider: Provider, another_provider: Provider) -> None:
    url = another_provider.issuer + WELL_KNOWN
    with pytest.raises(DiscoveryRefused, match="issuer"):
        fetch_metadata(HttpClient(), provider.issuer, discovery_url=url)

    another_provider.metadata["issuer"] = provider.issuer
    assert fetch_metadata(HttpClient(), provider.issuer, discovery_url=url).issuer == provider.issuer


def test_endpoints_of_the_profile_replace_the_metadatas(provider: Provider) -> None:
    endpoints = (("token_endpoint", "https://op.example/token"), ("userinfo_endpoint", "https://op.example/me"))
    metadata = fetch_metadata(HttpClient(), provider.issuer, endpoints=endpoints)

    assert (metadata.token_endpoint, metadata.userinfo_endpoint) == ("https://op.example/token", "https://op.example/me")
    with pytest.raises(DiscoveryRefused):
        fetch_metadata(HttpClient(), provider.issuer, endpoints=(("token_endpoint", "http://op.example/token"),))


def test_metadata_is_asked_again_after_an_hour_behind_the_logins_backs(
    provider: Provider, relying_party: RelyingParty, clock: Clock
) -> None:
    provider.claims["exp"] = 2 * 10**9
    log_in(relying_party, provider)
    clock.advance(3599)
    log_in(relying_party, provider)
    assert len(provider.calls_to(WELL_KNOWN)) == 1

    clock.advance(2)
    provider.replies[WELL_KNOWN] = Reply(503)
    assert log_in(relying_party, provider).claims["sub"] == "ada"


# Issuers that serve many tenants ---------------------------------------------------------------

GUID, OTHER = "8d1b2f60-0000-4000-8000-000000000001", "8d1b2f60-0000-4000-8000-000000000002"


@pytest.fixture
def shared() -> Iterator[Provider]:
    """As Entra's common: a template in the metadata, the tenant's own issuer in tokens."""
    with running("/common/v2.0") as one:
        one.metadata["issuer"] = f"{one.address}/{{tenantid}}/v2.0"
        one.metadata["authorization_response_iss_parameter_supported"] = False
        one.answer["iss"] = ABSENT
        one.claims.update(iss=f"{one.address}/{GUID}/v2.0", tid=GUID)
        yield one


def test_an_allowed_tenant_fills_the_issuers_template(shared: Provider, relying_party_of: Callable[..., RelyingParty]) -> None:
    assert log_in(relying_party_of(shared, tenants=(OTHER, GUID)), shared).claims["tid"] == GUID


@pytest.mark.parametrize(
    ("bent", "check"),
    [
        pytest.param({"tid": OTHER}, "tid", id="another tenant"),
        pytest.param({"tid": ABSENT}, "tid", id="no tenant"),
        pytest.param({"tid": [GUID]}, "tid", id="a list of tenants"),
        pytest.param({"tid": "{tenantid}"}, "tid", id="the template itself"),
        pytest.param({"iss": "{address}/{other}/v2.0"}, "iss", id="another tenant's issuer under an allowed tid"),
        pytest.param({"iss": "{address}/{{tenantid}}/v2.0"}, "iss", id="the template as issuer"),
    ],
)
def test_a_token_of_another_tenant_is_refused(
    shared: Provider, relying_party_of: Callable[..., RelyingParty], bent: dict[str, Any], check: str
) -> None:
    filled = {k: v.format(address=shared.address, other=OTHER) if k == "iss" else v for k, v in bent.items()}
    shared.claims.update(filled)

    with pytest.raises(IdTokenRefused, match=check):
        log_in(relying_party_of(shared, tenants=(GUID,)), shared)


def test_without_tenants_a_template_is_refused(shared: Provider, relying_party_of: Callable[..., RelyingParty]) -> None:
    with pytest.raises(DiscoveryRefused, match="tenants"):
        relying_party_of(shared).metadata  # noqa: B018
    url = shared.issuer + WELL_KNOWN
    with pytest.raises(DiscoveryRefused, match="tenants"):
        relying_party_of(shared, issuer=f"{shared.address}/{{tenantid}}/v2.0", discovery_url=url).metadata  # noqa: B018


@pytest.mark.parametrize("template", ["https://evil.example/{tenantid}/v2.0", "{address}/{tenantid}/{tenantid}", "{address}/{tenantid}"])
def test_a_template_of_another_place_is_refused(shared: Provider, relying_party_of: Callable[..., RelyingParty], template: str) -> None:
    shared.metadata["issuer"] = template.replace("{address}", shared.address)

    with pytest.raises(DiscoveryRefused, match="issuer"):
        relying_party_of(shared, tenants=(GUID,)).metadata  # noqa: B018


def test_the_answers_issuer_may_be_any_allowed_tenants(shared: Provider, relying_party_of: Callable[..., RelyingParty]) -> None:
    shared.answer["iss"] = f"{shared.address}/{GUID}/v2.0"
    assert log_in(relying_party_of(shared, tenants=(GUID,)), shared).claims["tid"] == GUID

    shared.answer["iss"] = f"{shared.address}/{OTHER}/v2.0"
    with pytest.raises(ProviderFailed, match="another issuer"):
        log_in(relying_party_of(shared, tenants=(GUID,)), shared)
