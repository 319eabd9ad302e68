"""A logout token from the provider ends the sessions that it names, on every worker."""

from __future__ import annotations

import hashlib
import json

from jsmsso.errors import LogoutTokenRefused, ProviderFailed
from jsmsso.runtime.deployment import Deployment, ServedProvider
from jsmsso.runtime.replies import NOTHING, Reply
from jsmsso.store.records import Ending


def end_by_logout_token(deployment: Deployment, provider: ServedProvider, logout_token: str) -> Reply:
    """200 when the sessions are ended (also when there were none), 400 for a token that is refused (Back-Channel Logout 1.0, 2.8).

    A token that comes again changes nothing. Raises :class:`StoreUnavailable`, so that the provider tries again.
    """
    try:
        said = provider.party.logged_out(logout_token)
    except LogoutTokenRefused as error:
        return _refused(deployment, provider, error.check, error.message)
    except ProviderFailed as error:
        return _refused(deployment, provider, error.code, error.message)
    now = deployment.now()
    if said.sid is not None:
        ending = Ending.for_good("sid", said.issuer, said.sid, now)
    else:
        ending = Ending.for_good("sub", said.issuer, said.sub or "", now)
    jti_hash = hashlib.sha256(f"{said.issuer} {said.jti}".encode()).digest()
    if not deployment.endings.end_once(ending, jti_hash, expires=said.expires):
        return _refused(deployment, provider, "jti", "the logout token was used before")
    deployment.metrics.logout("provider")
    deployment.events.write("logout.backchannel", provider=provider.name, by=ending.kind, subject=said.sub)
    deployment.audit.write("logout", issuer=said.issuer, subject=said.sub, sid=said.sid, provider=provider.name, by="provider")
    return deployment.headers.content(200, b"", "text/plain; charset=utf-8", NOTHING)


def _refused(deployment: Deployment, provider: ServedProvider, reason: str, detail: str) -> Reply:
    deployment.events.write("logout.refused", provider=provider.name, reason=f"logout_token_{reason}", detail=detail)
    body = json.dumps({"error": "invalid_request", "error_description": f"the logout token was refused: {reason}"})
    return deployment.headers.content(400, body.encode(), "application/json", NOTHING)
