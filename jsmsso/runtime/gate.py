"""The portal link: straight to the provider if a login is needed, then the portal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsmsso.errors import CustomerRefused, StoreUnavailable
from jsmsso.profile.model import Portal
from jsmsso.runtime import logins
from jsmsso.runtime.cookies import LOGIN_COOKIE_SECONDS
from jsmsso.runtime.deployment import Deployment, ServedProvider
from jsmsso.runtime.pages import Pages
from jsmsso.runtime.replies import Reply
from jsmsso.runtime.sessions import Session
from jsmsso.runtime.targets import NATIVE_ROOT, Target
from jsmsso.runtime.visit import Visit

if TYPE_CHECKING:
    from jsmsso.runtime.records import Outcome


class Gate:
    """Decides, for every address behind it, between the portal, a login and a refusal.

    What a hosted portal shows behind it is :mod:`jsmsso.portal.hosted`'s.
    """

    def __init__(self, deployment: Deployment, pages: Pages) -> None:
        self._deployment = deployment
        self._pages = pages

    def link(self, visit: Visit) -> Reply:
        """``GET /portal/<KEY or id>[/<REQUEST-KEY>]``."""
        return self._enter(visit, self._deployment.portals.of_link(visit.path))

    def native(self, visit: Visit) -> Reply:
        """``GET /servicedesk/customer/...``: the native portal's own paths."""
        return self._enter(visit, self._deployment.portals.of_native_path(visit.path, visit.query))

    def home(self, visit: Visit) -> Reply:
        """``GET /``: the portals, or for a stranger those that are open to anybody, or the sign-in page."""
        session = self._deployment.session_of(visit)
        if session is None:
            return self._pages.open_portals(visit) or self._pages.sign_in(visit, None, "/")
        return self._list(visit, session)

    def to_login(self, visit: Visit, portal: Portal | None, return_to: str, *, named: str = "", prompt: str = "") -> Reply:
        """To the provider where nobody need be asked which, else to the page that asks. ``named``: the link's own provider."""
        provider = self._deployment.chosen_for(visit, portal, named)
        if provider is None:
            return self._pages.sign_in(visit, portal, return_to)
        return self.begin_login(visit, provider, return_to, portal, prompt=prompt)

    def begin_login(
        self, visit: Visit, provider: ServedProvider, return_to: str, portal: Portal | None, *, prompt: str = "", login_hint: str = ""
    ) -> Reply:
        """To the provider, with a login bound to this browser. Raises ProviderFailed while its metadata is unknown."""
        deployment = self._deployment
        slot = logins.free_slot(visit.cookies, deployment.cookies.logins, deployment.sealer)
        if not logins.fits(provider.name, return_to):
            return_to = f"/portal/{portal.key}" if portal else "/"
        login = logins.begin(provider.name, return_to, portal.id if portal else "", slot, deployment.now())
        location = provider.party.authorization_url(
            state=login.state, nonce=login.nonce, code_verifier=login.code_verifier, login_hint=login_hint, prompt=prompt
        )
        cookie = deployment.cookies.set(
            deployment.cookies.logins[slot], logins.seal(login, deployment.sealer), max_age=LOGIN_COOKIE_SECONDS
        )
        deployment.metrics.redirect(provider.name)
        return deployment.headers.redirect(location, [cookie])

    def passed(self, visit: Visit, target: Target) -> Session | Reply:
        """The session of somebody who may go on to ``target``, or the answer to everybody else: a login, a refusal, a wait."""
        return self._passed(visit, target, self._deployment.session_of(visit))

    def passed_or_stranger(self, visit: Visit, target: Target) -> Session | Reply | None:
        """The same for a page that anybody may read: None for a stranger.

        That is whoever has no session, one of a provider whose customers this portal does not take, or one that the rules keep out.
        """
        session = self._deployment.session_of(visit)
        if (
            session is None
            or not _fits(session, target.portal)
            or not self._deployment.admission.decision_on(session, target.portal).allowed
        ):
            return None
        return self._passed(visit, target, session)

    def _passed(self, visit: Visit, target: Target, session: Session | None) -> Session | Reply:
        deployment = self._deployment
        portal = target.portal
        if session is None or not _fits(session, portal):
            return self._to_login(visit, target)
        decision = deployment.admission.decision_on(session, portal)
        if not decision.allowed:
            return self._pages.not_allowed(visit, session, portal, decision, target.own_path)
        turned = self._record(visit, session, portal, target) if portal is not None else None
        return turned or session

    def _enter(self, visit: Visit, target: Target | None) -> Reply:
        deployment = self._deployment
        if target is None:
            return self._pages.not_found(visit, deployment.session_of(visit))
        portal = target.portal
        if portal is not None and portal.leads_strangers_on:
            return deployment.headers.redirect(target.native_url)
        if visit.path.rstrip("/") == f"{NATIVE_ROOT}portals" and deployment.session_of(visit) is None:
            shown = self._pages.open_portals(visit)
            if shown is not None:
                return shown
        passed = self.passed(visit, target)
        if isinstance(passed, Reply):
            return passed
        if portal is None:
            return self._list(visit, passed)
        return deployment.headers.redirect(target.native_url, deployment.renewal_of(passed))

    def _record(self, visit: Visit, session: Session, portal: Portal, target: Target) -> Reply | None:
        """What stands between a customer whom the rules let in and the portal, on JSM's side; None where nothing does."""
        deployment = self._deployment
        try:
            if portal.visibility == "jira" and not deployment.admission.is_known_to_jira(session, portal):
                return self._pages.not_known_to_jira(visit, session, portal, target.own_path)
            outcome = self._outcome(session, portal)
            if outcome is not None and outcome.kind == "making":
                return self._pages.account_in_the_making(visit, session, portal, outcome.since)
        except CustomerRefused as error:
            return self._pages.customer_refused(visit, error, session, portal, target.own_path)
        return None

    def _outcome(self, session: Session, portal: Portal) -> Outcome | None:
        """What became of the customer's record in JSM; None where there is nothing to do.

        While the store does not answer, that is left for the next request, unless the record is required: whether the
        session may go on without the store is decided where it is read.
        """
        records = self._deployment.records
        if records is None:
            return None
        try:
            return records.at_portal(session.customer, portal)
        except StoreUnavailable as error:
            if records.is_required:
                self._deployment.go_on_without_store(error)
            return None

    def _to_login(self, visit: Visit, target: Target) -> Reply:
        if not visit.is_page_load:
            return self._deployment.headers.plain(401, "Sign in first: open this address in a browser.")
        named = visit.parameters.get("provider", "")
        return self.to_login(visit, target.portal, target.own_path, named=named)

    def _list(self, visit: Visit, session: Session) -> Reply:
        decision = self._deployment.admission.decision_on(session)
        if not decision.allowed:
            return self._pages.not_allowed(visit, session, None, decision, "/")
        return self._pages.portal_list(visit, session, self._deployment.renewal_of(session))


def _fits(session: Session, portal: Portal | None) -> bool:
    """Whether the portal takes customers of the session's provider."""
    return portal is None or portal.provider in (None, session.customer.provider)
