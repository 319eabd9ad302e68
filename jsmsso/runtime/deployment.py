"""One profile made ready to serve: what every request of a worker shares."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jsmsso.http_client import HttpClient, HttpSettings
from jsmsso.identity.access import Decision, claims_named, decide
from jsmsso.identity.attributes import IdentityRules
from jsmsso.oidc.relying_party import RelyingParty
from jsmsso.profile.model import Portal, Profile
from jsmsso.providers.settings import client_settings, identity_rules
from jsmsso.providers.types import provider_type
from jsmsso.runtime import sessions
from jsmsso.runtime.cookies import Cookies
from jsmsso.runtime.event_log import EventLog
from jsmsso.runtime.replies import Header, Headers
from jsmsso.runtime.sessions import Session
from jsmsso.runtime.targets import Portals
from jsmsso.runtime.visit import Visit
from jsmsso.sealing import Sealer
from jsmsso.store.opening import open_store
from jsmsso.store.sqlite import SqliteStore


@dataclass(frozen=True, slots=True)
class Secrets:
    """The profile's secrets, read once by the parent and handed to the workers. Never shown."""

    session: tuple[str, ...] = field(repr=False)
    clients: Mapping[str, str | None] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ServedProvider:
    """A provider as the runtime uses it."""

    name: str
    title: str
    party: RelyingParty
    identity: IdentityRules
    id_token_is_complete: bool


class Deployment:
    """Made once per worker; holds no request's state."""

    def __init__(self, profile: Profile, secrets: Secrets, folder: Path, *, now: Callable[[], float] = time.time) -> None:
        self.profile = profile
        self.folder = folder
        self.now = now
        self.secure = profile.public_url.startswith("https://")
        self.base_path = profile.base_path
        self.cookies = Cookies(self.secure)
        self.headers = Headers(self.secure)
        self.sealer = Sealer(secrets.session, profile.public_url)
        self.store: SqliteStore = open_store(profile.store.url if profile.store else None)
        self.portals = Portals(profile.portals)
        self.events = EventLog(profile.log.format)
        self.http = HttpClient(
            HttpSettings(
                proxy=profile.http.proxy,
                no_proxy=tuple(profile.http.no_proxy),
                ca_bundle=str(folder / profile.http.ca_bundle) if profile.http.ca_bundle else None,
            )
        )
        self.providers = {name: self._serve(name, secrets.clients.get(name)) for name in profile.providers}
        self.by_callback = {provider.callback: self.providers[name] for name, provider in profile.providers.items()}
        self.rules = profile.rules
        self.claims_kept = claims_named(self.rules)

    def _serve(self, name: str, secret: str | None) -> ServedProvider:
        entry = self.profile.providers[name]
        type_ = provider_type(entry.type)
        return ServedProvider(
            name=name,
            title=name,
            party=RelyingParty(client_settings(self.profile, name, client_secret=secret), self.http, now=self.now),
            identity=identity_rules(self.profile, name),
            id_token_is_complete=type_.id_token_is_complete,
        )

    def session_of(self, visit: Visit) -> Session | None:
        """The visit's living session, of a provider that is still in the profile."""
        text = visit.cookies.get(self.cookies.session)
        if text is None:
            return None
        settings = self.profile.session
        session = sessions.unseal(text, self.sealer, now=self.now(), lifetime=settings.lifetime, idle_timeout=settings.idle_timeout)
        if session is None:
            return None
        served = self.providers.get(session.customer.provider)
        return session if served is not None and served.party.settings.issuer == session.customer.issuer else None

    def renewal_of(self, session: Session) -> tuple[Header, ...]:
        """The cookie that keeps a session in use alive; usually none."""
        later = sessions.renewed(session, now=self.now(), idle_timeout=self.profile.session.idle_timeout)
        return (self.cookies.set(self.cookies.session, sessions.seal(later, self.sealer)),) if later else ()

    def decision_on(self, session: Session) -> Decision:
        """The access decision, made anew from what the session keeps."""
        return decide(self.rules, session.customer, session.claims)

    def candidates_for(self, portal: Portal | None) -> tuple[ServedProvider, ...]:
        """The providers at which a login for ``portal`` may be made: its own, the first in mode ``instant``, else all."""
        if portal is not None and portal.provider is not None:
            return (self.providers[portal.provider],)
        every = tuple(self.providers.values())
        return every[:1] if self.profile.login.mode == "instant" else every

    def own(self, path: str) -> str:
        """A path of ours as a browser must ask for it."""
        return self.base_path + path
