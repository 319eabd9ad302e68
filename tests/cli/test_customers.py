from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jsmsso.cli.people.looking import find_out
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.local_jsm import LocalJsm
from jsmsso.store.records import Link, Membership
from tests.cli.at_a_terminal import Spawn, ended
from tests.cli.people import ADMINISTRATOR, ALL_ON, AT, EMAIL, ISSUER, Stage, make_stage
from tests.jsm.checked_site import checked_jsm
from tests.services.home import Home, Ran

Run = Callable[..., Ran]
CONTENT = (
    '{"issuer":"https://idp.example","subject":"ann","provider":"acme","email":"ann@acme.example","display_name":"Ann",'
    '"desks":["1"],"organizations":["Acme"],"organizations_complete":true}'
)


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with checked_jsm(accounts=(ADMINISTRATOR,)) as site:
        yield site


@pytest.fixture
def stage(jsmsso_home: Home, jsm: LocalJsm) -> Stage:
    """With a site to which everything is written."""
    return make_stage(jsmsso_home, jsm, ALL_ON)


@pytest.fixture
def alone(jsmsso_home: Home) -> Stage:
    """Without a site."""
    return make_stage(jsmsso_home, None)


def put_write(stage: Stage, *, failed: str = "") -> None:
    stage.store.put_write(ISSUER, "ann", "acme", EMAIL, CONTENT, now=AT, due=AT)
    if failed:
        write = stage.store.lease_write_of(ISSUER, "ann", "worker", now=AT, until=AT + 60)
        assert write is not None
        stage.store.postpone_write(write, due=AT + 10_000_000_000, reason=failed, error="JSM is down")


# What is known of an address ------------------------------------------------------------------


def test_an_address_that_nobody_knows_is_shown_without_a_site_too(alone: Stage, jsmsso: Run) -> None:
    done = jsmsso("customers", "show", EMAIL)
    assert done.code == 0
    assert "Nothing is remembered of this address." in done.stdout
    assert "A login at acme asks JSM for nothing." in done.stdout
    assert "JSM was not asked: the profile names no JSM site" in done.stdout


def test_what_the_store_and_jsm_have_is_one_document(stage: Stage, jsm: LocalJsm, jsmsso: Run) -> None:
    person = jsm.add_customer(EMAIL, "Ann Lee", organizations=["Acme", "Globex"])
    jsm.add_customer("ann@acme.example.org", "Another")
    stage.remember(account_id=person.id, desks=("1",), display_name="Ann Lee")
    stage.store.add_membership(Membership(ISSUER, "ann", person.id, "1", "Acme", AT))
    put_write(stage, failed="jsm_503")

    done = jsmsso("customers", "show", "ANN@ACME.example", "--json")
    told = done.json()
    assert (done.code, told["email"], told["barred_since"], told["link"]) == (0, EMAIL, None, None)
    [known] = told["people"]
    assert (known["subject"], known["account_id"], known["service_desks"]) == ("ann", person.id, ["1"])
    assert [one["name"] for one in known["organizations_by_us"]] == ["Acme"]
    assert (known["waiting_write"]["reason"], known["waiting_write"]["attempts"]) == ("jsm_503", 1)
    assert known["last_seen"] == "2026-09-21T14:13:20.000Z"
    first, *others = told["jsm"]["accounts"]
    assert (first["account_id"], first["fits"], first["kind"], first["organizations"]) == (
        person.id,
        "address",
        "portal_only",
        ["Acme", "Globex"],
    )
    assert [(one["email"], one["fits"]) for one in others] == [("ann@acme.example.org", "other")]
    [login] = told["logins"]
    assert (login["provider"], login["subject"], login["account_id"], login["why"]) == ("acme", "ann", person.id, "remembered")

    text = jsmsso("customers", "show", EMAIL).stdout
    assert f"A login at acme as ann takes {person.id}: remembered from the last login." in text
    assert "put by us into   Acme" in text
    assert "HELP" in text


@pytest.mark.parametrize(
    ("customers", "prepare", "why"),
    [
        pytest.param(ALL_ON, "an account", "address", id="an account with the address"),
        pytest.param(ALL_ON, "nothing", "create", id="none, and one would be made"),
        pytest.param({"organizations": "add"}, "nothing", "none", id="none, and none would be made"),
        pytest.param(ALL_ON, "a link", "linked", id="linked by an operator"),
        pytest.param(ALL_ON, "somebody else", "create", id="somebody who only looks alike"),
    ],
)
def test_it_says_which_account_a_first_login_takes_and_why(
    jsmsso_home: Home, jsm: LocalJsm, customers: dict[str, Any], prepare: str, why: str
) -> None:
    stage = make_stage(jsmsso_home, jsm, customers)
    person = jsm.add_customer(EMAIL if prepare == "an account" else "victim@acme.example", EMAIL) if prepare != "nothing" else None
    if prepare == "a link" and person is not None:
        stage.store.link(Link(EMAIL, person.id, AT, "operator"))
    known = find_out(stage.books(), EMAIL)
    [login] = known.data()["logins"]
    assert (known.exit_code, login["why"], login["refused"]) == (0, why, None)
    assert login["account_id"] == (person.id if person is not None and why in ("address", "linked") else None)
    assert not any(call.method == "POST" for call in jsm.seen)


def two_accounts(stage: Stage, jsm: LocalJsm) -> None:
    jsm.add_customer(EMAIL, kind="customer")
    jsm.add_customer(EMAIL, kind="atlassian")


def another_provider(stage: Stage, jsm: LocalJsm) -> None:
    stage.remember(account_id=jsm.add_customer(EMAIL).id, provider="gone", issuer="https://gone.example")


def revoked(stage: Stage, jsm: LocalJsm) -> None:
    stage.store.bar(f"email:{EMAIL}", email=EMAIL, at=AT)


def nothing(stage: Stage, jsm: LocalJsm) -> None:
    pass


@pytest.mark.parametrize(
    ("customers", "prepare", "reason", "said"),
    [
        pytest.param(ALL_ON, two_accounts, "account_ambiguous", "jsm.customers.prefer", id="two accounts"),
        pytest.param(ALL_ON, another_provider, "account_of_another_provider", "customers link", id="known from another provider"),
        pytest.param(ALL_ON, revoked, "customer_barred", "customers restore", id="revoked"),
        pytest.param({"required": True}, nothing, "account_missing", "jsm.customers.create", id="none, and one is required"),
    ],
)
def test_a_login_that_would_be_refused_is_exit_1_and_names_the_reason(
    jsmsso_home: Home, jsm: LocalJsm, customers: dict[str, Any], prepare: Callable[[Stage, LocalJsm], None], reason: str, said: str
) -> None:
    stage = make_stage(jsmsso_home, jsm, customers)
    prepare(stage, jsm)
    known = find_out(stage.books(), EMAIL)
    assert (known.exit_code, [error.reason for error in known.refusals]) == (1, [reason])
    assert said in known.refusals[0].hint


def test_a_refusal_is_the_first_thing_that_is_read(stage: Stage, jsm: LocalJsm, jsmsso: Run) -> None:
    two_accounts(stage, jsm)
    done = jsmsso("customers", "show", EMAIL)
    assert done.code == 1
    assert done.stdout.splitlines()[1].startswith("  A login at acme is refused: account_ambiguous: ann@acme.example has several accounts")
    assert "jsm.customers.prefer" in done.stdout


def test_when_jsm_fails_what_is_remembered_is_shown_all_the_same(stage: Stage, jsm: LocalJsm, jsmsso: Run) -> None:
    stage.remember(account_id="qm:1")
    jsm.break_with(Fault("status", status=500))
    done = jsmsso("customers", "show", EMAIL, "--json")
    told = done.json()
    assert (done.code, told["jsm"]["accounts"], told["jsm"]["unanswered"]["code"]) == (5, None, "jsm_refused")
    assert (told["people"][0]["account_id"], told["logins"][0]["why"]) == ("qm:1", "remembered")
    words = jsmsso("customers", "show", "other@acme.example").stdout
    assert "A login at acme would ask JSM, which cannot be asked now." in words
    assert "JSM did not tell: JSM failed (500)" in words


def test_somebody_whose_first_write_still_waits_is_shown(stage: Stage, jsmsso: Run) -> None:
    put_write(stage)
    [person] = jsmsso("customers", "show", EMAIL, "--json").json()["people"]
    assert (person["subject"], person["account_id"], person["waiting_write"]["attempts"]) == ("ann", None, 0)


def test_an_account_that_is_gone_from_jsm_is_told(stage: Stage, jsmsso: Run) -> None:
    stage.remember(account_id="qm:gone")
    [login] = jsmsso("customers", "show", EMAIL, "--json").json()["logins"]
    assert (login["account_is_gone"], login["why"]) == (True, "create")


@pytest.mark.parametrize("command", ["show", "revoke", "forget"])
def test_what_is_no_address_is_a_wrong_use(alone: Stage, jsmsso: Run, command: str) -> None:
    done = jsmsso("customers", command, "ann", "--json")
    assert (done.code, done.json()["error"]["code"]) == (2, "usage")


# Linking --------------------------------------------------------------------------------------


def test_an_address_is_linked_to_an_account_whose_address_jsm_hides(stage: Stage, jsm: LocalJsm, jsmsso: Run) -> None:
    person = jsm.add_customer(EMAIL, "Ann Lee", hidden=True)
    done = jsmsso("customers", "link", EMAIL.upper(), person.id)
    assert (done.code, done.stderr) == (0, "")
    assert f"{EMAIL} is {person.id} (Ann Lee)." in done.stdout
    link = stage.store.linked(EMAIL)
    assert link is not None
    assert (link.account_id, link.by) == (person.id, "operator")
    assert stage.events() == ["customer.linked"]


def test_linking_to_an_account_with_another_address_is_done_with_a_warning(stage: Stage, jsm: LocalJsm, jsmsso: Run) -> None:
    victim = jsm.add_customer("victim@acme.example")
    stage.remember("victim@acme.example", victim.id, "victim")
    done = jsmsso("customers", "link", EMAIL, victim.id, "--json")
    assert done.code == 0
    assert f"JSM shows another address on {victim.id}: victim@acme.example" in done.stderr
    assert "is the account of victim@acme.example too" in done.stderr
    assert done.json()["shown_email"] == "victim@acme.example"


def test_an_account_that_jsm_does_not_have_is_not_linked(stage: Stage, jsmsso: Run) -> None:
    done = jsmsso("customers", "link", EMAIL, "qm:mistyped")
    assert done.code == 1
    assert "JSM has no account qm:mistyped" in done.stderr
    assert stage.store.linked(EMAIL) is None


def test_where_jsm_does_not_answer_the_link_is_made_and_says_that_it_was_not_checked(stage: Stage, jsm: LocalJsm, jsmsso: Run) -> None:
    jsm.break_with(Fault("status", status=500))
    done = jsmsso("customers", "link", EMAIL, "qm:1", "--json")
    assert (done.code, done.json()["checked"]) == (0, False)
    assert "could not be checked" in done.stderr
    assert stage.store.linked(EMAIL) is not None


def test_a_link_that_is_removed_is_forgotten_by_those_who_logged_in_with_it_too(alone: Stage, jsmsso: Run) -> None:
    assert jsmsso("customers", "link", EMAIL, "qm:wrong").code == 0
    alone.remember(account_id="qm:wrong", desks=("1",))
    alone.remember("other@acme.example", "qm:2", "other")
    done = jsmsso("customers", "link", EMAIL, "--remove", "--json")
    assert (done.code, done.json()["removed"]) == (0, True)
    assert alone.store.linked(EMAIL) is None
    known = alone.store.account(ISSUER, "ann")
    assert known is not None
    assert (known.account_id, known.desks) == ("", ())
    assert alone.events() == ["customer.linked", "customer.unlinked"]
    assert jsmsso("customers", "link", EMAIL, "--remove").stdout == f"{EMAIL} was not linked.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([EMAIL], id="no account"),
        pytest.param([EMAIL, "qm:1", "--remove"], id="an account to remove"),
        pytest.param([EMAIL, "qm:1\x1b[31m"], id="an account with an escape sequence"),
        pytest.param([EMAIL, " "], id="an account of spaces"),
    ],
)
def test_a_link_that_makes_no_sense_is_a_wrong_use(alone: Stage, jsmsso: Run, arguments: list[str]) -> None:
    assert jsmsso("customers", "link", *arguments).code == 2


# What waits -----------------------------------------------------------------------------------


def test_nothing_that_fails_is_exit_0(alone: Stage, jsmsso: Run) -> None:
    assert jsmsso("customers", "failed").stdout == "0 waiting, 0 of them tried in vain.\n"
    put_write(alone)
    done = jsmsso("customers", "failed", "--json")
    assert (done.code, done.json()["waiting"], done.json()["failing"]) == (0, 1, 0)


def test_a_write_that_failed_is_shown_with_its_reason_and_tried_again_on_demand(alone: Stage, jsmsso: Run) -> None:
    put_write(alone, failed="jsm_403")
    done = jsmsso("customers", "failed")
    assert done.code == 1
    assert re.search(rf"{EMAIL} +jsm_403 +1 +\d{{4}}-.* JSM is down", done.stdout)
    [write] = jsmsso("customers", "failed", "--json").json()["writes"]
    assert (write["message"], write["service_desks"], write["organizations"]) == ("JSM is down", ["1"], ["Acme"])

    assert jsmsso("customers", "failed", "--retry", "--json").json() == {"due": 1}
    again = alone.store.write_of(ISSUER, "ann")
    assert again is not None
    assert (again.attempts, again.content) == (1, CONTENT)
    assert alone.store.lease_write("worker", now=again.due, until=again.due + 1) is not None


def test_an_account_that_jsm_is_still_making_is_no_failure(alone: Stage, jsmsso: Run) -> None:
    put_write(alone, failed="making")
    assert jsmsso("customers", "failed").code == 0


# Export and forget ----------------------------------------------------------------------------


def test_all_that_is_kept_about_a_person_is_one_document(alone: Stage, jsmsso: Run) -> None:
    alone.remember(account_id="qm:1", desks=("1", "2"))
    alone.remember("other@acme.example", "qm:2", "other")
    put_write(alone)
    alone.store.put("session", "s1", b"sealed", expires=AT + 1e9, owner=EMAIL)
    alone.audit.write("login.ok", email=EMAIL, client="192.0.2.7")
    done = jsmsso("customers", "export", EMAIL)
    told = done.json()
    assert done.code == 0
    [account] = told["store"]["accounts"]
    assert (account["account_id"], account["desks"], account["last_seen"]) == ("qm:1", ["1", "2"], "2026-09-21T14:13:20.000Z")
    assert told["store"]["writes"][0]["content"]["organizations"] == ["Acme"]
    assert told["store"]["records"][0]["bytes"] == 6
    assert [line["event"] for line in told["audit"]] == ["login.ok"]
    assert told["account_ids_in_jsm"] == ["qm:1"]
    assert any("Delete customer" in line for line in told["elsewhere"])
    assert "other@acme.example" not in done.stdout


def test_forgetting_takes_it_out_of_the_store_and_says_what_stays(alone: Stage, jsmsso: Run) -> None:
    alone.remember(account_id="qm:1")
    put_write(alone)
    alone.store.bar(f"email:{EMAIL}", email=EMAIL, at=AT)
    alone.audit.write("login.ok", email=EMAIL)
    done = jsmsso("customers", "forget", EMAIL, "--yes")
    assert done.code == 0
    assert f"Forgotten of {EMAIL}: 1 writes, 1 accounts." in done.stdout
    assert "2 lines of the audit trail, until each is 90 days old" in done.stdout
    assert "that they were revoked" in done.stdout
    assert "Their account in JSM: qm:1" in done.stdout
    about = alone.store.about(EMAIL)
    assert {table for table, rows in about.items() if rows} == {"bars"}
    assert alone.events() == ["login.ok", "customer.forgotten"]


def test_forgetting_takes_what_was_tested_of_them_out_of_this_keyring_and_names_those_of_others(alone: Stage, jsmsso: Run) -> None:
    keyring = Path(alone.home.env["JSMSSO_TEST_KEYRING"])
    claims = {"sub": "ann", "email": EMAIL.upper(), "groups": ["staff"]}
    entry = {"jsmsso/claims/acme": json.dumps({"client_id": "portal", "at": int(time.time()), "claims": claims})}
    keyring.write_text(json.dumps(entry))
    other = jsmsso("customers", "forget", "other@acme.example", "--yes", "--json").json()
    assert (other["tested_claims"], alone.home.keyring) == ([], entry)

    done = jsmsso("customers", "forget", EMAIL, "--yes")
    assert "In this keyring: the claims of the last test-connection at acme." in done.stdout
    assert "test-connection" in done.stdout.partition("Elsewhere stays:")[2], "what lies in the keyrings of others"
    assert alone.home.keyring == {}


def test_without_a_terminal_nothing_is_forgotten_unasked(alone: Stage, jsmsso: Run) -> None:
    alone.remember(account_id="qm:1")
    done = jsmsso("customers", "forget", EMAIL)
    assert done.code == 2
    assert "--yes" in done.stderr
    assert alone.store.account(ISSUER, "ann") is not None


def test_at_a_terminal_it_asks_before_it_forgets(alone: Stage, terminal: Spawn) -> None:
    alone.remember(account_id="qm:1")
    command = terminal("customers", "forget", EMAIL)
    command.expect(r"Forget all that is kept about ann@acme.example\? \[y/N\]")
    command.sendline("")
    code, said = ended(command)
    assert code == 1
    assert "Nothing was forgotten." in said
    assert alone.store.account(ISSUER, "ann") is not None


# Revoke and restore ---------------------------------------------------------------------------


def test_revoking_bars_the_address_and_everybody_known_by_it_and_ends_their_sessions(stage: Stage, jsm: LocalJsm, jsmsso: Run) -> None:
    person = jsm.add_customer(EMAIL)
    put_write(stage)
    stage.remember(account_id="qm:old", subject="before")

    done = jsmsso("customers", "revoke", EMAIL)
    assert (done.code, done.stderr) == (0, "")
    assert "a password reset by mail reopens a portal-only account" in " ".join(done.stdout.split())
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert "account qm:old" in done.stdout
    assert f"account {person.id}" in done.stdout
    assert "At the provider" in done.stdout
    for key in (f"email:{EMAIL}", f"sub:{ISSUER} ann", f"sub:{ISSUER} before"):
        assert stage.store.is_barred(key), key
    _, endings = stage.store.endings_after(0)
    assert {(one.kind, one.issuer, one.value) for one in endings} == {
        ("email", "", EMAIL),
        ("sub", ISSUER, "ann"),
        ("sub", ISSUER, "before"),
    }
    assert stage.store.write_of(ISSUER, "ann") is None, "or an account would be made for them after all"
    assert stage.events() == ["session.revoked"]

    assert jsmsso("customers", "restore", EMAIL, "--json").json() == {"email": EMAIL, "restored": True}
    assert stage.store.barred() == []
    assert stage.events() == ["session.revoked", "customer.restored"]
    assert jsmsso("customers", "restore", EMAIL).stdout == f"{EMAIL} was not revoked.\n"


def test_whoever_has_another_address_since_is_restored_by_that_one_too(alone: Stage, jsmsso: Run) -> None:
    alone.remember()
    jsmsso("customers", "revoke", EMAIL)
    alone.remember("ann.lee@acme.example")
    assert jsmsso("customers", "show", "ann.lee@acme.example").code == 1
    assert jsmsso("customers", "restore", "ann.lee@acme.example", "--json").json()["restored"] is True
    assert alone.store.barred() == []


def test_revoking_does_not_wait_for_jsm(stage: Stage, jsm: LocalJsm, jsmsso: Run) -> None:
    jsm.break_with(Fault("status", status=500))
    done = jsmsso("customers", "revoke", EMAIL, "--json")
    assert (done.code, done.json()["revoked"], done.json()["account_ids"]) == (0, True, [])
    assert "JSM could not be asked" in done.stderr
    assert stage.store.is_barred(f"email:{EMAIL}")


def test_a_data_center_says_what_is_to_do_there(jsmsso_home: Home, jsmsso: Run) -> None:
    with checked_jsm(data_center=True, accounts=(ADMINISTRATOR,)) as jsm:
        make_stage(jsmsso_home, jsm, ALL_ON)
        person = jsm.add_customer(EMAIL, "Ann Lee")
        told = jsmsso("customers", "revoke", EMAIL, "--json").json()
        assert told["account_ids"] == [person.id]
        assert "take Active away" in told["to_do"][0]
        shown = jsmsso("customers", "show", EMAIL, "--json").json()
        assert [(one["account_id"], one["organizations"]) for one in shown["jsm"]["accounts"]] == [(person.id, None)]


def test_a_trail_that_takes_no_line_is_warned_about(alone: Stage, jsmsso: Run) -> None:
    (alone.home.work / "audit").write_text("no folder")
    done = jsmsso("customers", "revoke", EMAIL)
    assert done.code == 0
    assert "the audit trail" in done.stderr
    assert alone.store.is_barred(f"email:{EMAIL}")
