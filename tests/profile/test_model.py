"""What a profile that was read holds."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from jsmsso.identity.access import (
    AllOf,
    AnyOf,
    ByProvider,
    Claim,
    ClaimAllOf,
    ClaimEquals,
    ClaimMatches,
    Condition,
    Effect,
    Email,
    EmailDomain,
    EmailIn,
    Everyone,
    Organization,
    Rule,
)
from tests.profile.reading_texts import OIDC, profile, provider


def test_lengths_of_time_are_seconds() -> None:
    read = profile("clock_skew: 5m\nsession: {lifetime: 1d, idle_timeout: 2h, recheck: 15m}\nretention: {audit: 30d}\n")
    assert (read.clock_skew, read.session.lifetime, read.session.idle_timeout, read.session.recheck) == (300, 86400, 7200, 900)
    assert read.retention.audit == 30 * 86400


def test_what_is_left_out_has_the_documented_default() -> None:
    read = profile("")
    assert (read.clock_skew, read.session.lifetime, read.session.idle_timeout) == (60, 28800, 3600)
    assert (read.store_failure, read.login.mode, read.login.fallback, read.log.format) == ("closed", "choose", "none", "json")
    assert (read.providers, read.portals, read.rules, read.jsm, read.store) == ({}, (), (), None, None)
    assert (read.retention.audit, read.retention.accounts, read.retention.drafts, read.retention.queue) == (
        7776000,
        34560000,
        86400,
        604800,
    )


def test_a_short_session_is_never_idle_for_longer_than_it_lasts() -> None:
    assert profile("session: {lifetime: 30m}\n").session.idle_timeout == 1800


def test_each_provider_has_a_callback_of_its_own() -> None:
    third = f"  c: {OIDC}, any_email: true, callback: /callback/x}}\n"
    read = profile(f"providers:\n  a: {OIDC}, any_email: true}}\n  b: {OIDC}, any_email: true}}\n{third}")
    assert [one.callback for one in read.providers.values()] == ["/callback", "/callback/b", "/callback/x"]
    assert list(read.providers) == ["a", "b", "c"]


def test_addresses_domains_and_globs_are_folded_as_addresses_are() -> None:
    read = profile(
        "access:\n"
        "  - deny: {email: '*@Contractor.ACME.com'}\n"
        "  - allow: {email: [Ada@acme.com, 'b*@*.acme.com']}\n"
        "  - allow: {email_domain: [ACME.com, '*.Bücher.example'.]}\n".replace("'.]", "']").replace("B\u00fc", "b\u00fc")
        + provider("email_domains: [ACME.com], trust_unverified_email: [b\u00fccher.example]")
    )
    assert read.rules == (
        Rule("deny", Email(("*@contractor.acme.com",))),
        Rule("allow", Email(("ada@acme.com", "b*@*.acme.com"))),
        Rule("allow", EmailDomain(("acme.com", "*.xn--bcher-kva.example"))),
    )
    assert read.providers["p"].email_domains == ("acme.com",)
    assert read.providers["p"].trust_unverified_email == ("xn--bcher-kva.example",)


def test_rules_keep_their_order_and_words() -> None:
    read = profile("access:\n  - allow: {claim: cognito:groups, any_of: [customers]}\n  - deny: everyone\n")
    assert read.rules == (Rule("allow", Claim("cognito:groups", ("customers",))), Rule("deny", Everyone()))
    assert [str(rule) for rule in read.rules] == ["allow claim cognito:groups any of customers", "deny everyone"]


CONDITIONS = [
    pytest.param("{email: A@b.C}", Email(("a@b.c",)), "email a@b.c", id="email"),
    pytest.param("{email_domain: [b.c, d.e]}", EmailDomain(("b.c", "d.e")), "email domain b.c or d.e", id="email_domain"),
    pytest.param("{email_in: x.txt}", EmailIn("x.txt"), "email in x.txt", id="email_in"),
    pytest.param("{claim: a, equals: b}", ClaimEquals("a", "b"), "claim a equals b", id="equals"),
    pytest.param("{claim: a, any_of: [b, c]}", Claim("a", ("b", "c")), "claim a any of b, c", id="any_of"),
    pytest.param("{claim: a, all_of: [b, c]}", ClaimAllOf("a", ("b", "c")), "claim a all of b, c", id="all_of"),
    pytest.param("{claim: a, matches: b|c}", ClaimMatches("a", "b|c"), "claim a matches b|c", id="matches"),
    pytest.param("{organization: [x, y]}", Organization(("x", "y")), "organization x or y", id="organization"),
    pytest.param("{provider: p}", ByProvider(("p",)), "provider p", id="provider"),
    pytest.param("everyone", Everyone(), "everyone", id="everyone"),
    pytest.param(
        "{any: [everyone, {all: [{provider: p}, {organization: x}]}]}",
        AnyOf((Everyone(), AllOf((ByProvider(("p",)), Organization(("x",)))))),
        "any of (everyone; all of (provider p; organization x))",
        id="any and all",
    ),
]


@pytest.mark.parametrize(("written", "condition", "words"), CONDITIONS)
@pytest.mark.parametrize("effect", ["allow", "deny"])
def test_each_kind_of_rule_is_decided_by(effect: Effect, written: str, condition: Condition, words: str) -> None:
    read = profile(f"{provider('logout: local')}access: [{{{effect}: {written}}}]\n")
    assert read.rules == (Rule(effect, condition),)
    assert str(read.rules[0]) == f"{effect} {words}"


def test_a_single_text_may_stand_for_a_list_of_one() -> None:
    read = profile("attributes: {email: email, last_name: [family_name, surname]}\nsession: {secret: env:A}\n")
    assert read.attributes == {"email": ("email",), "last_name": ("family_name", "surname")}
    assert read.session.secret == ("env:A",)


def test_a_project_key_may_be_no() -> None:
    text = "portals: [{id: '3', key: NO, service_desk: '3', name: Norge, url: https://a.example/3, mode: hosted}]\n"
    assert profile(text).portals[0].key == "NO"


def test_a_store_may_be_its_address_alone() -> None:
    store = profile("store: sqlite:////var/lib/jsmsso/state.db\n").store
    assert store is not None
    assert store.url == "sqlite:////var/lib/jsmsso/state.db"


def test_redis_without_tls_is_taken_on_loopback_or_when_said_so() -> None:
    assert profile("store: redis://localhost:6379/0\n").store is not None
    assert profile("store: {url: 'redis://redis.acme.com/0', insecure: true}\n").store is not None


def test_the_expiry_of_a_token_is_a_day() -> None:
    read = profile("jsm: {url: https://a.example/, api_token: env:A, api_token_expires: 2027-05-01}\n")
    assert read.jsm is not None
    assert (read.jsm.api_token_expires, read.jsm.url) == (date(2027, 5, 1), "https://a.example")


def test_an_issuer_is_kept_to_the_letter() -> None:
    assert (
        profile(provider("logout: local").replace("login.acme.com", "Login.acme.com/x/")).providers["p"].issuer
        == "https://Login.acme.com/x/"
    )


def test_a_loopback_domain_keeps_its_scheme_and_port() -> None:
    read = profile("providers: {p: {type: cognito, client_id: x, domain: 'http://localhost:4599'}}\n")
    assert read.providers["p"].domain == "http://localhost:4599"


def test_a_profile_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        profile("").clock_skew = 1  # type: ignore[misc]
