from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from jsmsso.errors import JsmRefused
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.requests.comments import AUTHOR_PROPERTY, add_comment, comment_authors, public_comment, public_comments, set_author
from jsmsso.jsm.site import Site
from jsmsso.sandbox.jsm_people import LocalPerson
from jsmsso.sandbox.jsm_requests import LocalIssue
from jsmsso.sandbox.jsm_site import LocalAccount
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import checked_jsm, client_of, site_of

AGENT = LocalAccount("sso-bot@example.com", "t", role="agent")


@dataclass(frozen=True)
class Talk:
    """A request of Ann's, on a site that gives pages of two."""

    jsm: LocalJsm
    client: JsmClient
    site: Site
    ann: LocalPerson
    request: LocalIssue

    @property
    def key(self) -> str:
        return self.request.key

    def said(self, body: str, *, public: bool = True, files: tuple[tuple[str, bytes, str], ...] = ()) -> str:
        """A comment of an agent; returns its id."""
        made = self.jsm.site.requests.add_comment(self.request, AGENT.account_id, body, public=public, files=files)
        return made.id


@pytest.fixture(params=[pytest.param(False, id="Cloud"), pytest.param(True, id="Data Center")])
def talk(request: pytest.FixtureRequest) -> Iterator[Talk]:
    with checked_jsm(accounts=(AGENT,), data_center=request.param, max_limit=2) as jsm:
        ann = jsm.site.add_customer("ann@example.com")
        made = jsm.site.requests.add("HELP", "Get IT help", "Broken", reporter=ann)
        yield Talk(jsm, client_of(jsm), site_of(jsm), ann, made)


def test_all_public_comments_are_read_and_no_internal_one(talk: Talk) -> None:
    public = [talk.said(f"answer {number}") for number in range(4)]
    internal = talk.said("do not tell", public=False, files=(("plan.txt", b"x", "text/plain"),))
    comments = public_comments(talk.client, talk.site, talk.key)
    assert [comment.id for comment in comments] == public
    assert [comment.body for comment in comments] == [f"answer {number}" for number in range(4)]
    assert public_comment(talk.client, talk.site, talk.key, internal) is None
    for call in talk.jsm.seen:
        if call.path.endswith("/comment"):
            assert {("public", "true"), ("internal", "false")} <= set(call.query)
            assert b"do not tell" not in call.answer


def test_a_comment_carries_the_ids_of_all_its_files(talk: Talk) -> None:
    files = tuple((f"{number}.txt", b"x", "text/plain") for number in range(5))
    made = talk.said("with files", files=files)
    carried = tuple(file.id for file in talk.request.attachments)
    assert [comment.attachment_ids for comment in public_comments(talk.client, talk.site, talk.key)] == [carried]
    one = public_comment(talk.client, talk.site, talk.key, made)
    assert one is not None
    assert one.attachment_ids == carried


def test_a_comment_of_another_request_is_none_of_this_one(talk: Talk) -> None:
    other = talk.jsm.site.requests.add("HELP", "Get IT help", "Other", reporter=talk.ann)
    theirs = talk.jsm.site.requests.add_comment(other, AGENT.account_id, "for somebody else")
    assert public_comment(talk.client, talk.site, talk.key, theirs.id) is None


def test_a_comment_is_public_and_by_our_account_and_remembers_whose_words_it_has(talk: Talk) -> None:
    made = add_comment(talk.client, talk.site, talk.key, "It is *still* broken")
    before = comment_authors(talk.client, talk.site, [made.id])
    set_author(talk.client, talk.site, made.id, talk.ann.id)
    stored = talk.request.comments[-1]
    assert stored.public
    assert stored.properties == {AUTHOR_PROPERTY: {"accountId": talk.ann.id}}
    assert before == {}
    assert comment_authors(talk.client, talk.site, [talk.said("an agent's"), made.id, "no id"]) == {made.id: talk.ann.id}
    read = public_comment(talk.client, talk.site, talk.key, made.id)
    assert read is not None
    assert (read.body, bool(read.html)) == ("It is *still* broken", True)


def test_many_authors_are_one_question_on_cloud() -> None:
    with checked_jsm(accounts=(AGENT,)) as jsm:
        made = jsm.site.requests.add("HELP", "Get IT help", "Broken", reporter=jsm.site.add_customer("ann@example.com"))
        ids = [jsm.site.requests.add_comment(made, AGENT.account_id, str(number)).id for number in range(30)]
        for comment in made.comments:
            comment.properties[AUTHOR_PROPERTY] = {"accountId": f"author-of-{comment.id}"}
        jsm.seen.clear()
        assert comment_authors(client_of(jsm), site_of(jsm), ids) == {comment_id: f"author-of-{comment_id}" for comment_id in ids}
        assert len(jsm.seen) == 1


def test_what_jsm_does_not_take_is_said_in_its_words(talk: Talk) -> None:
    with pytest.raises(JsmRefused) as refused:
        add_comment(talk.client, talk.site, talk.key, "  ")
    assert refused.value.status == 400
    assert "empty" in refused.value.detail
