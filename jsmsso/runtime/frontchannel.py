"""Front-channel logout: a page of the provider's frames an address of ours in the browser of somebody who signs out there.

No cookie of ours comes along (they are ``SameSite=Lax``), and none would count: the session is named by the provider's
``iss`` and ``sid``, and ends through the store. Anybody can call the address, so knowing the ``sid`` is all the proof
there is; the provider makes it unguessable (OpenID Connect Front-Channel Logout 1.0, 3).
"""

from __future__ import annotations

import hashlib
import json
from urllib.parse import parse_qsl

from jsmsso.errors import StoreUnavailable
from jsmsso.oidc.backchannel_logout import MAX_TEXT
from jsmsso.profile.addresses import origin_of
from jsmsso.runtime.deployment import Deployment, ServedProvider
from jsmsso.runtime.replies import Reply
from jsmsso.runtime.sessions import Session
from jsmsso.runtime.visit import Visit
from jsmsso.store.records import Ending

KIND = "sid"


class FrontChannel:
    """Which ``sid`` the logins here brought, and ``GET /frontchannel-logout/<provider>?iss=&sid=``."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    def expect(self, session: Session) -> None:
        """Note the ``sid`` of a new session, where it has one: a stranger's made-up one then costs a look, and never a row."""
        if not is_sid(session.sid):
            return
        deployment, customer = self._deployment, session.customer
        value = json.dumps([customer.subject, customer.email]).encode()
        expires = session.started + deployment.profile.session.lifetime
        try:
            deployment.store.put(KIND, _key(customer.issuer, session.sid), value, expires=expires, owner=customer.email)
        except StoreUnavailable as error:
            deployment.go_on_without_store(error)

    def end(self, visit: Visit, provider: ServedProvider) -> Reply:
        """End the sessions of ``iss`` and ``sid``. The answer is the same whether there are any.

        Without both, or with another issuer's, nothing ends: 400. Raises :class:`StoreUnavailable`.
        """
        said = parse_qsl(visit.query, keep_blank_values=True)
        fields = dict(said)
        issuer, sid = fields.get("iss", ""), fields.get("sid", "")
        if len(said) != len(fields) or not issuer or not is_sid(sid):
            return self._refused(provider, "malformed", "iss and sid must each stand there once")
        if issuer not in provider.issuers:
            return self._refused(provider, "iss", f"{issuer[:200]!r} is not this provider's issuer")
        deployment = self._deployment
        now = deployment.now()
        known = deployment.store.get(KIND, _key(issuer, sid), now=now)
        if known is not None:
            deployment.endings.end(Ending.for_good("sid", issuer, sid, now))
            deployment.store.delete(KIND, _key(issuer, sid))
            subject, email = json.loads(known)
            deployment.metrics.logout("provider")
            deployment.events.write("logout.frontchannel", provider=provider.name, email=email, subject=subject)
            deployment.audit.write("logout", email=email, issuer=issuer, subject=subject, sid=sid, provider=provider.name, by="provider")
        return deployment.headers.content(200, b"", "text/plain; charset=utf-8", _framed_by(provider))

    def _refused(self, provider: ServedProvider, reason: str, detail: str) -> Reply:
        self._deployment.events.write("logout.refused", provider=provider.name, reason=f"frontchannel_{reason}", detail=detail)
        body = f"Nothing was signed out: {reason}.\n".encode()
        return self._deployment.headers.content(400, body, "text/plain; charset=utf-8", _framed_by(provider))


def is_sid(text: str) -> bool:
    """Whether a session's id at its provider is one that we would keep."""
    return 0 < len(text) <= MAX_TEXT and text.isprintable()


def _key(issuer: str, sid: str) -> str:
    return hashlib.sha256(f"{issuer} {sid}".encode()).hexdigest()


def _framed_by(provider: ServedProvider) -> str:
    """The Content-Security-Policy of the one address that may stand in a frame: in this provider's pages alone."""
    metadata = provider.party.known_metadata
    places = (metadata.authorization_endpoint, metadata.end_session_endpoint) if metadata else ()
    origins = {*provider.origins, *(origin_of(one) for one in (*provider.issuers, *places) if one)}
    return f"default-src 'none'; frame-ancestors {' '.join(sorted(origins))}"
