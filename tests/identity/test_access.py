"""Access rules: in order, the first match decides, no match denies."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsmsso.identity.access import INCOMPLETE, Claim, Condition, Email, EmailDomain, Everyone, Rule, claims_named, decide, domain_matches
from jsmsso.identity.customer import Customer


def customer(email: str = "ada@acme.example") -> Customer:
    return Customer("acme", "https://op.example", "ada-1", email)


def allow(condition: Condition) -> Rule:
    return Rule("allow", condition)


def deny(condition: Condition) -> Rule:
    return Rule("deny", condition)


def test_without_rules_every_verified_email_may_enter() -> None:
    decision = decide([], customer(), {})

    assert decision.allowed
    assert "no rules" in str(decision)


def test_with_rules_and_no_match_nobody_enters() -> None:
    decision = decide([allow(EmailDomain(("other.example",)))], customer(), {})

    assert not decision.allowed
    assert str(decision) == "Denied: no rule matches"


def test_the_first_match_decides_and_is_named() -> None:
    rules = [deny(Email(("*@contractor.acme.example",))), allow(EmailDomain(("*.acme.example", "acme.example"))), deny(Everyone())]

    assert str(decide(rules, customer(), {})) == "Allowed by rule 2: allow email domain *.acme.example or acme.example"
    assert str(decide(rules, customer("eve@contractor.acme.example"), {})) == "Denied by rule 1: deny email *@contractor.acme.example"
    assert str(decide(rules, customer("eve@evil.example"), {})) == "Denied by rule 3: deny everyone"


MATCHES = [
    pytest.param(Email(("ada@acme.example",)), "ada@acme.example", True, id="the address"),
    pytest.param(Email(("ada@acme.example",)), "ada@acme.example.evil.example", False, id="an address that begins alike"),
    pytest.param(Email(("ada@acme.example",)), "xada@acme.example", False, id="an address that ends alike"),
    pytest.param(Email(("*@acme.example",)), "ada@acme.example", True, id="anybody at a domain"),
    pytest.param(Email(("*@acme.example",)), "ada@sub.acme.example", False, id="anybody at a domain, not below"),
    pytest.param(Email(("*@acme.example",)), "ada@acme.example.evil.example", False, id="anybody at a domain, not one that begins alike"),
    pytest.param(Email(("*acme.example",)), "ada@acme.example", False, id="a star never crosses the @"),
    pytest.param(Email(("a.a@acme.example",)), "axa@acme.example", False, id="a dot is a dot"),
    pytest.param(Email(("a*z@acme.example",)), "a@evil.example", False, id="a star in the middle"),
    pytest.param(Email(("a*z@acme.example",)), "az@acme.example", True, id="a star for nothing"),
    pytest.param(Email(("[a-z]*@acme.example",)), "ada@acme.example", False, id="brackets are brackets"),
    pytest.param(Email(("ada?@acme.example",)), "adax@acme.example", False, id="a question mark is one"),
    pytest.param(EmailDomain(("acme.example",)), "ada@acme.example", True, id="the domain"),
    pytest.param(EmailDomain(("acme.example",)), "ada@sub.acme.example", False, id="the domain, not below"),
    pytest.param(EmailDomain(("acme.example",)), "ada@evilacme.example", False, id="the domain, not one that ends alike"),
    pytest.param(EmailDomain(("*.acme.example",)), "ada@sub.acme.example", True, id="below the domain"),
    pytest.param(EmailDomain(("*.acme.example",)), "ada@a.b.acme.example", True, id="far below the domain"),
    pytest.param(EmailDomain(("*.acme.example",)), "ada@acme.example", False, id="below the domain, not itself"),
    pytest.param(EmailDomain(("*.acme.example",)), "ada@evilacme.example", False, id="below the domain, not beside"),
    pytest.param(EmailDomain(()), "ada@acme.example", False, id="no domain"),
    pytest.param(Everyone(), "eve@evil.example", True, id="everyone"),
]


@pytest.mark.parametrize(("condition", "email", "matches"), MATCHES)
def test_what_a_condition_on_the_email_matches(condition: Condition, email: str, matches: bool) -> None:
    assert decide([allow(condition)], customer(email), {}).allowed is matches
    assert decide([deny(condition), allow(Everyone())], customer(email), {}).allowed is not matches


CLAIMS = [
    pytest.param({"groups": ["customers", "x"]}, True, id="one of a list"),
    pytest.param({"groups": "customers"}, True, id="itself"),
    pytest.param({"groups": ["vip"]}, True, id="the other value"),
    pytest.param({"groups": []}, False, id="an empty list"),
    pytest.param({"groups": ["Customers"]}, False, id="another case"),
    pytest.param({"groups": ["customers2"]}, False, id="a longer one"),
    pytest.param({"groups": "customers vip"}, False, id="two in one text"),
    pytest.param({"groups": {"customers": True}}, False, id="a name in an object"),
    pytest.param({"groups": [["customers"]]}, False, id="a list in a list"),
    pytest.param({"groups": None}, False, id="null"),
    pytest.param({}, False, id="absent"),
    pytest.param({"roles": ["customers"]}, False, id="another claim"),
]


@pytest.mark.parametrize(("claims", "matches"), CLAIMS)
def test_what_a_condition_on_a_claim_matches(claims: dict[str, Any], matches: bool) -> None:
    assert decide([allow(Claim("groups", ("customers", "vip")))], customer(), claims).allowed is matches


@pytest.mark.parametrize(
    ("value", "written", "matches"),
    [
        pytest.param(True, "true", True, id="true"),
        pytest.param(False, "false", True, id="false"),
        pytest.param(True, "1", False, id="true is not 1"),
        pytest.param(1, "1", True, id="a number"),
        pytest.param(1, "true", False, id="1 is not true"),
        pytest.param(1.0, "1", False, id="a fraction"),
    ],
)
def test_claims_that_are_no_texts_are_compared_as_json_writes_them(value: Any, written: str, matches: bool) -> None:
    assert decide([allow(Claim("c", (written,)))], customer(), {"c": value}).allowed is matches


def test_a_claims_name_is_literal() -> None:
    claims = {"a.b": "x", "a": {"b": "y"}}

    assert decide([allow(Claim("a.b", ("x",)))], customer(), claims).allowed
    assert not decide([allow(Claim("a.b", ("y",)))], customer(), claims).allowed


def test_a_session_must_keep_exactly_the_claims_that_rules_name() -> None:
    rules = [allow(Claim("groups", ("a",))), deny(Claim("dept", ("b",))), allow(Everyone()), allow(EmailDomain(("x",)))]

    assert claims_named(rules) == {"groups", "dept"}


LABELS = st.text("abc", min_size=1, max_size=3)
DOMAINS = st.lists(LABELS, min_size=1, max_size=4).map(".".join)


@given(domain=DOMAINS, pattern=DOMAINS, wild=st.booleans())
def test_a_domain_matches_by_whole_labels(domain: str, pattern: str, wild: bool) -> None:
    labels, wanted = domain.split("."), pattern.split(".")
    expected = len(labels) > len(wanted) and labels[-len(wanted) :] == wanted if wild else labels == wanted

    assert domain_matches(domain, [f"*.{pattern}" if wild else pattern]) is expected


CONDITIONS = st.sampled_from(
    [Everyone(), EmailDomain(("acme.example",)), EmailDomain(("other.example",)), Email(("ada@*",)), Claim("groups", ("a",))]
)
RULES = st.lists(st.builds(Rule, st.sampled_from(["allow", "deny"]), CONDITIONS), max_size=6)
VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.lists(st.text(max_size=2) | st.none(), max_size=3)
)


@given(
    rules=RULES,
    claims=st.dictionaries(st.sampled_from(["groups", "other"]), VALUES | st.dictionaries(st.text(max_size=2), VALUES, max_size=2)),
)
def test_a_decision_never_fails_and_says_which_rule_made_it(rules: list[Rule], claims: dict[str, Any]) -> None:
    decision = decide(rules, customer(), claims)

    if decision.number:
        assert decision.allowed == (rules[decision.number - 1].effect == "allow")
        # Only the rules up to it count, and without it the decision would be a later one's.
        assert decide(rules[: decision.number], customer(), claims) == decision
        assert decide(rules[: decision.number - 1], customer(), claims).number == 0
    else:
        assert decision.allowed == (not rules)


@given(rules=RULES)
def test_what_a_session_keeps_decides_the_same(rules: list[Rule]) -> None:
    claims = {"groups": ["a"], "other": "x"}
    kept = {name: value for name, value in claims.items() if name in claims_named(rules)}

    assert decide(rules, customer(), kept) == decide(rules, customer(), claims)


def test_a_claim_known_to_be_incomplete_denies_where_a_rule_denies_by_it_and_allows_nothing() -> None:
    claims = {"groups": INCOMPLETE}
    leavers, customers = deny(Claim("groups", ("leavers",))), allow(Claim("groups", ("customers",)))

    assert not decide([leavers, allow(Everyone())], customer(), claims).allowed
    assert not decide([customers], customer(), claims).allowed
    assert decide([allow(Everyone())], customer(), claims).allowed
    assert decide([leavers, allow(Everyone())], customer(), {"groups": ["customers"]}).allowed
