"""The local JSM's issues as the platform's API has them (``/rest/api``): fields, one issue, a search; for agents alone."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from jsmsso.sandbox import jsm_shapes
from jsmsso.sandbox.jsm_call import Call, Refused, answer, dead_link, nothing, platform_error, unauthenticated
from jsmsso.sandbox.jsm_field_values import shown_value
from jsmsso.sandbox.jsm_jql import parse
from jsmsso.sandbox.jsm_jql_conditions import WrongJql
from jsmsso.sandbox.jsm_requests import LocalIssue
from jsmsso.sandbox.jsm_site import ISSUE_FIELDS
from jsmsso.sandbox.jsm_type_calls import type_shape
from jsmsso.sandbox.jsm_workflow import CATEGORY_NAMES, STATUSES

MOST = 5000  # issues at most on a page of a search (Atlassian: POST search/jql; fewer where fields are asked for)
MOST_WITH_FIELDS = 100
RECONCILED = 50  # ids at most in reconcileIssues
ORGANIZATIONS = next(iter(ISSUE_FIELDS))
FIELD_NAMES = ("Organizations", "Request participants", "Request Type", "Approvals")
FIELD_TYPES = (("array", "sd-customerorganization"), ("array", "user"), ("sd-customerrequesttype", ""), ("sd-approvals", ""))
SYSTEM_FIELDS = {"summary": "string", "description": "string", "status": "status", "reporter": "user", "created": "datetime"}
SEARCH_KEYS = ("jql", "nextPageToken", "maxResults", "fields", "expand", "properties", "fieldsByKeys", "reconcileIssues")


def fields(call: Call, version: str) -> Response:
    """``GET /rest/api/<version>/field``: some of Jira's own, and the custom fields that JSM brings along."""
    if call.account is None:
        return unauthenticated()
    found: list[dict[str, Any]] = []
    for name, type_ in SYSTEM_FIELDS.items():
        schema: dict[str, Any] = {"type": type_, "system": name}
        found.append(_field(call, name, name.capitalize(), {"schema": schema, "custom": False, "clauseNames": [name]}))
    for custom, name, (type_, items) in zip(ISSUE_FIELDS, FIELD_NAMES, FIELD_TYPES, strict=True):
        field_id = call.site.issue_fields.get(custom)
        if field_id:
            number = field_id.removeprefix("customfield_")
            schema = {"type": type_, "custom": custom, "customId": int(number)} | ({"items": items} if items else {})
            found.append(_field(call, field_id, name, {"schema": schema, "custom": True, "clauseNames": [f"cf[{number}]", name]}))
    return answer(found)


def _field(call: Call, field_id: str, name: str, rest: dict[str, Any]) -> dict[str, Any]:
    key = {"key": field_id} if call.site.is_cloud else {}
    return {"id": field_id, "name": name, "orderable": True, "navigable": True, "searchable": True} | key | rest


def issue(call: Call, version: str, key: str) -> Response:
    """``GET /rest/api/<version>/issue/<key>?fields=``: an old key answers with the issue and its new key."""
    found = _issue(call, key)
    return answer(_shape(call, version, found, call.query.getlist("fields") or ["*all"]))


def edit(call: Call, version: str, key: str) -> Response:
    """``PUT /rest/api/<version>/issue/<key>``: the summary, and the organizations as a list of numbers."""
    found = _issue(call, key)
    sent = call.request.get_json(silent=True)
    if not isinstance(sent, dict) or not isinstance(sent.get("fields", {}), dict) or not isinstance(sent.get("update", {}), dict):
        return platform_error(400, "Invalid request payload. Refer to the REST API documentation and try again.")
    organizations = call.site.issue_fields.get(ORGANIZATIONS, "")
    changes: dict[str, list[dict[str, Any]]] = {name: [{"set": value}] for name, value in sent.get("fields", {}).items()}
    changes |= sent.get("update", {})
    unknown = sorted(set(changes) - {"summary", organizations})
    if unknown:
        wrong = {name: f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown." for name in unknown}
        return answer({"errorMessages": [], "errors": wrong}, 400)
    kept = list(found.organizations)
    for operation in changes.get(organizations, []):
        kept = _changed(call, organizations, kept, operation)
    with call.site.requests.writing(found):
        found.organizations = list(dict.fromkeys(kept))
        for operation in changes.get("summary", []):
            found.summary = str(operation["set"])
    return nothing()


def _changed(call: Call, field_id: str, kept: list[str], operation: dict[str, Any]) -> list[str]:
    (verb, value), *_ = operation.items()
    numbers = value if verb == "set" else [value]
    if not isinstance(numbers, list) or not all(isinstance(one, int) and not isinstance(one, bool) for one in numbers):
        raise Refused(answer({"errorMessages": [], "errors": {field_id: "data was not an array of numbers"}}, 400))
    ids = [str(one) for one in numbers]
    unknown = [one for one in ids if one not in call.site.organizations]
    if unknown:
        raise Refused(answer({"errorMessages": [], "errors": {field_id: f"Organization(s) do not exist: {', '.join(unknown)}"}}, 400))
    if verb == "remove":
        return [one for one in kept if one not in ids]
    return ids if verb == "set" else [*kept, *ids]


def delete(call: Call, version: str, key: str) -> Response:
    """``DELETE /rest/api/<version>/issue/<key>``: for project administrators."""
    found = _issue(call, key)
    if call.account is None or "ADMINISTER_PROJECTS" not in call.account.permissions(call.site.desk(found.desk_id)):
        return platform_error(403, "You do not have permission to delete issues in this project.")
    call.site.requests.delete(found)
    return nothing()


def search(call: Call, version: str) -> Response:
    """``POST /rest/api/3/search/jql``: pages by token, without a total, and behind what was just written."""
    if not call.site.is_cloud:
        return dead_link()
    sent = call.request.get_json(silent=True)
    if not isinstance(sent, dict) or not set(sent) <= set(SEARCH_KEYS) or not isinstance(sent.get("jql", ""), str):
        return platform_error(400, "Invalid request payload. Refer to the REST API documentation and try again.")
    reconciled = sent.get("reconcileIssues", [])
    if len(reconciled) > RECONCILED or not all(isinstance(one, int) for one in reconciled):
        return platform_error(400, f"reconcileIssues takes at most {RECONCILED} ids of issues.")
    asked = sent.get("fields") or ["id"]
    found, bounded = _found(call, sent.get("jql", ""), [str(one) for one in reconciled])
    if not bounded:
        return platform_error(400, "Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
    try:
        start = int(base64.urlsafe_b64decode(sent["nextPageToken"]).decode().removeprefix("from-")) if sent.get("nextPageToken") else 0
    except ValueError:
        return platform_error(400, "The provided next page token is invalid.")
    size = max(1, min(int(sent.get("maxResults", 50)), MOST if asked == ["id"] else MOST_WITH_FIELDS))
    page: dict[str, Any] = {"issues": [_shape(call, version, one, asked) for one in found[start : start + size]]}
    page["isLast"] = start + size >= len(found)
    if not page["isLast"]:
        page["nextPageToken"] = base64.urlsafe_b64encode(f"from-{start + size}".encode()).decode()
    return answer(page)


def search_on_data_center(call: Call, version: str) -> Response:
    """``POST /rest/api/2/search``, of Data Center alone: pages by number, with a total."""
    if call.site.is_cloud:
        return platform_error(410, "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API.")
    sent = call.request.get_json(silent=True)
    if not isinstance(sent, dict) or not isinstance(sent.get("jql", ""), str):
        return platform_error(400, "Invalid request payload. Refer to the REST API documentation and try again.")
    found, _ = _found(call, sent.get("jql", ""), [])
    start, size = int(sent.get("startAt", 0)), max(0, min(int(sent.get("maxResults", 50)), 1000))
    issues = [_shape(call, version, one, sent.get("fields") or ["*all"]) for one in found[start : start + size]]
    return answer({"expand": "schema,names", "startAt": start, "maxResults": size, "total": len(found), "issues": issues})


def _found(call: Call, jql: str, reconciled: Iterable[str]) -> tuple[list[LocalIssue], bool]:
    """What the caller may browse of what a query finds, and whether the query has any condition."""
    if call.account is None:
        raise Refused(unauthenticated())
    try:
        query = parse(jql, call.site, call.caller_id)
    except WrongJql as wrong:
        raise Refused(platform_error(400, str(wrong))) from None
    browsed = {desk.id for desk in call.site.desks_seen_by(call.account) if call.is_staff(desk)}
    found = [one for one in call.site.requests.searched(reconciled) if one.desk_id in browsed and query.test(one)]
    return query.sorted(found), query.bounded


def _issue(call: Call, key: str) -> LocalIssue:
    if call.account is None:
        raise Refused(unauthenticated())
    found = call.site.requests.get(key)
    if found is None or not call.is_staff(call.site.desk(found.desk_id)):
        raise Refused(platform_error(404, "Issue does not exist or you do not have permission to see it."))
    return found


def _shape(call: Call, version: str, one: LocalIssue, asked: Iterable[str]) -> dict[str, Any]:
    """Atlassian: IssueBean, with the fields that were asked for."""
    names = [name for value in asked for name in value.split(",") if name]
    own = f"{call.base_url}/rest/api/{version}/issue/{one.id}"
    shape: dict[str, Any] = {"id": one.id}
    if names != ["id"]:
        values = _values(call, version, one)
        every = "*all" in names or "*navigable" in names or all(name.startswith("-") for name in names)
        left_out = {name[1:] for name in names if name.startswith("-")}
        shown = {name: value for name, value in values.items() if (every or name in names) and name not in left_out}
        shape |= {"key": one.key, "self": own, "expand": "", "fields": shown}
    return shape


def _values(call: Call, version: str, one: LocalIssue) -> dict[str, Any]:
    site = call.site
    desk, request_type = site.directory.by_id_or_key[one.desk_id], site.directory.type_by_id.get(one.type_id)
    number, shown, colour = CATEGORY_NAMES[one.category]
    category = {
        "id": number,
        "key": one.category,
        "name": shown,
        "colorName": colour,
        "self": f"{call.base_url}/rest/api/{version}/statuscategory/{number}",
    }
    values: dict[str, Any] = {
        "summary": one.summary,
        "status": {"id": STATUSES[one.status].id, "name": one.status, "statusCategory": category},
        "reporter": call.platform_user(one.reporter_id),
        "creator": call.platform_user(one.creator_id or one.reporter_id),
        "created": jsm_shapes.platform_date(one.created),
        "updated": jsm_shapes.platform_date(one.updated),
        "project": {"id": desk.project_id, "key": desk.key, "name": desk.name, "projectTypeKey": "service_desk"},
        "issuetype": {"id": "10004", "name": "[System] Service request", "subtask": False},
    }
    organizations, participants, origin, approvals = (site.issue_fields.get(name, "") for name in ISSUE_FIELDS)
    for field in request_type.draft.fields if request_type else ():
        if field.id in one.values:
            values[field.id] = shown_value(call, field, one.values[field.id])
    values[organizations] = [call.organization(site.organizations[number]) for number in one.organizations if number in site.organizations]
    values[participants] = [call.platform_user(person) for person in one.participants]
    values[origin] = None
    if request_type:
        links = {"web": f"{call.base_url}/servicedesk/customer/portal/{desk.portal_id}/{one.key}"}
        current = jsm_shapes.status(one)
        values[origin] = {"_links": links, "requestType": type_shape(call, request_type), "currentStatus": current}
    approvers = [{"approver": call.platform_user(person), "approverDecision": "pending"} for person in one.approvers]
    values[approvals] = (
        [{"id": "1", "name": "Waiting for approval", "canAnswerApproval": False, "approvers": approvers}] if approvers else None
    )
    values.pop("", None)
    return values


ISSUE = "/rest/api/<version>/issue/<key>"
RULES = (
    Rule("/rest/api/<version>/field", endpoint=fields, methods=["GET"]),
    Rule(ISSUE, endpoint=issue, methods=["GET"]),
    Rule(ISSUE, endpoint=edit, methods=["PUT"]),
    Rule(ISSUE, endpoint=delete, methods=["DELETE"]),
    Rule("/rest/api/<version>/search/jql", endpoint=search, methods=["POST"]),
    Rule("/rest/api/<version>/search", endpoint=search_on_data_center, methods=["POST"]),
)
