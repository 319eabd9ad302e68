"""``jsmsso access``: rules listed, tried out on claims, and edited in place."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.at_a_terminal import Spawn
from tests.services.home import Home, Ran

Run = Callable[..., Ran]

PROFILE = """\
# Ours.
version: 1
public_url: http://localhost:8080
providers:
  cognito: {type: cognito, domain: acme.auth.eu-west-1.amazoncognito.com, client_id: c}

access: # the first match wins
  - allow: {email_domain: acme.com} # us
  - deny:  everyone

portals:
  - id: "3"
    key: HELP # by hand
    service_desk: "3"
    name: IT help
    url: https://acme.atlassian.net/servicedesk/customer/portal/3
    mode: redirect
  - {id: "4", key: NEWS, service_desk: "4", name: News, url: https://a.example/4, mode: redirect, visibility: public}
  - {id: "5", key: LAB, service_desk: "5", name: Lab, url: https://a.example/5, mode: redirect, visibility: jira}
  - {id: "6", key: OPEN, service_desk: "6", name: Open, url: https://a.example/6, mode: hosted, visibility: public}
"""
ADA = {"email": "Ada@ACME.com", "email_verified": True, "cognito:groups": ["customers", "it"]}
EVE = {"email": "eve@evil.example", "email_verified": True}


@pytest.fixture(autouse=True)
def files(jsmsso_home: Home) -> None:
    jsmsso_home.profile.write_text(PROFILE)
    (jsmsso_home.work / "ada.json").write_text(json.dumps(ADA))
    (jsmsso_home.work / "eve.json").write_text(json.dumps(EVE))


def rules(run: Run, *arguments: str) -> list[str]:
    return [f"{one['portal'] or ''} {one['number']} {one['rule']}".strip() for one in run("access", "list", "--json", *arguments).json()]


def test_the_rules_are_listed_for_everyone_and_for_portals(jsmsso: Run) -> None:
    jsmsso("access", "allow", "{claim: cognito:groups, any_of: [it]}", "--portal", "HELP")

    assert rules(jsmsso) == ["1 allow email domain acme.com", "2 deny everyone", "HELP 1 allow claim cognito:groups any of it"]
    assert rules(jsmsso, "--portal", "HELP") == ["HELP 1 allow claim cognito:groups any of it"]
    words = [" ".join(line.split()) for line in jsmsso("access", "list").stdout.splitlines()]
    assert words[1] == "everyone 1 allow email domain acme.com"
    assert words[3] == "HELP 1 allow claim cognito:groups any of it"


def test_without_rules_the_list_says_who_may_enter(jsmsso: Run, jsmsso_home: Home) -> None:
    jsmsso_home.profile.write_text(PROFILE.partition("access:")[0])

    assert "every verified email may enter" in jsmsso("access", "list").stdout
    assert jsmsso("access", "list", "--json").json() == []


CHECKS = [
    pytest.param(ADA, (), 0, "ada@acme.com: Allowed by rule 1: allow email domain acme.com", id="allowed"),
    pytest.param(EVE, (), 1, "eve@evil.example: Denied by rule 2: deny everyone", id="denied"),
    pytest.param(ADA | {"email_verified": False}, (), 1, "Refused: the provider does not say that ada@acme.com is verified", id="refused"),
    pytest.param({"claims": ADA}, (), 0, "ada@acme.com: Allowed by rule 1", id="what test-connection --json prints"),
    pytest.param(EVE, ("--portal", "NEWS"), 0, "Allowed: NEWS is public, nobody logs in for it", id="a public portal"),
    pytest.param(ADA, ("--portal", "HELP"), 0, "ada@acme.com: Allowed by rule 1", id="a portal without rules"),
    pytest.param(
        ADA,
        ("--portal", "LAB"),
        0,
        "ada@acme.com: Allowed by rule 1: allow email domain acme.com; then JSM must know them at LAB",
        id="a portal that asks JSM",
    ),
    pytest.param(
        EVE,
        ("--portal", "OPEN"),
        1,
        "eve@evil.example: Denied by rule 2: deny everyone; OPEN is public: its page needs no login, raising a request does",
        id="a public portal that is served here",
    ),
    pytest.param(EVE, ("--portal", "LAB"), 1, "eve@evil.example: Denied by rule 2: deny everyone\n", id="a portal that need not ask JSM"),
]


@pytest.mark.parametrize(("claims", "more", "code", "verdict"), CHECKS)
def test_check_decides_as_the_runtime_does(
    jsmsso: Run, jsmsso_home: Home, claims: Any, more: tuple[str, ...], code: int, verdict: str
) -> None:
    (jsmsso_home.work / "claims.json").write_text(json.dumps(claims))

    words, document = (jsmsso("access", "check", "--claims", "claims.json", *more, *form) for form in ((), ("--json",)))

    assert (words.code, document.code) == (code, code), words.stderr
    assert f"\n{verdict}" in f"\n{words.stdout}"
    assert document.json()["allowed"] is (code == 0)


def test_check_explains_rule_by_rule(jsmsso: Run) -> None:
    jsmsso("access", "deny", "{claim: cognito:groups, any_of: [it, hr]}", "--portal", "HELP")

    ran = jsmsso("access", "check", "--claims", "ada.json", "--portal", "HELP", "--json")

    assert ran.code == 1
    document = ran.json()
    assert (document["rule"], document["of"], document["reason"]) == (1, "HELP", "deny claim cognito:groups any of it, hr")
    assert [(one["portal"], one["number"], one["result"], one["why"]) for one in document["rules"]] == [
        (None, 1, "decides", "the address is at acme.com"),
        (None, 2, "not reached", ""),
        ("HELP", 1, "decides", "it has it"),
    ]


def test_check_knows_of_claims_that_are_incomplete(jsmsso: Run, jsmsso_home: Home) -> None:
    entra = "{type: entra, issuer: 'https://login.microsoftonline.com/1/v2.0', client_id: c}"
    access = "[{deny: {any: [{claim: groups, any_of: [leavers]}]}}, {allow: everyone}]"
    jsmsso_home.profile.write_text(f"version: 1\npublic_url: http://localhost:8080\nproviders: {{p: {entra}}}\naccess: {access}\n")
    (jsmsso_home.work / "claims.json").write_text(json.dumps(ADA | {"xms_edov": True, "_claim_names": {"groups": "src1"}}))

    ran = jsmsso("access", "check", "--claims", "claims.json", "--json")

    assert ran.code == 1, ran.stdout
    assert ran.json()["rules"][0]["why"] == "claim groups any of leavers: it is known to be incomplete"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(("check",), "missing: --claims FILE", id="no claims"),
        pytest.param(("check", "--claims", "nowhere.json"), "cannot be read", id="no file"),
        pytest.param(("check", "--claims", "ada.json", "--portal", "HR"), "the profile has no portal 'HR'", id="no such portal"),
        pytest.param(("remove", "3"), "there is no rule 3", id="no such rule"),
        pytest.param(("remove", "1", "--portal", "HELP"), "there is no rule 1 of HELP", id="a portal without rules"),
        pytest.param(("allow", "email_dmain: x.y"), "access[1].allow.email_dmain: the key is unknown", id="a key that is none"),
        pytest.param(("allow", "[everyone]"), "a rule is everyone, or a mapping", id="a list"),
        pytest.param(("allow", "claim: ["), "the rule cannot be read: this is not YAML", id="no YAML"),
        pytest.param(("allow", "{claim: a, matches: '('}"), "an expression that RE2 does not take", id="a bad expression"),
        pytest.param(("deny", "provider: other"), "which is no provider in this file", id="no such provider"),
        pytest.param(("allow", "everyone", "--at", "9"), "--at 9 is beyond the list", id="too far"),
        pytest.param(("allow", "everyone", "--portal", "NEWS"), "visibility: public and access cannot both be set", id="public"),
        pytest.param(("check", "--claims", "ada.json", "--provider", "x"), "no provider 'x'", id="no provider"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(jsmsso: Run, jsmsso_home: Home, arguments: tuple[str, ...], message: str) -> None:
    words, document = jsmsso("access", *arguments), jsmsso("access", *arguments, "--json")

    assert (words.code, document.code) == (2, 2)
    assert message in words.stderr
    assert message in document.json()["error"]["message"]
    assert jsmsso_home.profile.read_text() == PROFILE


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(("allow", "email: ada@x.y"), ["allow email domain acme.com", "allow email ada@x.y", "deny everyone"], id="allow"),
        pytest.param(("deny", "email: ada@x.y"), ["deny email ada@x.y", "allow email domain acme.com", "deny everyone"], id="deny"),
        pytest.param(
            ("allow", "email: ada@x.y", "--at", "1"), ["allow email ada@x.y", "allow email domain acme.com", "deny everyone"], id="at"
        ),
        pytest.param(("remove", "1"), ["deny everyone"], id="remove"),
    ],
)
def test_where_a_rule_goes(jsmsso: Run, arguments: tuple[str, ...], expected: list[str]) -> None:
    ran = jsmsso("access", *arguments, "--json")

    assert (ran.code, ran.json()["written"], ran.json()["rules"]) == (0, True, expected)
    assert rules(jsmsso) == [f"{number} {rule}" for number, rule in enumerate(expected, start=1)]


def test_an_edit_keeps_the_rest_of_the_file(jsmsso: Run, jsmsso_home: Home) -> None:
    jsmsso("access", "deny", 'email: "*@contractor.acme.com"')
    jsmsso("access", "allow", "{organization: [Acme, NO]}", "--portal", "HELP")

    before, after = PROFILE.splitlines(), jsmsso_home.profile.read_text().splitlines()

    assert [line for line in before if line not in after] == []
    assert [line.strip() for line in after if line not in before] == [
        '- deny: {email: "*@contractor.acme.com"}',
        "access:",
        '- allow: {organization: [Acme, "NO"]}',
    ]
    jsmsso("access", "remove", "1")
    jsmsso("access", "remove", "1", "--portal", "HELP")
    assert jsmsso_home.profile.read_text() == PROFILE


def test_what_a_rule_changes_for_claims_is_shown(jsmsso: Run) -> None:
    ran = jsmsso("access", "deny", "{claim: cognito:groups, any_of: [it]}", "--claims", "ada.json", "--json")

    assert "before  ada@acme.com: Allowed by rule 1: allow email domain acme.com" in ran.stderr
    assert "after   ada@acme.com: Denied by rule 1: deny claim cognito:groups any of it" in ran.stderr
    effects = ran.json()["claims"]
    assert (effects["before"]["allowed"], effects["after"]["allowed"]) == (True, False)


def remember_a_test(home: Home, *, days: float = 0, **changed: Any) -> None:
    """As ``test-connection`` does; the test of that command shows that it does."""
    entry = {"client_id": "c", "at": int(time.time() - days * 86400), "claims": ADA} | changed
    Path(home.env["JSMSSO_TEST_KEYRING"]).write_text(json.dumps({"jsmsso/claims/cognito": json.dumps(entry)}))


def test_what_a_rule_changes_for_the_last_tested_claims_is_shown(jsmsso: Run, jsmsso_home: Home) -> None:
    remember_a_test(jsmsso_home)
    ran = jsmsso("access", "deny", "{claim: cognito:groups, any_of: [it]}", "--json")

    assert ran.code == 0
    assert "For the claims of the last test-connection (cognito, " in ran.stderr
    assert "before  ada@acme.com: Allowed by rule 1: allow email domain acme.com" in ran.stderr
    assert "after   ada@acme.com: Denied by rule 1: deny claim cognito:groups any of it" in ran.stderr
    assert ran.json()["claims"]["after"]["allowed"] is False
    ran = jsmsso("access", "allow", "email: ada@acme.com", "--portal", "HELP", "--json")
    assert [ran.json()["claims"][when]["portal"] for when in ("before", "after")] == ["HELP", "HELP"]


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(None, id="nothing was tested"),
        pytest.param({"days": 31}, id="too long ago"),
        pytest.param({"client_id": "another"}, id="of another client"),
        pytest.param({"claims": "x"}, id="not what was kept"),
        pytest.param({"at": 10**18}, id="of a day beyond the calendar"),
        pytest.param({"at": float("inf")}, id="of no day at all"),
    ],
)
def test_without_tested_claims_it_says_what_to_run(jsmsso: Run, jsmsso_home: Home, kept: dict[str, Any] | None) -> None:
    if kept is not None:
        remember_a_test(jsmsso_home, **kept)
    ran = jsmsso("access", "deny", "email: eve@evil.example", "--json")

    assert (ran.code, ran.json()["claims"], ran.json()["written"]) == (0, None, True)
    assert "log in as them first: jsmsso test-connection (or give --claims FILE)" in ran.stderr
    assert "before" not in ran.stderr
    assert jsmsso_home.keyring == {} or kept != {"days": 31}, "what is too old goes"


def test_without_a_keyring_rules_are_edited_all_the_same(jsmsso: Run, jsmsso_home: Home) -> None:
    remember_a_test(jsmsso_home)
    ran = jsmsso("access", "deny", "email: eve@evil.example", env=jsmsso_home.without_keyring())

    assert ran.code == 0
    assert "jsmsso test-connection --json > FILE, then --claims FILE" in ran.stderr


def test_tested_claims_that_decide_nothing_hold_no_change_up(jsmsso: Run, jsmsso_home: Home) -> None:
    remember_a_test(jsmsso_home)
    jsmsso_home.profile.write_text(PROFILE.replace("  - deny:  everyone", "  - deny: {email_in: nowhere.txt}\n  - deny:  everyone"))
    ran = jsmsso("access", "deny", "email: eve@evil.example", "--json")

    assert (ran.code, ran.json()["written"]) == (0, True)
    assert "cannot be told: " in ran.stderr


def test_at_a_terminal_the_effect_is_shown_before_the_question(terminal: Spawn, jsmsso_home: Home) -> None:
    child = terminal("access", "deny", "email: ada@acme.com", "--claims", "ada.json")
    child.expect("after   ada@acme.com: Denied by rule 1")
    child.expect("Add rule 1: deny email ada@acme.com?")
    child.sendline("n")
    child.expect("Nothing changed")
    assert jsmsso_home.profile.read_text() == PROFILE


def test_the_last_rule_is_not_removed_since_that_would_let_everybody_in(jsmsso: Run, jsmsso_home: Home) -> None:
    jsmsso("access", "remove", "1")
    before = jsmsso_home.profile.read_text()

    ran = jsmsso("access", "remove", "1")

    assert ran.code == 2
    assert "without rules every verified email may enter" in ran.stderr
    assert jsmsso_home.profile.read_text() == before


WARNED = [
    pytest.param(("allow", "email: a@b.c", "--at", "3"), "rule 3 can never match: rule 2 decides before it", id="never reached"),
    pytest.param(("remove", "1"), "no rule allows anybody now", id="nobody left"),
    pytest.param(("deny", "email: a@b.c", "--portal", "HELP"), "jsmsso access allow everyone --portal HELP", id="nobody at a portal"),
    pytest.param(("allow", "email: a@b.c", "--portal", "HELP"), "whoever fits none of them is denied", id="the first rules"),
]


@pytest.mark.parametrize(("arguments", "warning"), WARNED)
def test_a_rule_with_a_surprising_effect_is_warned_about(jsmsso: Run, arguments: tuple[str, ...], warning: str) -> None:
    ran = jsmsso("access", *arguments)

    assert ran.code == 0
    assert f"warning: {warning}" in ran.stderr or warning in ran.stderr


def test_a_list_of_addresses_is_looked_into(jsmsso: Run, jsmsso_home: Home) -> None:
    (jsmsso_home.work / "leavers.txt").write_text("ADA@acme.com # since May\n")
    jsmsso("access", "deny", "email_in: leavers.txt")

    assert jsmsso("access", "check", "--claims", "ada.json").code == 1

    (jsmsso_home.work / "leavers.txt").unlink()
    ran = jsmsso("access", "check", "--claims", "ada.json")
    assert (ran.code, "email_in: leavers.txt cannot be read" in ran.stderr) == (3, True)
