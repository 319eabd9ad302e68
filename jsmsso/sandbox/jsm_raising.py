"""Raising requests at the local JSM (``POST /rest/servicedeskapi/request``)."""

from __future__ import annotations

from typing import Any

from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from jsmsso.sandbox import jsm_shapes
from jsmsso.sandbox.jsm_attachments import put_onto
from jsmsso.sandbox.jsm_call import Call, Refused, answer, forbidden, invalid
from jsmsso.sandbox.jsm_field_values import WrongValue, stored_values
from jsmsso.sandbox.jsm_request_types import LocalRequestType
from jsmsso.sandbox.jsm_type_calls import type_of

TAKEN = ("serviceDeskId", "requestTypeId", "requestFieldValues", "requestParticipants", "raiseOnBehalfOf", "channel")
TAKEN_ON_CLOUD = ("isAdfRequest", "form")


def raise_request(call: Call) -> Response:
    """A new request: the caller's, or that of whom it is raised on behalf of.

    An administrator may use a type that is closed to that customer: JSM asks only whether the *caller* may use it.
    """
    call.caller()
    sent = call.body(*TAKEN, *(TAKEN_ON_CLOUD if call.site.is_cloud else ()))
    values = sent.get("requestFieldValues", {})
    if not isinstance(values, dict):
        return invalid("requestFieldValues has to be an object.")
    request_type = _type(call, sent)
    reporter = _reporter(call, request_type, sent.get("raiseOnBehalfOf"))
    participants = _participants(call, request_type, sent.get("requestParticipants") or [])
    try:
        kept = stored_values(call, request_type, values, documents=sent.get("isAdfRequest") is True)
    except WrongValue as wrong:
        return invalid(str(wrong), "sd.request.create.error.invalid.field")
    _usable_files(call, request_type, kept.get("attachment", []))
    summary, files = kept.pop("summary", None) or request_type.name, kept.pop("attachment", [])
    made = call.site.requests.add(request_type.desk.id, request_type.id, summary, reporter=reporter, values=kept)
    made.creator_id, made.participants = call.caller_id, [one for one in participants if one != reporter]
    if files:
        carrier, _ = put_onto(call, made, files)
        call.site.requests.remove_comment(made, carrier)  # files of the form stand on the request itself
    return answer(jsm_shapes.request(call, made), 201)


def _type(call: Call, sent: dict[str, Any]) -> LocalRequestType:
    try:
        return type_of(call, call.desk(str(sent.get("serviceDeskId", ""))), str(sent.get("requestTypeId", "")))
    except Refused as refused:
        if refused.response.status_code != 404:
            raise
        raise Refused(invalid("The service desk or the request type does not exist.", "sd.request.create.error.type")) from None


def _reporter(call: Call, request_type: LocalRequestType, wanted: Any) -> str:
    if wanted is None:
        return call.caller_id
    if not call.is_staff(request_type.desk):
        raise Refused(forbidden("You do not have permission to raise a request on behalf of someone."))
    if not request_type.draft.can_raise_on_behalf:
        raise Refused(invalid("This request cannot be raised on behalf of another customer.", "sd.request.create.error.on.behalf"))
    return _person(call, wanted)


def _participants(call: Call, request_type: LocalRequestType, wanted: Any) -> list[str]:
    if not isinstance(wanted, list):
        raise Refused(invalid("requestParticipants has to be a list of users."))
    if wanted and not request_type.draft.can_add_participants:
        raise Refused(invalid("Participants cannot be added to this request.", "sd.request.create.error.participants"))
    return [_person(call, one) for one in wanted]


def _person(call: Call, wanted: Any) -> str:
    person = call.site.people.known(wanted) if isinstance(wanted, str) else None
    if person is None:
        raise Refused(invalid(f"The user does not exist: {wanted}", "sd.user.error.does.not.exist"))
    return person.id


def _usable_files(call: Call, request_type: LocalRequestType, temporary_ids: list[Any]) -> None:
    kept = call.site.requests.temporary
    for one in temporary_ids:
        if kept.get(one, ("", None))[0] != request_type.desk.id:
            raise Refused(invalid(f"The temporary attachment does not exist: {one}", "sd.attachment.error.temporary.not.found"))


RULES = (Rule("/rest/servicedeskapi/request", endpoint=raise_request, methods=["POST"]),)
