"""The WSGI application: from a request's first path segment to the room that answers it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.formparser import parse_form_data

from jsmsso.errors import JsmssoError, StoreUnavailable
from jsmsso.identity.email_address import NotAnEmailAddress, fold_email
from jsmsso.portal.languages import N_
from jsmsso.runtime.answers import Callback
from jsmsso.runtime.backchannel import end_by_logout_token
from jsmsso.runtime.bodies import Bodies, BodyRefused
from jsmsso.runtime.deployment import Deployment
from jsmsso.runtime.forms import is_form_token
from jsmsso.runtime.forward_auth import ForwardAuth
from jsmsso.runtime.frontchannel import FrontChannel
from jsmsso.runtime.gate import Gate
from jsmsso.runtime.pages import Pages
from jsmsso.runtime.replies import STATUS_LINES, Reply
from jsmsso.runtime.return_to import own_path
from jsmsso.runtime.signing_out import SigningOut
from jsmsso.runtime.visit import MAX_HEADERS, Visit, decoded_path, headers_size

if TYPE_CHECKING:
    from jsmsso.portal.hosted import HostedPortals
    from jsmsso.portal.services import Services

MAX_FORM = 16 * 1024  # bytes of a form's body; ours hold a token and a path
MAX_FIELDS = 16
MAX_QUERY = 8192  # characters, as many as an answer may have
_READ = ("GET", "HEAD")
_TAKE_FORMS = ("login", "logout", "backchannel-logout", "portal")


class Application:
    """Called by a WSGI server from many threads. Never answers 500, never lets an exception out."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._base_path = deployment.base_path
        self._bodies = Bodies(MAX_FORM)
        self._headers = deployment.headers
        self._pages = Pages(deployment)
        self._gate = Gate(deployment, self._pages)
        self._front_channel = FrontChannel(deployment)
        self._callback = Callback(deployment, self._pages, self._front_channel)
        self._signing_out = SigningOut(deployment, self._pages)
        # One look at the first segment stands in for Werkzeug's router: Map.bind_to_environ and match cost 15
        # microseconds of the 40 that an answer to a session may cost (benchmarks/).
        self._rooms: dict[str, Callable[[Visit], Reply]] = {
            "": self._home,
            "portal": self._portal,
            "servicedesk": self._native,
            "callback": self._receive,
            "login": self._login,
            "logout": self._logout,
            "backchannel-logout": self._signed_out_elsewhere,
            "frontchannel-logout": self._signed_out_in_a_frame,
            "logged-out": self._logged_out,
            "assets": self._asset,
            "healthz": self._alive,
            "readyz": self._ready,
        }
        self._services = _services(deployment, self._pages)
        self._hosted = _hosted_portals(self._services, self._gate)
        if self._hosted is not None:
            self._rooms["requests"] = self._requests
        if deployment.site is not None:
            self._forward_auth = ForwardAuth(deployment, self._pages, self._gate, deployment.site)
            self._rooms["auth"] = self._auth

    @property
    def learn(self) -> Callable[[], None] | None:
        """Asks JSM beforehand for what pages of hosted portals need; None where none is hosted. Raises JSM's errors."""
        return self._services.learn if self._services is not None else None

    def close(self) -> None:
        """Let go of what this process opened, such as the store."""
        self._deployment.store.close()

    def overdue_peers(self) -> set[str]:
        """The addresses of those who do not send on a body; see :meth:`Bodies.overdue_peers`."""
        return self._bodies.overdue_peers() | (self._hosted.overdue_peers() if self._hosted is not None else set())

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        reply = self.reply_to(environ)
        self._deployment.metrics.response(reply.status)
        start_response(STATUS_LINES[reply.status], reply.headers)
        if environ["REQUEST_METHOD"] == "HEAD":
            if reply.stream is not None:
                reply.stream.close()
            return []
        return [reply.body] if reply.stream is None else reply.stream

    def reply_to(self, environ: dict[str, Any]) -> Reply:
        """The answer to a request."""
        if headers_size(environ) > MAX_HEADERS:
            return self._headers.plain(431, "The request's headers are too large. Delete this site's cookies and try again.")
        visit = Visit(environ, "/")
        if len(visit.query) > MAX_QUERY:
            return self._headers.plain(414, "This address is too long.")
        try:
            return self._answer(visit, decoded_path(environ))
        except JsmssoError as error:
            return self._pages.unavailable(visit, error, own_path(visit.path) if visit.path != "/login" else self._return_to(visit))
        except Exception as error:  # the edge: a fault of ours is a page with a number, and the log says where
            return self._pages.fault(visit, error)

    def _answer(self, visit: Visit, path: str | None) -> Reply:
        if path is None:
            return self._pages.not_found(visit, None)
        if self._base_path:
            if path != self._base_path and not path.startswith(self._base_path + "/"):
                return self._pages.not_found(visit, None)
            path = path[len(self._base_path) :] or "/"
        visit.path = path
        first = visit.path[1:].partition("/")[0]
        room = self._rooms.get(first)
        if room is None:
            return self._pages.not_found(visit, self._deployment.session_of(visit))
        allowed = (*_READ, "POST") if first in _TAKE_FORMS else _READ
        if visit.method not in allowed:
            return self._not_that_method(allowed)
        return room(visit)

    def _not_that_method(self, allowed: Iterable[str]) -> Reply:
        return self._headers.plain(405, "This address does not take that method.", [("Allow", ", ".join(allowed))])

    def _only(self, visit: Visit, path: str) -> Reply | None:
        """404 for anything below an address that has nothing below it."""
        return None if visit.path == path else self._pages.not_found(visit, self._deployment.session_of(visit))

    def _home(self, visit: Visit) -> Reply:
        return self._gate.home(visit)

    def _portal(self, visit: Visit) -> Reply:
        """``/portal/<KEY or id>/...``: our own pages, or the way to the native portal."""
        name, _, rest = visit.path.removeprefix("/portal/").partition("/")
        return self._hosted_at(visit, name, rest) or (self._gate.link(visit) if visit.method in _READ else self._not_that_method(_READ))

    def _hosted_at(self, visit: Visit, name: str, rest: str) -> Reply | None:
        """None for a portal that is not there, or not served by us."""
        portal = self._deployment.portals.named(name)
        if self._hosted is None or portal is None or portal.mode != "hosted":
            return None
        return self._hosted.reply(visit, portal, name, rest)

    def _requests(self, visit: Visit) -> Reply:
        assert self._hosted is not None
        return self._only(visit, "/requests") or self._hosted.requests(visit)

    def _native(self, visit: Visit) -> Reply:
        if visit.path.rstrip("/") == "/servicedesk/customer":
            visit.path = "/servicedesk/customer/portals"
        if not visit.path.startswith("/servicedesk/customer/"):
            return self._pages.not_found(visit, self._deployment.session_of(visit))
        if self._hosted is not None and visit.path.rstrip("/") == "/servicedesk/customer/user/requests":
            return self._headers.redirect(self._deployment.own("/requests"))
        target = self._deployment.portals.of_native_path(visit.path, visit.query) if self._hosted is not None else None
        shown = self._hosted_at(visit, target.portal.id, target.rest) if target is not None and target.portal is not None else None
        return shown or self._gate.native(visit)

    def _auth(self, visit: Visit) -> Reply:
        if visit.path == "/auth":
            return self._forward_auth.check(visit)
        return self._only(visit, "/auth/redirect") or self._forward_auth.redirect(visit)

    def _receive(self, visit: Visit) -> Reply:
        provider = self._deployment.by_callback.get(visit.path)
        if provider is None:
            return self._pages.not_found(visit, self._deployment.session_of(visit))
        if visit.method != "GET":
            return self._not_that_method(["GET"])
        return self._callback.receive(visit, provider)

    def _login(self, visit: Visit) -> Reply:
        if (other := self._only(visit, "/login")) is not None:
            return other
        if visit.method == "POST":
            return self._login_by_address(visit)
        if not visit.is_page_load:
            return self._headers.plain(401, "Sign in first: open this address in a browser.")
        return_to = self._return_to(visit)
        query = visit.parameters
        portal = self._deployment.portal_of(return_to)
        named = query.get("provider", "")
        if "choose" in query or (named and named not in {one.name for one in self._deployment.possible_for(portal)}):
            return self._pages.sign_in(visit, portal, return_to, all_ways=True)
        return self._gate.to_login(visit, portal, return_to, named=named, prompt="login" if query.get("prompt") == "login" else "")

    def _login_by_address(self, visit: Visit) -> Reply:
        """``POST /login``: the address that somebody typed chooses the provider, by its domain alone."""
        if self._deployment.profile.login.mode != "ask_address":
            return self._not_that_method(_READ)
        form = self._form(visit)
        if isinstance(form, Reply):
            return form
        deployment = self._deployment
        return_to = deployment.return_to_of(form.get("return_to", ""))
        portal = deployment.portal_of(return_to)
        if not visit.is_from_our_pages or not is_form_token(deployment.sealer, form.get("token", ""), "login", "", deployment.now()):
            return self._pages.sign_in(
                visit, portal, return_to, wrong=N_("This form was open for too long. Please type your address again.")
            )
        typed = form.get("email", "").strip()
        try:
            email = fold_email(typed)
        except NotAnEmailAddress:
            return self._pages.sign_in(
                visit, portal, return_to, wrong=N_("That is no whole email address, such as name@example.com."), typed=typed
            )
        provider = deployment.of_address(email, portal)
        if provider is None:
            return self._pages.sign_in(visit, portal, return_to, all_ways=True)
        return self._gate.begin_login(visit, provider, return_to, portal, login_hint=email)

    def _signed_out_elsewhere(self, visit: Visit) -> Reply:
        """``POST /backchannel-logout/<provider>``: the provider says that somebody signed out (Back-Channel Logout 1.0, 2.5)."""
        served = self._deployment.providers.get(visit.path.removeprefix("/backchannel-logout/"))
        if served is None:
            return self._headers.plain(404, "Not found.")
        if visit.method != "POST":
            return self._not_that_method(["POST"])
        form = self._form(visit)
        return form if isinstance(form, Reply) else end_by_logout_token(self._deployment, served, form.get("logout_token", ""))

    def _signed_out_in_a_frame(self, visit: Visit) -> Reply:
        """``GET /frontchannel-logout/<provider>``: a page of the provider's says that somebody signs out (Front-Channel Logout 1.0, 2)."""
        served = self._deployment.providers.get(visit.path.removeprefix("/frontchannel-logout/"))
        if served is None:
            return self._headers.plain(404, "Not found.")
        if visit.method != "GET":
            return self._not_that_method(["GET"])
        return self._front_channel.end(visit, served)

    def _logout(self, visit: Visit) -> Reply:
        if (other := self._only(visit, "/logout")) is not None:
            return other
        if visit.method != "POST":
            return self._signing_out.ask(visit)
        form = self._form(visit)
        return form if isinstance(form, Reply) else self._signing_out.confirmed(visit, form)

    def _form(self, visit: Visit) -> dict[str, str] | Reply:
        """The fields of a form, or the answer to one that cannot be read."""
        try:
            body = self._bodies.read(visit.environ, self._deployment.proxies.client_of(visit.environ))
            read = {
                "wsgi.input": BytesIO(body),
                "CONTENT_LENGTH": str(len(body)),
                "CONTENT_TYPE": visit.environ.get("CONTENT_TYPE", ""),
            }
            _, form, _ = parse_form_data(read, silent=True, max_form_memory_size=MAX_FORM, max_form_parts=MAX_FIELDS)
        except BodyRefused as error:
            return self._headers.plain(error.status, error.text, [("Retry-After", "2")] if error.status == 503 else ())
        except (HTTPException, ValueError) as error:
            return self._headers.plain(getattr(error, "code", None) or 400, "This form cannot be read.")
        return {name: form[name] for name in form}

    def _logged_out(self, visit: Visit) -> Reply:
        return self._only(visit, "/logged-out") or self._signing_out.ended(visit)

    def _asset(self, visit: Visit) -> Reply:
        return self._pages.assets.reply(visit.path, self._headers)

    def _alive(self, visit: Visit) -> Reply:
        return self._headers.plain(200, "ok") if visit.path == "/healthz" else self._headers.plain(404, "Not found.")

    def _ready(self, visit: Visit) -> Reply:
        if visit.path != "/readyz":
            return self._headers.plain(404, "Not found.")
        if self._deployment.is_stopping():
            return self._headers.plain(503, "stopping")
        try:
            self._deployment.store.check()
        except StoreUnavailable:
            if self._deployment.profile.store_failure == "closed":
                return self._headers.plain(503, "store")
        # Not yet asked counts as well: a provider that is down is for the first login to find out.
        metrics = self._deployment.metrics
        known = all(
            one.party.known_metadata is not None and not metrics.is_failing("provider", one.name)
            for one in self._deployment.providers.values()
        ) and not metrics.is_failing("jsm")
        return self._headers.plain(200, "ready" if known and not self._writes_fail() else "degraded")

    def _writes_fail(self) -> bool:
        """Whether records of customers wait that JSM would not take."""
        try:
            return self._deployment.records is not None and self._deployment.store.count_writes().failing > 0
        except StoreUnavailable:
            return False

    def _return_to(self, visit: Visit) -> str:
        return self._deployment.return_to_of(visit.parameters.get("return_to", ""))


def _services(deployment: Deployment, pages: Pages) -> Services | None:
    """What the pages of the portals that we serve ourselves share; nothing is imported for a profile without one."""
    if deployment.accounts is None or deployment.connect is None or not any(one.mode == "hosted" for one in deployment.portals.all):
        return None
    from jsmsso.portal.services import Services

    return Services(deployment, pages, deployment.accounts, deployment.connect)


def _hosted_portals(services: Services | None, gate: Gate) -> HostedPortals | None:
    """The pages themselves."""
    if services is None:
        return None
    from jsmsso.portal.hosted import HostedPortals

    return HostedPortals(services, gate)
