"""One profile made ready to serve: what every request of a worker shares."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from jsmsso.errors import CustomerRefused, StoreUnavailable
from jsmsso.identity.access import Claims, domain_matches
from jsmsso.identity.attributes import IdentityRules
from jsmsso.identity.customer import Customer
from jsmsso.profile.addresses import origin_of
from jsmsso.profile.model import Jsm, Portal, Profile
from jsmsso.profile.outgoing import ca_bundle, http_client
from jsmsso.providers.known import provider_type
from jsmsso.providers.relying_party import Party, relying_party
from jsmsso.providers.settings import client_settings, identity_rules, issuers, wants_userinfo
from jsmsso.providers.types import incomplete_claims
from jsmsso.runtime import sessions
from jsmsso.runtime.admission import Admission
from jsmsso.runtime.cookies import Cookies
from jsmsso.runtime.endings import Endings
from jsmsso.runtime.event_log import EventLog
from jsmsso.runtime.metrics import Metrics
from jsmsso.runtime.places import Places
from jsmsso.runtime.proxies import Proxies, logged_address
from jsmsso.runtime.rechecking import Rechecks
from jsmsso.runtime.replies import Header, Headers
from jsmsso.runtime.return_to import SITE, own_path
from jsmsso.runtime.session_keeping import SessionKeeping
from jsmsso.runtime.sessions import Session
from jsmsso.runtime.site_paths import SitePaths, readable_path
from jsmsso.runtime.targets import Portals
from jsmsso.runtime.visit import Visit
from jsmsso.sealing import Sealer
from jsmsso.store.audit import Audit, audit_folder
from jsmsso.store.interface import Store
from jsmsso.store.opening import open_store


@dataclass(frozen=True, slots=True)
class Secrets:
    """The profile's secrets, read once by the parent and handed to the workers. Never shown."""

    session: tuple[str, ...] = field(repr=False)
    clients: Mapping[str, str | None] = field(repr=False)
    client_keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Private keys for ``private_key_jwt``, PEM or JWK."""
    jsm_token: str = field(default="", repr=False)
    jsm_admin_token: str = field(default="", repr=False)
    store_password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ServedProvider:
    """A provider as the runtime uses it."""

    name: str
    title: str
    party: Party
    identity: IdentityRules
    issuers: frozenset[str]
    """Those that a session of this provider may name: more than one where a client serves several tenants."""
    incomplete_claims: Callable[[Claims], frozenset[str]]
    """The claims of which somebody has more than their login said."""
    wants_userinfo: Callable[[Claims], bool]
    origins: frozenset[str]
    """Where its logins and logouts lead, as far as the profile tells; good enough until its metadata is known."""
    sign_out_origin: str


if TYPE_CHECKING:
    from jsmsso.jsm.customers.recording import Connection
    from jsmsso.runtime.known_to_jira import KnownToJira
    from jsmsso.runtime.records import Records

PLACES = 8  # threads of a worker's sixteen that may wait for a provider or JSM
AUDIT_SAY_SECONDS = 60.0  # between two complaints about a disk that takes no lines
STORE_SAY_SECONDS = 10.0  # between two complaints about a store that does not answer, while requests go on without it
WITHOUT_STORE = "sessions that were ended may go on, who was revoked may log in, and an answer to a login may be used twice"
AUDITED = frozenset(
    (
        "customer.created",
        "customer.email_changed",
        "customer.linked",
        "customer.refused",
        "customer.subject_changed",
        "organization.created",
    )
)


class Deployment:
    """Made once per worker; holds no request's state."""

    def __init__(
        self, profile: Profile, secrets: Secrets, path: Path, *, now: Callable[[], float] = time.time, shared: Path | None = None
    ) -> None:
        """``shared``: the folder in which the parent looks for this worker's numbers, and says that the end has begun."""
        self.profile = profile
        self.metrics = Metrics(profile.providers, shared, now=now)
        self._shared = shared
        self.folder = path.parent
        self.now = now
        self.secure = profile.public_url.startswith("https://")
        self.base_path = profile.base_path
        self.cookies = Cookies(self.secure, self.base_path)
        self.headers = Headers(self.secure)
        self.sealer = Sealer(secrets.session, profile.public_url)
        self.store: Store = open_store(
            profile.store, password=secrets.store_password, namespace=profile.public_url, ca_bundle=ca_bundle(profile, path)
        )
        self.endings = Endings(self.store, now, self.go_on_without_store, lifetime=profile.session.lifetime)
        self.sessions = SessionKeeping(
            self.sealer, self.store, now, lifetime=profile.session.lifetime, idle_timeout=profile.session.idle_timeout
        )
        self.portals = Portals(profile.portals)
        self.proxies = Proxies(profile.trusted_proxies)
        self.events = EventLog(profile.log.format)
        folder = audit_folder(profile.log.audit_folder, profile.store.url if profile.store else None, self.folder)
        self.audit = Audit(folder, now=now, on_loss=self._say_of_audit)
        self._said_of_audit = self._said_of_store = float("-inf")
        self.http = http_client(profile, path)
        self.providers = {name: self._serve(name, secrets) for name in profile.providers}
        self.by_callback = {provider.callback: self.providers[name] for name, provider in profile.providers.items()}
        self.keeps_zone = any(portal.mode == "hosted" for portal in self.portals.all)  # whose pages show times
        self.site = SitePaths(self.portals.all, profile.jsm.url if profile.jsm else "") if profile.forward_auth is not None else None
        self.places = Places(PLACES)
        self.rechecks: Rechecks | None = None
        if profile.session.recheck is not None:
            parties = {name: served.party for name, served in self.providers.items()}
            self.rechecks = Rechecks(
                self.store,
                self.endings,
                self.sealer,
                parties,
                self.places,
                every=profile.session.recheck,
                lifetime=profile.session.lifetime,
                now=now,
                say=self._say_of_customer,
            )
        self.records: Records | None = None
        self.accounts: Records | None = None  # the same, where customers are only looked up
        self.connect: Callable[[float], Connection] | None = None
        known_to_jira = self._open_jsm(profile.jsm, secrets) if profile.jsm is not None and profile.asks_jsm else None
        self.admission = Admission(profile, self.portals, known_to_jira, self.folder, say=self._say_of_list)
        self.keeps_organizations = self.admission.looks_at_organizations or self.site is not None  # which goes on as a header

    def _open_jsm(self, jsm: Jsm, secrets: Secrets) -> KnownToJira | None:
        """What this profile asks of JSM while it serves; nothing is imported for one that asks nothing."""
        from jsmsso.runtime.jsm_side import connecting
        from jsmsso.runtime.known_to_jira import KnownToJira
        from jsmsso.runtime.records import Records

        http = self.http.observed(self.metrics.jsm_call)
        connect = connecting(jsm, secrets.jsm_token, secrets.jsm_admin_token, http, self.store, self.now)
        issuers = {name: served.issuers for name, served in self.providers.items()}
        records = Records(jsm.customers, self.store, connect, issuers, self.places, now=self.now, say=self._say_of_customer)
        self.accounts, self.connect = records, connect
        if jsm.customers.are_written:
            self.records = records
        if not any(portal.visibility == "jira" for portal in self.portals.all):
            return None
        return KnownToJira(records, connect, self.places, now=self.now, say=self._say_of_customer)

    def _say_of_customer(self, event: str, **fields: object) -> None:
        self.events.write(event, **fields)
        if event in AUDITED:
            email = str(fields.pop("email", ""))
            self.audit.write(event, email=email, **fields)

    def _serve(self, name: str, secrets: Secrets) -> ServedProvider:
        entry = self.profile.providers[name]
        settings = client_settings(self.profile, name, client_secret=secrets.clients.get(name), client_key=secrets.client_keys.get(name))
        domain = entry.domain and (entry.domain if "://" in entry.domain else f"https://{entry.domain}")
        places = [domain or settings.issuer, entry.endpoints.authorization, entry.endpoints.end_session]
        http = self.http.observed(self.metrics.calls_to(name, lambda: party.known_metadata))
        party = relying_party(settings, provider_type(entry.type), http, now=self.now)
        return ServedProvider(
            name=name,
            title=name,
            party=party,
            identity=identity_rules(self.profile, name),
            issuers=frozenset(issuers(settings)),
            incomplete_claims=partial(incomplete_claims, provider_type(entry.type)),
            wants_userinfo=wants_userinfo(self.profile, name),
            origins=frozenset(origin_of(place) for place in places if place),
            sign_out_origin=origin_of(settings.post_logout_redirect_uri),
        )

    def session_of(self, visit: Visit) -> Session | None:
        """The visit's living session, as far as this profile still stands behind it.

        Its provider must be in the profile and may still vouch for the address, and it must know what the rules look at
        now: without one of the claims a rule that denies by it would let its person in.
        """
        text = visit.cookies.get(self.cookies.session)
        session = self._living(text) if text is not None else None
        self.metrics.session("living" if session is not None else "none" if text is None else "over")
        return session

    def _living(self, text: str) -> Session | None:
        session = self.sessions.read(text)
        if session is None:
            return None
        customer = session.customer
        served = self.providers.get(customer.provider)
        if served is None or customer.issuer not in served.issuers or not self.admission.claims_kept <= session.claims.keys():
            return None
        if self.keeps_organizations and not session.knows_organizations:
            return None
        if self.endings.has_ended(session):
            return None
        domains = served.identity.email_domains
        if domains is not None and not domain_matches(customer.email.rpartition("@")[2], domains):
            return None
        return session if self.rechecks is None or self._still_exists(session, self.rechecks) else None

    def _still_exists(self, session: Session, rechecks: Rechecks) -> bool:
        try:
            return rechecks.is_good(session)
        except StoreUnavailable as error:
            self.go_on_without_store(error)
            return True

    def renewal_of(self, session: Session) -> tuple[Header, ...]:
        """The cookie that keeps a session in use alive; usually none."""
        later = sessions.renewed(session, now=self.now(), idle_timeout=self.profile.session.idle_timeout)
        return (self.cookies.set(self.cookies.session, self.sessions.renew(later)),) if later else ()

    def chosen_for(self, visit: Visit, portal: Portal | None, named: str = "") -> ServedProvider | None:
        """The provider of a login for which nobody need be asked, or None.

        That is the only one there is, the one that the link names, the one that this browser used last, or the
        first in mode ``instant``.
        """
        possible = self.possible_for(portal)
        if len(possible) == 1:
            return possible[0]
        for name in (named, visit.cookies.get(self.cookies.provider, "")):
            for one in possible:
                if one.name == name:
                    return one
        return possible[0] if possible and self.profile.login.mode == "instant" else None

    def of_address(self, email: str, portal: Portal | None) -> ServedProvider | None:
        """The provider that vouches for a folded address: by its domain, else one that may vouch for any."""
        domain = email.rpartition("@")[2]
        possible = self.possible_for(portal)
        by_domain = [one for one in possible if domain in (one.identity.email_domains or ())]
        return next(iter(by_domain or [one for one in possible if not one.identity.email_domains]), None)

    def possible_for(self, portal: Portal | None) -> tuple[ServedProvider, ...]:
        """The providers at which a login for ``portal`` may be made: its own, else all."""
        if portal is not None and portal.provider is not None:
            return (self.providers[portal.provider],)
        return tuple(self.providers.values())

    def _say_of_list(self, name: str, wrong: str) -> None:
        """Of a file that ``email_in`` names, which changed."""
        self.events.write("access.list", reason="unreadable" if wrong else "read", file=name, detail=wrong)

    def _say_of_audit(self, reason: str, lost: int) -> None:
        """Of a disk that takes no lines."""
        self.metrics.audit_lost(lost)
        if (now := self.now()) < self._said_of_audit + AUDIT_SAY_SECONDS:
            return
        self._said_of_audit = now
        self.events.write("audit.lost", reason=reason, lost=lost, folder=str(self.audit.folder))

    def record_login(self, customer: Customer, portal: Portal | None) -> None:
        """The customer's record in JSM, as far as the profile asks for one. Raises :class:`CustomerRefused`."""
        if self.records is None:
            return
        try:
            self.records.at_login(customer, portal, asked_next=self.admission.asks_jira(portal))
        except StoreUnavailable as error:
            self.go_on_without_store(error)

    def go_on_without_store(self, error: StoreUnavailable) -> None:
        """``store_failure: open``: say now and then what is weaker, and go on with what is sealed in cookies. ``closed``: raise it."""
        if self.profile.store_failure == "closed":
            raise error
        if self.now() >= self._said_of_store + STORE_SAY_SECONDS:
            self._said_of_store = self.now()
            self.events.write("store.unavailable", reason=error.code, detail=error.message, hint=error.hint, weaker=WITHOUT_STORE)

    def refuse_barred(self, customer: Customer) -> None:
        """Raises :class:`CustomerRefused` for somebody whom the operator shut out until further notice."""
        try:
            barred = self.store.is_barred(f"email:{customer.email}", f"sub:{customer.issuer} {customer.subject}")
        except StoreUnavailable as error:
            self.go_on_without_store(error)
            return
        if barred:
            raise CustomerRefused(
                "customer_barred",
                f"{customer.email} was revoked by an operator",
                f"Let them in again with: jsmsso customers restore {customer.email}",
                email=customer.email,
            )

    def is_stopping(self) -> bool:
        """Whether the server was told to stop."""
        return self._shared is not None and (self._shared / "stopping").exists()

    def client_of(self, visit: Visit) -> str:
        """The client's address as the log keeps it; may be empty."""
        return logged_address(self.proxies.client_of(visit.environ), self.profile.log.client_address)

    def own(self, path: str) -> str:
        """A path of ours, or with :data:`SITE` before it of the protected site, as a browser must ask for it."""
        return path[len(SITE) :] if path.startswith(SITE) else self.base_path + path

    def return_to_of(self, text: str) -> str:
        """Where a login that asks to lead to ``text`` may lead: a path that :meth:`own` takes."""
        return own_path(text, self.base_path, site=self.site is not None)

    def portal_of(self, return_to: str) -> Portal | None:
        """The portal that a login's ``return_to`` leads to."""
        if self.site is not None and return_to.startswith(SITE):
            path = readable_path(return_to[len(SITE) :].partition("?")[0])
            return self.site.place_of(path).portal if path else None
        return self.portals.of_own_path(return_to)
