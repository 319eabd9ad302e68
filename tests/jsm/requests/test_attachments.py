from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO

import pytest

from jsmsso.errors import JsmAnswerInvalid, JsmRefused
from jsmsso.http_client import HttpClient
from jsmsso.http_uploads import OutgoingFile
from jsmsso.jsm.authentication import ApiToken, PersonalAccessToken
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.connection import FILE_DEADLINE, MOST_FILE
from jsmsso.jsm.requests.articles import article_html, articles
from jsmsso.jsm.requests.attachments import (
    attach,
    attachment_limit,
    attachments,
    icon,
    open_attachment,
    thumbnail,
    upload_temporary,
)
from jsmsso.jsm.requests.comments import add_comment_with_files, public_comments
from jsmsso.jsm.site import Site
from jsmsso.sandbox.jsm_articles import EXAMPLES
from jsmsso.sandbox.jsm_requests import LocalIssue
from jsmsso.sandbox.jsm_site import LocalAccount
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import checked_jsm, client_of, site_of

AGENT = LocalAccount("sso-bot@example.com", "t", role="agent")
PICTURE, LINES = b"\x89PNG\r\n\x1a\n" + bytes(range(256)), b"--boundary\r\n\r\nline\r\n"


def outgoing(name: str, mime_type: str, content: bytes) -> OutgoingFile:
    return OutgoingFile(name, mime_type, len(content), lambda: BytesIO(content))


PNG = outgoing("picture.png", "image/png", PICTURE)
LOG = outgoing("log für Ann.txt", "text/plain", LINES)


def content_of(client: JsmClient, site: Site, attachment_id: str) -> bytes:
    with closing(open_attachment(client, site, attachment_id)) as opened:
        return opened.whole(MOST_FILE)


@dataclass(frozen=True)
class Files:
    """A request of Ann's, and our client with its session for files."""

    jsm: LocalJsm
    client: JsmClient
    site: Site
    request: LocalIssue

    @property
    def key(self) -> str:
        return self.request.key


@pytest.fixture(params=[pytest.param(False, id="Cloud"), pytest.param(True, id="Data Center")])
def files(request: pytest.FixtureRequest) -> Iterator[Files]:
    with checked_jsm(accounts=(AGENT,), data_center=request.param, max_limit=2, articles=list(EXAMPLES)) as jsm:
        http = HttpClient()
        login = PersonalAccessToken(AGENT.token) if request.param else ApiToken(AGENT.email, AGENT.token)
        large = http.session(deadline=FILE_DEADLINE, max_bytes=MOST_FILE)
        client = JsmClient(http.session(), jsm.url, login, files=large)
        made = jsm.site.requests.add("HELP", "Get IT help", "Broken", reporter=jsm.site.add_customer("ann@example.com"))
        yield Files(jsm, client, site_of(jsm), made)


def test_files_go_up_and_come_back_as_they_were(files: Files) -> None:
    ids = upload_temporary(files.client, files.site, "1", [PNG, LOG])
    put = attach(files.client, files.site, files.key, ids)
    assert [(one.filename, one.mime_type, one.size) for one in put] == [(one.name, one.mime_type, one.size) for one in (PNG, LOG)]
    assert attachments(files.client, files.site, files.key) == put
    assert [content_of(files.client, files.site, one.id) for one in put] == [PICTURE, LINES]
    assert {one.author_id for one in put} == {files.request.attachments[0].author_id}


def test_a_comment_brings_its_files_along(files: Files) -> None:
    ids = upload_temporary(files.client, files.site, "1", [PNG])
    comment, carried = add_comment_with_files(files.client, files.site, files.key, "See the picture", ids)
    assert comment.attachment_ids == tuple(file.id for file in carried)
    read = public_comments(files.client, files.site, files.key)
    assert [(one.id, one.attachment_ids) for one in read] == [(comment.id, comment.attachment_ids)]
    assert read[0].body.startswith("See the picture")


def test_a_files_name_cannot_make_headers_of_its_own(files: Files) -> None:
    nasty = outgoing('a"\r\nContent-Type: text/html\r\n\r\n<b>.txt', "text/html\r\nX: y", b"x")
    ids = upload_temporary(files.client, files.site, "1", [nasty])
    put = attach(files.client, files.site, files.key, ids)
    assert [(one.filename, one.mime_type) for one in put] == [("html_b_.txt", "application/octet-stream")]


def test_more_files_than_a_page_are_all_listed(files: Files) -> None:
    for number in range(5):
        files.jsm.site.requests.add_attachment(files.request, AGENT.account_id, f"{number}.txt", b"x", "text/plain")
    found = attachments(files.client, files.site, files.key)
    assert [one.filename for one in found] == [f"{number}.txt" for number in range(5)]
    assert [one.id for one in found] == [one.id for one in files.request.attachments]


def test_a_file_may_be_larger_than_any_other_answer(files: Files) -> None:
    content = bytes(3_000_000)
    big = files.jsm.site.requests.add_attachment(files.request, AGENT.account_id, "big.bin", content)
    assert content_of(files.client, files.site, big.id) == content
    without = client_of(files.jsm)
    with pytest.raises(JsmAnswerInvalid, match="too large"):
        content_of(without, files.site, big.id)


def test_a_file_that_is_not_there_is_jsms_refusal(files: Files) -> None:
    with pytest.raises(JsmRefused) as refused:
        content_of(files.client, files.site, "99999")
    assert refused.value.status == 404


def test_the_limit_is_the_sites_and_nothing_where_files_are_switched_off(files: Files) -> None:
    assert attachment_limit(files.client, files.site) == 20_000_000
    files.jsm.site.attachments_enabled = False
    assert attachment_limit(files.client, files.site) == 0


def test_a_file_beyond_the_limit_is_refused_in_jsms_words(files: Files) -> None:
    files.jsm.site.attachment_limit = 10
    with pytest.raises(JsmRefused) as refused:
        upload_temporary(files.client, files.site, "1", [outgoing("a.txt", "text/plain", bytes(11))])
    assert refused.value.status == 413
    assert "larger than 10 bytes" in refused.value.detail


def test_pictures_come_with_what_they_are_said_to_be(files: Files) -> None:
    picture = files.jsm.site.requests.add_attachment(files.request, AGENT.account_id, "a.png", PICTURE, "image/png")
    assert thumbnail(files.client, files.site, picture.id).startswith(b"\x89PNG")
    content, type_ = icon(files.client, files.site, "10516")
    assert (content[:4], type_) == (b"\x89PNG", "image/png")
    assert icon(files.client, files.site, "10599")[1] == "image/svg+xml"


def test_the_knowledge_base_is_searched_and_an_article_read(files: Files) -> None:
    found = articles(files.client, files.site, "1", "printer")
    assert [(one.id, one.title, one.space) for one in found] == [("65601", "Connect to the printer on your floor", "KB")]
    assert "Find it" in article_html(files.client, files.site, "65601")
    assert articles(files.client, files.site, "1", "xyzzy") == ()
