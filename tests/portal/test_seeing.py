"""Who may see a request. One function decides; the pages show what it decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from jsmsso.jsm.requests.issues import IssueFacts
from jsmsso.portal.seeing import may_see
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_requests import LocalIssue
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import checked_jsm
from tests.portal.conftest import MakeHosted
from tests.portal.hosted_site import SERVICE_ACCOUNT, HostedSite

NOW = datetime(2026, 11, 23, tzinfo=UTC)
NOBODYS = IssueFacts(
    id="1", key="HELP-1", project_key="HELP", project_id="1", summary="", status="", status_category="", created=NOW, updated=NOW,
    reporter_id="r", participant_ids=frozenset({"p"}), organization_ids=frozenset({"o"}), approver_ids=frozenset({"a"}),
    request_type_id="5",
)  # fmt: skip


@pytest.mark.parametrize(
    "account, organizations, may",
    [
        pytest.param("r", (), True, id="reporter"),
        pytest.param("p", (), True, id="participant"),
        pytest.param("a", (), True, id="approver"),
        pytest.param("x", ("o",), True, id="member"),
        pytest.param("x", ("o2", "1", "r"), False, id="of other organizations"),
        pytest.param("R", (), False, id="another id"),
        pytest.param("o", (), False, id="an organization's id"),
        pytest.param("", ("o",), False, id="nobody"),
    ],
)
def test_who_may_see_it(account: str, organizations: tuple[str, ...], may: bool) -> None:
    assert may_see(NOBODYS, account, organizations) is may


def test_an_issue_that_is_no_request_is_nobody_s() -> None:
    assert not may_see(replace(NOBODYS, request_type_id=""), "r", ("o",))


def test_a_request_without_a_reporter_is_not_everybody_s() -> None:
    assert not may_see(replace(NOBODYS, reporter_id=""), "", ())


@pytest.fixture(params=["Cloud", "Data Center"])
def either(request: pytest.FixtureRequest, make_hosted: MakeHosted) -> Iterator[HostedSite]:
    with checked_jsm(accounts=(SERVICE_ACCOUNT,), data_center=request.param == "Data Center") as jsm:
        yield make_hosted(jsm=jsm)


@pytest.mark.parametrize(
    "shared",
    [
        pytest.param(lambda hosted: hosted.request(hosted.ben), id="own"),
        pytest.param(lambda hosted: hosted.request(hosted.ann, participants=[hosted.ben]), id="participant"),
        pytest.param(lambda hosted: hosted.request(hosted.ann, approvers=[hosted.ben]), id="approver"),
        pytest.param(lambda hosted: hosted.request(hosted.ann, organizations=["Globex"]), id="organization"),
    ],
)
def test_customers_see_what_is_shared_with_them(either: HostedSite, shared: Callable[[HostedSite], LocalIssue]) -> None:
    page = either.signed_in(either.ben).get(f"/portal/HELP/{shared(either).key}")
    assert (page.status, page.title) == (200, "Monitor flickers")


def test_customers_do_not_see_what_is_not(either: HostedSite) -> None:
    issue = either.request(either.ann, "Secret plans", organizations=["Acme"])
    browser = either.signed_in(either.ben)
    page = browser.get(f"/portal/HELP/{issue.key}")
    assert (page.status, "Secret" in page.text) == (404, False)


def test_whoever_left_an_organization_sees_it_no_longer_at_once(hosted: HostedSite) -> None:
    issue = hosted.request(hosted.ann, organizations=["Globex"])
    browser = hosted.signed_in(hosted.ben)
    assert browser.get(f"/portal/HELP/{issue.key}").status == 200
    globex = hosted.jsm.site.organization("Globex")
    assert globex is not None
    globex.members.remove(hosted.ben.id)
    assert browser.get(f"/portal/HELP/{issue.key}").status == 404


def test_a_request_that_is_no_longer_shared_is_gone_at_once(hosted: HostedSite) -> None:
    issue = hosted.request(hosted.ann, participants=[hosted.ben], organizations=["Globex"])
    browser = hosted.signed_in(hosted.ben)
    assert browser.get(f"/portal/HELP/{issue.key}").status == 200
    issue.participants.clear()
    assert browser.get(f"/portal/HELP/{issue.key}").status == 200
    issue.organizations.clear()
    assert browser.get(f"/portal/HELP/{issue.key}").status == 404


def test_unknown_and_forbidden_look_alike(hosted: HostedSite) -> None:
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ben)
    forbidden, unknown = browser.get(f"/portal/HELP/{issue.key}"), browser.get("/portal/HELP/HELP-99")
    assert (forbidden.status, unknown.status) == (404, 404)
    assert forbidden.text.replace(forbidden.reference, "") == unknown.text.replace(unknown.reference, "")
    assert [line["request"] for line in hosted.audit("access.denied")] == [issue.key, "HELP-99"]


@pytest.mark.parametrize("address", ["/portal/{portal}/{key}", "/portal/1/{key}", "/servicedesk/customer/portal/1/{key}"])
def test_every_way_to_a_request_lands_on_it(hosted: HostedSite, address: str) -> None:
    issue = hosted.request(hosted.ann)
    page = hosted.signed_in(hosted.ann).get(address.format(portal="HELP", key=issue.key))
    assert (page.status, page.title) == (200, "Monitor flickers")


def test_a_mail_s_link_leads_to_the_request_through_the_login(hosted: HostedSite) -> None:
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    browser.cookies.clear()
    back = browser.log_in(f"/servicedesk/customer/portal/1/{issue.key}?token=a.secret.jwt&sda_source=notification-email")
    assert back.location == f"/portal/1/{issue.key}"
    assert browser.get(back.location).title == "Monitor flickers"


def test_while_jsm_does_not_say_who_may_see_it_nobody_does(hosted: HostedSite, jsm: LocalJsm) -> None:
    issue = hosted.request(hosted.ann, "Secret plans")
    assert hosted.signed_in(hosted.ann).get(f"/portal/HELP/{issue.key}").status == 200
    browser = hosted.signed_in(hosted.ann)
    for path in ("/rest/api/3/issue/", "/rest/servicedeskapi/organization"):
        jsm.break_with(Fault("status", status=500, path=path))
        page = browser.get(f"/portal/HELP/{issue.key}")
        assert (page.status, "Secret" in page.text) == (502, False)
        jsm.faults.clear()
