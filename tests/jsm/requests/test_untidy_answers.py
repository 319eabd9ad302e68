"""Answers are only as tidy as the site: what is wrong in them is skipped or becomes an error of ours, never another's."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsmsso.errors import JsmFailed
from jsmsso.http_uploads import OutgoingFile
from jsmsso.jsm.requests.articles import articles
from jsmsso.jsm.requests.attachments import attach, attachment_limit, attachments, upload_temporary
from jsmsso.jsm.requests.comments import add_comment, add_comment_with_files, comment_authors, public_comment, public_comments
from jsmsso.jsm.requests.fields import IssueFields, issue_fields
from jsmsso.jsm.requests.issues import read_issue, search_issues
from jsmsso.jsm.requests.request_types import has_jira_form, may_create, request_types, type_groups
from jsmsso.jsm.requests.requests import create_request, participants, request_details, slas, transitions
from jsmsso.jsm.requests.type_form import type_form
from jsmsso.jsm.site import Site
from tests.jsm.requests.canned import CLOUD, DATA_CENTER, answering, page_of

FIELDS = IssueFields("customfield_1", "customfield_2", "customfield_3", "customfield_4")
WHEN = "2026-11-23T10:00:00.000+0000"
LINKS = {"jiraRest": "https://acme.example/rest/api/2/attachment/10000"}

CALLS: list[Callable[[Any, Site], object]] = [
    issue_fields,
    lambda client, site: read_issue(client, site, FIELDS, "HELP-1"),
    lambda client, site: search_issues(client, site, FIELDS, "project = HELP"),
    lambda client, site: request_types(client, site, "1"),
    lambda client, site: type_groups(client, site, "1"),
    lambda client, site: may_create(client, site, "1", "abc", ["10", "20"]),
    lambda client, site: type_form(client, site, "1", "10"),
    lambda client, site: has_jira_form(client, site, "1", "10"),
    lambda client, site: request_details(client, site, "HELP-1"),
    lambda client, site: create_request(client, site, "1", "10", {"summary": "x"}, on_behalf_of="abc"),
    lambda client, site: participants(client, site, "HELP-1"),
    lambda client, site: transitions(client, site, "HELP-1"),
    lambda client, site: slas(client, site, "HELP-1"),
    lambda client, site: public_comments(client, site, "HELP-1"),
    lambda client, site: public_comment(client, site, "HELP-1", "1000"),
    lambda client, site: add_comment(client, site, "HELP-1", "x"),
    lambda client, site: add_comment_with_files(client, site, "HELP-1", "x", ["t"]),
    lambda client, site: comment_authors(client, site, ["1000"]),
    lambda client, site: attachments(client, site, "HELP-1"),
    attachment_limit,
    lambda client, site: upload_temporary(client, site, "1", [OutgoingFile("a.txt", "text/plain", 1, lambda: BytesIO(b"x"))]),
    lambda client, site: attach(client, site, "HELP-1", ["t"]),
    lambda client, site: articles(client, site, "1", "vpn"),
]

NAMES = [
    "id",
    "key",
    "fields",
    "values",
    "name",
    "accountId",
    "summary",
    "status",
    "statusCategory",
    "project",
    "created",
    "updated",
    "reporter",
    "schema",
    "custom",
    "issues",
    "total",
    "requestTypeFields",
    "fieldId",
    "jiraSchema",
    "type",
    "items",
    "validValues",
    "value",
    "label",
    "children",
    "defaultValues",
    "issueKey",
    "createdDate",
    "iso8601",
    "epochMillis",
    "requestFieldValues",
    "renderedValue",
    "html",
    "currentStatus",
    "ongoingCycle",
    "completedCycles",
    "breachTime",
    "public",
    "attachments",
    "_links",
    "self",
    "jiraRest",
    "filename",
    "size",
    "mimeType",
    "author",
    "properties",
    "temporaryAttachments",
    "temporaryAttachmentId",
    "comment",
    "uploadLimit",
    "enabled",
    "title",
    "source",
    "content",
    "iframeSrc",
    "canCreateRequest",
    "groupIds",
    "icon",
    "customfield_1",
    "customfield_2",
    "customfield_3",
    "customfield_4",
    "approvers",
    "approver",
]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "1000", "public", WHEN])
    | st.text(max_size=5)
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6), max_leaves=12
)


@given(JSON, st.sampled_from([CLOUD, DATA_CENTER]))
def test_whatever_jsm_answers_is_a_result_or_an_error_of_ours(answer: Any, site: Site) -> None:
    told = [answer]
    if isinstance(answer, dict):
        told += [page_of({"id": "1000", "name": "x", **answer}), [answer], {"issues": [answer]}, {"requestTypeFields": [answer]}]
    for one in told:
        for call in CALLS:
            with contextlib.suppress(JsmFailed):
                call(answering(one), site)


def issue(**fields: Any) -> dict[str, Any]:
    usual = {"summary": "Broken", "created": WHEN, "updated": WHEN, "project": {"id": 10, "key": "HELP"}, "reporter": {"accountId": "ann"}}
    return {"id": "10001", "key": "HELP-1", "fields": usual | fields}


@pytest.mark.parametrize(
    ("value", "is_request"),
    [
        pytest.param({"requestType": {"id": "10"}}, True, id="Cloud's object"),
        pytest.param("help/4f0e9f4c-8a0e-4f0c-9a57-6d0a1a6a4b5b", True, id="Data Center's text"),
        pytest.param(None, False, id="an issue that is no request"),
        pytest.param("", False, id="an empty text"),
        pytest.param({}, False, id="an empty object"),
        pytest.param(["x"], False, id="a list"),
        pytest.param(True, False, id="a yes"),
    ],
)
def test_only_what_says_its_request_type_is_a_request(value: Any, is_request: bool) -> None:
    facts = read_issue(answering(issue(customfield_3=value)), CLOUD, FIELDS, "HELP-1")
    assert facts is not None
    assert bool(facts.request_type_id) is is_request


def test_a_site_without_the_custom_fields_shares_nothing_with_anybody() -> None:
    everything = issue(**{"": [{"id": "7", "accountId": "eve"}], "customfield_2": [{"accountId": "eve"}]})
    facts = read_issue(answering(everything), CLOUD, IssueFields("", "", "", ""), "HELP-1")
    assert facts is not None
    assert facts.participant_ids | facts.organization_ids | facts.approver_ids == frozenset()
    assert not facts.request_type_id


@pytest.mark.parametrize("key", ["../../user", "HELP-1/comment", "HELP-1?expand=comment", "", "HELP 1", "HELP-1#"])
def test_what_is_no_key_is_nobodys_request_and_asks_nothing(key: str) -> None:
    client = answering(issue())
    assert read_issue(client, CLOUD, FIELDS, key) is None
    assert request_details(client, CLOUD, key) is None
    assert public_comment(client, CLOUD, key, "1000") is None
    assert client._session.asked == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("public", [False, None, "true", 1, [True]])
def test_a_comment_that_does_not_plainly_say_that_it_is_public_is_never_shown(public: Any) -> None:
    told = {"id": "1000", "body": "secret", "public": public, "created": {"epochMillis": 1_444_360_920_000}}
    assert public_comments(answering(page_of(told)), CLOUD, "HELP-1") == ()
    assert public_comment(answering(told), CLOUD, "HELP-1", "1000") is None


def test_a_comment_of_another_id_is_not_the_one_that_was_asked_for() -> None:
    told = {"id": "1001", "body": "other", "public": True, "created": {"epochMillis": 1_444_360_920_000}}
    assert public_comment(answering(told), CLOUD, "HELP-1", "1000") is None


@pytest.mark.parametrize(
    ("links", "found"),
    [
        pytest.param({"self": "https://x/rest/servicedeskapi/request/1/attachment/10001"}, "10001", id="its own address"),
        pytest.param({"jiraRest": "https://x/rest/api/2/attachment/10000"}, "10000", id="the platform's address"),
        pytest.param({"self": "https://x/attachment/10001/../../evil"}, "", id="an address that leads elsewhere"),
        pytest.param({"content": "https://x/secure/attachment/10000/a.png"}, "", id="no address of its own"),
        pytest.param({"self": 7}, "", id="no address at all"),
    ],
)
def test_the_id_of_an_attachment_is_the_number_at_the_end_of_its_address(links: Any, found: str) -> None:
    told = {"filename": "a.png", "created": {"epochMillis": 1_444_360_920_000}, "size": 3, "mimeType": "image/png", "_links": links}
    assert [one.id for one in attachments(answering(page_of(told)), CLOUD, "HELP-1")] == ([found] if found else [])
