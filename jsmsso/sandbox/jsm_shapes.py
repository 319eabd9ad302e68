"""How the local JSM's ``/rest/servicedeskapi`` shows requests, comments and attachments."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from jsmsso.sandbox.jsm_call import Call
from jsmsso.sandbox.jsm_field_values import shown_value
from jsmsso.sandbox.jsm_markup import html_of
from jsmsso.sandbox.jsm_requests import LocalAttachment, LocalComment, LocalIssue
from jsmsso.sandbox.jsm_workflow import STATUSES

REQUEST_EXPANDS = ["participant", "status", "sla", "requestType", "serviceDesk", "attachment", "action", "comment"]


def date(when: datetime) -> dict[str, Any]:
    """Atlassian: DateDTO."""
    when = when.astimezone(UTC)
    return {
        "iso8601": when.strftime("%Y-%m-%dT%H:%M:%S+0000"),
        "jira": platform_date(when),
        "friendly": when.strftime("%d/%b/%y %I:%M %p"),
        "epochMillis": int(when.timestamp() * 1000),
    }


def platform_date(when: datetime) -> str:
    """A moment as ``/rest/api`` writes it."""
    when = when.astimezone(UTC)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}+0000"


def status(issue: LocalIssue) -> dict[str, Any]:
    """The status it has now (Atlassian: CustomerRequestStatusDTO)."""
    return past_status(issue.history[-1] if issue.history else (issue.status, issue.created))


def past_status(entry: tuple[str, datetime]) -> dict[str, Any]:
    """A status that a request had."""
    name, since = entry
    return {"status": name, "statusCategory": STATUSES[name].category.upper(), "statusDate": date(since)}


def request(call: Call, issue: LocalIssue) -> dict[str, Any]:
    """Atlassian: CustomerRequestDTO."""
    desk = call.site.directory.by_id_or_key[issue.desk_id]
    base = call.base_url
    links = {
        "jiraRest": f"{base}/rest/api/2/issue/{issue.id}",
        "web": f"{base}/servicedesk/customer/portal/{desk.portal_id}/{issue.key}",
        "self": f"{base}/rest/servicedeskapi/request/{issue.id}",
    }
    if call.site.is_cloud:
        links["agent"] = f"{base}/browse/{issue.key}"
    return {
        "_expands": REQUEST_EXPANDS,
        "issueId": issue.id,
        "issueKey": issue.key,
        "requestTypeId": issue.type_id,
        "serviceDeskId": issue.desk_id,
        "createdDate": date(issue.created),
        "reporter": call.somebody(issue.reporter_id),
        "requestFieldValues": _fields(call, issue),
        "currentStatus": status(issue),
        "_links": links,
    }


def _fields(call: Call, issue: LocalIssue) -> list[dict[str, Any]]:
    """Those of the form that have a value, for agents what the type sets by itself as well; files are elsewhere."""
    request_type = call.site.directory.type_by_id.get(issue.type_id)
    is_staff = request_type is not None and call.is_staff(request_type.desk)
    shown: list[dict[str, Any]] = [{"fieldId": "summary", "label": "Summary", "value": issue.summary}]
    for field in request_type.draft.fields if request_type else ():
        value = issue.values.get(field.id)
        if field.id in ("summary", "attachment") or value in (None, "", []) or not (field.visible or is_staff):
            continue
        entry = {"fieldId": field.id, "label": field.name, "value": shown_value(call, field, value)}
        if field.kind in ("description", "textarea"):
            entry["renderedValue"] = {"html": html_of(value)}
        shown.append(entry)
    return shown


def comment(call: Call, issue: LocalIssue, one: LocalComment, expand: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Atlassian: CommentDTO."""
    path = f"/rest/servicedeskapi/request/{issue.id}/comment/{one.id}"
    shown = {
        "_expands": ["attachment", "renderedBody"],
        "id": one.id,
        "body": one.body,
        "public": one.public,
        "author": call.somebody(one.author_id),
        "created": date(one.created),
        "_links": {"self": call.base_url + path},
    }
    if "renderedBody" in expand:
        shown["renderedBody"] = {"html": html_of(one.body) if one.html is None else one.html}
    if "attachment" in expand:
        carried = [attachment for attachment in issue.attachments if attachment.comment_id == one.id]
        shown["attachments"] = call.paged(carried, lambda file: attachment_of(call, issue, file), f"{path}/attachment")
    return shown


def attachment_of(call: Call, issue: LocalIssue, file: LocalAttachment) -> dict[str, Any]:
    """Atlassian: AttachmentDTO. Its id stands in the links alone."""
    base, cloud = call.base_url, call.site.is_cloud
    own = f"{base}/rest/servicedeskapi/request/{issue.id}/attachment/{file.id}"
    classic = f"{file.id}/{quote(file.filename)}"
    links = {
        "jiraRest": f"{base}/rest/api/2/attachment/{file.id}",
        "content": own if cloud else f"{base}/secure/attachment/{classic}",
        "thumbnail": f"{own}/thumbnail" if cloud else f"{base}/secure/thumbnail/{classic}",
    }
    return {
        "filename": file.filename,
        "author": call.somebody(file.author_id),
        "created": date(file.created),
        "size": len(file.content),
        "mimeType": file.mime_type,
        "_links": links | ({"self": own} if cloud else {}),
    }
