"""Claims to customer: attribute mapping, and when an email address is an identity."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsmsso.errors import IdentityRefused
from jsmsso.identity.access import INCOMPLETE
from jsmsso.identity.attributes import STANDARD_ATTRIBUTES, IdentityRules, destination, evaluate, lacking, to_customer

RULES = IdentityRules("acme")
CLAIMS: dict[str, Any] = {
    "iss": "https://op.example",
    "sub": "ada-1",
    "email": "Ada@ACME.example",
    "email_verified": True,
    "given_name": "Ada",
    "family_name": "Lovelace",
    "cognito:groups": ["customers", "vip"],
}


def mapped(**attributes: tuple[str, ...]) -> IdentityRules:
    return IdentityRules("acme", attributes={**STANDARD_ATTRIBUTES, **attributes})


def refusal(claims: dict[str, Any], rules: IdentityRules = RULES) -> IdentityRefused:
    with pytest.raises(IdentityRefused) as caught:
        to_customer(claims, rules)
    return caught.value


def test_the_standard_claims_make_a_customer() -> None:
    customer = to_customer(CLAIMS, RULES)

    assert (customer.provider, customer.issuer, customer.subject) == ("acme", "https://op.example", "ada-1")
    assert (customer.email, customer.first_name, customer.last_name) == ("ada@acme.example", "Ada", "Lovelace")
    assert customer.display_name == "Ada Lovelace"


EXPRESSIONS = [
    pytest.param("cognito:groups", ["customers", "vip"], id="a claim's literal name, though it is no JMESPath"),
    pytest.param("given_name", "Ada", id="a plain name"),
    pytest.param("address.country", "UK", id="a member of an object"),
    pytest.param("a.b", "literal", id="a literal name before the path of the same letters"),
    pytest.param("realm_access.roles[?starts_with(@, 'jsm-')]", ["jsm-a"], id="a filtered list"),
    pytest.param("emails[0]", "x@acme.example", id="the first of a list"),
    pytest.param("missing", None, id="a claim that is not there"),
    pytest.param("missing.too", None, id="a path that leads nowhere"),
    pytest.param("custom:nowhere", None, id="a literal name that is not there"),
    pytest.param("length(given_name, 1)", None, id="a call with too many arguments"),
    pytest.param("sum(given_name)", None, id="a call with the wrong kind"),
    pytest.param("[[[", None, id="no expression at all"),
    pytest.param("", None, id="nothing"),
]


@pytest.mark.parametrize(("expression", "value"), EXPRESSIONS)
def test_an_expression_is_a_literal_name_or_a_jmespath(expression: str, value: Any) -> None:
    claims = CLAIMS | {
        "address": {"country": "UK"},
        "a.b": "literal",
        "a": {"b": "path"},
        "realm_access": {"roles": ["jsm-a", "other"]},
        "emails": ["x@acme.example"],
    }

    assert evaluate(expression, claims) == value


def test_the_first_expression_with_a_value_counts() -> None:
    rules = mapped(first_name=("nickname", "empty", "none", "list", "given_name", "name"))

    assert to_customer(CLAIMS | {"empty": "", "none": None, "list": [], "name": "Later"}, rules).first_name == "Ada"


ORGANIZATIONS = [
    pytest.param(["a", "b"], ("a", "b"), id="a list"),
    pytest.param("a", ("a",), id="a text"),
    pytest.param([" a ", "", None, True, 7, {"x": 1}, ["b"]], ("a", "7", "b"), id="a list of anything"),
    pytest.param([str(number) for number in range(500)], tuple(str(number) for number in range(200)), id="at most 200"),
    pytest.param({"a": 1}, (), id="an object"),
    pytest.param(None, (), id="nothing"),
]


@pytest.mark.parametrize(("value", "organizations"), ORGANIZATIONS)
def test_organizations_come_from_whatever_shape(value: Any, organizations: tuple[str, ...]) -> None:
    assert to_customer(CLAIMS | {"groups": value}, mapped(organizations=("groups",))).organizations == organizations


NAMES = [
    pytest.param("  Ada ", "Ada", id="spaces around"),
    pytest.param("Ada\r\nBcc: eve", "AdaBcc: eve", id="line breaks"),
    pytest.param("Ada\u202egpj", "Adagpj", id="a turn of direction"),
    pytest.param("Ada\ud800", "Ada", id="half a character"),
    pytest.param("A" * 300, "A" * 255, id="too long"),
    pytest.param(["Ada", "Augusta"], "Ada", id="the first of a list"),
    pytest.param(7, "7", id="a number"),
    pytest.param(True, "", id="true"),
    pytest.param({"a": "b"}, "", id="an object"),
    pytest.param("Ådä 愛", "Ådä 愛", id="letters of any language"),
]


@pytest.mark.parametrize(("value", "name"), NAMES)
def test_a_name_is_one_line_of_printable_text(value: Any, name: str) -> None:
    assert to_customer(CLAIMS | {"given_name": value}, RULES).first_name == name


@pytest.mark.parametrize(
    ("claims", "display_name"),
    [
        pytest.param({"name": "Countess"}, "Countess", id="the name claim"),
        pytest.param({}, "Ada Lovelace", id="both names"),
        pytest.param({"family_name": None}, "Ada", id="one name"),
        pytest.param({"family_name": None, "given_name": None}, "ada@acme.example", id="no name"),
    ],
)
def test_a_customer_has_always_something_to_be_called(claims: dict[str, Any], display_name: str) -> None:
    assert to_customer(CLAIMS | claims, RULES).display_name == display_name


SPLIT = [
    pytest.param("Ada Lovelace", ("Ada", "Lovelace"), id="two words"),
    pytest.param("Ada King Lovelace", ("Ada King", "Lovelace"), id="three words"),
    pytest.param("Lovelace, Ada", ("Ada", "Lovelace"), id="as directories write it"),
    pytest.param("de la Cruz, Maria Jos\u00e9", ("Maria Jos\u00e9", "de la Cruz"), id="as directories write it, longer"),
    pytest.param("Ada", ("Ada", ""), id="one word"),
    pytest.param("Ada,", ("Ada", ""), id="nothing behind the comma"),
    pytest.param(", Ada", ("Ada", ""), id="nothing before the comma"),
    pytest.param("ada@acme.example", ("", ""), id="an address"),
    pytest.param(["Ada Lovelace", "x"], ("Ada", "Lovelace"), id="a list"),
    pytest.param("", ("", ""), id="empty"),
]


@pytest.mark.parametrize(("name", "split"), SPLIT)
def test_a_whole_name_is_split_where_there_is_no_first_and_no_last(name: Any, split: tuple[str, str]) -> None:
    customer = to_customer(CLAIMS | {"given_name": None, "family_name": "", "name": name}, RULES)

    assert (customer.first_name, customer.last_name) == split


def test_a_whole_name_is_not_split_where_one_of_the_two_is_there() -> None:
    customer = to_customer(CLAIMS | {"given_name": None, "name": "Augusta Ada King"}, RULES)

    assert (customer.first_name, customer.last_name, customer.display_name) == ("", "Lovelace", "Augusta Ada King")


def test_locale_and_phone_come_from_the_standard_claims_and_are_not_asked_for() -> None:
    customer = to_customer(CLAIMS | {"locale": "de-DE", "phone_number": "+49 30 1\u202e23"}, RULES)

    assert (customer.locale, customer.phone) == ("de-DE", "+49 30 123")
    assert lacking(CLAIMS | {"name": "Ada"}, mapped(phone=("mobile",))) == ("phone",)


IDENTITIES = '[{"userId":"7","providerName":"Okta","primary":"true"}]'


@pytest.mark.parametrize(
    ("claims", "expression", "organizations"),
    [
        pytest.param({"identities": IDENTITIES}, "identities[0].providerName", ("Okta",), id="Cognito's userinfo"),
        pytest.param({"identities": json.loads(IDENTITIES)}, "identities[0].providerName", ("Okta",), id="Cognito's ID token"),
        pytest.param({"custom:orgs": '["Acme","Globex"]'}, "custom:orgs", ("Acme", "Globex"), id="a list"),
        pytest.param({"orgs": '{"of":["Acme"]}'}, "orgs.of[]", ("Acme",), id="a mapping"),
        pytest.param({"orgs": "[Acme]"}, "orgs", ("[Acme]",), id="a name in brackets"),
        pytest.param({"orgs": "[" * 90_000}, "orgs[0]", (), id="brackets without end"),
    ],
)
def test_json_in_a_text_is_read(claims: dict[str, Any], expression: str, organizations: tuple[str, ...]) -> None:
    assert to_customer(CLAIMS | claims, mapped(organizations=(expression,))).organizations == organizations


@pytest.mark.parametrize(
    ("groups", "expressions", "complete"),
    [
        pytest.param(["a"], ("groups",), True, id="all of them"),
        pytest.param(INCOMPLETE, ("groups",), False, id="some left out"),
        pytest.param(INCOMPLETE, ("company", "groups"), False, id="the second of two"),
        pytest.param(INCOMPLETE, ("groups[?starts_with(@, 'x')]",), False, id="in a path"),
        pytest.param(INCOMPLETE, ("*",), False, id="among all claims"),
        pytest.param(INCOMPLETE, ("company",), True, id="another claim"),
        pytest.param([str(number) for number in range(10_000)], ("groups",), False, id="more than are kept"),
    ],
)
def test_organizations_are_known_to_be_incomplete(groups: Any, expressions: tuple[str, ...], complete: bool) -> None:
    customer = to_customer(CLAIMS | {"company": "Acme", "groups": groups}, mapped(organizations=expressions))

    assert customer.organizations_complete is complete


def test_megabytes_in_a_claim_make_a_short_text() -> None:
    customer = to_customer(CLAIMS | {"name": "x" * 5_000_000, "orgs": ["y" * 5_000_000]}, mapped(organizations=("orgs",)))

    assert (len(customer.display_name), len(customer.organizations[0])) == (255, 255)


def test_attributes_of_ones_own_are_kept() -> None:
    customer = to_customer(CLAIMS | {"custom:dept": "7"}, mapped(department=("custom:dept",), none=("missing",)))

    assert dict(customer.other) == {"department": "7"}


# Email -------------------------------------------------------------------------------------------


FLAGS = [
    pytest.param(True, True, id="true"),
    pytest.param("true", True, id="true as a text, as Cognito's userinfo says it"),
    pytest.param("True", True, id="True as a text"),
    pytest.param(False, False, id="false"),
    pytest.param("false", False, id="false as a text"),
    pytest.param("yes", False, id="yes"),
    pytest.param("", False, id="an empty text"),
    pytest.param(1, False, id="one"),
    pytest.param("1", False, id="one as a text"),
    pytest.param([True], False, id="a list of true"),
    pytest.param(None, False, id="null"),
    pytest.param(" true", False, id="true behind a space"),
]


@pytest.mark.parametrize(("flag", "verified"), FLAGS)
def test_an_email_counts_only_when_the_provider_calls_it_verified(flag: Any, verified: bool) -> None:
    claims = CLAIMS | {"email_verified": flag}

    if verified:
        assert to_customer(claims, RULES).email == "ada@acme.example"
    else:
        error = refusal(claims)
        assert (error.reason, error.email) == ("email_unverified", "ada@acme.example")


@pytest.mark.parametrize(
    ("verified_by", "claims", "verified"),
    [
        pytest.param(("xms_edov",), {"xms_edov": "1", "email_verified": False}, True, id="the provider's own flag, as a text"),
        pytest.param(("xms_edov",), {"xms_edov": True}, True, id="the provider's own flag"),
        pytest.param(("xms_edov",), {"email_verified": True}, False, id="only the flag that the provider does not speak by"),
        pytest.param(("xms_edov",), {"xms_edov": "0", "email_verified": True}, False, id="the provider's own flag says no"),
        pytest.param((), {"email_verified": True}, False, id="a provider that never says it"),
    ],
)
def test_which_claim_says_that_an_address_is_verified_is_the_rules(
    verified_by: tuple[str, ...], claims: dict[str, Any], verified: bool
) -> None:
    rules = IdentityRules("acme", verified_by=verified_by)
    said = {name: value for name, value in CLAIMS.items() if name != "email_verified"} | claims

    if verified:
        assert to_customer(said, rules).email == "ada@acme.example"
    else:
        assert refusal(said, rules).reason == "email_unverified"


def test_without_a_flag_an_email_is_not_verified() -> None:
    assert refusal({name: value for name, value in CLAIMS.items() if name != "email_verified"}).reason == "email_unverified"


def test_a_flag_says_nothing_of_another_claims_address() -> None:
    rules = mapped(email=("upn", "email"))

    assert refusal(CLAIMS | {"upn": "boss@acme.example"}, rules).reason == "email_unverified"
    assert to_customer(CLAIMS | {"upn": CLAIMS["email"]}, rules).email == "ada@acme.example"
    assert refusal(CLAIMS | {"email": ["ada@acme.example", "eve@acme.example"]}).reason == "email_unverified"


@pytest.mark.parametrize(
    ("listed", "counts"),
    [
        pytest.param(("acme.example",), True, id="its domain"),
        pytest.param(("*.example",), True, id="a domain above"),
        pytest.param(("*.acme.example",), False, id="only the domains below"),
        pytest.param(("other.example",), False, id="another domain"),
        pytest.param((), False, id="none"),
    ],
)
def test_an_unverified_email_counts_where_the_provider_is_the_authority_for_its_domain(listed: tuple[str, ...], counts: bool) -> None:
    rules = IdentityRules("acme", trust_unverified_email=listed)
    claims = CLAIMS | {"email_verified": False}

    if counts:
        assert to_customer(claims, rules).email == "ada@acme.example"
    else:
        assert refusal(claims, rules).reason == "email_unverified"


@pytest.mark.parametrize(
    ("email", "may"),
    [
        pytest.param("ada@acme.example", True, id="its domain"),
        pytest.param("ada@ACME.example", True, id="its domain in capitals"),
        pytest.param("ada@sub.acme.example", False, id="a domain below"),
        pytest.param("ada@notacme.example", False, id="a domain that ends alike"),
        pytest.param("ada@acme.example.evil.example", False, id="a domain that begins alike"),
        pytest.param("ada@other.example", False, id="another domain"),
    ],
)
def test_a_provider_vouches_only_for_its_own_domains(email: str, may: bool) -> None:
    rules = IdentityRules("acme", email_domains=("acme.example",), trust_unverified_email=("other.example", "acme.example"))
    claims = CLAIMS | {"email": email}

    if may:
        assert to_customer(claims, rules).email == "ada@acme.example"
    else:
        error = refusal(claims, rules)
        assert error.reason == "email_domain"
        assert "acme.example" in error.hint


def test_a_provider_with_no_domains_at_all_vouches_for_nobody() -> None:
    assert refusal(CLAIMS, IdentityRules("acme", email_domains=())).reason == "email_domain"


@pytest.mark.parametrize(
    ("email", "reason"),
    [
        pytest.param(None, "email_missing", id="null"),
        pytest.param("", "email_missing", id="empty"),
        pytest.param([], "email_missing", id="an empty list"),
        pytest.param(7, "email_missing", id="a number"),
        pytest.param({"a": 1}, "email_missing", id="an object"),
        pytest.param("ada", "email_malformed", id="no address"),
        pytest.param("ada@acme.example\nbcc: eve@evil.example", "email_malformed", id="two lines"),
        pytest.param("\u0430da@acme.example", "email_malformed", id="a Cyrillic a"),
    ],
)
def test_a_claim_that_is_no_address_is_no_identity(email: Any, reason: str) -> None:
    error = refusal(CLAIMS | {"email": email})

    assert error.reason == reason
    assert ("something else than text" in str(error)) == isinstance(email, int | dict)
    assert "eve" not in str(error)


def test_a_refusal_names_the_claims_that_were_there_and_not_their_values() -> None:
    error = refusal({"iss": "https://op.example", "sub": "ada-1", "phone_number": "+49123456"})

    assert error.claims == ("iss", "phone_number", "sub")
    assert "+49123456" not in f"{error} {error.hint}"


def test_lacking_names_what_userinfo_should_be_asked_for() -> None:
    assert lacking({"sub": "ada-1", "email": "ada@acme.example"}, RULES) == ("first_name", "last_name", "display_name", "email_verified")
    assert lacking(CLAIMS | {"name": "Ada"}, RULES) == ()


@pytest.mark.parametrize(("claim", "field"), [("sub", "subject"), ("given_name", "first_name"), ("zoneinfo", "")])
def test_destination_names_the_field_that_a_claim_goes_to(claim: str, field: str) -> None:
    assert destination(claim, RULES) == field


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES_OF_CLAIMS = st.sampled_from(
    ["email", "email_verified", "given_name", "family_name", "name", "groups", "a.b", "cognito:groups"]
) | st.text(max_size=8)


@given(
    claims=st.dictionaries(NAMES_OF_CLAIMS, JSON, max_size=6),
    expression=st.text(max_size=12) | st.sampled_from(["*", "@", "keys(@)", "a.b"]),
)
def test_any_claims_make_a_customer_or_a_refusal(claims: dict[str, Any], expression: str) -> None:
    rules = mapped(organizations=(expression,), display_name=("name", expression))
    try:
        customer = to_customer(claims | {"iss": "https://op.example", "sub": "ada-1"}, rules)
    except IdentityRefused:
        return

    assert claims.get("email_verified") in (True, "true", "True", "TRUE") or str(claims["email_verified"]).lower() == "true"
    assert customer.email == customer.email.lower()
    for text in (customer.first_name, customer.last_name, customer.display_name, *customer.organizations):
        assert text.isprintable()
