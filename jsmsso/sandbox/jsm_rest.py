"""The local JSM's REST API: the calls that jsmsso makes, answered in the shapes of Atlassian's OpenAPI documents."""

from __future__ import annotations

import base64
import binascii

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import Map
from werkzeug.wrappers import Request, Response

from jsmsso.sandbox import (
    jsm_attachments,
    jsm_comments,
    jsm_customers,
    jsm_desks,
    jsm_issues,
    jsm_organizations,
    jsm_own_calls,
    jsm_platform,
    jsm_raising,
    jsm_request_calls,
    jsm_type_calls,
)
from jsmsso.sandbox.jsm_call import Call, Refused, answer, dead_link, desk_error, platform_error
from jsmsso.sandbox.jsm_site import LocalAccount, LocalSite

ROOMS = (
    jsm_platform,
    jsm_desks,
    jsm_customers,
    jsm_organizations,
    jsm_type_calls,
    jsm_request_calls,
    jsm_comments,
    jsm_issues,
    jsm_attachments,
    jsm_raising,
    jsm_own_calls,
)
ROUTES = Map([rule for room in ROOMS for rule in room.RULES], strict_slashes=False)
DENIED_LOGIN = "AUTHENTICATED_FAILED"  # the real header's word for credentials that are wrong
GATEWAY = "/ex/jira/"  # before the cloud id, at api.atlassian.com (Atlassian: Manage API tokens)
FORMS = "/jira/forms/"  # at api.atlassian.com too, with either kind of token
THROUGH_GATEWAY = "local_jsm.gateway"  # in the environment of a request: the cloud id that it came by


class RestApi:
    """Answers ``/rest/...`` of a :class:`LocalSite`. ``base_url`` is known once the server listens."""

    def __init__(self, site: LocalSite) -> None:
        self.site = site
        self.base_url = ""

    def __call__(self, request: Request) -> Response:
        """One answer; wrong credentials get what Jira gives: 401, or an anonymous answer with a header that says so.

        Behind the gateway only a scoped token is anybody, and nobody gets an answer.
        """
        gateway = request.environ.get(THROUGH_GATEWAY, "")
        with self.site.lock:
            self.site.know_accounts()
            account, tried = self._who(request, scoped=bool(gateway))
            if account is None and request.path.startswith(FORMS):
                account, tried = self._who(request, scoped=True)
            if gateway and account is None:
                return answer({"code": 401, "message": "Unauthorized"}, 401)
            call = Call(self.site, request, account, f"{self.base_url}{GATEWAY}{gateway}" if gateway else self.base_url)
            response = self._answer(call)
        if tried and account is None:
            response.headers["X-Seraph-LoginReason"] = DENIED_LOGIN
        elif account is not None:
            response.headers["X-AACCOUNTID"] = account.account_id
        return response

    def _answer(self, call: Call) -> Response:
        try:
            endpoint, arguments = ROUTES.bind_to_environ(call.request.environ).match()
        except MethodNotAllowed:
            if call.request.path.startswith("/rest/servicedeskapi/"):
                return desk_error(405, "HTTP 405 Method Not Allowed", "sd.rest.error.method.not.allowed")
            return platform_error(405, "HTTP 405 Method Not Allowed")
        except HTTPException:
            return dead_link()
        if arguments.get("version", "2") not in ("2", "latest", *(["3"] if self.site.is_cloud else [])):
            return dead_link()
        try:
            response: Response = endpoint(call, **arguments)
        except Refused as refused:
            return refused.response
        return response

    def _who(self, request: Request, *, scoped: bool) -> tuple[LocalAccount | None, bool]:
        """The account, and whether credentials were sent at all. Cloud takes basic, Data Center bearer."""
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if self.site.is_cloud and scheme.lower() == "basic":
            try:
                email, _, token = base64.b64decode(value, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return None, True
            return self._account(token, email, scoped=scoped), True
        if not self.site.is_cloud and scheme.lower() == "bearer":
            return self._account(value.strip()), True
        return None, bool(scheme)

    def _account(self, token: str, email: str | None = None, *, scoped: bool = False) -> LocalAccount | None:
        matching = (
            account
            for account in self.site.accounts
            if account.token == token and account.scoped == scoped and (email is None or account.email.lower() == email.lower())
        )
        return next(matching, None)
