"""The callback: the provider's answer, checked, and what becomes of it."""

from __future__ import annotations

from jsmsso.errors import AnswerRefused, CustomerRefused, IdentityRefused, JsmssoError, StoreUnavailable
from jsmsso.identity.access import INCOMPLETE
from jsmsso.identity.attributes import to_customer
from jsmsso.oidc.authorization import AuthorizationAnswer, read_answer
from jsmsso.oidc.relying_party import Authentication
from jsmsso.profile.model import Portal
from jsmsso.runtime import logins, sessions
from jsmsso.runtime.cookies import MAX_HINT, PROVIDER_SECONDS
from jsmsso.runtime.deployment import Deployment, ServedProvider
from jsmsso.runtime.frontchannel import FrontChannel
from jsmsso.runtime.logins import LOGIN_SECONDS, Login
from jsmsso.runtime.pages import Pages
from jsmsso.runtime.replies import Header, Reply
from jsmsso.runtime.sessions import Session
from jsmsso.runtime.visit import Visit

MAX_ZONE = 64  # characters; the longest name of a time zone has 32
_UNREADABLE = "A cookie of another application on this host, or on the domain above it, is not ASCII. It must encode what it keeps."
REMEMBERED_SECONDS = 7200  # a used login outlives its cookie, so that its answer is called used and not unknown


class Callback:
    """``GET /callback`` and ``GET /callback/<provider>``."""

    def __init__(self, deployment: Deployment, pages: Pages, front_channel: FrontChannel) -> None:
        self._deployment = deployment
        self._pages = pages
        self._front_channel = front_channel

    def receive(self, visit: Visit, provider: ServedProvider) -> Reply:
        """Sign somebody in, or say why not. The login's cookie goes whatever the outcome, unless the store is down."""
        deployment = self._deployment
        try:
            answer = read_answer(visit.query)
            login = self._login_of(visit, answer)
        except AnswerRefused as error:
            return self._pages.answer_refused(visit, error, self._portal_of(visit.query))
        clear = deployment.cookies.clear(deployment.cookies.logins[login.slot])
        portal = deployment.portals.by_tag(login.tag)
        try:
            self._use(login, answer, provider)
            with deployment.places.one(provider.name):
                authentication = provider.party.complete(
                    answer, nonce=login.nonce, code_verifier=login.code_verifier, wants_userinfo=provider.wants_userinfo
                )
            return self._sign_in(visit, authentication, provider, login, portal, clear)
        except AnswerRefused as error:
            return self._pages.answer_refused(visit, error, portal, [clear])
        except (IdentityRefused, CustomerRefused) as error:
            # Whoever was signed in on this browser before is not the one who just logged in.
            cleared = [clear, deployment.cookies.clear(deployment.cookies.session)]
            return self._pages.login_failed(visit, error, provider.name, portal, login.return_to, cleared)
        except StoreUnavailable as error:
            # The login may not have been used: its cookie stays, so that the page can be loaded again when the store is back.
            return self._pages.login_failed(visit, error, provider.name, portal, login.return_to, unsaid=answer.code)
        except JsmssoError as error:
            # A provider may repeat the code in what it says about it.
            return self._pages.login_failed(visit, error, provider.name, portal, login.return_to, [clear], unsaid=answer.code)

    def _login_of(self, visit: Visit, answer: AuthorizationAnswer) -> Login:
        """The login that this answer is for. Raises :class:`AnswerRefused` for one that this browser does not have."""
        deployment = self._deployment
        parts = logins.state_parts(answer.state)
        if parts is None:
            raise AnswerRefused("unknown", "the answer's state is none of this deployment's")
        text = visit.cookies.get(deployment.cookies.logins[parts[0]])
        login = logins.unseal(text, deployment.sealer) if text else None
        if login is not None and login.state == answer.state:
            return login
        if self._was_used(answer):
            raise AnswerRefused("used", "the answer was used before")
        if login is not None:
            raise AnswerRefused("displaced", "a newer login of this browser took the answer's place")
        if visit.environ.get("HTTP_COOKIE") == "":  # granian hands over a header with other bytes than ASCII as an empty one
            raise AnswerRefused("unknown", "the browser's cookies cannot be read", _UNREADABLE)
        raise AnswerRefused("unknown", "this browser has no login under way for the answer")

    def _use(self, login: Login, answer: AuthorizationAnswer, provider: ServedProvider) -> None:
        """The login's one use, on any worker, before its code goes anywhere."""
        deployment = self._deployment
        now = deployment.now()
        if login.provider != provider.name:
            raise AnswerRefused("wrong_callback", f"the login went to {login.provider}, the answer came to the callback of {provider.name}")
        if now > login.started + LOGIN_SECONDS:
            raise AnswerRefused("late", f"the answer came {now - login.started:.0f} s after the login began, {LOGIN_SECONDS} s are allowed")
        try:
            first = deployment.store.use_login(logins.state_hash(answer.state), now=now, expires=login.started + REMEMBERED_SECONDS)
        except StoreUnavailable as error:
            self._deployment.go_on_without_store(error)
            return
        if not first:
            raise AnswerRefused("used", "the answer was used before")

    def _was_used(self, answer: AuthorizationAnswer) -> bool:
        try:
            return self._deployment.store.login_was_used(logins.state_hash(answer.state))
        except StoreUnavailable as error:
            self._deployment.go_on_without_store(error)
            return False

    def _sign_in(
        self, visit: Visit, authentication: Authentication, provider: ServedProvider, login: Login, portal: Portal | None, clear: Header
    ) -> Reply:
        deployment = self._deployment
        claims = authentication.claims
        if incomplete := provider.incomplete_claims(claims):
            claims = {**claims, **dict.fromkeys(incomplete, INCOMPLETE)}
        customer = to_customer(claims, provider.identity)
        deployment.refuse_barred(customer)
        decision = deployment.admission.decision(customer, claims)
        kept = deployment.admission.claims_kept
        zone = claims.get("zoneinfo") if deployment.keeps_zone else None
        if isinstance(zone, str) and len(zone) <= MAX_ZONE:  # taken along where it is there: no session ends for want of it
            kept = kept | {"zoneinfo"}
        session = sessions.begin(customer, claims, kept, deployment.now(), keeps_organizations=deployment.keeps_organizations)
        if not decision.allowed:
            cleared = [clear, deployment.cookies.clear(deployment.cookies.session)]
            return self._pages.not_allowed(visit, session, portal, decision, login.return_to, cleared, is_kept=False)
        deployment.record_login(customer, portal)
        cookies = [clear, deployment.cookies.set(deployment.cookies.session, deployment.sessions.keep(session))]
        cookies += self._kept_of_login(visit, authentication, provider, session)
        self._front_channel.expect(session)
        if deployment.rechecks is not None:
            deployment.rechecks.begin(session, authentication.tokens.refresh_token, authentication.id_claims)
        said = {
            "provider": provider.name,
            "subject": customer.subject,
            "email": customer.email,
            "portal": portal.key if portal else "",
            "rule": str(decision),
            "client": deployment.client_of(visit),
        }
        deployment.metrics.login(provider.name)
        deployment.events.write("login.ok", **said)
        deployment.audit.write("login.ok", issuer=customer.issuer, **said)
        return deployment.headers.redirect(deployment.own(login.return_to), cookies, status=303, referrer="no-referrer")

    def _kept_of_login(self, visit: Visit, authentication: Authentication, provider: ServedProvider, session: Session) -> list[Header]:
        """Which provider this browser used, where there are several, and the ID token where the provider's logout wants it."""
        cookies = self._deployment.cookies
        kept = []
        if len(self._deployment.providers) > 1 and visit.cookies.get(cookies.provider) != provider.name:
            kept.append(cookies.set(cookies.provider, provider.name, max_age=PROVIDER_SECONDS))
        if provider.party.settings.id_token_hint:
            id_token = authentication.tokens.id_token
            if len(id_token) <= MAX_HINT:
                kept.append(cookies.set_hint(id_token))
            else:
                self._deployment.sessions.keep_hint(session, id_token)
        return kept

    def _portal_of(self, query: str) -> Portal | None:
        """The portal that an answer nobody can use was for, as far as its state tells."""
        try:
            parts = logins.state_parts(read_answer(query).state)
        except AnswerRefused:
            return None
        return self._deployment.portals.by_tag(parts[1]) if parts else None
