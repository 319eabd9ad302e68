"""``jsmsso attributes show, set, preview``: what is written where, and what claims make of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.trying_out import write_profile
from tests.jsm.at_a_terminal import at_a_terminal, rest_of
from tests.services.home import Home, Ran

Run = Callable[..., Ran]

POOL = {"type": "cognito", "domain": "acme.auth.eu-west-1.amazoncognito.com", "client_id": "c", "client_secret": "env:S"}
CLAIMS = {
    "sub": "1",
    "email": "ada@acme.com",
    "email_verified": True,
    "given_name": "Ada",
    "family_name": "Lovelace",
    "cognito:groups": ["customers", "it"],
}
PROFILE = """\
# Ours.
version: 1
public_url: https://sso.acme.com
providers:
  cognito:  # the first
    type: cognito
    domain: acme.auth.eu-west-1.amazoncognito.com
    client_id: c
    client_secret: env:S

attributes:
  # from the pool
  email: email
  first_name: [given_name, name]   # either
"""


def preview(run: Run, home: Home, claims: Any, *arguments: str) -> Ran:
    """``attributes preview`` of a file with these claims (a text as it is)."""
    (home.work / "claims.json").write_bytes(claims if isinstance(claims, bytes) else json.dumps(claims).encode())
    ran = run("attributes", "preview", "--claims", "claims.json", *arguments)
    assert "Traceback" not in ran.stderr
    return ran


# Showing -------------------------------------------------------------------------------------------


def test_show_says_where_each_field_comes_from(jsmsso: Run, jsmsso_home: Home) -> None:
    write_profile(jsmsso_home, {"cognito": POOL}, attributes={"first_name": ["nickname", "given_name"], "organizations": "cognito:groups"})

    words, document = jsmsso("attributes", "show"), jsmsso("attributes", "show", "--json")

    lines = [" ".join(line.split()) for line in words.stdout.splitlines()]
    assert "email email the provider's type" in lines
    assert "first_name nickname, else given_name profile" in lines
    assert {"field": "organizations", "expressions": ["cognito:groups"], "from": "profile"} in document.json()


def test_each_provider_has_its_own_defaults(jsmsso: Run, jsmsso_home: Home) -> None:
    idp = {"type": "entra-external", "issuer": "https://acme.ciamlogin.com/x/v2.0", "client_id": "c", "client_secret": "env:S"}
    providers = {"cognito": POOL | {"any_email": True}, "b2c": idp | {"email_domains": ["acme.de"], "callback": "/callback/b2c"}}
    write_profile(jsmsso_home, providers)

    first, second = (jsmsso("attributes", "show", "--json", *more) for more in ((), ("--provider", "b2c")))

    assert (first.code, second.code) == (0, 0), second.stdout
    assert {"field": "email", "expressions": ["email"], "from": "the provider's type"} in first.json()
    assert first.json() != second.json()


def test_a_provider_that_is_not_there(jsmsso: Run, jsmsso_home: Home) -> None:
    write_profile(jsmsso_home, {"cognito": POOL})

    ran = jsmsso("attributes", "show", "--provider", "other")

    assert (ran.code, "There is: cognito." in ran.stderr) == (2, True)


# Setting -------------------------------------------------------------------------------------------


def test_set_writes_a_field_and_keeps_every_comment(jsmsso: Run, jsmsso_home: Home) -> None:
    jsmsso_home.profile.write_text(PROFILE)

    ran = jsmsso("attributes", "set", "organizations=cognito:groups", "email=mail")

    assert ran.code == 0, ran.stderr
    assert jsmsso_home.profile.read_text() == PROFILE.replace("email: email\n", "email: mail\n") + "  organizations: cognito:groups\n"
    assert "Next: jsmsso attributes preview --claims FILE" in ran.stdout


def test_a_field_twice_is_tried_in_order_and_one_without_an_expression_goes(jsmsso: Run, jsmsso_home: Home) -> None:
    jsmsso_home.profile.write_text(PROFILE)

    ran = jsmsso("attributes", "set", "organizations=a", "organizations=b", "first_name=", "--json")

    assert ran.json() == [{"field": "organizations", "expressions": ["a", "b"]}, {"field": "first_name", "expressions": []}]
    shown = {one["field"]: (one["expressions"], one["from"]) for one in jsmsso("attributes", "show", "--json").json()}
    assert shown["organizations"] == (["a", "b"], "profile")
    assert shown["first_name"] == (["given_name"], "the provider's type")


def test_the_first_field_makes_the_section_and_the_last_one_takes_it_along(jsmsso: Run, jsmsso_home: Home) -> None:
    bare = PROFILE.partition("\nattributes")[0]
    jsmsso_home.profile.write_text(bare)

    jsmsso("attributes", "set", "organizations=cognito:groups")
    made = jsmsso_home.profile.read_text()
    jsmsso("attributes", "set", "organizations=")

    assert made == bare + "attributes:\n  organizations: cognito:groups\n"
    assert jsmsso_home.profile.read_text() == bare
    assert jsmsso("attributes", "set", "organizations=").stdout == "Nothing changed.\n"


@pytest.mark.parametrize(
    "expression",
    [
        "groups[?type=='customer'].name",
        "join('=', [a, b])",
        "https://acme.com/claims/groups",
        "no",
        "123",
        "null",
        "# no comment",
        "a: b",
        "*",
        "@",
        "'quoted'",
        '"with space"',
        "{a: b}",
        "groups[]",
        "über",
    ],
)
def test_an_expression_is_read_back_as_it_was_given(jsmsso: Run, jsmsso_home: Home, expression: str) -> None:
    jsmsso_home.profile.write_text(PROFILE)

    ran = jsmsso("attributes", "set", f"organizations={expression}")

    assert ran.code == 0, ran.stderr
    shown = {one["field"]: one["expressions"] for one in jsmsso("attributes", "show", "--json").json()}
    assert shown["organizations"] == [expression]


@pytest.mark.parametrize(
    "arguments, words",
    [
        pytest.param(["email"], "'email' is no FIELD=EXPRESSION", id="no equals sign"),
        pytest.param(["=email"], "'' is no name of a field", id="no field"),
        pytest.param(["First-Name=x"], "a to z, digits and _", id="a field with other letters"),
        pytest.param(["1st=x"], "a letter first", id="a field that begins with a digit"),
        pytest.param([f"{'x' * 41}=x"], "at most 40", id="a long field"),
        pytest.param(["subject=email"], "subject is never mapped", id="a field that is no choice"),
        pytest.param(["a=x\x1b[31m"], "control characters", id="an escape sequence"),
        pytest.param([], "FIELD=EXPRESSION", id="nothing"),
    ],
)
def test_wrong_assignments_change_nothing(jsmsso: Run, jsmsso_home: Home, arguments: list[str], words: str) -> None:
    jsmsso_home.profile.write_text(PROFILE)

    ran = jsmsso("attributes", "set", "organizations=kept", *arguments) if arguments else jsmsso("attributes", "set")

    assert (ran.code, words in ran.stderr) == (2, True), ran.stderr
    assert "\x1b" not in ran.stderr
    assert jsmsso_home.profile.read_text() == PROFILE


@pytest.mark.parametrize("section", ["attributes:\n", "attributes: []\n", "attributes: {Email: x}\n"])
def test_a_profile_that_is_wrong_already_is_told_so(jsmsso: Run, jsmsso_home: Home, section: str) -> None:
    jsmsso_home.profile.write_text(text := PROFILE.partition("attributes:")[0] + section)

    ran = jsmsso("attributes", "set", "email=email")

    assert (ran.code, "the profile has 1 problem" in ran.stderr) == (3, True), ran.stderr
    assert jsmsso_home.profile.read_text() == text


@pytest.mark.parametrize(
    "assignment, words",
    [
        pytest.param("fist_name=given_name", "fist_name is a field of your own; did you mean first_name?", id="a misspelt field"),
        pytest.param("organisations=groups", "organisations is a field of your own; did you mean organizations?", id="British"),
        pytest.param("organizations=groups[", "'groups[' is no JMESPath", id="half a JMESPath"),
        pytest.param("department=custom:department", "", id="a field of one's own"),
        pytest.param("organizations=https://acme.com/groups", "", id="a claim in a namespace"),
    ],
)
def test_what_may_be_a_slip_is_warned_about(jsmsso: Run, jsmsso_home: Home, assignment: str, words: str) -> None:
    jsmsso_home.profile.write_text(PROFILE)

    ran = jsmsso("attributes", "set", assignment)

    assert ran.code == 0
    assert words in ran.stderr if words else not ran.stderr, ran.stderr


# Previewing ----------------------------------------------------------------------------------------


def test_preview_shows_the_claims_and_the_customer(jsmsso: Run, jsmsso_home: Home) -> None:
    write_profile(jsmsso_home, {"cognito": POOL}, attributes={"organizations": "cognito:groups"})

    ran = preview(jsmsso, jsmsso_home, CLAIMS)

    lines = [" ".join(line.split()) for line in ran.stdout.splitlines()]
    assert (ran.code, ran.stderr) == (0, "")
    assert "cognito:groups customers, it organizations" in lines
    assert "sub 1 subject" in lines
    assert "display_name Ada Lovelace" in lines
    assert "organizations customers, it" in lines


@pytest.mark.parametrize(
    "expression, claims, organizations",
    [
        pytest.param("groups", {"groups": ["a", "b"]}, ["a", "b"], id="a list"),
        pytest.param("company", {"company": "Acme, Inc."}, ["Acme, Inc."], id="a text, with a comma in it"),
        pytest.param("groups[].name", {"groups": [{"name": "a"}, {"name": "b"}]}, ["a", "b"], id="a list of objects"),
        pytest.param(
            "groups[?type=='customer'].name", {"groups": [{"name": "a", "type": "customer"}, {"name": "b"}]}, ["a"], id="some of them"
        ),
        pytest.param("groups[?starts_with(@, 'jsm-')]", {"groups": ["jsm-a", "b"]}, ["jsm-a"], id="by their beginning"),
        pytest.param('"https://acme.com/org".name', {"https://acme.com/org": {"name": "Acme"}}, ["Acme"], id="inside a namespaced claim"),
        pytest.param("a.b", {"a.b": "literal", "a": {"b": "path"}}, ["literal"], id="the literal name goes first"),
    ],
)
def test_organizations_from_a_list_or_a_text(
    jsmsso: Run, jsmsso_home: Home, expression: str, claims: dict[str, Any], organizations: list[str]
) -> None:
    write_profile(jsmsso_home, {"cognito": POOL}, attributes={"organizations": expression})

    ran = preview(jsmsso, jsmsso_home, CLAIMS | claims, "--json")

    assert (ran.code, ran.json()["customer"]["organizations"]) == (0, organizations)


@pytest.mark.parametrize(
    "attributes, words",
    [
        pytest.param({"first_name": "givenname"}, "first_name: no claim givenname; did you mean given_name?", id="misspelt"),
        pytest.param(
            {"organizations": "groups"}, "organizations: no claim groups; did you mean cognito:groups?", id="without its namespace"
        ),
        pytest.param({"organizations": "cognito:group"}, "did you mean cognito:groups?", id="a letter less"),
        pytest.param({"department": ["Department", "dept"]}, "department: no claim Department or dept\n", id="nothing near"),
        pytest.param({"organizations": "adress.country"}, "did you mean address?", id="misspelt at the beginning of a JMESPath"),
        pytest.param({"organizations": "address.contry"}, "organizations: nothing at address.contry\n", id="misspelt further on"),
        pytest.param({"organizations": "address"}, "organizations: address leads to no text", id="an object where a text is due"),
        pytest.param({"first_name": "given_name"}, "", id="all is there"),
    ],
)
def test_a_claim_that_is_not_there_names_the_nearest(jsmsso: Run, jsmsso_home: Home, attributes: dict[str, Any], words: str) -> None:
    write_profile(jsmsso_home, {"cognito": POOL}, attributes=attributes)

    ran = preview(jsmsso, jsmsso_home, CLAIMS | {"address": {"country": "UK"}})

    assert ran.code == 0
    assert words in ran.stderr if words else not ran.stderr, ran.stderr


@pytest.mark.parametrize(
    "changed, reason",
    [
        pytest.param({"email_verified": False}, "email_unverified", id="not verified"),
        pytest.param({"email_verified": "yes"}, "email_unverified", id="verified in another word"),
        pytest.param({"email": ""}, "email_missing", id="no address"),
        pytest.param({"email": "ada@acme@com"}, "email_malformed", id="no address at all"),
    ],
)
def test_claims_that_make_no_customer_exit_with_one(jsmsso: Run, jsmsso_home: Home, changed: dict[str, Any], reason: str) -> None:
    write_profile(jsmsso_home, {"cognito": POOL})

    words, document = (preview(jsmsso, jsmsso_home, CLAIMS | changed, *more) for more in ((), ("--json",)))

    assert (words.code, words.stdout.startswith("Refused: ")) == (1, True)
    assert (document.code, document.json()["customer"], document.json()["refused"]["reason"]) == (1, None, reason)


def test_claims_without_an_address_are_named_and_not_shown(jsmsso: Run, jsmsso_home: Home) -> None:
    write_profile(jsmsso_home, {"cognito": POOL})
    (jsmsso_home.work / "c.json").write_text(json.dumps({"mail": "ada@acme.com", "sub": "s-1", "a\x1b[31m": "x"}))

    for command in (("attributes", "preview"), ("access", "check")):
        words, document = (jsmsso(*command, "--claims", "c.json", *more) for more in ((), ("--json",)))
        assert "\n  The claims are: a\\x1b[31m, mail, sub\n" in words.stdout
        assert "s-1" not in words.stdout
        assert document.json()["refused"]["claims"] == ["a\x1b[31m", "mail", "sub"]


def test_the_second_providers_rules_count_for_it(jsmsso: Run, jsmsso_home: Home) -> None:
    idp = {"type": "oidc", "issuer": "https://id.acme.de", "client_id": "c", "client_secret": "env:S", "email_domains": ["acme.de"]}
    write_profile(jsmsso_home, {"cognito": POOL | {"any_email": True}, "partner": idp | {"callback": "/callback/partner"}})

    first, second = (preview(jsmsso, jsmsso_home, CLAIMS, "--json", *more) for more in ((), ("--provider", "partner")))

    assert (first.code, second.code) == (0, 1), first.stdout + second.stdout
    assert second.json()["refused"]["reason"] == "email_domain"


def test_what_test_connection_prints_can_be_previewed(jsmsso: Run, jsmsso_home: Home) -> None:
    write_profile(jsmsso_home, {"cognito": POOL})

    ran = jsmsso("attributes", "preview", "--claims", "-", "--json", typed=json.dumps({"provider": "cognito", "claims": CLAIMS}))

    assert (ran.code, ran.json()["customer"]["email"]) == (0, "ada@acme.com")


@pytest.mark.parametrize(
    "content, words",
    [
        pytest.param(b"", "are no JSON", id="empty"),
        pytest.param(b"\x00\xff\xfe\x80" * 100, "are no JSON", id="binary"),
        pytest.param(b'"' + b"x" * 2_000_000 + b'"', "are larger than 1000000 bytes", id="2 MB"),
        pytest.param(b"[" * 100_000, "are no JSON", id="deep"),
        pytest.param(b"[1, 2]", "are no JSON object", id="a list"),
        pytest.param(b"null", "are no JSON object", id="null"),
        pytest.param(b'{"n": NaN}', "are no JSON", id="not a number"),
        pytest.param(b'{"n": 1' + b"0" * 5000 + b"}", "are no JSON", id="a number of 5,000 digits"),
        pytest.param(b"eyJhbGciOiJSUzI1NiJ9.e30.c2ln", "are no JSON", id="a token"),
    ],
)
def test_a_file_without_claims(jsmsso: Run, jsmsso_home: Home, content: bytes, words: str) -> None:
    write_profile(jsmsso_home, {"cognito": POOL})

    ran = preview(jsmsso, jsmsso_home, content, "--json")

    assert (ran.code, ran.json()["error"]["code"]) == (2, "usage")
    assert words in ran.json()["error"]["message"]
    if content.startswith(b"eyJ"):
        assert "jsmsso token inspect --stdin" in ran.json()["error"]["hint"]
        assert "c2ln" not in ran.stdout


@pytest.mark.parametrize(
    "file, words",
    [
        pytest.param("gone.json", "the claims in gone.json cannot be read: no such file or directory", id="missing"),
        pytest.param(".", "cannot be read: is a directory", id="a folder"),
        pytest.param("/dev/zero", "are larger than 1000000 bytes", id="without an end"),
        pytest.param("", "missing: --claims FILE", id="no name"),
    ],
)
def test_a_file_that_cannot_be_read(jsmsso: Run, jsmsso_home: Home, file: str, words: str) -> None:
    write_profile(jsmsso_home, {"cognito": POOL})

    ran = jsmsso("attributes", "preview", "--claims", file)

    assert (ran.code, words in ran.stderr) == (2, True), ran.stderr


def test_claims_cannot_write_to_the_terminal(jsmsso: Run, jsmsso_home: Home) -> None:
    write_profile(jsmsso_home, {"cognito": POOL}, attributes={"organizations": "odd", "first_name": "gven_name", "photo": "photo"})
    odd = {"odd": ["\x1b[2J[red]\u202e\ud800"], "given_name": "\x1b]0;x\x07", "given_name\x1b[31m": "x", "photo": "\x9b2J" * 500}

    words, document = (preview(jsmsso, jsmsso_home, CLAIMS | odd, *more) for more in ((), ("--json",)))

    assert (words.code, document.code) == (0, 0)
    for said in (words.stdout, words.stderr, document.stdout):
        assert not [c for c in said if not c.isprintable() and c != "\n"]
    assert "…" in words.stdout


def test_on_a_terminal_it_fits_80_columns(jsmsso: Run, jsmsso_home: Home) -> None:
    write_profile(jsmsso_home, {"cognito": POOL}, attributes={"organizations": "cognito:groups"})
    (jsmsso_home.work / "claims.json").write_text(json.dumps(CLAIMS | {"picture": "https://example.org/" + "x" * 400}))

    with at_a_terminal(jsmsso_home, "attributes", "preview", "--claims", "claims.json") as child:
        said = rest_of(child)

    assert child.exitstatus == 0, said
    assert max(len(line) for line in said.splitlines()) <= 80
