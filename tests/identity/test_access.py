"""Access rules: in order, the first match decides, no match denies."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsmsso.identity.access import (
    INCOMPLETE,
    AllOf,
    AnyOf,
    ByProvider,
    Claim,
    ClaimAllOf,
    ClaimEquals,
    ClaimMatches,
    Condition,
    Email,
    EmailDomain,
    EmailIn,
    Everyone,
    Organization,
    Rule,
    claims_named,
    decide,
    domain_matches,
    explain,
    looks_at_organizations,
    never_reached,
)
from jsmsso.identity.contradictions import never_fitting
from jsmsso.identity.customer import Customer
from jsmsso.identity.email_address import NotAnEmailAddress, fold_domain, fold_email


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


LEAVES = st.sampled_from(
    [
        Everyone(),
        EmailDomain(("acme.example",)),
        EmailDomain(("other.example",)),
        Email(("ada@*",)),
        EmailIn("unread.txt"),
        Claim("groups", ("a",)),
        ClaimEquals("groups", "a"),
        ClaimAllOf("groups", ("a", "b")),
        ClaimMatches("groups", "a|b+"),
        Organization(("x",)),
        ByProvider(("acme",)),
        ByProvider(("other",)),
    ]
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.tuples(st.sampled_from([AnyOf, AllOf]), st.lists(inner, min_size=1, max_size=3).map(tuple)).map(
        lambda two: two[0](two[1])
    ),
    max_leaves=5,
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


# Conditions on claims, organizations and providers ---------------------------------------------------

LONG = "a" * 1025

MORE_CLAIMS = [
    pytest.param(ClaimEquals("c", "a"), "a", True, id="equals: the value"),
    pytest.param(ClaimEquals("c", "a"), ["a"], True, id="equals: a list of it alone"),
    pytest.param(ClaimEquals("c", "a"), ["a", "a"], True, id="equals: twice the value"),
    pytest.param(ClaimEquals("c", "a"), ["a", "b"], None, id="equals: the value and another"),
    pytest.param(ClaimEquals("c", "a"), ["b"], False, id="equals: another"),
    pytest.param(ClaimEquals("c", "true"), True, True, id="equals: true"),
    pytest.param(ClaimEquals("c", "a"), None, False, id="equals: absent"),
    pytest.param(ClaimAllOf("c", ("a", "b")), ["b", "x", "a"], True, id="all_of: all and another"),
    pytest.param(ClaimAllOf("c", ("a", "b")), ["a"], False, id="all_of: one of two"),
    pytest.param(ClaimAllOf("c", ("a",)), "a", True, id="all_of: a single value"),
    pytest.param(ClaimAllOf("c", ("a", "b")), None, False, id="all_of: absent"),
    pytest.param(ClaimMatches("c", "gold|platinum"), "gold", True, id="matches: one way"),
    pytest.param(ClaimMatches("c", "gold|platinum"), "golden", False, id="matches: as a whole"),
    pytest.param(ClaimMatches("c", "gold"), "gold\n", False, id="matches: a line end is one"),
    pytest.param(ClaimMatches("c", "^gold$"), "x\ngold\ny", False, id="matches: a line of several"),
    pytest.param(ClaimMatches("c", "a.*"), ["x", "ab"], True, id="matches: one of a list"),
    pytest.param(ClaimMatches("c", ".*"), None, False, id="matches: absent"),
    pytest.param(ClaimMatches("c", "a*"), LONG[:-1], True, id="matches: 1,024 characters"),
    pytest.param(ClaimMatches("c", "a*"), LONG, None, id="matches: 1,025 characters"),
    pytest.param(ClaimMatches("c", "b"), [LONG, "b"], True, id="matches: a long one and one that fits"),
    pytest.param(ClaimMatches("c", "(a*)*b"), "a" * 1024, False, id="matches: an expression that others choke on"),
    pytest.param(ClaimMatches("c", "a"), "\ud800", False, id="matches: half a character"),
    pytest.param(ClaimMatches("c", "\\p{L}+"), "\u00c5d\u00e4", True, id="matches: letters of any language"),
]


@pytest.mark.parametrize(("condition", "value", "fit"), MORE_CLAIMS)
def test_what_the_other_conditions_on_a_claim_match(condition: Condition, value: Any, fit: bool | None) -> None:
    claims = {} if value is None else {"c": value}

    assert decide([allow(condition)], customer(), claims).allowed is (fit is True)
    assert decide([deny(condition), allow(Everyone())], customer(), claims).allowed is (fit is False)


@pytest.mark.parametrize(
    ("condition", "matches"),
    [
        pytest.param(Organization(("Acme",)), True, id="one of hers"),
        pytest.param(Organization(("Other", "Acme, Inc.")), True, id="a name with a comma"),
        pytest.param(Organization(("acme",)), False, id="another case"),
        pytest.param(Organization(("Acm",)), False, id="a part of the name"),
        pytest.param(ByProvider(("pool",)), True, id="her provider"),
        pytest.param(ByProvider(("other",)), False, id="another provider"),
    ],
)
def test_what_a_condition_on_organization_or_provider_matches(condition: Condition, matches: bool) -> None:
    ada = Customer("pool", "https://op.example", "1", "ada@acme.example", organizations=("Acme", "Acme, Inc."))

    assert decide([allow(condition)], ada, {}).allowed is matches
    assert decide([deny(condition), allow(Everyone())], ada, {}).allowed is not matches


def test_organizations_of_which_some_are_missing_deny_where_a_rule_denies_by_them() -> None:
    ada = Customer("pool", "https://op.example", "1", "ada@acme.example", organizations=("Acme",), organizations_complete=False)

    assert not decide([deny(Organization(("Leavers",))), allow(Everyone())], ada, {}).allowed
    assert not decide([allow(Organization(("Leavers",)))], ada, {}).allowed
    assert decide([allow(Organization(("Acme",)))], ada, {}).allowed


UNKNOWN = Claim("groups", ("leavers",))

COMBINED = [
    pytest.param(AnyOf((Everyone(), UNKNOWN)), True, id="any: one fits"),
    pytest.param(AnyOf((ByProvider(("x",)), UNKNOWN)), None, id="any: one cannot be told"),
    pytest.param(AnyOf((ByProvider(("x",)), ByProvider(("y",)))), False, id="any: none fits"),
    pytest.param(AllOf((Everyone(), UNKNOWN)), None, id="all: one cannot be told"),
    pytest.param(AllOf((UNKNOWN, ByProvider(("x",)))), False, id="all: one does not fit"),
    pytest.param(AllOf((Everyone(), ByProvider(("acme",)))), True, id="all: each fits"),
    pytest.param(AllOf((Everyone(), AnyOf((ByProvider(("x",)), UNKNOWN)))), None, id="any in all: one cannot be told"),
]


@pytest.mark.parametrize(("condition", "fit"), COMBINED)
def test_an_incomplete_claim_denies_also_inside_any_and_all(condition: Condition, fit: bool | None) -> None:
    claims = {"groups": INCOMPLETE}

    assert decide([allow(condition)], customer(), claims).allowed is (fit is True)
    assert decide([deny(condition), allow(Everyone())], customer(), claims).allowed is (fit is False)


def test_claims_and_organizations_inside_any_and_all_are_kept_too() -> None:
    rules = [deny(AnyOf((Claim("a", ("x",)), AllOf((ClaimEquals("b", "x"), ClaimAllOf("c", ("x",))))))), allow(ClaimMatches("d", "x"))]

    assert claims_named(rules) == {"a", "b", "c", "d"}
    assert not looks_at_organizations(rules)
    assert looks_at_organizations([*rules, deny(AllOf((Everyone(), Organization(("x",)))))])


def test_a_glob_of_many_stars_takes_no_longer() -> None:
    glob = Email(("*a" * 25 + "b@" + "*a" * 25 + "b",))

    assert not decide([allow(glob)], customer("a" * 64 + "@" + "a" * 63 + ".a" * 90), {}).allowed


def test_an_explanation_says_of_each_rule_why() -> None:
    rules = [
        deny(Claim("groups", ("leavers",))),
        deny(EmailDomain(("evil.example",))),
        allow(AnyOf((ClaimEquals("tier", "gold"), Email(("*@acme.example",))))),
        deny(Everyone()),
    ]
    secret = "not for the log"

    lines = [str(one) for one in explain(rules, customer(), {"groups": [secret], "tier": secret})]

    assert lines == [
        "1. deny claim groups any of leavers: passes, it has another value",
        "2. deny email domain evil.example: passes, the address is at acme.example",
        (
            "3. allow any of (claim tier equals gold; email *@acme.example): decides, "
            "claim tier equals gold: it is not that; email *@acme.example: the address fits *@acme.example"
        ),
        "4. deny everyone: not reached",
    ]


# What holds for all rules ------------------------------------------------------------------------------

CLAIMS_OF_ANY_KIND = st.dictionaries(st.sampled_from(["groups", "other"]), VALUES | st.just(INCOMPLETE))
CUSTOMERS = st.builds(
    Customer,
    st.sampled_from(["acme", "other"]),
    st.just("https://op.example"),
    st.just("1"),
    st.sampled_from(["ada@acme.example", "ada@other.example", "eve@evil.example"]),
    organizations=st.sampled_from([(), ("x",), ("y",)]),
    organizations_complete=st.booleans(),
)


@given(rules=RULES, condition=CONDITIONS, place=st.integers(0, 6), one=CUSTOMERS, claims=CLAIMS_OF_ANY_KIND)
def test_adding_a_deny_never_lets_anybody_in(
    rules: list[Rule], condition: Condition, place: int, one: Customer, claims: dict[str, Any]
) -> None:
    more = [*rules[:place], deny(condition), *rules[place:]]

    assert decide(rules, one, claims).allowed or not decide(more, one, claims).allowed


@given(rules=RULES.filter(bool), condition=CONDITIONS, place=st.integers(0, 6), one=CUSTOMERS, claims=CLAIMS_OF_ANY_KIND)
def test_adding_an_allow_never_keeps_anybody_out(
    rules: list[Rule], condition: Condition, place: int, one: Customer, claims: dict[str, Any]
) -> None:
    more = [*rules[:place], allow(condition), *rules[place:]]

    assert decide(more, one, claims).allowed or not decide(rules, one, claims).allowed


@given(rules=RULES, one=CUSTOMERS, claims=CLAIMS_OF_ANY_KIND)
def test_an_explanation_names_the_rule_that_decides(rules: list[Rule], one: Customer, claims: dict[str, Any]) -> None:
    decision, lines = decide(rules, one, claims), explain(rules, one, claims)

    assert len(lines) == len(rules)
    assert [line.number for line in lines if line.result == "decides"] == ([decision.number] if decision.number else [])
    assert all(line.result == "not reached" for line in lines[decision.number :] if decision.number)


@given(rules=RULES, one=CUSTOMERS, claims=CLAIMS_OF_ANY_KIND)
def test_a_rule_that_is_called_never_reached_never_decides(rules: list[Rule], one: Customer, claims: dict[str, Any]) -> None:
    assert decide(rules, one, claims).number not in [number for number, _ in never_reached(rules)]


@given(rules=RULES, one=CUSTOMERS, claims=CLAIMS_OF_ANY_KIND)
def test_a_rule_that_is_called_contradictory_never_decides(rules: list[Rule], one: Customer, claims: dict[str, Any]) -> None:
    assert decide(rules, one, claims).number not in never_fitting(tuple(rules))


@pytest.mark.parametrize(
    ("condition", "never"),
    [
        pytest.param(AllOf((ByProvider(("a",)), ByProvider(("b", "c")))), True, id="two providers"),
        pytest.param(AllOf((ByProvider(("a", "b")), ByProvider(("b",)))), False, id="a provider of both"),
        pytest.param(AllOf((EmailDomain(("a.com",)), EmailDomain(("b.com",)))), True, id="two domains"),
        pytest.param(AllOf((EmailDomain(("x.a.com",)), EmailDomain(("*.a.com",)))), False, id="a domain below another"),
        pytest.param(AllOf((EmailDomain(("a.com",)), EmailDomain(("*.a.com",)))), True, id="a domain that is not below itself"),
        pytest.param(AllOf((EmailDomain(("*.a.com",)), EmailDomain(("*.x.a.com",)))), False, id="what cannot be told from the text"),
        pytest.param(AllOf((Email(("ada@a.com",)), EmailDomain(("b.com",)))), True, id="an address elsewhere"),
        pytest.param(AllOf((Email(("*@a.com",)), EmailDomain(("b.com",)))), True, id="everybody elsewhere"),
        pytest.param(AllOf((Email(("ada@*.com",)), EmailDomain(("b.com",)))), False, id="a glob in the domain"),
        pytest.param(AllOf((Email(("ada@a.com",)), Email(("bob@a.com",)))), True, id="two addresses"),
        pytest.param(AllOf((ClaimEquals("c", "1"), ClaimEquals("c", "2"))), True, id="two values of one claim"),
        pytest.param(AllOf((ClaimEquals("c", "1"), ClaimEquals("d", "2"))), False, id="values of two claims"),
        pytest.param(AllOf((Everyone(), AllOf((ByProvider(("a",)),)), AllOf((ByProvider(("b",)),)))), True, id="nested"),
        pytest.param(AnyOf((AllOf((ByProvider(("a",)), ByProvider(("b",)))), Everyone())), False, id="one way left"),
        pytest.param(AnyOf((AllOf((ByProvider(("a",)), ByProvider(("b",)))),)), True, id="no way left"),
    ],
)
def test_a_rule_that_contradicts_itself_is_known(condition: Condition, never: bool) -> None:
    assert never_fitting((Rule("allow", condition),)) == ([1] if never else [])


def test_a_claim_with_both_values_is_denied_by_a_rule_that_asks_for_each_alone() -> None:
    rule = Rule("deny", AllOf((ClaimEquals("c", "1"), ClaimEquals("c", "2"))))
    assert not decide([rule, Rule("allow", Everyone())], customer(), {"c": ["1", "2"]}).allowed
    assert never_fitting((rule,)) == []


@given(rules=RULES, one=CUSTOMERS, groups=st.lists(st.sampled_from("abc"), max_size=4), data=st.data())
def test_the_order_of_groups_does_not_matter(rules: list[Rule], one: Customer, groups: list[str], data: st.DataObject) -> None:
    mixed = data.draw(st.permutations(groups))

    assert decide(rules, one, {"groups": groups}) == decide(rules, one, {"groups": mixed})


def _in_any_case(text: str) -> st.SearchStrategy[str]:
    return st.tuples(*(st.sampled_from([c.lower(), c.upper()]) for c in text)).map("".join)


@given(_in_any_case("ada@acme.example"), _in_any_case("acme.example"), st.sampled_from(["acme.example", "*.example", "other.example"]))
def test_the_case_of_a_domain_does_not_matter(address: str, written: str, pattern: str) -> None:
    rules = [allow(EmailDomain((pattern if pattern != "acme.example" else fold_domain(written),)))]

    assert decide(rules, customer(fold_email(address)), {}) == decide(rules, customer(), {})


# Letters that look like those of the address, or that some folding turns into them.
ALIKE = {
    "a": "\u0430\uff41\u00e0\u0251\U0001d41a\u00aa",
    "d": "\u0501\uff44\U0001d41d\u217e",
    "c": "\u0441\uff43\u217d\u00e7",
    "m": "\uff4d\u217f\u043c",
    "e": "\u0435\uff45\u212f\u00e9",
    "k": "\u212a\uff4b",
    "i": "\u0131\u0456\uff49\u0130",
    "s": "\u017f\uff53\u0455",
    ".": "\u3002\uff0e\uff61\u2024",
    "@": "\uff20\ufe6b",
}
VICTIM = "ada@acme-kiss.example"


@given(st.data())
def test_no_letter_that_looks_alike_passes_for_another_address(data: st.DataObject) -> None:
    place = data.draw(st.sampled_from([n for n, letter in enumerate(VICTIM) if letter in ALIKE]))
    forged = VICTIM[:place] + data.draw(st.sampled_from(ALIKE[VICTIM[place]])) + VICTIM[place + 1 :]
    rules = [allow(Email((VICTIM,))), allow(EmailDomain(("acme-kiss.example",)))]
    try:
        folded = fold_email(forged)
    except NotAnEmailAddress:
        return

    assert folded != VICTIM
    if "@acme-kiss.example" not in folded:
        assert not decide(rules, customer(folded), {}).allowed


@given(st.text(max_size=12), st.text(max_size=12))
def test_two_addresses_are_one_only_when_their_letters_are(local_part: str, domain: str) -> None:
    try:
        folded = fold_email(f"{local_part}@{domain}")
    except NotAnEmailAddress:
        return

    assert folded.isascii()
    assert folded.partition("@")[0] == "".join(c.lower() if c.isascii() else c for c in local_part)
    assert fold_email(folded) == folded
