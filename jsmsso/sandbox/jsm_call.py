"""One call to the local JSM: who makes it, what it asks, and the shapes in which Atlassian answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from werkzeug.wrappers import Request, Response

from jsmsso.sandbox.jsm_people import LocalOrganization, LocalPerson
from jsmsso.sandbox.jsm_site import LocalAccount, LocalDesk, LocalSite

DEFAULT_LIMIT = 100  # what Atlassian's document calls the default of the paged calls for desks and types
STAFF = frozenset({"SERVICEDESK_AGENT", "ADMINISTER_PROJECTS", "ADMINISTER"})
SIZES = (16, 24, 32, 48)  # of avatars, in pixels


class Refused(Exception):
    """Ends a call early with this answer."""

    def __init__(self, response: Response) -> None:
        self.response = response


@dataclass(frozen=True, slots=True)
class Call:
    """A request with its account (``None``: nobody is logged in). ``base_url`` is what links in the answer begin with."""

    site: LocalSite
    request: Request
    account: LocalAccount | None
    base_url: str

    @property
    def query(self) -> Any:
        """The parameters of the address."""
        return self.request.args

    def caller(self, desk: LocalDesk | None = None) -> LocalAccount:
        """Who calls, for ``/rest/servicedeskapi``: refused to nobody and to an account that may do nothing (here)."""
        if self.account is None:
            raise Refused(desk_error(401, "You must be authenticated to access this resource.", "sd.rest.error.not.authenticated"))
        if not self.account.permissions(desk):
            raise Refused(forbidden("You do not have permission to access Jira Service Management."))
        return self.account

    def desk(self, id_or_key: str) -> LocalDesk:
        """The service desk of this id or project key, for an account that may see it."""
        desk = self.site.desk(id_or_key)
        self.caller(desk)
        if desk is None:
            missing = "sd.agent.servicedesk.error.servicedesk.missing"
            raise Refused(desk_error(404, "The Service Desk you are trying to view does not exist.", missing))
        return desk

    def is_staff(self, desk: LocalDesk | None) -> bool:
        """Whether the caller is more than a customer there."""
        return self.account is not None and not STAFF.isdisjoint(self.account.permissions(desk))

    @property
    def caller_id(self) -> str:
        """The id of the person who calls; empty for nobody."""
        return self.site.id_of(self.account) if self.account else ""

    @property
    def expand(self) -> frozenset[str]:
        """What the answer is asked to have in it as well."""
        return frozenset(name for value in self.query.getlist("expand") for name in value.split(",") if name)

    def needs_opt_in(self) -> None:
        """Refuse an experimental call without the header that Atlassian wants."""
        if self.request.headers.get("X-ExperimentalApi", "").lower() not in ("opt-in", "true"):
            message = "API is experimental. You must set the header 'X-ExperimentalApi: opt-in' to opt into using this API."
            raise Refused(desk_error(412, message, "sd.api.experimental"))

    def body(self, *allowed: str) -> dict[str, Any]:
        """The JSON object that was sent; refused where it is none, or has a key besides ``allowed``."""
        if self.request.mimetype != "application/json":
            raise Refused(Response(status=415))
        sent = self.request.get_json(silent=True)
        if not isinstance(sent, dict):
            raise Refused(invalid("The request body is not a JSON object."))
        unknown = sorted(set(sent) - set(allowed))
        if unknown:
            raise Refused(invalid(f'Unrecognized field "{unknown[0]}", not marked as ignorable.'))
        return sent

    def page(self, items: Sequence[Any], shape: Callable[[Any], dict[str, Any]]) -> Response:
        """The part of ``items`` that was asked for, each in its shape (Atlassian: Pagination)."""
        start, limit = max(0, self.query.get("start", 0, int)), max(1, self.query.get("limit", DEFAULT_LIMIT, int))
        others = [(name, value) for name, value in self.query.items(multi=True) if name not in ("start", "limit")]
        return answer(self.paged(items, shape, self.request.path, start, limit, others))

    def paged(
        self,
        items: Sequence[Any],
        shape: Callable[[Any], dict[str, Any]],
        path: str,
        start: int = 0,
        limit: int = DEFAULT_LIMIT,
        others: Sequence[tuple[str, str]] = (),
    ) -> dict[str, Any]:
        """A page as it stands in an answer, also within another one; ``path`` is where it can be asked for by itself."""
        limit = min(limit, self.site.max_limit)
        values = [shape(item) for item in items[start : start + limit]]
        last = start + limit >= len(items)
        here = self.base_url + path

        def link(first: int) -> str:
            return f"{here}?{urlencode([*others, ('start', first), ('limit', limit)])}"

        links = {"self": link(start), "base": self.base_url, "context": self.site.context_path}
        if not last:
            links["next"] = link(start + limit)
        if start:
            links["prev"] = link(max(0, start - limit))
        return {"_expands": [], "size": len(values), "start": start, "limit": limit, "isLastPage": last, "_links": links, "values": values}

    def customer(self, person: LocalPerson) -> dict[str, Any]:
        """A person as ``/rest/servicedeskapi`` shows them (Atlassian: UserDTO)."""
        own = f"{self.base_url}/rest/api/2/user?{urlencode({self._id_name: person.id})}"
        shown = self._naming(person) | _address(person) | {"displayName": person.display_name, "active": person.active}
        return shown | {"timeZone": "Etc/UTC", "_links": {"self": own, "jiraRest": own, "avatarUrls": self._avatars()}}

    def user(self, person: LocalPerson, version: str) -> dict[str, Any]:
        """A person as the platform's API shows them (Atlassian: User)."""
        own = f"{self.base_url}/rest/api/{version}/user?{urlencode({self._id_name: person.id})}"
        kind = {"accountType": person.kind} if self.site.is_cloud else {}
        shown = {"self": own} | self._naming(person) | kind | _address(person)
        return shown | {
            "displayName": person.display_name,
            "avatarUrls": self._avatars(),
            "active": person.active,
            "timeZone": "Europe/Berlin",
            "locale": "en_GB",
        }

    def somebody(self, person_id: str) -> dict[str, Any]:
        """The person with this id as ``/rest/servicedeskapi`` shows them; one who is gone has no name."""
        return self.customer(self._person(person_id))

    def platform_user(self, person_id: str) -> dict[str, Any]:
        """The person with this id as the platform shows them within something else (Atlassian: UserDetails)."""
        shown = self.user(self._person(person_id), "3" if self.site.is_cloud else "2")
        del shown["locale"]
        return shown

    def _person(self, person_id: str) -> LocalPerson:
        return self.site.people.get(person_id) or LocalPerson(person_id, "", "Former user", active=False, hidden="empty")

    def organization(self, organization: LocalOrganization) -> dict[str, Any]:
        """Atlassian: OrganizationDTO."""
        own = f"{self.base_url}/rest/servicedeskapi/organization/{organization.id}"
        newer = {"scimManaged": False} if self.site.is_cloud else {}
        return {"id": organization.id, "name": organization.name, "_links": {"self": own}} | newer

    @property
    def _id_name(self) -> str:
        return "accountId" if self.site.is_cloud else "username"

    def _naming(self, person: LocalPerson) -> dict[str, Any]:
        return {"accountId": person.id} if self.site.is_cloud else {"name": person.id, "key": person.key}

    def _avatars(self) -> dict[str, str]:
        return {f"{size}x{size}": f"{self.base_url}/avatar/{size}.png" for size in SIZES}


def _address(person: LocalPerson) -> dict[str, Any]:
    """The address as the person's privacy settings let it be shown."""
    if person.hidden == "absent":
        return {}
    return {"emailAddress": {"null": None, "empty": ""}.get(person.hidden, person.email)}


def answer(data: Any, status: int = 200) -> Response:
    """A JSON document."""
    return Response(json.dumps(data), status, content_type="application/json;charset=UTF-8")


def nothing() -> Response:
    """Done, and nothing to tell."""
    done = Response(status=204)
    del done.headers["Content-Type"]
    return done


def desk_error(status: int, message: str, key: str) -> Response:
    """The error shape of ``/rest/servicedeskapi``."""
    return answer({"errorMessage": message, "i18nErrorMessage": {"i18nKey": key, "parameters": []}}, status)


def forbidden(message: str) -> Response:
    """A permission of ``/rest/servicedeskapi`` is missing."""
    return desk_error(403, message, "sd.agent.servicedesk.error.no.permission")


def invalid(message: str, key: str = "sd.rest.error.invalid.request") -> Response:
    """Something that ``/rest/servicedeskapi`` cannot do as it was asked."""
    return desk_error(400, message, key)


def platform_error(status: int, *messages: str) -> Response:
    """The error shape of ``/rest/api``."""
    return answer({"errorMessages": list(messages), "errors": {}}, status)


def unauthenticated() -> Response:
    """What ``myself`` answers to nobody: the third of Atlassian's error shapes."""
    return answer({"message": "Client must be authenticated to access this resource.", "status-code": 401}, 401)


def dead_link() -> Response:
    """Jira's answer to an address it does not have is a page, not JSON."""
    return Response("<html><head><title>Oops, you&#39;ve found a dead link.</title></head><body></body></html>", 404, mimetype="text/html")
