"""The local JSM's REST API: the calls that jsmsso makes, answered in the shapes of Atlassian's OpenAPI documents."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from jsmsso.sandbox.jsm_site import GLOBAL_PERMISSIONS, KNOWN_PERMISSIONS, LocalAccount, LocalDesk, LocalRequestType, LocalSite

ROUTES = Map(
    [
        Rule("/rest/api/<version>/serverInfo", endpoint="server_info"),
        Rule("/rest/api/<version>/myself", endpoint="myself"),
        Rule("/rest/api/<version>/mypermissions", endpoint="my_permissions"),
        Rule("/rest/api/<version>/permissions/check", endpoint="permissions_check", methods=["POST"]),
        Rule("/rest/servicedeskapi/info", endpoint="info"),
        Rule("/rest/servicedeskapi/servicedesk", endpoint="service_desks"),
        Rule("/rest/servicedeskapi/servicedesk/<desk_id>", endpoint="service_desk"),
        Rule("/rest/servicedeskapi/servicedesk/<desk_id>/requesttype", endpoint="request_types_of_desk"),
        Rule("/rest/servicedeskapi/requesttype", endpoint="request_types"),
    ],
    strict_slashes=False,
)
DEFAULT_LIMIT = 100  # what Atlassian's document calls the default of both paged calls
DENIED_LOGIN = "AUTHENTICATED_FAILED"  # the real header's word for credentials that are wrong


class RestApi:
    """Answers ``/rest/...`` of a :class:`LocalSite`. ``base_url`` is known once the server listens."""

    def __init__(self, site: LocalSite) -> None:
        self.site = site
        self.base_url = ""

    def __call__(self, request: Request) -> Response:
        """One answer; wrong credentials get what Jira gives: 401, or an anonymous answer with a header that says so."""
        account, tried = self._who(request)
        try:
            endpoint, arguments = ROUTES.bind_to_environ(request.environ).match()
        except MethodNotAllowed:
            return _json({"errorMessages": ["HTTP 405 Method Not Allowed"], "errors": {}}, 405)
        except HTTPException:
            return _dead_link()
        if arguments.get("version", "2") not in ("2", "latest", *(["3"] if self._cloud else [])):
            return _dead_link()
        response: Response = getattr(self, f"_{endpoint}")(request, account, **arguments)
        if tried and account is None:
            response.headers["X-Seraph-LoginReason"] = DENIED_LOGIN
        elif account is not None:
            response.headers["X-AACCOUNTID"] = account.account_id
        return response

    @property
    def _cloud(self) -> bool:
        return self.site.deployment == "Cloud"

    def _who(self, request: Request) -> tuple[LocalAccount | None, bool]:
        """The account, and whether credentials were sent at all. Cloud takes basic, Data Center bearer."""
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if self._cloud and scheme.lower() == "basic":
            try:
                email, _, token = base64.b64decode(value, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return None, True
            return self._account(token, email), True
        if not self._cloud and scheme.lower() == "bearer":
            return self._account(value.strip()), True
        return None, bool(scheme)

    def _account(self, token: str, email: str | None = None) -> LocalAccount | None:
        matching = (a for a in self.site.accounts if a.token == token and (email is None or a.email.lower() == email.lower()))
        return next(matching, None)

    # The platform ---------------------------------------------------------------------------------

    def _server_info(self, request: Request, account: LocalAccount | None, version: str) -> Response:
        if account is None and not self.site.anonymous_server_info:
            return _unauthenticated()
        numbers = [1001, 0, 0] if self._cloud else [10, 3, 2]
        info: dict[str, Any] = {
            "baseUrl": self.base_url,
            "version": "1001.0.0-SNAPSHOT" if self._cloud else "10.3.2",
            "versionNumbers": numbers,
            "deploymentType": self.site.deployment,
            "buildNumber": 100290 if self._cloud else 10030002,
            "buildDate": "2026-09-01T10:00:00.000+0000",
            "serverTime": "2026-10-01T10:00:00.000+0000",
            "scmInfo": "local",
            "serverTitle": self.site.title,
        }
        if self._cloud:
            info |= {"displayUrl": self.base_url, "displayUrlServicedeskHelpCenter": self.base_url, "serverTimeZone": "Etc/UTC"}
        return _json(info)

    def _myself(self, request: Request, account: LocalAccount | None, version: str) -> Response:
        if account is None:
            return _unauthenticated()
        user = {
            "self": f"{self.base_url}/rest/api/{version}/user?accountId={account.account_id}",
            "emailAddress": account.email,
            "displayName": account.display_name,
            "avatarUrls": {f"{n}x{n}": f"{self.base_url}/avatar/{n}.png" for n in (16, 24, 32, 48)},
            "active": True,
            "timeZone": "Europe/Berlin",
            "locale": "en_GB",
        }
        if self._cloud:
            user |= {"accountId": account.account_id, "accountType": "atlassian"}
        else:
            name = account.email.partition("@")[0]
            user |= {"name": name, "key": f"JIRAUSER{account.account_id[:5]}"}
            user["self"] = f"{self.base_url}/rest/api/2/user?username={name}"
        return _json(user)

    def _my_permissions(self, request: Request, account: LocalAccount | None, version: str) -> Response:
        asked = [key for key in request.args.get("permissions", "").split(",") if key]
        if self._cloud:
            if not asked:
                return _platform_error(400, "The 'permissions' query parameter is required.")
            unknown = sorted(set(asked) - KNOWN_PERMISSIONS)
            if unknown:
                return _platform_error(400, f"Unrecognized permission: {', '.join(unknown)}")
        desk = None
        project = request.args.get("projectId") or request.args.get("projectKey")
        if project:
            desk = next((d for d in self.site.desks if project in (d.project_id, d.key)), None)
            if desk is None or account is None or not account.permissions(desk):
                return _platform_error(404, f"No project could be found with key '{project}'.")
        have = account.permissions(desk) if account else frozenset[str]()
        keys = asked if self._cloud else sorted(KNOWN_PERMISSIONS)
        return _json({"permissions": {key: _permission(number, key, key in have) for number, key in enumerate(keys)}})

    def _permissions_check(self, request: Request, account: LocalAccount | None, version: str) -> Response:
        if not self._cloud:
            return _dead_link()
        asked = request.get_json(silent=True)
        if not isinstance(asked, dict):
            return _platform_error(400, "Invalid request payload. Refer to the REST API documentation and try again.")
        wanted_globals = asked.get("globalPermissions") or []
        groups = asked.get("projectPermissions") or []
        named = {key for group in groups for key in group.get("permissions", [])} | set(wanted_globals)
        if named - KNOWN_PERMISSIONS:
            return _platform_error(400, f"Invalid permissions: {', '.join(sorted(named - KNOWN_PERMISSIONS))}")
        if sum(len(group.get("projects") or []) for group in groups) > 1000:
            return _platform_error(400, "A maximum of 1000 projects can be checked.")
        have = account.permissions() if account else frozenset[str]()
        by_project = {int(desk.project_id): desk for desk in self.site.desks}

        def granted(key: str, project: int) -> bool:
            return account is not None and project in by_project and key in account.permissions(by_project[project])

        grants = [
            {"permission": key, "issues": [], "projects": [project for project in group.get("projects") or [] if granted(key, project)]}
            for group in groups
            for key in group["permissions"]
        ]
        return _json({"globalPermissions": [key for key in wanted_globals if key in have], "projectPermissions": grants})

    # Jira Service Management ----------------------------------------------------------------------

    def _info(self, request: Request, account: LocalAccount | None) -> Response:
        when = {
            "iso8601": "2026-09-01T10:00:00+0000",
            "jira": "2026-09-01T10:00:00.000+0000",
            "friendly": "01/Sep/26",
            "epochMillis": 1788256800000,
        }
        info = {"version": "10.3.2", "platformVersion": "10.3.2", "buildDate": when, "buildChangeSet": "local", "isLicensedForUse": True}
        return _json(info | {"_links": {"self": f"{self.base_url}/rest/servicedeskapi/info"}})

    def _service_desks(self, request: Request, account: LocalAccount | None) -> Response:
        refused = self._refused(account)
        if refused or account is None:
            return refused or _unauthenticated()
        return self._page(request, list(self.site.desks_seen_by(account)), self._desk)

    def _service_desk(self, request: Request, account: LocalAccount | None, desk_id: str) -> Response:
        desk = self.site.desk(desk_id)
        refused = self._refused(account, desk)
        if refused or desk is None:
            return refused or _desk_error(404, "The Service Desk you are trying to view does not exist.", "sd.servicedesk.error.not.found")
        return _json(self._desk(desk))

    def _request_types_of_desk(self, request: Request, account: LocalAccount | None, desk_id: str) -> Response:
        desk = self.site.desk(desk_id)
        refused = self._refused(account, desk)
        if refused or desk is None:
            return refused or _desk_error(404, "The Service Desk you are trying to view does not exist.", "sd.servicedesk.error.not.found")
        return self._page(request, list(desk.types), self._type)

    def _request_types(self, request: Request, account: LocalAccount | None) -> Response:
        if not self.site.global_request_types:
            return _dead_link()
        refused = self._refused(account)
        if refused or account is None:
            return refused or _unauthenticated()
        if request.headers.get("X-ExperimentalApi", "").lower() not in ("opt-in", "true"):
            return _desk_error(
                412,
                "API is experimental. Experimental APIs are not guaranteed to be stable within the preview period. "
                "You must set the header 'X-ExperimentalApi: opt-in' to opt into using this API.",
                "sd.api.experimental",
            )
        wanted = set(request.args.getlist("serviceDeskId"))
        search = request.args.get("searchQuery", "").lower()
        desks = [desk for desk in self.site.desks_seen_by(account) if not wanted or desk.id in wanted]
        types = [t for desk in desks for t in desk.types if search in t.name.lower()]
        return self._page(request, types, self._type)

    def _refused(self, account: LocalAccount | None, desk: LocalDesk | None = None) -> Response | None:
        if account is None:
            return _desk_error(401, "You must be authenticated to access this resource.", "sd.rest.error.not.authenticated")
        if not account.permissions(desk):
            return _desk_error(
                403, "You do not have permission to access Jira Service Management.", "sd.agent.servicedesk.error.no.permission"
            )
        return None

    def _page(self, request: Request, items: list[Any], shape: Callable[[Any], dict[str, Any]]) -> Response:
        start = max(0, request.args.get("start", 0, int))
        limit = max(1, min(request.args.get("limit", DEFAULT_LIMIT, int), self.site.max_limit))
        values = [shape(item) for item in items[start : start + limit]]
        last = start + limit >= len(items)
        here = self.base_url + request.path
        others = [(name, value) for name, value in request.args.items(multi=True) if name not in ("start", "limit")]

        def link(first: int) -> str:
            return f"{here}?{urlencode([*others, ('start', first), ('limit', limit)])}"

        links = {"self": link(start), "base": self.base_url, "context": self.site.context_path}
        if not last:
            links["next"] = link(start + limit)
        if start:
            links["prev"] = link(max(0, start - limit))
        page = {"_expands": [], "size": len(values), "start": start, "limit": limit, "isLastPage": last, "_links": links, "values": values}
        return _json(page)

    def _desk(self, desk: LocalDesk) -> dict[str, Any]:
        own = {"self": f"{self.base_url}/rest/servicedeskapi/servicedesk/{desk.id}"}
        return {"id": desk.id, "projectId": desk.project_id, "projectName": desk.name, "projectKey": desk.key, "_links": own}

    def _type(self, request_type: LocalRequestType) -> dict[str, Any]:
        desk = request_type.desk
        own = f"{self.base_url}/rest/servicedeskapi/servicedesk/{desk.id}/requesttype/{request_type.id}"
        icons = {f"{n}x{n}": f"{self.base_url}/secure/viewavatar?avatarType=SD_REQTYPE&size={n}&avatarId=10516" for n in (16, 24, 32, 48)}
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


def _permission(number: int, key: str, have: bool) -> dict[str, Any]:
    kind = "GLOBAL" if key in GLOBAL_PERMISSIONS else "PROJECT"
    name = key.replace("_", " ").capitalize()
    return {"id": str(number), "key": key, "name": name, "type": kind, "description": name, "havePermission": have}


def _json(data: Any, status: int = 200) -> Response:
    return Response(json.dumps(data), status, content_type="application/json;charset=UTF-8")


def _desk_error(status: int, message: str, key: str) -> Response:
    """The error shape of ``/rest/servicedeskapi``."""
    return _json({"errorMessage": message, "i18nErrorMessage": {"i18nKey": key, "parameters": []}}, status)


def _platform_error(status: int, *messages: str) -> Response:
    """The error shape of ``/rest/api``."""
    return _json({"errorMessages": list(messages), "errors": {}}, status)


def _unauthenticated() -> Response:
    """What ``myself`` answers to nobody: the third of Atlassian's error shapes."""
    return _json({"message": "Client must be authenticated to access this resource.", "status-code": 401}, 401)


def _dead_link() -> Response:
    """Jira's answer to an address it does not have is a page, not JSON."""
    return Response("<html><head><title>Oops, you&#39;ve found a dead link.</title></head><body></body></html>", 404, mimetype="text/html")
