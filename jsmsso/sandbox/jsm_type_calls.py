"""The local JSM's request types: those of a desk, their groups, their forms, and who may use them (``/rest/servicedeskapi``)."""

from __future__ import annotations

import uuid
from typing import Any

from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from jsmsso.sandbox.jsm_call import SIZES, Call, Refused, answer, dead_link, desk_error, forbidden, invalid
from jsmsso.sandbox.jsm_request_types import LocalChoice, LocalField, LocalRequestType
from jsmsso.sandbox.jsm_site import LocalDesk

CHECKED = 50  # request types at most that one call asks about


def request_types_of_desk(call: Call, desk_id: str) -> Response:
    """``GET servicedesk/<id>/requesttype``: with those that have no group, and to staff with those that are not for everyone."""
    desk, group, search = call.desk(desk_id), call.query.get("groupId"), call.query.get("searchQuery", "").lower()
    groups, wanted = desk.groups, call.query.get("restrictionStatus", "OPEN,RESTRICTED").split(",")
    types = [
        one
        for one in desk.types
        if _seen(call, one)
        and ("OPEN" if one.draft.restricted_to is None else "RESTRICTED") in wanted
        and (group is None or group in (groups[name] for name in one.draft.groups))
        and (search in one.name.lower() or search in one.draft.description.lower())
    ]
    return call.page(types, lambda request_type: type_shape(call, request_type))


def request_types(call: Call) -> Response:
    """``GET requesttype``: the types of all desks. Experimental."""
    if not call.site.global_request_types:
        return dead_link()
    account = call.caller()
    call.needs_opt_in()
    wanted = set(call.query.getlist("serviceDeskId"))
    search = call.query.get("searchQuery", "").lower()
    desks = call.site.desks_seen_by(account)
    if desks is call.site.desks and not wanted and not search:
        types = call.site.directory.types
    else:
        types = [t for desk in desks if not wanted or desk.id in wanted for t in desk.types if search in t.name.lower()]
    return call.page(types, lambda request_type: type_shape(call, request_type))


def request_type(call: Call, desk_id: str, type_id: str) -> Response:
    """``GET servicedesk/<id>/requesttype/<id>``."""
    return answer(type_shape(call, type_of(call, call.desk(desk_id), type_id)))


def groups_of_desk(call: Call, desk_id: str) -> Response:
    """``GET servicedesk/<id>/requesttypegroup``: in the order of the portal."""
    return call.page(list(call.desk(desk_id).groups.items()), lambda group: {"id": group[1], "name": group[0]})


def fields(call: Call, desk_id: str, type_id: str) -> Response:
    """``GET .../requesttype/<id>/field``: hidden ones for administrators who ask for them (``expand=hiddenFields``)."""
    desk = call.desk(desk_id)
    return answer(form_shape(call, type_of(call, desk, type_id)))


def permissions_check(call: Call, desk_id: str) -> Response:
    """``POST .../requesttype/permissions/check``: which of these types somebody may use. For project administrators."""
    if not call.site.is_cloud or call.site.checks_type_permissions is None:
        return dead_link()
    desk = call.desk(desk_id)
    if not call.site.checks_type_permissions or "ADMINISTER_PROJECTS" not in call.caller().permissions(desk):
        return forbidden("You do not have permission to check request type permissions.")
    sent = call.body("accountId", "permissions", "requestTypeIds")
    ids, wanted, person = sent.get("requestTypeIds"), sent.get("permissions"), sent.get("accountId")
    if not isinstance(ids, list) or not all(isinstance(one, int) and not isinstance(one, bool) for one in ids) or len(ids) > CHECKED:
        return invalid(f"requestTypeIds has to be a list of at most {CHECKED} numbers.")
    if not isinstance(wanted, list) or not set(wanted) <= {"canCreateRequest", "canAdminister"}:
        return invalid("permissions has to be a list of canCreateRequest and canAdminister.")
    if not isinstance(person, str) or call.site.people.known(person) is None:
        return desk_error(404, "The user does not exist.", "sd.user.error.does.not.exist")
    member_of = call.site.organizations_with(person)
    types = {one.id: one for one in desk.types}
    creatable = [number for number in ids if str(number) in types and types[str(number)].open_to(person, member_of)]
    return answer({"canCreateRequest": creatable if "canCreateRequest" in wanted else [], "canAdminister": []})


def attached_form(call: Call, cloud_id: str, desk_id: str, type_id: str) -> Response:
    """``GET jira/forms/cloud/<cloud id>/servicedesk/<id>/requesttype/<id>/form`` at the gateway: 404 where there is none."""
    found = type_of(call, call.desk(desk_id), type_id)
    if cloud_id != call.site.cloud_id or not found.draft.jira_form:
        return answer({"errors": [{"title": "Not Found", "detail": "The request type has no form."}]}, 404)
    settings = {"name": found.draft.jira_form, "language": "en", "submit": {"lock": True, "pdf": False}}
    question = {"type": "ts", "label": "First day", "validation": {"rq": True}, "questionKey": "first-day"}
    design = {"conditions": {}, "layout": [{}], "questions": {"1": question}, "sections": {}, "settings": settings}
    publish = {"portalRequestTypeIds": [int(found.id)], "submitOnCreate": True, "validateOnCreate": True}
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, found.id))
    return answer({"id": name, "updated": "2026-04-11T08:59:18Z", "design": design, "publish": publish})


def type_of(call: Call, desk: LocalDesk, type_id: str) -> LocalRequestType:
    """The type of this id on this desk, for a caller who may see it."""
    found = next((one for one in desk.types if one.id == type_id), None)
    if found is None or not _seen(call, found):
        raise Refused(desk_error(404, "The request type you are trying to view does not exist.", "sd.requesttype.error.not.found"))
    return found


def type_shape(call: Call, request_type: LocalRequestType) -> dict[str, Any]:
    """Atlassian: RequestTypeDTO."""
    desk, draft = request_type.desk, request_type.draft
    own = f"{call.base_url}/rest/servicedeskapi/servicedesk/{desk.id}/requesttype/{request_type.id}"
    avatar = f"{call.base_url}/secure/viewavatar?avatarType=SD_REQTYPE&avatarId={draft.icon}"
    if call.site.is_cloud:
        avatar = f"{call.base_url}/rest/api/2/universal_avatar/view/type/SD_REQTYPE/avatar/{draft.icon}?"
    groups = desk.groups
    shape: dict[str, Any] = {
        "_expands": ["field"],
        "id": request_type.id,
        "_links": {"self": own},
        "name": draft.name,
        "description": draft.description,
        "helpText": draft.help_text,
        "issueTypeId": "10004",
        "serviceDeskId": desk.id,
        "portalId": desk.portal_id,
        "groupIds": [groups[name] for name in draft.groups],
        "icon": {"id": draft.icon, "_links": {"iconUrls": {f"{n}x{n}": f"{avatar}&size={n}" for n in SIZES}}},
    }
    if "field" in call.expand:
        shape["fields"] = form_shape(call, request_type)
    return shape


def form_shape(call: Call, request_type: LocalRequestType) -> dict[str, Any]:
    """Atlassian: CustomerRequestCreateMetaDTO. The two permissions are the caller's."""
    draft, staff = request_type.draft, call.is_staff(request_type.desk)
    hidden_too = "hiddenFields" in call.expand and "ADMINISTER_PROJECTS" in call.caller().permissions(request_type.desk)
    return {
        "requestTypeFields": [_field(field) for field in draft.fields if field.visible or hidden_too],
        "canRaiseOnBehalfOf": draft.can_raise_on_behalf and staff,
        "canAddRequestParticipants": draft.can_add_participants,
    }


def _field(field: LocalField) -> dict[str, Any]:
    return {
        "fieldId": field.id,
        "name": field.name,
        "description": field.description,
        "required": field.required,
        "defaultValues": [_value(value) for value in field.defaults] if field.visible else [],
        "presetValues": [] if field.visible else [value.label for value in field.defaults],
        "validValues": [_value(value) for value in field.choices],
        "jiraSchema": dict(field.schema),
        "visible": field.visible,
    }


def _value(choice: LocalChoice) -> dict[str, Any]:
    return {"value": choice.id, "label": choice.label, "children": [_value(child) for child in choice.children]}


def _seen(call: Call, request_type: LocalRequestType) -> bool:
    """Those that are not for everyone are hidden only from customers to whom they are closed."""
    person = call.caller_id
    return call.is_staff(request_type.desk) or request_type.open_to(person, call.site.organizations_with(person))


DESK = "/rest/servicedeskapi/servicedesk/<desk_id>"
TYPE = f"{DESK}/requesttype/<type_id>"
RULES = (
    Rule("/rest/servicedeskapi/requesttype", endpoint=request_types, methods=["GET"]),
    Rule(f"{DESK}/requesttype", endpoint=request_types_of_desk, methods=["GET"]),
    Rule(f"{DESK}/requesttypegroup", endpoint=groups_of_desk, methods=["GET"]),
    Rule(TYPE, endpoint=request_type, methods=["GET"]),
    Rule(f"{TYPE}/field", endpoint=fields, methods=["GET"]),
    Rule(f"{DESK}/requesttype/permissions/check", endpoint=permissions_check, methods=["POST"]),
    Rule("/jira/forms/cloud/<cloud_id>/servicedesk/<desk_id>/requesttype/<type_id>/form", endpoint=attached_form, methods=["GET"]),
)
