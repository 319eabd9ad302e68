"""``visibility: public`` in mode ``hosted``: what anybody may look at without a login, and what stays behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from jsmsso.portal import strangers
from jsmsso.portal.routes import ROUTES
from jsmsso.sandbox.jsm_articles import EXAMPLES
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_field_kinds import NOT_FOR_EVERYONE
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import checked_jsm
from tests.oidc.provider import Provider, running
from tests.portal.conftest import MakeHosted
from tests.portal.desks import desks, services_of, type_id
from tests.portal.hosted_site import HELP, HR, SERVICE_ACCOUNT, HostedSite
from tests.runtime.site import OWN_FORM, Answer, Browser, Site, portal, query_of

PUBLIC = {"visibility": "public"}
OPEN = {"visibility": "public", "knowledge_base": "all_customers"}
FETCH = {"Sec-Fetch-Mode": "cors", "Accept": "*/*"}


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with checked_jsm(accounts=(SERVICE_ACCOUNT,), desks=desks()) as site:
        site.site.articles = list(EXAMPLES)
        yield site


@pytest.fixture
def hosted(make_hosted: MakeHosted) -> HostedSite:
    return make_hosted(help=OPEN)


@pytest.fixture
def stranger(hosted: HostedSite) -> Browser:
    """Somebody's browser that has never been here."""
    return Browser(hosted.site)


def offered(page: Answer) -> list[str]:
    assert page.status == 200, page.text
    return [unescape(text) for text in re.findall(r"<h3[^>]*>(.*?)</h3>", page.text)]


def leads_to_login(answer: Answer) -> bool:
    return answer.status == 302 and "/authorize?" in answer.location


def restrict(jsm: LocalJsm, *organizations: str) -> None:
    """Let only these organizations use the type that is not for everyone."""
    ids = frozenset(jsm.site.add_organization(name).id for name in organizations)
    place = jsm.site.desk("HELP")
    assert place is not None
    types = [replace(one, restricted_to=ids) if one is NOT_FOR_EVERYONE else one for one in place.request_types if not isinstance(one, str)]
    jsm.site.desks = (replace(place, request_types=tuple(types)), *jsm.site.desks[1:])


# What is open ----------------------------------------------------------------------------------


def test_a_stranger_sees_the_request_types_in_their_groups_and_where_to_sign_in(hosted: HostedSite, stranger: Browser) -> None:
    page = stranger.get("/portal/HELP")
    assert "Get IT help" in offered(page)
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", page.text) == ["Common requests", "Equipment"]
    assert "To send a request, or to see yours, you sign in." in page.text
    assert "Your latest requests" not in page.text
    assert "Sign out" not in page.text
    assert "Signed in with" not in page.text
    assert 'name="token"' not in page.text
    assert page.link("Sign in") == "/login?return_to=%2Fportal%2FHELP"
    assert stranger.cookies == {}


@pytest.mark.parametrize("address", ["/portal/1", "/servicedesk/customer/portal/1", "/servicedesk/customer/portal/1/group/2"])
def test_every_address_of_the_page_is_open(hosted: HostedSite, stranger: Browser, address: str) -> None:
    place = hosted.jsm.site.desk("HELP")
    assert place is not None
    assert "Get IT help" in offered(stranger.get(address.replace("/1", f"/{place.portal_id}", 1)))


def test_what_is_not_a_page_load_gets_the_page_too(hosted: HostedSite, stranger: Browser) -> None:
    assert stranger.get("/portal/HELP", FETCH).status == 200
    assert stranger.request("HEAD", "/portal/HELP", {"Accept": "*/*"}).status == 200


def test_the_addresses_that_are_open_are_those() -> None:
    """Whoever opens another one is led here: it needs an answer of its own for strangers."""
    assert {route.name for route in ROUTES if route.is_for_anybody} == {"home", "search", "icon", "article"}
    assert not [route.name for route in ROUTES if route.is_for_anybody and (route.method != "GET" or route.about != "portal")]


def test_the_way_to_the_login_leads_back_to_where_the_stranger_was(hosted: HostedSite, stranger: Browser) -> None:
    page = stranger.get("/portal/HELP/search?q=new+laptop+%C3%A4")
    assert page.link("Sign in") == "/login?" + urlencode({"return_to": "/portal/HELP/search?q=new+laptop+%C3%A4"})
    page = stranger.get("/portal/HELP/search?q=laptop")
    hosted.provider.claims |= {"sub": "sub-ann", "email": "ann@acme.example"}
    hosted.provider.userinfo["sub"] = "sub-ann"
    back = stranger.at_provider(stranger.get(page.link("Sign in")).location)
    landed = stranger.get(back)
    assert (landed.status, landed.location) == (303, "/portal/HELP/search?q=laptop")
    assert "ann@acme.example" in stranger.get(landed.location).text


def test_a_form_asks_for_a_login_and_opens_after_it(hosted: HostedSite, stranger: Browser) -> None:
    wanted = f"/portal/HELP/create/{type_id(hosted.jsm, 'New laptop')}"
    assert stranger.get("/portal/HELP").link("New laptop") == wanted
    hosted.provider.claims |= {"sub": "sub-ann", "email": "ann@acme.example"}
    hosted.provider.userinfo["sub"] = "sub-ann"
    landed = stranger.log_in(wanted)
    assert (landed.status, landed.location) == (303, wanted)
    assert stranger.get(wanted).title == "New laptop"


def test_a_search_finds_types_and_articles_and_an_article_opens(hosted: HostedSite, stranger: Browser) -> None:
    assert offered(stranger.get("/portal/HELP/search?q=laptop")) == ["New laptop"]
    page = stranger.get("/portal/HELP/search?q=monitor")
    article = stranger.get(page.link("A monitor that flickers"))
    assert article.title == "A monitor that flickers"
    assert "Try another one first." in article.text
    assert "Sign out" not in article.text
    assert article.link("Sign in").startswith("/login?return_to=%2Fportal%2FHELP%2Farticle%2F")
    part = stranger.get("/portal/HELP/search?part=articles&q=monitor", FETCH)
    assert "A monitor that flickers" in part.text
    assert "<html" not in part.text


def test_articles_are_not_searched_where_the_knowledge_base_is_not_for_everybody(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(help=PUBLIC)
    stranger = Browser(hosted.site)
    address = services_of(hosted.site.application).strangers._articles
    before = len(hosted.jsm.seen)
    assert "A monitor that flickers" not in stranger.get("/portal/HELP/search?q=monitor").text
    assert stranger.get("/portal/HELP/search?part=articles&q=monitor", FETCH).text == ""
    seal = address._sealer.seal("article", f'["{hosted.site.deployment.portals.all[0].id}", "65603", "x"]'.encode())
    assert stranger.get(f"/portal/HELP/article/65603?of={seal}").status == 404
    assert not any("knowledgebase" in call.path for call in hosted.calls_since(before))


def test_the_landing_page_has_the_open_portals_alone(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(help=PUBLIC)
    stranger = Browser(hosted.site)
    for address in ("/", "/servicedesk/customer/portals", "/servicedesk/customer"):
        page = stranger.get(address)
        assert page.status == 200
        assert "IT help" in page.text
        assert "People" not in page.text
        assert page.link("IT help") == "/portal/HELP"
        assert "Sign out" not in page.text
        assert leads_to_login(stranger.get(page.link("Sign in")))
    assert leads_to_login(stranger.get("/servicedesk/customer/user/login?destination=portals"))
    assert "People" in hosted.signed_in(hosted.ann, "HR").get("/").text


def test_without_an_open_portal_the_landing_page_is_the_sign_in_page(make_hosted: MakeHosted) -> None:
    assert Browser(make_hosted().site).get("/").title == "Sign in to Customer portals"


def test_the_native_portals_own_login_address_leads_to_the_login(hosted: HostedSite, stranger: Browser) -> None:
    number = hosted.site.deployment.portals.all[0].id
    assert leads_to_login(stranger.get(f"/servicedesk/customer/portal/{number}/user/login"))
    assert leads_to_login(stranger.get(f"/servicedesk/customer/user/login?destination=portal%2F{number}"))


# What is not -----------------------------------------------------------------------------------


@pytest.mark.parametrize("route", [pytest.param(one, id=f"{one.method} {one.name}") for one in ROUTES if not one.is_for_anybody])
def test_everything_else_asks_for_a_login_and_nothing_of_jsm(hosted: HostedSite, stranger: Browser, route: Any) -> None:
    issue = hosted.request(hosted.ann, "Only of Ann")
    file = hosted.jsm.site.requests.add_comment(issue, hosted.ann, "x", files=[("a.png", b"\x89PNG", "image/png")])
    assert file
    once = "x" * 22
    rest = {
        "form": "create/101",
        "raise_request": "create/101",
        "sending_request": f"sending/{once}",
        "sending_answer": f"{issue.key}/sending/{once}",
        "request": issue.key,
        "attach": f"{issue.key}/attachment",
    }.get(route.name)
    if rest is None:
        rest = f"{issue.key}/{route.name}" + (f"/{issue.attachments[0].id}" if "attachment>" in route.pattern.pattern else "")
    assert route.pattern.fullmatch(rest), "name the address of this route here"
    before = len(hosted.jsm.seen)
    address = f"/portal/HELP/{rest}"

    if route.method == "GET":
        answer = stranger.get(address)
        assert leads_to_login(answer)
        assert stranger.get(address, FETCH).status == 401
    else:
        answer = stranger.post(address, {"text": "x", "f-summary": "spam", "token": "", "owner": "made up"})
        assert answer.status in (303, 401)
        assert answer.status == 401 or leads_to_login(stranger.get(answer.location))
    assert "Only of Ann" not in answer.text
    assert hosted.calls_since(before) == []
    assert [one.summary for one in hosted.jsm.site.requests] == ["Only of Ann"]


def test_the_lists_ask_for_a_login(stranger: Browser) -> None:
    for address in ("/requests", "/servicedesk/customer/user/requests"):
        answer = stranger.get(address)
        assert leads_to_login(answer if address == "/requests" else stranger.get(answer.location))


def test_a_request_s_key_is_asked_for_only_after_the_login_and_only_of_its_own_customer(hosted: HostedSite) -> None:
    issue = hosted.request(hosted.ann, "Only of Ann")
    stranger = Browser(hosted.site)
    assert leads_to_login(stranger.get(f"/portal/HELP/{issue.key}"))
    assert hosted.signed_in(hosted.ben, "HR").get(f"/portal/HELP/{issue.key}").status == 404
    assert hosted.signed_in(hosted.ann, "HR").get(f"/portal/HELP/{issue.key}").status == 200


def test_a_form_of_nobody_keeps_no_draft(hosted: HostedSite, stranger: Browser) -> None:
    address = f"/portal/HELP/create/{type_id(hosted.jsm, 'Get IT help')}"
    ann = hosted.signed_in(hosted.ann, "HR")
    fields = ann.get(address).form("Send request")[1] | {"f-summary": "from another site"}
    crossed = {**OWN_FORM, "Sec-Fetch-Site": "cross-site"}
    assert stranger.request("POST", address, crossed, body=urlencode(fields).encode()).status == 303
    assert "from another site" not in ann.get(address).text
    assert list(hosted.jsm.site.requests) == []


@pytest.mark.parametrize(
    ("rules", "shown"),
    [
        pytest.param({"allow": ["New laptop"]}, {"New laptop"}, id="one alone"),
        pytest.param({"allow": [{"group": "Equipment"}]}, {"New laptop", "Phone and SIM"}, id="a group of types, which is everybody's"),
        pytest.param({"allow": [{"group": "Equipment", "organization": "Acme"}, "Get IT help"]}, {"Get IT help"}, id="for an organization"),
        pytest.param({"allow": [{"organization": "Acme"}]}, set(), id="all of it for an organization"),
        pytest.param(
            {"allow": [{"group": "Equipment"}], "deny": [{"name": "New laptop", "organization": "Globex"}]},
            {"Phone and SIM"},
            id="not for an organization, which they may be in",
        ),
        pytest.param({"deny": [{"organization": "Globex"}]}, set(), id="nothing for an organization, which they may be in"),
    ],
)
def test_what_the_profile_keeps_for_some_is_not_shown(make_hosted: MakeHosted, rules: dict[str, Any], shown: set[str]) -> None:
    hosted = make_hosted(help=PUBLIC | {"request_types": rules})
    page = Browser(hosted.site).get("/portal/HELP")
    assert set(offered(page)) == shown
    assert ("Sign in to see what you can ask for here." in page.text) is (not shown)


@pytest.mark.parametrize("checks", [True, False])
def test_restricted_types_and_those_without_a_group_are_not_shown_and_nobody_s_rights_are_asked(
    hosted: HostedSite, stranger: Browser, checks: bool
) -> None:
    restrict(hosted.jsm, "Acme")
    hosted.jsm.site.checks_type_permissions = checks
    ann = hosted.signed_in(hosted.ann, "HR")
    assert ("Order software" in offered(ann.get("/portal/HELP"))) is checks
    before = len(hosted.jsm.seen)
    shown = offered(stranger.get("/portal/HELP"))
    assert "Get IT help" in shown
    assert not {"Order software", "Internal task"} & set(shown)
    assert "Order software" not in stranger.get("/portal/HELP/search?q=software").text
    asked = {call.path for call in hosted.calls_since(before) if "knowledgebase" not in call.path}
    assert {path.rpartition("/")[2] for path in asked} <= {"requesttype", "requesttypegroup"}
    assert stranger.get(f"/portal/HELP/icon/{type_id(hosted.jsm, 'Order software')}").status == 404
    assert stranger.get(f"/portal/HELP/icon/{type_id(hosted.jsm, 'Internal task')}").status == 404


def test_on_data_center_strangers_see_the_same(make_hosted: MakeHosted) -> None:
    with checked_jsm(accounts=(SERVICE_ACCOUNT,), desks=desks(deployment="Server"), data_center=True) as jsm:
        hosted = make_hosted(help=PUBLIC, jsm=jsm)
        shown = offered(Browser(hosted.site).get("/portal/HELP"))
        assert "Get IT help" in shown
        assert not {"Order software", "Internal task"} & set(shown)


def test_what_says_that_it_is_restricted_is_not_shown_whatever_the_site_makes_of_the_question(hosted: HostedSite) -> None:
    from jsmsso.jsm.requests.open_types import open_type_ids

    to = services_of(hosted.site.application).connect(5.0)
    answer = {
        "isLastPage": True,
        "values": [{"id": "1", "restrictionStatus": "RESTRICTED"}, {"id": "2", "restrictionStatus": "OPEN"}, {"id": "3"}],
    }

    class Answers:
        def get(self, *_: object, **__: object) -> object:
            return answer

    assert to
    assert open_type_ids(Answers(), "1") == {"2", "3"}  # type: ignore[arg-type]


# Sessions --------------------------------------------------------------------------------------


def test_whom_the_rules_keep_out_sees_what_strangers_see_and_is_not_named(hosted: HostedSite) -> None:
    ann = hosted.signed_in(hosted.ann, "HR")
    assert "Sign out" in ann.get("/portal/HELP").text
    hosted.site.reload(access=[{"deny": {"email": "ann@acme.example"}}, {"allow": "everyone"}])
    page = ann.get("/portal/HELP")
    assert "Get IT help" in offered(page)
    assert "ann@acme.example" not in page.text
    assert "Sign out" not in page.text
    refused = ann.get(f"/portal/HELP/create/{type_id(hosted.jsm, 'Get IT help')}")
    assert (refused.status, refused.title) == (403, "This account has no access")


@pytest.fixture
def another_provider() -> Iterator[Provider]:
    with running() as one:
        yield one


def test_a_session_of_another_portal_is_a_stranger_s_here(
    tmp_path: Path, jsm: LocalJsm, provider: Provider, another_provider: Provider
) -> None:
    first = HostedSite(tmp_path / "first", provider, jsm)  # makes the customers and the portals' numbers
    numbers = {one.key: {"id": one.id, "service_desk": one.service_desk} for one in first.site.deployment.portals.all}
    first.site.close()
    portals = [HELP | numbers["HELP"] | PUBLIC | {"provider": "b"}, HR | numbers["HR"] | {"provider": "a"}]
    site = Site(tmp_path / "second", [provider, another_provider], first.site.changed | {"portals": portals})
    (site.folder / "jsm_token").write_text(jsm.account.token)
    try:
        issue = first.request(first.ann, "Only of Ann")
        browser = Browser(site)
        provider.claims |= {"sub": "ann", "email": "ann@acme.example", "name": "Ann Lee"}
        provider.userinfo["sub"] = "ann"
        assert browser.log_in("/portal/HR").status == 303
        assert "ann@acme.example" in browser.get("/portal/HR").text

        page = browser.get("/portal/HELP")
        assert "Get IT help" in offered(page)
        assert "ann@acme.example" not in page.text
        assert query_of(browser.get(page.link("Sign in")).location)["client_id"]
        assert another_provider.issuer in browser.get(f"/portal/HELP/{issue.key}").location
        first.request(first.ann, "For the people of HR", desk="HR")
        listed = browser.get("/requests?state=all").text
        assert "For the people of HR" in listed
        assert "Only of Ann" not in listed
        assert "IT help" in browser.get("/").text
    finally:
        site.close()


def test_a_cookie_that_nobody_sealed_is_a_stranger_s(hosted: HostedSite, stranger: Browser) -> None:
    stranger.cookies["__Host-jsmsso"] = "made-up"
    assert "Sign out" not in stranger.get("/portal/HELP").text
    assert leads_to_login(stranger.get("/requests"))


def test_a_session_that_ended_leaves_the_page_of_strangers(hosted: HostedSite) -> None:
    ann = hosted.signed_in(hosted.ann, "HR")
    hosted.site.clock.advance(9 * 3600)
    page = ann.get("/portal/HELP")
    assert "Get IT help" in offered(page)
    assert "ann@acme.example" not in page.text


# Caches ----------------------------------------------------------------------------------------


def test_no_cache_keeps_a_page_for_anybody_else(hosted: HostedSite, stranger: Browser) -> None:
    ann = hosted.signed_in(hosted.ann, "HR")
    for browser in (stranger, ann):
        for address in ("/", "/portal/HELP", "/portal/HELP/search?q=monitor", "/portal/HELP/search?part=articles&q=monitor"):
            assert browser.get(address).header("Cache-Control") == "no-store"
        icon = browser.get(f"/portal/HELP/icon/{type_id(hosted.jsm, 'Get IT help')}")
        assert icon.header("Cache-Control") in ("no-store", "private, max-age=86400")
        assert icon.status in (200, 302)


def test_strangers_are_shown_what_is_known_already(hosted: HostedSite, stranger: Browser) -> None:
    def look() -> None:
        for address in ("/portal/HELP", "/portal/HELP/search?q=Monitor", "/portal/HELP/search?q=monitor%20"):
            page = stranger.get(address)
            assert page.status == 200
        stranger.get(page.link("A monitor that flickers"))
        stranger.get(f"/portal/HELP/icon/{type_id(hosted.jsm, 'Get IT help')}")

    look()
    before = len(hosted.jsm.seen)
    look()
    assert hosted.calls_since(before) == []
    hosted.site.clock.advance(301)
    look()
    assert hosted.calls_since(before)


# Brakes ----------------------------------------------------------------------------------------


def searches(hosted: HostedSite, since: int) -> int:
    return len([call for call in hosted.calls_since(since) if "knowledgebase" in call.path])


def test_an_address_may_ask_jsm_so_often_and_others_still_may(
    hosted: HostedSite, stranger: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strangers, "QUESTIONS_A_MINUTE", 6)
    hosted.site.reload()
    stranger.get("/portal/HELP")
    before = len(hosted.jsm.seen)
    for number in range(10):
        page = stranger.get(f"/portal/HELP/search?q=laptop+{number}")
        assert page.status == 200
    spent = searches(hosted, before)
    assert spent == 4  # six questions, two of them for the request types
    elsewhere = {"REMOTE_ADDR": "198.51.100.9"}
    stranger.get("/portal/HELP/search?q=laptop+x", environ=elsewhere)
    assert searches(hosted, before) == spent + 1
    (line,) = hosted.site.events("strangers.limited")
    assert (line["who"], line["portal"], line["client"]) == ("address", "HELP", "192.0.2.7")
    hosted.site.clock.advance(60)
    stranger.get("/portal/HELP/search?q=laptop+y")
    assert searches(hosted, before) == spent + 2


def test_the_address_is_the_client_s_own_behind_a_proxy_that_is_trusted(make_hosted: MakeHosted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "QUESTIONS_A_MINUTE", 3)
    hosted = make_hosted(help=OPEN, trusted_proxies=["192.0.2.7"])
    stranger = Browser(hosted.site)
    asked = []
    for number, client in enumerate(("203.0.113.1", "203.0.113.1", "203.0.113.1", "203.0.113.2", "9.9.9.9, 203.0.113.1")):
        before = len(hosted.jsm.seen)
        stranger.get(f"/portal/HELP/search?q=laptop+{number}", {**stranger.headers, "X-Forwarded-For": client})
        asked.append(searches(hosted, before))
    assert asked == [1, 0, 0, 1, 0]


def test_all_strangers_together_have_a_budget_and_customers_another(hosted: HostedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "ALL_QUESTIONS_A_MINUTE", 5)
    hosted.site.reload()
    stranger = Browser(hosted.site)
    before = len(hosted.jsm.seen)
    for number in range(9):
        stranger.get(f"/portal/HELP/search?q=laptop+{number}", environ={"REMOTE_ADDR": f"198.51.100.{number}"})
    assert searches(hosted, before) == 3
    ann = hosted.signed_in(hosted.ann, "HR")
    ann.get("/portal/HELP/search?q=laptop+0")
    assert searches(hosted, before) == 4


def test_a_few_busy_addresses_leave_something_of_the_common_budget_to_newcomers(
    hosted: HostedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strangers, "QUESTIONS_A_MINUTE", 10)
    monkeypatch.setattr(strangers, "ALL_QUESTIONS_A_MINUTE", 40)
    hosted.site.reload()
    stranger = Browser(hosted.site)

    def search(words: str, address: str) -> int:
        before = len(hosted.jsm.seen)
        assert stranger.get(f"/portal/HELP/search?q={words}", environ={"REMOTE_ADDR": address}).status == 200
        return searches(hosted, before)

    busy = sum(search(f"w{number}-{host}", f"198.51.100.{host}") for number in range(12) for host in range(8))
    assert 20 <= busy < 38, "more than half, and never all"
    assert search("newcomer", "203.0.113.1") == 1
    assert search("w99", "198.51.100.1") == 0
    assert {line["who"] for line in hosted.site.events("strangers.limited")} <= {"address", "strangers"}
    hosted.site.clock.advance(60)
    assert search("w100", "198.51.100.1") == 1


def test_where_nothing_is_known_the_page_says_to_wait(hosted: HostedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "QUESTIONS_A_MINUTE", 0)
    hosted.site.reload()
    page = Browser(hosted.site).get("/portal/HELP")
    assert (page.status, page.title, page.header("Retry-After")) == (429, "That was a lot at once", "5")
    assert hosted.site.log[-1]["reason"] == "too_many_pages"
    assert hosted.site.log[-1]["client"] == "192.0.2.7"


def test_strangers_never_take_all_threads(hosted: HostedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "AT_ONCE", 1)
    hosted.site.reload()
    pages = services_of(hosted.site.application).strangers
    with pages._brake._threads:
        assert Browser(hosted.site).get("/portal/HELP").status == 429
    assert Browser(hosted.site).get("/portal/HELP").status == 200


def test_while_jsm_is_down_strangers_see_what_was_known_and_else_a_page_that_says_so(hosted: HostedSite, stranger: Browser) -> None:
    hosted.jsm.break_with(Fault("status", "/rest/", status=503))
    down = stranger.get("/portal/HELP")
    assert (down.status, down.title) == (502, "IT help does not answer")
    hosted.jsm.faults.clear()
    hosted.site.clock.advance(60)
    assert "Get IT help" in offered(stranger.get("/portal/HELP"))
    hosted.site.clock.advance(400)
    hosted.jsm.break_with(Fault("status", "/rest/", status=503))
    page = stranger.get("/portal/HELP")
    assert "Get IT help" in offered(page)
    assert "some minutes old" in page.text
    hosted.jsm.faults.clear()


def test_a_portal_that_is_not_public_is_as_closed_as_ever(hosted: HostedSite, stranger: Browser) -> None:
    for rest in ("", "/search?q=x", "/icon/101", "/article/1?of=x"):
        assert leads_to_login(stranger.get(f"/portal/HR{rest}"))


def test_a_public_portal_that_is_hosted_opens_nothing_of_the_native_one() -> None:
    from jsmsso.profile.model import Portal

    one = Portal.model_validate(portal("3", "HELP", "IT", mode="hosted", visibility="public"))
    assert (one.is_shown_to_strangers, one.leads_strangers_on) == (True, False)
