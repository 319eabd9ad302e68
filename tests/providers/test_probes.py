"""What each answer of a provider is taken to mean; one that no probe knows means: could not tell."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from urllib.parse import parse_qs

import pytest
from joserfc.jwk import RSAKey

from jsmsso.errors import DiscoveryRefused, ProviderUnreachable
from jsmsso.http_client import HttpClient
from jsmsso.oidc.discovery import ProviderMetadata
from jsmsso.oidc.settings import ClientSettings
from jsmsso.providers.credentials import probe_credentials
from jsmsso.providers.known import provider_type
from jsmsso.providers.probes import (
    Probe,
    ask_authorization,
    probe_clock,
    probe_keys,
    probe_sign_out,
    read_asked,
    refused_scopes,
)
from jsmsso.sandbox.cognito import LocalCognito
from tests.providers.conftest import Play
from tests.providers.played import Said
from tests.services.oidc_provider import OidcProvider

CALLBACK = "http://localhost:8400/callback"
COGNITO, GITHUB, OIDC = map(provider_type, ("cognito", "github", "oidc"))
SETTINGS = ClientSettings(
    name="cognito", issuer="https://op.example", client_id="4bq2example", client_secret="s3cret", redirect_uri=CALLBACK,
    scopes=("openid", "profile", "email"), logout_style="cognito", post_logout_redirect_uri="http://localhost:8080/logged-out",
)  # fmt: skip


def metadata(base: str) -> ProviderMetadata:
    return ProviderMetadata(
        "https://op.example", f"{base}/authorize", f"{base}/token", f"{base}/jwks", end_session_endpoint=f"{base}/logout"
    )


def html(text: str) -> bytes:
    return f"<!doctype html><title>Hosted UI</title><style>p {{}}</style><body>{text}</body>".encode()


def to(location: str) -> Said:
    return Said(302, headers={"Location": location})


@pytest.mark.parametrize(
    "said, finding",
    [
        pytest.param(to("/login?client_id=4bq2example&redirect_uri=x"), "login", id="Cognito goes on to its login page"),
        pytest.param(Said(200, html("<form><input type=password>"), "text/html"), "login", id="a login page at once"),
        pytest.param(
            Said(200, html('<form><input type=hidden name=redirect_uri value="http://localhost:8400/callback">'), "text/html"),
            "login",
            id="a login page that carries our callback along",
        ),
        pytest.param(to("https://accounts.partner.example/login"), "login", id="straight to another identity provider"),
        pytest.param(to(f"{CALLBACK}?error=login_required&state=x"), "login", id="it would have asked the person"),
        pytest.param(to("/error?error=redirect_mismatch&client_id=4bq2example"), "callback", id="Cognito's own error page"),
        pytest.param(
            Said(400, json.dumps({"error": "invalid_request", "error_description": "redirect_uri is not allowed: x"})),
            "callback",
            id="MiniStack's refusal",
        ),
        pytest.param(Said(400, html("<h1>Error 400: redirect_uri_mismatch</h1>"), "text/html"), "callback", id="Google's refusal"),
        pytest.param(Said(400, html("<p>Invalid parameter: redirect_uri</p>"), "text/html"), "callback", id="Keycloak's refusal"),
        pytest.param(
            Said(200, html("AADSTS50011: The redirect URI does not match <form>"), "text/html"), "callback", id="Entra's, with status 200"
        ),
        pytest.param(to("/error?error=invalid_client"), "client", id="an error page about the client"),
        pytest.param(Said(400, '{"error": "invalid_client"}'), "client", id="MiniStack does not know the client"),
        pytest.param(Said(400, html("<p>Client not found.</p>"), "text/html"), "client", id="Keycloak does not know the client"),
        pytest.param(to(f"{CALLBACK}?error=invalid_scope&state=x"), "scope", id="a scope, as the standard has it"),
        pytest.param(
            to(f"{CALLBACK}?error_description=invalid_scope&error=invalid_request&state=x"), "scope", id="a scope, as Cognito has it"
        ),
        pytest.param(to(f"{CALLBACK}?error=unauthorized_client"), "refused", id="the code grant is off"),
        pytest.param(to(f"{CALLBACK}?error=server_error"), "unknown", id="a fault of the provider"),
        pytest.param(Said(403, html("Request blocked."), "text/html"), "unknown", id="a firewall"),
        pytest.param(Said(429, "{}"), "unknown", id="too many requests"),
        pytest.param(Said(404, html("Not found"), "text/html"), "unknown", id="nothing there"),
        pytest.param(Said(200, html("Loading..."), "text/html"), "unknown", id="a page without a form"),
        pytest.param(to("/error?error=temporary"), "unknown", id="an error page with words nobody knows"),
    ],
)
def test_the_authorization_endpoints_answer_is_understood(play: Play, said: Said, finding: str) -> None:
    asked = ask_authorization(HttpClient(), SETTINGS, metadata(play({"/authorize": said})), COGNITO)

    assert asked.finding == finding


def test_the_question_is_a_real_one_and_its_redirect_is_not_followed(play: Play) -> None:
    seen: list[str] = []

    def answer(method: str, target: str, headers: object, body: bytes) -> Said:
        seen.append(target)
        return to("/login")

    ask_authorization(HttpClient(), SETTINGS, metadata(play(answer)), COGNITO)

    assert len(seen) == 1
    query = {name: values[0] for name, values in parse_qs(seen[0].partition("?")[2]).items()}
    assert query["code_challenge_method"] == "S256"
    assert len(query["state"]) == len(query["nonce"]) == len(query["code_challenge"]) == 43
    assert query["redirect_uri"] == CALLBACK


def probes(play: Play, said: Said) -> dict[str, Probe]:
    asked = ask_authorization(HttpClient(), SETTINGS, metadata(play({"/authorize": said})), COGNITO)
    return {probe.name: probe for probe in read_asked(asked, SETTINGS, COGNITO, "providers.cognito")}


def test_a_callback_that_is_not_registered_says_where_to_add_it(play: Play) -> None:
    found = probes(play, to("/error?error=redirect_mismatch"))

    assert found["client id"].result == "right"
    error = found["callback"].error
    assert error is not None
    assert error.message == f"the callback {CALLBACK} is not registered at the provider (redirect_mismatch)"
    assert "Login pages > Edit > Allowed callback URLs" in error.hint


def test_an_unknown_client_says_which_setting_to_compare(play: Play) -> None:
    found = probes(play, Said(400, '{"error": "invalid_client"}'))

    assert found["callback"].result == "unknown"
    error = found["client id"].error
    assert error is not None
    assert "does not know the client id 4bq2example" in error.message
    assert "providers.cognito.client_id" in error.hint


def test_what_a_firewall_answers_is_neither_right_nor_wrong(play: Play) -> None:
    found = probes(play, Said(403, "denied", "text/plain"))

    assert {probe.result for probe in found.values()} == {"unknown"}


def test_a_provider_behind_its_own_error_page_cannot_write_to_the_terminal(play: Play) -> None:
    found = probes(play, to("/error?error=redirect_mismatch%1b%5B31m%0aOK"))

    assert "\x1b" not in found["callback"].error.message  # type: ignore[union-attr]
    assert "\n" not in found["callback"].error.message  # type: ignore[union-attr]


def test_the_refused_scope_is_found_out_by_asking_for_each(cognito: LocalCognito) -> None:
    client = cognito.add_client([CALLBACK], scopes=("openid", "email"))
    settings = replace(SETTINGS, client_id=client.client_id, client_secret=client.client_secret)
    known = replace(metadata(cognito.base_url), authorization_endpoint=f"{cognito.base_url}/oauth2/authorize")
    assert ask_authorization(HttpClient(), settings, known, COGNITO).finding == "scope"

    probe = refused_scopes(HttpClient(), settings, known, COGNITO)

    assert probe.error is not None
    assert probe.error.message == "the client does not allow the scope profile"
    assert "OpenID Connect scopes" in probe.error.hint


def test_a_client_without_openid_is_told_that_there_would_be_no_id_token(cognito: LocalCognito) -> None:
    client = cognito.add_client([CALLBACK], scopes=("profile", "email"))
    settings = replace(SETTINGS, client_id=client.client_id)
    known = replace(metadata(cognito.base_url), authorization_endpoint=f"{cognito.base_url}/oauth2/authorize")

    probe = refused_scopes(HttpClient(), settings, known, COGNITO)

    assert probe.error is not None
    assert probe.error.message == "the client does not allow the scope openid"
    assert "without openid there is no ID token" in probe.error.hint


# The token endpoint ---------------------------------------------------------------------------


def credentials(base: str, settings: ClientSettings = SETTINGS, *, known_client: bool = True) -> Probe:
    probe, _ = probe_credentials(
        HttpClient(), settings, metadata(base), COGNITO, reference="keyring:cognito/client_secret", known_client=known_client
    )
    return probe


@pytest.mark.parametrize(
    "said, result",
    [
        pytest.param(Said(400, '{"error": "invalid_grant"}'), "right", id="only the code is wrong"),
        pytest.param(Said(400, '{"error": "invalid_client"}'), "wrong", id="Cognito refuses the client with 400"),
        pytest.param(Said(401, '{"error": "invalid_client"}'), "wrong", id="the standard refuses the client with 401"),
        pytest.param(Said(400, '{"error": "unauthorized_client"}'), "wrong", id="the code grant is off"),
        pytest.param(Said(400, '{"error": "invalid_request"}'), "unknown", id="another error"),
        pytest.param(Said(400, '{"error": 7}'), "unknown", id="an error that is no text"),
        pytest.param(Said(200, "{}"), "unknown", id="an answer nobody understands"),
        pytest.param(Said(429, '{"message": "slow down"}'), "unknown", id="too many requests"),
        pytest.param(Said(403, html("Request blocked."), "text/html"), "unknown", id="a firewall"),
        pytest.param(Said(404, html("Not found"), "text/html"), "wrong", id="no token endpoint there"),
        pytest.param(Said(200, html("Welcome"), "text/html"), "wrong", id="a web site there"),
    ],
)
def test_the_token_endpoints_answer_to_a_code_that_cannot_exist(play: Play, said: Said, result: str) -> None:
    assert credentials(play({"/token": said})).result == result


@pytest.mark.parametrize(
    "said, result",
    [
        pytest.param('{"error": "bad_verification_code"}', "right", id="GitHub's word for the code"),
        pytest.param('{"error": "incorrect_client_credentials"}', "wrong", id="GitHub's word for the secret"),
        pytest.param('{"error": "something_else"}', "unknown", id="another word"),
    ],
)
def test_a_token_endpoint_with_words_of_its_own_is_understood(play: Play, said: str, result: str) -> None:
    base = play({"/token": Said(200, said)})
    probe, _ = probe_credentials(HttpClient(), SETTINGS, metadata(base), GITHUB, reference="env:SECRET", known_client=False)
    assert probe.result == result


def test_where_the_login_comes_first_nothing_is_called_right(play: Play) -> None:
    base = play({"/authorize": to("/login?return_to=x")})
    asked = ask_authorization(HttpClient(), SETTINGS, metadata(base), GITHUB)
    assert {probe.name: probe.verdict for probe in read_asked(asked, SETTINGS, GITHUB, "providers.github")} == {
        "client id": "could not tell",
        "callback": "could not tell",
    }


def test_a_client_that_proves_itself_by_its_key_is_told_from_one_with_another(oidc_provider: OidcProvider) -> None:
    keys = [RSAKey.generate_key(2048, private=True) for _ in range(2)]
    public = keys[0].as_dict(private=False)
    client = oidc_provider.add_client([CALLBACK], auth_method="private_key_jwt", jwks={"keys": [public]})
    settings = replace(SETTINGS, client_id=client.client_id, client_secret=None, client_auth="private_key_jwt")
    at = replace(metadata(oidc_provider.issuer), issuer=oidc_provider.issuer)
    probes = [
        probe_credentials(
            HttpClient(),
            replace(settings, client_key=json.dumps(key.as_dict(private=True))),
            at,
            OIDC,
            reference="env:K",
            known_client=True,
        )[0]
        for key in keys
    ]

    assert [(probe.name, probe.result) for probe in probes] == [("client key", "right"), ("client key", "wrong")]
    assert probes[1].error is not None
    assert "Register the public half of env:K" in probes[1].remedy


@pytest.mark.parametrize(
    "probe, verdict, remedy",
    [
        pytest.param(Probe("x", "right", "d"), "pass", "", id="right"),
        pytest.param(Probe("x", "right", "d", warning="mind that"), "warn", "mind that", id="right, but"),
        pytest.param(Probe("x", "wrong", "d", warning="do this"), "warn", "do this", id="wrong, though a login works"),
        pytest.param(Probe("x", "wrong", "d", DiscoveryRefused("m", "do this")), "fail", "do this", id="wrong"),
        pytest.param(Probe("x", "wrong", "d", DiscoveryRefused("m")), "fail", "m", id="wrong without a hint"),
        pytest.param(Probe("x", "unknown", "d"), "could not tell", "", id="unknown"),
    ],
)
def test_each_result_has_one_verdict(probe: Probe, verdict: str, remedy: str) -> None:
    assert (probe.verdict, probe.remedy) == (verdict, remedy)


def test_a_wrong_secret_says_which_one_and_how_to_set_it_anew(play: Play) -> None:
    error = credentials(play({"/token": Said(400, '{"error": "invalid_client"}')})).error

    assert error is not None
    assert error.message == "Cognito refused the client secret (invalid_client)"
    assert "It accepts the client id 4bq2example, so the secret is the likely cause" in error.hint
    assert "jsmsso secrets set cognito/client_secret" in error.hint
    assert "s3cret" not in error.message + error.hint


def test_where_the_client_id_may_be_wrong_too_it_is_not_called_right(play: Play) -> None:
    error = credentials(play({"/token": Said(400, '{"error": "invalid_client"}')}), known_client=False).error

    assert error is not None
    assert "The client id 4bq2example or its secret is wrong" in error.hint


def test_a_client_with_a_secret_that_the_profile_lacks_is_told_so(play: Play) -> None:
    settings = replace(SETTINGS, client_secret=None)
    error = credentials(play({"/token": Said(400, '{"error": "invalid_client"}')}), settings).error

    assert error is not None
    assert "which sent no secret" in error.message
    assert "client_secret: keyring:cognito/client_secret" in error.hint


def test_a_web_site_in_place_of_the_token_endpoint_points_to_the_domain(play: Play) -> None:
    error = credentials(play({"/token": Said(200, html("Welcome"), "text/html")})).error

    assert isinstance(error, ProviderUnreachable)
    assert "`domain`" in error.hint


@pytest.mark.parametrize("auth_method", ["client_secret_basic", "client_secret_post"])
def test_a_certified_provider_tells_a_right_secret_from_a_wrong_one(oidc_provider: OidcProvider, auth_method: str) -> None:
    client = oidc_provider.add_client([CALLBACK], auth_method=auth_method)
    settings = replace(SETTINGS, client_id=client.client_id, client_auth=auth_method)  # type: ignore[arg-type]

    assert credentials(oidc_provider.issuer, replace(settings, client_secret=client.client_secret)).result == "right"
    assert credentials(oidc_provider.issuer, replace(settings, client_secret="wrong")).result == "wrong"


def test_a_provider_that_has_gone_is_unreachable(free_port: Callable[[], int]) -> None:
    with pytest.raises(ProviderUnreachable, match="cannot be reached"):
        credentials(f"http://127.0.0.1:{free_port()}")


def test_an_answer_of_five_megabytes_is_not_read(play: Play) -> None:
    with pytest.raises(ProviderUnreachable, match="larger than"):
        credentials(play({"/token": Said(200, b" " * 5_000_000)}))


# Keys, clock, sign-out -------------------------------------------------------------------------


def test_keys_that_fit_no_accepted_algorithm_are_wrong(play: Play, oidc_provider: OidcProvider) -> None:
    known = replace(metadata(""), jwks_uri=f"{oidc_provider.issuer}/jwks")

    assert probe_keys(HttpClient(), SETTINGS, known).result == "right"
    wrong = probe_keys(HttpClient(), replace(SETTINGS, algorithms=("ES256",)), known)
    assert wrong.result == "wrong"
    assert "fits ES256" in str(wrong.error)


def test_a_jwks_without_a_key_is_refused(play: Play) -> None:
    base = play({"/jwks": Said(200, '{"keys": []}')})
    with pytest.raises(DiscoveryRefused, match="no key that can verify"):
        probe_keys(HttpClient(), SETTINGS, metadata(base))


@pytest.mark.parametrize(
    "offset, result, words",
    [
        pytest.param(0, "right", "within 1 s", id="the same"),
        pytest.param(-2, "right", "within 2 s", id="a little off"),
        pytest.param(45, "right", "45 s behind", id="beyond what NTP allows"),
        pytest.param(61, "wrong", "61 s behind", id="behind, beyond the skew"),
        pytest.param(-3600, "wrong", "3600 s ahead of", id="ahead by an hour"),
    ],
)
def test_the_clock_is_compared_with_the_providers(offset: int, result: str, words: str) -> None:
    probe = probe_clock(formatdate(1_800_000_000 + offset, usegmt=True), 1_800_000_000, 60)

    assert (probe.result, words in probe.detail) == (result, True)
    assert bool(probe.warning) == (30 < abs(offset) <= 60)
    if result == "wrong":
        assert words in str(probe.error)
        assert "NTP" in probe.error.hint  # type: ignore[union-attr]


@pytest.mark.parametrize("date", [None, "", "yesterday", "Mon, 99 Foo 2026"])
def test_a_clock_that_cannot_be_compared_is_no_wrong_one(date: str | None) -> None:
    assert probe_clock(date, 1_800_000_000, 60).result == "unknown"


@pytest.mark.parametrize(
    "said, result",
    [
        pytest.param(to("http://localhost:8080/logged-out"), "right", id="sent back to it"),
        pytest.param(Said(400, '{"error": "invalid_request", "error_description": "logout_uri"}'), "wrong", id="MiniStack's refusal"),
        pytest.param(to("/error?error=redirect_mismatch"), "wrong", id="an error page"),
        pytest.param(Said(200, html("Sign out?"), "text/html"), "unknown", id="a page that asks"),
        pytest.param(to("/login"), "unknown", id="back to the login"),
        pytest.param(Said(403, "blocked redirect_uri", "text/plain"), "unknown", id="a firewall"),
    ],
)
def test_the_sign_out_address_is_probed_and_only_warned_about(play: Play, said: Said, result: str) -> None:
    probe = probe_sign_out(HttpClient(), SETTINGS, metadata(play({"/logout": said})), COGNITO)

    assert probe is not None
    assert (probe.result, probe.error, bool(probe.warning)) == (result, None, result == "wrong")


def test_a_provider_without_a_logout_is_not_asked() -> None:
    assert probe_sign_out(HttpClient(), SETTINGS, replace(metadata(""), end_session_endpoint=None), COGNITO) is None
