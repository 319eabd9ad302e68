"""The local JSM's part of the platform API (``/rest/api``): the site, who calls, what they may do, and who is there."""

from __future__ import annotations

from typing import Any

from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from jsmsso.sandbox.jsm_call import Call, answer, dead_link, platform_error, unauthenticated
from jsmsso.sandbox.jsm_people import LocalPerson
from jsmsso.sandbox.jsm_site import GLOBAL_PERMISSIONS, KNOWN_PERMISSIONS

FOUND = 1000  # users at most that a search looks through (Atlassian: "up to the thousandth user")
FOUND_ON_DATA_CENTER = 100  # "limited to the first 100 results"


def tenant_info(call: Call) -> Response:
    """``GET /_edge/tenant_info``: which cloud id the site has, told to everyone."""
    return answer({"cloudId": call.site.cloud_id}) if call.site.is_cloud else dead_link()


def server_info(call: Call, version: str) -> Response:
    """``GET /rest/api/<version>/serverInfo``."""
    site, cloud = call.site, call.site.is_cloud
    if call.account is None and not site.anonymous_server_info:
        return unauthenticated()
    info: dict[str, Any] = {
        "baseUrl": call.base_url,
        "version": "1001.0.0-SNAPSHOT" if cloud else "10.3.2",
        "versionNumbers": [1001, 0, 0] if cloud else [10, 3, 2],
        "deploymentType": site.deployment,
        "buildNumber": 100290 if cloud else 10030002,
        "buildDate": "2026-09-01T10:00:00.000+0000",
        "serverTime": "2026-10-01T10:00:00.000+0000",
        "scmInfo": "local",
        "serverTitle": site.title,
    }
    if cloud:
        info |= {"displayUrl": call.base_url, "displayUrlServicedeskHelpCenter": call.base_url, "serverTimeZone": "Etc/UTC"}
    return answer(info)


def myself(call: Call, version: str) -> Response:
    """``GET /rest/api/<version>/myself``: the caller's own address is never hidden from them."""
    account = call.account
    if account is None:
        return unauthenticated()
    person = LocalPerson(call.site.id_of(account), account.email, account.display_name, "atlassian")
    return answer(call.user(person, version))


def my_permissions(call: Call, version: str) -> Response:
    """``GET /rest/api/<version>/mypermissions``: Data Center answers with all of them, whatever is asked."""
    site, account = call.site, call.account
    asked = [key for key in call.query.get("permissions", "").split(",") if key]
    if site.is_cloud:
        if not asked:
            return platform_error(400, "The 'permissions' query parameter is required.")
        unknown = sorted(set(asked) - KNOWN_PERMISSIONS)
        if unknown:
            return platform_error(400, f"Unrecognized permission: {', '.join(unknown)}")
    desk = None
    project = call.query.get("projectId") or call.query.get("projectKey")
    if project:
        desk = site.directory.by_project.get(project) or next((desk for desk in site.desks if desk.key == project), None)
        if desk is None or account is None or not account.permissions(desk):
            return platform_error(404, f"No project could be found with key '{project}'.")
    have = account.permissions(desk) if account else frozenset[str]()
    keys = asked if site.is_cloud else sorted(KNOWN_PERMISSIONS)
    return answer({"permissions": {key: _permission(number, key, key in have) for number, key in enumerate(keys)}})


def _permission(number: int, key: str, have: bool) -> dict[str, Any]:
    kind = "GLOBAL" if key in GLOBAL_PERMISSIONS else "PROJECT"
    name = key.replace("_", " ").capitalize()
    return {"id": str(number), "key": key, "name": name, "type": kind, "description": name, "havePermission": have}


def permissions_check(call: Call, version: str) -> Response:
    """``POST /rest/api/3/permissions/check``, of Cloud alone."""
    if not call.site.is_cloud:
        return dead_link()
    asked = call.request.get_json(silent=True)
    if not isinstance(asked, dict):
        return platform_error(400, "Invalid request payload. Refer to the REST API documentation and try again.")
    account, by_project = call.account, call.site.directory.by_project
    wanted_globals = asked.get("globalPermissions") or []
    groups = asked.get("projectPermissions") or []
    named = {key for group in groups for key in group.get("permissions", [])} | set(wanted_globals)
    if named - KNOWN_PERMISSIONS:
        return platform_error(400, f"Invalid permissions: {', '.join(sorted(named - KNOWN_PERMISSIONS))}")
    if sum(len(group.get("projects") or []) for group in groups) > 1000:
        return platform_error(400, "A maximum of 1000 projects can be checked.")
    have = account.permissions() if account else frozenset[str]()

    def granted(key: str, project: int) -> bool:
        desk = by_project.get(str(project))
        return account is not None and desk is not None and key in account.permissions(desk)

    grants = [
        {"permission": key, "issues": [], "projects": [project for project in group.get("projects") or [] if granted(key, project)]}
        for group in groups
        for key in group["permissions"]
    ]
    return answer({"globalPermissions": [key for key in wanted_globals if key in have], "projectPermissions": grants})


def find_users(call: Call, version: str) -> Response:
    """``GET /rest/api/3/user/search?query=``, Data Center ``/rest/api/2/user/search?username=``: active users only.

    Whoever may not browse users, and nobody, gets an empty list on Cloud.
    """
    site, query = call.site, call.query
    if site.is_cloud:
        if "username" in query or not ("query" in query or "accountId" in query):
            return platform_error(400, "Either the 'query' or the 'accountId' query parameter has to be provided")
        if "query" in query and "accountId" in query:
            return platform_error(400, "Only one of 'query' and 'accountId' may be provided")
    elif "username" not in query:
        return platform_error(400, "The username query parameter was not provided")
    if call.account is None or "USER_PICKER" not in call.account.permissions():
        if site.is_cloud:
            return answer([])
        return unauthenticated() if call.account is None else platform_error(403, "You do not have permission to browse users.")
    if "accountId" in query:
        exact = site.people.known(query["accountId"])
        found = [exact] if exact else []
    else:
        found = _matching(call, query["query" if site.is_cloud else "username"])
    most = FOUND if site.is_cloud else FOUND_ON_DATA_CENTER
    active = [person for person in found if person.active][:most]
    start, count = max(0, query.get("startAt", 0, int)), min(query.get("maxResults", 50, int), most)
    return answer([call.user(person, version) for person in active[start : start + max(1, count)]])


def _matching(call: Call, text: str) -> list[LocalPerson]:
    """Data Center searches the user name too, and takes ``.`` for everyone; Cloud takes ``*`` for that."""
    people = call.site.people
    if call.site.is_cloud:
        return people.found("" if text == "*" else text) if text else []
    found = people.found("" if text == "." else text)
    seen = {person.id for person in found}
    named = [person for person in people if person.id not in seen and text.lower() in person.id.lower()]
    return found + [person for person in named if people.known(person.id)]


def user(call: Call, version: str) -> Response:
    """``GET /rest/api/3/user?accountId=``, Data Center ``/rest/api/2/user?username=`` or ``?key=``."""
    site, query = call.site, call.query
    if call.account is None:
        return unauthenticated()
    if "USER_PICKER" not in call.account.permissions():
        return platform_error(403, "You are not authorized to perform this action. Administrator privileges are required.")
    if site.is_cloud:
        if "accountId" not in query:
            return platform_error(400, "The 'accountId' query parameter is required.")
        person = site.people.known(query["accountId"])
    elif "key" in query:
        person = next((person for person in site.people if person.key == query["key"]), None)
    elif "username" in query:
        person = site.people.known(query["username"])
    else:
        return platform_error(404, "Either the 'username' or the 'key' query parameters need to be provided")
    if person is None:
        return platform_error(404, "Specified user does not exist or you do not have required permissions")
    return answer(call.user(person, version))


RULES = (
    Rule("/_edge/tenant_info", endpoint=tenant_info, methods=["GET"]),
    Rule("/rest/api/<version>/serverInfo", endpoint=server_info, methods=["GET"]),
    Rule("/rest/api/<version>/myself", endpoint=myself, methods=["GET"]),
    Rule("/rest/api/<version>/mypermissions", endpoint=my_permissions, methods=["GET"]),
    Rule("/rest/api/<version>/permissions/check", endpoint=permissions_check, methods=["POST"]),
    Rule("/rest/api/<version>/user/search", endpoint=find_users, methods=["GET"]),
    Rule("/rest/api/<version>/user", endpoint=user, methods=["GET"]),
)
