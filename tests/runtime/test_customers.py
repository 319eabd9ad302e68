"""The customer's record in JSM at a login: found, created, put on the desk and into organizations, and what waits when JSM fails."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_site import LocalAccount
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import checked_jsm
from tests.oidc.provider import Provider
from tests.runtime.site import Browser, Site, portal

EMAIL = "ann@acme.example"
ADMINISTRATOR = LocalAccount(email="sso-bot@example.com", token="local-jsm-token", role="administrator")
DAY = 86_400.0
ALL_ON = {"create": True, "add_to_service_desk": True}

Customized = Callable[..., Site]


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with checked_jsm(accounts=(ADMINISTRATOR,)) as site:
        yield site


@pytest.fixture
def customized(make_site: Callable[..., Site], provider: Provider, jsm: LocalJsm, tmp_path: Path) -> Customized:
    """``customized(create=True, ...)``: a site whose profile writes customers to the local JSM."""
    provider.claims |= {"email": EMAIL, "given_name": "Ann", "family_name": "Lee"}

    def make(*others: Provider, portals: list[dict[str, Any]] | None = None, **customers: Any) -> Site:
        (tmp_path / "jsm_token").write_text(jsm.account.token)
        return make_site(
            provider,
            *others,
            jsm={"url": jsm.url, "email": jsm.account.email, "api_token": f"file:{tmp_path}/jsm_token", "customers": customers},
            portals=portals or [portal("1", "HELP", "IT help"), portal("2", "HR", "People")],
        )

    return make


def become(provider: Provider, subject: str, email: str) -> None:
    """Who signs in from now on."""
    provider.claims |= {"sub": subject, "email": email}
    provider.userinfo["sub"] = subject


def on_desk(jsm: LocalJsm, key: str) -> set[str]:
    desk = jsm.site.desk(key)
    assert desk is not None
    return {jsm.site.people.get(person_id).email for person_id in desk.customers}  # type: ignore[union-attr]


def calls(jsm: LocalJsm, method: str = "") -> list[tuple[str, str]]:
    return [(one.method, one.path) for one in jsm.seen if method in ("", one.method)]


def drain(site: Site) -> None:
    """What the background thread does, at a moment that the test chooses."""
    assert site.deployment.records is not None
    while site.deployment.records.work_once():
        pass


def test_a_first_login_makes_the_account_and_puts_it_on_the_portals_desk(customized: Customized, jsm: LocalJsm) -> None:
    site = customized(**ALL_ON)
    browser = Browser(site)

    assert browser.log_in("/portal/HELP").status == 303
    [made] = jsm.site.people.with_email(EMAIL)

    assert (made.display_name, made.kind, on_desk(jsm, "HELP"), on_desk(jsm, "HR")) == ("Ann Lee", "customer", {EMAIL}, set())
    assert browser.get("/portal/HELP").status == 302
    assert site.events("customer.created")[0]["account_id"] == made.id


def test_a_second_login_asks_jsm_nothing(customized: Customized, jsm: LocalJsm) -> None:
    site = customized(**ALL_ON)
    Browser(site).log_in("/portal/HELP")
    before = len(jsm.seen)

    assert Browser(site).log_in("/portal/HELP").status == 303
    assert len(jsm.seen) == before


def test_somebody_who_keeps_coming_is_never_forgotten_though_nothing_changes(
    customized: Customized, jsm: LocalJsm, provider: Provider
) -> None:
    site = customized(**ALL_ON)

    def log_in_after(days: int) -> None:
        site.clock.advance(days * DAY)
        provider.claims |= {"iat": site.clock(), "exp": site.clock() + 300}
        assert Browser(site).log_in("/portal/HELP").status == 303

    def forgotten() -> int:
        return site.deployment.store.clean(now=site.clock(), accounts_before=site.clock() - 400 * DAY, queue_before=0.0)["accounts"]

    log_in_after(0)
    before = len(jsm.seen)
    for _ in range(5):
        log_in_after(100)
        assert forgotten() == 0
    assert len(jsm.seen) == before

    site.clock.advance(399 * DAY)
    assert forgotten() == 0
    site.clock.advance(2 * DAY)
    assert forgotten() == 1


def test_another_portal_adds_to_its_desk_when_it_is_opened(customized: Customized, jsm: LocalJsm) -> None:
    browser = Browser(customized(**ALL_ON))
    browser.log_in("/portal/HELP")

    assert browser.get("/portal/HR").status == 302
    assert on_desk(jsm, "HR") == {EMAIL}
    before = len(jsm.seen)
    browser.get("/portal/HR")
    assert len(jsm.seen) == before


@pytest.mark.parametrize(("required", "status"), [pytest.param(False, 302, id="wanted"), pytest.param(True, 503, id="required")])
def test_a_store_that_is_away_for_a_moment_keeps_only_those_out_whose_record_is_required(
    customized: Customized, required: bool, status: int
) -> None:
    site = customized(**ALL_ON, required=required)
    browser = Browser(site)
    browser.log_in("/portal/HELP")
    other = site.another_worker()
    assert browser.get("/", application=other).status == 200  # it heard from the store

    with closing(sqlite3.connect(site.folder / "state.db")) as connection:
        connection.execute("ALTER TABLE accounts RENAME TO accounts_away")
    assert browser.get("/portal/HELP", application=other).status == status
    with closing(sqlite3.connect(site.folder / "state.db")) as connection:
        connection.execute("ALTER TABLE accounts_away RENAME TO accounts")
    assert browser.get("/portal/HELP", application=other).status == 302


def test_an_account_that_is_there_is_taken_by_its_address(customized: Customized, jsm: LocalJsm) -> None:
    known = jsm.site.add_customer("Ann@ACME.example", "Somebody")
    Browser(customized(**ALL_ON)).log_in("/portal/HELP")

    assert len(jsm.site.people.with_email(EMAIL)) == 1
    assert known.id in jsm.site.desk("HELP").customers  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("email", "name"),
    [
        pytest.param("victim@other.example", EMAIL, id="whose display name is the address"),
        pytest.param(f"{EMAIL}.other.example", "Victim", id="whose address begins with it"),
        pytest.param(f"x{EMAIL}", "Victim", id="whose address ends with it"),
    ],
)
def test_somebody_who_only_looks_alike_is_never_taken(customized: Customized, jsm: LocalJsm, email: str, name: str) -> None:
    victim = jsm.site.add_customer(email, name)

    Browser(customized(**ALL_ON)).log_in("/portal/HELP")

    assert victim.id not in jsm.site.desk("HELP").customers  # type: ignore[union-attr]
    assert on_desk(jsm, "HELP") == {EMAIL}


def test_an_account_that_hides_its_address_is_for_the_operator_to_link(customized: Customized, jsm: LocalJsm) -> None:
    hidden = jsm.site.add_customer(EMAIL, "A Person", hidden=True)
    site = customized(**ALL_ON)
    browser = Browser(site)

    refused = browser.log_in("/portal/HELP")

    assert (refused.status, browser.session) == (403, None)
    assert "It is not your mistake" in refused.text
    assert hidden.id not in refused.text
    [line] = site.events("login.refused")
    assert (line["reason"], line["reference"]) == ("account_hidden", refused.reference)
    assert f"jsmsso customers link {EMAIL}" in line["hint"]
    assert site.deployment.store.writes() == []


@pytest.mark.parametrize(("prefer", "kind"), [("portal_only", "customer"), ("atlassian", "atlassian")])
def test_of_two_accounts_the_preferred_kind_is_taken(customized: Customized, jsm: LocalJsm, prefer: str, kind: str) -> None:
    jsm.site.add_customer(EMAIL, "Portal", kind="customer")
    jsm.site.add_customer(EMAIL, "Atlassian", kind="atlassian")

    Browser(customized(**ALL_ON, prefer=prefer)).log_in("/portal/HELP")

    [taken] = jsm.site.desk("HELP").customers  # type: ignore[union-attr]
    assert jsm.site.people.get(taken).kind == kind  # type: ignore[union-attr]


def test_two_accounts_with_one_address_are_refused_with_both_ids_in_the_log_only(customized: Customized, jsm: LocalJsm) -> None:
    both = [jsm.site.add_customer(EMAIL, "Portal"), jsm.site.add_customer(EMAIL, "Atlassian", kind="atlassian")]
    site = customized(**ALL_ON)

    refused = Browser(site).log_in("/portal/HELP")

    assert refused.status == 403
    [line] = site.events("login.refused")
    assert line["reason"] == "account_ambiguous"
    assert all(one.id in line["detail"] and one.id not in refused.text for one in both)


def test_a_deactivated_account_is_not_taken(customized: Customized, jsm: LocalJsm) -> None:
    jsm.site.add_customer(EMAIL, "Ann", active=False, desks=["HELP"])
    site = customized(**ALL_ON)

    assert Browser(site).log_in("/portal/HELP").status == 403
    assert site.events("login.refused")[0]["reason"] == "account_inactive"


def test_a_changed_address_is_looked_up_anew_and_keeps_its_account_where_nobody_has_it(
    customized: Customized, jsm: LocalJsm, provider: Provider
) -> None:
    site = customized(**ALL_ON)
    Browser(site).log_in("/portal/HELP")
    [account] = jsm.site.people.with_email(EMAIL)
    provider.claims["email"] = "ann.new@acme.example"

    assert Browser(site).log_in("/portal/HELP").status == 303

    assert jsm.site.people.with_email("ann.new@acme.example") == []
    [event] = site.events("customer.email_changed")
    assert (event["was"], event["account_id"]) == (EMAIL, account.id)


def test_a_changed_address_never_takes_over_another_persons_account(customized: Customized, jsm: LocalJsm, provider: Provider) -> None:
    site = customized(**ALL_ON)
    become(provider, "bob", "bob@acme.example")
    Browser(site).log_in("/portal/HELP")
    become(provider, "ann", EMAIL)
    Browser(site).log_in("/portal/HELP")
    # Bob's address changes to what Ann's was, and Ann's to another one: her account in JSM still shows the old one.
    become(provider, "ann", "ann.new@acme.example")
    Browser(site).log_in("/portal/HELP")
    become(provider, "bob", EMAIL)

    refused = Browser(site).log_in("/portal/HELP")

    assert refused.status == 403
    assert site.events("login.refused")[-1]["reason"] == "account_of_another_person"


def test_a_new_subject_of_the_same_provider_is_let_in_and_audited(customized: Customized, jsm: LocalJsm, provider: Provider) -> None:
    site = customized(**ALL_ON)
    Browser(site).log_in("/portal/HELP")
    become(provider, "made anew", EMAIL)

    assert Browser(site).log_in("/portal/HELP").status == 303

    assert len(jsm.site.people.with_email(EMAIL)) == 1
    [event] = site.events("customer.subject_changed")
    assert event["subject"] == "made anew"


def test_a_known_address_from_another_provider_is_refused_until_linked(
    customized: Customized, jsm: LocalJsm, another_provider: Provider
) -> None:
    another_provider.claims |= {"email": EMAIL}
    site = customized(another_provider, **ALL_ON)
    first, second = Browser(site), Browser(site)
    first.get(first.at_provider(first.get("/login?provider=a&return_to=/portal/HELP").location))

    def log_in_at_b() -> int:
        return second.get(second.at_provider(second.get("/login?provider=b&return_to=/portal/HELP").location)).status

    assert log_in_at_b() == 403
    assert site.events("login.refused")[-1]["reason"] == "account_of_another_provider"
    [account] = jsm.site.people.with_email(EMAIL)
    from jsmsso.store.records import Link

    site.deployment.store.link(Link(EMAIL, account.id, 0.0, "operator"))
    assert log_in_at_b() == 303
    assert site.events("customer.linked")[0]["account_id"] == account.id


def test_a_person_without_an_account_goes_on_where_none_may_be_made(customized: Customized, jsm: LocalJsm) -> None:
    site = customized(add_to_service_desk=True)
    browser = Browser(site)

    assert browser.log_in("/portal/HELP").status == 303
    assert browser.get("/portal/HELP").status == 302
    assert (jsm.site.people.with_email(EMAIL), len(site.events("customer.missing"))) == ([], 2)


def test_a_required_record_that_cannot_be_had_refuses_the_login(customized: Customized) -> None:
    site = customized(required=True)

    refused = Browser(site).log_in("/portal/HELP")

    assert (refused.status, site.events("login.refused")[0]["reason"]) == (403, "account_missing")


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault("status", status=403, path="/rest/servicedeskapi/"), id="a missing permission"),
        pytest.param(Fault("status", status=500), id="down"),
        pytest.param(Fault("login_page"), id="a login page"),
        pytest.param(Fault("cut"), id="a cut connection"),
        pytest.param(Fault("no_json"), id="no JSON"),
        pytest.param(Fault("busy", seconds=120), id="busy"),
        pytest.param(Fault("status", status=503, path="/rest/servicedeskapi/customer"), id="down when creating"),
        pytest.param(Fault("lost", path="/rest/servicedeskapi/customer"), id="an answer lost when creating"),
    ],
)
def test_while_jsm_fails_the_login_goes_on_and_the_write_waits(customized: Customized, jsm: LocalJsm, fault: Fault) -> None:
    site = customized(**ALL_ON)
    jsm.break_with(fault)
    browser = Browser(site)

    assert browser.log_in("/portal/HELP").status == 303
    assert browser.get("/portal/HELP").status == 302

    [write] = site.deployment.store.writes(failing_only=True)
    assert (write.email, write.due <= site.clock() + 30) == (EMAIL, True)
    assert browser.get("/readyz").text.strip() == "degraded"
    jsm.faults.clear()
    site.clock.advance(700)
    assert site.deployment.records is not None
    drain(site)
    assert (site.deployment.store.writes(), on_desk(jsm, "HELP")) == ([], {EMAIL})
    assert len(jsm.site.people.with_email(EMAIL)) == 1


def test_a_required_record_that_waits_refuses_with_503(customized: Customized, jsm: LocalJsm) -> None:
    site = customized(**ALL_ON, required=True)
    jsm.break_with(Fault("status", status=500))
    browser = Browser(site)

    assert browser.log_in("/portal/HELP").status == 503
    assert browser.session is None
    assert len(site.deployment.store.writes()) == 1


def test_an_account_in_the_making_has_a_page_that_looks_again_by_itself(customized: Customized, jsm: LocalJsm) -> None:
    jsm.site.slow_account_creation = 3600
    site = customized(**ALL_ON)
    browser = Browser(site)

    assert browser.log_in("/portal/HELP").status == 303
    page = browser.get("/portal/HELP")
    before = len(jsm.seen)
    browser.get("/portal/HELP")

    assert (page.status, page.header("Refresh"), page.title) == (200, "5", "Your account is being made")
    assert len(jsm.seen) == before, "looking at the page asks JSM nothing"
    site.clock.advance(121)
    late = browser.get("/portal/HELP")
    assert (late.status, late.all("Refresh")) == (200, [])
    jsm.site.settle()
    drain(site)
    assert browser.get("/portal/HELP").status == 302
    assert on_desk(jsm, "HELP") == {EMAIL}


def test_two_workers_make_one_account(customized: Customized, jsm: LocalJsm) -> None:
    site = customized(**ALL_ON)
    jsm.break_with(Fault("lost", path="/rest/servicedeskapi/customer", times=1))
    Browser(site).log_in("/portal/HELP")
    other = site.another_worker()
    site.clock.advance(60)

    drain(site)

    other.close()
    assert len(jsm.site.people.with_email(EMAIL)) == 1
    assert len([path for path in calls(jsm, "POST") if path[1].endswith("/servicedeskapi/customer")]) == 1


def test_organizations_are_joined_by_claim_domain_and_always(customized: Customized, jsm: LocalJsm, provider: Provider) -> None:
    for name in ("Gold", "Acme", "Everybody", "Silver"):
        jsm.site.add_organization(name)
    provider.claims["orgs"] = ["tier-Gold", "staff"]
    site = customized(
        **ALL_ON,
        organizations="add",
        organizations_transform=[{"matches": "tier-(.*)", "to": r"\1"}],
        organizations_by_domain={"acme.example": "Acme"},
        organizations_always=["Everybody"],
    )
    site.reload(attributes={"organizations": "orgs"})

    Browser(site).log_in("/portal/HELP")

    members = {one.name: len(one.members) for one in jsm.site.organizations.values()}
    assert members == {"Gold": 1, "Acme": 1, "Everybody": 1, "Silver": 0}


def test_sync_takes_away_only_what_jsmsso_gave(customized: Customized, jsm: LocalJsm, provider: Provider) -> None:
    ann = jsm.site.add_customer(EMAIL)
    jsm.site.add_organization("By an agent", [ann])
    for name in ("Old", "New"):
        jsm.site.add_organization(name)
    provider.claims["orgs"] = ["Old", "By an agent"]
    site = customized(**ALL_ON, organizations="sync")
    site.reload(attributes={"organizations": "orgs"})
    Browser(site).log_in("/portal/HELP")
    provider.claims["orgs"] = ["New"]

    Browser(site).log_in("/portal/HELP")

    members = {one.name: len(one.members) for one in jsm.site.organizations.values()}
    assert members == {"By an agent": 1, "Old": 0, "New": 1}


def test_an_organization_that_jsm_lacks_is_named_in_the_log_or_made(customized: Customized, jsm: LocalJsm, provider: Provider) -> None:
    provider.claims["orgs"] = "Fresh"
    site = customized(**ALL_ON, organizations="add")
    site.reload(attributes={"organizations": "orgs"})
    Browser(site).log_in("/portal/HELP")
    assert site.events("customer.organization_missing")[0]["organization"] == "Fresh"

    become(provider, "bob", "bob@acme.example")
    site.changed["jsm"]["customers"]["create_organizations"] = True
    site.reload(attributes={"organizations": "orgs"})
    Browser(site).log_in("/portal/HELP")

    [made] = jsm.site.organizations.values()
    assert (made.name, len(made.members)) == ("Fresh", 1)
    assert made.id in jsm.site.desk("HELP").organizations  # type: ignore[union-attr]


def test_somebody_who_was_shut_out_stays_out_whatever_the_rules_say(customized: Customized) -> None:
    site = customized(**ALL_ON)
    site.deployment.store.bar(f"email:{EMAIL}", email=EMAIL, at=0.0)

    refused = Browser(site).log_in("/portal/HELP")

    assert (refused.status, site.events("login.refused")[0]["reason"]) == (403, "customer_barred")
    site.deployment.store.unbar(EMAIL)
    assert Browser(site).log_in("/portal/HELP").status == 303


class TestVisibilityJira:
    """``visibility: jira``: only whom JSM knows on the desk."""

    @pytest.fixture
    def site(self, customized: Customized) -> Site:
        return customized(portals=[portal("1", "HELP", "IT help", visibility="jira"), portal("2", "HR", "People")])

    def test_a_customer_of_the_desk_may_open_it(self, site: Site, jsm: LocalJsm) -> None:
        jsm.site.add_customer(EMAIL, desks=["HELP"])
        browser = Browser(site)
        browser.log_in("/portal/HELP")

        assert browser.get("/portal/HELP").status == 302
        assert "IT help" in browser.get("/").text

    def test_a_member_of_one_of_its_organizations_may_open_it(self, site: Site, jsm: LocalJsm) -> None:
        jsm.site.add_organization("Acme", [jsm.site.add_customer(EMAIL)], desks=["HELP"])
        browser = Browser(site)
        browser.log_in("/portal/HELP")

        assert browser.get("/portal/HELP").status == 302

    @pytest.mark.parametrize("there", [pytest.param(True, id="with an account"), pytest.param(False, id="without one")])
    def test_nobody_else_may(self, site: Site, jsm: LocalJsm, there: bool) -> None:
        if there:
            jsm.site.add_organization("Acme", [jsm.site.add_customer(EMAIL, desks=["HR"])])
        jsm.site.add_customer("victim@acme.example", EMAIL, desks=["HELP"])
        browser = Browser(site)
        browser.log_in("/portal/HR")

        assert browser.get("/portal/HELP").status == 403
        assert "IT help" not in browser.get("/").text
        assert browser.get("/portal/HR").status == 302

    def test_no_answer_means_no_and_is_asked_again_soon(self, site: Site, jsm: LocalJsm) -> None:
        jsm.site.add_customer(EMAIL, desks=["HELP"])
        browser = Browser(site)
        jsm.break_with(Fault("status", status=500))
        browser.log_in("/portal/HR")

        assert browser.get("/portal/HELP").status == 403
        assert site.events("portal.unknown")[0]["portal"] == "HELP"
        jsm.faults.clear()
        site.clock.advance(31)
        assert browser.get("/portal/HELP").status == 302

    def test_an_answer_is_remembered_for_minutes_only(self, site: Site, jsm: LocalJsm) -> None:
        person = jsm.site.add_customer(EMAIL, desks=["HELP"])
        browser = Browser(site)
        browser.log_in("/portal/HELP")
        browser.get("/portal/HELP")
        jsm.site.desk("HELP").customers.discard(person.id)  # type: ignore[union-attr]

        assert browser.get("/portal/HELP").status == 302
        site.clock.advance(301)
        assert browser.get("/portal/HELP").status == 403


class TestDataCenter:
    """Where accounts are known by their user names, and nobody lists a desk's customers."""

    @pytest.fixture
    def jsm(self) -> Iterator[LocalJsm]:
        with checked_jsm(data_center=True, accounts=(ADMINISTRATOR,)) as site:
            yield site

    @pytest.fixture
    def site(self, make_site: Callable[..., Site], provider: Provider, jsm: LocalJsm, tmp_path: Path) -> Site:
        provider.claims |= {"email": EMAIL, "orgs": ["Acme"]}
        (tmp_path / "jsm_token").write_text(jsm.account.token)
        customers = {**ALL_ON, "organizations": "sync"}
        return make_site(
            provider,
            attributes={"organizations": "orgs"},
            jsm={"url": jsm.url, "api_token": f"file:{tmp_path}/jsm_token", "customers": customers},
            portals=[portal("1", "HELP", "IT help"), portal("2", "HR", "People", visibility="jira")],
        )

    def test_a_login_makes_the_account_and_joins_desk_and_organizations(self, site: Site, jsm: LocalJsm, provider: Provider) -> None:
        acme = jsm.site.add_organization("Acme")
        browser = Browser(site)

        assert browser.log_in("/portal/HELP").status == 303
        assert browser.get("/portal/HELP").status == 302
        assert (on_desk(jsm, "HELP"), len(acme.members)) == ({EMAIL}, 1)
        provider.claims["orgs"] = []
        Browser(site).log_in("/portal/HELP")
        assert len(acme.members) == 0

    def test_visibility_jira_asks_the_organizations(self, site: Site, jsm: LocalJsm) -> None:
        jsm.site.add_organization("Acme", desks=["HR"])
        browser = Browser(site)
        browser.log_in("/portal/HELP")

        assert browser.get("/portal/HR").status == 302


def test_a_jsm_that_is_slow_holds_nobody_up_for_long(customized: Customized, jsm: LocalJsm) -> None:
    jsm.site.latency = {"/rest/": 30.0}
    site = customized(**ALL_ON)

    assert Browser(site).log_in("/portal/HELP").status == 303
    [write] = site.deployment.store.writes(failing_only=True)
    assert write.reason == "jsm_unreachable"


@pytest.mark.parametrize("place", ["/portal/HELP", "/"], ids=["a portal", "the list of portals"])
def test_a_login_and_the_question_whether_jsm_knows_the_customer_share_their_seconds(
    customized: Customized, jsm: LocalJsm, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    for module in ("records", "known_to_jira"):
        monkeypatch.setattr(f"jsmsso.runtime.{module}.LOGIN_SECONDS", 3.0)
        monkeypatch.setattr(f"jsmsso.runtime.{module}.ASKED_NEXT_SECONDS", 1.0)
    site = customized(**ALL_ON, portals=[portal("1", "HELP", "IT help", visibility="jira"), portal("2", "HR", "People", visibility="jira")])
    jsm.site.latency = {"/rest/": 30.0}
    browser, began = Browser(site), time.monotonic()

    assert browser.log_in(f"/login?return_to={place}").status == 303
    site.clock.advance(time.monotonic() - began)
    assert browser.get(place).status == (403 if place == "/portal/HELP" else 200)

    assert time.monotonic() - began < 5.0  # each would take three alone
    assert site.events("portal.unknown")[0]["reason"] == "jsm_unreachable"


def test_who_was_signed_in_before_may_wait_as_long_as_a_login(
    customized: Customized, jsm: LocalJsm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jsmsso.runtime.known_to_jira.ASKED_NEXT_SECONDS", 0.0)
    jsm.site.add_customer(EMAIL, desks=["HELP"])
    site = customized(portals=[portal("1", "HELP", "IT help", visibility="jira")])
    browser = Browser(site)
    browser.log_in("/portal/HELP")
    site.clock.advance(5)
    assert browser.get("/portal/HELP").status == 403, "the login used its time up"
    site.clock.advance(31)
    assert browser.get("/portal/HELP").status == 302


def test_a_site_that_is_slow_to_say_what_it_is_takes_of_the_second_tokens_time_too(
    customized: Customized, jsm: LocalJsm, tmp_path: Path
) -> None:
    (tmp_path / "admin_token").write_text("admin-token")
    site = customized(**ALL_ON)
    site.changed["jsm"] |= {"admin_api_token": f"file:{tmp_path}/admin_token", "admin_email": "admin@example.com"}
    site.reload()
    jsm.site.latency = {"/rest/": 0.5}
    assert site.deployment.connect is not None
    to = site.deployment.connect(10.0)
    assert to.admin is not to.client
    assert 0 < (to.admin.seconds_left or 0) <= 9.5


def test_a_second_token_creates_accounts_and_does_nothing_else(customized: Customized, jsm: LocalJsm, tmp_path: Path) -> None:
    weak = LocalAccount(email="sso-bot@example.com", token="local-jsm-token", role="project_administrator")
    strong = LocalAccount(email="admin@example.com", token="admin-token", account_id="5b10ac8d82e05b22cc7d4ef6", role="administrator")
    jsm.site.accounts = (weak, strong)
    (tmp_path / "admin_token").write_text(strong.token)
    site = customized(**ALL_ON)
    site.changed["jsm"] |= {"admin_api_token": f"file:{tmp_path}/admin_token", "admin_email": strong.email}
    site.reload()

    assert Browser(site).log_in("/portal/HELP").status == 303

    assert on_desk(jsm, "HELP") == {EMAIL}
    from base64 import b64decode

    by_admin = [one.path for one in jsm.seen if strong.token in b64decode(one.headers.get("authorization", "")[6:]).decode()]
    assert by_admin == ["/rest/servicedeskapi/customer"]


def test_a_busy_site_is_left_alone_by_every_worker(customized: Customized, jsm: LocalJsm) -> None:
    site = customized(**ALL_ON)
    jsm.break_with(Fault("busy", seconds=120, times=1))
    Browser(site).log_in("/portal/HELP")
    before = len(jsm.seen)
    other = site.another_worker()
    site.clock.advance(30)

    drain(site)

    other.close()
    assert len(jsm.seen) == before
    site.clock.advance(120)
    drain(site)
    assert on_desk(jsm, "HELP") == {EMAIL}


def test_a_waiting_write_is_tried_every_half_minute_at_least_for_an_hour(customized: Customized, jsm: LocalJsm) -> None:
    site = customized(**ALL_ON)
    jsm.break_with(Fault("status", status=400, body='{"errorMessage": "no"}'))
    Browser(site).log_in("/portal/HELP")
    began, pauses = site.clock(), []

    while site.clock() < began + 3600:
        [write] = site.deployment.store.writes()
        pauses.append(write.due - site.clock())
        site.clock.advance(max(pauses[-1], 0.001))
        drain(site)

    assert max(pauses) <= 30
    assert site.deployment.store.writes()[0].attempts > 120


def test_workers_that_drain_the_queue_at_once_write_each_record_once(customized: Customized, jsm: LocalJsm, provider: Provider) -> None:
    site = customized(**ALL_ON)
    jsm.break_with(Fault("status", status=400, body='{"errorMessage": "no"}'))
    for number in range(12):
        become(provider, f"sub-{number}", f"person{number}@acme.example")
        Browser(site).log_in("/portal/HELP")
    jsm.faults.clear()
    jsm.site.latency = {"/rest/": 0.02}
    site.clock.advance(60)
    records = [site.deployment.records]
    others = [site.another_worker() for _ in range(2)]
    records.append(site.deployment.records)

    def work(one: Any) -> None:
        while one.work_once():
            pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, records * 2))

    for one in others:
        one.close()
    made = [path for method, path in calls(jsm, "POST") if path.endswith("/servicedeskapi/customer")]
    assert len(on_desk(jsm, "HELP")) == 12
    assert len(made) == 12
