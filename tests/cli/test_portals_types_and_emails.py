from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from jsmsso.sandbox.jsm_field_kinds import EVERY_KIND, NOT_BUILDABLE, NOT_ON_THE_PORTAL
from jsmsso.sandbox.jsm_site import LocalDesk
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import checked_jsm
from tests.services.home import Home, Ran

DESKS = (
    LocalDesk("1", "HELP", "IT help", "10001", "1", (EVERY_KIND, *NOT_BUILDABLE, NOT_ON_THE_PORTAL)),
    LocalDesk("2", "HR", "People", "10002", "2", ("Ask a question",)),
)


@pytest.fixture
def site() -> Iterator[LocalJsm]:
    with checked_jsm(desks=DESKS) as running:
        yield running


@pytest.fixture
def portals(site: LocalJsm, jsmsso_home: Home, jsmsso: Callable[..., Ran]) -> Callable[..., Ran]:
    """``portals("sync", "--types")`` with a profile that knows the site."""
    jsm = f"jsm:\n  url: {site.url}\n  email: {site.account.email}\n  api_token: env:TOKEN\n"
    jsmsso_home.profile.write_text(f"version: 1\npublic_url: https://sso.acme.com\n{jsm}")
    return lambda *words: jsmsso("portals", *words, env={"TOKEN": site.account.token})


def test_sync_counts_the_types_that_only_the_native_portal_can_raise(portals: Callable[..., Ran]) -> None:
    done = portals("sync", "--types")
    assert done.code == 0
    told = " ".join(done.stdout.split())
    assert "HELP: 3 of 4 request types open in the native portal only: Report a computer (Affected computer)" in told
    assert "Something unusual (Sprint), New employee (a Jira form)" in told
    assert "HR:" not in told


def test_the_count_is_in_the_document_for_machines(portals: Callable[..., Ran]) -> None:
    told = portals("sync", "--types", "--json").json()
    assert [(count["key"], count["types"], len(count["not_buildable"])) for count in told["types"]] == [("HELP", 4, 3), ("HR", 1, 0)]
    assert told["types"][0]["not_buildable"][2] == {"id": "103", "name": "New employee", "because": "a Jira form"}
    assert "types" not in portals("sync", "--json").json()


def test_without_types_no_form_is_asked_for(site: LocalJsm, portals: Callable[..., Ran]) -> None:
    assert portals("sync").code == 0
    assert not [call.path for call in site.seen if call.path.endswith("/field") or "/forms/" in call.path]


def test_links_for_mails_lead_to_the_request_and_not_to_native_portals(jsmsso_home: Home, portals: Callable[..., Ran]) -> None:
    portals("sync")
    jsmsso_home.profile.write_text(jsmsso_home.profile.read_text().replace("key: HR", "key: HR\n    gone: true"))
    done = portals("links", "--emails")
    assert done.stdout.splitlines()[0] == "HELP  https://sso.acme.com/portal/HELP/${issue.key}"
    assert "HR" not in done.stdout
    assert "Customer notifications" in done.stdout
    assert portals("links", "--emails", "--json").json() == [
        {"key": "HELP", "name": "IT help", "link": "https://sso.acme.com/portal/HELP/${issue.key}"}
    ]


def test_links_for_mails_of_no_portals_say_what_to_do_first(portals: Callable[..., Ran]) -> None:
    assert "jsmsso portals sync" in portals("links", "--emails").stdout
