"""Files of requests: which of them a customer gets, and as what."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

import pytest

from jsmsso.portal.files import disposition
from jsmsso.portal.pictures import picture_type
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_pictures import SVG_ICON
from jsmsso.sandbox.jsm_request_types import RequestTypeDraft
from jsmsso.sandbox.jsm_requests import LocalIssue
from jsmsso.sandbox.jsm_site import default_desks
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import checked_jsm
from tests.portal.conftest import MakeHosted
from tests.portal.hosted_site import SERVICE_ACCOUNT, HostedSite, form_at, send_files
from tests.runtime.site import Answer, Browser

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"


def file_at(browser: Browser, issue: LocalIssue, number: int = 0, kind: str = "attachment") -> Answer:
    return browser.get(f"/portal/HELP/{issue.key}/{kind}/{issue.attachments[number].id}")


@pytest.mark.parametrize(
    "name, content, claimed, served",
    [
        pytest.param("a.png", PNG, "image/png", "image/png", id="a picture"),
        pytest.param("a.bin", PNG, "application/x-msdownload", "image/png", id="a picture that is called otherwise"),
        pytest.param("a.png", b"<script>alert(1)</script>", "image/png", "application/octet-stream", id="a page that is called a picture"),
        pytest.param("a.html", b"<html><script>x</script>", "text/html", "application/octet-stream", id="a page"),
        pytest.param("a.svg", b"<svg xmlns='x'><script>x</script></svg>", "image/svg+xml", "application/octet-stream", id="SVG"),
        pytest.param("a.pdf", b"%PDF-1.7", "application/pdf", "application/octet-stream", id="PDF"),
        pytest.param("a.txt", b"hello", "text/plain", "application/octet-stream", id="text"),
        pytest.param("a.png", b"", "image/png", "application/octet-stream", id="nothing"),
    ],
)
def test_files_are_downloads_of_a_type_that_is_checked(
    hosted: HostedSite, jsm: LocalJsm, name: str, content: bytes, claimed: str, served: str
) -> None:
    issue = hosted.request(hosted.ann)
    jsm.site.requests.add_comment(issue, hosted.agent, "See", files=[(name, content, claimed)])
    answer = file_at(hosted.signed_in(hosted.ann), issue)
    assert (answer.status, answer.body) == (200, content)
    assert answer.header("Content-Type") == served
    assert answer.header("Content-Disposition") == f"attachment; filename=\"{name}\"; filename*=UTF-8''{name}"
    assert answer.header("Content-Security-Policy") == POLICY
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("Cache-Control") == "no-store"
    (line,) = hosted.audit("attachment.downloaded")
    assert (line["file"], line["size"], line["request"], line["email"]) == (name, len(content), issue.key, "ann@acme.example")


def test_files_are_fetched_by_us_and_never_by_a_redirect(hosted: HostedSite, jsm: LocalJsm) -> None:
    issue = hosted.request(hosted.ann)
    jsm.site.requests.add_comment(issue, hosted.agent, "See", files=[("a.png", PNG, "image/png")])
    number = len(jsm.seen)
    file_at(hosted.signed_in(hosted.ann), issue)
    (fetched,) = [one for one in hosted.calls_since(number) if "/content/" in one.path]
    assert dict(fetched.query) == {"redirect": "false"}


@pytest.mark.parametrize(
    "name, header",
    [
        pytest.param("a b.txt", "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt", id="a space"),
        pytest.param("Ü東.pdf", f"attachment; filename=\"__.pdf\"; filename*=UTF-8''{quote('Ü東.pdf')}", id="other letters"),
        pytest.param('a";x="b.txt', "attachment; filename=\"a__x=_b.txt\"; filename*=UTF-8''a_%3Bx%3D_b.txt", id="quotes"),
        pytest.param("a\r\nX: y", "attachment; filename=\"a_X_ y\"; filename*=UTF-8''a_X_%20y", id="lines"),
        pytest.param("../../x", "attachment; filename=\"x\"; filename*=UTF-8''x", id="folders"),
        pytest.param("a%20b", "attachment; filename=\"a_20b\"; filename*=UTF-8''a%2520b", id="percent"),
        pytest.param("", "attachment; filename=\"file\"; filename*=UTF-8''file", id="none"),
    ],
)  # fmt: skip
def test_a_file_s_name_stays_a_name(name: str, header: str) -> None:
    assert disposition(name) == header


@pytest.mark.parametrize(
    "content, kind",
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a;", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVE", ""),
        (b"<?xml version='1.0'?><svg/>", ""),
        (b"", ""),
    ],
)
def test_pictures_are_known_by_their_bytes(content: bytes, kind: str) -> None:
    assert picture_type(content) == kind


def test_which_files_a_customer_gets(hosted: HostedSite, jsm: LocalJsm) -> None:
    issue = hosted.request(hosted.ann)
    requests = jsm.site.requests
    requests.add_comment(issue, hosted.agent, "public", files=[("public.png", PNG, "image/png")])
    requests.add_comment(issue, hosted.agent, "internal", public=False, files=[("internal.png", PNG, "image/png")])
    requests.add_comment(issue, hosted.bot, "internal", public=False, files=[("ours internal.png", PNG, "image/png")])
    requests.add_attachment(issue, hosted.ann, "reporter.png", PNG, "image/png")
    requests.add_attachment(issue, hosted.agent, "loose.png", PNG, "image/png")
    requests.add_attachment(issue, hosted.bot, "ours loose.png", PNG, "image/png")
    browser = hosted.signed_in(hosted.ann)
    page = browser.get(f"/portal/HELP/{issue.key}")
    statuses = {one.filename: file_at(browser, issue, n).status for n, one in enumerate(issue.attachments)}
    assert {name for name, status in statuses.items() if status == 200} == {"public.png", "reporter.png"}
    assert set(statuses.values()) == {200, 404}
    pictures = {one.filename: file_at(browser, issue, n, "thumbnail").status for n, one in enumerate(issue.attachments)}
    assert pictures == statuses
    assert [one.filename for one in issue.attachments if one.filename in page.text] == ["public.png", "reporter.png"]
    assert len(hosted.audit("access.denied")) == 8


def test_a_file_of_a_comment_that_is_gone_is_gone_within_a_minute(hosted: HostedSite, jsm: LocalJsm) -> None:
    issue = hosted.request(hosted.ann)
    jsm.site.requests.add_comment(issue, hosted.agent, "public", files=[("public.png", PNG, "image/png")])
    browser = hosted.signed_in(hosted.ann)
    assert file_at(browser, issue).status == 200
    issue.comments[0].public = False
    hosted.site.clock.advance(61)
    assert file_at(browser, issue).status == 404


def test_a_file_of_nobody_on_a_request_of_nobody_is_nobody_s(hosted: HostedSite, jsm: LocalJsm) -> None:
    issue = hosted.request("", participants=[hosted.ann])
    jsm.site.requests.add_attachment(issue, "", "a.png", PNG, "image/png")
    browser = hosted.signed_in(hosted.ann)
    assert browser.get(f"/portal/HELP/{issue.key}").status == 200
    assert file_at(browser, issue).status == 404


def test_files_sent_here_come_back(hosted: HostedSite) -> None:
    issue = hosted.request(hosted.ann)
    browser = hosted.signed_in(hosted.ann)
    here = f"/portal/HELP/{issue.key}"
    send_files(browser, browser.get(here), f"{here}/comment", {"text": "See"}, [("files", ("a.png", "image/png", PNG))])
    assert file_at(browser, issue).body == PNG
    assert "a.png" in browser.get(here).text


def test_files_raised_with_a_request_here_come_back(hosted: HostedSite, jsm: LocalJsm) -> None:
    browser = hosted.signed_in(hosted.ann)
    place = jsm.site.desk("HELP")
    assert place is not None
    type_id = next(one.id for one in place.types if any(field.id == "attachment" for field in one.draft.fields))
    address = f"/portal/HELP/create/{type_id}"
    form = browser.get(address)
    fields = form_at(form, address) | {"f-summary": "Monitor"}
    answer = send_files(browser, form, address, fields, [("f-attachment", ("a.png", "image/png", PNG))])
    assert answer.status == 303, answer.text
    (issue,) = list(jsm.site.requests)
    assert [one.author_id for one in issue.attachments] == [hosted.bot]
    assert file_at(browser, issue).body == PNG
    assert "a.png" in browser.get(answer.location).text
    jsm.site.requests.add_comment(issue, hosted.agent, "x", public=False, files=[("internal.png", PNG, "image/png")])
    assert file_at(browser, issue, 1).status == 404


def test_pictures_in_comments_come_through_our_own_address(hosted: HostedSite, jsm: LocalJsm) -> None:
    issue = hosted.request(hosted.ann)
    requests = jsm.site.requests
    requests.add_comment(issue, hosted.agent, "x", public=False, files=[("secret.png", PNG, "image/png")])
    secret = issue.attachments[0].id
    comment = requests.add_comment(issue, hosted.agent, "x", files=[("shown.png", PNG, "image/png")])
    shown = issue.attachments[1].id
    comment.html = "".join(
        f'<img src="{src}" alt="picture">'
        for src in (
            f"{jsm.url}/rest/api/3/attachment/content/{shown}",
            f"/secure/attachment/{secret}/secret.png",
            "https://evil.example/p.gif",
        )
    )
    page = hosted.signed_in(hosted.ann).get(f"/portal/HELP/{issue.key}")
    assert f'<img src="/portal/HELP/{issue.key}/attachment/{shown}" alt="picture">picturepicture' in page.text


@pytest.mark.parametrize(
    "fault, status",
    [
        pytest.param(Fault("status", status=404, path="/rest/api/3/attachment/content/"), 404, id="gone meanwhile"),
        pytest.param(Fault("status", status=500, path="/rest/api/3/attachment/content/"), 502, id="JSM down"),
    ],
)
def test_a_file_that_cannot_be_had(hosted: HostedSite, jsm: LocalJsm, fault: Fault, status: int) -> None:
    issue = hosted.request(hosted.ann)
    jsm.site.requests.add_comment(issue, hosted.agent, "public", files=[("a.png", PNG, "image/png")])
    browser = hosted.signed_in(hosted.ann)
    jsm.break_with(fault)
    assert file_at(browser, issue).status == status


def test_thumbnails_are_pictures_or_nothing(hosted: HostedSite, jsm: LocalJsm) -> None:
    issue = hosted.request(hosted.ann)
    files = [("a.png", PNG, "image/png"), ("a.svg", b"<svg/>", "image/svg+xml"), ("a.txt", b"x", "text/plain")]
    jsm.site.requests.add_comment(issue, hosted.agent, "See", files=files)
    browser = hosted.signed_in(hosted.ann)
    answers = [file_at(browser, issue, number, "thumbnail") for number in range(3)]
    assert [one.status for one in answers] == [200, 404, 404]
    assert answers[0].header("Content-Type").startswith("image/")
    assert answers[0].header("Content-Security-Policy") == POLICY
    page = browser.get(f"/portal/HELP/{issue.key}")
    assert page.text.count("/thumbnail/") == 1


def test_icons_of_request_types_are_pictures_that_are_kept(hosted: HostedSite, jsm: LocalJsm) -> None:
    place = jsm.site.desk("HELP")
    assert place is not None
    browser = hosted.signed_in(hosted.ann)
    address = f"/portal/HELP/icon/{place.types[0].id}"
    first = browser.get(address)
    number = len(jsm.seen)
    again = browser.get(address)
    assert (first.status, first.body) == (again.status, again.body) == (200, again.body)
    assert not [one.path for one in hosted.calls_since(number) if "avatar" in one.path]
    assert (first.header("Content-Type"), first.header("Cache-Control")) == ("image/png", "private, max-age=86400")
    assert first.header("Content-Security-Policy") == POLICY
    assert browser.get("/portal/HELP/icon/99999").status == 404


def test_an_icon_that_is_svg_is_not_handed_out(make_hosted: MakeHosted) -> None:
    first, *others = default_desks()
    drawn = RequestTypeDraft("Drawn", icon=SVG_ICON)
    with checked_jsm(desks=(replace(first, request_types=(drawn,)), *others), accounts=(SERVICE_ACCOUNT,)) as jsm:
        hosted = make_hosted(jsm=jsm)
        assert hosted.signed_in(hosted.ann).get("/portal/HELP/icon/100").location.endswith("/request.svg")


def test_icons_of_types_that_are_not_offered_are_not_there(make_hosted: MakeHosted, jsm: LocalJsm) -> None:
    place = jsm.site.desk("HELP")
    assert place is not None
    second = place.types[1]
    hosted = make_hosted(help={"request_types": {"deny": [second.name]}})
    browser = hosted.signed_in(hosted.ann)
    assert browser.get(f"/portal/HELP/icon/{second.id}").status == 404
