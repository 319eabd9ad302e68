"""The authorization request and what comes back (Core 3.1.2, RFC 6749 4.1.2, RFC 7636, RFC 9207)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from jsmsso.errors import AnswerRefused, AuthorizationRefused, IdTokenRefused, ProviderFailed, TokenRequestRefused
from jsmsso.oidc.authorization import ERRORS, code_challenge, customer_sentence, read_answer
from jsmsso.oidc.relying_party import RelyingParty
from tests.oidc.conftest import log_in, settings_for
from tests.oidc.provider import ABSENT, CLIENT_ID, NOW, REDIRECT_URI, Call, Provider, Reply

pytestmark = pytest.mark.conformance

LOGIN = {"state": "st-_9", "nonce": "no-_9", "code_verifier": "v" * 43}


def asked(url: str) -> dict[str, str]:
    query = parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True)
    assert len(dict(query)) == len(query), "a parameter stands twice"
    return dict(query)


def test_the_request_says_what_the_code_flow_needs_and_nothing_else(relying_party: RelyingParty) -> None:
    assert asked(relying_party.authorization_url(**LOGIN)) == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "scope": "openid email",
        "state": "st-_9",
        "nonce": "no-_9",
        "code_challenge": code_challenge("v" * 43),
        "code_challenge_method": "S256",
    }


def test_the_challenge_is_the_one_of_rfc_7636s_example() -> None:
    assert code_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_without_pkce_neither_challenge_nor_verifier_is_sent(provider: Provider, relying_party_of: Callable[..., RelyingParty]) -> None:
    party = relying_party_of(provider, pkce=False)
    url = party.authorization_url(**LOGIN)
    provider.replies["/token"] = Reply(400, {"error": "invalid_grant"})

    with pytest.raises(TokenRequestRefused):
        party.complete(
            read_answer(f"code=c&state=s&iss={provider.issuer}"), nonce="n", code_verifier="v" * 43, wants_userinfo=lambda _: False
        )

    assert not any(name.startswith("code_challenge") for name in asked(url))
    assert "code_verifier" not in provider.calls_to("/token")[0].form


def test_an_endpoint_with_a_query_of_its_own_keeps_it(provider: Provider, relying_party: RelyingParty) -> None:
    provider.metadata["authorization_endpoint"] += "?tenant=a%20b"

    assert asked(relying_party.authorization_url(**LOGIN))["tenant"] == "a b"


OPTIONS = [
    pytest.param({"login_hint": True}, {"login_hint": "ada+x@acme.example"}, {"login_hint": "ada+x@acme.example"}, id="login_hint"),
    pytest.param({}, {"login_hint": "ada@acme.example"}, {}, id="login_hint that is not passed on"),
    pytest.param({"prompt": "select_account"}, {}, {"prompt": "select_account"}, id="prompt of the settings"),
    pytest.param({"prompt": "select_account"}, {"prompt": "login consent"}, {"prompt": "login consent"}, id="prompt of one login"),
    pytest.param({"max_age": 0}, {}, {"max_age": "0"}, id="max_age"),
    pytest.param({"require_acr": ("urn:a", "urn:b c")}, {}, {"acr_values": "urn:a urn:b c"}, id="acr"),
    pytest.param({"require_amr": ("mfa",)}, {}, {}, id="amr, for which there is no parameter"),
]


@pytest.mark.parametrize(("settings", "options", "more"), OPTIONS)
def test_what_a_login_may_also_ask(
    provider: Provider,
    relying_party_of: Callable[..., RelyingParty],
    settings: dict[str, Any],
    options: dict[str, str],
    more: dict[str, str],
) -> None:
    plain = asked(relying_party_of(provider).authorization_url(**LOGIN))

    assert asked(relying_party_of(provider, **settings).authorization_url(**LOGIN, **options)) == plain | more


MALFORMED = [
    pytest.param("", id="nothing"),
    pytest.param("state=s", id="a state alone"),
    pytest.param("code=&error=", id="both empty"),
    pytest.param("code=a&error=access_denied", id="a code and an error"),
    pytest.param("code=a&code=b&state=s", id="two codes"),
    pytest.param("code=a&code=a&state=s", id="a code twice"),
    pytest.param("code=a&state=s&state=t", id="two states"),
    pytest.param("code=a&state=s&iss=a&iss=b", id="two issuers"),
    pytest.param("code=a&state=s&iss=&iss=b", id="an empty issuer before another"),
    pytest.param("error=a&error=b", id="two errors"),
    pytest.param("code=a&state=s&x=" + "y" * 8192, id="longer than 8,192 characters"),
]


@pytest.mark.parametrize("query", MALFORMED)
def test_a_malformed_answer_is_refused(query: str) -> None:
    with pytest.raises(AnswerRefused) as caught:
        read_answer(query)

    assert caught.value.reason == "malformed"


def test_members_that_nobody_knows_are_ignored() -> None:
    answer = read_answer("code=a%2Bb&state=s&scope=openid&scope=email&session_state=x&iss=https%3A%2F%2Fop.example&%ff=%fe")

    assert (answer.code, answer.state, answer.iss, answer.error) == ("a+b", "s", "https://op.example", "")


# Mix-up: RFC 9700 4.4, RFC 9207 ------------------------------------------------------------------


ISSUERS = [
    pytest.param("https://evil.example", True, False, id="another issuer"),
    pytest.param("https://evil.example", False, False, id="another issuer though none is promised"),
    pytest.param(ABSENT, True, False, id="no issuer though one is promised"),
    pytest.param("", True, False, id="an empty issuer"),
    pytest.param("", False, False, id="an empty issuer though none is promised"),
    pytest.param(ABSENT, False, True, id="no issuer where none is promised"),
    pytest.param(None, False, True, id="the right issuer where none is promised"),
]


@pytest.mark.parametrize(("iss", "promised", "accepted"), ISSUERS)
@pytest.mark.parametrize("error", ["", "access_denied"])
def test_the_answers_issuer_is_checked_before_its_code_goes_anywhere(
    provider: Provider, relying_party: RelyingParty, iss: Any, promised: bool, accepted: bool, error: str
) -> None:
    provider.metadata["authorization_response_iss_parameter_supported"] = promised
    provider.answer = {} if iss is None else {"iss": iss}
    if error:
        provider.answer |= {"code": ABSENT, "error": error}

    if accepted and not error:
        assert log_in(relying_party, provider).claims["sub"] == "ada"
        return
    with pytest.raises(ProviderFailed) as caught:
        log_in(relying_party, provider)
    if accepted:
        assert isinstance(caught.value, AuthorizationRefused)
    else:
        assert isinstance(caught.value, AnswerRefused)
        assert caught.value.reason == "wrong_issuer"
    assert provider.calls_to("/token") == []


def test_a_provider_that_forwards_the_browser_to_an_honest_one_never_sees_its_code(
    provider: Provider, another_provider: Provider, relying_party_of: Callable[..., RelyingParty]
) -> None:
    honest, dishonest = provider, another_provider
    relying_party_of(honest).authorization_url(**LOGIN)  # both are configured

    def forward(call: Call) -> Reply:
        return Reply(302, headers={"location": f"{honest.address}/authorize?{call.query}"})

    dishonest.replies["/authorize"] = forward
    at_dishonest = relying_party_of(dishonest)
    query_to_forward = urlsplit(at_dishonest.authorization_url(**LOGIN)).query
    answer = read_answer(honest.follow(f"{honest.address}/authorize?{query_to_forward}"))

    with pytest.raises(AnswerRefused) as caught:
        at_dishonest.complete(answer, nonce=LOGIN["nonce"], code_verifier=LOGIN["code_verifier"], wants_userinfo=lambda _: False)

    assert caught.value.reason == "wrong_issuer"
    assert dishonest.calls_to("/token") == []


def test_one_providers_id_token_does_not_sign_in_at_another(
    provider: Provider, another_provider: Provider, relying_party: RelyingParty
) -> None:
    # The same client id and even the same key there; a token about the same person in the same login.
    provider.mint = lambda claims: another_provider.sign(claims | {"iss": another_provider.issuer})

    with pytest.raises(IdTokenRefused, match="iss"):
        log_in(relying_party, provider)


# Errors ------------------------------------------------------------------------------------------


REGISTERED = [error for error in ERRORS if " " not in error]


@pytest.mark.parametrize("error", REGISTERED)
def test_every_registered_error_is_a_sentence_for_the_customer_and_a_line_for_the_operator(
    provider: Provider, relying_party: RelyingParty, error: str
) -> None:
    provider.answer = {"code": ABSENT, "error": error, "error_description": "AADSTS50105: <b>Not</b>\r\nassigned"}

    with pytest.raises(AuthorizationRefused) as caught:
        log_in(relying_party, provider)

    assert caught.value.error == error
    assert error in caught.value.message
    assert "AADSTS50105: <b>Not</b>  assigned" in caught.value.message
    assert caught.value.hint == ERRORS[error].operator
    sentence = customer_sentence(caught.value)
    assert sentence.endswith(".")
    assert not any(foreign in sentence for foreign in ("AADSTS", "<", error))
    assert provider.calls_to("/token") == []


@pytest.mark.parametrize(
    ("error", "description", "hint"),
    [
        pytest.param("invalid_request", "invalid_scope", "scopes", id="Cognito's refused scope"),
        pytest.param(
            "invalid_request", "Already found an entry for username Google_1", "Trying again", id="Cognito's first linked sign-in"
        ),
        pytest.param("made_up", "", "client's settings", id="an error that nobody registered"),
        pytest.param("<script>", "", "client's settings", id="an error that is no word"),
    ],
)
def test_what_providers_say_in_their_own_way(
    provider: Provider, relying_party: RelyingParty, error: str, description: str, hint: str
) -> None:
    provider.answer = {"code": ABSENT, "error": error, "error_description": description}

    with pytest.raises(AuthorizationRefused) as caught:
        log_in(relying_party, provider)

    assert hint in caught.value.hint
    assert "script" not in customer_sentence(caught.value)


def test_a_long_error_is_cut(provider: Provider, relying_party: RelyingParty) -> None:
    provider.answer = {"code": ABSENT, "error": "e" * 500, "error_description": "d\u202e" * 300}

    with pytest.raises(AuthorizationRefused) as caught:
        log_in(relying_party, provider)

    assert len(caught.value.message) < 450
    assert caught.value.message.isprintable()


# max_age, amr, acr ---------------------------------------------------------------------------------


AUTHENTICATIONS: list[Any] = [
    pytest.param({"max_age": 60}, {"auth_time": NOW - 60}, None, id="as long ago as may be"),
    pytest.param({"max_age": 60}, {"auth_time": NOW - 120}, None, id="within the skew"),
    pytest.param({"max_age": 60}, {"auth_time": NOW - 121}, "auth_time", id="too long ago"),
    pytest.param({"max_age": 0}, {"auth_time": NOW - 3600}, "auth_time", id="too long ago for a new proof"),
    pytest.param({"max_age": 60}, {"auth_time": ABSENT}, "auth_time", id="no auth_time"),
    pytest.param({"max_age": 60}, {"auth_time": str(NOW)}, "auth_time", id="a text as auth_time"),
    pytest.param({"max_age": 60}, {"auth_time": NOW + 61}, "auth_time", id="in the future"),
    pytest.param({"require_amr": ("mfa",)}, {"amr": ["pwd", "mfa"]}, None, id="a second factor"),
    pytest.param({"require_amr": ("mfa", "hwk")}, {"amr": ["mfa"]}, "amr", id="one of two methods"),
    pytest.param({"require_amr": ("mfa",)}, {"amr": ["pwd"]}, "amr", id="a password alone"),
    pytest.param({"require_amr": ("mfa",)}, {}, "amr", id="no amr"),
    pytest.param({"require_amr": ("mfa",)}, {"amr": "mfa"}, "amr", id="a text as amr"),
    pytest.param({"require_amr": ("mfa",)}, {"amr": {"mfa": 1}}, "amr", id="an object as amr"),
    pytest.param({"require_acr": ("gold", "silver")}, {"acr": "silver"}, None, id="one of the contexts"),
    pytest.param({"require_acr": ("gold",)}, {"acr": "bronze"}, "acr", id="another context"),
    pytest.param({"require_acr": ("gold",)}, {}, "acr", id="no acr"),
    pytest.param({"require_acr": ("gold",)}, {"acr": ["gold"]}, "acr", id="a list as acr"),
    pytest.param({"require_acr": ("gold",)}, {"acr": "gold silver"}, "acr", id="two contexts in a text"),
]


@pytest.mark.parametrize(("settings", "claims", "check"), AUTHENTICATIONS)
def test_a_login_must_have_been_as_the_profile_requires(
    provider: Provider, relying_party_of: Callable[..., RelyingParty], settings: dict[str, Any], claims: dict[str, Any], check: str | None
) -> None:
    provider.claims = claims
    party = relying_party_of(provider, **settings)

    if check is None:
        assert log_in(party, provider).claims["sub"] == "ada"
        return
    with pytest.raises(IdTokenRefused) as caught:
        log_in(party, provider)
    assert caught.value.check == check


# PAR: RFC 9126 -------------------------------------------------------------------------------------


@pytest.fixture
def wants_par(provider: Provider) -> Provider:
    provider.metadata["require_pushed_authorization_requests"] = True
    return provider


@pytest.mark.parametrize("client_auth", ["client_secret_basic", "client_secret_post"])
def test_where_the_metadata_requires_it_the_request_is_pushed(
    wants_par: Provider, relying_party_of: Callable[..., RelyingParty], client_auth: str
) -> None:
    wants_par.metadata["authorization_endpoint"] += "?own=1"
    wants_par.replies["/authorize"] = lambda call: Reply(302, headers={"location": call.query}) if "own=1" not in call.query else None
    party = relying_party_of(wants_par, client_auth=client_auth, login_hint=True)

    url = party.authorization_url(**LOGIN, login_hint="ada@acme.example")

    query = parse_qs(urlsplit(url).query)
    assert set(query) == {"own", "client_id", "request_uri"}
    (pushed,) = wants_par.calls_to("/par")
    plain = {
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "login_hint",
    }
    assert set(pushed.form) - {"client_secret"} == plain
    assert ("authorization" in pushed.headers) == (client_auth == "client_secret_basic")


def test_a_login_by_a_pushed_request_signs_in(wants_par: Provider, relying_party: RelyingParty) -> None:
    assert log_in(relying_party, wants_par).claims["sub"] == "ada"


def test_where_the_metadata_only_offers_it_nothing_is_pushed(provider: Provider, relying_party: RelyingParty) -> None:
    log_in(relying_party, provider)

    assert provider.calls_to("/par") == []


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        pytest.param(Reply(400, {"error": "invalid_request", "error_description": "no such redirect_uri"}), "no such", id="refused"),
        pytest.param(Reply(401, {"error": "invalid_client"}), "invalid_client", id="a wrong secret"),
        pytest.param(Reply(201, {}), "request_uri", id="no request_uri"),
        pytest.param(Reply(201, {"request_uri": ["a"]}), "request_uri", id="a list as request_uri"),
        pytest.param(Reply(201, {"request_uri": "a\nb"}), "request_uri", id="a request_uri with a line break"),
        pytest.param(Reply(200, "<html>"), "text/html", id="a page"),
        pytest.param(Reply(503), "503", id="503"),
    ],
)
def test_a_refused_push_says_why(wants_par: Provider, relying_party: RelyingParty, reply: Reply, said: str) -> None:
    wants_par.replies["/par"] = reply

    with pytest.raises(ProviderFailed, match=said):
        relying_party.authorization_url(**LOGIN)


def test_a_provider_that_wants_requests_pushed_must_say_where(wants_par: Provider, relying_party: RelyingParty) -> None:
    wants_par.metadata["pushed_authorization_request_endpoint"] = ABSENT

    with pytest.raises(ProviderFailed, match="not where"):
        relying_party.authorization_url(**LOGIN)


def test_settings_never_show_their_secrets(provider: Provider) -> None:
    settings = settings_for(provider, client_secret="s3cret-text", client_key="-----BEGIN PRIVATE KEY-----")

    assert "s3cret-text" not in repr(settings)
    assert "PRIVATE" not in repr(settings)
