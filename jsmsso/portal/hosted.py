"""Hosted portals: from an address to its page, past the gate, the customer's account in JSM, and the look at the request."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from tempfile import gettempdir

from werkzeug.exceptions import HTTPException
from werkzeug.formparser import parse_form_data

from jsmsso.errors import CustomerRefused, JsmFailed
from jsmsso.portal.acting import PAGE_SECONDS, Acting, Form, Stranger, who
from jsmsso.portal.crowding import ALL_TRANSFERS, Crowded
from jsmsso.portal.downloads import Held
from jsmsso.portal.drafts import MOST_FILES, form_id_of
from jsmsso.portal.once import UnderWay
from jsmsso.portal.parallel import for_customer
from jsmsso.portal.routes import Route, find, from_native, methods_of
from jsmsso.portal.seeing import SeenRequest
from jsmsso.portal.services import Services
from jsmsso.portal.spooling import Room
from jsmsso.profile.model import Portal
from jsmsso.runtime.bodies import Bodies, BodyRefused
from jsmsso.runtime.gate import Gate
from jsmsso.runtime.replies import Reply
from jsmsso.runtime.sessions import Session
from jsmsso.runtime.targets import Target
from jsmsso.runtime.visit import Visit

LEAST_SECONDS = 0.1  # of them, however long it took to find who the customer is
POST_SECONDS = 10.0  # what it may take of a form that was sent, and
UPLOAD_PACE = 2.5 * 1024 * 1024  # bytes a second in which it should take files besides: 50 seconds at most, before a proxy gives up
MAX_TEXT_FORM = 2 * 1024 * 1024  # bytes of a form without its files
MAX_PARTS = 500  # fields and files of one form
LARGE_FORM = 1024 * 1024  # bytes; such a one is a transfer of its own
PICTURES = ("icon", "thumbnail", "attachment")
CROWDED_SECONDS = 2  # for Retry-After
FORMS_AT_ONCE = 4  # of a worker's sixteen threads, besides those that wait for small forms, a provider and JSM
NO_SESSION = "nobody"  # all who send a form without a session are one customer to the others

Handler = Callable[[Acting, SeenRequest | None], Reply]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What somebody asks for, whoever they are: the route called ``name`` of a portal, with the named parts of its address."""

    visit: Visit
    portal: Portal
    target: Target
    names: Mapping[str, str] = field(default_factory=dict)
    name: str = ""

    @property
    def is_form(self) -> bool:
        """Whether a form was sent."""
        return self.visit.method == "POST"

    @property
    def page(self) -> str:
        """The page that was asked for, or on which the form stands that was sent."""
        return f"/portal/{self.portal.key}/{self.names['key']}" if self.is_form and "key" in self.names else self.target.own_path

    @property
    def form_id(self) -> str:
        """What a draft of the form is kept under; empty where it is no form, or one that nobody types in."""
        return form_id_of(self.target.rest, self.names)


class HostedPortals:
    """Everything below a hosted portal's link, and ``/requests``. One per worker."""

    def __init__(self, services: Services, gate: Gate) -> None:
        self._services = services
        self._deployment = services.deployment
        self._gate = gate
        # Large forms have a place among the transfers, so that what takes minutes keeps nobody's comment out.
        self._forms, self._uploads = (Bodies(MAX_TEXT_FORM + services.most_upload, count) for count in (FORMS_AT_ONCE, ALL_TRANSFERS))
        self._handlers: Mapping[str, Handler] = services.handlers()

    def overdue_peers(self) -> set[str]:
        """The addresses of those who do not send on a form; see :meth:`Bodies.overdue_peers`."""
        return self._forms.overdue_peers() | self._uploads.overdue_peers()

    def reply(self, visit: Visit, portal: Portal, name: str, rest: str) -> Reply:
        """``/portal/<name>/<rest>``; ``name`` is the portal's key or id as the address has it."""
        rest = from_native(rest.strip("/"))
        method = "GET" if visit.method == "HEAD" else visit.method
        found = find(method, rest)
        if found is None:
            allowed = methods_of(rest)
            if allowed:
                return self._deployment.headers.plain(405, "This address does not take that method.", [("Allow", ", ".join(allowed))])
            return self._services.pages.not_found(visit, self._deployment.session_of(visit))
        route, names = found
        target = Target(portal, f"/portal/{name}/{rest}" if rest else f"/portal/{name}", rest)
        asked = _Asked(visit, portal, target, names, route.name)
        passed = self._passed(visit, target, route)
        if passed is None:
            return self._services.strangers.reply(Stranger(visit, portal, target.path, names), route.name)
        if isinstance(passed, Reply):
            return self._not_passed(asked, passed) if asked.is_form else passed
        return self._answer(asked, passed, route)

    def requests(self, visit: Visit) -> Reply:
        """``GET /requests``: the customer's requests at all portals that are open to them."""
        target = Target(None, "/requests", query=visit.query)
        passed = self._gate.passed(visit, target)
        if isinstance(passed, Reply):
            return passed
        # A public portal is open to customers of every provider; what is somebody's own there is not.
        mine = (None, passed.customer.provider)
        hosted = [portal for portal in self._deployment.admission.open_to(passed) if portal.mode == "hosted" and portal.provider in mine]
        if not hosted:
            return self._services.pages.not_found(visit, passed)
        return self._act(_Asked(visit, hosted[0], target), passed, lambda acting: self._services.listing.requests(acting, hosted))

    def _passed(self, visit: Visit, target: Target, route: Route) -> Session | Reply | None:
        """The gate's word; None for a stranger whom this page of a public portal is for."""
        asks_to_log_in = visit.path.endswith("/user/login")  # the native portal's address for it
        if route.is_for_anybody and target.portal is not None and target.portal.is_shown_to_strangers and not asks_to_log_in:
            return self._gate.passed_or_stranger(visit, target)
        return self._gate.passed(visit, target)

    def _answer(self, asked: _Asked, session: Session, route: Route) -> Reply:
        def handle(acting: Acting) -> Reply:
            if route.about != "request":
                return self._handlers[route.name](acting, None)
            key = asked.names["key"]
            try:
                seen = self._services.seeing.request(acting, key)
            except JsmFailed as error:
                return self._services.requests.not_seen(acting, route.name, error)
            if seen is None:
                self._services.shown.deny(acting, key)
                self._services.audit("access.denied", acting, key)
                return self._services.pages.not_found(asked.visit, session)
            try:
                return self._handlers[route.name](acting, seen)
            except JsmFailed as error:
                self._services.shown.deny_after(acting, key, error)
                raise

        return self._act(asked, session, handle)

    def _act(self, asked: _Asked, session: Session, handle: Callable[[Acting], Reply]) -> Reply:
        services, customer, visit = self._services, who(session), asked.visit
        with ExitStack() as held:
            try:
                is_large = asked.is_form and _is_large(visit)
                if is_large:  # it holds a thread for as long as a download does
                    held.enter_context(services.transfers.place(customer))
                    held.enter_context(services.pages_at_once.place(customer))
                form = Form()
                if asked.is_form:
                    bodies = self._uploads if is_large else self._forms
                    read = self._read_form(visit, bodies, customer, services.files.limit_while_reading)
                    if isinstance(read, Reply):
                        return read
                    form = read
                    held.callback(form.close)
                if not is_large:
                    try:
                        held.enter_context(services.pages_at_once.place(customer, is_picture=asked.name in PICTURES))
                    except Crowded:
                        self._keep_draft(asked, session, form)
                        raise
                reply = self._acted(asked, session, form, handle)
                return reply if reply.stream is None else replace(reply, stream=Held(reply.stream, held.pop_all()))
            except Crowded:
                if asked.name == "icon":
                    return self._deployment.headers.redirect(services.pages.assets.request_icon)
                reply = services.pages.too_many_calls(visit, session, asked.portal, asked.page)
                reply.headers.append(("Retry-After", str(CROWDED_SECONDS)))
                return reply

    def _acted(self, asked: _Asked, session: Session, form: Form, handle: Callable[[Acting], Reply]) -> Reply:
        deployment, services = self._deployment, self._services
        visit, portal, page = asked.visit, asked.portal, asked.page
        if asked.is_form and not (visit.is_from_our_pages and services.is_token(form.one("token"), portal, asked.target.rest, session)):
            self._keep_draft(asked, session, form)
            return services.pages.form_too_old(visit, session, portal, page)
        try:
            seconds, began = POST_SECONDS + form.size / UPLOAD_PACE if asked.is_form else PAGE_SECONDS, time.monotonic()
            account_id = services.account_id(session.customer, seconds)
            if not account_id:
                email = session.customer.email
                raise CustomerRefused("account_missing", f"JSM has no account for {email}", email=email)
            if not services.budget.takes(account_id):
                self._keep_draft(asked, session, form)
                return services.pages.too_many_calls(visit, session, portal, page)
            to = services.connect(max(seconds - (time.monotonic() - began), LEAST_SECONDS))
            acting = Acting(visit, session, portal, account_id, to, asked.names, form, deployment.renewal_of(session))
            with for_customer(acting.who):
                return handle(acting)
        except UnderWay as error:
            place = f"/portal/{portal.key}/{asked.names['key']}" if "key" in asked.names else f"/portal/{portal.key}"
            return deployment.headers.redirect(deployment.own(f"{place}/sending/{error.key}"), status=303)
        except CustomerRefused as error:
            self._keep_draft(asked, session, form)
            return services.pages.customer_refused(visit, error, session, portal, page)
        except JsmFailed as error:
            self._keep_draft(asked, session, form)
            return services.pages.jsm_failed(visit, error, session, portal, page)

    def _keep_draft(self, asked: _Asked, session: Session, form: Form) -> None:
        """The page that says why nothing was sent leads back to the form, with what was typed in it."""
        if asked.form_id and form.values and asked.visit.is_from_our_pages:
            customer = session.customer
            self._services.drafts.keep_of_owner(asked.portal, asked.form_id, form, issuer=customer.issuer, subject=customer.subject)

    def _not_passed(self, asked: _Asked, passed: Reply) -> Reply:
        """A form whose session ended, or that waits for something: what was typed is kept for whom it was shown to."""
        session = self._deployment.session_of(asked.visit)
        if asked.form_id:
            sender = who(session) if session is not None else NO_SESSION
            form = self._read_form(asked.visit, self._forms, sender, lambda: MOST_FILES, room=MOST_FILES)
            if isinstance(form, Reply):
                return form
            try:
                if session is not None:
                    self._keep_draft(asked, session, form)
                elif asked.visit.is_from_our_pages:
                    self._services.drafts.keep_of_owner(asked.portal, asked.form_id, form)
            finally:
                form.close()
        if session is not None:
            return passed
        # To the page that the form stands on, and so to the login.
        return self._deployment.headers.redirect(self._deployment.own(asked.page), status=303)

    def _read_form(self, visit: Visit, bodies: Bodies, sender: str, file_limit: Callable[[], int], room: int = 0) -> Form | Reply:
        """The fields and files of a form, or the answer to one that cannot be read. Files of some size lie on disk meanwhile.

        Nothing is kept of a file of more than ``file_limit`` bytes, which is asked for where a form may have files, nor of
        what has no ``room`` any more.
        """
        environ = visit.environ
        is_multipart = environ.get("CONTENT_TYPE", "").startswith("multipart/")
        spool = Room(file_limit() if is_multipart else 0, room or MAX_TEXT_FORM + self._services.most_upload)
        try:
            with bodies.stream(environ, sender) as body:
                _, values, files = parse_form_data(
                    {"wsgi.input": body, "wsgi.input_terminated": True, "CONTENT_TYPE": environ.get("CONTENT_TYPE", "")},
                    stream_factory=spool.stream,
                    silent=False,
                    max_form_memory_size=MAX_TEXT_FORM,
                    max_form_parts=MAX_PARTS,
                )
        except BodyRefused as error:
            spool.close()
            return self._deployment.headers.plain(error.status, error.text, [("Retry-After", "2")] if error.status == 503 else ())
        except (HTTPException, ValueError) as error:
            spool.close()
            status = getattr(error, "code", None) or 400
            return self._deployment.headers.plain(status, "This form cannot be read: it is too large, or was cut off on its way.")
        except OSError as error:  # a full disk
            spool.close()
            self._deployment.events.write("form.not_kept", reason=error.strerror or type(error).__name__, folder=gettempdir())
            return self._deployment.headers.plain(503, "There is no room for this form's files just now. Try again in a while.")
        chosen = tuple((name, file) for name, file in files.items(multi=True) if file.filename)
        for file in (one for several in files.listvalues() for one in several):
            if not file.filename:  # an input in which none was chosen
                file.close()
        return Form({name: tuple(values.getlist(name)) for name in values}, chosen)


def _is_large(visit: Visit) -> bool:
    """Whether a form may hold a thread, and room on disk, for a while."""
    length: str = visit.environ.get("CONTENT_LENGTH") or ""
    if not length:
        return bool(visit.environ.get("HTTP_TRANSFER_ENCODING"))
    return not length.isdecimal() or len(length) > len(str(LARGE_FORM)) or int(length) > LARGE_FORM
