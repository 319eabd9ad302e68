"""The pages people see. Each dead end says what happened, who they are, one next step, whom to ask, and a number for the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlencode

from jsmsso.errors import AnswerRefused, CustomerRefused, JsmFailed, JsmssoError
from jsmsso.identity.access import Decision
from jsmsso.portal.languages import N_, Named
from jsmsso.profile.model import Portal
from jsmsso.runtime.failures import Failure, explain, explain_answer
from jsmsso.runtime.forms import form_token
from jsmsso.runtime.rendering import Rendering
from jsmsso.runtime.replies import Header, Reply
from jsmsso.runtime.sessions import Session
from jsmsso.runtime.visit import Visit

MAKING_RELOAD = 5  # seconds between two looks at an account that is being made
MAKING_SECONDS = 120.0  # how long the page looks again by itself
MAX_ADDRESS = 254  # characters of an email address (RFC 5321 4.5.3.1.3)


class Pages(Rendering):
    """Which page stands for what happened."""

    def sign_in(
        self, visit: Visit, portal: Portal | None, return_to: str, *, all_ways: bool = False, wrong: str = "", typed: str = ""
    ) -> Reply:
        """The way in: a button, the providers to choose from, or a form for the address, which chooses.

        ``all_ways`` lists the providers in any mode; ``wrong`` says what was wrong with the address ``typed``.
        """
        deployment = self._deployment
        chosen = None if all_ways or wrong else deployment.chosen_for(visit, portal)
        possible = deployment.possible_for(portal)
        asks = not all_ways and deployment.profile.login.mode == "ask_address" and len(possible) > 1
        shown = (chosen,) if chosen and not asks else possible
        return self._render(
            visit,
            "sign_in.html",
            400 if wrong else 200,
            choices=[{"title": one.title, "href": self.login_address(one.name, return_to)} for one in shown],
            others=self._choose_address(return_to) if len(shown) < len(possible) or asks else "",
            asks=asks,
            wrong=wrong,
            typed=typed[:MAX_ADDRESS],
            return_to=self._deployment.own(return_to),
            token=form_token(deployment.sealer, "login", "", deployment.now()) if asks else "",
            native=self._native_login(portal),
            portal=portal,
        )

    def portal_list(self, visit: Visit, session: Session, cookies: Sequence[Header] = ()) -> Reply:
        """The portals that this customer may open."""
        deployment = self._deployment
        portals = deployment.admission.open_to(session)
        return self._signed_in(
            visit,
            "portal_list.html",
            session,
            cookies,
            portals=portals,
            any=bool(deployment.portals.all),
            at_home=True,
            has_hosted=any(portal.mode == "hosted" for portal in portals),
        )

    def open_portals(self, visit: Visit) -> Reply | None:
        """For a stranger: the portals that are open to anybody, and the way to log in; None where there is none."""
        portals = [portal for portal in self._deployment.portals.all if portal.visibility == "public"]
        if not portals:
            return None
        has_hosted = any(portal.mode == "hosted" for portal in portals)
        log_in = self.login_address("", "/")
        return self._render(visit, "portal_list.html", 200, portals=portals, any=True, at_home=True, has_hosted=has_hosted, log_in=log_in)

    def signed_out(self, visit: Visit, return_to: str, portal: Portal | None, provider: str, cookies: Sequence[Header] = ()) -> Reply:
        """What is still signed in, and the way back. ``provider``: one that must ask anew who it is."""
        href = self.login_address(provider, return_to, prompt="login") if provider else self._deployment.own(return_to)
        step = {"href": href, "title": Named(N_("Sign in to %(name)s"), portal.name) if portal else N_("Sign in again")}
        several = len(self._deployment.possible_for(portal)) > 1
        return self._render(visit, "signed_out.html", 200, cookies, step=step, others=self._choose_address(return_to) if several else "")

    def sign_out(self, visit: Visit, session: Session | None, status: int = 200) -> Reply:
        """A button, since a GET from elsewhere must not sign anybody out."""
        return self._render(visit, "sign_out.html", status, customer=session and session.customer, token=self.logout_token(session))

    def not_found(self, visit: Visit, session: Session | None) -> Reply:
        """No such portal, request or page."""
        failure = Failure(404, "page.not_found", N_("There is nothing here"), N_("The link may be old, or a character of it got lost."))
        return self._dead_end(visit, failure, session=session, step=self._home_step())

    def not_allowed(
        self,
        visit: Visit,
        session: Session,
        portal: Portal | None,
        decision: Decision,
        return_to: str,
        cookies: Sequence[Header] = (),
        *,
        is_kept: bool = True,
    ) -> Reply:
        """Signed in, but no rule lets them in. ``is_kept``: whether the browser has this session afterwards."""
        lead = Named(N_("%(name)s is not open to this account."), portal.name) if portal else N_("This site is not open to this account.")
        failure = Failure(403, "access_denied", N_("This account has no access"), lead, str(decision), another_account=True)
        customer = session.customer
        return self._dead_end(
            visit,
            failure,
            session=session if is_kept else None,
            email=customer.email,
            provider=customer.provider,
            portal=portal,
            return_to=return_to,
            cookies=cookies,
            rules=self._deployment.admission.explanation(session, portal),
            customer=customer,
        )

    def path_not_open(self, visit: Visit, session: Session | None) -> Reply:
        """Forward auth: a path of the protected site that belongs to no portal, where those stay closed."""
        failure = Failure(
            403, "other_path", N_("This page is not open here"), N_("The customer portals are."), "the path belongs to no portal"
        )
        return self._dead_end(visit, failure, session=session, step=self._home_step())

    def not_known_to_jira(self, visit: Visit, session: Session, portal: Portal, return_to: str) -> Reply:
        """``visibility: jira``: JSM does not say that they are a customer there."""
        lead = Named(N_("%(name)s is open to people whom it knows already."), portal.name)
        failure = Failure(
            403, "not_known_to_jira", N_("This account has no access"), lead, "JSM knows no such customer there", another_account=True
        )
        return self._dead_end(visit, failure, session=session, provider=session.customer.provider, portal=portal, return_to=return_to)

    def customer_refused(self, visit: Visit, error: CustomerRefused, session: Session, portal: Portal, return_to: str) -> Reply:
        """Signed in, but no account in JSM can be taken for theirs."""
        failure = explain(error)
        step = {"href": self._deployment.own(return_to), "title": N_("Try again")}
        return self._dead_end(visit, failure, session=session, provider=session.customer.provider, portal=portal, step=step, error=error)

    def account_in_the_making(self, visit: Visit, session: Session, portal: Portal, since: float) -> Reply:
        """JSM made the account and does not know it yet. Asks again by itself, and after two minutes only when told to."""
        patient = self._deployment.now() < since + MAKING_SECONDS
        extra = [("Refresh", str(MAKING_RELOAD))] if patient else []
        href = self._deployment.own(f"/portal/{portal.key}")
        return self._signed_in(visit, "making.html", session, extra, portal=portal, patient=patient, href=href)

    def form_too_old(self, visit: Visit, session: Session, portal: Portal, return_to: str) -> Reply:
        """A form whose token is not of this session any more, or that another site sent."""
        lead = N_("This form was open for too long, or did not come from here. Nothing was sent.")
        failure = Failure(403, "form_token", N_("Please send this once more"), lead, "the form's token does not fit")
        step = {"href": self._deployment.own(return_to), "title": N_("Open it again")}
        return self._dead_end(visit, failure, session=session, portal=portal, step=step)

    def too_many_calls(self, visit: Visit, session: Session | None, portal: Portal, return_to: str, *, reason: str = "") -> Reply:
        """One person, or strangers (``reason``: who), ask for more than the site can be asked for."""
        detail = reason or "the customer's budget is used up"
        failure = Failure(429, "too_many_pages", N_("That was a lot at once"), N_("Wait a minute, then go on."), detail)
        step = {"href": self._deployment.own(return_to), "title": N_("Try again")}
        return self._dead_end(visit, failure, session=session, portal=portal, step=step)

    def jsm_failed(self, visit: Visit, error: JsmFailed, session: Session | None, portal: Portal, return_to: str) -> Reply:
        """JSM gave no answer that a page could be made of."""
        title, lead = (
            Named(N_("%(name)s does not answer"), portal.name),
            N_("This usually passes. Your link is kept: try again in a moment."),
        )
        failure = Failure(502, error.code, title, lead, error.message)
        step = {"href": self._deployment.own(return_to), "title": N_("Try again")}
        return self._dead_end(visit, failure, session=session, portal=portal, step=step, error=error)

    def answer_refused(self, visit: Visit, error: AnswerRefused, portal: Portal | None, cookies: Sequence[Header] = ()) -> Reply:
        """An answer that signs nobody in: unknown, late, used, displaced, malformed, or from somebody else."""
        session = self._deployment.session_of(visit)
        if session is not None:
            step = self._portal_step(portal, Named(N_("Go to %(name)s"), portal.name) if portal else N_("Go to the portals"))
        else:
            step = self._portal_step(portal, N_("Start again"))
        return self._dead_end(visit, explain_answer(error), session=session, portal=portal, step=step, cookies=cookies, error=error)

    def login_failed(
        self,
        visit: Visit,
        error: JsmssoError,
        provider: str,
        portal: Portal | None,
        return_to: str,
        cookies: Sequence[Header] = (),
        *,
        unsaid: str = "",
    ) -> Reply:
        """A login that came to nothing; trying again keeps the portal link. ``unsaid`` must not get into the log."""
        failure = explain(error)
        step = None if failure.another_account else {"href": self._deployment.own(return_to), "title": N_("Try again")}
        email = getattr(error, "email", "")
        return self._dead_end(
            visit,
            failure if not unsaid else replace(failure, detail=failure.detail.replace(unsaid, "...")),
            email=email,
            provider=provider,
            portal=portal,
            step=step,
            cookies=cookies,
            error=error,
            return_to=return_to,
        )

    def unavailable(self, visit: Visit, error: JsmssoError, path: str) -> Reply:
        """This instance or the provider cannot serve just now; the same address may work again in a moment."""
        return self._dead_end(visit, explain(error), step={"href": self._deployment.own(path), "title": N_("Try again")}, error=error)

    def fault(self, visit: Visit, error: BaseException) -> Reply:
        """A fault of ours, caught at the edge."""
        failure = Failure(503, "fault", N_("This did not work"), N_("It is not your mistake. Try again in a moment."), type(error).__name__)
        return self._dead_end(visit, failure, step=self._home_step(), where=_where(error))

    def login_address(self, provider: str, return_to: str, prompt: str = "") -> str:
        """Where a login begins that leads back to ``return_to``, a path of ours; at ``provider`` where one is named."""
        query = {"provider": provider, "return_to": "" if return_to == "/" else self._deployment.own(return_to), "prompt": prompt}
        query = {name: value for name, value in query.items() if value}
        return f"{self._deployment.own('/login')}?{urlencode(query)}"

    def _choose_address(self, return_to: str) -> str:
        query = {"choose": "1"} if return_to == "/" else {"choose": "1", "return_to": self._deployment.own(return_to)}
        return f"{self._deployment.own('/login')}?{urlencode(query)}"

    def _native_login(self, portal: Portal | None) -> str:
        """``login.fallback: native``: Atlassian's own login, for people of no provider."""
        if self._deployment.profile.login.fallback != "native":
            return ""
        portal = portal or next(iter(self._deployment.portals.all), None)
        return f"{portal.url}/user/login" if portal else ""

    def _home_step(self) -> dict[str, str]:
        return {"href": self._deployment.own("/"), "title": N_("Go to the portals")}

    def _portal_step(self, portal: Portal | None, title: str) -> dict[str, str]:
        return {"href": self._deployment.own(f"/portal/{portal.key}" if portal else "/"), "title": title}


def _where(error: BaseException) -> str:
    """The innermost places of a fault, file and line only: values may be secrets."""
    places = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return " < ".join(reversed(places[-6:]))
