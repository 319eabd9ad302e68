"""Brakes on spam, what is done once, and what was written a moment ago: counted in the store, for all workers."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import pytest

from jsmsso.portal.recent import KIND
from jsmsso.portal.shared_records import change
from jsmsso.sandbox.jsm_faults import Fault
from tests.portal.conftest import MakeHosted
from tests.portal.desks import services_of
from tests.portal.hosted_site import File, HostedSite, send, send_files
from tests.runtime.site import Answer, Browser

MANY = 1_000_000


def raised(hosted: HostedSite, browser: Browser, summary: str, files: list[File] | None = None, **options: Any) -> Answer:
    place = hosted.jsm.site.desk("HELP")
    assert place is not None
    where = f"/portal/HELP/create/{place.types[0].id}"
    page = browser.get(where, **options)
    if files is None:
        return send(browser, page, where, {"f-summary": summary}, **options)
    return send_files(browser, page, where, {"f-summary": summary}, [("f-attachment", file) for file in files], **options)


def test_a_customer_may_raise_so_many_requests_in_an_hour(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(limits={"requests_per_hour": 2})
    ann, ben = hosted.signed_in(hosted.ann), hosted.signed_in(hosted.ben)
    other = hosted.site.another_worker()
    assert raised(hosted, ann, "one").status == 303
    assert raised(hosted, ann, "two", application=other).status == 303
    refused = raised(hosted, ann, "three")
    assert refused.status == 429
    assert 3300 <= int(refused.header("Retry-After")) <= 3900
    assert "Try again in" in refused.text
    assert 'value="three"' in ann.get(f"/portal/HELP/create/{hosted.jsm.site.desks[0].types[0].id}").text
    assert raised(hosted, ben, "bens").status == 303
    assert [issue.summary for issue in hosted.jsm.site.requests] == ["one", "two", "bens"]
    (line,) = hosted.audit("spam.limited")
    assert (line["email"], line["what"], line["who"], line["limit"]) == ("ann@acme.example", "requests", "customer", 2)
    hosted.site.clock.advance(int(refused.header("Retry-After")) + 1)
    now = int(hosted.site.clock())
    again = hosted.signed_in(hosted.ann, iat=now, exp=now + 300)
    assert raised(hosted, again, "four").status == 303


@pytest.mark.parametrize(
    "limits, refused",
    [
        pytest.param({"organization_factor": 1, "address_factor": MANY}, "cid@acme.example", id="organization"),
        pytest.param({"organization_factor": MANY, "address_factor": 1}, "ben@globex.example", id="address"),
    ],
)
def test_an_organization_and_an_address_have_limits_too(make_hosted: MakeHosted, limits: Mapping[str, int], refused: str) -> None:
    hosted = make_hosted(limits={"requests_per_hour": 2, **limits})
    hosted.customer("cid@acme.example", "Cid", "Acme")
    ann = hosted.signed_in(hosted.ann)
    assert [raised(hosted, ann, text).status for text in ("one", "two")] == [303, 303]
    somebody = hosted.signed_in(hosted.customer(refused, ""))
    assert raised(hosted, somebody, "three").status == 429
    elsewhere = {"REMOTE_ADDR": "198.51.100.9"}
    expected = 429 if limits["organization_factor"] == 1 else 303
    assert raised(hosted, somebody, "three", environ=elsewhere).status == expected
    assert len(hosted.audit("spam.limited")) == (2 if expected == 429 else 1)


def test_addresses_of_one_ipv6_network_count_together(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(limits={"requests_per_hour": 1, "address_factor": 1, "organization_factor": MANY})
    ann, ben = hosted.signed_in(hosted.ann), hosted.signed_in(hosted.ben)
    assert raised(hosted, ann, "one", environ={"REMOTE_ADDR": "2001:db8::1"}).status == 303
    assert raised(hosted, ben, "two", environ={"REMOTE_ADDR": "2001:db8::ffff:2"}).status == 429
    assert raised(hosted, ben, "two", environ={"REMOTE_ADDR": "2001:db8:0:1::2"}).status == 303


def test_megabytes_are_counted(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(limits={"megabytes_per_hour": 1})
    ann = hosted.signed_in(hosted.ann)
    large = ("a.bin", "application/octet-stream", b"x" * 600_000)
    assert raised(hosted, ann, "one", [large]).status == 303
    assert raised(hosted, ann, "two", [large]).status == 429
    assert raised(hosted, ann, "three").status == 303
    assert hosted.audit("spam.limited")[0]["what"] == "megabytes"


def test_what_was_not_raised_does_not_count(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(limits={"requests_per_hour": 1})
    ann = hosted.signed_in(hosted.ann)
    assert raised(hosted, ann, "").status == 400
    hosted.jsm.break_with(Fault("status", "/rest/servicedeskapi/request", status=403, method="POST"))
    assert raised(hosted, ann, "one").status == 503
    hosted.jsm.faults.clear()
    assert raised(hosted, ann, "one").status == 303
    assert raised(hosted, ann, "two").status == 429


def test_no_change_of_a_shared_record_gets_lost(hosted: HostedSite) -> None:
    store = hosted.site.deployment.store

    def add() -> None:
        for _ in range(20):
            change(store, "test", "one", lambda old: str(int(old or 0) + 1).encode(), now=1.0, expires=2.0)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get("test", "one", now=1.0) == b"80"


def test_every_worker_knows_what_was_raised_a_moment_ago(hosted: HostedSite, ann: Browser) -> None:
    assert raised(hosted, ann, "one").status == 303
    (issue,) = hosted.jsm.site.requests
    other = services_of(hosted.site.another_worker())
    assert other.recent.ids(hosted.ann.id) == (int(issue.id),)
    assert other.recent.ids(hosted.ben.id) == ()
    hosted.site.clock.advance(601)
    assert other.recent.ids(hosted.ann.id) == ()


def test_at_most_fifty_are_remembered(hosted: HostedSite, ann: Browser) -> None:
    raised(hosted, ann, "one")
    store, now = hosted.site.deployment.store, hosted.site.clock()
    full = str([[number, now] for number in range(50)]).encode()
    store.put(KIND, hosted.ann.id, full, expires=now + 600)
    raised(hosted, ann, "two")
    ids = services_of(hosted.site.application).recent.ids(hosted.ann.id)
    assert len(ids) == 50
    assert ids[0] == 1
    assert ids[-1] == int(list(hosted.jsm.site.requests)[-1].id)
