"""The local JSM's service desks (``/rest/servicedeskapi``)."""

from __future__ import annotations

from typing import Any

from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from jsmsso.sandbox.jsm_call import Call, answer
from jsmsso.sandbox.jsm_site import LocalDesk


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
    return call.page(call.site.desks_seen_by(call.caller()), lambda desk: desk_shape(call, desk))


def service_desk(call: Call, desk_id: str) -> Response:
    """``GET servicedesk/<id or project key>``."""
    return answer(desk_shape(call, call.desk(desk_id)))


def desk_shape(call: Call, desk: LocalDesk) -> dict[str, Any]:
    """Atlassian: ServiceDeskDTO."""
    own = {"self": f"{call.base_url}/rest/servicedeskapi/servicedesk/{desk.id}"}
    return {"id": desk.id, "projectId": desk.project_id, "projectName": desk.name, "projectKey": desk.key, "_links": own}


DESK = "/rest/servicedeskapi/servicedesk/<desk_id>"
RULES = (
    Rule("/rest/servicedeskapi/info", endpoint=info, methods=["GET"]),
    Rule("/rest/servicedeskapi/servicedesk", endpoint=service_desks, methods=["GET"]),
    Rule(DESK, endpoint=service_desk, methods=["GET"]),
)
