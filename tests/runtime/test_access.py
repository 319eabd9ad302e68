"""Who may open which portal: rules for everyone, rules of a portal, and its visibility."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from jsmsso.errors import NotReady
from tests.oidc.provider import Provider
from tests.runtime.site import NATIVE, PAGE_LOAD, Browser, Site, portal

MakeSite = Callable[..., Site]


def groups(*names: str) -> dict[str, Any]:
    return {"claim": "groups", "any_of": list(names)}


@pytest.fixture
def customer(provider: Provider) -> Provider:
    """The provider, whose person is in the groups customers and it."""
    provider.claims["groups"] = ["customers", "it"]
    return provider


def portals(**help_: Any) -> list[dict[str, Any]]:
    return [portal("3", "HELP", "IT help", **help_), portal("4", "HR", "People")]


PORTAL_RULES = [
    pytest.param([{"allow": groups("it")}], True, id="an allow that fits"),
    pytest.param([{"allow": groups("hr")}], False, id="an allow that does not fit"),
    pytest.param([{"deny": groups("it")}, {"allow": "everyone"}], False, id="a deny"),
    pytest.param([{"allow": {"all": [groups("it"), {"provider": "a"}]}}], True, id="all of two"),
]


@pytest.mark.parametrize(("rules", "may"), PORTAL_RULES)
def test_a_portals_own_rules_narrow(make_site: MakeSite, customer: Provider, rules: list[Any], may: bool) -> None:
    site = make_site(customer, access=[{"allow": groups("customers")}], portals=portals(access=rules))
    browser = Browser(site)

    browser.log_in("/portal/HELP")
    opened, listed = browser.get("/portal/HELP"), browser.get("/").text

    assert (opened.status, "IT help" in listed, "People" in listed) == (302 if may else 403, may, True)
    assert browser.get("/portal/HR").location == f"{NATIVE}/4"


def test_a_portals_own_rules_never_widen(make_site: MakeSite, customer: Provider) -> None:
    site = make_site(customer, access=[{"allow": groups("hr")}], portals=portals(visibility="private", access=[{"allow": "everyone"}]))
    browser = Browser(site)

    assert browser.log_in("/portal/HELP").status == 403
    assert browser.session is None


def test_the_log_of_a_denial_explains_it_rule_by_rule(make_site: MakeSite, customer: Provider) -> None:
    own = [{"deny": groups("it", "interns")}]
    site = make_site(customer, access=[{"allow": groups("customers")}, {"deny": "everyone"}], portals=portals(access=own))
    browser = Browser(site)
    browser.log_in("/portal/HELP")

    page = browser.get("/portal/HELP")

    (event,) = site.events("login.refused")
    assert event["detail"] == "Denied by rule 1 of HELP: deny claim groups any of it, interns"
    assert event["rules"] == [
        "1. allow claim groups any of customers: decides, it has customers",
        "2. deny everyone: not reached",
        "HELP 1. deny claim groups any of it, interns: decides, it has it",
    ]
    assert page.reference == event["reference"]
    assert "interns" not in page.text


def test_the_rules_of_a_portal_count_from_the_next_reload(make_site: MakeSite, customer: Provider) -> None:
    site = make_site(customer, access=[{"deny": groups("hr")}, {"allow": "everyone"}], portals=portals())
    browser = Browser(site)
    browser.log_in("/portal/HELP")
    assert browser.get("/portal/HELP").location == f"{NATIVE}/3"

    site.reload(portals=portals(access=[{"allow": groups("hr")}]))

    assert browser.get("/portal/HELP").status == 403
    assert browser.get("/portal/HR").location == f"{NATIVE}/4"


def test_a_session_that_lacks_what_a_new_rule_looks_at_logs_in_again(make_site: MakeSite, customer: Provider) -> None:
    customer.claims["company"] = ["Acme", "Leavers"]
    site = make_site(customer, attributes={"organizations": "company"}, access=[{"allow": "everyone"}])
    browser = Browser(site)
    browser.log_in()
    assert browser.get("/portal/HELP").location == f"{NATIVE}/3"

    site.reload(access=[{"deny": {"organization": "Leavers"}}, {"allow": "everyone"}])

    assert "/authorize?" in browser.get("/portal/HELP").location
    assert browser.log_in().status == 403


def test_organizations_are_decided_again_at_each_request(make_site: MakeSite, customer: Provider) -> None:
    customer.claims["company"] = "Acme, Inc."
    site = make_site(customer, attributes={"organizations": "company"}, access=[{"allow": {"organization": ["Acme, Inc.", "Globex"]}}])
    browser = Browser(site)
    browser.log_in()
    assert browser.get("/portal/HELP").location == f"{NATIVE}/3"

    site.reload(access=[{"allow": {"organization": "Globex"}}])

    assert browser.get("/portal/HELP").status == 403


@pytest.mark.parametrize("headers", [pytest.param(PAGE_LOAD, id="page load"), pytest.param({"Accept": "*/*"}, id="no page load")])
@pytest.mark.parametrize(
    ("address", "native"),
    [
        pytest.param("/portal/HELP", "/3", id="link"),
        pytest.param("/portal/3/HELP-7", "/3/HELP-7", id="request"),
        pytest.param("/servicedesk/customer/portal/3/create/5", "/3/create/5", id="native path"),
    ],
)
def test_a_public_portal_needs_no_login(
    make_site: MakeSite, customer: Provider, address: str, native: str, headers: dict[str, str]
) -> None:
    browser = Browser(make_site(customer, access=[{"deny": "everyone"}], portals=portals(visibility="public")))

    assert browser.get(address, headers).location == NATIVE + native
    assert browser.cookies == {}
    assert "/authorize?" in browser.get("/portal/HR").location


def test_the_list_has_public_portals_and_not_those_of_another_provider(
    make_site: MakeSite, customer: Provider, another_provider: Provider
) -> None:
    shown = [portal("3", "HELP", "IT help", visibility="public"), portal("4", "HR", "People", provider="b"), portal("5", "LAW", "Law")]
    browser = Browser(make_site(customer, another_provider, portals=shown))
    browser.get("/login?provider=a")
    browser.get(browser.at_provider(browser.get("/login?provider=a").location))

    text = browser.get("/").text

    assert ("IT help" in text, "People" in text, "Law" in text) == (True, False, True)


def test_a_customer_to_whom_no_portal_is_open_reads_so(make_site: MakeSite, customer: Provider) -> None:
    browser = Browser(make_site(customer, portals=[portal("3", "HELP", "IT help", access=[{"deny": "everyone"}])]))
    browser.log_in("/login")

    assert "No portal is open to this account." in browser.get("/").text


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        pytest.param({"portals": portals(visibility="jira")}, "visibility: jira asks JSM", id="jira"),
        pytest.param({"access": [{"allow": {"email_in": "nowhere.txt"}}]}, "nowhere.txt cannot be read", id="no file"),
        pytest.param(
            {"portals": portals(access=[{"deny": {"any": [{"email_in": "client"}]}}])},
            "client has lines that are no addresses",
            id="no list",
        ),
    ],
)
def test_what_is_not_acted_on_is_not_served(make_site: MakeSite, customer: Provider, changed: dict[str, Any], why: str) -> None:
    with pytest.raises(NotReady, match=why):
        make_site(customer, **changed)


def test_a_list_of_addresses_is_read_again_when_it_changed(make_site: MakeSite, customer: Provider) -> None:
    site = make_site(customer)
    path = site.folder / "leavers.txt"
    path.write_text("# nobody yet\n")
    site.reload(access=[{"deny": {"email_in": "leavers.txt"}}, {"allow": "everyone"}])
    browser = Browser(site)
    browser.log_in()
    (event,) = site.events("login.ok")
    assert browser.get("/portal/HELP").location == f"{NATIVE}/3"

    path.write_text(f"{event['email'].upper()}\n")
    os.utime(path, (1, 1))
    while browser.get("/portal/HELP").status == 302:  # it is looked at once a second
        pass

    assert browser.get("/portal/HELP").status == 403
    (event,) = site.events("access.list")
    assert (event["reason"], event["file"]) == ("read", "leavers.txt")
