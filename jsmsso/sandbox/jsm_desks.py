"""The local JSM's service desks and their request types (``/rest/servicedeskapi``)."""

from __future__ import annotations

from typing import Any

from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from jsmsso.sandbox.jsm_call import SIZES, Call, answer, dead_link
from jsmsso.sandbox.jsm_site import LocalDesk, LocalRequestType


def info(call: Call) -> Response:
    """``GET info``: open to everyone."""
    when = {
        "iso8601": "2026-09-01T10:00:00+0000",
        "jira": "2026-09-01T10:00:00.000+0000",
        "friendly": "01/Sep/26",
        "epochMillis": 1788256800000,
    }
    told = {"version": "10.3.2", "platformVersion": "10.3.2", "buildDate": when, "buildChangeSet": "local", "isLicensedForUse": True}
    return answer(told | {"_links": {"self": f"{call.base_url}/rest/servicedeskapi/info"}})


def service_desks(call: Call) -> Response:
    """``GET servicedesk``: those the caller may see."""
    return call.page(call.site.desks_seen_by(call.caller()), lambda desk: _desk(call, desk))


def service_desk(call: Call, desk_id: str) -> Response:
    """``GET servicedesk/<id or project key>``."""
    return answer(_desk(call, call.desk(desk_id)))


def _desk(call: Call, desk: LocalDesk) -> dict[str, Any]:
    own = {"self": f"{call.base_url}/rest/servicedeskapi/servicedesk/{desk.id}"}
    return {"id": desk.id, "projectId": desk.project_id, "projectName": desk.name, "projectKey": desk.key, "_links": own}


def request_types_of_desk(call: Call, desk_id: str) -> Response:
    """``GET servicedesk/<id>/requesttype``."""
    return call.page(call.desk(desk_id).types, lambda request_type: _type(call, request_type))


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
    return call.page(types, lambda request_type: _type(call, request_type))


def _type(call: Call, request_type: LocalRequestType) -> dict[str, Any]:
    desk = request_type.desk
    own = f"{call.base_url}/rest/servicedeskapi/servicedesk/{desk.id}/requesttype/{request_type.id}"
    icons = {f"{n}x{n}": f"{call.base_url}/secure/viewavatar?avatarType=SD_REQTYPE&size={n}&avatarId=10516" for n in SIZES}
    return {
        "_expands": ["field"],
        "id": request_type.id,
        "_links": {"self": own},
        "name": request_type.name,
        "description": f"{request_type.name} of {desk.name}",
        "helpText": "",
        "issueTypeId": "10004",
        "serviceDeskId": desk.id,
        "portalId": desk.portal_id,
        "groupIds": [desk.id],
        "icon": {"id": "10516", "_links": {"iconUrls": icons}},
    }


DESK = "/rest/servicedeskapi/servicedesk/<desk_id>"
RULES = (
    Rule("/rest/servicedeskapi/info", endpoint=info, methods=["GET"]),
    Rule("/rest/servicedeskapi/requesttype", endpoint=request_types, methods=["GET"]),
    Rule("/rest/servicedeskapi/servicedesk", endpoint=service_desks, methods=["GET"]),
    Rule(DESK, endpoint=service_desk, methods=["GET"]),
    Rule(f"{DESK}/requesttype", endpoint=request_types_of_desk, methods=["GET"]),
)
