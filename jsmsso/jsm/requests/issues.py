"""What an issue says of who it belongs to: the facts on which it is decided who may see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jsmsso.errors import JsmAnswerInvalid, JsmRefused
from jsmsso.jsm.answers import PLAIN_ID, text_of
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.requests.fields import IssueFields
from jsmsso.jsm.requests.reading import dict_of, dicts_of, time_of
from jsmsso.jsm.site import Site
from jsmsso.jsm.users import user_id_of

NEEDS = "Browse projects on the service desk's project"
FACTS = ("summary", "status", "project", "created", "updated", "reporter")
CATEGORIES = frozenset({"new", "indeterminate", "done"})
MOST_RECONCILED = 50  # ids (Atlassian: POST /rest/api/3/search/jql)


@dataclass(frozen=True, slots=True)
class IssueFacts:
    """An issue as JSM has it at this moment. People are account ids on Cloud, user names on Data Center.

    ``status`` is what customers read, where the site tells it apart from the workflow's own name.
    ``status_category`` is ``new``, ``indeterminate``, ``done`` or empty. Without ``request_type_id`` it is no request.
    """

    id: str
    key: str
    project_key: str
    project_id: str
    summary: str
    status: str
    status_category: str
    created: datetime
    updated: datetime
    reporter_id: str
    participant_ids: frozenset[str]
    organization_ids: frozenset[str]
    approver_ids: frozenset[str]
    request_type_id: str
    reporter_name: str = ""


@dataclass(frozen=True, slots=True)
class IssuePage:
    """Found issues; ``next_token`` leads to the ones after them, empty where these are the last."""

    issues: tuple[IssueFacts, ...]
    next_token: str


def read_issue(client: JsmClient, site: Site, fields: IssueFields, key: str) -> IssueFacts | None:
    """The issue of this key, also of one that it had before it was moved; None where there is none, or none for us.

    Atlassian: ``GET /rest/api/3/issue/<key>``. Only these facts are asked for, never comments or attachments.
    """
    if not PLAIN_ID.fullmatch(key):
        return None
    try:
        answer = client.get(f"{site.api}/issue/{key}", {"fields": ",".join(_asked(fields))}, needs=NEEDS)
    except JsmRefused as error:
        if error.status in (403, 404):
            return None
        raise
    facts = _facts(answer, site, fields)
    if facts is None:
        raise JsmAnswerInvalid(f"JSM's answer to {site.api}/issue/{key} is no issue")
    return facts


def search_issues(
    client: JsmClient,
    site: Site,
    fields: IssueFields,
    jql: str,
    *,
    page_token: str = "",
    limit: int = 20,
    reconcile: Sequence[int] = (),
) -> IssuePage:
    """A page of what ``jql`` finds (Atlassian: ``POST /rest/api/3/search/jql``, Data Center ``POST /rest/api/2/search``).

    A search may lag behind what was written, except for the issues whose ids are in ``reconcile`` (the last 50 count;
    Data Center has no lag). Raises :class:`JsmRefused` with 400 for JQL that the site does not understand.
    """
    question: dict[str, Any] = {"jql": jql, "fields": _asked(fields), "maxResults": limit}
    if not site.is_cloud:
        return _searched_by_place(client, site, fields, question, int(page_token) if page_token.isdecimal() else 0)
    if page_token:
        question["nextPageToken"] = page_token
    if reconcile:
        question["reconcileIssues"] = list(dict.fromkeys(reconcile))[-MOST_RECONCILED:]
    answer = dict_of(client.ask(f"{site.api}/search/jql", question, needs=NEEDS))
    _, found = _found(answer, site, fields)
    return IssuePage(found, "" if answer.get("isLast") is True else text_of(answer.get("nextPageToken")))


def _searched_by_place(client: JsmClient, site: Site, fields: IssueFields, question: dict[str, Any], start: int) -> IssuePage:
    answer = dict_of(client.ask(f"{site.api}/search", {**question, "startAt": start}, needs=NEEDS))
    count, found = _found(answer, site, fields)
    total = answer.get("total")
    more = bool(count) and isinstance(total, int) and start + count < total
    return IssuePage(found, str(start + count) if more else "")


def _found(answer: dict[str, Any], site: Site, fields: IssueFields) -> tuple[int, tuple[IssueFacts, ...]]:
    """How many there were, and those that can be read."""
    items = answer.get("issues")
    if not isinstance(items, list):
        raise JsmAnswerInvalid("JSM's answer to a search has no issues", "Is jsm.url the address of a Jira site?")
    return len(items), tuple(facts for item in items if (facts := _facts(item, site, fields)) is not None)


def _asked(fields: IssueFields) -> list[str]:
    return [*FACTS, *fields.ids]


def _facts(item: Any, site: Site, fields: IssueFields) -> IssueFacts | None:
    """The facts of an issue; None where it does not say what it is. Whom it is shared with counts only where it is plain."""
    told = dict_of(dict_of(item).get("fields"))
    project, status = dict_of(told.get("project")), dict_of(told.get("status"))
    created, updated = time_of(told.get("created")), time_of(told.get("updated"))
    issue_id, key = text_of(dict_of(item).get("id")), text_of(dict_of(item).get("key"))
    if not (issue_id and key and created and updated):
        return None
    category = text_of(dict_of(status.get("statusCategory")).get("key"))
    return IssueFacts(
        id=issue_id,
        key=key,
        project_key=text_of(project.get("key")),
        project_id=text_of(project.get("id")),
        summary=text_of(told.get("summary")),
        status=_shown_status(told.get(fields.request_type)) or text_of(status.get("name")),
        status_category=category if category in CATEGORIES else "",
        created=created,
        updated=updated,
        reporter_id=user_id_of(dict_of(told.get("reporter")), site),
        participant_ids=frozenset(filter(None, (user_id_of(user, site) for user in dicts_of(_custom(told, fields.participants))))),
        organization_ids=frozenset(filter(None, (text_of(one.get("id")) for one in dicts_of(_custom(told, fields.organizations))))),
        approver_ids=frozenset(_approvers(_custom(told, fields.approvals), site)),
        request_type_id=_request_type(_custom(told, fields.request_type)),
        reporter_name=text_of(dict_of(told.get("reporter")).get("displayName")),
    )


def _custom(told: dict[str, Any], field_id: str) -> Any:
    return told.get(field_id) if field_id else None


def _approvers(value: Any, site: Site) -> Iterator[str]:
    for approval in dicts_of(value):
        for one in dicts_of(approval.get("approvers")):
            if approver := user_id_of(dict_of(one.get("approver")), site):
                yield approver


def _shown_status(value: Any) -> str:
    """The status as the request type names it for customers, which Cloud gives with the request type; empty elsewhere."""
    return text_of(dict_of(dict_of(value).get("currentStatus")).get("status"))


def _request_type(value: Any) -> str:
    """``{requestType: {id}}``; on Data Center the text ``key/uuid`` of the portal and the type."""
    if isinstance(value, dict):
        return text_of(dict_of(value.get("requestType")).get("id"))
    return value if isinstance(value, str) else ""
