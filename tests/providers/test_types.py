"""Every type of OpenID Provider against its recording: from the questions to the logout."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from jsmsso.errors import DiscoveryRefused, IdentityRefused, IdTokenRefused, UsageError
from jsmsso.identity.attributes import to_customer
from jsmsso.oidc.authorization import AuthorizationAnswer
from jsmsso.oidc.relying_party import Authentication
from jsmsso.profile.checks import FIXED_ISSUER, PLAIN_OAUTH2
from jsmsso.profile.provider import ProviderType as TypeNames
from jsmsso.providers.known import provider_type, provider_types
from jsmsso.providers.locating import answers_of, locate
from jsmsso.providers.relying_party import Party, relying_party
from jsmsso.providers.settings import client_settings, identity_rules, issuers, wants_userinfo, without_access_rules
from jsmsso.providers.types import incomplete_claims
from tests.providers.recorded import RecordedWire, profile_of, recordings, signed, type_name

RECORDED = recordings(plain=False)
each = pytest.mark.parametrize("name", RECORDED)
STATE, NONCE, CODE_VERIFIER = "state", "nonce-of-this-login", "v" * 43


def located(name: str) -> Mapping[str, Any]:
    recording = RECORDED[name]
    type_ = provider_type(type_name(name, recording))
    return locate(RecordedWire(recording), type_, answers_of(type_, recording["given"], None)).entry


def party_of(name: str, wire: RecordedWire, **keys: Any) -> Party:
    recording = RECORDED[name]
    profile = profile_of(name, recording, located(name), **keys)
    return relying_party(client_settings(profile, "one", client_secret="s"), provider_type(type_name(name, recording)), wire)


def logged_in(
    name: str, *, claims: Mapping[str, Any] | None = None, userinfo: Mapping[str, Any] | None = None, **keys: Any
) -> Authentication:
    """A whole login with the recorded claims, but for what is given; ``keys`` stand in the profile."""
    recording = RECORDED[name]
    said = {**recording["claims"], **(claims or {})}
    more: dict[str, Any] = {"nonce": NONCE} if recording.get("nonce_repeated", True) else {}
    if "audience" in recording:
        more["aud"] = recording["audience"]
    tokens = {"access_token": "at", "token_type": "Bearer", **recording.get("token_answer", {}), "id_token": signed(said, **more)}
    of_userinfo = {**recording["userinfo"], **(userinfo or {})} if "userinfo" in recording else None
    party = party_of(name, RecordedWire(recording, lambda: tokens, of_userinfo), **keys)
    answer = AuthorizationAnswer(STATE, "code", recording.get("answer_iss"), "", "")
    wants = wants_userinfo(profile_of(name, recording, located(name)), "one")
    return party.complete(answer, nonce=NONCE, code_verifier=CODE_VERIFIER, wants_userinfo=wants)


def test_every_type_that_a_profile_may_name_is_known_and_recorded() -> None:
    recorded = {type_name(name, one) for plain in (True, False) for name, one in recordings(plain=plain).items()}
    assert set(provider_types()) == set(TypeNames.__args__)  # type: ignore[attr-defined]
    assert set(provider_types()) - recorded == {"cognito", "oidc"}  # they have tests of their own
    assert all(one["source"] for plain in (True, False) for one in recordings(plain=plain).values())


def test_what_the_profile_asks_of_an_entry_is_what_its_type_needs() -> None:
    types = provider_types()
    assert set(PLAIN_OAUTH2) == {name for name, one in types.items() if one.plain is not None}
    assert set(FIXED_ISSUER) == {name for name, one in types.items() if one.issuer}


@each
def test_the_answers_lead_to_the_issuer(name: str) -> None:
    assert located(name) == RECORDED[name]["entry"]


@each
def test_the_browser_is_sent_to_the_types_own_endpoint_with_the_least_scopes(name: str) -> None:
    recording, type_ = RECORDED[name], provider_type(type_name(name, RECORDED[name]))
    url = party_of(name, RecordedWire(recording)).authorization_url(
        state=STATE, nonce=NONCE, code_verifier=CODE_VERIFIER, login_hint="ada@acme.com"
    )
    query = parse_qs(urlsplit(url).query)

    assert url.partition("?")[0] == recording["endpoints"]["authorization"]
    assert query["scope"] == [" ".join(type_.default_scopes)]
    assert query["redirect_uri"] == ["https://sso.acme.com/callback"]
    assert ("code_challenge" in query, "code_challenge_method" in query) == (type_.pkce, type_.pkce)
    assert query.get("login_hint") == (["ada@acme.com"] if type_.login_hint else None)


@each
def test_the_code_goes_to_the_token_endpoint_with_its_verifier_where_the_type_takes_one(name: str) -> None:
    recording, type_ = RECORDED[name], provider_type(type_name(name, RECORDED[name]))
    wire = RecordedWire(recording, dict)
    answer = AuthorizationAnswer(STATE, "code", recording.get("answer_iss"), "", "")
    with pytest.raises(Exception, match=r"token"):
        party_of(name, wire).complete(answer, nonce=NONCE, code_verifier=CODE_VERIFIER, wants_userinfo=lambda _: False)

    assert recording["endpoints"]["token"] in wire.asked
    assert wire.forms[0]["code"] == "code"
    assert ("code_verifier" in wire.forms[0]) is type_.pkce


@each
def test_a_login_makes_the_customer(name: str) -> None:
    authentication = logged_in(name)
    customer = to_customer(authentication.claims, identity_rules(profile_of(name, RECORDED[name], located(name)), "one"))

    expected = RECORDED[name]["customer"]
    assert {field: getattr(customer, field) for field in expected} == expected
    assert customer.subject == RECORDED[name]["claims"]["sub"]
    assert customer.issuer.startswith("https://")
    assert customer.organizations == ()  # groups become organizations only where the profile says so


@each
def test_an_email_that_the_provider_does_not_call_verified_is_refused(name: str) -> None:
    recording = RECORDED[name]
    authentication = logged_in(name, claims=recording.get("unverified"), userinfo=recording.get("unverified_userinfo"))
    with pytest.raises(IdentityRefused) as refused:
        to_customer(authentication.claims, identity_rules(profile_of(name, recording, located(name)), "one"))
    assert refused.value.reason == "email_unverified"


@each
def test_a_logout_goes_where_the_type_ends_its_sessions(name: str) -> None:
    assert party_of(name, RecordedWire(RECORDED[name])).logout_url(id_token="ID") == RECORDED[name]["logout"]


@pytest.mark.parametrize("name", [name for name, one in RECORDED.items() if "overflow" in one])
def test_groups_that_did_not_fit_are_known_to_be_incomplete(name: str) -> None:
    recording = RECORDED[name]
    claims = {claim: value for claim, value in recording["claims"].items() if claim != "groups"} | recording["overflow"]["claims"]
    type_ = provider_type(type_name(name, recording))

    assert incomplete_claims(type_, claims) == set(recording["overflow"]["incomplete"])
    assert incomplete_claims(type_, recording["claims"]) == frozenset()


def test_a_tenant_that_is_not_listed_is_refused() -> None:
    other = "11111111-2222-3333-4444-555555555555"
    with pytest.raises(IdTokenRefused) as refused:
        logged_in("entra-several-tenants", claims={"tid": other, "iss": f"https://login.microsoftonline.com/{other}/v2.0"})
    assert refused.value.check == "tid"


@each
def test_a_session_is_known_to_be_of_its_provider_by_its_issuer(name: str) -> None:
    settings = client_settings(profile_of(name, RECORDED[name], located(name)), "one", client_secret="s")
    assert issuers(settings) == {logged_in(name).claims["iss"]}


def test_googles_older_spelling_of_its_issuer_makes_the_same_person() -> None:
    assert logged_in("google").claims["iss"] == logged_in("google", claims={"iss": "https://accounts.google.com"}).claims["iss"]
    with pytest.raises(IdTokenRefused):
        logged_in("google", claims={"iss": "accounts.google.com.example"})


@pytest.mark.parametrize("require", [{"amr": ["mfa"]}, {"acr": "urn:example:loa:2"}])
def test_what_the_profile_requires_of_a_login_refuses_one_without_it(require: dict[str, Any]) -> None:
    with pytest.raises(IdTokenRefused) as refused:
        logged_in("keycloak", require=require)
    assert refused.value.check in require
    met = {"amr": ["pwd", "mfa"], "acr": "urn:example:loa:2"}
    assert logged_in("keycloak", require=require, claims=met).claims["email"] == "ada@acme.com"


def test_oracles_second_audience_is_its_own_and_no_others() -> None:
    recording = {**RECORDED["oracle"], "audience": ["client-1", "another-client"]}
    tokens = {"access_token": "at", "token_type": "Bearer", "id_token": signed(recording["claims"], nonce=NONCE, aud=recording["audience"])}
    party = party_of("oracle", RecordedWire(recording, lambda: tokens))
    with pytest.raises(IdTokenRefused) as refused:
        party.complete(
            AuthorizationAnswer(STATE, "code", None, "", ""), nonce=NONCE, code_verifier=CODE_VERIFIER, wants_userinfo=lambda _: False
        )
    assert refused.value.check == "azp"


def test_a_nonce_that_linkedin_did_send_must_still_be_right() -> None:
    with pytest.raises(IdTokenRefused) as refused:
        logged_in("linkedin", claims={"nonce": "of another login"})
    assert refused.value.check == "nonce"


@pytest.mark.parametrize("name", ["adfs", "entra", "entra-external"])
def test_a_userinfo_that_says_nothing_more_is_never_asked(name: str) -> None:
    recording = RECORDED[name]
    assert wants_userinfo(profile_of(name, recording, located(name)), "one")({"sub": "1"}) is False


def test_metadata_of_another_issuer_is_refused_before_anything_is_written() -> None:
    recording = {
        **RECORDED["okta"],
        "serves": {address: {**document, "issuer": "https://evil.example"} for address, document in RECORDED["okta"]["serves"].items()},
    }
    type_ = provider_type("okta")
    with pytest.raises(DiscoveryRefused):
        locate(RecordedWire(recording), type_, answers_of(type_, {"domain": "acme.okta.com"}, None))


@pytest.mark.parametrize(
    "type_, given, answers",
    [
        pytest.param(
            "entra",
            {"tenant": " 72F988BF-86F1-41AF-91AB-2D7CD011DB47 "},
            {"tenant": "72f988bf-86f1-41af-91ab-2d7cd011db47"},
            id="a tenant in capitals",
        ),
        pytest.param(
            "entra",
            {"tenant": "https://login.microsoftonline.us/acme.com/v2.0"},
            {"tenant": "login.microsoftonline.us/acme.com"},
            id="another cloud",
        ),
        pytest.param(
            "okta",
            {"domain": "https://acme.okta.com/oauth2/default/.well-known/openid-configuration"},
            {"domain": "https://acme.okta.com/oauth2/default"},
            id="an issuer of Okta's",
        ),
        pytest.param("okta", {"domain": "acme"}, {"domain": "https://acme.okta.com", "server": "org"}, id="a name alone"),
        pytest.param(
            "keycloak",
            {"address": "https://id.acme.com/auth/realms/customers/account", "realm": "https://id.acme.com/auth/realms/customers"},
            {"address": "https://id.acme.com/auth", "realm": "customers"},
            id="an old Keycloak's address",
        ),
        pytest.param(
            "keycloak",
            {"address": "http://localhost:8081", "realm": "customers"},
            {"address": "http://localhost:8081", "realm": "customers"},
            id="Keycloak on this machine",
        ),
        pytest.param(
            "ping",
            {"issuer": "https://console.pingone.eu/index.html?env=1"},
            {"issuer": "https://console.pingone.eu/index.html"},
            id="no environment in it stays to be refused",
        ),
        pytest.param(
            "salesforce", {"domain": "acme.lightning.force.com"}, {"domain": "https://acme.my.salesforce.com"}, id="the host inside an org"
        ),
        pytest.param("gitlab", {"host": "GitLab.acme.com/users/sign_in"}, {"host": "https://gitlab.acme.com"}, id="a page of GitLab"),
        pytest.param("gitlab", {}, {"host": "https://gitlab.com"}, id="no answer is gitlab.com"),
        pytest.param(
            "entra-external",
            {"tenant": "login.acme.com/acme.onmicrosoft.com/b2c_1_in", "policy": "https://x/B2C_1_in/v2.0"},
            {"tenant": "login.acme.com/acme.onmicrosoft.com", "policy": "B2C_1_in"},
            id="B2C on a domain of one's own",
        ),
        pytest.param(
            "onelogin",
            {"domain": "acme.onelogin.com", "trust_unverified_email": ""},
            {"domain": "https://acme.onelogin.com"},
            id="an optional answer left out",
        ),
    ],
)
def test_what_was_pasted_is_made_right(type_: str, given: dict[str, str], answers: dict[str, str]) -> None:
    assert answers_of(provider_type(type_), given, None) == answers


@pytest.mark.parametrize(
    "type_, given",
    [
        pytest.param("entra", {"tenant": "https://evil.example/72f988bf-86f1-41af-91ab-2d7cd011db47"}, id="a tenant at another host"),
        pytest.param("entra", {"tenant": "acme"}, id="a tenant's short name"),
        pytest.param("entra", {"tenant": "common", "tenants": "acme.com"}, id="a domain where ids of tenants are due"),
        pytest.param("okta", {"domain": "http://acme.okta.com"}, id="http off this machine"),
        pytest.param("okta", {"domain": "https://ada:secret@acme.okta.com"}, id="a user in the address"),
        pytest.param("auth0", {"domain": "acme"}, id="a name without its region"),
        pytest.param("keycloak", {"address": "id.acme.com", "realm": "a/b"}, id="a slash in a realm"),
        pytest.param("entra-external", {"tenant": "acme.onmicrosoft.com"}, id="B2C or External ID"),
        pytest.param("facebook", {"trust_unverified_email": "a domain"}, id="no domain"),
        pytest.param("entra-external", {"tenant": "acme.ciamlogin.com", "policy": "B2C_1_in"}, id="a policy where there are none"),
        pytest.param("entra", {"tenant": "acme.com", "tenants": "72f988bf-86f1-41af-91ab-2d7cd011db47"}, id="tenants beside one tenant"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_an_example(type_: str, given: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        answers_of(provider_type(type_), given, None)


def test_without_a_terminal_every_missing_answer_is_named_at_once() -> None:
    with pytest.raises(UsageError) as refused:
        answers_of(provider_type("keycloak"), {}, None)
    assert "--set address=..." in refused.value.message
    assert "--set realm=..." in refused.value.message
    with pytest.raises(UsageError) as refused:
        answers_of(provider_type("entra"), {"tenant": "organizations"}, None)
    assert "--set tenants=..." in refused.value.message


def test_on_a_terminal_only_what_applies_is_asked() -> None:
    asked: list[str] = []

    def ask(question: Any) -> str:
        asked.append(question.key)
        return {"tenant": "acme.ciamlogin.com"}.get(question.key, "")

    assert answers_of(provider_type("entra-external"), {}, ask) == {"tenant": "acme.ciamlogin.com"}
    assert asked == ["tenant", "trust_unverified_email"]


@pytest.mark.parametrize(
    "name, access, open_",
    [
        pytest.param("google", None, True, id="anybody can have an account at Google"),
        pytest.param("gitlab", None, True, id="or at GitLab"),
        pytest.param("slack", None, True, id="or make a workspace"),
        pytest.param("linkedin", None, True, id="or be at LinkedIn"),
        pytest.param("google", [{"allow": "everyone"}], False, id="everyone, written out, is a rule"),
        pytest.param("google", [{"allow": {"email_domain": "acme.com"}}], False, id="a rule says who"),
        pytest.param("okta", None, False, id="an org's own accounts are the org's"),
        pytest.param("salesforce", None, False, id="and so are those of a My Domain"),
    ],
)
def test_where_anybody_can_sign_up_a_rule_must_say_who_may_enter(name: str, access: Any, open_: bool) -> None:
    profile = profile_of(name, RECORDED[name], located(name))
    if access is not None:
        profile = type(profile).model_validate({**profile.model_dump(exclude_unset=True), "access": access})
    assert bool(without_access_rules(profile)) is open_


def test_salesforces_shared_login_host_is_open_to_every_org() -> None:
    profile = profile_of("salesforce", RECORDED["salesforce"], {"issuer": "https://login.salesforce.com"})
    assert without_access_rules(profile) == ("one",)


@each
def test_what_the_profile_says_counts_before_what_the_type_does(name: str) -> None:
    profile = profile_of(name, RECORDED[name], located(name), logout="local", login_hint=False, scopes=["openid"])
    settings = client_settings(profile, "one", client_secret=None)
    assert (settings.logout_style, settings.login_hint, settings.scopes) == ("local", False, ("openid",))


def test_the_types_are_listed_without_loading_what_only_a_login_needs() -> None:
    heavy = ("joserfc", "urllib3", "pydantic", "requests", "cryptography")
    program = (
        f"import sys; from jsmsso.providers.known import provider_types as all_; all_(); print([m for m in {heavy} if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ran.stdout.strip(), ran.stderr) == ("[]", "")


@pytest.mark.parametrize("name", list(provider_types()))
def test_a_type_tells_the_administrator_what_to_do(name: str) -> None:
    type_ = provider_type(name)
    assert type_.documentation.startswith("https://")
    assert type_.paste_at
    assert all(type_.labels)
    assert name == "oidc" or {"client_id", "client_secret", "callback"} <= set(type_.places)
    assert type_.plain is not None or "openid" in type_.default_scopes
    for text in (type_.email, *type_.quirks, *(question.prompt for question in type_.questions)):
        assert text.isprintable()
    for question in type_.questions:
        assert len(f"{question.prompt}: ") <= 80
        if " " not in question.example and "ENVIRONMENT" not in question.example:
            question.mend(question.example)  # an example that is refused would be none
