"""Ways in which a customer might get at what is not theirs. Each of them ends at the same page as a typing error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from jsmsso.portal.routes import ROUTES, Route
from jsmsso.sandbox.jsm_field_kinds import EVERY_KIND
from jsmsso.sandbox.jsm_requests import LocalIssue
from jsmsso.sandbox.local_jsm import Seen
from tests.jsm.checked_site import checked_jsm
from tests.portal.conftest import MakeHosted
from tests.portal.desks import desks, type_id
from tests.portal.hosted_site import SERVICE_ACCOUNT, HostedSite, form_at, send, token_for
from tests.runtime.site import OWN_FORM, Answer, Browser

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
SHARE = next(route for route in ROUTES if route.name == "share")
ABOUT_REQUESTS = [route for route in ROUTES if route.about == "request"]
SECRET = "the secret of somebody else"

# What is asked before it is known whether somebody may see a request: facts of it, and their organizations.
LOOKS = (
    "/rest/api/3/issue/",
    "/rest/servicedeskapi/organization",
    "/rest/api/3/field",
    "/rest/api/3/user/search",
    "/rest/api/2/serverInfo",
)


def address_of(route: Route, key: str, attachment: str = "1") -> str:
    """An address of this route that names a request."""
    for rest in (
        "",
        "/updates",
        "/comment",
        "/attachment",
        "/transition",
        "/share",
        f"/attachment/{attachment}",
        f"/thumbnail/{attachment}",
        "/sending/some-key",
    ):
        if route.pattern.fullmatch(key + rest):
            return key + rest
    raise AssertionError(f"no address is known of the route {route.name}: add one here")


def tried(hosted: HostedSite, browser: Browser, route: Route, rest: str, *, portal: str = "HELP", **fields: str) -> Answer:
    """The route asked as a page of ours would ask it, with a token that is good for this session."""
    address = f"/portal/{portal}/{rest}"
    if route.method == "GET":
        return browser.get(address)
    fields = fields or {"text": "x", "transition": "51", "organization": "1", "address": "a@b.example"}
    fields["token"] = token_for(hosted, browser, rest, portal)
    return browser.request("POST", address, OWN_FORM, body=urlencode(fields).encode())


def loads_anything(calls: list[Seen]) -> list[str]:
    """The calls that asked for more than whether somebody may see it."""
    return [
        f"{one.method} {one.path}" for one in calls if not one.path.startswith(LOOKS) or "comment" in one.path or "attachment" in one.path
    ]


def asks_only_for_facts(calls: list[Seen]) -> bool:
    """Whether no issue was asked for with more than its facts."""
    return all("comment" not in value and "attachment" not in value and name != "expand" for one in calls for name, value in one.query)


def whole(hosted: HostedSite, **more: Any) -> LocalIssue:
    """Ann's request with everything that could leak."""
    issue = hosted.request(hosted.ann, SECRET, description=SECRET, **more)
    requests = hosted.jsm.site.requests
    requests.add_comment(issue, hosted.agent, SECRET, files=[("public.png", PNG, "image/png")])
    requests.add_comment(
        issue, hosted.agent, f"internal {SECRET}", public=False, files=[("internal.png", PNG + SECRET.encode(), "image/png")]
    )
    return issue


@pytest.mark.parametrize("route", [pytest.param(one, id=f"{one.method} {one.name}") for one in ABOUT_REQUESTS])
def test_another_customer_s_request_is_not_there_and_nothing_of_it_is_loaded(make_hosted: MakeHosted, route: Route) -> None:
    hosted = make_hosted(
        help={"sharing": "typed_addresses", "customer_transitions": ["Resolve this issue"], "show_sla": ["Time to resolution"]}
    )
    issue = whole(hosted)
    before = (issue.status, len(issue.comments), len(issue.attachments), list(issue.participants), list(issue.organizations))
    browser = hosted.signed_in(hosted.ben)
    number = len(hosted.jsm.seen)

    answer = tried(hosted, browser, route, address_of(route, issue.key, issue.attachments[0].id))

    assert (answer.status, SECRET in answer.text) == (404, False)
    calls = hosted.calls_since(number)
    assert loads_anything(calls) == []
    assert asks_only_for_facts(calls)
    assert before == (issue.status, len(issue.comments), len(issue.attachments), list(issue.participants), list(issue.organizations))
    assert [line["request"] for line in hosted.audit("access.denied")] == [issue.key]


def test_the_routes_that_name_a_request_are_those() -> None:
    """Whoever adds one is led here: it must be looked at before it is answered."""
    assert {route.name for route in ABOUT_REQUESTS} == {
        "request", "updates", "comment", "attach", "transition", "share", "sending_answer", "attachment", "thumbnail"
    }  # fmt: skip
    assert not [
        route.name for route in ROUTES if route.about == "portal" and {"key", "attachment", "comment"} & set(route.pattern.groupindex)
    ]


Attempt = Callable[[HostedSite, LocalIssue, LocalIssue], str]


@pytest.mark.parametrize(
    "address",
    [
        pytest.param(lambda h, m, o: f"/portal/HELP/{o.key}", id="another's key"),
        pytest.param(lambda h, m, o: f"/portal/HR/{m.key}", id="own key at another portal"),
        pytest.param(lambda h, m, o: f"/portal/2/{m.key}", id="own key at another portal's number"),
        pytest.param(lambda h, m, o: f"/portal/HR/{o.key}", id="another's key at another portal"),
        pytest.param(lambda h, m, o: f"/portal/HELP/{h.request(h.ben, 'mine too', desk='FAC').key}", id="a project that is no portal here"),
        pytest.param(lambda h, m, o: f"/portal/FAC/{h.request(h.ben, 'x', desk='FAC').key}", id="a portal that is not in the profile"),
        pytest.param(lambda h, m, o: f"/portal/HELP/{o.id}", id="its number"),
        pytest.param(lambda h, m, o: f"/portal/HELP/{o.key.lower()}", id="lower case"),
        pytest.param(lambda h, m, o: f"/portal/HELP/{m.key}/../{o.key}", id="dots"),
        pytest.param(lambda h, m, o: f"/portal/HELP/{m.key}/%2e%2e/{o.key}", id="dots, encoded"),
        pytest.param(lambda h, m, o: f"/portal/HELP/{m.key}%2f..%2f{o.key}", id="slashes, encoded"),
        pytest.param(lambda h, m, o: f"/portal/HELP/{m.key}%252f..%252f{o.key}", id="encoded twice"),
        pytest.param(lambda h, m, o: f"/portal/HELP/{m.key};/{o.key}", id="a parameter in the path"),
        pytest.param(lambda h, m, o: f"/portal/HELP/{m.key}\\..\\{o.key}", id="backslashes"),
        pytest.param(lambda h, m, o: f"/portal/HELP/{m.key}%00{o.key}", id="a null"),
        pytest.param(lambda h, m, o: f"/portal/HELP/{m.key}%0a", id="a line end"),
        pytest.param(lambda h, m, o: f"/portal/HELP/{m.key},{o.key}", id="two keys"),
        pytest.param(lambda h, m, o: f"/portal/HELP/HELP-0{m.key.split('-')[1]}", id="a zero before the number"),
        pytest.param(lambda h, m, o: "/portal/HELP/HELP-\uff11", id="other digits"),
        pytest.param(lambda h, m, o: f"/portal/HELP/{o.key}/comment/{o.comments[1].id}", id="an internal comment"),
        pytest.param(lambda h, m, o: f"/portal/HELP/{m.key}/comment/{o.comments[0].id}", id="another's comment at one's own"),
        pytest.param(lambda h, m, o: f"/portal/HELP/{m.key}/attachment/{o.attachments[0].id}", id="another's file at one's own"),
        pytest.param(lambda h, m, o: f"/portal/HELP/{m.key}/attachment/{o.attachments[1].id}", id="an internal file of another's"),
        pytest.param(lambda h, m, o: f"/portal/HELP/{m.key}/thumbnail/{o.attachments[0].id}", id="another's picture"),
        pytest.param(lambda h, m, o: f"/portal/HELP/{m.key}/attachment/{m.attachments[1].id}", id="one's own request's internal file"),
        pytest.param(lambda h, m, o: f"/portal/HELP/{m.key}/thumbnail/{m.attachments[1].id}", id="its picture"),
        pytest.param(lambda h, m, o: f"/portal/HELP/{m.key}/attachment/{m.attachments[1].id}/", id="with a slash"),
        pytest.param(lambda h, m, o: f"/portal/HELP/{m.key}/attachment/0{m.attachments[0].id}", id="a file's number with a zero"),
        pytest.param(lambda h, m, o: f"/portal/1/{m.key}/attachment/{m.attachments[1].id}", id="by the portal's number"),
        pytest.param(lambda h, m, o: f"/servicedesk/customer/portal/1/{o.key}", id="another's key on a native path"),
        pytest.param(lambda h, m, o: f"/servicedesk/customer/portal/2/{m.key}", id="another portal on a native path"),
        pytest.param(
            lambda h, m, o: f"/servicedesk/customer/portal/1/{m.key}/attachment/{m.attachments[1].id}",
            id="an internal file on a native path",
        ),
        pytest.param(lambda h, m, o: f"/servicedesk/customer/user/login?destination=portal%2F1%2F{o.key}", id="the native login"),
        pytest.param(lambda h, m, o: "/portal/HELP/create/1/../../HELP-1", id="through the form"),
    ],
)  # fmt: skip
def test_attempts_end_at_nothing(hosted: HostedSite, address: Attempt) -> None:
    other = whole(hosted)
    mine = hosted.request(hosted.ben, "mine")
    requests = hosted.jsm.site.requests
    requests.add_comment(mine, hosted.agent, "public", files=[("a.png", PNG, "image/png")])
    requests.add_comment(mine, hosted.agent, SECRET, public=False, files=[("b.png", PNG + SECRET.encode(), "image/png")])
    browser = hosted.signed_in(hosted.ben)
    assert browser.get(f"/portal/HELP/{mine.key}").status == 200
    number = len(hosted.jsm.seen)

    answer = browser.get(address(hosted, mine, other))

    assert answer.status == 404, answer.text
    assert SECRET.encode() not in answer.body
    assert not [one.path for one in hosted.calls_since(number) if "content" in one.path or "thumbnail" in one.path]


def test_a_request_that_moved_away_is_not_shown_under_its_old_key_nor_at_its_old_portal(hosted: HostedSite) -> None:
    issue = hosted.request(hosted.ben, SECRET)
    old, new = issue.key, hosted.jsm.site.requests.move(issue, "HR", "10200")
    browser = hosted.signed_in(hosted.ben)
    for address in (f"/portal/HELP/{old}", f"/portal/HELP/{new}", f"/portal/HR/{old}"):
        page = browser.get(address)
        assert (page.status, SECRET in page.text) == (404, False), address


def test_a_request_that_came_back_is_not_shown_under_the_key_that_it_had(hosted: HostedSite) -> None:
    issue = hosted.request(hosted.ben, "mine")
    old = issue.key
    hosted.jsm.site.requests.move(issue, "HR", "200")
    new = hosted.jsm.site.requests.move(issue, "HELP", "100")
    browser = hosted.signed_in(hosted.ben)
    assert (browser.get(f"/portal/HELP/{old}").status, browser.get(f"/portal/HELP/{new}").status) == (404, 200)


def test_a_moved_request_that_is_no_request_any_more_is_gone(hosted: HostedSite) -> None:
    issue = hosted.request(hosted.ben, SECRET)
    key = hosted.jsm.site.requests.move(issue, "HR")
    assert hosted.signed_in(hosted.ben).get(f"/portal/HR/{key}").status == 404


def test_a_portal_that_the_rules_close_shows_nothing_to_those_who_reported_there(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(help={"access": [{"allow": {"email_domain": ["acme.example"]}}]})
    issue = hosted.request(hosted.ben, SECRET)
    page = hosted.signed_in(hosted.ben, at="HR").get(f"/portal/HELP/{issue.key}")
    assert (page.status, SECRET in page.text) == (403, False)


@pytest.mark.parametrize("route", [pytest.param(one, id=one.name) for one in ABOUT_REQUESTS if one.method == "POST"])
@pytest.mark.parametrize("token", ["", "another form", "another session"])
def test_forms_need_a_token_of_their_own(hosted: HostedSite, route: Route, token: str) -> None:
    issue = hosted.request(hosted.ben)
    browser = hosted.signed_in(hosted.ben)
    rest = address_of(route, issue.key)
    given = {
        "": "",
        "another form": token_for(hosted, browser, f"{issue.key}/elsewhere", "HELP"),
        "another session": token_for(hosted, hosted.signed_in(hosted.ann), rest, "HELP"),
    }[token]
    number = len(hosted.jsm.seen)
    answer = browser.post(f"/portal/HELP/{rest}", {"token": given, "text": "x", "transition": "51", "organization": "2"})
    assert answer.status == 403
    assert hosted.calls_since(number) == []


def test_other_pages_cannot_send_our_forms(hosted: HostedSite) -> None:
    issue = hosted.request(hosted.ben)
    browser = hosted.signed_in(hosted.ben)
    page = browser.get(f"/portal/HELP/{issue.key}")
    for site in ("cross-site", "same-site", "none"):
        fields = form_at(page, f"{issue.key}/comment") | {"text": "x"}
        answer = browser.post(f"/portal/HELP/{issue.key}/comment", fields, {**OWN_FORM, "Sec-Fetch-Site": site})
        assert answer.status == 403
    assert issue.comments == []


def test_nobody_without_a_session_gets_anything(hosted: HostedSite) -> None:
    issue = whole(hosted)
    stranger = Browser(hosted.site)
    number = len(hosted.jsm.seen)
    for route in ABOUT_REQUESTS:
        address = f"/portal/HELP/{address_of(route, issue.key, issue.attachments[0].id)}"
        answer = stranger.get(address) if route.method == "GET" else stranger.post(address, {"text": "x"})
        assert (
            (answer.status, answer.location) == (303, f"/portal/HELP/{issue.key}")
            if route.method == "POST"
            else answer.status in (302, 401)
        )
        assert SECRET not in answer.text
    assert hosted.calls_since(number) == []


def test_the_service_account_never_rates_subscribes_or_approves(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(
        help={
            "customer_transitions": ["Resolve this issue"],
            "show_sla": ["Time to resolution"],
            "on_customer_comment": {"transition": "Start progress"},
        }
    )
    issue = hosted.request(hosted.ann, approvers=[hosted.ann], participants=[hosted.ben], organizations=["Acme"])
    browser = hosted.signed_in(hosted.ann)
    here = f"/portal/HELP/{issue.key}"
    page = browser.get(here)
    assert "Approve, rate, or stop mails with the links in the emails that Atlassian sends you." in page.text
    assert send(browser, page, f"{here}/comment", {"text": "Hello"}).status == 303
    assert browser.get(f"{here}/updates?after=0").status == 200
    assert send(browser, browser.get(here), f"{here}/transition", {"transition": "51"}).status == 303
    assert send(browser, browser.get(f"/portal/HELP/{issue.key}"), f"{here}/comment", {"text": "Thanks"}).status == 303
    assert hosted.jsm.site.answered_for_the_caller == []
    assert not [one.path for one in hosted.jsm.seen if any(word in one.path for word in ("/feedback", "/notification", "/approval"))]


def test_what_a_request_type_sets_by_itself_is_not_shown(make_hosted: MakeHosted) -> None:
    with checked_jsm(accounts=(SERVICE_ACCOUNT,), desks=desks()) as jsm:
        hosted = make_hosted(jsm=jsm)
        kind = type_id(jsm, "Everything at once")
        hidden = next(one for one in EVERY_KIND.fields if not one.visible)
        number = next(one for one in EVERY_KIND.fields if one.name == "Number")
        issue = hosted.request(hosted.ann, "Mine", request_type=kind, values={hidden.id: SECRET, number.id: 4711})
        page = hosted.signed_in(hosted.ann).get(f"/portal/HELP/{issue.key}")
    assert page.status == 200
    assert "4711" in page.text
    assert SECRET not in page.text
    assert hidden.name not in page.text


def test_sharing_with_an_organization_again_and_again_meets_the_brake_of_comments(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(limits={"comments_per_hour": 2})
    acme = next(one.id for one in hosted.jsm.site.organizations.values() if one.name == "Acme")
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    answers = []
    for _ in range(3):
        answers.append(tried(hosted, browser, SHARE, f"{issue.key}/share", organization=acme).status)
        tried(hosted, browser, SHARE, f"{issue.key}/share", remove=f"organization:{acme}")
    assert answers == [303, 303, 429]
    assert issue.organizations == []
