"""Which provider a login goes to: the link's, the one remembered, the address's, or the one that is chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.oidc.provider import CLIENT_ID, Provider
from tests.runtime.site import OWN_FORM, Browser, Site, query_of

pytestmark = pytest.mark.conformance

MakeSite = Callable[..., Site]


@pytest.fixture
def two(make_site: MakeSite, provider: Provider, another_provider: Provider) -> Callable[..., Site]:
    def make(mode: str = "choose", fallback: str = "none", **changed: Any) -> Site:
        return make_site(provider, another_provider, login={"mode": mode, "fallback": fallback}, **changed)

    return make


def goes_to(location: str, provider: Provider) -> bool:
    return urlsplit(location).netloc == urlsplit(provider.address).netloc


def test_a_link_may_name_the_provider(two: Callable[..., Site], another_provider: Provider) -> None:
    answer = Browser(two()).get("/portal/HELP?provider=b")
    assert answer.status == 302
    assert goes_to(answer.location, another_provider)


@pytest.mark.parametrize("name", ["c", "", "a%00", "%3Cscript%3E"])
def test_a_link_that_names_no_provider_of_ours_lets_choose(two: Callable[..., Site], name: str) -> None:
    page = Browser(two()).get(f"/portal/HELP?provider={name}")
    assert (page.status, page.title) == (200, "Sign in to IT help")


def test_the_choice_is_remembered_on_that_browser_until_another_way_is_asked_for(
    two: Callable[..., Site], provider: Provider, another_provider: Provider
) -> None:
    site = two()
    browser = Browser(site)
    page = browser.get("/portal/HELP")
    browser.get(browser.at_provider(browser.get(page.link("b")).location))
    out = browser.submit(browser.get("/"), "Sign out")
    assert out.status == 303
    assert goes_to(browser.get("/portal/HELP").location, another_provider)
    chooser = browser.get(browser.get("/logged-out").link("Another way"))
    assert {query_of(chooser.link(name))["provider"] for name in "ab"} == {"a", "b"}
    browser.get(browser.at_provider(browser.get(chooser.link("a")).location))
    browser.submit(browser.get("/"), "Sign out")
    assert goes_to(browser.get("/portal/HELP").location, provider)
    assert Browser(site).get("/portal/HELP").status == 200


def test_with_one_provider_nothing_is_remembered(site: Site) -> None:
    browser = Browser(site)
    browser.log_in()
    assert not [name for name in browser.cookies if "provider" in name]


def test_instant_goes_to_the_first_and_has_a_way_to_another(two: Callable[..., Site], provider: Provider) -> None:
    browser = Browser(two("instant"))
    assert goes_to(browser.get("/portal/HELP").location, provider)
    chooser = browser.get(browser.get("/").link("Another way"))
    assert query_of(chooser.link("b"))["provider"] == "b"


class TestAskedForTheAddress:
    @pytest.fixture
    def site(self, make_site: MakeSite, provider: Provider, another_provider: Provider) -> Site:
        return make_site(provider, another_provider, login={"mode": "ask_address"})

    @pytest.fixture
    def by_domain(self, make_site: MakeSite, provider: Provider, another_provider: Provider) -> Site:
        entries = {
            name: {
                "type": "oidc",
                "issuer": one.issuer,
                "client_id": CLIENT_ID,
                "client_secret": "file:client",
                "login_hint": True,
                "email_domains": domains,
            }
            for name, one, domains in (("a", provider, ["acme.example"]), ("b", another_provider, ["contoso.example"]))
        }
        return make_site(provider, another_provider, login={"mode": "ask_address"}, providers=entries)

    @pytest.mark.parametrize("typed", ["grace@contoso.example", " Grace@CONTOSO.example "])
    def test_the_address_chooses_by_its_domain_and_is_passed_on(self, by_domain: Site, another_provider: Provider, typed: str) -> None:
        browser = Browser(by_domain)
        page = browser.get("/portal/HELP/HELP-1")
        assert 'type="email"' in page.text
        answer = browser.submit(page, "Continue", email=typed)
        assert answer.status == 302
        assert goes_to(answer.location, another_provider)
        assert query_of(answer.location)["login_hint"].lower() == "grace@contoso.example"
        assert "grace" not in by_domain.log_text.lower()

    def test_an_unknown_domain_gets_the_ways_to_choose_from_whoever_it_is(self, by_domain: Site) -> None:
        pages = []
        for address in ("x@unknown.example", "y@other.example"):
            browser = Browser(by_domain)
            pages.append(browser.submit(browser.get("/portal/HELP"), "Continue", email=address))
        assert [page.status for page in pages] == [200, 200]
        assert pages[0].text == pages[1].text
        assert query_of(pages[0].link("a"))["provider"] == "a"

    @pytest.mark.parametrize("typed", ["", "x", "a@b@c.example", "a b@c.example", "<script>@x", "x" * 5000])
    def test_what_is_no_address_is_asked_again(self, by_domain: Site, typed: str) -> None:
        browser = Browser(by_domain)
        page = browser.submit(browser.get("/portal/HELP"), "Continue", email=typed)
        assert page.status == 400
        assert "whole email address" in page.text
        assert "<script>" not in page.text

    def test_a_form_of_another_site_starts_nothing(self, by_domain: Site) -> None:
        browser = Browser(by_domain)
        page = browser.get("/portal/HELP")
        foreign = {**OWN_FORM, "Sec-Fetch-Site": "cross-site"}
        assert browser.submit(page, "Continue", foreign, email="a@acme.example").status == 400
        assert browser.post("/login", {"email": "a@acme.example", "token": "x"}).status == 400
        assert browser.logins == {}

    def test_another_way_lists_the_providers(self, site: Site) -> None:
        browser = Browser(site)
        chooser = browser.get(browser.get("/portal/HELP").link("Another way"))
        assert query_of(chooser.link("b"))["provider"] == "b"


def test_people_of_no_provider_may_be_shown_the_native_login(two: Callable[..., Site]) -> None:
    assert "at Atlassian" not in Browser(two()).get("/portal/HELP").text
    page = Browser(two(fallback="native")).get("/portal/HELP")
    assert page.link("Sign in at Atlassian") == "https://acme.atlassian.example/servicedesk/customer/portal/3/user/login"


def test_one_company_s_provider_never_signs_in_another_s_customers(
    make_site: MakeSite, provider: Provider, another_provider: Provider
) -> None:
    entries = {
        name: {"type": "oidc", "issuer": one.issuer, "client_id": CLIENT_ID, "client_secret": "file:client", "email_domains": domains}
        for name, one, domains in (("a", provider, ["acme.example"]), ("b", another_provider, ["contoso.example"]))
    }
    site = make_site(provider, another_provider, providers=entries)
    another_provider.claims = {"email": "ada@acme.example"}
    browser = Browser(site)
    page = browser.get(browser.at_provider(browser.get("/portal/HELP?provider=b").location))
    assert page.status == 403
    assert browser.session is None
    assert site.events("login.refused")[-1]["reason"] == "email_domain"
