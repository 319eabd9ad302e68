"""The local JSM's requests as ``/rest/servicedeskapi/request`` answers for them: to whoever calls, not to a customer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from jsmsso.sandbox import jsm_shapes
from jsmsso.sandbox.jsm_call import Call, Refused, answer, desk_error, forbidden, invalid, nothing
from jsmsso.sandbox.jsm_customers import people_of_body, unknown_people
from jsmsso.sandbox.jsm_desks import desk_shape
from jsmsso.sandbox.jsm_requests import LocalAttachment, LocalIssue
from jsmsso.sandbox.jsm_type_calls import type_shape
from jsmsso.sandbox.jsm_workflow import transitions_from

GOALS = (("1", "Time to first response", timedelta(hours=4)), ("2", "Time to resolution", timedelta(hours=16)))


def request_of(call: Call, key: str) -> LocalIssue:
    """The request of this id or key: 404 where there is none, 403 where the caller may not see it."""
    found = call.site.requests.get(key)
    call.caller()
    if found is None or not found.type_id:
        raise Refused(
            desk_error(404, "The request does not exist, or you do not have permission to view it.", "sd.request.error.not.found")
        )
    if not sees(call, found):
        raise Refused(forbidden("You do not have permission to view this request."))
    return found


def sees(call: Call, issue: LocalIssue) -> bool:
    """Staff of its desk see it; so do its reporter, its participants, its approvers and the organizations that it is shared with."""
    return call.is_staff(call.site.desk(issue.desk_id)) or _is_of(call, issue)


def _is_of(call: Call, issue: LocalIssue) -> bool:
    person = call.caller_id
    concerned = person == issue.reporter_id or person in issue.participants or person in issue.approvers
    return concerned or not set(issue.organizations).isdisjoint(call.site.organizations_with(person))


def requests(call: Call) -> Response:
    """``GET request``: those of the *calling* account, not what it may see as an agent."""
    call.caller()
    query, site = call.query, call.site
    wanted, term = query.get("requestStatus", "ALL_REQUESTS"), query.get("searchTerm", "").lower()
    mine = [
        issue
        for issue in site.requests
        if issue.type_id
        and _is_of(call, issue)
        and (wanted == "ALL_REQUESTS" or (wanted == "CLOSED_REQUESTS") == (issue.category == "done"))
        and query.get("serviceDeskId") in (None, issue.desk_id)
        and query.get("requestTypeId") in (None, issue.type_id)
        and ("organizationId" not in query or query["organizationId"] in issue.organizations)
        and term in issue.summary.lower()
    ]
    mine.sort(key=lambda issue: issue.updated, reverse=True)
    return call.page(mine, lambda issue: jsm_shapes.request(call, issue))


def request(call: Call, key: str) -> Response:
    """``GET request/<key>``: what ``expand`` adds has internal comments and all attachments in it, for agents."""
    issue = request_of(call, key)
    shape, expand = jsm_shapes.request(call, issue), call.expand
    path = f"/rest/servicedeskapi/request/{issue.id}"
    staff = call.is_staff(call.site.desk(issue.desk_id))
    if "requestType" in expand:
        shape["requestType"] = type_shape(call, call.site.directory.type_by_id[issue.type_id])
    if "serviceDesk" in expand:
        shape["serviceDesk"] = desk_shape(call, call.site.directory.by_id_or_key[issue.desk_id])
    if "participant" in expand:
        shape["participants"] = call.paged(issue.participants, call.somebody, f"{path}/participant")
    if "status" in expand:
        shape["status"] = call.paged(issue.history[::-1], jsm_shapes.past_status, f"{path}/status")
    if "sla" in expand:
        shape["sla"] = call.paged(GOALS if staff else (), lambda goal: _sla(call, issue, goal), f"{path}/sla")
    if "comment" in expand:
        seen = [comment for comment in issue.comments if staff or comment.public]
        shape["comments"] = call.paged(seen, lambda comment: jsm_shapes.comment(call, issue, comment), f"{path}/comment")
    if "attachment" in expand:
        files = visible_attachments(call, issue)
        shape["attachments"] = call.paged(files, lambda file: jsm_shapes.attachment_of(call, issue, file), f"{path}/attachment")
    if "action" in expand:
        names = ("addAttachment", "addComment", "addParticipant", "removeParticipant")
        shape["actions"] = {name: {"allowed": True} for name in names}
    return answer(shape)


def visible_attachments(call: Call, issue: LocalIssue) -> list[LocalAttachment]:
    """All of them for staff; customers get those that no internal comment carries."""
    internal = {comment.id for comment in issue.comments if not comment.public}
    staff = call.is_staff(call.site.desk(issue.desk_id))
    return [file for file in issue.attachments if staff or file.comment_id not in internal]


def statuses(call: Call, key: str) -> Response:
    """``GET request/<key>/status``: the newest first."""
    return call.page(request_of(call, key).history[::-1], jsm_shapes.past_status)


def participants(call: Call, key: str) -> Response:
    """``GET request/<key>/participant``."""
    return call.page(request_of(call, key).participants, call.somebody)


def add_participants(call: Call, key: str) -> Response:
    """``POST request/<key>/participant``: answers with all of them. The reporter is not one."""
    issue = request_of(call, key)
    people, unknown = people_of_body(call)
    if unknown:
        return unknown_people(unknown)
    with call.site.requests.writing(issue):
        for person in people:
            if person.id not in issue.participants and person.id != issue.reporter_id:
                issue.participants.append(person.id)
    return call.page(issue.participants, call.somebody)


def remove_participants(call: Call, key: str) -> Response:
    """``DELETE request/<key>/participant``: answers with who is left."""
    issue = request_of(call, key)
    people, unknown = people_of_body(call)
    if unknown:
        return unknown_people(unknown)
    gone = {person.id for person in people}
    with call.site.requests.writing(issue):
        issue.participants[:] = [person for person in issue.participants if person not in gone]
    return call.page(issue.participants, call.somebody)


def transitions(call: Call, key: str) -> Response:
    """``GET request/<key>/transition``: what the *caller* may do, which for an agent is more than a customer should see."""
    issue = request_of(call, key)
    customer = not call.is_staff(call.site.desk(issue.desk_id))
    return call.page(transitions_from(issue.status, customer=customer), lambda one: {"id": one.id, "name": one.name})


def make_transition(call: Call, key: str) -> Response:
    """``POST request/<key>/transition``, with a public comment of the caller's where one is given."""
    issue = request_of(call, key)
    sent = call.body("id", "additionalComment")
    customer = not call.is_staff(call.site.desk(issue.desk_id))
    found = next((one for one in transitions_from(issue.status, customer=customer) if one.id == sent.get("id")), None)
    if found is None:
        return invalid("The transition is not valid for the current status of the request.", "sd.request.transition.error.invalid")
    with call.site.requests.writing(issue):
        issue.status = found.to
        issue.history.append((found.to, datetime.now(UTC)))
    text = (sent.get("additionalComment") or {}).get("body")
    if text:
        call.site.requests.add_comment(issue, call.caller_id, text)
    return nothing()


def slas(call: Call, key: str) -> Response:
    """``GET request/<key>/sla``: for agents."""
    issue = _for_agents(call, key)
    return call.page(GOALS, lambda goal: _sla(call, issue, goal))


def sla(call: Call, key: str, metric_id: str) -> Response:
    """``GET request/<key>/sla/<id>``."""
    issue = _for_agents(call, key)
    goal = next((goal for goal in GOALS if goal[0] == metric_id), None)
    if goal is None:
        return desk_error(404, "The SLA metric does not exist.", "sd.sla.error.not.found")
    return answer(_sla(call, issue, goal))


def _for_agents(call: Call, key: str) -> LocalIssue:
    issue = request_of(call, key)
    if "SERVICEDESK_AGENT" not in call.caller().permissions(call.site.desk(issue.desk_id)):
        raise Refused(forbidden("You do not have permission to view the SLA of this request."))
    return issue


def _sla(call: Call, issue: LocalIssue, goal: tuple[str, str, timedelta]) -> dict[str, Any]:
    number, name, length = goal
    stop = _stopped(issue, number)
    elapsed = (stop or datetime.now(UTC)) - issue.created
    cycle = {
        "startTime": jsm_shapes.date(issue.created),
        "breachTime": jsm_shapes.date(issue.created + length),
        "breached": elapsed > length,
        "goalDuration": _duration(length),
        "elapsedTime": _duration(elapsed),
        "remainingTime": _duration(length - elapsed),
    }
    own = {"self": f"{call.base_url}/rest/servicedeskapi/request/{issue.id}/sla/{number}"}
    shape: dict[str, Any] = {"id": number, "name": name, "completedCycles": [], "_links": own}
    if stop:
        return shape | {"completedCycles": [cycle | {"stopTime": jsm_shapes.date(stop)}]}
    return shape | {"ongoingCycle": cycle | {"paused": issue.status == "Waiting for customer", "withinCalendarHours": True}}


def _stopped(issue: LocalIssue, metric: str) -> datetime | None:
    """A public comment of anyone but those it is for is the first response, being done the resolution."""
    if metric == "2":
        return issue.history[-1][1] if issue.history and issue.category == "done" else None
    customers = {issue.reporter_id, *issue.participants}
    return next((comment.created for comment in issue.comments if comment.public and comment.author_id not in customers), None)


def _duration(length: timedelta) -> dict[str, Any]:
    minutes = int(length.total_seconds() // 60)
    sign, left = ("-" if minutes < 0 else ""), abs(minutes)
    return {"millis": minutes * 60_000, "friendly": f"{sign}{left // 60}h {left % 60}m"}


REQUEST = "/rest/servicedeskapi/request/<key>"
RULES = (
    Rule("/rest/servicedeskapi/request", endpoint=requests, methods=["GET"]),
    Rule(REQUEST, endpoint=request, methods=["GET"]),
    Rule(f"{REQUEST}/status", endpoint=statuses, methods=["GET"]),
    Rule(f"{REQUEST}/participant", endpoint=participants, methods=["GET"]),
    Rule(f"{REQUEST}/participant", endpoint=add_participants, methods=["POST"]),
    Rule(f"{REQUEST}/participant", endpoint=remove_participants, methods=["DELETE"]),
    Rule(f"{REQUEST}/transition", endpoint=transitions, methods=["GET"]),
    Rule(f"{REQUEST}/transition", endpoint=make_transition, methods=["POST"]),
    Rule(f"{REQUEST}/sla", endpoint=slas, methods=["GET"]),
    Rule(f"{REQUEST}/sla/<metric_id>", endpoint=sla, methods=["GET"]),
)
