from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_site import LocalAccount, LocalDesk
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.at_a_terminal import at_a_terminal, rest_of
from tests.jsm.checked_site import checked_jsm
from tests.services.home import Home, Ran

SERVICE_DESKS = "/rest/servicedeskapi/servicedesk"
REQUEST_TYPES = "/rest/servicedeskapi/requesttype"


@pytest.fixture
def site() -> Iterator[LocalJsm]:
    with checked_jsm() as running:
        yield running


@pytest.fixture
def sync(jsmsso_home: Home, jsmsso: Callable[..., Ran]) -> Callable[..., Ran]:
    """``sync(site, "--check")`` with a profile that knows the site, unless there is one already."""

    def run(site: LocalJsm, *more: str) -> Ran:
        prepare(jsmsso_home, site)
        return jsmsso("portals", "sync", *more, env={"TOKEN": site.account.token})

    return run


def prepare(home: Home, site: LocalJsm, portals: str = "") -> None:
    if not home.profile.exists():
        email = f"  email: {site.account.email}\n" if site.site.deployment == "Cloud" else ""
        home.profile.write_text(
            f"version: 1\npublic_url: https://sso.acme.com\njsm:   # the bot\n  url: {site.url}\n{email}  api_token: env:TOKEN\n{portals}"
        )


def lines_of(text: str) -> str:
    """What is printed, without the spaces that fill a table's last column."""
    return "".join(line.rstrip() + "\n" for line in text.splitlines())


def entry(desk: LocalDesk, site: LocalJsm, more: str = "") -> str:
    url = f"{site.url}/servicedesk/customer/portal/{desk.portal_id}"
    return (
        f'  - id: "{desk.portal_id}"\n    key: {desk.key}   # of {desk.id}\n    service_desk: "{desk.id}"\n'
        f"    name: {desk.name}\n    url: {url}\n    mode: hosted\n{more}"
    )


def test_every_service_desk_becomes_a_portal_with_its_link(site: LocalJsm, sync: Callable[..., Ran], jsmsso_home: Home) -> None:
    done = sync(site)
    assert done.code == 0
    assert lines_of(done.stdout) == (
        "  key   name        mode    portal link\n"
        "  HELP  IT help     hosted  https://sso.acme.com/portal/HELP  new\n"
        "  HR    People      hosted  https://sso.acme.com/portal/HR    new\n"
        "  FAC   Facilities  hosted  https://sso.acme.com/portal/FAC   new\n"
        "\n"
        "3 added, 0 renamed, 0 gone. Wrote jsmsso.yaml.\n"
        "Next: jsmsso serve, then open https://sso.acme.com/portal/HELP in a private window\n"
    )
    assert done.stderr == ""
    text = jsmsso_home.profile.read_text()
    assert text.startswith("version: 1\npublic_url: https://sso.acme.com\njsm:   # the bot\n")
    assert (
        f'  - id: "1"\n    key: HELP\n    service_desk: "1"\n    name: IT help\n    url: {site.url}/servicedesk/customer/portal/1\n' in text
    )


def test_a_second_synchronization_writes_nothing(site: LocalJsm, sync: Callable[..., Ran], jsmsso_home: Home) -> None:
    sync(site)
    before = jsmsso_home.profile.stat()
    done = sync(site)
    assert done.code == 0
    assert "0 added, 0 renamed, 0 gone. Nothing to write." in done.stdout
    assert jsmsso_home.profile.stat().st_mtime_ns == before.st_mtime_ns


def test_data_center_portals_are_redirects_at_the_numbers_of_their_portals(sync: Callable[..., Ran]) -> None:
    with checked_jsm(data_center=True, context_path="/jira") as site:
        portals = sync(site, "--json").json()["portals"]
    assert [(portal["id"], portal["mode"]) for portal in portals] == [("21", "redirect"), ("22", "redirect"), ("23", "redirect")]
    assert portals[0]["url"] == f"{site.url}/servicedesk/customer/portal/21"


def test_what_the_administrator_wrote_stays(site: LocalJsm, sync: Callable[..., Ran], jsmsso_home: Home) -> None:
    help_desk, people, facilities = site.site.desks
    mine = "    visibility: private   # only ours\n    access:\n      - allow: {email_domain: acme.com}\n"
    prepare(
        jsmsso_home,
        site,
        "access: [{allow: everyone}]\nportals:\n  # the rarest first\n"
        + entry(facilities, site, mine)
        + entry(help_desk, site)
        + "log: {format: human}\n",
    )
    before = jsmsso_home.profile.read_text()
    site.site.desks = (help_desk, people, replace(facilities, name="Buildings"))
    done = sync(site, "--json").json()
    assert [len(done[what]) for what in ("added", "renamed", "gone")] == [1, 1, 0]
    after = jsmsso_home.profile.read_text()
    for line in before.replace("name: Facilities", "name: Buildings").splitlines():
        assert line in after.splitlines()
    assert after.index("key: FAC") < after.index("key: HELP") < after.index("key: HR") < after.index("log:")
    assert mine in after


def test_a_renamed_project_keeps_its_portal_and_its_settings(site: LocalJsm, sync: Callable[..., Ran], jsmsso_home: Home) -> None:
    sync(site)
    jsmsso_home.profile.write_text(jsmsso_home.profile.read_text().replace("mode: hosted", "mode: redirect", 1))
    site.site.desks = (replace(site.site.desks[0], key="IT"), *site.site.desks[1:])
    done = sync(site)
    assert "IT   IT help     redirect  https://sso.acme.com/portal/IT   renamed" in done.stdout
    assert "HELP is IT now: its link has changed; links by number (/portal/1) stay." in done.stdout
    assert "mode redirect on Cloud does not close the native portal" in done.stderr
    assert "HELP" not in jsmsso_home.profile.read_text()


def test_a_vanished_desk_is_kept_and_marked_until_it_is_pruned_and_may_come_back(
    site: LocalJsm, sync: Callable[..., Ran], jsmsso_home: Home
) -> None:
    sync(site)
    desks = site.site.desks
    site.site.desks = desks[:2]
    done = sync(site)
    assert "0 added, 0 renamed, 1 gone. Wrote jsmsso.yaml." in done.stdout
    assert "jsmsso portals sync --prune" in done.stdout
    assert "gone: true" in jsmsso_home.profile.read_text()
    assert "0 gone. Nothing to write." in sync(site).stdout
    site.site.desks = desks
    assert "1 back" in sync(site).stdout
    assert "gone" not in jsmsso_home.profile.read_text()
    site.site.desks = desks[:2]
    assert "1 pruned" in sync(site, "--prune").stdout
    assert "FAC" not in jsmsso_home.profile.read_text()


def test_check_changes_nothing_and_exits_1_on_a_difference(site: LocalJsm, sync: Callable[..., Ran], jsmsso_home: Home) -> None:
    prepare(jsmsso_home, site)
    before = jsmsso_home.profile.read_text()
    done = sync(site, "--check", "--json")
    assert done.code == 1
    assert [change["after"]["key"] for change in done.json()["added"]] == ["HELP", "HR", "FAC"]
    assert jsmsso_home.profile.read_text() == before
    sync(site)
    assert sync(site, "--check").code == 0
    site.site.desks = site.site.desks[:2]
    assert sync(site, "--check").code == 1


def test_a_project_key_that_yaml_takes_for_something_else_stays_text(sync: Callable[..., Ran], jsmsso: Callable[..., Ran]) -> None:
    desks = tuple(LocalDesk(str(n), key, f"Desk: {key} # [x]", str(n), str(n)) for n, key in enumerate(("NO", "ON", "Y", "NULL", "E10"), 1))
    with checked_jsm(desks=desks) as site:
        sync(site)
        assert [portal["key"] for portal in jsmsso("portals", "list", "--json").json()] == ["NO", "ON", "Y", "NULL", "E10"]
        assert sync(site, "--check").code == 0


def test_a_name_is_never_markup_for_the_terminal(sync: Callable[..., Ran]) -> None:
    with checked_jsm(desks=(LocalDesk("1", "X", "[red]IT[/red] help", "1", "1"),)) as site:
        assert "[red]IT[/red] help" in sync(site).stdout


@pytest.mark.parametrize(
    "fault, code",
    [
        pytest.param(Fault("cut", SERVICE_DESKS, after=1), "jsm_unreachable", id="the network cut half-way"),
        pytest.param(Fault("dropped", REQUEST_TYPES, after=1), "jsm_unreachable", id="the network cut among the request types"),
        pytest.param(Fault("status", REQUEST_TYPES, status=403, body='{"errorMessage": "No."}'), "jsm_refused", id="refused"),
        pytest.param(Fault("status", SERVICE_DESKS, status=401), "jsm_refused", id="not logged in"),
        pytest.param(Fault("status", SERVICE_DESKS, status=429, headers={"Retry-After": "900"}), "jsm_refused", id="busy for long"),
        pytest.param(Fault("proxy_page", SERVICE_DESKS, status=404), "jsm_refused", id="a page with 404"),
        pytest.param(Fault("login_page", SERVICE_DESKS), "jsm_answer_invalid", id="a login page"),
        pytest.param(Fault("too_large", SERVICE_DESKS), "jsm_answer_invalid", id="5 MB"),
        pytest.param(Fault("repeat", SERVICE_DESKS), "jsm_answer_invalid", id="a page that repeats"),
        pytest.param(Fault("never_last", SERVICE_DESKS), "jsm_answer_invalid", id="a page that is never the last"),
        pytest.param(Fault("no_json", REQUEST_TYPES), "jsm_answer_invalid", id="half a document"),
    ],
)
def test_when_anything_fails_nothing_is_written(sync: Callable[..., Ran], jsmsso_home: Home, fault: Fault, code: str) -> None:
    with checked_jsm(max_limit=2) as site:
        prepare(jsmsso_home, site, "portals:\n" + entry(site.site.desks[2], site))
        before = jsmsso_home.profile.read_text()
        site.break_with(fault)
        done = sync(site, "--json")
    assert done.code == 5
    assert done.json()["error"]["code"] == code
    assert "Traceback" not in done.stderr
    assert jsmsso_home.profile.read_text() == before
    assert [path.name for path in jsmsso_home.work.iterdir()] == ["jsmsso.yaml"]


def test_a_busy_site_is_waited_for_and_that_is_said(site: LocalJsm, sync: Callable[..., Ran]) -> None:
    site.break_with(Fault("status", SERVICE_DESKS, times=1, status=429, headers={"Retry-After": "1"}))
    done = sync(site, "--json")
    assert done.code == 0
    assert "JSM answered 429; trying again in 1 s" in done.stderr
    assert len(done.json()["portals"]) == 3


def test_an_account_that_sees_no_desk_any_more_does_not_empty_the_profile(sync: Callable[..., Ran], jsmsso_home: Home) -> None:
    with checked_jsm() as site:
        sync(site)
        before = jsmsso_home.profile.read_text()
        site.site.accounts = (LocalAccount(site.account.email, site.account.token, role="none", desks={"GONE": "agent"}),)
        done = sync(site, "--prune")
    assert done.code == 1
    assert "no service desk at all" in done.stderr
    assert jsmsso_home.profile.read_text() == before


def test_a_token_that_ends_soon_is_warned_about(site: LocalJsm, sync: Callable[..., Ran], jsmsso_home: Home) -> None:
    prepare(jsmsso_home, site)
    ends = date.today() + timedelta(days=5)  # noqa: DTZ011 - the day that a person writes
    jsmsso_home.profile.write_text(jsmsso_home.profile.read_text() + f"  api_token_expires: {ends}\n")
    assert "the JSM token ends in 5 days" in sync(site).stderr


@pytest.mark.parametrize(
    "jsm, said",
    [
        pytest.param("", "names no JSM site", id="no site"),
        pytest.param("jsm: {{url: {url}, api_token: env:TOKEN}}\n", "jsm.email is missing", id="no email on Cloud"),
    ],
)
def test_a_profile_that_cannot_be_connected_with_says_why(
    site: LocalJsm, jsmsso_home: Home, jsmsso: Callable[..., Ran], jsm: str, said: str
) -> None:
    jsmsso_home.profile.write_text("version: 1\npublic_url: https://sso.acme.com\n" + jsm.format(url=site.url))
    done = jsmsso("portals", "sync", "--json", env={"TOKEN": "x"})
    assert done.code == 3
    assert said in done.json()["error"]["message"]


def test_list_and_links_need_no_site(site: LocalJsm, jsmsso_home: Home, jsmsso: Callable[..., Ran]) -> None:
    help_desk, people, _ = site.site.desks
    prepare(jsmsso_home, site, "portals:\n" + entry(help_desk, site) + entry(people, site, "    gone: true\n"))
    listed = jsmsso("portals", "list", "--json").json()
    assert listed[0] == {
        "key": "HELP",
        "id": "1",
        "name": "IT help",
        "url": f"{site.url}/servicedesk/customer/portal/1",
        "link": "https://sso.acme.com/portal/HELP",
        "mode": "hosted",
    }
    assert listed[1]["gone"] is True
    assert "HR    People   hosted  https://sso.acme.com/portal/HR    gone" in jsmsso("portals", "list").stdout
    assert jsmsso("portals", "links").stdout == "https://sso.acme.com/portal/HELP  IT help\n"
    assert jsmsso("portals", "links", "--json").json() == [{"key": "HELP", "name": "IT help", "link": "https://sso.acme.com/portal/HELP"}]
    assert len(site.seen) == 0


def test_a_profile_without_portals_lists_none(jsmsso_home: Home, jsmsso: Callable[..., Ran]) -> None:
    jsmsso_home.profile.write_text("version: 1\npublic_url: https://sso.acme.com\n")
    assert jsmsso("portals", "list", "--json").json() == []
    assert "jsmsso portals sync" in jsmsso("portals", "list").stdout
    assert jsmsso("portals", "links", "--json").json() == []


def test_a_terminal_sees_bars_on_standard_error_and_a_pipe_sees_none(site: LocalJsm, sync: Callable[..., Ran], jsmsso_home: Home) -> None:
    assert "━" not in sync(site).stderr
    with at_a_terminal(jsmsso_home, "portals", "sync", env={"TOKEN": site.account.token}) as child:
        said = rest_of(child)
    assert child.exitstatus == 0
    assert "Service desks   ━" in said
    assert "3 of 3" in said
    assert all(len(line) <= 80 for line in said.splitlines())


def test_ctrl_c_while_pages_come_leaves_the_file_as_it_was(site: LocalJsm, jsmsso_home: Home) -> None:
    prepare(jsmsso_home, site)
    before = jsmsso_home.profile.read_text()
    site.break_with(Fault("status", "/rest/servicedeskapi/requesttype", status=503, headers={"Retry-After": "50"}))
    with at_a_terminal(jsmsso_home, "portals", "sync", env={"TOKEN": site.account.token}) as child:
        child.expect("trying again in 50 s")
        child.sendintr()
        said = rest_of(child)
    assert child.exitstatus == 130
    assert "Traceback" not in said
    assert jsmsso_home.profile.read_text() == before


def test_many_portals_are_pulled_written_and_listed(sync: Callable[..., Ran], jsmsso: Callable[..., Ran]) -> None:
    with checked_jsm(desks=600, max_limit=100) as site:
        first = sync(site).stdout
        assert len(jsmsso("portals", "list", "--json").json()) == 600
        assert sync(site, "--check").code == 0
        site.site.desks = (*site.site.desks[:300], replace(site.site.desks[300], name="Another name"), *site.site.desks[301:])
        second = sync(site).stdout
    assert "500 more portals are not shown here. All of them: jsmsso portals list" in first
    assert "600 added, 0 renamed, 0 gone." in first
    assert [line.split()[0] for line in second.splitlines() if "renamed" in line and "https" in line] == ["D301"]
    assert "599 more portals are not shown here." in second
