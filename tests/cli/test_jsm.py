from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from jsmsso.profile.reading import read_profile
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_site import LocalAccount
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.at_a_terminal import at_a_terminal, rest_of
from tests.jsm.checked_site import checked_jsm
from tests.services.home import Home, Ran

PROFILE = "version: 1\npublic_url: https://sso.acme.com   # ours\n"
TODAY = date.today()  # noqa: DTZ011 - the day that a person writes
IN_A_YEAR = (TODAY + timedelta(days=300)).isoformat()
EMAIL = "sso-bot@example.com"


@pytest.fixture
def site() -> Iterator[LocalJsm]:
    with checked_jsm() as running:
        yield running


@pytest.fixture
def connect(jsmsso_home: Home, jsmsso: Callable[..., Ran]) -> Callable[..., Ran]:
    """``connect(site, "--expires", ...)``: with the account's email where that is right, the token from the environment."""
    jsmsso_home.profile.write_text(PROFILE)

    def run(site: LocalJsm, *more: str, url: str = "", env: dict[str, str] | None = None, **options: Any) -> Ran:
        named = ["--email", site.account.email] if site.site.deployment == "Cloud" else []
        token = [] if any(option.startswith("--api-token") for option in more) else ["--api-token", "env:TOKEN"]
        return jsmsso(
            "jsm", "connect", "--url", url or site.url, *named, *token, *more, env={"TOKEN": site.account.token, **(env or {})}, **options
        )

    return run


def test_a_cloud_site_is_connected_and_what_the_account_may_do_is_shown(
    site: LocalJsm, connect: Callable[..., Ran], jsmsso_home: Home
) -> None:
    done = connect(site, "--expires", IN_A_YEAR)
    assert done.code == 0
    assert done.stdout.startswith(f"Connected to {site.url} (Cloud) as SSO bot <{EMAIL}>\n")
    assert "HELP  IT help    yes   yes    yes      yes        ?" in done.stdout
    assert "Next: jsmsso portals sync" in done.stdout
    assert done.stderr == ""
    assert jsmsso_home.profile.read_text() == PROFILE + (
        f'jsm:\n  url: {site.url}\n  email: {EMAIL}\n  api_token: env:TOKEN\n  api_token_expires: "{IN_A_YEAR}"\n'
    )


def test_a_data_center_is_connected_by_its_token_alone_under_its_context_path(connect: Callable[..., Ran], jsmsso_home: Home) -> None:
    with checked_jsm(data_center=True, context_path="/jira") as site:
        done = connect(site, "--expires", IN_A_YEAR, "--json")
    assert done.code == 0
    assert done.json()["kind"] == "Data Center"
    jsm = read_profile(jsmsso_home.profile).jsm
    assert jsm is not None
    assert (jsm.url, jsm.email) == (site.url, None)


def test_json_has_every_verdict_and_what_each_missing_permission_costs(connect: Callable[..., Ran]) -> None:
    with checked_jsm(accounts=(LocalAccount(EMAIL, "t", role="agent", desks={"HR": "customer"}),)) as site:
        told = connect(site, "--json").json()
    may = {desk["key"]: desk["may"] for desk in told["service_desks"]}
    assert may["HELP"] == {
        "list": True,
        "raise_for_others": True,
        "comment_in_public": True,
        "add_customers": False,
        "manage_organizations": None,
    }
    assert may["HR"]["raise_for_others"] is False
    missing = {(one["ability"], one["denied"]): one for one in told["missing"]}
    assert missing["raise_for_others", True]["service_desks"] == ["HR"]
    assert missing["raise_for_others", True]["needed"] is True
    assert missing["add_customers", True]["permission"].startswith("Administer projects")
    assert missing["add_customers", True]["needed"] is False
    assert missing["manage_organizations", False]["service_desks"] == ["HELP", "FAC"]
    assert told["create_accounts"] is False


def test_each_no_names_the_permission_and_what_stays_off_without_it(connect: Callable[..., Ran]) -> None:
    with checked_jsm(accounts=(LocalAccount(EMAIL, "t", role="customer"),)) as site:
        done = connect(site)
    said = " ".join(done.stdout.split())
    assert "no raise for others on HELP, HR, FAC takes: Service project agent" in said
    assert "without it: customers cannot raise requests on a hosted portal" in said
    assert "no create accounts takes: Administer Jira (global permission)" in said
    assert "not needed now: jsm.customers.create is off" in said
    assert "the account lacks what the profile needs: raise for others, comment in public" in done.stderr


def test_an_administrator_is_asked_for_only_where_accounts_are_to_be_created(
    site: LocalJsm, connect: Callable[..., Ran], jsmsso_home: Home
) -> None:
    assert "lacks" not in connect(site, "--expires", IN_A_YEAR).stderr
    text = jsmsso_home.profile.read_text()
    jsmsso_home.profile.write_text(text + "  customers: {create: true}   # new people\n")
    done = connect(site, "--expires", IN_A_YEAR)
    assert "the account lacks what the profile needs: create accounts" in done.stderr
    assert "customers: {create: true}   # new people" in jsmsso_home.profile.read_text()


def test_many_desks_are_drawn_in_groups_that_may_do_the_same(connect: Callable[..., Ran]) -> None:
    account = LocalAccount(EMAIL, "t", desks={"HR": "agent"})
    with checked_jsm(desks=1200, accounts=(account,), max_limit=100) as site:
        done = connect(site)
    assert "HELP, FAC, D4, D5 and 1,195 more" in done.stdout
    assert len(done.stdout.splitlines()) < 40


@pytest.mark.parametrize(
    "pasted",
    [
        pytest.param("{site}/", id="a slash at the end"),
        pytest.param("{site}/servicedesk/customer/portals?src=1#x", id="the help center"),
        pytest.param("{site}/jira/your-work", id="a page of Jira"),
        pytest.param("{host}", id="no scheme"),
    ],
)
def test_a_pasted_address_is_mended(site: LocalJsm, connect: Callable[..., Ran], pasted: str) -> None:
    url = pasted.format(site=site.url, host=site.url.removeprefix("http://"))
    assert connect(site, "--json", url=url).json()["url"] == site.url


def test_a_pasted_page_of_a_data_center_keeps_the_context_path(connect: Callable[..., Ran]) -> None:
    with checked_jsm(data_center=True, context_path="/jira") as site:
        assert connect(site, "--json", url=f"{site.url}/browse/HELP-1").json()["url"] == site.url


def test_a_token_from_standard_input_goes_to_the_keyring_and_not_into_the_profile(
    site: LocalJsm, connect: Callable[..., Ran], jsmsso_home: Home
) -> None:
    done = connect(site, "--api-token-stdin", typed=site.account.token + "\n")
    assert done.code == 0
    assert jsmsso_home.keyring == {"jsmsso/jsm/api_token": site.account.token}
    assert "api_token: keyring:jsm/api_token" in jsmsso_home.profile.read_text()
    assert site.account.token not in jsmsso_home.profile.read_text() + done.stdout + done.stderr


def test_without_a_day_of_expiry_and_a_terminal_it_goes_on_with_a_warning(site: LocalJsm, connect: Callable[..., Ran]) -> None:
    done = connect(site, "--json")
    assert done.code == 0
    assert "warning: without --expires" in done.stderr
    assert done.json()["api_token_expires"] is None


@pytest.mark.parametrize(
    "days, said",
    [
        pytest.param(31, "", id="31 days"),
        pytest.param(30, "ends in 30 days", id="30 days"),
        pytest.param(7, "this week", id="7 days"),
        pytest.param(1, "ends tomorrow", id="1 day"),
        pytest.param(0, "ends today", id="today"),
        pytest.param(800, "live a year at most", id="longer than tokens live"),
    ],
)
def test_a_token_that_ends_soon_is_warned_about(site: LocalJsm, connect: Callable[..., Ran], days: int, said: str) -> None:
    done = connect(site, "--expires", (TODAY + timedelta(days=days)).isoformat())
    assert done.code == 0
    assert (said in done.stderr) if said else done.stderr == ""


@pytest.mark.parametrize(
    "arguments, said",
    [
        pytest.param(["--url", "{url}", "--api-token", "env:TOKEN"], "--email is missing", id="no email on Cloud"),
        pytest.param(["--url", "{url}", "--email", "a", "--api-token", "env:TOKEN"], "--email is no address", id="an email that is none"),
        pytest.param(["--email", EMAIL, "--api-token", "env:TOKEN"], "--url is missing", id="no address"),
        pytest.param(["--url", "{url}", "--email", EMAIL], "--api-token or --api-token-stdin is missing", id="no token"),
        pytest.param(["--url", "{url}", "--api-token", "env:TOKEN", "--api-token-stdin"], "exclude each other", id="two tokens"),
        pytest.param(["--url", "{url}", "--api-token", "ATATT3xSecret"], "takes a reference", id="a literal token"),
        pytest.param(["--url", "{url}", "--expires", "soon", "--api-token", "env:TOKEN"], "--expires is no day", id="no day"),
        pytest.param(
            ["--url", "{url}", "--expires", "2020-01-01", "--api-token", "env:TOKEN"], "--expires is over", id="a day that is over"
        ),
        pytest.param(["--url", "http://acme.example", "--api-token", "env:TOKEN"], "loopback addresses only", id="http"),
        pytest.param(
            ["--url", "https://me:ATATT3xSecret@acme.example", "--api-token", "env:TOKEN"], "secret", id="a secret in the address"
        ),
        pytest.param(
            ["--url", "https://api.atlassian.com/ex/jira/1", "--api-token", "env:TOKEN"], "gateway", id="the gateway of scoped tokens"
        ),
    ],
)
def test_a_wrong_use_says_which_option_and_repeats_no_secret(
    site: LocalJsm, jsmsso_home: Home, jsmsso: Callable[..., Ran], arguments: list[str], said: str
) -> None:
    jsmsso_home.profile.write_text(PROFILE)
    done = jsmsso("jsm", "connect", *(argument.format(url=site.url) for argument in arguments), "--json", env={"TOKEN": "x"})
    assert done.code == 2
    assert said in done.json()["error"]["message"]
    assert "Secret" not in done.stdout + done.stderr
    assert jsmsso_home.profile.read_text() == PROFILE


def test_an_email_for_a_data_center_is_a_wrong_use(jsmsso_home: Home, jsmsso: Callable[..., Ran]) -> None:
    jsmsso_home.profile.write_text(PROFILE)
    with checked_jsm(data_center=True) as site:
        done = jsmsso("jsm", "connect", "--url", site.url, "--email", EMAIL, "--api-token", "env:TOKEN", env={"TOKEN": "x"})
    assert done.code == 2
    assert "Cloud only" in done.stderr


def test_a_wrong_token_changes_nothing_and_is_not_kept(site: LocalJsm, connect: Callable[..., Ran], jsmsso_home: Home) -> None:
    done = connect(site, "--api-token-stdin", typed="ATATT3xWrong", url=site.url)
    assert done.code == 5
    assert f"JSM refused the API token of {EMAIL}" in done.stderr
    assert "id.atlassian.com" in done.stderr
    assert "ATATT3xWrong" not in done.stdout + done.stderr
    assert jsmsso_home.keyring == {}
    assert jsmsso_home.profile.read_text() == PROFILE


@pytest.mark.parametrize("token", ["", "two words", "tökén", "a\nb"])
def test_what_cannot_be_a_token_is_not_sent(site: LocalJsm, connect: Callable[..., Ran], token: str) -> None:
    done = connect(site, "--api-token-stdin", typed=token)
    assert done.code in (2, 6)
    assert done.stdout == ""
    assert not any("authorization" in call.headers for call in site.seen)


@pytest.mark.parametrize(
    "fault, code, said",
    [
        pytest.param(
            Fault("status", "/rest/api/3/myself", status=403, body='{"message": "no"}'), "jsm_refused", "no", id="no access to Jira"
        ),
        pytest.param(Fault("login_page", "/rest/api/2/serverInfo"), "jsm_answer_invalid", "a page instead of data", id="no Jira there"),
        pytest.param(Fault("too_large", "/rest/servicedeskapi/servicedesk"), "jsm_answer_invalid", "too large", id="5 MB"),
        pytest.param(Fault("status", "/rest/servicedeskapi/", status=404), "jsm_refused", "no such address", id="JSM is not installed"),
        pytest.param(Fault("empty", "/rest/servicedeskapi/servicedesk"), "jsm_answer_invalid", "paging", id="pages without end"),
        pytest.param(Fault("status", "/rest/api/3/myself", status=500), "jsm_refused", "JSM failed", id="a fault of theirs"),
    ],
)
def test_what_goes_wrong_at_jsm_is_one_error_and_nothing_is_written(
    site: LocalJsm, connect: Callable[..., Ran], jsmsso_home: Home, fault: Fault, code: str, said: str
) -> None:
    site.break_with(fault)
    done = connect(site, "--json")
    error = done.json()["error"]
    assert (done.code, error["code"]) == (5, code)
    assert said in error["message"]
    assert jsmsso_home.profile.read_text() == PROFILE


def test_a_site_that_answers_no_stranger_is_recognized_after_the_login(connect: Callable[..., Ran]) -> None:
    with checked_jsm(anonymous_server_info=False) as site:
        assert connect(site, "--json").json()["kind"] == "Cloud"
    with checked_jsm(anonymous_server_info=False, data_center=True) as site:
        assert connect(site, "--json").json()["kind"] == "Data Center"


def test_there_must_be_a_profile_first(site: LocalJsm, jsmsso: Callable[..., Ran]) -> None:
    done = jsmsso("jsm", "connect", "--url", site.url, "--json")
    assert done.code == 3
    assert "provider add" in done.json()["error"]["hint"]


def test_without_a_keyring_a_token_from_a_pipe_has_nowhere_to_go(site: LocalJsm, connect: Callable[..., Ran], jsmsso_home: Home) -> None:
    done = connect(site, "--api-token-stdin", typed=site.account.token, env=jsmsso_home.without_keyring())
    assert done.code == 6
    assert "file:PATH" in done.stderr


def test_a_new_token_goes_where_the_last_one_was_and_its_day_is_asked_anew(
    site: LocalJsm, connect: Callable[..., Ran], jsmsso: Callable[..., Ran], jsmsso_home: Home
) -> None:
    (jsmsso_home.work / "token").write_text(site.account.token)
    assert connect(site, "--api-token", "file:token", "--expires", IN_A_YEAR).code == 0
    kept = jsmsso("jsm", "connect", "--api-token", "file:token", "--json").json()
    assert (kept["api_token_expires"], kept["written"]) == (IN_A_YEAR, False)
    renewed = jsmsso("jsm", "connect", "--api-token-stdin", "--json", typed=site.account.token).json()
    assert (renewed["api_token"], renewed["api_token_expires"]) == ("file:token", None)


def test_at_a_terminal_it_asks_for_what_is_missing_and_shows_no_token(site: LocalJsm, jsmsso_home: Home) -> None:
    jsmsso_home.profile.write_text(PROFILE)
    with at_a_terminal(jsmsso_home, "jsm", "connect") as child:
        child.expect("Site: ")
        child.sendline(site.url)
        child.expect("Email of the service account: ")
        child.sendline(EMAIL.upper())
        child.expect("API token .typed unseen, goes to the keyring.: ")
        child.sendline(site.account.token)
        child.expect("The token ends on .*: ")
        child.sendline("next year")
        child.expect("Write it as 2027-05-01")
        child.sendline(IN_A_YEAR)
        said = rest_of(child)
    assert child.exitstatus == 0
    assert f"Connected to {site.url} (Cloud)" in said
    assert site.account.token not in said
    assert all(len(line) <= 80 for line in said.splitlines())
    assert jsmsso_home.keyring == {"jsmsso/jsm/api_token": site.account.token}
    assert f'api_token_expires: "{IN_A_YEAR}"' in jsmsso_home.profile.read_text()


def test_at_a_terminal_without_a_keyring_it_offers_a_file_that_nobody_else_may_read(site: LocalJsm, jsmsso_home: Home) -> None:
    jsmsso_home.profile.write_text(PROFILE)
    with at_a_terminal(jsmsso_home, "jsm", "connect", "--url", site.url, "--email", EMAIL, env=jsmsso_home.without_keyring()) as child:
        child.expect("no usable keyring")
        child.sendline("y")
        child.expect("API token ")
        child.sendline(site.account.token)
        child.expect("The token ends on ")
        child.sendline("")
        rest_of(child)
    kept = jsmsso_home.work / "secrets" / "jsm-api-token"
    assert child.exitstatus == 0
    assert kept.read_text() == site.account.token
    assert stat.S_IMODE(os.stat(kept).st_mode) == 0o600


SCOPED = LocalAccount(EMAIL, "scoped-token", scoped=True)


def test_a_token_with_scopes_is_tried_at_the_gateway_which_connect_finds_by_itself(connect: Callable[..., Ran], jsmsso_home: Home) -> None:
    with checked_jsm(accounts=(SCOPED,)) as site:
        done = connect(site, "--expires", IN_A_YEAR)
        found = read_profile(jsmsso_home.profile).jsm
    assert done.code == 0, done.stderr
    assert done.stdout.startswith(f"Connected to {site.url} (Cloud) as SSO bot <{EMAIL}>\n")
    assert "Its token has scopes: calls go through Atlassian's gateway (jsm.cloud_id)." in done.stdout
    assert "HELP  IT help    yes   yes    yes      yes        ?" in done.stdout
    assert found is not None
    assert (found.url, found.cloud_id) == (site.url, site.site.cloud_id)


def test_a_token_without_scopes_takes_the_place_of_one_with_them(connect: Callable[..., Ran], jsmsso_home: Home) -> None:
    plain = LocalAccount(EMAIL, "plain-token")
    with checked_jsm(accounts=(SCOPED, plain)) as site:
        assert connect(site, "--json").json()["cloud_id"] == site.site.cloud_id
        assert connect(site, "--json", env={"TOKEN": plain.token}).json()["cloud_id"] is None
    assert "cloud_id" not in jsmsso_home.profile.read_text()


def test_portals_are_pulled_through_the_gateway_and_have_the_sites_own_links(
    connect: Callable[..., Ran], jsmsso: Callable[..., Ran]
) -> None:
    with checked_jsm(accounts=(SCOPED,)) as site:
        connect(site)
        done = jsmsso("portals", "sync", "--json", env={"TOKEN": SCOPED.token})
    assert done.code == 0, done.stderr
    assert done.json()["portals"][0]["url"] == f"{site.url}/servicedesk/customer/portal/1"
    assert {call.gateway for call in site.seen if call.path.endswith("/servicedesk")} == {site.site.cloud_id}


def test_a_wrong_token_is_the_sites_refusal_not_the_gateways(connect: Callable[..., Ran], jsmsso_home: Home) -> None:
    with checked_jsm(accounts=(SCOPED,)) as site:
        done = connect(site, "--json", env={"TOKEN": "wrong"})
    assert done.code == 5
    assert f"JSM refused the API token of {EMAIL} (401" in done.json()["error"]["message"]
    assert "/ex/jira/" not in done.json()["error"]["message"]
    assert jsmsso_home.profile.read_text() == PROFILE


def test_a_token_that_lacks_a_scope_is_told_which_scopes_to_take(connect: Callable[..., Ran]) -> None:
    lacking = Fault("status", "/rest/api/3/myself", after=1, status=401, body='{"code":401,"message":"Unauthorized; scope does not match"}')
    with checked_jsm(accounts=(SCOPED,)) as site:
        site.break_with(lacking)
        done = connect(site, "--json")
    assert done.code == 5
    error = done.json()["error"]
    assert "the API token lacks a scope (401: Unauthorized; scope does not match)" in error["message"]
    assert "manage:servicedesk-customer" in error["hint"]


def test_the_address_of_the_gateway_is_not_taken_for_a_sites(connect: Callable[..., Ran], site: LocalJsm) -> None:
    done = connect(site, "--json", url="https://api.atlassian.com/ex/jira/6c1f6d1e-5b0e-4c39-9d2c-0a5f3b1e7a90")
    assert done.code == 2
    assert "the site's own address" in done.json()["error"]["hint"]


ADMIN = LocalAccount("admin@example.com", "admin-token", "Admin", role="administrator")


def connected_with_admin(home: Home, more: str) -> None:
    home.profile.write_text(PROFILE + f"jsm:\n  url: https://before.example\n  api_token: env:TOKEN\n{more}")


def test_the_second_token_is_tried_too_and_what_it_may_do_is_said(connect: Callable[..., Ran], jsmsso_home: Home) -> None:
    bot = LocalAccount(EMAIL, "t")
    with checked_jsm(accounts=(bot, ADMIN)) as site:
        connected_with_admin(jsmsso_home, "  admin_api_token: env:ADMIN\n  admin_email: admin@example.com\n")
        shown = connect(site, env={"ADMIN": ADMIN.token})
        told = connect(site, "--json", env={"ADMIN": ADMIN.token}).json()
    assert "create accounts  no" in shown.stdout
    assert "create accounts as Admin <admin@example.com>  yes" in shown.stdout
    assert told["create_accounts"] is False
    assert told["admin"]["create_accounts"] is True
    assert "admin-token" not in shown.stdout + shown.stderr


@pytest.mark.parametrize(
    "env, said",
    [
        pytest.param({"ADMIN": "wrong"}, "JSM refused the API token of admin@example.com", id="a wrong token"),
        pytest.param({}, "ADMIN is not set", id="no token"),
        pytest.param({"ADMIN": "agent"}, "its account may not create accounts", id="no administrator"),
        pytest.param({"ADMIN": "scoped"}, "both must be of one kind", id="scopes on one of the two"),
    ],
)
def test_a_second_token_that_is_of_no_use_is_warned_about(
    connect: Callable[..., Ran], jsmsso_home: Home, env: dict[str, str], said: str
) -> None:
    others = (
        ADMIN,
        LocalAccount("admin@example.com", "agent", role="agent"),
        LocalAccount("admin@example.com", "scoped", role="administrator", scoped=True),
    )
    with checked_jsm(accounts=(LocalAccount(EMAIL, "t"), *others)) as site:
        connected_with_admin(jsmsso_home, "  admin_api_token: env:ADMIN\n  admin_email: admin@example.com\n")
        done = connect(site, env=env)
    assert done.code == 0
    assert "jsm.admin_api_token cannot be used" in done.stderr
    assert said in " ".join(done.stderr.split())


def test_ctrl_c_at_a_question_leaves_everything_as_it_was(site: LocalJsm, jsmsso_home: Home) -> None:
    jsmsso_home.profile.write_text(PROFILE)
    with at_a_terminal(jsmsso_home, "jsm", "connect", "--url", site.url) as child:
        child.expect("Email of the service account: ")
        child.sendintr()
        said = rest_of(child)
    assert child.exitstatus == 130
    assert "Traceback" not in said
    assert jsmsso_home.profile.read_text() == PROFILE
