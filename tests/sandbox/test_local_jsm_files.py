from __future__ import annotations

from collections.abc import Iterator

import pytest

from jsmsso.sandbox.jsm_people import LocalPerson
from jsmsso.sandbox.jsm_pictures import SVG_ICON, thumbnail_of
from jsmsso.sandbox.jsm_requests import LocalIssue
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import EVERY_ROLE, ask, checked_jsm
from tests.sandbox.files import send_files, sent_file

REQUEST = "/rest/servicedeskapi/request"
CONTENT = "/rest/api/3/attachment/content"


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with checked_jsm(accounts=EVERY_ROLE) as running:
        yield running


@pytest.fixture
def ann(jsm: LocalJsm) -> LocalPerson:
    return jsm.add_customer("ann@acme.com", "Ann Acme")


@pytest.fixture
def issue(jsm: LocalJsm, ann: LocalPerson) -> LocalIssue:
    return jsm.site.requests.add("HELP", "Get IT help", "Printer", reporter=ann)


def test_files_are_uploaded_then_attached_once(jsm: LocalJsm, issue: LocalIssue) -> None:
    ids = [sent_file(jsm, "a.txt", b"A"), sent_file(jsm, "ü ö.png", b"B", "image/png")]
    body = {"temporaryAttachmentIds": ids, "public": True, "additionalComment": {"body": "See these."}}
    made = ask(jsm, "POST", f"{REQUEST}/{issue.key}/attachment", body)
    assert made.status_code == 201
    assert [file["filename"] for file in made.json()["attachments"]["values"]] == ["a.txt", "ü ö.png"]
    assert made.json()["comment"]["body"] == "See these.\n[^a.txt]\n[^ü ö.png]"
    assert ask(jsm, "POST", f"{REQUEST}/{issue.key}/attachment", body).status_code == 400
    url = made.json()["attachments"]["values"][1]["_links"]["self"]
    assert ask(jsm, "GET", url.removeprefix(jsm.url)).content == b"B"
    comment = f"{REQUEST}/{issue.key}/comment/{made.json()['comment']['id']}/attachment"
    assert ask(jsm, "GET", comment).json()["size"] == 2


@pytest.mark.parametrize(
    "token, part, limit, enabled, status",
    [
        pytest.param("", "file", 100, True, 403, id="without the header against forged requests"),
        pytest.param("no-check", "document", 100, True, 400, id="in a part of another name"),
        pytest.param("no-check", "file", 2, True, 413, id="larger than the site allows"),
        pytest.param("no-check", "file", 100, False, 403, id="where attachments are switched off"),
    ],
)
def test_an_upload_is_refused(jsm: LocalJsm, token: str, part: str, limit: int, enabled: bool, status: int) -> None:
    jsm.site.attachment_limit, jsm.site.attachments_enabled = limit, enabled
    assert send_files(jsm, ("a.txt", b"ABC", "text/plain"), token=token, part=part).status_code == status
    assert ask(jsm, "GET", "/rest/api/3/attachment/meta").json() == {"enabled": enabled, "uploadLimit": limit}


def test_a_file_of_another_desk_cannot_be_attached(jsm: LocalJsm, issue: LocalIssue) -> None:
    elsewhere = sent_file(jsm, "a.txt", b"A", desk="2")
    assert ask(jsm, "POST", f"{REQUEST}/{issue.key}/attachment", {"temporaryAttachmentIds": [elsewhere]}).status_code == 400


def test_an_agent_gets_the_files_of_internal_comments_and_nothing_tells_which_they_are(
    jsm: LocalJsm, issue: LocalIssue, ann: LocalPerson
) -> None:
    jsm.site.requests.add_comment(issue, ann, "secret", public=False, files=[("secret.txt", b"S", "text/plain")])
    jsm.site.requests.add_attachment(issue, ann, "open.txt", b"O", "text/plain")
    issue.participants.append(jsm.site.id_of(jsm.site.accounts[3]))
    path = f"{REQUEST}/{issue.key}/attachment"
    files = ask(jsm, "GET", path, token="agent").json()["values"]
    assert [file["filename"] for file in files] == ["secret.txt", "open.txt"]
    assert "public" not in files[0]
    assert [file["filename"] for file in ask(jsm, "GET", path, token="customer").json()["values"]] == ["open.txt"]


def test_cloud_sends_whoever_wants_a_file_to_another_host(jsm: LocalJsm, issue: LocalIssue, ann: LocalPerson) -> None:
    file = jsm.site.requests.add_attachment(issue, ann, "page.html", b"<script>", "text/html")
    away = ask(jsm, "GET", f"{CONTENT}/{file.id}?redirect=false", token="customer")
    assert away.status_code == 404
    here = ask(jsm, "GET", f"{CONTENT}/{file.id}?redirect=false")
    assert (here.content, here.headers["Content-Type"]) == (b"<script>", "text/html")
    assert "filename=page.html" in here.headers["Content-Disposition"]


@pytest.mark.parametrize(
    "mime_type, query, status",
    [
        pytest.param("image/png", "redirect=false&fallbackToDefault=false", 200, id="of a picture"),
        pytest.param("text/plain", "redirect=false&fallbackToDefault=false", 404, id="of a text"),
        pytest.param("text/plain", "redirect=false", 200, id="of a text, the default one"),
    ],
)
def test_thumbnails_are_of_pictures(jsm: LocalJsm, issue: LocalIssue, ann: LocalPerson, mime_type: str, query: str, status: int) -> None:
    file = jsm.site.requests.add_attachment(issue, ann, "a", thumbnail_of("image/png") or b"", mime_type)
    answer = ask(jsm, "GET", f"/rest/api/3/attachment/thumbnail/{file.id}?{query}")
    assert answer.status_code == status
    assert answer.content.startswith(b"\x89PNG") == (status == 200)


def test_an_icon_may_be_svg(jsm: LocalJsm) -> None:
    path = "/rest/api/3/universal_avatar/view/type/SD_REQTYPE/avatar"
    assert ask(jsm, "GET", f"{path}/{SVG_ICON}").headers["Content-Type"] == "image/svg+xml"
    assert ask(jsm, "GET", f"{path}/1").status_code == 404


def test_data_center_has_its_files_below_secure() -> None:
    with checked_jsm(data_center=True) as jsm:
        issue = jsm.site.requests.add("HELP", "Get IT help", "x", reporter=jsm.add_customer("ann@acme.com"))
        body = {"temporaryAttachmentIds": [sent_file(jsm, "a b.txt", b"A")], "public": True}
        made = ask(jsm, "POST", f"{REQUEST}/{issue.key}/attachment", body).json()["attachments"]["values"][0]
        assert "self" not in made["_links"]
        assert ask(jsm, "GET", made["_links"]["content"].removeprefix(jsm.url)).content == b"A"
        number = made["_links"]["jiraRest"].rpartition("/")[2]
        assert ask(jsm, "GET", f"/rest/api/2/attachment/{number}").json()["filename"] == "a b.txt"
