"""What was typed while the session ended: kept for whom the form was shown to, and for nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape

import pytest

from jsmsso.sandbox.jsm_people import LocalPerson
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import checked_jsm
from tests.portal.conftest import MakeHosted
from tests.portal.desks import desks, type_id
from tests.portal.hosted_site import SERVICE_ACCOUNT, File, HostedSite, form_at, multipart, send, send_files
from tests.runtime.site import OWN_FORM, Answer, Browser

TYPED = {"f-summary": "Screen flickers", "f-description": "Since today"}
NOTE: File = ("note.txt", "text/plain", b"flicker, flicker")


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with checked_jsm(accounts=(SERVICE_ACCOUNT,), desks=desks()) as site:
        yield site


def place(hosted: HostedSite, name: str = "Get IT help") -> str:
    return f"/portal/HELP/create/{type_id(hosted.jsm, name)}"


def sent_too_late(hosted: HostedSite, browser: Browser, files: list[File] | None = None, fields: Mapping[str, str] = TYPED) -> Answer:
    """A form that is sent an hour and a bit after it was shown."""
    where = place(hosted)
    page = browser.get(where)
    hosted.site.clock.advance(3601)
    return send_files(browser, page, where, fields, [("f-attachment", file) for file in files or []])


def tell_the_time(hosted: HostedSite) -> None:
    """The provider's clock is ours."""
    now = int(hosted.site.clock())
    hosted.provider.claims |= {"iat": now, "exp": now + 300}


def log_in_again(hosted: HostedSite, browser: Browser, person: LocalPerson) -> Answer:
    """The session is over; log in as somebody, and return the form where the login ends."""
    tell_the_time(hosted)
    browser.cookies.clear()
    hosted.provider.claims |= {"sub": f"sub-{person.email}", "email": person.email, "name": person.display_name}
    hosted.provider.userinfo["sub"] = f"sub-{person.email}"
    answer = browser.log_in(place(hosted))
    assert answer.location.endswith(place(hosted))
    return browser.get(place(hosted))


def nothing_is_kept(hosted: HostedSite) -> bool:
    return hosted.site.deployment.store.count("draft", now=hosted.site.clock()) == 0


def test_a_form_whose_session_ended_comes_back_filled_after_the_login(hosted: HostedSite, ann: Browser) -> None:
    answer = sent_too_late(hosted, ann, [NOTE])
    assert (answer.status, answer.location) == (303, place(hosted))
    page = log_in_again(hosted, ann, hosted.ann)
    assert "It was kept for you, and nothing was sent." in page.text
    assert 'value="Screen flickers"' in page.text
    assert "Since today" in page.text
    kept = re.search(r'name="kept" value="([^"]*)" checked', page.text)
    assert kept
    assert list(hosted.jsm.site.requests) == []
    assert send(ann, page, place(hosted), {**TYPED, "kept": unescape(kept[1])}).status == 303
    (issue,) = hosted.jsm.site.requests
    assert [(one.filename, one.content) for one in issue.attachments] == [("note.txt", b"flicker, flicker")]
    assert nothing_is_kept(hosted)


def test_a_form_with_errors_that_is_opened_again_has_what_was_typed(hosted: HostedSite, ann: Browser) -> None:
    where = place(hosted)
    page = ann.get(where)
    assert send(ann, page, where, {"f-summary": "", "f-description": "Since today"}).status == 400
    assert "Since today" in ann.get(where).text
    assert send(ann, page, where, TYPED).status == 303
    assert nothing_is_kept(hosted)


def test_an_empty_form_is_nothing_to_keep(hosted: HostedSite, ann: Browser) -> None:
    assert send(ann, ann.get(place(hosted)), place(hosted), {"f-summary": " "}).status == 400
    assert nothing_is_kept(hosted)


def test_a_file_that_is_no_longer_wanted_is_not_sent(hosted: HostedSite, ann: Browser) -> None:
    sent_too_late(hosted, ann, [NOTE])
    page = log_in_again(hosted, ann, hosted.ann)
    assert send(ann, page, place(hosted), TYPED).status == 303
    (issue,) = hosted.jsm.site.requests
    assert issue.attachments == []


def test_somebody_else_in_the_same_browser_gets_nothing(hosted: HostedSite, ann: Browser) -> None:
    sent_too_late(hosted, ann, [NOTE])
    page = log_in_again(hosted, ann, hosted.ben)
    assert "Screen flickers" not in page.text
    assert "note.txt" not in page.text
    assert "kept for you" not in page.text
    again = log_in_again(hosted, ann, hosted.ann)
    assert "Screen flickers" in again.text


def test_the_same_address_with_another_subject_gets_nothing(hosted: HostedSite, ann: Browser) -> None:
    sent_too_late(hosted, ann)
    tell_the_time(hosted)
    hosted.provider.claims |= {"sub": "somebody-new"}
    hosted.provider.userinfo["sub"] = "somebody-new"
    assert ann.log_in(place(hosted)).status == 303
    page = ann.get(place(hosted))
    assert "Screen flickers" not in page.text


def test_what_is_kept_is_for_this_form_alone(hosted: HostedSite, ann: Browser) -> None:
    sent_too_late(hosted, ann)
    log_in_again(hosted, ann, hosted.ann)
    assert "Screen flickers" not in ann.get(place(hosted, "New laptop")).text
    assert 'value="Screen flickers"' not in ann.get(f"{place(hosted)}?empty=1").text


@pytest.mark.parametrize(
    "owner",
    [
        pytest.param(lambda owner, other: "", id="none"),
        pytest.param(lambda owner, other: "x" * 100, id="made up"),
        pytest.param(lambda owner, other: owner[:-4] + "AAAA", id="altered"),
        pytest.param(lambda owner, other: other, id="of another form"),
        pytest.param(lambda owner, other: owner * 100, id="too long"),
        pytest.param(lambda owner, other: "\u00e9\x00", id="no letters of ours"),
    ],
)
def test_a_form_that_is_not_ours_is_not_kept(hosted: HostedSite, ann: Browser, owner: object) -> None:
    assert callable(owner)
    where, other = place(hosted), place(hosted, "New laptop")
    fields = form_at(ann.get(where), where)
    changed = owner(fields["owner"], form_at(ann.get(other), other)["owner"])
    hosted.site.clock.advance(3601)
    answer = ann.post(where, {**fields, **TYPED, "owner": changed})
    assert answer.status == 303
    assert nothing_is_kept(hosted)


def test_a_form_that_another_site_sent_is_not_kept(hosted: HostedSite, ann: Browser) -> None:
    where = place(hosted)
    fields = form_at(ann.get(where), where)
    hosted.site.clock.advance(3601)
    ann.post(where, {**fields, **TYPED}, {**OWN_FORM, "Sec-Fetch-Site": "cross-site"})
    assert nothing_is_kept(hosted)


def test_a_form_from_days_ago_is_not_kept(hosted: HostedSite, ann: Browser) -> None:
    where = place(hosted)
    fields = form_at(ann.get(where), where)
    hosted.site.clock.advance(4 * 86400)
    assert ann.post(where, {**fields, **TYPED}).status == 303
    assert nothing_is_kept(hosted)


@pytest.mark.parametrize("retention, hours, is_kept", [("2h", 1.9, True), ("2h", 2.1, False), (None, 23.0, True), (None, 25.0, False)])
def test_it_is_kept_as_long_as_the_profile_says(make_hosted: MakeHosted, retention: str | None, hours: float, is_kept: bool) -> None:
    hosted = make_hosted(**({"retention": {"drafts": retention}} if retention else {}))
    browser = hosted.signed_in(hosted.ann)
    sent_too_late(hosted, browser)
    hosted.site.clock.advance(hours * 3600)
    page = log_in_again(hosted, browser, hosted.ann)
    assert ("Screen flickers" in page.text) == is_kept


def test_files_that_are_too_large_to_be_kept_are_asked_for_again(hosted: HostedSite, ann: Browser) -> None:
    sent_too_late(hosted, ann, [("large.bin", "", b"x" * (5 * 1024 * 1024 + 1)), NOTE])
    page = log_in_again(hosted, ann, hosted.ann)
    assert "Some files were not kept. Please choose them again." in page.text
    assert "note.txt" in page.text
    assert "large.bin" not in page.text
    assert "Screen flickers" in page.text


def test_a_form_of_an_earlier_session_is_shown_again_and_not_sent(hosted: HostedSite, ann: Browser) -> None:
    where = place(hosted)
    page = ann.get(where)
    log_in_again(hosted, ann, hosted.ann)
    answer = send(ann, page, where, TYPED)
    assert answer.status == 403
    assert list(hosted.jsm.site.requests) == []
    assert "Screen flickers" in ann.get(where).text


def test_a_form_of_somebody_else_sent_in_ones_own_session_is_neither_sent_nor_kept(hosted: HostedSite, ann: Browser) -> None:
    where = place(hosted)
    page = ann.get(where)
    log_in_again(hosted, ann, hosted.ben)
    assert send(ann, page, where, TYPED).status == 403
    assert list(hosted.jsm.site.requests) == []
    assert nothing_is_kept(hosted)


def test_the_store_holds_nothing_readable_and_forgets_it_with_the_customer(hosted: HostedSite, ann: Browser) -> None:
    sent_too_late(hosted, ann, [NOTE])
    store = hosted.site.deployment.store
    assert store.about("ann@acme.example")["records"]
    for file in hosted.folder.glob("**/*.db*"):
        content = file.read_bytes()
        assert b"Screen flickers" not in content
        assert b"flicker, flicker" not in content
    store.forget("ann@acme.example")
    assert nothing_is_kept(hosted)


def test_a_form_that_cannot_be_read_is_said_so(hosted: HostedSite, ann: Browser) -> None:
    body, content_type = multipart(TYPED, [])
    answer = ann.request("POST", place(hosted), {**OWN_FORM, "Content-Type": content_type}, body=body[:-20])
    assert answer.status in (303, 400)
    answer = ann.request("POST", place(hosted), {**OWN_FORM, "Content-Type": "multipart/form-data"}, body=body)
    assert answer.status in (303, 400, 403)
    assert list(hosted.jsm.site.requests) == []
