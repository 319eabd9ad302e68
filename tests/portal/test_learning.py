"""What a worker learns of JSM at its start, so that its first pages need not ask for it. Nobody waits for it, nor sees it fail."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jsmsso.errors import JsmFailed
from jsmsso.runtime.application import Application
from jsmsso.runtime.preparing import prepare
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import checked_jsm
from tests.oidc.provider import Provider
from tests.portal.conftest import MakeHosted
from tests.portal.desks import desks
from tests.portal.hosted_site import SERVICE_ACCOUNT, HostedSite, at
from tests.portal.test_request import rounds
from tests.runtime.site import Answer, Site, called

LATENCY = 0.6
ALIVE: Any = {"REQUEST_METHOD": "GET", "PATH_INFO": "/healthz"}
LONG = {"session": {"secret": "file:session", "idle_timeout": "20h", "lifetime": "24h"}}


@pytest.fixture(params=[False, True], ids=["Cloud", "Data Center"])
def either(request: pytest.FixtureRequest, make_hosted: MakeHosted, jsm: LocalJsm) -> Any:
    """A hosted site over either kind of JSM, whose customers stay signed in for a day."""
    if not request.param:
        yield make_hosted(**LONG)
        return
    with checked_jsm(accounts=(SERVICE_ACCOUNT,), desks=desks(deployment="Server"), data_center=True) as site:
        yield make_hosted(jsm=site, **LONG)


def learn(application: Application) -> None:
    assert application.learn is not None
    application.learn()


def asked(hosted: HostedSite, since: int = 0) -> set[str]:
    """The last parts of the addresses of what JSM was asked."""
    return {one.path.rsplit("/", 1)[-1] for one in hosted.calls_since(since)}


def started(hosted: HostedSite) -> Application:
    """A worker, as the server starts it."""
    return prepare(str(hosted.site.folder / "jsmsso.yaml")).application()


def until(condition: Callable[[], Any]) -> None:
    while not condition():
        time.sleep(0.01)


@pytest.mark.parametrize("page", ["/portal/HELP", "/portal/HELP/search?q=help", "/requests", "a request", "a form"])
def test_the_first_page_of_a_worker_costs_two_round_trips_at_most(either: HostedSite, page: str) -> None:
    issue = either.request(either.ann, participants=[either.ben])
    desk = either.jsm.site.desk("HELP")
    assert desk is not None
    address = {"a request": at(issue), "a form": f"/portal/HELP/create/{desk.types[0].id}"}.get(page, page)
    browser = either.signed_in(either.ann)
    browser.get("/portal/HELP")  # from now on the store knows her account
    either.site.reload()
    learn(either.site.application)
    number = len(either.jsm.seen)
    either.jsm.site.latency["/"] = LATENCY
    began = time.monotonic()
    assert browser.get(address).status == 200
    assert 1 <= rounds(either.jsm, began, LATENCY) <= 2
    assert not asked(either, number) & {"serverInfo", "myself", "field"} - ({"field"} if page in ("a request", "a form") else set())


def test_an_account_that_is_told_no_permissions_costs_no_round_trip_more(hosted: HostedSite, jsm: LocalJsm) -> None:
    jsm.site.checks_type_permissions = False
    browser = hosted.signed_in(hosted.ann)
    browser.get("/portal/HELP")
    hosted.site.reload()
    learn(hosted.site.application)
    jsm.site.latency["/"] = LATENCY
    began = time.monotonic()
    assert "Get IT help" in browser.get("/portal/HELP").text
    assert rounds(jsm, began, LATENCY) == 2


def test_who_we_are_and_the_sites_fields_are_asked_for_anew_beside_a_page_not_before_it(either: HostedSite) -> None:
    issue = either.request(either.ann)
    browser = either.signed_in(either.ann)
    browser.get(at(issue))
    either.site.clock.advance(3601)
    number = len(either.jsm.seen)
    either.jsm.site.latency["/"] = LATENCY
    began = time.monotonic()
    assert browser.get(at(issue)).status == 200
    assert rounds(either.jsm, began, LATENCY) == 2
    until(lambda: {"myself", "field"} <= asked(either, number))


def test_a_worker_learns_behind_the_scenes_and_lives_meanwhile(hosted: HostedSite, jsm: LocalJsm) -> None:
    number = len(jsm.seen)
    jsm.site.latency["/"] = 1.0
    application = started(hosted)
    alive: Answer = called(application, ALIVE)
    assert (alive.status, alive.text) == (200, "ok\n")
    assert len(jsm.seen) == number, "JSM has not answered yet"
    until(lambda: {"serverInfo", "myself", "field", "meta"} <= asked(hosted, number))
    application.close()


@pytest.mark.parametrize(
    "fault",
    [Fault("status", status=500), Fault("status", status=401), Fault("no_json"), Fault("login_page")],
    ids=lambda fault: f"{fault.kind} {fault.status}",
)
def test_a_jsm_that_fails_at_the_start_is_asked_by_the_first_page(hosted: HostedSite, jsm: LocalJsm, fault: Fault) -> None:
    browser = hosted.signed_in(hosted.ann)
    browser.get("/portal/HELP")
    hosted.site.reload()
    jsm.break_with(fault)
    with pytest.raises(JsmFailed):
        learn(hosted.site.application)
    jsm.faults.clear()
    assert browser.get("/portal/HELP").status == 200


def test_of_a_start_without_jsm_the_log_says_so_and_nobody_else(
    hosted: HostedSite, jsm: LocalJsm, capsys: pytest.CaptureFixture[str]
) -> None:
    jsm.break_with(Fault("status", status=401))
    application = started(hosted)
    lines: list[dict[str, Any]] = []

    def told() -> bool:
        lines.extend(json.loads(line) for line in capsys.readouterr().err.splitlines())
        return any(line["event"] == "jsm.not_learnt" for line in lines)

    until(told)
    assert [line["level"] for line in lines if line["event"] == "jsm.not_learnt"] == ["debug"]
    assert called(application, ALIVE).status == 200
    application.close()


def test_a_pause_that_jsm_asked_another_worker_for_holds_this_one_back(hosted: HostedSite, jsm: LocalJsm) -> None:
    number = len(jsm.seen)
    hosted.site.deployment.store.pause("jsm", hosted.site.clock() + 120)
    with pytest.raises(JsmFailed, match="busy"):
        learn(hosted.site.application)
    assert len(jsm.seen) == number


def test_where_no_portal_is_hosted_jsm_is_asked_nothing(tmp_path: Path, provider: Provider, jsm: LocalJsm) -> None:
    (tmp_path / "jsm_token").write_text(jsm.account.token)
    login = {"email": jsm.account.email, "api_token": f"file:{tmp_path}/jsm_token"}
    site = Site(tmp_path / "site", [provider], {"jsm": {"url": jsm.url, **login, "customers": {"create": True}}})
    assert site.application.learn is None
    application = prepare(str(site.folder / "jsmsso.yaml")).application()
    assert "jsmsso-learn" not in {one.name for one in threading.enumerate()}
    application.close()
    site.close()
    assert not jsm.seen


def test_after_a_reload_that_changes_the_site_the_new_one_is_asked(hosted: HostedSite, jsm: LocalJsm) -> None:
    with checked_jsm(accounts=(SERVICE_ACCOUNT,)) as other:
        number = len(jsm.seen)
        hosted.site.reload(jsm=hosted.site.changed["jsm"] | {"url": other.url})
        application = started(hosted)
        until(lambda: {"serverInfo", "myself", "field"} <= {one.path.rsplit("/", 1)[-1] for one in other.seen})
        application.close()
    assert len(jsm.seen) == number
