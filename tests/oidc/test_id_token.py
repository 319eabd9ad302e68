"""OpenID Connect Core 3.1.3.7: which ID tokens sign somebody in, and which never do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from jsmsso.errors import IdTokenRefused
from jsmsso.oidc.keys import KeySource, SigningKey
from jsmsso.oidc.relying_party import RelyingParty
from jsmsso.oidc.signature import verified_claims
from tests.oidc.conftest import log_in
from tests.oidc.provider import (
    ABSENT,
    CLIENT_ID,
    CLIENT_SECRET,
    NOW,
    Provider,
    at_hash,
    compact,
    ec_key,
    ed_key,
    public_jwk,
    rsa_key,
)

pytestmark = pytest.mark.conformance

STRANGER = "a key that the provider does not have"
Bend = Callable[[Provider], None]


def claims(**bent: Any) -> Bend:
    return lambda provider: provider.claims.update(bent)


def header(**bent: Any) -> Bend:
    return lambda provider: provider.header.update(bent)


def minted(mint: Callable[[Provider, dict[str, Any]], str]) -> Bend:
    def bend(provider: Provider) -> None:
        provider.mint = lambda honest: mint(provider, honest)

    return bend


def other_than_the_issuer(make: Callable[[str], str]) -> Bend:
    return lambda provider: provider.claims.update(iss=make(provider.issuer))


def with_an_hmac(secret: Callable[[Provider], bytes]) -> Bend:
    return minted(lambda provider, honest: compact({"alg": "HS256", "kid": "one"}, honest, secret(provider), "HS256"))


def by_a_stranger(**smuggled: Any) -> Bend:
    stranger = rsa_key("stranger")
    return minted(lambda provider, honest: provider.sign(honest, {"kid": "stranger", **smuggled}, stranger))


def altered(provider: Provider, honest: dict[str, Any]) -> str:
    head, _, signature = provider.sign(honest).split(".")
    return ".".join((head, provider.sign(honest | {"sub": "eve"}).split(".")[1], signature))


def with_a_short_key(provider: Provider) -> None:
    provider.keys = [rsa_key("short", 1024)]
    provider.signing_key = provider.keys[0]


def with_a_key(**members: Any) -> Bend:
    def bend(provider: Provider) -> None:
        provider.jwks = {"keys": [public_jwk(provider.signing_key) | members]}

    return bend


REFUSED = [
    pytest.param(claims(iss="https://evil.example"), "iss", id="another issuer"),
    pytest.param(other_than_the_issuer(lambda issuer: issuer + "/"), "iss", id="an issuer with a slash more"),
    pytest.param(claims(iss=ABSENT), "iss", id="no issuer"),
    pytest.param(claims(iss=["https://a.example"]), "iss", id="a list of issuers"),
    pytest.param(claims(aud="another client"), "aud", id="another audience"),
    pytest.param(claims(aud=ABSENT), "aud", id="no audience"),
    pytest.param(claims(aud=[]), "aud", id="an empty list of audiences"),
    pytest.param(claims(aud={CLIENT_ID: True}), "aud", id="an object as audience"),
    pytest.param(claims(aud=[CLIENT_ID, 7], azp=CLIENT_ID), "aud", id="a number among the audiences"),
    pytest.param(claims(aud=CLIENT_ID + " more"), "aud", id="an audience that only begins as ours"),
    pytest.param(claims(aud=[CLIENT_ID, "another client"]), "azp", id="several audiences without azp"),
    pytest.param(claims(aud=[CLIENT_ID, "another client"], azp="another client"), "azp", id="several audiences with a foreign azp"),
    pytest.param(claims(azp="another client"), "azp", id="one audience with a foreign azp"),
    pytest.param(claims(azp=[CLIENT_ID]), "azp", id="a list as azp"),
    pytest.param(claims(sub=ABSENT), "sub", id="no subject"),
    pytest.param(claims(sub=""), "sub", id="an empty subject"),
    pytest.param(claims(sub=["ada"]), "sub", id="a list of subjects"),
    pytest.param(claims(sub="a" * 256), "sub", id="a subject longer than 255"),
    pytest.param(claims(sub="ada\nadmin"), "sub", id="a subject with a line break"),
    pytest.param(claims(sub="ada\ud800"), "sub", id="a subject with half a character"),
    pytest.param(claims(iat=ABSENT), "iat", id="no time of issue"),
    pytest.param(claims(iat=NOW + 61), "iat", id="issued in the future beyond the skew"),
    pytest.param(claims(iat=str(NOW)), "iat", id="a text as time of issue"),
    pytest.param(claims(iat=True), "iat", id="true as time of issue"),
    pytest.param(claims(exp=ABSENT), "exp", id="no expiry"),
    pytest.param(claims(exp=NOW - 60), "exp", id="expired beyond the skew"),
    pytest.param(claims(exp=float("inf")), "exp", id="an infinite expiry"),
    pytest.param(claims(exp=10**300), "exp", id="an expiry beyond all time"),
    pytest.param(claims(nbf=NOW + 61), "nbf", id="not valid yet"),
    pytest.param(claims(nonce="another login's"), "nonce", id="another nonce"),
    pytest.param(claims(nonce=ABSENT), "nonce", id="no nonce"),
    pytest.param(claims(nonce=""), "nonce", id="an empty nonce"),
    pytest.param(claims(nonce="\ud800"), "nonce", id="a nonce with half a character"),
    pytest.param(claims(nonce=["a"]), "nonce", id="a list of nonces"),
    pytest.param(claims(email=["ada@acme.example"]), "email", id="a list of emails"),
    pytest.param(claims(at_hash=at_hash("another token", "RS256")), "at_hash", id="the hash of another access token"),
    pytest.param(claims(at_hash="\ud800"), "at_hash", id="a hash with half a character"),
    pytest.param(claims(token_use="access"), "token_use", id="an access token in its place"),
    pytest.param(claims(token_use=["id"]), "token_use", id="a list as token_use"),
    pytest.param(minted(lambda _, honest: compact({"alg": "none"}, honest, None, "none")), "alg", id="alg none"),
    pytest.param(minted(lambda _, honest: compact({"alg": "None", "kid": "one"}, honest, None, "none")), "alg", id="alg None"),
    pytest.param(minted(lambda _, honest: compact({"kid": "one"}, honest, None, "none")), "form", id="no alg"),
    pytest.param(minted(lambda _, honest: compact({"alg": ["RS256"], "kid": "one"}, honest, None, "none")), "alg", id="a list of algs"),
    pytest.param(minted(lambda p, honest: p.sign(honest, alg="RS512")), "alg", id="an algorithm that is not listed"),
    pytest.param(with_an_hmac(lambda p: p.signing_key.as_pem(private=False)), "alg", id="an HMAC made with the public key"),
    pytest.param(with_an_hmac(lambda _: CLIENT_SECRET.encode()), "alg", id="an HMAC made with the client secret"),
    pytest.param(minted(lambda p, honest: p.sign(honest).rpartition(".")[0] + "."), "signature", id="the signature stripped"),
    pytest.param(minted(altered), "signature", id="other claims under the signature"),
    pytest.param(minted(lambda p, honest: p.sign(honest, {"kid": "one"}, rsa_key("stranger"))), "signature", id="a stranger's signature"),
    pytest.param(by_a_stranger(), "key", id="a key that the provider does not have"),
    pytest.param(by_a_stranger(jwk=public_jwk(rsa_key("stranger"))), "key", id="a key smuggled in by jwk"),
    pytest.param(by_a_stranger(kid=ABSENT, jwk=public_jwk(rsa_key("stranger"))), "signature", id="a key smuggled in by jwk without kid"),
    pytest.param(by_a_stranger(x5c=["MIIB"]), "key", id="a key smuggled in by x5c"),
    pytest.param(header(kid=["one"]), "key", id="a list as kid"),
    pytest.param(header(crit=["b64"], b64=True), "crit", id="a critical extension that is not understood"),
    pytest.param(header(crit=[]), "crit", id="an empty list of critical extensions"),
    pytest.param(with_a_short_key, "discovery", id="an RSA key under 2,048 bits"),
    pytest.param(with_a_key(use="enc"), "discovery", id="a key for encryption"),
    pytest.param(with_a_key(key_ops=["sign"]), "discovery", id="a key that may not verify"),
    pytest.param(with_a_key(alg="RS512"), "key", id="a key for another algorithm"),
    pytest.param(minted(lambda *_: "a.b.c"), "form", id="three parts of nothing"),
    pytest.param(minted(lambda *_: ""), "form", id="an empty text"),
    pytest.param(minted(lambda *_: "äöü.b.c"), "form", id="letters beyond ASCII"),
    pytest.param(minted(lambda p, honest: p.sign(honest) + ".x.y"), "form", id="five parts"),
    pytest.param(minted(lambda p, honest: p.sign(honest | {"more": "x" * 70_000})), "form", id="a token larger than 64 kB"),
    pytest.param(minted(lambda p, honest: compact(["RS256"], honest, None, "none")), "form", id="a list as header"),  # type: ignore[arg-type]
    pytest.param(
        minted(lambda p, _: compact({"alg": "RS256", "kid": "one"}, ["claims"], p.signing_key, "RS256")), "form", id="a list of claims"
    ),
]


@pytest.mark.parametrize(("bend", "check"), REFUSED)
def test_an_id_token_that_fails_a_check_signs_nobody_in(provider: Provider, relying_party: RelyingParty, bend: Bend, check: str) -> None:
    bend(provider)

    with pytest.raises(Exception) as caught:  # noqa: PT011
        log_in(relying_party, provider)

    error = caught.value
    assert (error.check if isinstance(error, IdTokenRefused) else error.code.partition("_")[0]) == check  # type: ignore[attr-defined]
    assert provider.calls_to("/userinfo") == []


def test_addresses_of_keys_in_the_header_are_never_called(
    provider: Provider, another_provider: Provider, relying_party: RelyingParty
) -> None:
    stranger = rsa_key("stranger")
    another_provider.keys = [stranger]
    smuggled = {"kid": "stranger", "jku": f"{another_provider.address}/jwks", "x5u": f"{another_provider.address}/jwks"}
    provider.mint = lambda honest: provider.sign(honest, smuggled, stranger)

    with pytest.raises(IdTokenRefused):
        log_in(relying_party, provider)

    assert another_provider.calls == []


def test_a_cognito_token_needs_token_use(provider: Provider, relying_party_of: Callable[..., RelyingParty]) -> None:
    cognito = relying_party_of(provider, token_use_required=True)
    with pytest.raises(IdTokenRefused, match="token_use"):
        log_in(cognito, provider)

    provider.claims["token_use"] = "id"
    assert log_in(cognito, provider).claims["sub"] == "ada"


ACCEPTED = [
    pytest.param(claims(), id="as the specification shows it"),
    pytest.param(claims(aud=[CLIENT_ID]), id="a list of one audience"),
    pytest.param(claims(aud=["another client", CLIENT_ID], azp=CLIENT_ID), id="several audiences with our azp"),
    pytest.param(claims(azp=CLIENT_ID), id="one audience with our azp"),
    pytest.param(claims(iat=NOW + 60), id="issued at the skew's end"),
    pytest.param(claims(exp=NOW - 59), id="expired within the skew"),
    pytest.param(claims(iat=NOW + 0.5, exp=NOW + 300.5), id="times with fractions"),
    pytest.param(claims(at_hash=ABSENT), id="no at_hash"),
    pytest.param(claims(sub="a" * 255), id="a subject of 255 characters"),
    pytest.param(claims(token_use="id"), id="token_use id"),
    pytest.param(claims(nested={"a": [1, {"b": None}]}), id="claims of any shape"),
    pytest.param(header(kid=ABSENT), id="no kid with one key"),
    pytest.param(header(typ=ABSENT), id="no typ"),
    pytest.param(header(jku="https://evil.example/jwks", x5c=["MIIB"]), id="a header with addresses that are not looked at"),
]


@pytest.mark.parametrize("bend", ACCEPTED)
def test_an_id_token_that_passes_every_check_signs_in(provider: Provider, relying_party: RelyingParty, bend: Bend) -> None:
    bend(provider)

    authentication = log_in(relying_party, provider)

    assert authentication.claims["email"] == "ada@acme.example"


def test_without_kid_every_fitting_key_is_tried(provider: Provider, relying_party: RelyingParty) -> None:
    provider.keys = [rsa_key("two"), ec_key("ec"), rsa_key("one")]
    provider.header["kid"] = ABSENT

    assert log_in(relying_party, provider).claims["sub"] == "ada"


def test_without_kid_at_most_ten_keys_are_tried(provider: Provider, relying_party: RelyingParty) -> None:
    provider.jwks = {"keys": [public_jwk(rsa_key("two"), kid=str(number)) for number in range(10)] + [public_jwk(rsa_key("one"))]}
    provider.header["kid"] = ABSENT

    with pytest.raises(IdTokenRefused, match="signature"):
        log_in(relying_party, provider)


ALGORITHMS = [
    pytest.param("RS256", rsa_key, id="RS256"),
    pytest.param("RS384", rsa_key, id="RS384"),
    pytest.param("RS512", rsa_key, id="RS512"),
    pytest.param("PS256", rsa_key, id="PS256"),
    pytest.param("ES256", ec_key, id="ES256"),
    pytest.param("ES384", lambda kid: ec_key(kid, "P-384"), id="ES384"),
    pytest.param("ES512", lambda kid: ec_key(kid, "P-521"), id="ES512"),
    pytest.param("EdDSA", ed_key, id="EdDSA"),
    pytest.param("Ed25519", ed_key, id="Ed25519"),
]


def signs_with(provider: Provider, alg: str, key: Callable[[str], Any]) -> None:
    provider.alg, provider.signing_key = alg, key("main")
    provider.keys = [rsa_key("one"), provider.signing_key]


@pytest.mark.parametrize(("alg", "key"), ALGORITHMS)
def test_an_algorithm_that_the_profile_lists_is_taken(
    provider: Provider, relying_party_of: Callable[..., RelyingParty], alg: str, key: Callable[[str], Any]
) -> None:
    signs_with(provider, alg, key)

    assert log_in(relying_party_of(provider, algorithms=(alg,)), provider).claims["sub"] == "ada"


@pytest.mark.parametrize(("alg", "key"), ALGORITHMS)
def test_an_algorithm_that_only_the_metadata_lists_is_taken_where_the_profile_lists_none(
    provider: Provider, relying_party_of: Callable[..., RelyingParty], alg: str, key: Callable[[str], Any]
) -> None:
    signs_with(provider, alg, key)
    provider.metadata["id_token_signing_alg_values_supported"] = ["HS256", "none", alg]

    assert log_in(relying_party_of(provider), provider).claims["sub"] == "ada"


@pytest.mark.parametrize("listed", [["none", "RS256"], ["HS256", "RS256"], "none", [], ABSENT])
def test_metadata_can_never_allow_a_token_without_a_providers_key(provider: Provider, relying_party: RelyingParty, listed: Any) -> None:
    provider.metadata["id_token_signing_alg_values_supported"] = listed
    assert log_in(relying_party, provider).claims["sub"] == "ada"

    provider.mint = lambda honest: compact({"alg": "none"}, honest, None, "none")
    with pytest.raises(IdTokenRefused, match="alg"):
        log_in(relying_party, provider)
    provider.mint = lambda honest: compact({"alg": "HS256"}, honest, CLIENT_SECRET.encode(), "HS256")
    with pytest.raises(IdTokenRefused, match="alg"):
        log_in(relying_party, provider)


@pytest.mark.parametrize("alg", ["none", "HS256"])
def test_even_settings_cannot_allow_a_token_without_a_providers_key(
    provider: Provider, relying_party_of: Callable[..., RelyingParty], alg: str
) -> None:
    provider.jwks = {"keys": [public_jwk(rsa_key("one")), {"kty": "oct", "k": "c2VjcmV0"}]}
    provider.mint = lambda honest: compact({"alg": alg}, honest, CLIENT_SECRET.encode() if alg == "HS256" else None, alg)

    with pytest.raises(IdTokenRefused, match="alg"):
        log_in(relying_party_of(provider, algorithms=("RS256", alg)), provider)


@pytest.mark.parametrize("alg", ["none", "HS256"])
def test_no_key_is_even_looked_for_where_the_algorithm_needs_none(provider: Provider, alg: str) -> None:
    """The last line: whatever list of algorithms a caller hands over."""

    def fetch() -> tuple[tuple[SigningKey, ...], float]:
        raise AssertionError

    token = compact({"alg": alg}, {"sub": "ada"}, CLIENT_SECRET.encode() if alg == "HS256" else None, alg)
    with pytest.raises(IdTokenRefused, match="alg"):
        verified_claims(token, KeySource(fetch), ("RS256", alg))


def test_a_kid_that_is_no_text_costs_no_refetch(provider: Provider, relying_party: RelyingParty) -> None:
    provider.header["kid"] = ["one"]

    with pytest.raises(IdTokenRefused, match="key"):
        log_in(relying_party, provider)
    assert provider.calls_to("/jwks") == []


def test_a_key_of_another_curve_verifies_nothing(provider: Provider, relying_party_of: Callable[..., RelyingParty]) -> None:
    provider.keys = [rsa_key("one"), ec_key("main", "P-384")]
    provider.mint = lambda honest: provider.sign(honest, {"kid": "main"}, ec_key("main", "P-256"), "ES256")

    with pytest.raises(IdTokenRefused, match="key"):
        log_in(relying_party_of(provider, algorithms=("ES256",)), provider)


# What some providers do their own way --------------------------------------------------------------


def test_a_provider_that_repeats_no_nonce_must_be_named_as_one_and_a_wrong_nonce_counts_nowhere(
    provider: Provider, relying_party_of: Callable[..., RelyingParty]
) -> None:
    provider.claims["nonce"] = ABSENT
    assert log_in(relying_party_of(provider, nonce=False), provider).claims["sub"] == "ada"

    for nonce in ("another login's", ""):
        provider.claims["nonce"] = nonce
        with pytest.raises(IdTokenRefused, match="nonce"):
            log_in(relying_party_of(provider, nonce=False), provider)


@pytest.mark.parametrize(
    ("audiences", "accepted"),
    [
        pytest.param([CLIENT_ID, "https://op.example/"], True, id="a trusted one beside ours"),
        pytest.param(["https://op.example/"], False, id="a trusted one without ours"),
        pytest.param([CLIENT_ID, "https://op.example/", "another client"], False, id="a third one"),
    ],
)
def test_an_audience_that_the_provider_adds_to_every_token_needs_no_azp(
    provider: Provider, relying_party_of: Callable[..., RelyingParty], audiences: list[str], accepted: bool
) -> None:
    provider.claims["aud"] = audiences
    party = relying_party_of(provider, trusted_audiences=("https://op.example/",))

    if accepted:
        assert log_in(party, provider).claims["sub"] == "ada"
        return
    with pytest.raises(IdTokenRefused):
        log_in(party, provider)


def test_an_older_spelling_of_the_issuer_is_the_same_issuer(provider: Provider, relying_party_of: Callable[..., RelyingParty]) -> None:
    provider.claims["iss"] = "op.example"
    assert log_in(relying_party_of(provider, legacy_issuers=("op.example",)), provider).claims["iss"] == provider.issuer

    provider.claims["iss"] = "op.example/"
    with pytest.raises(IdTokenRefused, match="iss"):
        log_in(relying_party_of(provider, legacy_issuers=("op.example",)), provider)


def test_a_refused_token_never_shows_itself(provider: Provider, relying_party: RelyingParty) -> None:
    tokens: list[str] = []

    def mint(honest: dict[str, Any]) -> str:
        tokens.append(provider.sign(honest | {"aud": "x" * 5000}))
        return tokens[-1]

    provider.mint = mint
    with pytest.raises(IdTokenRefused) as caught:
        log_in(relying_party, provider)

    assert tokens[0] not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_the_skew_is_the_settings(provider: Provider, relying_party: RelyingParty) -> None:
    provider.claims["exp"] = NOW - 100
    with pytest.raises(IdTokenRefused, match="exp"):
        log_in(relying_party, provider)

    relying_party.settings = replace(relying_party.settings, clock_skew=300)
    assert log_in(relying_party, provider).claims["sub"] == "ada"
