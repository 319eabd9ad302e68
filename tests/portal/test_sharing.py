"""Sharing: nothing to be read from the time that it takes, and Data Center's organizations, which have to be looked for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from jsmsso.portal.sharing import LOOK, LOOKED_THROUGH
from jsmsso.portal.steps import in_whole_steps
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import checked_jsm
from tests.portal.conftest import MakeHosted
from tests.portal.hosted_site import SERVICE_ACCOUNT, HostedSite, send, token_for
from tests.portal.test_request import at, shared_with

# How long it takes --------------------------------------------------------------------------------


@pytest.mark.parametrize("taken, paused", [(0.0, 0.0), (0.3, 1.7), (1.9, 0.1), (2.0, 0.0), (2.5, 1.5), (9.9, 0.1)])
def test_whatever_is_done_lasts_whole_steps_also_where_it_fails(taken: float, paused: float) -> None:
    for error in (None, ValueError):
        pauses: list[float] = []
        try:
            with in_whole_steps(2.0, iter((100.0, 100.0 + taken)).__next__, pauses.append):
                if error is not None:
                    raise error
        except ValueError:
            pass
        assert pauses == [pytest.approx(paused)]


def test_known_and_unknown_addresses_wait_for_the_same_step_when_added_and_when_removed(
    make_hosted: MakeHosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Adding and removing somebody costs a call more than asking for nobody."""
    hosted = make_hosted(help={"sharing": "typed_addresses"})
    hosted.jsm.site.add_customer("hidden@acme.example", "Hidden", hidden=True)
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    pauses: list[float] = []
    monkeypatch.setattr("jsmsso.portal.sharing.STEP_SECONDS", 600.0)
    monkeypatch.setattr("jsmsso.portal.sharing.in_whole_steps", partial(in_whole_steps, pause=pauses.append))
    for email in ("ben@globex.example", "nobody@acme.example", "hidden@acme.example"):
        for form in ({"address": email}, {"remove": email}):
            assert send(browser, browser.get(at(issue)), at(issue, "/share"), form).status == 303
    assert len(pauses) == 6
    assert all(500.0 < pause < 600.0 for pause in pauses), "what is left of the step"
    assert issue.participants == []


# Data Center --------------------------------------------------------------------------------------


@pytest.fixture
def data_center() -> Iterator[LocalJsm]:
    with checked_jsm(accounts=(SERVICE_ACCOUNT,), data_center=True) as one:
        yield one


@pytest.fixture
def server(make_hosted: MakeHosted, data_center: LocalJsm) -> HostedSite:
    """Ann is in Acme, Ben in Globex, and both are on the desk."""
    hosted = make_hosted(jsm=data_center)
    for name in ("Acme", "Globex"):
        data_center.site.add_organization(name, desks=("HELP",))
    return hosted


def organization(hosted: HostedSite, name: str) -> str:
    found = hosted.jsm.site.organization(name)
    assert found is not None
    return found.id


def test_on_data_center_own_organizations_are_offered_once_they_are_asked_for(server: HostedSite) -> None:
    issue = server.request(server.ann)
    browser = server.signed_in(server.ann)
    before = len(server.jsm.seen)
    page = browser.get(at(issue))
    assert not [one.path for one in server.calls_since(before) if "/organization" in one.path], "a page alone looks nobody up"
    assert page.link("Share with an organization of yours") == f"{at(issue)}?{LOOK}"
    asked = browser.get(f"{at(issue)}?{LOOK}")
    assert "Share with Acme" in asked.text
    assert "Globex" not in asked.text
    done = send(browser, asked, at(issue, "/share"), {"organization": organization(server, "Acme")})
    assert issue.organizations == [organization(server, "Acme")]
    page = browser.get(done.location)
    assert shared_with(page) == ["Acme"], "its name is known of whoever shared it"
    colleague = server.signed_in(server.customer("cy@acme.example", "Cy", "Acme"))
    assert shared_with(colleague.get(at(issue))) == ["Another organization"]
    send(browser, page, at(issue, "/share"), {"remove": f"organization:{organization(server, 'Acme')}"})
    assert (issue.organizations, colleague.get(at(issue)).status) == ([], 404)


def test_on_data_center_no_other_organization_can_be_chosen_and_none_that_was_left(server: HostedSite) -> None:
    issue = server.request(server.ann)
    browser = server.signed_in(server.ann)
    page = browser.get(f"{at(issue)}?{LOOK}")
    elsewhere = server.jsm.site.add_organization("Elsewhere")
    elsewhere.members.add(server.ann.id)
    for one in (organization(server, "Globex"), elsewhere.id, "999", "x", "../1"):
        answer = send(browser, page, at(issue, "/share"), {"organization": one})
        assert (answer.status, answer.location) == (303, f"{at(issue)}?done=shared")
    acme = server.jsm.site.organization("Acme")
    assert acme is not None
    acme.members.discard(server.ann.id)
    send(browser, page, at(issue, "/share"), {"organization": acme.id})
    assert issue.organizations == []
    assert "There is no organization of yours to share it with." in browser.get(f"{at(issue)}?{LOOK}").text


def test_a_desk_with_too_many_organizations_is_not_looked_through(server: HostedSite) -> None:
    for number in range(LOOKED_THROUGH):
        server.jsm.site.add_organization(f"Organization {number}", desks=("HELP",))
    issue = server.request(server.ann)
    browser = server.signed_in(server.ann)
    before = len(server.jsm.seen)
    assert "There is no organization of yours to share it with." in browser.get(f"{at(issue)}?{LOOK}").text
    assert not [one.path for one in server.calls_since(before) if "/organization/" in one.path]


@pytest.mark.parametrize("sharing", ["none", "own_organizations"])
def test_the_profile_says_whether_it_is_offered(make_hosted: MakeHosted, data_center: LocalJsm, sharing: str) -> None:
    hosted = make_hosted(jsm=data_center, help={"sharing": sharing})
    acme = data_center.site.add_organization("Acme", desks=("HELP",))
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    for address in (at(issue), f"{at(issue)}?{LOOK}"):
        assert ("Share with" in browser.get(address).text) is (sharing != "none")
    token = token_for(hosted, browser, f"{issue.key}/share", "HELP")
    browser.post(at(issue, "/share"), {"token": token, "organization": acme.id})
    assert bool(issue.organizations) is (sharing != "none")


def test_on_cloud_nothing_has_to_be_looked_for(hosted: HostedSite) -> None:
    issue = hosted.request(hosted.ann)
    page = hosted.signed_in(hosted.ann).get(at(issue))
    assert "Share with an organization of yours" not in page.text
    assert "Share with Acme" in page.text
