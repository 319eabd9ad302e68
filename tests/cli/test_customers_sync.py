from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jsmsso.cli.bulk_load import loading
from jsmsso.cli.bulk_load.command import sync
from jsmsso.cli.bulk_load.csv_file import read_csv
from jsmsso.cli.render import Result
from jsmsso.errors import NotReady
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.local_jsm import LocalJsm
from jsmsso.store.records import Membership
from tests.cli.at_a_terminal import Spawn, ended
from tests.cli.people import ADMINISTRATOR, ALL_ON, AT, EMAIL, ISSUER, Stage, make_stage, portal
from tests.jsm.checked_site import checked_jsm
from tests.services.children import Child, Children, installed_script
from tests.services.home import Home, Ran

KEYS = ("HELP", "HR", "FAC")


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with checked_jsm(accounts=(ADMINISTRATOR,)) as site:
        yield site


@pytest.fixture
def stage(jsmsso_home: Home, jsm: LocalJsm) -> Stage:
    return make_stage(jsmsso_home, jsm, ALL_ON)


def load(stage: Stage, text: str, *, dry_run: bool = False) -> Result:
    """What the command does, in this process."""
    path = stage.home.work / "customers.csv"
    path.write_text(text)
    return sync(stage.books(), lambda: read_csv(str(path), KEYS), str(path), dry_run=dry_run)


def many(count: int) -> str:
    return "email\n" + "".join(f"c{number}@acme.example\n" for number in range(count))


def on_desk(jsm: LocalJsm, key: str) -> set[str]:
    desk = jsm.site.desk(key)
    assert desk is not None
    return {person.email for person in jsm.site.people if person.id in desk.customers}


def members(jsm: LocalJsm, name: str) -> set[str]:
    organization = jsm.site.organization(name)
    assert organization is not None
    return {person.email for person in jsm.site.people if person.id in organization.members}


def writes(jsm: LocalJsm) -> list[tuple[str, str]]:
    return [(call.method, call.path) for call in jsm.seen if call.method != "GET"]


def wait_for_people(jsm: LocalJsm, count: int, command: Child) -> None:
    while len(jsm.site.people) < count:
        assert command.running, command.output
        time.sleep(0.01)


# What it writes -------------------------------------------------------------------------------


def test_customers_are_created_put_on_portals_and_into_organizations(stage: Stage, jsm: LocalJsm, jsmsso: Callable[..., Ran]) -> None:
    jsm.site.add_organization("Acme")
    bob = jsm.add_customer("Bob@acme.example", "Bob")
    (stage.home.work / "c.csv").write_text(
        "email,first_name,last_name,organizations,portals\nANN@acme.example,Ann,Lee,Acme,HELP;HR\nbob@acme.example,,,,\n"
    )
    done = jsmsso("customers", "sync", "--file", "c.csv")
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout == "2 customers: 2 done, 1 of them created.\n"
    [ann] = jsm.site.people.with_email(EMAIL)
    assert ann.display_name == "Ann Lee"
    assert members(jsm, "Acme") == {EMAIL}
    assert (on_desk(jsm, "HELP"), on_desk(jsm, "FAC")) == ({EMAIL, bob.email}, {bob.email}), "who names no portal is put on all"
    assert stage.events() == ["customer.created"]
    assert stage.audit.about(EMAIL)[0]["by"] == "customers sync"


def test_what_is_done_is_passed_over_and_a_row_that_changed_is_done_again(stage: Stage, jsm: LocalJsm) -> None:
    load(stage, "email,portals\nann@acme.example,HELP\nbob@acme.example,HELP\n")
    before = len(jsm.seen)
    again = load(stage, "email,portals\nann@acme.example,HELP\nbob@acme.example,HR\n").data
    assert (again["done"], again["created"], again["done_before"]) == (1, 0, 1)
    assert on_desk(jsm, "HR") == {"bob@acme.example"}
    assert len(list(jsm.seen)[before:]) == 2, "the site's kind, and Bob's new desk"


def test_a_dry_run_says_what_would_change_and_writes_nothing(stage: Stage, jsm: LocalJsm, jsmsso: Callable[..., Ran]) -> None:
    jsm.add_customer("bob@acme.example", desks=["HELP"], organizations=["Acme"])
    text = "email,organizations,portals\nann@acme.example,Acme,HELP\nbob@acme.example,Acme,HELP;HR\ncy@acme.example,None,\n"
    told = load(stage, text, dry_run=True)
    ann, bob = told.data["changes"]
    assert (ann["create"], ann["portals"], ann["join"]) == (True, ["HELP"], ["Acme"])
    assert (bob["create"], bob["portals"], bob["join"]) == (False, ["HR"], [])
    assert [(one["line"], one["reason"]) for one in told.data["failed"]] == [(4, "organization_missing")]
    assert told.exit_code == 5
    assert writes(jsm) == []
    assert not any(stage.store.about(email)[table] for email in (EMAIL, "bob@acme.example") for table in ("accounts", "records", "links"))

    said = jsmsso("customers", "sync", "--file", "customers.csv", "--dry-run").stdout
    assert "created, added to HELP, put into Acme" in said
    assert said.rstrip().splitlines()[-2] == "3 customers: 2 to change, 1 of them to create, 1 would fail; nothing was written."


def test_a_failed_row_is_named_with_its_line_and_exit_code_5(stage: Stage, jsm: LocalJsm) -> None:
    jsm.add_customer("two@acme.example", kind="customer")
    jsm.add_customer("two@acme.example", kind="atlassian")
    jsm.add_customer("hides@acme.example", hidden=True)
    stage.store.bar("email:out@acme.example", email="out@acme.example", at=AT)
    done = load(
        stage,
        "email,organizations\n\ntwo@acme.example,\nhides@acme.example,\nout@acme.example,\nfine@acme.example,\norg@acme.example,Nowhere\n",
    )
    assert done.exit_code == 5
    assert [(one["line"], one["email"], one["reason"]) for one in done.data["failed"]] == [
        (3, "two@acme.example", "account_ambiguous"),
        (4, "hides@acme.example", "account_hidden"),
        (5, "out@acme.example", "customer_barred"),
        (7, "org@acme.example", "organization_missing"),
    ]
    assert done.data["done"] == 1
    assert jsm.site.people.with_email("out@acme.example") == []


def test_without_create_a_customer_whom_jsm_does_not_have_is_a_failed_row(jsmsso_home: Home, jsm: LocalJsm) -> None:
    stage = make_stage(jsmsso_home, jsm, {"add_to_service_desk": True})
    jsm.add_customer(EMAIL)
    done = load(stage, "email\nann@acme.example\nbob@acme.example\n")
    assert [(one["email"], one["reason"]) for one in done.data["failed"]] == [("bob@acme.example", "account_missing")]
    assert on_desk(jsm, "HELP") == {EMAIL}


def test_the_profile_s_own_organizations_count_and_missing_ones_are_made_where_it_says_so(jsmsso_home: Home, jsm: LocalJsm) -> None:
    by_domain = {"acme.example": ["Acme"]}
    settings = ALL_ON | {"create_organizations": True, "organizations_by_domain": by_domain, "organizations_always": ["Everybody"]}
    stage = make_stage(jsmsso_home, jsm, settings)
    load(stage, "email,organizations\nann@acme.example,Globex; Initech\ncy@other.example,\n")
    assert members(jsm, "Globex") == members(jsm, "Initech") == members(jsm, "Acme") == {EMAIL}
    assert members(jsm, "Everybody") == {EMAIL, "cy@other.example"}


def test_portals_with_rules_of_their_own_are_for_those_rows_alone_that_name_them(jsmsso_home: Home, jsm: LocalJsm) -> None:
    own = {"visibility": "private", "access": [{"allow": {"email_domain": "acme.example"}}]}
    portals = [
        portal("1", "HELP", "1", jsm.url),
        portal("2", "HR", "2", jsm.url, **own),
        portal("3", "FAC", "3", jsm.url, visibility="jira"),
    ]
    stage = make_stage(jsmsso_home, jsm, ALL_ON, portals=portals, access=[{"allow": "everyone"}])
    load(stage, "email,portals\nann@acme.example,\nbob@acme.example,HR;FAC\n")
    assert (on_desk(jsm, "HELP"), on_desk(jsm, "HR"), on_desk(jsm, "FAC")) == ({EMAIL}, {"bob@acme.example"}, {"bob@acme.example"})


def test_in_mode_sync_a_new_file_takes_out_what_an_earlier_one_put_in_and_nothing_else(jsmsso_home: Home, jsm: LocalJsm) -> None:
    stage = make_stage(jsmsso_home, jsm, ALL_ON | {"organizations": "sync"})
    for name in ("Acme", "Globex", "Initech"):
        jsm.site.add_organization(name)
    person = jsm.add_customer(EMAIL, organizations=["Initech"])
    load(stage, f"email,organizations\n{EMAIL},Acme\n")
    [plan] = load(stage, f"email,organizations\n{EMAIL},Globex\n", dry_run=True).data["changes"]
    assert (plan["join"], plan["leave"]) == (["Globex"], ["Acme"])
    load(stage, f"email,organizations\n{EMAIL},Globex\n")
    assert [one.name for one in jsm.site.organizations.values() if person.id in one.members] == ["Globex", "Initech"]


def test_what_logins_wrote_for_a_known_person_is_never_taken_away_by_a_file(jsmsso_home: Home, jsm: LocalJsm) -> None:
    stage = make_stage(jsmsso_home, jsm, ALL_ON | {"organizations": "sync"})
    jsm.site.add_organization("Globex")
    person = jsm.add_customer(EMAIL, organizations=["Acme"])
    stage.remember(account_id=person.id)
    acme = jsm.site.organization("Acme")
    assert acme is not None
    stage.store.add_membership(Membership(ISSUER, "ann", person.id, acme.id, "Acme", AT))
    assert load(stage, f"email,organizations\n{EMAIL},Globex\n").exit_code == 0
    assert members(jsm, "Acme") == members(jsm, "Globex") == {EMAIL}
    assert [one.organization for one in stage.store.memberships(ISSUER, "ann")] == ["Acme", "Globex"]


def test_what_the_file_names_and_the_profile_does_not_write_is_warned_about(jsmsso_home: Home, jsm: LocalJsm) -> None:
    stage = make_stage(jsmsso_home, jsm, {"create": True})
    done = load(stage, "email,organizations,portals\nann@acme.example,Acme,HELP\n")
    assert [warning.partition(":")[0] for warning in done.warnings] == [
        "the organizations are not written",
        "nobody is added to the portals",
    ]
    assert on_desk(jsm, "HELP") == set()


def test_a_data_center_is_loaded_alike(jsmsso_home: Home) -> None:
    with checked_jsm(data_center=True, accounts=(ADMINISTRATOR,)) as jsm:
        stage = make_stage(jsmsso_home, jsm, ALL_ON)
        jsm.site.add_organization("Acme")
        [plan] = load(stage, f"email,organizations,portals\n{EMAIL},Acme,HELP\n", dry_run=True).data["changes"]
        assert (plan["create"], plan["portals"], plan["join"]) == (True, ["HELP"], ["Acme"])
        assert load(stage, f"email,organizations,portals\n{EMAIL},Acme,HELP\n").exit_code == 0
        assert (on_desk(jsm, "HELP"), members(jsm, "Acme")) == ({EMAIL}, {EMAIL})


@pytest.mark.parametrize(
    ("customers", "said"),
    [
        pytest.param({}, "asks to write nothing", id="nothing is asked for"),
        pytest.param({"create": True, "by": "scim"}, "by: scim is not acted on", id="another way of writing"),
    ],
)
def test_a_profile_that_asks_for_nothing_cannot_be_loaded_with(
    jsmsso_home: Home, jsm: LocalJsm, customers: dict[str, Any], said: str
) -> None:
    with pytest.raises(NotReady, match=said):
        load(
            make_stage(jsmsso_home, jsm, customers, scim={"url": "https://scim.example", "token": "env:SCIM"}), "email\nann@acme.example\n"
        )


def test_without_a_site_or_a_file_it_says_so(jsmsso_home: Home, jsmsso: Callable[..., Ran]) -> None:
    make_stage(jsmsso_home, None)
    assert (done := jsmsso("customers", "sync", "--file", "none.csv")).code == 3
    assert "jsmsso jsm connect" in done.stderr
    assert (done := jsmsso("customers", "sync")).code == 2
    assert "--file" in done.stderr


# How it goes on -------------------------------------------------------------------------------


def test_after_a_crash_it_goes_on_where_it_was(stage: Stage, jsm: LocalJsm, start: Children, jsmsso: Callable[..., Ran]) -> None:
    (stage.home.work / "many.csv").write_text(many(60))
    jsm.site.latency["/rest/"] = 0.02
    first = start([installed_script("jsmsso"), "customers", "sync", "--file", "many.csv"], env=stage.home.env, cwd=stage.home.work)
    wait_for_people(jsm, 20, first)
    first.signal(signal.SIGKILL)
    first.wait()
    made = len(jsm.site.people)
    assert made < 61, "the service account and not all of them"
    jsm.site.latency.clear()

    told = jsmsso("customers", "sync", "--file", "many.csv", "--json").json()
    assert (told["done"] + told["done_before"], told["failed"]) == (60, [])
    assert told["done_before"] > 0
    assert len(jsm.site.people) == 61, "each once"
    assert len(on_desk(jsm, "FAC")) == 60


def test_at_most_four_calls_are_under_way_at_once(stage: Stage, jsm: LocalJsm) -> None:
    seconds = 0.05
    jsm.site.latency["/rest/"] = seconds
    load(stage, many(12))
    begun = [call.at for call in jsm.seen]
    assert max(sum(at <= other < at + seconds for other in begun) for at in begun) in (2, 3, 4)


def test_a_busy_site_is_left_alone_as_long_as_it_asks_and_nothing_is_lost(stage: Stage, jsm: LocalJsm) -> None:
    jsm.break_with(Fault("busy", "/rest/servicedeskapi/", after=2, times=2, seconds=1))
    done = load(stage, many(6))
    assert (done.exit_code, done.data["done"]) == (0, 6)
    assert stage.store.paused_until("jsm") > 0, "the workers of serve wait too"


def test_a_site_that_stays_busy_is_asked_again_later(stage: Stage, jsm: LocalJsm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "BUSY_PAUSE", 0.3)
    jsm.break_with(Fault("status", "/rest/servicedeskapi/customer", status=429, headers={"Retry-After": "0"}, times=9))
    done = load(stage, many(3))
    assert (done.exit_code, done.data["done"]) == (0, 3)


def test_accounts_that_jsm_does_not_know_yet_come_again_while_others_go_on(
    stage: Stage, jsm: LocalJsm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "MAKING_PAUSE", 0.3)
    jsm.site.slow_account_creation = 1.5
    done = load(stage, many(12))
    assert (done.exit_code, done.data["done"], done.data["created"]) == (0, 12, 12)
    assert len(on_desk(jsm, "HELP")) == 12


def test_an_account_whose_creation_brought_no_answer_is_made_once(stage: Stage, jsm: LocalJsm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "UNREACHABLE_PAUSE", 0.2)
    jsm.break_with(Fault("lost", "/rest/servicedeskapi/customer", times=1))
    done = load(stage, "email\nann@acme.example\n")
    assert (done.exit_code, len(jsm.site.people.with_email(EMAIL))) == (0, 1)
    assert on_desk(jsm, "HELP") == {EMAIL}


@pytest.mark.parametrize(
    ("fault", "most", "said"),
    [
        pytest.param(Fault("status", "/rest/servicedeskapi/", status=500), 14, "JSM failed 10 times in a row", id="that fails"),
        pytest.param(Fault("status", "/rest/api/3/user/search", status=401), 4, "refused the API token", id="that refuses the token"),
    ],
)
def test_a_site_is_not_asked_for_the_rest(stage: Stage, jsm: LocalJsm, fault: Fault, most: int, said: str) -> None:
    jsm.break_with(fault)
    done = load(stage, many(200))
    assert done.exit_code == 5
    assert said in done.data["stopped"]
    assert 0 < len(done.data["failed"]) <= most
    assert done.data["not_tried"] == 200 - len(done.data["failed"])


def test_at_a_terminal_a_bar_counts_the_rows(stage: Stage, terminal: Spawn) -> None:
    (stage.home.work / "many.csv").write_text(many(20))
    code, said = ended(terminal("customers", "sync", "--file", "many.csv"))
    assert code == 0
    assert "20 of 20" in said
    assert "20 customers: 20 done, 20 of them created." in said


def test_ctrl_c_ends_it_between_two_rows(stage: Stage, jsm: LocalJsm, start: Children, jsmsso: Callable[..., Ran]) -> None:
    (stage.home.work / "many.csv").write_text(many(200))
    jsm.site.latency["/rest/"] = 0.02
    running = start([installed_script("jsmsso"), "customers", "sync", "--file", "many.csv"], env=stage.home.env, cwd=stage.home.work)
    wait_for_people(jsm, 8, running)
    running.signal(signal.SIGINT)
    assert running.wait() == 130
    assert "Traceback" not in running.output
    assert len(on_desk(jsm, "FAC")) == len(jsm.site.people) - 1, "whoever was made is on every desk"
