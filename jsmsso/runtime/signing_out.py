"""The end of a session: ours, then the provider's, then a page that says what is still open."""

from __future__ import annotations

from jsmsso.errors import ProviderFailed, StoreUnavailable
from jsmsso.runtime.cookies import AFTER_LOGOUT_SECONDS
from jsmsso.runtime.deployment import Deployment
from jsmsso.runtime.forms import is_form_token
from jsmsso.runtime.pages import Pages
from jsmsso.runtime.replies import Header, Reply
from jsmsso.runtime.sessions import Session
from jsmsso.runtime.visit import Visit
from jsmsso.store.records import Ending

_PURPOSE = "after-logout"


class SigningOut:
    """``GET, POST /logout`` and ``GET /logged-out``."""

    def __init__(self, deployment: Deployment, pages: Pages) -> None:
        self._deployment = deployment
        self._pages = pages

    def ask(self, visit: Visit) -> Reply:
        """GET: ends the session only where the browser says that one of our own pages asked; else shows a button."""
        if visit.environ.get("HTTP_SEC_FETCH_SITE") == "same-origin" and visit.method == "GET" and not visit.is_prefetch:
            return self._end(visit, "", "/")
        return self._pages.sign_out(visit, self._deployment.session_of(visit))

    def confirmed(self, visit: Visit, form: dict[str, str]) -> Reply:
        """POST of one of our forms, with its token."""
        deployment = self._deployment
        session = deployment.session_of(visit)
        token_fits = is_form_token(deployment.sealer, form.get("token", ""), "logout", session.id if session else "", deployment.now())
        if not token_fits or not visit.is_from_our_pages:
            return self._pages.sign_out(visit, session, status=403)
        if form.get("then") != "login":
            return self._end(visit, "", "/")
        return self._end(visit, form.get("provider", ""), deployment.return_to_of(form.get("return_to", "")), for_another=True)

    def ended(self, visit: Visit) -> Reply:
        """``GET /logged-out``: where the provider's logout leads back to."""
        deployment = self._deployment
        text = visit.cookies.get(deployment.cookies.after_logout)
        content = deployment.sealer.open(_PURPOSE, text) if text else None
        provider, _, return_to = content.decode().partition(" ") if content else ("", "", "/")
        clear = [deployment.cookies.clear(deployment.cookies.after_logout)] if text else []
        return self._pages.signed_out(visit, return_to, deployment.portal_of(return_to), provider, clear)

    def _end(self, visit: Visit, provider: str, return_to: str, *, for_another: bool = False) -> Reply:
        """``for_another``: the person wants to sign in with another account, at ``return_to``."""
        deployment = self._deployment
        session = deployment.session_of(visit)
        cookies = deployment.cookies
        clear: list[Header] = [cookies.clear(cookies.session)]
        name = session.customer.provider if session else provider
        hint = visit.cookies.get(cookies.hint)
        location = self._provider_logout(name, hint or (self._deployment.sessions.take_hint(session) if session else None))
        if hint is not None:
            clear.append(cookies.clear_hint())
        if for_another:
            # A provider that ends no session would sign the same person in again unasked: it is told to ask.
            content = f"{'' if location else name} {return_to}"
            clear.append(cookies.set(cookies.after_logout, deployment.sealer.seal(_PURPOSE, content.encode()), AFTER_LOGOUT_SECONDS))
        elif cookies.after_logout in visit.cookies:
            clear.append(cookies.clear(cookies.after_logout))
        if session is not None:
            self._end_everywhere(session)
            customer = session.customer
            said = {"provider": name, "email": customer.email, "subject": customer.subject}
            deployment.metrics.logout("person")
            deployment.events.write("logout", **said)
            deployment.audit.write("logout", issuer=customer.issuer, by="person", client=deployment.client_of(visit), **said)
        return deployment.headers.redirect(location or deployment.own("/logged-out"), clear, status=303)

    def _end_everywhere(self, session: Session) -> None:
        """A copy of the cookie ends with the session, and so does what the store has of it."""
        deployment = self._deployment
        deployment.sessions.forget(session.id)
        if deployment.rechecks is not None:
            deployment.rechecks.end(session)
        try:
            deployment.endings.end(Ending.for_good("session", "", session.id, deployment.now()))
        except StoreUnavailable as error:
            deployment.events.write("store.unavailable", reason=error.code, detail=error.message, hint=error.hint)

    def _provider_logout(self, name: str, id_token: str | None) -> str | None:
        served = self._deployment.providers.get(name)
        if served is None:
            return None
        try:
            return served.party.logout_url(id_token=id_token)
        except ProviderFailed:
            return None  # the session here ends all the same
