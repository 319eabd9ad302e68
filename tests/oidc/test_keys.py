"""The provider's keys: rotation, restraint, and logins that go on while the provider is down."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from jsmsso.errors import DiscoveryRefused, IdTokenRefused, JsmssoError, LogoutTokenRefused, ProviderUnreachable
from jsmsso.oidc.keys import SigningKey, lifetime, read_keys
from jsmsso.oidc.relying_party import RelyingParty
from tests.oidc.conftest import Clock, log_in
from tests.oidc.provider import ABSENT, Call, Provider, Reply, ec_key, ed_key, public_jwk, rsa_key

pytestmark = pytest.mark.conformance

HOUR, DAY = 3600, 86400


def rotate(provider: Provider, kid: str = "two") -> None:
    provider.signing_key = rsa_key(kid)
    provider.keys = [provider.signing_key]


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether it comes to hold, for what another thread does."""
    for _ in range(1000):
        if holds():
            return True
        time.sleep(0.01)
    return False


def settled() -> bool:
    """Whether what refreshes behind the logins' backs has come to its end."""
    return eventually(lambda: not any(thread.name == "jsmsso-refresh" for thread in threading.enumerate()))


def test_the_keys_are_fetched_once_for_many_logins(provider: Provider, relying_party: RelyingParty) -> None:
    for _ in range(3):
        log_in(relying_party, provider)

    assert len(provider.calls_to("/jwks")) == 1


def test_a_key_that_is_new_since_the_last_login_signs_in(provider: Provider, relying_party: RelyingParty) -> None:
    log_in(relying_party, provider)
    rotate(provider)

    assert log_in(relying_party, provider).claims["sub"] == "ada"
    assert len(provider.calls_to("/jwks")) == 2


def test_a_key_that_changes_just_before_signing_signs_in(provider: Provider, relying_party: RelyingParty) -> None:
    log_in(relying_party, provider)

    def rotated(claims: dict[str, Any]) -> str:
        rotate(provider)
        return provider.sign(claims)

    provider.mint = rotated
    assert log_in(relying_party, provider).claims["sub"] == "ada"


def test_a_new_key_without_kid_signs_in(provider: Provider, relying_party: RelyingParty) -> None:
    provider.header["kid"] = ABSENT
    log_in(relying_party, provider)
    rotate(provider)

    assert log_in(relying_party, provider).claims["sub"] == "ada"


def test_a_new_key_under_the_old_kid_signs_in(provider: Provider, relying_party: RelyingParty) -> None:
    log_in(relying_party, provider)
    rotate(provider)
    provider.header["kid"] = "one"
    provider.jwks = {"keys": [public_jwk(rsa_key("two"), kid="one")]}

    assert log_in(relying_party, provider).claims["sub"] == "ada"


@pytest.mark.parametrize("kid", ["nobody's", ABSENT])
def test_an_unknown_key_refetches_once_and_then_not_again_within_a_minute(
    provider: Provider, relying_party: RelyingParty, clock: Clock, kid: Any
) -> None:
    log_in(relying_party, provider)
    provider.mint = lambda claims: provider.sign(claims, {"kid": kid}, rsa_key("stranger"))

    for seconds, fetched in ((0, 2), (0, 2), (59.9, 2), (0.2, 3), (0, 3)):
        clock.advance(seconds)
        with pytest.raises(IdTokenRefused):
            log_in(relying_party, provider)
        assert len(provider.calls_to("/jwks")) == fetched


def test_an_unknown_key_is_refused_while_the_provider_is_down(provider: Provider, relying_party: RelyingParty) -> None:
    log_in(relying_party, provider)
    provider.replies["/jwks"] = Reply(503)
    provider.mint = lambda claims: provider.sign(claims, {"kid": "nobody's"}, rsa_key("stranger"))

    with pytest.raises(IdTokenRefused, match="key"):
        log_in(relying_party, provider)

    provider.mint = None
    assert log_in(relying_party, provider).claims["sub"] == "ada"


LIFETIMES = [
    pytest.param("", HOUR, id="an hour where nothing is said"),
    pytest.param("max-age=600", 600, id="as said"),
    pytest.param("public, max-age=600, must-revalidate", 600, id="among others"),
    pytest.param("Max-Age=600", 600, id="in capitals"),
    pytest.param("max-age=0", 300, id="at least five minutes"),
    pytest.param("no-store", HOUR, id="an hour where only storing is spoken of"),
    pytest.param("max-age=999999999", DAY, id="at most a day"),
    pytest.param("max-age=-5", HOUR, id="no number"),
    pytest.param("x-max-age=5, s-maxage=7", HOUR, id="another word"),
]


@pytest.mark.parametrize(("cache_control", "seconds"), LIFETIMES)
def test_keys_are_kept_as_long_as_the_provider_says_within_limits(
    provider: Provider, relying_party: RelyingParty, clock: Clock, cache_control: str, seconds: float
) -> None:
    provider.jwks_cache_control = cache_control
    provider.claims["exp"] = 2 * 10**9
    log_in(relying_party, provider)

    clock.advance(seconds - 1)
    log_in(relying_party, provider)
    assert settled()
    assert len(provider.calls_to("/jwks")) == 1

    clock.advance(1)
    log_in(relying_party, provider)
    assert settled()
    assert len(provider.calls_to("/jwks")) == 2


def test_a_login_with_a_known_key_never_waits_for_a_refetch(provider: Provider, relying_party: RelyingParty, clock: Clock) -> None:
    provider.claims["exp"] = 2 * 10**9
    log_in(relying_party, provider)
    asked, go_on = threading.Event(), threading.Event()

    def wait(_: Call) -> None:
        asked.set()
        go_on.wait(30)

    provider.replies["/jwks"] = wait
    clock.advance(HOUR + 1)
    try:
        for _ in range(3):
            assert log_in(relying_party, provider).claims["sub"] == "ada"
        assert asked.wait(30)
        assert len(provider.calls_to("/jwks")) == 2
    finally:
        go_on.set()


def at_once(count: int, act: Callable[[], object]) -> list[object]:
    """What ``count`` threads get that start together; a refusal stands for itself."""
    barrier = threading.Barrier(count)

    def one(_: int) -> object:
        barrier.wait()
        try:
            return act()
        except JsmssoError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_fifty_first_logins_at_once_fetch_metadata_and_keys_once(provider: Provider, relying_party: RelyingParty) -> None:
    results = at_once(50, lambda: log_in(relying_party, provider).claims["sub"])

    assert results == ["ada"] * 50
    assert len(provider.calls_to("/jwks")) == len(provider.calls_to("/.well-known/openid-configuration")) == 1


def test_fifty_logins_at_once_after_a_rotation_refetch_once(provider: Provider, relying_party: RelyingParty) -> None:
    log_in(relying_party, provider)
    rotate(provider)

    def once_all_have_their_tokens(_: Call) -> None:
        assert eventually(lambda: len(provider.calls_to("/token")) == 51)
        time.sleep(0.3)

    provider.replies["/jwks"] = once_all_have_their_tokens

    assert at_once(50, lambda: log_in(relying_party, provider).claims["sub"]) == ["ada"] * 50
    assert len(provider.calls_to("/jwks")) == 2


def test_fifty_first_logins_at_once_share_a_failure(provider: Provider, relying_party: RelyingParty) -> None:
    log_in_url = {"state": "s", "nonce": "n", "code_verifier": "v" * 43}
    provider.replies["/.well-known/openid-configuration"] = Reply(503, delay=0.3)

    results = at_once(50, lambda: relying_party.authorization_url(**log_in_url))

    assert all(isinstance(result, ProviderUnreachable) for result in results)
    assert len(provider.calls_to("/.well-known/openid-configuration")) <= 3  # late threads come after the first failure


def test_known_keys_serve_a_day_longer_while_the_provider_is_down(provider: Provider, relying_party: RelyingParty, clock: Clock) -> None:
    provider.claims["exp"] = 2 * 10**9
    log_in(relying_party, provider)
    provider.replies["/jwks"] = provider.replies["/.well-known/openid-configuration"] = Reply(503)

    clock.advance(HOUR + DAY - 1)
    assert log_in(relying_party, provider).claims["sub"] == "ada"

    clock.advance(2)
    with pytest.raises(ProviderUnreachable):
        log_in(relying_party, provider)


def test_while_a_refetch_fails_it_is_tried_again_every_half_minute(provider: Provider, relying_party: RelyingParty, clock: Clock) -> None:
    provider.claims["exp"] = 2 * 10**9
    log_in(relying_party, provider)
    provider.replies["/jwks"] = Reply(503)
    clock.advance(HOUR + 1)

    def tried_after(seconds: float) -> int:
        clock.advance(seconds)
        assert log_in(relying_party, provider).claims["sub"] == "ada"
        assert settled()
        return len(provider.calls_to("/jwks"))

    assert [tried_after(seconds) for seconds in (0, 0, 29.9, 0.2, 29)] == [2, 2, 2, 3, 3]

    provider.replies.clear()
    assert [tried_after(seconds) for seconds in (2, 3000)] == [4, 4]


def test_after_an_outage_the_first_login_works_again(provider: Provider, relying_party: RelyingParty) -> None:
    provider.replies["/jwks"] = Reply(503)
    with pytest.raises(ProviderUnreachable):
        log_in(relying_party, provider)

    provider.replies.clear()
    assert log_in(relying_party, provider).claims["sub"] == "ada"


def test_logout_tokens_of_strangers_do_not_spend_the_logins_budget(provider: Provider, relying_party: RelyingParty) -> None:
    log_in(relying_party, provider)
    for _ in range(3):
        with pytest.raises(LogoutTokenRefused):
            relying_party.logged_out(provider.sign({"iss": provider.issuer}, {"kid": "nobody's"}, rsa_key("stranger")))
    assert len(provider.calls_to("/jwks")) == 2

    rotate(provider)
    assert log_in(relying_party, provider).claims["sub"] == "ada"
    assert len(provider.calls_to("/jwks")) == 3


SETS = [
    pytest.param(Reply(404), DiscoveryRefused, id="404"),
    pytest.param(Reply(500), ProviderUnreachable, id="500"),
    pytest.param(Reply(200, "<html>"), ProviderUnreachable, id="a page"),
    pytest.param(Reply(200, []), ProviderUnreachable, id="a list"),
    pytest.param(Reply(200, {}), DiscoveryRefused, id="no keys member"),
    pytest.param(Reply(200, {"keys": {}}), DiscoveryRefused, id="keys as an object"),
    pytest.param(Reply(200, {"keys": []}), DiscoveryRefused, id="no key"),
    pytest.param(Reply(200, {"keys": [None, 7, "key", {}, {"kty": "RSA"}, {"kty": "oct", "k": "AA"}]}), DiscoveryRefused, id="only junk"),
    pytest.param(Reply(200, b"[" * 100_000), ProviderUnreachable, id="a list a hundred thousand deep"),
    pytest.param(Reply(200, b"x" * 1_000_001), ProviderUnreachable, id="a megabyte and one byte"),
    pytest.param(Reply(302, headers={"location": "https://evil.example/jwks"}), ProviderUnreachable, id="a redirect to another host"),
]


@pytest.mark.parametrize(("reply", "error"), SETS)
def test_a_jwks_that_cannot_be_used_signs_nobody_in(
    provider: Provider, relying_party: RelyingParty, reply: Reply, error: type[Exception]
) -> None:
    provider.replies["/jwks"] = reply

    with pytest.raises(error):
        log_in(relying_party, provider)


def test_keys_that_cannot_be_used_are_left_out_of_a_set(provider: Provider, relying_party: RelyingParty) -> None:
    good = public_jwk(rsa_key("one"))
    broken: list[Any] = [
        None,
        {},
        good | {"kty": "XYZ"},
        good | {"n": "AQAB"},
        good | {"n": 7},
        good | {"n": "ä"},
        good | {"kid": 7},
        {name: value for name, value in good.items() if name != "e"},
        public_jwk(ec_key("ec")) | {"crv": "P-999"},
        public_jwk(ed_key("x", "X25519")),
    ]
    provider.jwks = {"keys": [*broken, good]}

    assert log_in(relying_party, provider).claims["sub"] == "ada"


def test_only_public_halves_are_kept() -> None:
    (key,) = read_keys({"keys": [rsa_key("one").as_dict(private=True)]})

    assert not key.key.is_private


FITS = [
    pytest.param(rsa_key("k"), {}, {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}, id="RSA"),
    pytest.param(rsa_key("k"), {"alg": "RS256"}, {"RS256"}, id="RSA for RS256"),
    pytest.param(ec_key("k"), {}, {"ES256"}, id="P-256"),
    pytest.param(ec_key("k", "P-384"), {}, {"ES384"}, id="P-384"),
    pytest.param(ec_key("k", "secp256k1"), {}, set(), id="secp256k1"),
    pytest.param(ed_key("k"), {}, {"EdDSA", "Ed25519"}, id="Ed25519"),
    pytest.param(ed_key("k", "X25519"), {}, set(), id="X25519, which signs nothing"),
]


@pytest.mark.parametrize(("key", "members", "fitting"), FITS)
def test_a_key_fits_only_what_it_can_sign(key: Any, members: dict[str, str], fitting: set[str]) -> None:
    found: tuple[SigningKey, ...] = read_keys({"keys": [public_jwk(key, **members)]})
    every = ("none", "HS256", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519", "ES256K")

    assert {alg for alg in every for one in found if one.fits(alg)} == fitting


def test_an_absurd_max_age_is_no_number() -> None:
    assert lifetime({"cache-control": "max-age=" + "9" * 5000}) == DAY
